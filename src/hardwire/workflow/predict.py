"""What a trained run says of new samples: class, margin and probability, values in the target's unit, or labels.

A logic run is computed by its circuit, so that torch is not imported.
"""

import csv
import io
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..circuit import Circuit, load_circuit
from ..circuit.circuit import Word
from ..circuit.engine.packed import PackedEngine
from ..core.errors import FormatError, HardwireError, InputError
from ..data import Dataset, load_dataset
from ..data.columns import Columns, load_columns
from ..data.kinds import NumberColumn
from ..data.ranges import InputWord, WordRange, check_ranges
from ..data.samples import Shape, pixel_names
from ..logic.settings import LogicSettings
from ..logic.stored import ModelValues, RegressRecord
from ..runs.calibration import Calibration, fit_calibration, load_calibration
from ..runs.checkpoint import Stored
from ..runs.directory import CALIBRATION, COLUMNS, OPTIMIZED, RAW, RunDirectory, kept_columns
from ..runs.experiment import data_of_run, found_settings
from .circuits import circuit_of, proved_in
from .hardwares import hardware_named
from .unlabelled import Block, Met, blocks

Task = Literal["classify", "regress", "multilabel"]
#: Of a column whose trained range is not known.
_LARGEST = float(np.finfo(np.float64).max)


@dataclass(frozen=True)
class Answers:
    """What a network says of some samples.

    Attributes
    ----------
    classes : array (samples,) of int64
        Of task classify: the decision.
    scores : array (samples, classes) of float64, optional
        What was compared.
    values : array (samples, outputs) of float64
        Of the other tasks: targets in their unit, or labels that are 0 or 1.
    """

    classes: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    scores: NDArray[np.float64] | None = None
    values: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))


@dataclass(frozen=True)
class Predictor:
    """A trained network that answers.

    Attributes
    ----------
    task, names
        What it predicts, and the names of the classes, targets or labels.
    words
        Its input words, one for each feature.
    shape
        Of images.
    columns
        What a table's columns become.
    answer
        Features (samples, features) in the source's units to answers.
    calibration
        Scores to probabilities, where it is known.
    """

    task: Task
    names: tuple[str, ...]
    words: Sequence[InputWord]
    shape: Shape | None
    columns: Columns
    answer: Callable[[NDArray[Any]], Answers]
    calibration: Calibration | None = None


