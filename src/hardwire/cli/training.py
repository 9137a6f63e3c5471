"""What the verbs that train share: what a run begins with, how it ends, and what is said next."""

import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import InputError
from ..core.settings import Settings
from .output import Output
from .progress import NOTHING, watching

if TYPE_CHECKING:
    from ..runs.experiment import Hardware

#: Environment variable with the folder of data sets.
DATA = "HARDWIRE_DATA"
#: What notes that it ran on a logic run, in order.
LOGIC = ("lower", "optimize", "verify")


def check_place(out: str | Path, *, resume: bool, overwrite: bool) -> None:
    """Refuse, before anything is read, to train into a folder that holds a run, unless it is to go on or to go."""
    from ..runs.directory import RunDirectory

    if resume and overwrite:
        raise InputError("--resume goes on with a run and --overwrite removes it; give one of them")
    RunDirectory(out).check_free(resume=resume, overwrite=overwrite)


def check_settings(out: str | Path, settings: Settings) -> None:
    """Refuse, before anything is read, to go on in ``out`` with other settings than those of its run."""
    from ..core.files import read_text
    from ..runs.directory import CONFIG, RunDirectory
    from ..runs.paths import with_absolute_files

    directory = RunDirectory(out)
    if (directory / CONFIG).is_file():
        directory.check_settings(read_text(directory / CONFIG), with_absolute_files(settings))


def own_folder(dataset: str) -> str:
    """Return the absolute path of a folder that is no name of a data set, so that the run can be read from anywhere."""
    from ..data.sources import SOURCES

    return os.path.abspath(dataset) if dataset not in SOURCES and os.path.isdir(dataset) else dataset


def data_folder(data_dir: Path | None) -> Path | None:
    """Return the folder of data sets that a run keeps: the option's, or that of the environment if relative."""
    given = os.environ.get(DATA, "")
    return data_dir or (Path(given) if given and not os.path.isabs(given) else None)


def commands(verbs: Sequence[str], run: str | Path) -> str:
    """Word the next commands on a run, each on a line of its own, as they are typed."""
    return "\n".join(["next:", *(f"  hardwire {verb.format(run=shlex.quote(str(run)))}" for verb in verbs)])


def next_of(run: str | Path) -> str:
    """Word the next command on a logic run: the first verb that has not run, at last ``report``."""
    from ..runs.directory import RunDirectory

    steps = RunDirectory(run).readable_steps()
    return commands([f"{next((verb for verb in LOGIC if verb not in steps), 'report')} {{run}}"], run)


def say_columns(output: Output, data: Any) -> None:
    """Say how the columns of a table were read; of other samples nothing."""
    for line in data.columns.notes() if data.columns else ():
        output.say(line)


def train_and_report(
    output: Output, hardware: "Hardware[Any, Any, Any]", settings: Settings, out: str, *, data_dir: Path | None,
    resume: bool, overwrite: bool = False, names: Mapping[str, str] = NOTHING,
    after: Callable[[Any], None] | None = None,
) -> int:
    """Train into a run directory, or go on with the run in it; answer with its record.

    Parameters
    ----------
    output
        Where the command speaks.
    hardware, settings, out, data_dir, resume, overwrite
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

    check_place(out, resume=resume, overwrite=overwrite)
    if resume:
        check_settings(out, settings)
    data = hardware.data_of(settings, data_dir, begun(RunDirectory(out)) if resume else None)
    say_columns(output, data)
    if resume and RunDirectory(out).finished:
        output.say(f"{out} holds {RunDirectory(out).standing()} already")
    with watching(output, names=names) as listener:
        model = train(hardware, settings, out, data=data, data_dir=data_folder(data_dir), resume=resume,
                      overwrite=overwrite, listen=listener)
    if after is not None:
        after(data)
    record = write_report(hardware, model, data, RunDirectory(out)).to_json()
    output.answer(record, format_text(record, folder=Path(out)))
    output.say(f"the page: {Path(out) / 'report.html'}; `hardwire report {shlex.quote(out)}` shows this again")
    return 0
