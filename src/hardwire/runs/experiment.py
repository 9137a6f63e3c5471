"""The protocol of a hardware, and the one training shell, which moves any training and keeps it on disk."""

import math
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar, cast

from ..core.errors import FormatError, InputError
from ..core.settings import Settings
from .checkpoint import Stored, Tensors
from .directory import CHECKPOINT, MODEL, RunDirectory
from .fingerprint import Fingerprint, check_data, other_data
from .paths import DATA_DIR, is_path, relative_files, with_absolute_files, with_found_files
from .progress import Listener, Progress
from .record import Metric, Record
from .values import Standing

#: Seconds between checkpoints, and between events without figures.
CHECKPOINT_SECONDS, EVENT_SECONDS = 20.0, 0.5

#: What is told before the first unit is done, which takes longest where this machine has no compiled kernels yet.
BUILDING, FIRST_STEP = "building the network", "the first step, which may compile kernels"

Figures = dict[str, float | int | str]
Answer = TypeVar("Answer")
SettingsT = TypeVar("SettingsT", bound=Settings)
DataT = TypeVar("DataT")
ModelT = TypeVar("ModelT")


class Training(ABC):
    """One training of one hardware, at a position; the shell moves it.

    Attributes
    ----------
    unit
        What ``position`` and ``total`` count.
    position, total
        Units done, and in all; the shell sets the position of a checkpoint.
    group
        The processes that train together.
    """

    unit: ClassVar[str]
    position: int = 0
    total: int
    group: "Group"

    def __enter__(self) -> Self:
        """Begin; a training whose processes work together joins them here and sets ``group``."""
        self.group = Alone()
        return self

    def __exit__(self, *reason: object) -> None:  # noqa: B027
        """End, by an error too."""

    def prepare(self) -> None:  # noqa: B027
        """Compile the kernels that training will run, before its clock starts; nothing that is trained changes."""

    @abstractmethod
    def advance(self) -> Figures | None:
        """Train on for one or a few units; return the figures of an evaluation where one fell due."""

    @abstractmethod
    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """Return everything, beside the position, that a checkpoint must hold: tensors, and JSON values."""

    @abstractmethod
    def restore(self, tensors: Tensors, values: Mapping[str, Any]) -> None:
        """Go on from what ``state`` gave; FormatError where it does not fit."""

    @abstractmethod
    def finish(self) -> tuple[Tensors, dict[str, Any]]:
        """Return what the finished model must hold: tensors, and JSON values."""

    def fingerprint(self) -> Fingerprint:
        """Return the fingerprint of the data, which a run is resumed with; by default data are not compared."""
        return {}

    def texts(self) -> Mapping[str, str]:
        """Return what is kept beside the checkpoint from the beginning, by name of file: how the data were read."""
        return {}

    def calibration(self) -> Mapping[str, str]:
        """Return what is kept beside the finished model, by name of file; called after ``finish``."""
        return {}


class Group(Protocol):
    """Processes that train together; the first one writes."""

    @property
    def first(self) -> bool:
        """Whether this is the process that writes."""

    def on_first(self, function: Callable[[], Answer]) -> Answer:
        """Return on every process what ``function`` returns on the first."""


class Alone:
    """A process that trains alone."""

    first = True

    def on_first(self, function: Callable[[], Answer]) -> Answer:
        """Return what ``function`` returns."""
        return function()


def not_swept(of: object) -> Any:
    """Refuse a sweep: the default of what a row needs for one."""
    raise InputError("this hardware names no objectives to search by; give its row preset, objectives and cost")


def no_fingerprint(data: object) -> Fingerprint:
    """Return nothing to compare data by: the default of a row."""
    return {}


def accuracy_alone(settings: Mapping[str, Any]) -> Metric:
    """Return the figure of merit of a hardware that only classifies."""
    return "accuracy"


