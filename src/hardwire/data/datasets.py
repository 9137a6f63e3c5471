"""Data sets: a name or a file to training, validation and test splits."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core.cards import card, short
from ..core.errors import InputError
from ..core.names import trouble_of
from .archives import read_npz, samples_of_arrays
from .columns import Columns, load_columns
from .folders import read_folder
from .labels import Label, integer_names
from .samples import REGRESS, TASKS, Samples, Shape, Task
from .sources import SOURCES, read_source
from .tables import TrainingRows, read_frame, read_table

#: Suffixes of a user's own files.
TABLES, ARCHIVE = (".csv", ".tsv", ".parquet"), ".npz"
#: The squares of larger targets leave float64.
LARGEST_TARGET = 1e150


@dataclass(frozen=True)
class Split:
    """Some of the samples.

    Attributes
    ----------
    x : array (samples, features) of uint8, int64 or float64
    y : array (samples,) of int64, or (samples, outputs) of float64
        Indices into the classes; or targets, or labels that are 0 or 1.
    rows : array (samples,) of int64, optional
        Each sample's place in the order of the source that it was cut from, where that is known.
    """

    x: NDArray[Any]
    y: NDArray[Any]
    rows: NDArray[np.int64] | None = None

    def __repr__(self) -> str:
        return f"<Split of {len(self.y)} samples: x {_size(self.x)}, y {_size(self.y)}>"


@dataclass(frozen=True)
class Dataset:
    """Samples in three splits that share none.

    Attributes
    ----------
    classes : tuple of str
        Name of each class, target or label.
    features : tuple of str
        Name of each feature, a unique identifier.
    shape : (channels, height, width), optional
        In whose order ``x`` is flattened, where the samples are images.
    source : str
        Where it comes from, one line.
    columns : Columns, optional
        What the columns of a table, or pictures, became.
    """

    name: str
    train: Split
    validation: Split
    test: Split
    classes: tuple[str, ...]
    features: tuple[str, ...]
    shape: Shape | None
    source: str
    columns: Columns | None = None

    def __post_init__(self) -> None:
        for what, text in (("the data set's name", self.name), *(("class", name) for name in self.classes)):
            if trouble := trouble_of(text):
                raise InputError(f"{what} {str(text)[:40]!r} {trouble}")
        columns = next((s.x.shape[1] for s in (self.train, self.validation, self.test) if s.x.ndim == 2), None)
        if columns is not None and columns != len(self.features):
            raise InputError(f"the data set {self.name!r} has {len(self.features)} names for {columns} columns; give "
                             f"one for each")

    @classmethod
    def from_arrays(  # noqa: PLR0913 - options, by name
        cls, x: ArrayLike, y: ArrayLike, *, x_test: ArrayLike | None = None, y_test: ArrayLike | None = None,
        classes: Sequence[str] = (), features: Sequence[str] = (), name: str = "arrays", task: Task = "classify",
        seed: int = 0, validation: float = 0.1, test: float = 0.2,
    ) -> "Dataset":
        """Split arrays as ``load_dataset`` splits an archive of them.

        Parameters
        ----------
        x : array (samples, ...)
            Features, or images (n, h, w), (n, c, h, w) or (n, h, w, c), whose shape is kept.
        y : array (samples,) or (samples, outputs)
            Integers or texts; of task ``regress`` numbers, of ``multilabel`` 0 and 1.
        x_test, y_test : array, optional
            The test split; by default a share ``test`` of each class.
        classes : sequence of str
            Names of the classes 0, 1, ..., or of the outputs.
        features : sequence of str
            Names of the features.
        name : str
            Of the data set.
        task, seed, validation, test
            See ``load_dataset``.

        Raises
        ------
        InputError
            An array or an option cannot be used.
        """
        _check_options(seed, validation, test, task)
        given = {"x": x, "y": y, "x_test": x_test, "y_test": y_test, "classes": list(map(str, classes)) or None}
        arrays = {key: _array(key, value) for key, value in given.items() if value is not None}
        samples = samples_of_arrays(name, arrays, task=task, source="arrays", features=features)
        return split_samples(name, samples, seed=int(seed), validation=validation, test=test)

    @classmethod
    def from_frame(cls, frame: Any, *, label: Label = None, name: str = "frame", task: Task = "classify", seed: int = 0,
                   validation: float = 0.1, test: float = 0.2) -> "Dataset":
        """Split a pandas DataFrame as ``load_dataset`` splits a table; its index is left out.

        Parameters
        ----------
        frame : DataFrame
            Numbers, texts, dates, booleans and categories; ordered categories become ranks.
        label : str, int or list, optional
            The label column, by default the last one.
        name : str
            Of the data set.
        task, seed, validation, test
            See ``load_dataset``.

        Raises
        ------
        InputError
            A column or an option cannot be used.
        """
        _check_options(seed, validation, test, task)
        rows = _training_rows(int(seed), validation, test)
        samples = read_frame(frame, label=label, task=task, training=rows)
        return split_samples(name, samples, seed=int(seed), validation=validation, test=test)

    def __repr__(self) -> str:
        return (f"<Dataset {self.name!r}: {self._sizes()} samples, {len(self.features)} features, "
                f"{len(self.classes)} {self._kind()}>")

    def _repr_html_(self) -> str:
        rows = [("samples", self._sizes()), ("features", f"{len(self.features):,}: {short(self.features, 8)}"),
                (self._kind(), f"{len(self.classes):,}: {short(self.classes)}"), ("source", self.source)]
        if self.shape is not None:
            rows.insert(1, ("image", " x ".join(map(str, self.shape))))
        return card(f"Dataset {self.name}", rows)

    def _sizes(self) -> str:
        return f"{len(self.train.y):,} training, {len(self.validation.y):,} validation, {len(self.test.y):,} test"

    def _kind(self) -> str:
        return "classes" if self.train.y.ndim == 1 and self.train.y.dtype.kind == "i" else "outputs"


def _size(array: NDArray[Any]) -> str:
    return f"{array.shape} {array.dtype}"


def load_dataset(
    name_or_path: str | os.PathLike[str], *, seed: SupportsIndex = 0, data_dir: str | os.PathLike[str] | None = None,
    validation: float = 0.1, test: float = 0.2, label: Label = None, download: bool = True, task: Task = "classify",
    columns: Columns | str | os.PathLike[str] | None = None, plain: bool = False,
) -> Dataset:
    """Load a named source, a file or a folder and split it, every class alike; targets and labels at random.

    Parameters
    ----------
    name_or_path : str or path
        A name in ``SOURCES``; a table (.csv, .tsv, .parquet), an archive (.npz), or a folder of pictures by class.
    seed : int
        The splits depend on it and on the samples only.
    data_dir : path, optional
        Folder where a named source's files are looked for first; then ``$HARDWIRE_DATA``, then the user's cache.
    validation : float
        Share for the validation split of what the test split leaves.
    test : float
        Share of each class's samples for the test split, where the source fixes none itself.
    label : str, int or list, optional
        Of a table: name or number of the label column, by default the last one; several of ``regress`` and
        ``multilabel`` as a list or with commas between them.
    download : bool
        Fetch a named source's files when they are nowhere; else that is an error.
    task : str
        ``classify``; ``regress``, to predict numbers; ``multilabel``, to predict several labels that are 0 or 1.
    columns : Columns or path, optional
        What the columns of a table became, as a run keeps it, in place of fitting them to the training split.
    plain : bool
        Read a table as runs of before did, which kept no columns: see ``fit_columns``.

    Raises
    ------
    InputError
        Where the name, an option or the samples cannot be used.
    FormatError
        Where a file is damaged.
    """
    _check_options(seed, validation, test, task)
    rows = None if plain else _training_rows(int(seed), validation, test)
    name, samples = _read(name_or_path, label, data_dir, download, task, columns, rows)
    return split_samples(name, samples, seed=int(seed), validation=validation, test=test)


def split_samples(name: str, samples: Samples, *, seed: int, validation: float, test: float) -> Dataset:
    """Cut samples into a Dataset: in each class at least one sample for each split, all in a random order.

    Samples with targets or labels are all of one class. Arguments are those of ``load_dataset``.

    Raises
    ------
    InputError
        Where a class has too few samples, or an output has one value only.
    """
    (_check_classes if samples.y.ndim == 1 else _check_targets)(name, samples)
    rest, chosen, validated = _rows(samples.y, samples.test is not None, seed, validation, test)
    tested = Split(*samples.test) if samples.test is not None else Split(samples.x[chosen], samples.y[chosen], chosen)
    trained, held = (Split(samples.x[rows], samples.y[rows], rows) for rows in (rest, validated))
    return Dataset(name, trained, held, tested, samples.classes, samples.features, samples.shape, samples.source,
                   samples.columns)


Rows = NDArray[np.int64]


def _rows(y: NDArray[Any], tested: bool, seed: int, validation: float, test: float) -> tuple[Rows, Rows, Rows]:
    """The samples of the training, test and validation splits; none for test where the source has one (``tested``)."""
    groups = y if y.ndim == 1 else np.zeros(len(y), dtype=np.int64)
    rng = np.random.default_rng(seed)
    rest, chosen = np.arange(len(y)), np.arange(0)
    if not tested:
        rest, chosen = _cut(groups, rest, test, rng, keep=2)
    trained, validated = _cut(groups, rest, validation, rng, keep=1)
    return trained, chosen, validated


def _training_rows(seed: int, validation: float, test: float) -> TrainingRows:
    """Return what tells the training samples of a table by its labels; all where it has too few to be split."""

    def rows(y: NDArray[Any]) -> Rows:
        few = len(y) < 3 or (y.ndim == 1 and np.bincount(y).min() < 3)
        return np.arange(len(y)) if few else _rows(y, False, seed, validation, test)[0]

    return rows


def _array(name: str, values: ArrayLike) -> NDArray[Any]:
    """An array of plain values; texts of any kind become NumPy's."""
    array: NDArray[Any] = np.asarray(values)
    if array.dtype.kind == "O" and all(isinstance(value, str) for value in array.reshape(-1)):
        array = array.astype(np.str_)
    if array.dtype.kind not in "biufU":
        raise InputError(f"{name} has type {array.dtype}; give numbers" + " or texts" * (name in ("y", "y_test")))
    return array


