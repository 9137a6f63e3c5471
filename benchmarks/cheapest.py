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
from hardwire.circuit import STAGES, Circuit
from hardwire.circuit.engine.packed import PackedEngine
from hardwire.circuit.text import table_name
from hardwire.cost import stage_costs
from hardwire.flows.board import board_score
from hardwire.flows.luts import lut_score
from hardwire.logic import load_model
from hardwire.logic.record import LOGIC
from hardwire.logic.settings import search_preset
from hardwire.runs.experiment import train
from hardwire.workflow.logic import lower_run, optimize_run, verify_run

from .framework import Figures, RefusedError, Say, listener

_TURNED = {"vary_shift": 0.5, "vary_turn": 10.0, "vary_scale": 0.1}
_LARGE = {"search_peak": 1.25, "search_peak_at": 0.35, "search_copies": 3, **_TURNED}
_TABLES = {"unit": "luts", "search_copies": 4, "search_redraw": 60, "search_peak": 1.15, "search_peak_at": 0.4,
           "search_window": 13_000, "search_depth": 3, "search_floor": 2e-6, "search_pool": 1500, **_TURNED}
#: Name -> data set and what differs from the preset of a search: an average price a little below the goal's.
POINTS: dict[str, tuple[str, dict[str, Any]]] = {
    "mnist_1400ge": ("mnist", {"budget": 1310.0, "search_seconds": 295.0}),
    "mnist_2600ge": ("mnist", {"budget": 2450.0, "search_seconds": 295.0}),
    "mnist_4200ge": ("mnist", {"budget": 3950.0, "search_seconds": 295.0}),
    "mnist_7500ge": ("mnist", {"budget": 7050.0, "search_seconds": 900.0, "search_bits": 8} | _LARGE),
    "mnist_15000ge": ("mnist", {"budget": 14_200.0, "search_seconds": 1800.0, "search_bits": 10,
                                "search_window": 20_000} | _LARGE),
    "mnist_700luts": ("mnist", {"budget": 690.0, "search_seconds": 900.0} | _TABLES),
    "mnist_1400luts": ("mnist", {"budget": 1380.0, "search_seconds": 1100.0} | _TABLES),
    "mnist_2800luts": ("mnist", {"budget": 2750.0, "search_seconds": 1800.0} | _TABLES),
    "digits_3000ge": ("digits", {"budget": 3950.0, "search_rounds": 1200}),
    "fashion_15000ge": ("fashion-mnist", {"budget": 14_200.0, "search_seconds": 900.0}),
}


def figures(say: Say, *, point: str, out: str, liberty: str, seeds: list[int] | None = None) -> Figures:
    """Search what is missing in ``out``; RefusedError where a circuit is refuted or differs from its network."""
    each = []
    name, changes = POINTS[point]
    for seed in [0] if seeds is None else seeds:
        run = Path(out) / f"{point}-{seed}"
        settings = search_preset(name).changed(start="nothing", seed=seed, **changes)
        data = LOGIC.read_data(settings)
        train(LOGIC, settings, run, data=data, resume=run.exists(), listen=listener(say))
        lower_run(run)
        circuit = optimize_run(run)
        verdicts = {key: str(verdict) for key, verdict in verify_run(run).items()}
        refuted = [key for key, verdict in verdicts.items() if verdict.startswith("refuted")]
        if refuted:
            raise RefusedError(f"{run}: {', '.join(refuted)} refuted")
        each.append(priced(run, circuit, liberty, settings.unit) | {"verified": verdicts})
        say(f"{run}: {each[-1]}")
    return {"hard": float(np.mean([e["test"] for e in each])), "price": float(max(e["price"] for e in each)),
            "validation": float(np.mean([e["validation"] for e in each])), "runs": each,
            "slowest_s": max(e["search_s"] for e in each), "threads": torch.get_num_threads()}


def tables_of(circuit: Circuit) -> dict[str, int]:
    """Tables and inverters of each stage; wires and constants are none."""
    names = [table_name(table, k) for table, k in zip(circuit.table.tolist(), circuit.arity.tolist())]
    counted = ~np.isin(names, ("FALSE", "TRUE", "WIRE", "A", "B"))
    return {stage: int(((circuit.stage == i) & counted).sum()) for i, stage in enumerate(STAGES)}


def priced(run: Path, circuit: Circuit, liberty: str, unit: str) -> Figures:
    """Accuracy and price of one run's circuit."""
    model = load_model(run)
    data = load_dataset(model.settings.dataset, seed=model.settings.seed)
    codes = model.encoder.codes(data.test.x)
    answers = PackedEngine(circuit)(codes)[:, 0]
    result: Figures = {
        "seed": model.settings.seed, "test": float((answers == data.test.y).mean()), "validation": model.best["hard"],
        "search_s": model.seconds, "rounds": model.best_step, "average_price": model.best["price"],
        "stages": stage_costs(circuit)}
    if unit == "luts":
        cover = lut_score(circuit, data.test.x, data.test.y)
        if cover.accuracy != result["test"]:
            raise RefusedError(f"{run}: right in {cover.accuracy} as tables, but in {result['test']} as a circuit")
        return result | {"tables": tables_of(circuit), "luts": cover.sizes, "luts_by_stage": cover.stages,
                         "price": cover.luts, "depth": cover.depth, "tool": cover.version, "cover": cover.method,
                         "mapped": {"luts": str(cover.verified)}}
    score = board_score(circuit, liberty, data.test.x, data.test.y)
    if score.accuracy != result["test"]:
        raise RefusedError(f"{run}: right in {score.accuracy} as NAND gates, but in {result['test']} as a circuit")
    return result | {"ge": score.ge, "price": score.ge, "tool": score.version,
                     "mapped": {key: str(verdict) for key, verdict in score.verified.items()}}
