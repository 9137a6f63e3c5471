"""What every benchmark shares: repeated timing, goals, and results with machine and commit."""

import math
import random
import statistics
import time
from dataclasses import dataclass

from ..core.errors import HardwireError
from ..runs.environment import environment


class Refused(HardwireError):
    """A benchmark whose check of correctness failed; nothing is timed."""

    def __init__(self, why: str):
        super().__init__(f"benchmark refused: {why}")


@dataclass(frozen=True)
class Goal:
    """``figure``, a path in the figures, is to be at most ``limit``; ``what`` says what it is, with its unit."""

    figure: str
    limit: float
    what: str

    def __str__(self) -> str:
        return f"{self.what} <= {self.limit:g}"

    def value(self, figures: dict):
        for key in self.figure.split(" / "):
            figures = figures[key]
        return figures


@dataclass(frozen=True)
class Benchmark:
    """``result`` is the name under which its result is kept."""

    result: str
    what: str
    goals: tuple[Goal, ...]


def repeat(*functions, runs: int) -> list[dict]:
    """Seconds of each function, minimum and median; the functions take turns, so that noise meets all alike.

    The order is shuffled in each round (to a fixed seed): what ran before decides what a function finds in the caches.
    """
    for function in functions:
        function()
    order, shuffle = list(range(len(functions))), random.Random(0).shuffle
    seconds = [[] for _ in functions]
    for _ in range(runs):
        shuffle(order)
        for i in order:
            start = time.perf_counter()
            functions[i]()
            seconds[i].append(time.perf_counter() - start)
    return [{"min_s": min(s), "median_s": statistics.median(s), "runs": runs} for s in seconds]


def judge(benchmark: Benchmark, figures: dict) -> dict:
    """The result: each goal beside its figure, all of them, machine and commit."""
    goals = [{"goal": str(g), "value": g.value(figures), "met": _met(g, figures)} for g in benchmark.goals]
    return {"benchmark": benchmark.result, "goal": "; ".join(str(g) for g in benchmark.goals), "met": all(g["met"] for g in goals),
            "goals": goals, "figures": figures, "environment": environment().model_dump()}


def _met(goal: Goal, figures: dict) -> bool:
    value = goal.value(figures)
    return isinstance(value, (int, float)) and math.isfinite(value) and value <= goal.limit


def format_result(result: dict) -> str:
    """Goals, then figures, as lines."""
    goals = [f"{'met' if g['met'] else 'NOT MET':<8} {g['goal']}: {_short(g['value'])}" for g in result["goals"]]
    return "\n".join([*goals, *(f"{name:<40} {_short(value)}" for name, value in _flat(result["figures"]))])


def _short(value) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _flat(figures: dict, prefix: str = ""):
    for name, value in figures.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name} / ")
        else:
            yield f"{prefix}{name}", value
