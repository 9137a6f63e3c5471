"""Samples as a source gives them, before they are split; names of features and classes."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..core.errors import InputError
from ..core.names import identifiers as unique_identifiers

#: What samples may be read for; the names of ``nn.tasks``.
TASKS = ("classify", "regress", "multilabel")
#: What remains to one whose labels are no classes.
REGRESS = "set task to 'regress' to predict a number"


@dataclass(frozen=True)
class Samples:
    """What every source and file is read into.

    x         (samples, features) uint8, int64 or float64
    y         (samples,) int64, index into ``classes``; or (samples, outputs) float64, real targets, or labels that are 0 or 1
    classes   name of each class, target or label
    features  name of each feature, as ``identifiers`` makes them
    shape     (channels, height, width) of an image whose flattened order ``x`` has, or None
    source    where it comes from, one line
    test      (x, y) of the test split that the source itself fixes, or None
    """

    x: np.ndarray
    y: np.ndarray
    classes: tuple[str, ...]
    features: tuple[str, ...]
    shape: tuple[int, int, int] | None
    source: str
    test: tuple[np.ndarray, np.ndarray] | None = None


def identifiers(names: Iterable[str]) -> tuple[str, ...]:
    """Names as unique identifiers of letters, digits and underscores: ``_2``, ``_3`` ... tell equal ones apart."""
    return tuple(unique_identifiers((name.strip() or f"x{i}" for i, name in enumerate(names)), prefix="x", serial=2))


def pixel_names(shape: tuple[int, int, int]) -> tuple[str, ...]:
    """``pixel_row_column`` in flattened order; where there is more than one channel, its number comes first."""
    places = np.ndindex(shape) if shape[0] > 1 else np.ndindex(shape[1:])
    return tuple("pixel_" + "_".join(map(str, place)) for place in places)


def index_labels(labels: np.ndarray, what: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels, integers or texts, to class indices in sorted order and the names of the classes."""
    if labels.dtype.kind == "f":
        broken = ~(np.abs(labels) < 2**53) | (labels != np.floor(labels))  # the first is true of NaN too
        if broken.any():
            at = int(np.argmax(broken))
            raise InputError(f"{what} has label {labels[at]} at sample {at}; give integers or names as labels, or {REGRESS}")
        labels = labels.astype(np.int64)
    if labels.dtype.kind not in "biuU":
        raise InputError(f"{what} has labels of type {labels.dtype}; give integers or texts")
    values, y = np.unique(labels, return_inverse=True)
    return y.reshape(labels.shape).astype(np.int64), tuple(str(int(v)) if values.dtype.kind in "biu" else str(v)
                                                           for v in values)
