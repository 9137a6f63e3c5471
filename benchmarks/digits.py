"""Digits, seeds 0 to 4, the default settings: trained, selected on validation, frozen, and tested once. Goals: mean hard test
accuracy at least 96.5 % with at most 6,000 raw gates in the network; mean gap between relaxed and hard at most 0.5 points.
"""


import numpy as np
from common import refuse, report

from hardwire import PackedEngine, load_dataset, lower, optimize, stage_costs, train
from hardwire.circuit.simulate import simulate
from hardwire.logic import preset
from hardwire.logic.training.loop import Samples, accuracy


def one(seed: int) -> dict:
    digits = load_dataset("digits", seed=seed)
    config = preset("digits").changed(seed=seed)
    run = train(config, digits)
    raw = lower(run.network, run.encoder, name="digits", labels=digits.classes)
    best, _ = optimize(raw)
    codes = run.encoder.codes(digits.test.x)
    found = PackedEngine(best)(codes)[:, 0]
    if not np.array_equal(found, simulate(raw, codes)[:, 0]):
        refuse(f"seed {seed}: the packed engine differs from the interpreter")
    test = Samples(run.encoder.encode(digits.test.x), digits.test.y)
    return {"seed": seed, "hard": float((found == digits.test.y).mean()), "relaxed": accuracy(run.network, test, hard=False),
            "gates_raw": run.network.gates, "gates_optimized": stage_costs(best)["network"]["gates"], "train_s": run.seconds,
            "best_step": run.best_step}


def main() -> None:
    runs = [one(seed) for seed in range(5)]
    hard, relaxed = (float(np.mean([r[k] for r in runs])) for k in ("hard", "relaxed"))
    met = hard >= 0.965 and relaxed - hard <= 0.005 and max(r["gates_raw"] for r in runs) <= 6000
    report("digits", "mean hard >= 0.965 at <= 6,000 raw gates; mean relaxed - hard <= 0.005", met,
           {"hard": hard, "relaxed": relaxed, "gap": relaxed - hard, "runs": runs})


if __name__ == "__main__":
    main()
