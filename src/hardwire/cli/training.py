"""Train a hardware whose record is complete when training ends, and report the run."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.settings import Settings
from .output import Output
from .progress import NOTHING, watching

if TYPE_CHECKING:
    from ..runs.experiment import Hardware


def train_and_report(
    output: Output, hardware: "Hardware[Any, Any, Any]", settings: Settings, out: str, *, data_dir: Path | None,
    resume: bool, names: Mapping[str, str] = NOTHING, after: Callable[[Any], None] | None = None,
) -> int:
    """Train into a run directory, or go on with the run in it; answer with its record.

    Parameters
    ----------
    output
        Where the command speaks.
    hardware, settings, out, data_dir, resume
        The run.
    names
        What variants are called.
    after
        Called with the samples once the run is trained.
    """
    from ..report import format_text
    from ..runs.directory import RunDirectory
    from ..runs.experiment import begun, train
    from ..workflow.report import write_report

    data = hardware.data_of(settings, data_dir, begun(RunDirectory(out)) if resume else None)
    for line in data.columns.notes() if data.columns else ():
        output.say(line)
    with watching(output, names=names) as listener:
        model = train(hardware, settings, out, data=data, resume=resume, listen=listener)
    if after is not None:
        after(data)
    record = write_report(hardware, model, data, RunDirectory(out)).to_json()
    output.answer(record, format_text(record, folder=Path(out)))
    return 0
