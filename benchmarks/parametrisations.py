"""Which parametrisation and which estimator, on digits: 3 x 1,000 nodes and 1,500 steps.

A comparison without a goal.
"""

import itertools
from collections.abc import Iterator

import numpy as np
import torch

from hardwire import PackedEngine, load_dataset, lower, stage_costs
from hardwire.logic import preset, train
from hardwire.logic.network.nodes import ESTIMATORS, PARAMETRISATIONS
from hardwire.logic.training.batches import EncodedSamples
from hardwire.logic.training.evaluation import accuracy

from .framework import Figures, Say

BASE = preset("digits").changed(width=1000, steps=1500, evaluate_every=500)
NOISE = {"covjac": 0.25}


def figures(say: Say, *, seeds: int = 3) -> Figures:
    """Train every entry, on one thread; means over the seeds."""
    torch.set_num_threads(1)
    result = {}
    for name, changes in entries():
        each = [one(changes, seed) for seed in range(seeds)]
        result[name] = {k: float(np.mean([e[k] for e in each])) for k in each[0]}
        say(f"{name}: {result[name]}")
    return result


def entries() -> Iterator[tuple[str, Figures]]:
    """Name each entry, and say what differs from ``BASE``."""
    for p, e in itertools.product(PARAMETRISATIONS, ESTIMATORS):
        yield f"{p}, {e}", {"parametrisation": p, "estimator": e, "noise": NOISE.get(p, 1.0)}
    for p, k in itertools.product(("table", "walsh"), (4, 6)):
        yield f"{p}, relaxed, {k} inputs", {"parametrisation": p, "fan_in": k, "noise": 1.0}
    yield "table, relaxed then hard", {"harden_at": 0.7}
    yield "table, relaxed, learned wiring", {"learned_layers": 3, "candidates": 8}
    yield "table, relaxed, random first layer", {"wiring": "random"}


def one(changes: Figures, seed: int) -> Figures:
    """Train, lower and test one network."""
    settings, data = BASE.changed(seed=seed, **changes), load_dataset("digits", seed=seed)
    result = train(settings, data)
    circuit = lower(result.network, result.encoder)
    hard = float((PackedEngine(circuit)(result.encoder.codes(data.test.x))[:, 0] == data.test.y).mean())
    test = EncodedSamples(result.encoder.encode(data.test.x), data.test.y)
    return {"validation": max(m["hard"] for m in result.metrics), "test_hard": hard,
            "gap": accuracy(result.network, test, hard=False) - hard,
            "step_ms": 1000 * result.seconds / settings.steps, "gates": stage_costs(circuit)["network"]["gates"]}
