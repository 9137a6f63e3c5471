"""Whole circuits of data sets beside MNIST: accuracy, gates of each stage, and gate equivalents.

Each is trained at its preset (with ``settings`` in place of some), selected on validation, frozen, optimised, and
tested once. ``out`` keeps the run directories; a run that is finished there is not trained again. ``liberty`` is a cell
library: with it the circuit is scored by the open board's script.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from hardwire import PackedEngine, load_dataset, stage_costs
from hardwire.circuit.simulate import simulate
from hardwire.logic import load_model, preset
from hardwire.logic.record import LOGIC
from hardwire.runs.experiment import train
from hardwire.workflow.logic import lower_run, optimize_run

from .framework import Figures, RefusedError, Say, listener

#: Data set -> seeds; a seed splits the samples anew where the source fixes no test split.
RUNS = {"letter": (0,), "satimage": (0,), "pendigits": (0,), "adult": (0,), "connect-4": (0,),
        "digits": (0, 1, 2, 3, 4)}


def figures(
    say: Say, *, out: str, names: list[str] | None = None, settings: dict[str, Any] | None = None, liberty: str = "",
    threads: int = 1,
) -> Figures:
    """Train what is missing in ``out``, and test each; RefusedError where two executors differ."""
    torch.set_num_threads(threads)
    result: Figures = {"threads": threads, "settings": settings or {}}
    for name in names or RUNS:
        runs = [one(name, seed, Path(out) / f"{name}-{seed}", settings or {}, liberty, say) for seed in RUNS[name]]
        mean = {key: float(np.mean([run[key] for run in runs])) for key in ("validation", "test", "gates")}
        ge = {"ge": float(np.mean([run["ge"] for run in runs]))} if liberty else {}
        result[name] = mean | ge | {"runs": runs}
    return result


def one(name: str, seed: int, run: Path, settings: dict[str, Any], liberty: str, say: Say) -> Figures:
    """Train, freeze, optimise and test one run."""
    data = load_dataset(name, seed=seed)
    train(LOGIC, preset(name).changed(seed=seed, **settings), run, data=data, resume=run.exists(), listen=listener(say))
    model, raw = load_model(run), lower_run(run)
    best = optimize_run(run)
    codes = model.encoder.codes(data.test.x)
    words = PackedEngine(best)(codes)[:, 0]
    if not np.array_equal(words[:2000], simulate(raw, codes[:2000])[:, 0]):
        raise RefusedError(f"{run}: the optimised circuit differs from the frozen network")
    stages = {stage: cost["gates"] for stage, cost in stage_costs(best).items()}
    result = {"seed": seed, "validation": model.best["hard"], "test": float((words == data.test.y).mean()),
              "gates": sum(stages.values()), **stages, "depth": best.depth, "bits": model.encoder.n_bits,
              "best_step": model.best_step, "train_s": model.seconds}
    if liberty:
        from hardwire.flows.board import board_score  # an outside tool, asked for by name

        score = board_score(best, liberty, codes, data.test.y)
        result |= {"ge": score.ge, "ge_s": score.seconds, "yosys": score.version,
                   "netlists": {key: str(verdict) for key, verdict in score.verified.items()}}
    say(f"{name} seed {seed}: {result}")
    return result
