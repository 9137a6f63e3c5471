"""The verb ``bench``."""

import rich_click as click

from .output import Output
from .verbs import verb


@verb("hardwire bench\nhardwire bench train --json")
@click.argument("name", metavar="[NAME]", required=False, help="Which one (default: list them).")
@click.option("--runs", type=int, default=60, metavar="N", help="Repetitions of everything timed (default: 60).")
def bench(output: Output, name: str | None, runs: int) -> int:
    """Run a benchmark, or list them with their goals.

    It is refused, with exit code 1, when its check of correctness fails.
    """
    from .. import bench as benchmarks

    if not name:
        rows = {row: (b.what, [str(g) for g in b.goals]) for row, b in benchmarks.BENCHMARKS.items()}
        output.answer({row: {"what": what, "goals": goals} for row, (what, goals) in rows.items()},
                      "\n".join(f"{row}: {what}; goals: {'; '.join(goals)}" for row, (what, goals) in rows.items()))
        return 0
    try:
        result = benchmarks.run(name, runs=runs, say=output.say)
    except benchmarks.Refused as refused:
        output.say(f"hardwire: {refused}")
        return 1
    output.answer(result, benchmarks.format_result(result))
    return 0
