"""MNIST on crossbars: 528-250-125-10, sample by sample, beside float training in the same run, and ablations.

``out`` keeps a run directory for each seed; a killed one goes on, a finished one is only read. Nothing is selected:
accuracies are those of the devices at the end of the last epoch, on the test split.
"""

from pathlib import Path
from typing import Any

import numpy as np

from hardwire.crossbar.record import CROSSBAR
from hardwire.crossbar.settings import CrossbarSettings, preset
from hardwire.runs.experiment import train
from hardwire.workflow.report import report_run

from .framework import Figures, RefusedError, Say, listener

VARIANTS = ["hybrid", "float", "no-inversion", "2pcm"]


def figures(
    say: Say, *, out: str, seeds: list[int] | None = None, epochs: int = 0, samples: int = 0, settings: str = "",
) -> Figures:
    """Train what is missing in ``out``; ``settings`` are lines of ``NAME=VALUE``."""
    given = {name: value for name, value in (("epochs", epochs), ("samples", samples)) if value}
    base = preset("mnist").changed(variants=VARIANTS, **given).with_text(settings, "settings")
    chosen = [0, 1, 2] if seeds is None else seeds
    records = [recorded(base.changed(seed=seed), Path(out) / f"mnist-{seed}", say) for seed in chosen]
    return summary(records) | {"epochs": base.epochs, "seeds": len(chosen),
                               "samples_left_out": max(0, 60_000 - base.samples) if base.samples else 0}


def recorded(settings: CrossbarSettings, out: Path, say: Say) -> dict[str, Any]:
    """Return the record of one run, trained if it is not yet; RefusedError where one of its checks failed."""
    train(CROSSBAR, settings, out, resume=out.exists(), listen=listener(say))
    record = report_run(out).to_json()
    if any(not status.startswith("simulated") for status in record["verified"].values()):
        raise RefusedError(f"{out}: {record['verified']}")
    return record


def summary(records: list[dict[str, Any]]) -> Figures:
    """Gather accuracies of every seed, their means, and points to float."""
    each = [{"seed": r["seed"], **r["crossbar"]["accuracy"]} for r in records]
    mean = {v: float(np.mean([e[v] for e in each])) for v in VARIANTS}
    seconds = {v: float(np.mean([r["time"][f"{v} training example_s"] for r in records])) for v in VARIANTS}
    # rounded: counts of right answers, not their binary fractions, decide a tie
    points = {v: round(100 * (mean[v] - mean["float"]), 9) for v in VARIANTS if v != "float"}
    return {"mean": mean, "points_to_float": points,
            "points_above_ablations": round(100 * (mean["hybrid"] - max(mean["no-inversion"], mean["2pcm"])), 9),
            "deviation": {v: float(np.std([e[v] for e in each], ddof=1)) if len(each) > 1 else None for v in VARIANTS},
            "runs": each, "seconds_an_example": seconds, "synapses": records[0]["crossbar"]["synapses"],
            "counters": records[0]["crossbar"]["counters"], "settings": records[0]["model"]}