def _cut(
    y: NDArray[np.int64], rows: NDArray[np.int64], share: float, rng: np.random.Generator, *, keep: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """``rows`` without and with a random ``share`` of each class: one sample or more, and ``keep`` or more stay."""
    rows = rng.permutation(rows)
    labels, chosen = y[rows], np.zeros(len(rows), dtype=bool)
    for c, take in enumerate(_quotas(np.bincount(labels), share, keep)):
        chosen[np.flatnonzero(labels == c)[:take]] = True
    return rows[~chosen], rows[chosen]


def _quotas(count: NDArray[np.int64], share: float, keep: int) -> NDArray[np.int64]:
    """Samples to take of each class; rounded by the largest remainders, so that their sum is ``share`` of all."""
    exact = share * count
    take = np.floor(exact).astype(np.int64)
    left = max(0, round(share * int(count.sum())) - int(take.sum()))
    take[np.argsort(take - exact, kind="stable")[:left]] += 1
    return np.asarray(np.clip(take, 1, count - keep), dtype=np.int64)


def _read(
    name_or_path: str | os.PathLike[str], label: Label, data_dir: str | os.PathLike[str] | None, download: bool,
    task: Task, columns: Columns | str | os.PathLike[str] | None, training: TrainingRows | None,
) -> tuple[str, Samples]:
    known = str(name_or_path)
    if known in SOURCES:
        if task != "classify":
            raise InputError(f"data set {known!r} has classes; leave task {task!r} out, or give a table of your own")
        if label is not None:
            raise InputError(f"data set {known!r} has its own labels; leave the label column {label!r} out")
        return known, read_source(known, data_dir=data_dir, download=download)
    path = Path(name_or_path)
    suffix = path.suffix.lower()
    folder = bool(known) and path.is_dir()
    if suffix not in (*TABLES, ARCHIVE) and not folder:
        what = "is neither .csv, .tsv, .parquet nor .npz" if not known or path.exists() else "is unknown"
        raise InputError(f"data set {known!r} {what}; choose from {', '.join(SOURCES)}, or give a path to a .csv, "
                         f".tsv, .parquet or .npz file, or to a folder of pictures by class")
    if not folder and not path.is_file():
        raise InputError(f"file {known} does not exist; check the path")
    kept = columns if columns is None or isinstance(columns, Columns) else load_columns(columns)
    if suffix in TABLES and not folder:
        return path.stem, read_table(path, label=label, task=task, columns=kept, training=training,
                                     plain=training is None)
    if label is not None:
        where = "its sub-folders as classes" if folder else "its labels in y"
        raise InputError(f"{path} has {where}; leave the label column {label!r} out")
    if folder and task != "classify":
        raise InputError(f"folder {path} has classes; leave task {task!r} out")
    return (path.name, read_folder(path, columns=kept)) if folder else (path.stem, read_npz(path, task=task))


def _check_options(seed: object, validation: float, test: float, task: str) -> None:
    if task not in TASKS:
        raise InputError(f"task {task!r} is unknown; choose from {', '.join(TASKS)}")
    if not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InputError(f"seed is {seed!r}; give an integer of 0 or more")
    for name, share in (("validation", validation), ("test", test)):
        if not 0 < share < 1:
            raise InputError(f"{name} is {share}; give the share of the samples, above 0 and below 1")


def _check_classes(name: str, samples: Samples) -> None:
    count = np.bincount(samples.y, minlength=len(samples.classes))
    need = 3 if samples.test is None else 2
    if np.count_nonzero(count) < 2:
        raise InputError(f"data set {name!r} has samples of class {samples.classes[int(count.argmax())]!r} only; "
                         f"give two classes or more")
    if count.min() < need:
        c = int(count.argmin())
        numbers = integer_names(samples.classes)
        raise InputError(f"data set {name!r} has {count[c]} sample(s) of class {samples.classes[c]!r} to split into "
                         f"{need} parts; give {need} or more, or remove the class" + f", or {REGRESS}" * numbers)


def _check_targets(name: str, samples: Samples) -> None:
    need, n = 3 if samples.test is None else 2, len(samples.y)
    if n < need:
        raise InputError(f"data set {name!r} has {n} sample(s) to split into {need} parts; give {need} or more")
    y = samples.y if samples.test is None else np.concatenate([samples.y, samples.test[1]])
    for target, low, high in zip(samples.classes, y.min(axis=0), y.max(axis=0)):
        if low == high:
            raise InputError(f"data set {name!r} has {low:g} as {target!r} of every sample; leave that output out")
        if max(-low, high) > LARGEST_TARGET:
            raise InputError(
                f"data set {name!r} has {max(-low, high):g} in {target!r}, beyond {LARGEST_TARGET:g}; rescale it")


def confusion(truth: NDArray[np.int64], predicted: NDArray[np.int64], classes: int) -> list[list[int]]:
    """Count the samples of each class, rows, that were taken for each class, columns; both (samples,) class indices."""
    cells = np.bincount(truth * classes + predicted, minlength=classes * classes)
    return [[int(count) for count in row] for row in cells.reshape(classes, classes)]
