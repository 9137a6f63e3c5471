"""The verb ``bench``."""

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import rich_click as click

from ..core.errors import InputError
from .output import Output
from .verbs import verb

#: The checkout, where the package runs from one.
ROOT = Path(__file__).parents[3]


def registry() -> ModuleType:
    """Load the checkout's table of benchmarks.

    Raises
    ------
    InputError
        Where the package was installed without its sources.
    """
    if not (ROOT / "benchmarks" / "registry.py").is_file():
        raise InputError("benchmarks come with the source checkout; clone it, install it with `pip install -e .` and "
                         "repeat the command")
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    return import_module("benchmarks.registry")


@verb("hardwire bench\nhardwire bench train --json\nhardwire bench mnist --set out=runs/mnist")
@click.argument("name", metavar="[NAME]", required=False, help="Which one (default: list them).")
@click.option("--runs", type=int, metavar="N", help="Repetitions of everything timed (default: the benchmark's own).")
@click.option("--set", "assignments", multiple=True, metavar="NAME=VALUE", help="A parameter of the benchmark.")
@click.option("--keep", is_flag=True, help="Write the result to benchmarks/results.")
def bench(output: Output, name: str | None, runs: int | None, assignments: tuple[str, ...], keep: bool) -> int:
    """Run a benchmark, or list them with their goals.

    It is refused, with exit code 1, when its check of correctness fails.
    """
    benchmarks = registry()
    if not name:
        rows = {name: {"what": b.what, "goals": [str(g) for g in b.goals]} for name, b in benchmarks.BENCHMARKS.items()}
        output.answer(rows, "\n".join(f"{name}: {b['what']}; goals: {'; '.join(b['goals']) or 'none, a survey'}"
                                      for name, b in rows.items()))
        return 0
    try:
        result = benchmarks.run(name, assignments, runs=runs, say=output.say)
    except benchmarks.RefusedError as refused:
        output.say(f"hardwire: {refused}")
        return 1
    if keep:
        benchmarks.keep(result)
    output.answer(result, benchmarks.format_result(result))
    return 0
