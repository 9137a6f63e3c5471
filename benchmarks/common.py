"""What every benchmark shares: repeated timing, and results as JSON with machine and commit. A benchmark states its goal, and
refuses to report when its check of correctness fails."""

import json
import sys
from pathlib import Path

from hardwire.runs.environment import environment

RESULTS = Path(__file__).parent / "results"


def say(text: str) -> None:
    """Progress, beside the result."""
    print(text, file=sys.stderr, flush=True)


def refuse(why: str) -> None:
    sys.exit(f"benchmark refused: {why}")


def report(name: str, goal: str, met: bool | None, figures: dict) -> None:
    """Print the result and keep it under ``results/NAME.json``; ``met`` is None of a survey, which has no threshold."""
    keep({"benchmark": name, "goal": goal, "met": met if met is None else bool(met), "figures": figures, "environment": environment().model_dump()})


def keep(result: dict) -> None:
    """``report`` for a result that is whole already."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{result['benchmark']}.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps({k: v for k, v in result.items() if k != "environment"}, indent=1))
