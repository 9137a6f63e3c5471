"""What every benchmark shares: repeated timing, and results as JSON with machine and commit. A benchmark states its goal, and
refuses to report when its check of correctness fails."""

import json
import statistics
import sys
import time
from pathlib import Path

from hardwire.report import environment

RESULTS = Path(__file__).parent / "results"


def repeat(*functions, runs: int) -> list[dict]:
    """Seconds of each function, minimum and median; the functions take turns, so that noise meets all alike."""
    for function in functions:
        function()
    seconds = [[] for _ in functions]
    for _ in range(runs):
        for function, taken in zip(functions, seconds):
            start = time.perf_counter()
            function()
            taken.append(time.perf_counter() - start)
    return [{"min_s": min(s), "median_s": statistics.median(s), "runs": runs} for s in seconds]


def refuse(why: str) -> None:
    sys.exit(f"benchmark refused: {why}")


def report(name: str, goal: str, met: bool, figures: dict) -> None:
    """Print the result and keep it under ``results/NAME.json``."""
    RESULTS.mkdir(exist_ok=True)
    result = {"benchmark": name, "goal": goal, "met": bool(met), "figures": figures, "environment": environment()}
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps({k: v for k, v in result.items() if k != "environment"}, indent=1))