@dataclass(frozen=True)
class Hardware(Generic[SettingsT, DataT, ModelT]):
    """Everything that the shell, the reports and the command line need of one hardware: a row.

    Attributes
    ----------
    name
        As in ``report.json``.
    settings
        Class of its settings.
    read_data
        Settings and the folder of data sets to the samples.
    training
        Settings and samples to a training at its beginning.
    load
        A finished model.
    record
        Model, samples and directory to the record.
    fingerprint
        Samples to their fingerprint, as the training gives it.
    final
        Whether the record is complete when training ends; a logic run is lowered, optimised and verified first.
    preset
        Settings of a data set by name. This one and the next ones are for sweeps; without them a sweep is refused.
    objectives
        A finished model to its figure of merit on the validation split, to be high, and its cost, to be low; InputError
        where it has none, for example without a validation split. The test split is not touched.
    cost
        What the cost counts, the unit first: "gates of the network as trained".
    metric
        Values of settings to what the figure of merit is.
    data_settings
        Names of the settings that ``read_data`` depends on; runs that agree in them share their samples. Empty: all.
    read_again
        As ``read_data``, by what a run keeps of how it read its data; by default ``read_data``.
    """

    name: str
    settings: type[SettingsT]
    read_data: Callable[[SettingsT, str | Path | None], DataT]
    training: Callable[[SettingsT, DataT], Training]
    load: Callable[[Stored], ModelT]
    record: Callable[[ModelT, DataT, RunDirectory], Record]
    fingerprint: Callable[[DataT], Fingerprint] = no_fingerprint
    final: bool = True
    preset: Callable[[str], SettingsT] = not_swept
    objectives: Callable[[ModelT], tuple[float, float]] = not_swept
    cost: str = ""
    metric: Callable[[Mapping[str, Any]], Metric] = accuracy_alone
    data_settings: tuple[str, ...] = ()
    read_again: Callable[[SettingsT, str | Path | None, RunDirectory], DataT] | None = None

    def data_of(self, settings: SettingsT, data_dir: str | Path | None, run: RunDirectory | None) -> DataT:
        """Return the samples of the settings, those of ``run``, where there is one, as it read them."""
        if run is None or self.read_again is None:
            return self.read_data(settings, data_dir)
        return self.read_again(settings, data_dir, run)


@dataclass
class Outcome:
    """What a training ended with; ``stored`` is the model, ``metrics`` the evaluations, ``seconds`` training's time."""

    stored: Stored
    metrics: list[Figures]
    seconds: float


def outcome_of(stored: Stored) -> Outcome:
    """Return what a finished run ended with, from its model."""
    run = Standing.of(stored.values, "the model").run
    return Outcome(stored, cast(list[Figures], run.metrics), run.seconds)


def run(
    hardware: str, settings: Settings, training: Training, *, out: str | Path | None = None, resume: bool = False,
    overwrite: bool = False, data_dir: str | Path | None = None, listen: Listener | None = None,
    checkpoint_seconds: float | None = None,
) -> Outcome:
    """Move ``training`` from where it stands to its end.

    Parameters
    ----------
    hardware, settings
        Written into the checkpoints, and compared when a run is resumed.
    training
        At its beginning.
    out
        Run directory; without it nothing is written.
    resume
        Go on from the checkpoint in ``out``: the model becomes that of a run that was never stopped. A finished run is
        only read.
    overwrite
        Begin anew where ``out`` holds a run, whose files are removed.
    data_dir
        Where the data sets lie; a later report looks there.
    listen
        Called with events.
    checkpoint_seconds
        Time between checkpoints; by default CHECKPOINT_SECONDS.
    """
    if out is None and resume:
        raise InputError("resume needs a run directory; give out")
    if resume and overwrite:
        raise InputError("--resume goes on with a run and --overwrite removes it; give one of them")
    every = CHECKPOINT_SECONDS if checkpoint_seconds is None else checkpoint_seconds
    directory = None if out is None else RunDirectory(out)
    settings = settings if out is None else with_absolute_files(settings)
    with ExitStack() as stack:
        stack.enter_context(training)
        shell = _Shell(hardware, settings, training, directory, listen, every, stack, data_dir)
        return shell.run(resume, overwrite)


