"""The verb ``report``."""

from pathlib import Path

from .output import Output
from .verbs import data_dir_option, run_argument, verb


@verb("hardwire report runs/mnist")
@run_argument
@data_dir_option
def report(output: Output, run: str, data_dir: Path | None) -> int:
    """The record of a run as text, JSON and HTML."""
    from ..report import format_text
    from ..workflow.report import report_run

    record = report_run(run, data_dir=data_dir).to_json()
    output.answer(record, format_text(record, folder=Path(run)))
    return 0
