"""Benchmarks: what is timed, against what, with which goal. One is refused when its check of correctness fails."""

import importlib

from ..core.errors import InputError
from .common import Benchmark, Goal, Refused, format_result, judge

__all__ = ["BENCHMARKS", "Refused", "format_result", "run"]

#: Name -> benchmark; the module of that name has ``figures(runs, say)``.
BENCHMARKS = {
    "train": Benchmark("train_step", "training steps on one thread, and their memory", (
        Goal("ratio_min", 1.0, "logic_table / the faster perceptron"),
        Goal("logictreenet_s / min_s", 0.15, "seconds of a LogicTreeNet-S step on 28 x 28, batch 128"),
        Goal("memory / logic_table_mb", 150.0, "megabytes above import at the peak of 20 steps of logic_table"),
        Goal("memory / logictreenet_s_mb", 150.0, "the same of LogicTreeNet-S"),
    )),
}


def run(name: str, *, runs: int = 60, say=lambda text: None) -> dict:
    """Run a benchmark: its figures, its goals and whether they are met, machine and commit.

    Raises Refused when the check of correctness fails, InputError for a name that is none.
    """
    if name not in BENCHMARKS:
        raise InputError(f"benchmark {name!r} is none of {', '.join(BENCHMARKS)}")
    if runs < 1:
        raise InputError(f"runs = {runs} must be at least 1")
    module = importlib.import_module(f".{name}", __name__)
    return judge(BENCHMARKS[name], module.figures(runs, say))
