"""The verb ``report``."""

from pathlib import Path

from .output import Output
from .training import commands
from .verbs import data_dir_option, data_option, run_argument, verb

#: What a reported logic network may be used for.
NEXT = ("emit {run} --to c --out {run}/c", "score {run}")


@verb("hardwire report runs/mnist")
@run_argument
@data_option
@data_dir_option
def report(output: Output, run: str, data: str | None, data_dir: Path | None) -> int:
    """The record of a run as text, JSON and HTML."""
    from ..report import format_text
    from ..workflow.report import report_run

    record = report_run(run, data_dir=data_dir, data=data).to_json()
    output.answer(record, format_text(record, folder=Path(run)))
    if record["hardware"] == "logic":
        output.say(commands(NEXT, run))
    return 0
