"""Digits at the default settings, some seeds: trained, selected on validation, frozen, and tested once."""

import numpy as np

from hardwire import PackedEngine, load_dataset, lower, optimize, stage_costs, train
from hardwire.circuit.simulate import simulate
from hardwire.logic import preset
from hardwire.logic.training.batches import EncodedSamples
from hardwire.logic.training.evaluation import accuracy

from .framework import Figures, RefusedError, Say


def figures(say: Say, *, seeds: int = 5) -> Figures:
    """Train every seed; RefusedError where the engine differs from the interpreter."""
    runs = [one(seed, say) for seed in range(seeds)]
    hard, relaxed = (float(np.mean([r[k] for r in runs])) for k in ("hard", "relaxed"))
    return {"hard": hard, "relaxed": relaxed, "gap": relaxed - hard, "nodes_raw": max(r["nodes_raw"] for r in runs),
            "runs": runs}


def one(seed: int, say: Say) -> Figures:
    """Train one seed and test its optimised circuit."""
    digits = load_dataset("digits", seed=seed)
    run = train(preset("digits").changed(seed=seed), digits)
    raw = lower(run.network, run.encoder, name="digits", labels=digits.classes)
    best, _ = optimize(raw)
    codes = run.encoder.codes(digits.test.x)
    words = PackedEngine(best)(codes)[:, 0]
    if not np.array_equal(words, simulate(raw, codes)[:, 0]):
        raise RefusedError(f"seed {seed}: the packed engine differs from the interpreter")
    test = EncodedSamples(run.encoder.encode(digits.test.x), digits.test.y)
    hard = float((words == digits.test.y).mean())
    say(f"seed {seed}: {hard:.4f}")
    return {"seed": seed, "hard": hard, "relaxed": accuracy(run.network, test, hard=False),
            "nodes_raw": run.network.gates, "gates_optimized": stage_costs(best)["network"]["gates"],
            "train_s": run.seconds, "best_step": run.best_step}
