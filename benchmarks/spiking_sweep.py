"""How far each free parameter takes the spiking network: one at a time from the default settings, accuracy on the validation split. The
paper gives none of them, so this is what they are chosen by; the test split is not looked at.

    python benchmarks/spiking_sweep.py OUT [--samples 10000] [--epochs 3] [--seeds 1] [--only ltd,gain_end] [--set NAME=VALUE ...]

OUT keeps every result as it comes; the same command goes on with what is missing.
"""

import argparse
import dataclasses
import json
import statistics
from pathlib import Path

from common import report, say

from hardwire import load_dataset
from hardwire.core.files import write_text
from hardwire.data.datasets import Split
from hardwire.spiking import preset, train

#: Parameter -> values around the default, which is trained once.
SPACE = {
    "ltp": [0.02, 0.15], "ltp_decay": [2.0, 4.0], "ltd": [0.003, 0.012], "rate_end": [0.1, 0.3],
    "gain": [0.5, 2.0], "gain_end": [2.0, 3.0, 6.0], "theta_step": [0.0, 0.1], "scaling": [0.5],
    "max_hz": [100.0, 400.0], "steps": [25, 70], "burn_in": [5, 20], "window_ms": [5.0, 20.0],
    "inputs": [256, 784], "outputs": [250, 1000],
    "cells": ["ideal", "digital"], "bits": [1], "arrays": [3], "levels": [16], "analog_device": ["gokmen_vlasov", "reram_sb"],
    "mature_at": [0.3, 0.7, 0.85], "mature_by": ["spikes"], "constant": [-0.8, -0.5], "importance": ["magnitude"],
    "method": ["none", "zero", "random"],
}
#: What must change with a value for it to make sense.
WITH = {"bits": {"cells": "digital"}, "arrays": {"cells": "digital"}, "inputs": {"arrays": 2}, "outputs": {"arrays": 2}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--set", action="append", default=[])
    args = parser.parse_args()
    base = preset("mnist").changed(method="soft", prune=0.75, epochs=args.epochs).with_text("\n".join(args.set), "--set")
    only = args.only.split(",") if args.only else list(SPACE)
    found = results(args, base, [{}, *({name: value} | WITH.get(name, {}) for name in only for value in SPACE[name])])
    default = found["default"]
    figures = {name: {"validation": value, "points": round(100 * (value - default), 2)} for name, value in found.items()}
    report("spiking_sweep", "what each free parameter does to validation accuracy with 75 % softly pruned", None,
           {"samples": args.samples, "epochs": args.epochs, "seeds": args.seeds, "settings": args.set} | figures)


def results(args, base, changes: list[dict]) -> dict[str, float]:
    """Change in words -> mean validation accuracy over the seeds."""
    path = args.out / "sweep.jsonl"
    kept = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    data, found = shortened(load_dataset("mnist", seed=0), args.samples), {}
    for change in changes:
        name = ", ".join(f"{k}={v}" for k, v in change.items()) or "default"
        each = []
        for seed in range(args.seeds):
            settings = base.changed(seed=seed, **in_samples(change, args))
            key = {"samples": args.samples, "settings": settings.to_toml()}
            row = next((r for r in kept if all(r[k] == v for k, v in key.items())), None)
            if row is None:
                metrics = train(settings, data).metrics[-1]
                row = key | {"validation": metrics["validation_assigned"], "linear": metrics["validation_linear"]}
                kept.append(row)
                write_text(path, "".join(json.dumps(r) + "\n" for r in kept))
            each.append(row["validation"])
        found[name] = statistics.mean(each)
        say(f"{name:<40} {found[name]:.4f}")
    return found


def in_samples(change: dict, args) -> dict:
    """``mature_at`` is given as a share of training."""
    return {k: round(v * args.samples * args.epochs) if k == "mature_at" else v for k, v in change.items()}


def shortened(data, samples: int):
    """The data set with its first ``samples`` training samples only."""
    return dataclasses.replace(data, train=Split(data.train.x[:samples], data.train.y[:samples]))


if __name__ == "__main__":
    main()
