"""Which parametrisation and which estimator, on digits: 3 x 1,000 nodes, 1,500 steps, seeds 0 to 2, the preset's learning rate of 0.1.
No goal: it is a comparison.

    python benchmarks/parametrisations.py
"""

import itertools

import numpy as np
import torch
from common import report, say

from hardwire import PackedEngine, load_dataset, lower, stage_costs
from hardwire.logic import preset, train
from hardwire.logic.network.nodes import ESTIMATORS, PARAMETRISATIONS
from hardwire.logic.training.loop import Samples, accuracy

SEEDS = range(3)
BASE = preset("digits").changed(width=1000, steps=1500, evaluate_every=500)
NOISE = {"covjac": 0.25}


def entries():
    """Name -> what differs from ``BASE``."""
    for p, e in itertools.product(PARAMETRISATIONS, ESTIMATORS):
        yield f"{p}, {e}", {"parametrisation": p, "estimator": e, "noise": NOISE.get(p, 1.0)}
    for p, k in itertools.product(("table", "walsh"), (4, 6)):
        yield f"{p}, relaxed, {k} inputs", {"parametrisation": p, "fan_in": k, "noise": 1.0}
    yield "table, relaxed then hard", {"harden_at": 0.7}
    yield "table, relaxed, learned wiring", {"learned_layers": 3, "candidates": 8}
    yield "table, relaxed, random first layer", {"wiring": "random"}


def run(changes: dict, seed: int) -> dict:
    config, data = BASE.changed(seed=seed, **changes), load_dataset("digits", seed=seed)
    result = train(config, data)
    circuit = lower(result.network, result.encoder)
    hard = float((PackedEngine(circuit)(result.encoder.codes(data.test.x))[:, 0] == data.test.y).mean())
    test = Samples(result.encoder.encode(data.test.x), data.test.y)
    return {"validation": max(m["hard"] for m in result.metrics), "test_hard": hard,
            "gap": accuracy(result.network, test, hard=False) - hard, "step_ms": 1000 * result.seconds / config.steps,
            "gates": sum(stage["gates"] for name, stage in stage_costs(circuit).items() if name == "network")}


def main() -> None:
    torch.set_num_threads(1)
    figures = {}
    for name, changes in entries():
        each = [run(changes, seed) for seed in SEEDS]
        figures[name] = {k: float(np.mean([e[k] for e in each])) for k in each[0]}
        say(f"{name}: {figures[name]}")
    report("parametrisations", "none: a comparison", True, figures)


if __name__ == "__main__":
    main()