@dataclass
class Predictions:
    """Predictions of all samples, or of a block of them.

    Attributes
    ----------
    task, names
        See ``Predictor``.
    classes : array (samples,) of int64
        Of task classify: index into ``names``.
    margin : array (samples,) of float64
        By how much the largest score exceeds the next: gates of a logic network, outputs of a crossbar, spikes. NaN
        where the network does not tell.
    probability : array (samples,) of float64
        Calibrated probability of the class; NaN where there is no calibration.
    values : array (samples, outputs) of float64
        Of the other tasks.
    files : list of str
        Names of pictures.
    notes : list of str
        What a careful user should know: cells that training did not have, and the like.
    """

    task: Task
    names: tuple[str, ...]
    classes: NDArray[np.int64]
    margin: NDArray[np.float64]
    probability: NDArray[np.float64]
    values: NDArray[np.float64]
    files: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.classes) if self.task == "classify" else len(self.values)

    def __repr__(self) -> str:
        return f"<Predictions of {len(self):,} samples: {self.task}, {', '.join(self.names[:5])}>"

    @property
    def labels(self) -> list[str]:
        """The name of each sample's class."""
        return [self.names[c] for c in self.classes.tolist()]

    def header(self) -> list[str]:
        """Return the names of the columns of ``rows``."""
        own = ["class", "margin", "probability"] if self.task == "classify" else list(self.names)
        return ["row", *["file"] * bool(self.files), *own]

    def rows(self, first: int = 1) -> Iterator[list[str]]:
        """Yield the cells of each sample; the first sample has number ``first``."""
        if self.task == "classify":
            own = zip(self.labels, map(_short, self.margin.tolist()), map(_share, self.probability.tolist()))
            cells = [list(row) for row in own]
        else:
            cells = [list(map(_short, row)) for row in self.values.tolist()]
        for i, row in enumerate(cells):
            yield [str(first + i), *self.files[i : i + 1], *row]

    def to_csv(self) -> str:
        """Return the text of a CSV file."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.header())
        writer.writerows(self.rows())
        return text.getvalue()

    def to_frame(self) -> Any:
        """Return a pandas DataFrame of the same columns, with numbers as numbers and rows from 0 as its index."""
        import pandas

        own = ({"class": self.labels, "margin": self.margin, "probability": self.probability}
               if self.task == "classify" else dict(zip(self.names, self.values.T)))
        return pandas.DataFrame(({"file": self.files} if self.files else {}) | own)


def predict(run: str | os.PathLike[str], source: Any, *, as_is: bool = False,
            data_dir: str | os.PathLike[str] | None = None) -> Predictions:
    """Predict with a trained run.

    Parameters
    ----------
    run
        The run directory of a logic network that was lowered, of a crossbar or of a spiking network.
    source
        A pandas DataFrame, an array (samples, features) or of images, or a path: .csv, .tsv, .parquet, .npz with ``x``,
        .npy, a picture or a folder of pictures. Columns are found by name, in any order.
    as_is
        Take values as they are, also where they look scaled.
    data_dir
        Where data sets lie; only for runs of before that keep no calibration.

    Raises
    ------
    InputError
        A column is absent, the samples look scaled, or the run is not finished.
    """
    predictor, notes = load_predictor(run, data_dir)
    met, right = Met(), Right()
    parts = list(predict_blocks(predictor, source, met, right, as_is=as_is, override="as_is=True"))
    return Predictions(
        predictor.task, predictor.names, classes=np.concatenate([part.classes for part in parts]),
        margin=np.concatenate([part.margin for part in parts]),
        probability=np.concatenate([part.probability for part in parts]),
        values=np.concatenate([part.values for part in parts]), files=[file for part in parts for file in part.files],
        notes=[*notes, *met.lines(predictor.columns), *right.lines()])


@dataclass
class Right:
    """How many predictions were compared with labels in the file and were right; notes about the samples."""

    samples: int = 0
    right: int = 0
    squares: float = 0.0
    task: Task = "classify"
    notes: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Say it."""
        if not self.samples:
            return self.notes
        if self.task == "regress":
            said = f"root mean square error on the {self.samples:,} labels in the file: " \
                   f"{(self.squares / self.samples) ** 0.5:.6g}"
        else:
            said = f"right: {self.right:,} of {self.samples:,} labels in the file, {self.right / self.samples:.2%}"
        return [*self.notes, said]


def predict_blocks(predictor: Predictor, source: Any, met: Met, right: Right, *, as_is: bool = False,
                   override: str = "--as-is") -> Iterator[Predictions]:
    """Yield predictions of samples in blocks; ``met`` and ``right`` take what is to be said of them.

    Raises
    ------
    InputError
        As ``predict``.
    """
    right.task, first = predictor.task, True
    for block in blocks(source, predictor.columns, predictor.shape, len(predictor.words), met):
        if first:
            said = check_ranges(block.x, predictor.words, as_is=as_is, override=override)
            right.notes += [] if predictor.columns.columns else said
        first = False
        made = _predictions(predictor, block)
        _compare(made, block, right)
        yield made


def _predictions(predictor: Predictor, block: Block) -> Predictions:
    answers, n = predictor.answer(block.x), len(block.x)
    margin, probability = np.full(n, np.nan), np.full(n, np.nan)
    if answers.scores is not None:
        rows = np.arange(n)
        best = answers.scores[rows, answers.classes]
        others = answers.scores.copy()
        others[rows, answers.classes] = -np.inf
        margin = best - others.max(axis=1)
        if predictor.calibration is not None:
            probability = predictor.calibration.probabilities(answers.scores)[rows, answers.classes]
    return Predictions(predictor.task, predictor.names, answers.classes, margin, probability, answers.values,
                       block.files)


def _compare(made: Predictions, block: Block, right: Right) -> None:
    """Count right predictions where the block has labels."""
    if not block.labels:
        return
    if made.task == "classify":
        known = [(label, own) for label, own in zip(block.labels[0], made.labels) if label in made.names]
        right.samples += len(known)
        right.right += sum(label == own for label, own in known)
        return
    try:
        truth = np.array(block.labels, dtype=np.float64).T
    except ValueError:  # cells without a value
        return
    if truth.shape != made.values.shape or not np.isfinite(truth).all():
        return
    right.samples += truth.size
    right.right += int((truth == made.values).sum())
    right.squares += float(((truth - made.values) ** 2).sum())


