"""MNIST on crossbars: 528-250-125-10, all 60,000 samples one by one, beside float training in the same run, three seeds, ablations.

    python benchmarks/crossbar_mnist.py RUNS [--seeds 0 1 2] [--epochs N] [--samples N] [--set NAME=VALUE]

RUNS keeps a run directory for each seed; a killed one goes on, a finished one is only read. Nothing is selected: accuracies are those
of the devices at the end of the last epoch, on the test split.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from common import refuse, report

from hardwire.cli import crossbar as command
from hardwire.crossbar.settings import preset
from hardwire.report import load_record
from hardwire.workflow import steps as runs

GOAL = "2 PCM + 3T1C at most 0.3 points under float; without polarity inversion and with 2 PCM alone lower, in the mean of the seeds"
VARIANTS = ["hybrid", "float", "no-inversion", "2pcm"]


def finished(config, out: Path) -> dict:
    """The record of one seed's run, trained if it is not yet."""
    if not (out / "report.json").exists():
        say = lambda text: print(text, file=sys.stderr, flush=True)  # noqa: E731
        runs.crossbar_run(config, out, resume=out.exists(), progress=command.progress(config, say), say=say)
    record = load_record(out)
    if any(not status.startswith("simulated") for status in record["verified"].values()):
        refuse(f"{out}: {record['verified']}")
    return record


def figures(records: list[dict]) -> dict:
    """Accuracies of every seed, their means, and points to float."""
    each = [{"seed": r["seed"], **r["crossbar"]["accuracy"]} for r in records]
    mean = {v: float(np.mean([e[v] for e in each])) for v in VARIANTS}
    seconds = {v: float(np.mean([r["time"][f"{v} training example_s"] for r in records])) for v in VARIANTS}
    return {"mean": mean, "points_to_float": {v: round(100 * (mean[v] - mean["float"]), 9) for v in VARIANTS if v != "float"},
            "deviation": {v: float(np.std([e[v] for e in each], ddof=1)) if len(each) > 1 else None for v in VARIANTS},
            "runs": each, "seconds_an_example": seconds, "synapses": records[0]["crossbar"]["synapses"],
            "counters": records[0]["crossbar"]["counters"], "settings": records[0]["model"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--samples", type=int)
    parser.add_argument("--set", action="append", metavar="NAME=VALUE")
    args = parser.parse_args()
    given = {k: getattr(args, k) for k in ("epochs", "samples") if getattr(args, k) is not None}
    config = preset("mnist").changed(variants=VARIANTS, **given).with_text("\n".join(args.set or ()), "--set")
    found = figures([finished(config.changed(seed=seed), args.runs / f"mnist-{seed}") for seed in args.seeds])
    mean = found["mean"]
    points = found["points_to_float"]  # rounded: counts of right answers, not their binary fractions, decide a tie
    met = points["hybrid"] >= -0.3 and mean["hybrid"] > max(mean["no-inversion"], mean["2pcm"]) and not config.samples
    report("crossbar_mnist", GOAL, met and config.epochs >= 10 and len(args.seeds) >= 3, found)


if __name__ == "__main__":
    main()
