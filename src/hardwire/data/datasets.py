"""Data sets: a name or a file to training, validation and test splits."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import InputError
from .samples import Samples
from .sources import SOURCES, read_source
from .tables import read_npz, read_table

#: Suffix -> reader of a user's own file.
READERS = {
    ".csv": read_table,
    ".tsv": read_table,
    ".npz": lambda path, label: read_npz(path),
}


@dataclass(frozen=True)
class Split:
    """``x`` (samples, features) uint8, int64 or float64; ``y`` (samples,) int64, index into the classes.

    rows  (samples,) int64, each sample's place in the order of the source it was cut from, or None where that is not known
    """

    x: np.ndarray
    y: np.ndarray
    rows: np.ndarray | None = None


@dataclass(frozen=True)
class Dataset:
    """Samples in three splits that share none.

    classes   name of each class
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
                 label: str | int | None = None, download: bool = True) -> Dataset:
    """Load a named source or a file (.csv, .tsv, .npz) and split it, every class alike.

    test        share of each class's samples for the test split, where the source fixes none itself
    validation  share of what is left for the validation split
    seed        the splits depend on it and on the samples only
    label       of a table: name or number of the label column; None: the last one
    data_dir    folder where a named source's files are looked for first; then $HARDWIRE_DATA, then the user's cache
    download    fetch a named source's files when they are nowhere; else that raises InputError
    """
    _check_options(seed, validation, test)
    name, samples = _read(name_or_path, label, data_dir, download)
    return split_samples(name, samples, seed=int(seed), validation=validation, test=test)


def split_samples(name: str, samples: Samples, *, seed: int, validation: float, test: float) -> Dataset:
    """Cut samples into a Dataset: in each class at least one sample for each split, all in a random order."""
    _check_classes(name, samples)
    rng = np.random.default_rng(seed)
    rest, held = np.arange(len(samples.y)), samples.test
    if held is None:
        rest, chosen = _cut(samples.y, rest, test, rng, keep=2)
        held = samples.x[chosen], samples.y[chosen], chosen
    rest, chosen = _cut(samples.y, rest, validation, rng, keep=1)
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


def _read(name_or_path, label, data_dir, download: bool) -> tuple[str, Samples]:
    known = str(name_or_path)
    if known in SOURCES:
        if label is not None:
            raise InputError(f"data set {known!r} has its own labels; leave the label column {label!r} out")
        return known, read_source(known, data_dir=data_dir, download=download)
    path = Path(name_or_path)
    if path.suffix.lower() in READERS and path.is_file():
        if label is not None and path.suffix.lower() == ".npz":
            raise InputError(f"{path} has its labels in y; leave the label column {label!r} out")
        return path.stem, READERS[path.suffix.lower()](path, label=label)
    if path.suffix.lower() in READERS:
        raise InputError(f"file {known} does not exist; check the path")
    what = "is neither .csv, .tsv nor .npz" if path.exists() else "is unknown"
    raise InputError(f"data set {known!r} {what}; choose from {', '.join(SOURCES)}, or give a path to a .csv, .tsv or "
                     f".npz file")


def _check_options(seed, validation: float, test: float) -> None:
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
        raise InputError(f"data set {name!r} has {count[c]} sample(s) of class {samples.classes[c]!r} to split into "
                         f"{need} parts; give {need} or more, or remove the class")