def load_predictor(run: str | os.PathLike[str],
                   data_dir: str | os.PathLike[str] | None = None) -> tuple[Predictor, list[str]]:
    """Return the network of a run, and what is to be said of it.

    Raises
    ------
    InputError
        There is no finished run, or it was not lowered.
    """
    directory = RunDirectory.existing(os.fspath(run))
    stored = directory.read_model()
    made = _MAKERS[stored.hardware](directory, stored)
    columns = _columns_of(directory, stored, made)
    if columns.columns and len(columns.features) != len(made.words):
        raise FormatError(f"{directory / COLUMNS} has {len(columns.features)} features for a network of "
                          f"{len(made.words)}; restore it, or train the network anew")
    made = _with(made, columns=columns)
    if made.task != "classify":
        return made, []
    calibration, said = _calibration_of(directory, stored, made, data_dir)
    return _with(made, calibration=calibration), [said]


def _with(predictor: Predictor, **changes: Any) -> Predictor:
    return Predictor(**{**vars(predictor), **changes})


def _columns_of(directory: RunDirectory, stored: Stored, made: Predictor) -> Columns:
    """The run's columns; of a run that keeps none, those of its table where that is found, else a number a feature."""
    if (directory / COLUMNS).is_file():
        return load_columns(directory / COLUMNS)
    if stored.hardware == "logic" and (columns := _columns_of_table(directory, stored)) is not None:
        return columns
    return Columns(columns=[NumberColumn(name=word.name, low=-_LARGEST, high=_LARGEST) for word in made.words])


def _columns_of_table(directory: RunDirectory, stored: Stored) -> Columns | None:
    """The columns of the table that a run without ``columns.json`` was trained on; None where it is not found."""
    try:
        settings = found_settings(LogicSettings, stored, directory)
        is_table = Path(settings.dataset).suffix.lower() in (".csv", ".tsv") and Path(settings.dataset).is_file()
        return _data(settings, directory, None).columns if is_table else None
    except HardwireError:  # of another version, or the table has changed
        return None


def _data(settings: LogicSettings, directory: RunDirectory, data_dir: str | os.PathLike[str] | None) -> Dataset:
    return load_dataset(settings.dataset, seed=settings.seed, data_dir=data_dir, label=settings.label or None,
                        task=settings.task, download=False, **kept_columns(directory))


def _calibration_of(directory: RunDirectory, stored: Stored, made: Predictor,
                    data_dir: str | os.PathLike[str] | None) -> tuple[Calibration | None, str]:
    """The run's calibration; of a run that keeps none, it is fitted on its validation samples where these are found."""
    calibration = load_calibration(directory)
    if calibration is None:
        try:
            x, y = _validation(directory, stored, data_dir)
            scores = made.answer(x).scores if len(y) else None
            if scores is None:
                raise InputError("the network tells no scores, or there are no validation samples")
            calibration = fit_calibration(scores, y)
            directory.keep({CALIBRATION: calibration.text()})
        except HardwireError as error:
            return None, f"no probabilities: {directory.path} keeps no {CALIBRATION}, and {error}"
    return calibration, (f"probabilities are calibrated on {calibration.samples:,} validation samples; expected "
                         f"calibration error {calibration.expected_calibration_error:.2%}")


def _validation(directory: RunDirectory, stored: Stored,
                data_dir: str | os.PathLike[str] | None) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Samples and classes of the validation split, in the source's units."""
    if stored.hardware == "logic":
        data = _data(found_settings(LogicSettings, stored, directory), directory, data_dir)
        return data.validation.x, data.validation.y
    if stored.hardware == "crossbar":
        raise InputError("a crossbar keeps it when it is trained with a validation split")
    data, differ = data_of_run(hardware_named(stored.hardware), stored, directory,
                               None if data_dir is None else Path(data_dir))
    if differ:
        raise InputError(differ)
    return data.validation.x, data.validation.y


def _logic(directory: RunDirectory, stored: Stored) -> Predictor:
    values = ModelValues.of(stored.values, str(directory.path))
    circuit = circuit_of(directory.path)
    if values.head is None:
        raise FormatError(f"{directory.path} has no head, so that its outputs are not known; train the network anew")
    task: Task = values.head.task
    shape = values.dataset.shape
    answer = _classifier(directory, circuit) if task == "classify" else _valuer(circuit, values)
    return Predictor(task, tuple(values.dataset.classes), circuit.inputs,
                     (shape[0], shape[1], shape[2]) if shape else None, Columns(), answer)


