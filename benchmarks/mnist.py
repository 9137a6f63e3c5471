"""MNIST, 6 x 8,000 gates at the default settings: trained, selected on validation, frozen, tested once.

Beside it: the 2022 paper's code, 97.69 % after 1.8 hours on a GPU. ``out`` is the run directory that is made.
"""

from pathlib import Path

import numpy as np
import torch

from hardwire import PackedEngine, load_dataset
from hardwire.circuit.simulate import simulate
from hardwire.cost import stage_counts
from hardwire.logic import load_model, preset
from hardwire.logic.record import LOGIC, best_circuit, raw_circuit
from hardwire.logic.training.batches import EncodedSamples
from hardwire.logic.training.evaluation import accuracy
from hardwire.runs.directory import RunDirectory
from hardwire.runs.experiment import train
from hardwire.workflow.logic import lower_run, optimize_run

from .framework import Figures, RefusedError, Say, listener


def figures(say: Say, *, out: str, seed: int = 0) -> Figures:
    """Train, lower, optimise; RefusedError where the engine on optimised gates is not the interpreter on raw ones."""
    settings = preset("mnist").changed(seed=seed)
    train(LOGIC, settings, out, resume=Path(out).exists(), listen=listener(say))
    lower_run(out)
    optimize_run(out, progress=say)
    raw, best = raw_circuit(RunDirectory(out)), best_circuit(RunDirectory(out))
    model, data = load_model(out), load_dataset("mnist", seed=seed)
    codes = model.encoder.codes(data.test.x)
    words = PackedEngine(best)(codes)[:, 0]
    if not np.array_equal(words, simulate(raw, codes)[:, 0]):
        raise RefusedError("the packed engine on optimised gates differs from the interpreter on raw ones")
    hard = float((words == data.test.y).mean())
    relaxed = accuracy(model.network, EncodedSamples(model.encoder.encode(data.test.x), data.test.y), hard=False)
    return {"hard": hard, "relaxed": relaxed, "gap": relaxed - hard, "train_s": model.seconds,
            "threads": torch.get_num_threads(), "seed": seed, "best_step": model.best_step, "steps": settings.steps,
            "nodes_raw": model.network.gates, "counts": stage_counts(raw, best), "runs": 1}
