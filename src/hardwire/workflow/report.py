"""Report a run of any hardware."""

from pathlib import Path
from typing import Any

from ..core.errors import InputError
from ..report import write_html
from ..report.instrument import Instrument
from ..runs.directory import PATIENCE, RunDirectory
from ..runs.experiment import data_of_run
from ..runs.record import NAME, Record
from .hardwares import AnyHardware, hardware_named

PAGE = "report.html"


def report_run(path: str | Path, *, data_dir: str | Path | None = None, data: str | None = None) -> Record:
    """Gather the run's record, write ``report.json`` and ``report.html``, and return it.

    A record that was complete when training ended is only read, and its page written anew.

    Parameters
    ----------
    path
        Run directory.
    data_dir
        Where data sets lie.
    data
        Name or file of the data, where the run's own have moved.

    Raises
    ------
    InputError
        The data are not those that the run was trained on.
    """
    directory = RunDirectory.existing(path)
    stored = directory.read_model()
    hardware = hardware_named(stored.hardware)
    if hardware.final and (directory / NAME).is_file():
        record = Record.load(path)
        with directory.claim(PATIENCE):
            write_html(record.to_json(), directory / PAGE)
        return record
    samples, differ = data_of_run(hardware, stored, directory, data_dir, data)
    if differ:
        raise InputError(differ)
    return write_report(hardware, hardware.load(stored), samples, directory)


def write_report(hardware: AnyHardware, model: Any, data: Any, directory: RunDirectory) -> Record:
    """Compute the record of a trained model, write it and its page into its run directory, and return it."""
    with directory.claim(PATIENCE):
        record = hardware.record(model, data, directory)
        if known := hardware.fingerprint(data):
            record.fingerprint = known
        record.save(directory.path)
        write_html(record.to_json(), directory / PAGE, _instrument(hardware, model, data, directory))
    return record


def _instrument(hardware: AnyHardware, model: Any, data: Any, directory: RunDirectory) -> Instrument | None:
    """What the page of a logic run carries of its circuit; other hardwares have none."""
    if hardware.name != "logic":
        return None
    from .page import instrument_of_run  # brings torch

    return instrument_of_run(model, data, directory)
