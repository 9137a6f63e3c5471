"""Report a run of any hardware."""

from pathlib import Path
from typing import Any

from ..report import write_html
from ..runs.directory import RunDirectory
from ..runs.record import NAME, Record
from .hardwares import hardware_of

PAGE = "report.html"


def report_run(path: str | Path, *, data: Any = None, data_dir: str | Path | None = None, anew: bool = False) -> Record:
    """Gather the run's record, write ``report.json`` and ``report.html``, and return it.

    Parameters
    ----------
    path
        Run directory.
    data, data_dir
        The run's samples, where they are read already, or where data sets lie.
    anew
        Compute the record of a hardware whose record is complete when training ends, too; else it is read.
    """
    directory = RunDirectory.existing(path)
    hardware = hardware_of(directory)
    if hardware.final and not anew and (directory / NAME).is_file():
        record = Record.load(path)
    else:
        model = hardware.load(directory.read_model(hardware.name))
        data = hardware.read_data(model.settings, data_dir) if data is None else data
        record = hardware.record(model, data, directory)
        record.save(directory.path)
    write_html(record.to_json(), directory / PAGE)
    return record