def train(
    hardware: Hardware[SettingsT, DataT, ModelT], settings: SettingsT, out: str | Path, *, data: DataT | None = None,
    data_dir: Path | None = None, resume: bool = False, overwrite: bool = False, listen: Listener | None = None,
) -> ModelT:
    """Train ``settings`` on ``hardware`` into run directory ``out``; a finished run that is resumed is only loaded."""
    directory = RunDirectory(out)
    if resume and directory.finished:  # no samples are needed
        stored = directory.read_finished(hardware.name, settings)
        if data is not None:
            check_data(stored.values.get("fingerprint", {}), hardware.fingerprint(data), str(out))
        return hardware.load(stored)
    if data is None:
        data = hardware.data_of(settings, data_dir, begun(directory) if resume else None)
    if listen is not None:
        listen(Progress(0, 1, "", 0.0, 0.0, doing=BUILDING))
    outcome = run(hardware.name, settings, hardware.training(settings, data), out=out, resume=resume,
                  overwrite=overwrite, data_dir=data_dir, listen=listen)
    return hardware.load(outcome.stored)


def found_settings(settings: type[SettingsT], stored: Stored, directory: RunDirectory) -> SettingsT:
    """Return the settings of a run, its files where they lie now."""
    relative = stored.values.get("run", {}).get("files", {})
    return with_found_files(settings.from_toml(stored.settings), relative, directory.path)


def found_data_dir(stored: Stored, directory: RunDirectory) -> Path | None:
    """Return the folder of data sets that a run was trained with, where it lies now; None where it is gone."""
    run = stored.values.get("run", {})
    places = Path(run.get(DATA_DIR, "")), directory / run.get("files", {}).get(DATA_DIR, "")
    return next((place for place in places if DATA_DIR in run and place.is_dir()), None)


def begun(directory: RunDirectory) -> RunDirectory | None:
    """Return the directory where a run was begun in it, by whose columns a table is then read."""
    return directory if any((directory / name).exists() for name in (CHECKPOINT, MODEL)) else None


def data_of_run(hardware: Hardware[SettingsT, DataT, ModelT], stored: Stored, directory: RunDirectory,
                data_dir: str | Path | None = None, dataset: str | None = None) -> tuple[DataT, str]:
    """Return the samples of the run whose model is ``stored``, and why they are not those that it was trained on.

    The sentence is empty where they are.

    Parameters
    ----------
    hardware, stored, directory
        The run.
    data_dir
        Where data sets lie; by default where they lay in training.
    dataset
        Name or file of the data, by default the run's own.
    """
    settings = found_settings(hardware.settings, stored, directory)
    if dataset is not None:
        settings = settings.changed(dataset=dataset)
    given = getattr(settings, "dataset", "")
    if is_path(given) and not os.path.exists(given):
        raise InputError(f"{directory.path} was trained on {given}, which does not exist; give the file where it lies "
                         "now with `--data`" if dataset is None else f"file {given} does not exist; check the path")
    data = hardware.data_of(settings, data_dir or found_data_dir(stored, directory), directory)
    return data, other_data(stored.values.get("fingerprint", {}), hardware.fingerprint(data), str(directory.path))


