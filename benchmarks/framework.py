"""The frame of every benchmark: repeated timing, goals, and results with machine and commit.

A benchmark is a row of ``registry.BENCHMARKS`` and a module with ``figures(say, *, ...)``. The function checks first
that what it measures is right, raises ``RefusedError`` where it is not, and returns its figures. Its keyword
arguments are the benchmark's parameters; one without a default must be given.
"""

import json
import math
import random
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hardwire.core.errors import HardwireError
from hardwire.core.files import write_text
from hardwire.runs.environment import environment
from hardwire.runs.progress import Listener, Progress

RESULTS = Path(__file__).parent / "results"
#: Called with each line of progress.
Say = Callable[[str], None]
Figures = dict[str, Any]


class RefusedError(HardwireError):
    """A benchmark whose check of correctness failed; nothing is reported."""

    def __init__(self, why: str) -> None:
        super().__init__(f"benchmark refused: {why}")


@dataclass(frozen=True)
class Goal:
    """What a figure is to reach.

    Attributes
    ----------
    figure : str
        Path in the figures, its parts apart by `` / ``.
    limit : float
        The figure is to be at most this, or at least.
    what : str
        What the figure says, with its unit.
    at_least : bool
        Whether more is better.
    """

    figure: str
    limit: float
    what: str
    at_least: bool = False

    def __str__(self) -> str:
        return f"{self.what} {'>=' if self.at_least else '<='} {self.limit:g}"

    def value(self, figures: Figures) -> Any:
        """Look the figure up."""
        for key in self.figure.split(" / "):
            figures = figures[key]
        return figures

    def met(self, figures: Figures) -> bool:
        """Whether the figure is a finite number on the right side of the limit."""
        value = self.value(figures)
        if not isinstance(value, (int, float)) or not math.isfinite(value):
            return False
        return value >= self.limit if self.at_least else value <= self.limit


@dataclass(frozen=True)
class Benchmark:
    """A row of the registry.

    Attributes
    ----------
    module : str
        Module of this folder that has ``figures``.
    what : str
        What is measured, and beside what.
    goals : tuple of Goal
        None of a survey, which has no threshold.
    result : str
        Name of the kept result; by default the benchmark's.
    fixed : mapping
        Parameters that make this benchmark of a module that serves several.
    """

    module: str
    what: str
    goals: tuple[Goal, ...] = ()
    result: str = ""
    fixed: Mapping[str, Any] = field(default_factory=dict)


def repeat(*functions: Callable[[], object], runs: int) -> list[Figures]:
    """Time functions, minimum and median seconds of each; they take turns, so that noise meets all alike.

    The order is shuffled in each round (to a fixed seed): what ran before decides what a function finds in the caches.
    """
    for function in functions:
        function()
    order, shuffle = list(range(len(functions))), random.Random(0).shuffle
    seconds: list[list[float]] = [[] for _ in functions]
    for _ in range(runs):
        shuffle(order)
        for i in order:
            start = time.perf_counter()
            functions[i]()
            seconds[i].append(time.perf_counter() - start)
    return [{"min_s": min(s), "median_s": statistics.median(s), "runs": runs} for s in seconds]


def judge(name: str, benchmark: Benchmark, figures: Figures) -> dict[str, Any]:
    """Put each goal beside its figure: the result, with machine and commit."""
    goals = [{"goal": str(g), "value": g.value(figures), "met": g.met(figures)} for g in benchmark.goals]
    return {"benchmark": benchmark.result or name,
            "goal": "; ".join(map(str, benchmark.goals)) or f"none: {benchmark.what}",
            "met": all(g["met"] for g in goals) if goals else None, "goals": goals, "figures": figures,
            "environment": environment().model_dump(mode="json")}


def keep(result: Mapping[str, Any]) -> Path:
    """Write a result to ``results/NAME.json``."""
    return write_text(RESULTS / f"{result['benchmark']}.json", json.dumps(result, indent=1) + "\n")


def format_result(result: Mapping[str, Any]) -> str:
    """Word a result: goals, then figures, one a line."""
    goals = [f"{'met' if g['met'] else 'NOT MET':<8} {g['goal']}: {_short(g['value'])}" for g in result["goals"]]
    return "\n".join([*goals, *(f"{name:<40} {_short(value)}" for name, value in _flat(result["figures"]))])


def listener(say: Say) -> Listener:
    """Make a listener that says the figures of each evaluation of a training."""

    def listen(event: Progress) -> None:
        if event.figures is not None:
            figures = ", ".join(f"{name} {_short(value)}" for name, value in event.figures.items())
            say(f"{event.unit} {event.position}/{event.total}: {figures}")

    return listen


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _flat(figures: Figures, prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in figures.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name} / ")
        else:
            yield f"{prefix}{name}", value
