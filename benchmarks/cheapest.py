"""The cheapest whole circuits: a search, selected on validation, its circuit proved, priced by tools and tested once.

``out`` keeps a run directory for each point; a run that is finished there is not searched again. GE is the area of the
open board's script in units of the library's smallest two-input NAND; tables are look-up tables
of up to six inputs: our own cover, kept as instances through Yosys and counted by it, with no mapping of its own.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from hardwire import load_dataset
from hardwire.circuit import Circuit
from hardwire.circuit.engine.packed import PackedEngine
from hardwire.cost import stage_costs
from hardwire.flows.board import board_score
from hardwire.flows.luts import lut_score
from hardwire.logic import load_model
from hardwire.logic.record import LOGIC
from hardwire.logic.settings import search_preset
from hardwire.runs.experiment import train
from hardwire.workflow.logic import lower_run, optimize_run, verify_run

from .framework import Figures, RefusedError, Say, listener

_MOVED = {"vary_shift": 0.5, "vary_turn": 10.0, "vary_scale": 0.1, "vary_bend": 0.7}  # and a pixel, as the preset says
_VARIED = {"augment": "none", "vary_shift": 0.8, "vary_turn": 8.0, "vary_scale": 0.08, "vary_bend": 0.6}
_TABLES = {"unit": "luts", "search_bits": 10, "search_peak": 1.15, "search_peak_at": 0.4, "search_depth": 3,
           "search_floor": 2e-6, "search_pool": 1500}
_LARGE = {"search_bits": 8, "search_peak": 1.25, "search_peak_at": 0.4, "search_floor": 1e-6}
#: The first search of all large ones, few samples a round, and of all with tables; then one with six times as many.
_GROWN = _LARGE | _MOVED | {"budget": 14_200.0, "search_seconds": 750.0, "search_copies": 2, "search_redraw": 300,
                            "search_window": 13_312}
_GROWN_TABLES = _TABLES | _MOVED | {"budget": 1380.0, "search_seconds": 430.0, "search_copies": 2, "search_redraw": 150,
                                    "search_window": 6656}
_LONG = _LARGE | _VARIED | {"search_copies": 6, "search_redraw": 1500, "search_window": 27_000}
_LONG_TABLES = _TABLES | _VARIED | {"search_copies": 6, "search_redraw": 600, "search_window": 13_312}
_MANY = {"search_copies": 12, "search_floor": 5e-7}
_MANY_TABLES = {"search_copies": 14, "search_redraw": 1200, "search_floor": 1e-6}
#: The last searches: many copies that differ little, or more rounds.
_LAST_TABLES = {"budget": 2750.0, "search_seconds": 1260.0, "search_copies": 10, "search_floor": 5e-7}
_MILD = {"vary_shift": 0.5, "vary_turn": 6.0, "vary_scale": 0.05, "vary_bend": 0.45, "search_copies": 16,
         "search_redraw": 800}
#: Of tables of numbers: few samples, each as often as makes some ten thousands.
_NUMBERS = {"search_floor": 2e-6, "search_redraw": 300, "search_seconds": 180.0}
#: Name -> data set and searches, each from the network of the one before; what differs from the preset of a search. The
#: average price is a little below the goal's.
POINTS: dict[str, tuple[str, tuple[dict[str, Any], ...]]] = {
    "mnist_1400ge": ("mnist", ({"budget": 1310.0, "search_seconds": 295.0},)),
    "mnist_2600ge": ("mnist", ({"budget": 2450.0, "search_seconds": 295.0},)),
    "mnist_4200ge": ("mnist", ({"budget": 3950.0, "search_seconds": 295.0},)),
    "mnist_7500ge": ("mnist", (_GROWN, _LONG | {"budget": 7050.0, "search_seconds": 700.0})),
    "mnist_15000ge": ("mnist", (_GROWN, _LONG | {"budget": 14_200.0, "search_seconds": 1200.0},
                                _LONG | _MANY | {"budget": 28_500.0, "search_seconds": 1550.0},
                                _LONG | _MANY | _MILD | {"budget": 14_200.0, "search_seconds": 1800.0})),
    "mnist_700luts": ("mnist", (_TABLES | _MOVED | {"budget": 690.0, "search_seconds": 900.0},)),
    "mnist_1400luts": ("mnist", (_GROWN_TABLES, _LONG_TABLES | {"budget": 1380.0, "search_seconds": 900.0},
                                  _LONG_TABLES | _MANY_TABLES | {"budget": 1380.0, "search_seconds": 780.0})),
    "mnist_2800luts": ("mnist", (_GROWN_TABLES, _LONG_TABLES | {"budget": 1380.0, "search_seconds": 900.0},
                                  _LONG_TABLES | _MANY_TABLES | {"budget": 2750.0, "search_seconds": 1850.0},
                                  _LONG_TABLES | _MANY_TABLES | _LAST_TABLES)),
    "letter": ("letter", (_NUMBERS | {"budget": 5000.0, "search_copies": 4, "vary_noise": 0.1},)),
    "satimage": ("satimage", (_NUMBERS | {"budget": 5600.0, "search_copies": 30},)),
    "pendigits": ("pendigits", (_NUMBERS | {"budget": 4800.0, "search_copies": 10},)),
    "adult": ("adult", (_NUMBERS | {"budget": 3000.0, "search_copies": 8, "vary_noise": 0.3, "search_floor": 4e-6,
                                    "search_bits": 50},)),
    "connect-4": ("connect-4", (_NUMBERS | {"budget": 4700.0, "search_copies": 2},)),
    "digits_3000ge": ("digits", ({"budget": 2900.0, "search_rounds": 1500},)),
    "fashion_15000ge": ("fashion-mnist", (_LARGE | {
        "budget": 14_200.0, "search_seconds": 900.0, "augment": "flip", "vary_shift": 0.8, "vary_turn": 5.0,
        "vary_scale": 0.05, "search_copies": 4, "search_redraw": 600, "search_window": 13_312},)),
}


def figures(say: Say, *, point: str, out: str, liberty: str, seeds: list[int] | None = None) -> Figures:
    """Search what is missing in ``out``; RefusedError where a circuit is refuted or differs from its network."""
    each = []
    for seed in [0] if seeds is None else seeds:
        runs = searched(point, seed, Path(out), say)
        run = runs[-1]
        lower_run(run)
        circuit = optimize_run(run)
        verdicts = {key: str(verdict) for key, verdict in verify_run(run).items()}
        refuted = [key for key, verdict in verdicts.items() if verdict.startswith("refuted")]
        if refuted:
            raise RefusedError(f"{run}: {', '.join(refuted)} refuted")
        each.append(priced(run, circuit, liberty) | {"verified": verdicts,
                    "searches_s": [load_model(each_run).seconds for each_run in runs]})
        say(f"{run}: {each[-1]}")
    return {"hard": float(np.mean([e["test"] for e in each])), "price": float(max(e["price"] for e in each)),
            "validation": float(np.mean([e["validation"] for e in each])), "runs": each,
            "slowest_s": max(sum(e["searches_s"]) for e in each), "threads": torch.get_num_threads()}


def searched(point: str, seed: int, out: Path, say: Say) -> list[Path]:
    """Make the searches of a point that are missing in ``out``; returns their run directories."""
    name, searches = POINTS[point]
    runs, start = [], "nothing"
    for i, changes in enumerate(searches):
        runs.append(out / (f"{point}-{seed}" if i == len(searches) - 1 else f"{point}-{seed}-{i}"))
        settings = search_preset(name).changed(start=start, seed=seed, **changes)
        train(LOGIC, settings, runs[-1], data=LOGIC.read_data(settings), resume=runs[-1].exists(), listen=listener(say))
        start = str(runs[-1])
    return runs


def priced(run: Path, circuit: Circuit, liberty: str) -> Figures:
    """Accuracy and price of one run's circuit."""
    model = load_model(run)
    data = load_dataset(model.settings.dataset, seed=model.settings.seed)
    codes = model.encoder.codes(data.test.x)
    answers = PackedEngine(circuit)(codes)[:, 0]
    result: Figures = {
        "seed": model.settings.seed, "test": float((answers == data.test.y).mean()), "validation": model.best["hard"],
        "search_s": model.seconds, "rounds": model.best_step, "average_price": model.best["price"],
        "stages": stage_costs(circuit)}
    if model.settings.unit == "luts":
        cover = lut_score(circuit, codes, data.test.y)
        if cover.accuracy != result["test"]:
            raise RefusedError(f"{run}: right in {cover.accuracy} as tables, but in {result['test']} as a circuit")
        return result | {"luts": cover.sizes, "luts_by_stage": cover.stages,
                         "price": cover.luts, "depth": cover.depth, "tool": cover.version, "cover": cover.method,
                         "mapped": {"luts": str(cover.verified)}}
    score = board_score(circuit, liberty, codes, data.test.y)
    if score.accuracy != result["test"]:
        raise RefusedError(f"{run}: right in {score.accuracy} as NAND gates, but in {result['test']} as a circuit")
    return result | {"ge": score.ge, "price": score.ge, "tool": score.version,
                     "mapped": {key: str(verdict) for key, verdict in score.verified.items()}}
