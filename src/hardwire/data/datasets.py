"""Data sets: a name or a file to training, validation and test splits."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..core.errors import InputError
from .samples import REGRESS, TASKS, Samples
from .sources import SOURCES, read_source
from .tables import read_npz, read_table

#: Suffix -> reader of a user's own file.
READERS = {
    ".csv": read_table,
    ".tsv": read_table,
    ".npz": lambda path, label, task: read_npz(path, task=task),
}
#: The squares of larger targets leave float64.
LARGEST_TARGET = 1e150


@dataclass(frozen=True)
class Split:
    """``x`` (samples, features) uint8, int64 or float64; ``y`` (samples,) int64, index into the classes, or (samples, outputs)
    float64, targets or labels.

    rows  (samples,) int64, each sample's place in the order of the source it was cut from, or None where that is not known
    """

    x: np.ndarray
    y: np.ndarray
    rows: np.ndarray | None = None


@dataclass(frozen=True)
class Dataset:
    """Samples in three splits that share none.

    classes   name of each class, target or label
    features  name of each feature, a unique identifier
    shape     (channels, height, width) in whose order ``x`` is flattened, or None where the samples are no images
    source    where it comes from, one line
    """

    name: str
    train: Split
    validation: Split
    test: Split
    classes: tuple[str, ...]
    features: tuple[str, ...]
    shape: tuple[int, int, int] | None
    source: str


def load_dataset(name_or_path, *, seed: int = 0, data_dir=None, validation: float = 0.1, test: float = 0.2,
                 label: str | int | list | tuple | None = None, download: bool = True, task: str = "classify") -> Dataset:
    """Load a named source or a file (.csv, .tsv, .npz) and split it, every class alike; targets and labels at random.

    test        share of each class's samples for the test split, where the source fixes none itself
    validation  share of what is left for the validation split
    seed        the splits depend on it and on the samples only
    label       of a table: name or number of the label column; None: the last one; several of ``regress`` and ``multilabel`` as
                a list or with commas between them
    task        ``classify``; ``regress``, to predict numbers; ``multilabel``, to predict several labels that are 0 or 1
    data_dir    folder where a named source's files are looked for first; then $HARDWIRE_DATA, then the user's cache
    download    fetch a named source's files when they are nowhere; else that raises InputError
    """
    _check_options(seed, validation, test, task)
    name, samples = _read(name_or_path, label, data_dir, download, task)
    return split_samples(name, samples, seed=int(seed), validation=validation, test=test)


def split_samples(name: str, samples: Samples, *, seed: int, validation: float, test: float) -> Dataset:
    """Cut samples into a Dataset: in each class at least one sample for each split, all in a random order.

    Samples with targets or labels are all of one class.
    """
    classified = samples.y.ndim == 1
    (_check_classes if classified else _check_targets)(name, samples)
    groups = samples.y if classified else np.zeros(len(samples.y), dtype=np.int64)
    rng = np.random.default_rng(seed)
    rest, held = np.arange(len(samples.y)), samples.test
    if held is None:
        rest, chosen = _cut(groups, rest, test, rng, keep=2)
        held = samples.x[chosen], samples.y[chosen], chosen
    rest, chosen = _cut(groups, rest, validation, rng, keep=1)
    train, checked = (Split(samples.x[rows], samples.y[rows], rows) for rows in (rest, chosen))
    return Dataset(name, train, checked, Split(*held), samples.classes, samples.features, samples.shape, samples.source)


def _cut(y: np.ndarray, rows: np.ndarray, share: float, rng, *, keep: int) -> tuple[np.ndarray, np.ndarray]:
    """``rows`` without and with a random ``share`` of each class: one sample or more, and ``keep`` or more stay."""
    rows = rng.permutation(rows)
    labels, chosen = y[rows], np.zeros(len(rows), dtype=bool)
    for c, take in enumerate(_quotas(np.bincount(labels), share, keep)):
        chosen[np.flatnonzero(labels == c)[:take]] = True
    return rows[~chosen], rows[chosen]


def _quotas(count: np.ndarray, share: float, keep: int) -> np.ndarray:
    """Samples to take of each class; rounded by the largest remainders, so that their sum is ``share`` of all."""
    exact = share * count
    take = np.floor(exact).astype(np.int64)
    left = max(0, round(share * int(count.sum())) - int(take.sum()))
    take[np.argsort(take - exact, kind="stable")[:left]] += 1
    return np.clip(take, 1, count - keep)


def _read(name_or_path, label, data_dir, download: bool, task: str) -> tuple[str, Samples]:
    known = str(name_or_path)
    if known in SOURCES:
        if task != "classify":
            raise InputError(f"data set {known!r} has classes; leave task {task!r} out, or give a table of your own")
        if label is not None:
            raise InputError(f"data set {known!r} has its own labels; leave the label column {label!r} out")
        return known, read_source(known, data_dir=data_dir, download=download)
    path = Path(name_or_path)
    if path.suffix.lower() in READERS and path.is_file():
        if label is not None and path.suffix.lower() == ".npz":
            raise InputError(f"{path} has its labels in y; leave the label column {label!r} out")
        return path.stem, READERS[path.suffix.lower()](path, label=label, task=task)
    if path.suffix.lower() in READERS:
        raise InputError(f"file {known} does not exist; check the path")
    what = "is neither .csv, .tsv nor .npz" if path.exists() else "is unknown"
    raise InputError(f"data set {known!r} {what}; choose from {', '.join(SOURCES)}, or give a path to a .csv, .tsv or "
                     f".npz file")


def _check_options(seed, validation: float, test: float, task: str) -> None:
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
        numbers = all(c.lstrip("-").isdigit() for c in samples.classes)
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
            raise InputError(f"data set {name!r} has {max(-low, high):g} in {target!r}, beyond {LARGEST_TARGET:g}; rescale it")


def confusion(truth: np.ndarray, found: np.ndarray, classes: int) -> list[list[int]]:
    """Samples of each class, rows, that were taken for each class, columns; both (samples,) class indices."""
    matrix = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(matrix, (truth, found), 1)
    return matrix.tolist()