def _classifier(directory: RunDirectory, circuit: Circuit) -> Callable[[NDArray[Any]], Answers]:
    counting = with_scores(circuit)
    inexact = "inexact" in directory.steps().get("optimize", {}) and (directory / OPTIMIZED).is_file()
    if counting is None and (directory / RAW).is_file() and not inexact:
        raw = proved_in(directory, load_circuit(directory / RAW), directory / RAW)
        counting = with_scores(raw)
    engine = PackedEngine(circuit if counting is None else counting)

    def answer(x: NDArray[Any]) -> Answers:
        words = engine(engine.circuit.codes(x.astype(np.float64)))
        scores = None if counting is None else words[:, 1:].astype(np.float64)
        return Answers(classes=words[:, 0].astype(np.int64), scores=scores)

    return answer


def with_scores(circuit: Circuit) -> Circuit | None:
    """Return the circuit with its class index and, after it, the words that its arg-max compares; None without one."""
    _, nets = circuit.output_words()[0]
    found = next((m for m in circuit.macros if m.kind == "argmax" and list(m.outputs) == nets), None)
    if found is None or len(circuit.outputs) != 1 or len(found.inputs) % found.value:
        return None
    width = len(found.inputs) // found.value
    words = tuple(Word(f"score{i}", width) for i in range(found.value))
    return circuit.with_(outputs=(*circuit.outputs, *words),
                         output_nets=np.array([*nets, *found.inputs], dtype=circuit.output_nets.dtype))


def _valuer(circuit: Circuit, values: ModelValues) -> Callable[[NDArray[Any]], Answers]:
    engine, head = PackedEngine(circuit), values.head
    bias, scale = (np.array(head.bias), np.array(head.scale)) if isinstance(head, RegressRecord) else (0.0, 1.0)

    def answer(x: NDArray[Any]) -> Answers:
        return Answers(values=np.asarray(bias + scale * engine(circuit.codes(x.astype(np.float64)))))

    return answer


def _crossbar(directory: RunDirectory, stored: Stored) -> Predictor:
    model = hardware_named("crossbar").load(stored)
    if not model.largest or not model.names:
        why = "reads features of images, which are not computed here" if model.names else "is of an earlier version"
        raise InputError(f"{directory.path} {why}; train on images or a table anew to predict with it")
    shape = model.shape or None
    features = int(np.prod(shape)) if shape else int(stored.values["inputs"])

    def answer(x: NDArray[Any]) -> Answers:
        scores = np.asarray(model.scores(x), dtype=np.float64)
        return Answers(classes=scores.argmax(axis=1), scores=scores)

    words = _words(shape, features, 0.0, model.largest)
    return Predictor("classify", tuple(model.names), words, shape, Columns(), answer)


def _spiking(directory: RunDirectory, stored: Stored) -> Predictor:
    model = hardware_named("spiking").load(stored)
    shape = tuple(model.dataset["shape"]) if model.dataset["shape"] else None
    columns = load_columns(directory / COLUMNS) if (directory / COLUMNS).is_file() else None
    least = int(model.encoder.pixels.max()) + 1
    features = int(np.prod(shape)) if shape else len(columns.features) if columns and columns.columns else least
    low, high = model.encoder.low, model.encoder.high

    def answer(x: NDArray[Any]) -> Answers:
        scores = model.readout.scores(model.respond(x))
        return Answers(classes=scores.argmax(axis=1), scores=scores)

    words = _words(shape, features, float(low), float(high))
    return Predictor("classify", tuple(model.dataset["classes"]), words, shape, Columns(), answer)


def _words(shape: Shape | None, features: int, low: float, high: float) -> list[WordRange]:
    """An input word for each feature: whole numbers from 0 to ``high`` where that is one, else 255 steps."""
    names = pixel_names(shape) if shape else [f"x{i}" for i in range(features)]
    whole = low == 0 and high.is_integer() and 1 <= high < 1 << 16
    width, step = (int(high).bit_length(), 1.0) if whole else (8, (high - low) / 255 or 1.0)
    return [WordRange(name, width, low, step) for name in names]


_MAKERS: dict[str, Callable[[RunDirectory, Stored], Predictor]] = {
    "logic": _logic, "crossbar": _crossbar, "spiking": _spiking}


def _short(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.9g}"


def _share(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.4f}"
