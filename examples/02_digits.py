"""Digits in ten lines: train on real handwritten digits, freeze into gates, optimise, classify, prove."""

from hardwire import PackedEngine, load_dataset, lower, optimize, stage_costs, train
from hardwire.logic import preset
from hardwire.verify import prove

if __name__ == "__main__":
    digits = load_dataset("digits")
    run = train(preset("digits"), digits)
    raw = lower(run.network, run.encoder, name="digits", labels=digits.classes)
    best, _ = optimize(raw)
    found = PackedEngine(best)(digits.test.x)[:, 0]
    print(f"hard test accuracy {100 * (found == digits.test.y).mean():.2f} %")
    print(stage_costs(raw)["network"], "->", stage_costs(best)["network"], prove(raw, best))