@dataclass
class _Shell:
    """One call of ``run``."""

    hardware: str
    settings: Settings
    training: Training
    directory: RunDirectory | None
    listen: Listener | None
    checkpoint_seconds: float
    stack: ExitStack
    data_dir: str | Path | None = None
    metrics: list[Figures] = field(default_factory=list)
    seconds: float = 0.0
    compile_s: float = 0.0
    fingerprint: Fingerprint = field(default_factory=dict)

    def run(self, resume: bool, overwrite: bool) -> Outcome:
        writes = self.directory is not None and self.training.group.first
        if self.directory is not None:
            stored, finished = self.training.group.on_first(lambda: self._open(resume, overwrite))
            if stored is not None and finished:
                return outcome_of(stored)
            self._restore(stored)
        try:
            return self._train(writes)
        except KeyboardInterrupt:
            if writes:
                self._directory.leave()
            raise

    def _train(self, writes: bool) -> Outcome:
        training = self.training
        if training.position < training.total:
            began = time.perf_counter()
            training.prepare()
            self.compile_s += time.perf_counter() - began
        self._tell_first()
        started = saved = told = time.perf_counter()
        before, first = self.seconds, training.position
        while training.position < training.total:
            figures = training.advance()
            now = time.perf_counter()
            self.seconds = before + now - started
            if figures is not None:
                self._note(figures)
            if figures is not None or now - told > EVENT_SECONDS:
                self._tell(figures, (now - started) / max(1, training.position - first))
                told = now
            if writes and now - saved > self.checkpoint_seconds:
                self._directory.write_checkpoint(self._stored(*training.state()))
                saved = time.perf_counter()
        stored = self._stored(*training.finish())
        if self.directory is not None:  # no process ends before the model is there
            self.training.group.on_first(lambda: self._finish(stored))
        return Outcome(stored, self.metrics, self.seconds)

    @property
    def _directory(self) -> RunDirectory:
        if self.directory is None:
            raise InputError("this run has no directory; give out")
        return self.directory

    def _open(self, resume: bool, overwrite: bool) -> tuple[Stored | None, bool]:
        self.stack.enter_context(self._directory.claim())
        stored = self._directory.open(self.hardware, self.settings, resume=resume, overwrite=overwrite)
        self.fingerprint = self.training.fingerprint()
        if stored is not None:
            check_data(stored.values.get("fingerprint", {}), self.fingerprint, str(self._directory.path))
        if not self._directory.finished:
            self._directory.keep(self.training.texts())
        return stored, self._directory.finished

    def _finish(self, stored: Stored) -> None:
        self._directory.write_metrics(self.metrics)
        self._directory.keep(self.training.calibration())
        self._directory.write_model(stored)

    def _stored(self, tensors: Tensors, values: dict[str, Any]) -> Stored:
        run = {"position": self.training.position, "total": self.training.total, "unit": self.training.unit,
               "seconds": self.seconds, "compile_s": self.compile_s, "metrics": self.metrics}
        if self.directory is not None and (files := relative_files(self.settings, self.directory.path, self.data_dir)):
            run["files"] = files
        if self.data_dir is not None:
            run[DATA_DIR] = os.path.abspath(self.data_dir)
        known = {"fingerprint": self.fingerprint} if self.fingerprint else {}
        return Stored(self.hardware, self.settings.to_toml(), tensors, values | known | {"run": run})

    def _restore(self, stored: Stored | None) -> None:
        if stored is None:
            return
        try:
            run = Standing.of(stored.values, "the checkpoint").run
            self.training.position, self.seconds, self.compile_s = run.position, run.seconds, run.compile_s
            self.metrics = cast(list[Figures], run.metrics)
            self.training.restore(stored.tensors, stored.values)
        except (KeyError, TypeError, ValueError) as error:
            raise FormatError(f"the checkpoint lacks or garbles {error}; train the network anew") from None
        if self.training.position > self.training.total:
            raise FormatError(f"the checkpoint is at {self.training.unit} {self.training.position} of "
                              f"{self.training.total}; train the network anew")

    def _note(self, figures: Figures) -> None:
        figures.setdefault("seconds", round(self.seconds, 3))
        loss = figures.get("loss", 0.0)
        if isinstance(loss, float) and not math.isfinite(loss):
            position = f"{self.training.unit} {self.training.position}"
            raise InputError(f"the loss is {loss} at {position}; lower learning_rate")
        self.metrics.append(figures)
        if self.directory is not None and self.training.group.first:
            self.directory.write_metrics(self.metrics, durable=False)

    def _tell_first(self) -> None:
        training = self.training
        if self.listen is not None and training.group.first and training.position < training.total:
            self.listen(Progress(training.position, training.total, training.unit, self.seconds, 0.0, doing=FIRST_STEP))

    def _tell(self, figures: Figures | None, pace: float) -> None:
        if self.listen is not None and self.training.group.first:
            training = self.training
            left = pace * (training.total - training.position)
            self.listen(Progress(training.position, training.total, training.unit, self.seconds, left, figures))
