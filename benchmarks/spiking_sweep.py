"""How far each free parameter takes the spiking network: one at a time from the defaults, on the validation split.

The paper gives none of them, so this is what they are chosen by; the test split is not looked at. ``out`` keeps every
result as it comes; the same command goes on with what is missing. ``only`` are parameters with commas between,
``settings`` lines of ``NAME=VALUE``.
"""

import dataclasses
import json
import statistics
from pathlib import Path
from typing import Any

from hardwire import load_dataset
from hardwire.core.files import write_text
from hardwire.data import Dataset, Split
from hardwire.spiking import preset, train

from .framework import Figures, Say

#: Parameter -> values around the default, which is trained once.
SPACE = {
    "ltp": [0.02, 0.15], "ltp_decay": [2.0, 4.0], "ltd": [0.003, 0.012], "rate_end": [0.1, 0.3],
    "gain": [0.5, 2.0], "gain_end": [2.0, 3.0, 6.0], "theta_step": [0.0, 0.1], "scaling": [0.5],
    "max_hz": [100.0, 400.0], "steps": [25, 70], "burn_in": [5, 20], "window_ms": [5.0, 20.0],
    "inputs": [256, 784], "outputs": [250, 1000],
    "cells": ["ideal", "digital"], "bits": [1], "arrays": [3], "levels": [16],
    "analog_device": ["gokmen_vlasov", "reram_sb"],
    "mature_at": [0.3, 0.7, 0.85], "mature_by": ["spikes"], "constant": [-0.8, -0.5], "importance": ["magnitude"],
    "method": ["none", "zero", "random"],
}
#: What must change with a value for it to make sense.
WITH = {"bits": {"cells": "digital"}, "arrays": {"cells": "digital"}, "inputs": {"arrays": 2}, "outputs": {"arrays": 2}}


def figures(
    say: Say, *, out: str, samples: int = 10_000, epochs: int = 3, seeds: int = 1, only: str = "", settings: str = "",
) -> Figures:
    """Train every change that ``out`` lacks; validation accuracy, and points above the default."""
    base = preset("mnist").changed(method="soft", prune=0.75, epochs=epochs).with_text(settings, "settings")
    names = only.split(",") if only else list(SPACE)
    changes = [{}, *({name: value} | WITH.get(name, {}) for name in names for value in SPACE[name])]
    path, data = Path(out) / "sweep.jsonl", shortened(load_dataset("mnist", seed=0), samples)
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    means: dict[str, float] = {}
    for change in changes:
        name = ", ".join(f"{k}={v}" for k, v in change.items()) or "default"
        each = []
        for seed in range(seeds):
            changed = base.changed(seed=seed, **in_samples(change, samples * epochs))
            key = {"samples": samples, "settings": changed.to_toml()}
            row = next((r for r in rows if all(r[k] == v for k, v in key.items())), None)
            if row is None:
                metrics = train(changed, data).metrics[-1]
                row = key | {"validation": metrics["validation_assigned"], "linear": metrics["validation_linear"]}
                rows.append(row)
                write_text(path, "".join(json.dumps(r) + "\n" for r in rows))
            each.append(row["validation"])
        means[name] = statistics.mean(each)
        say(f"{name:<40} {means[name]:.4f}")
    points = {name: {"validation": value, "points": round(100 * (value - means["default"]), 2)}
              for name, value in means.items()}
    return {"samples": samples, "epochs": epochs, "seeds": seeds, "settings": settings.splitlines()} | points


def in_samples(change: dict[str, Any], total: int) -> dict[str, Any]:
    """Turn ``mature_at``, which is given as a share of training, into samples."""
    return {k: round(v * total) if k == "mature_at" else v for k, v in change.items()}


def shortened(data: Dataset, samples: int) -> Dataset:
    """Return the data set with its first ``samples`` training samples only."""
    return dataclasses.replace(data, train=Split(data.train.x[:samples], data.train.y[:samples]))
