"""Samples as a source gives them, before they are split; names of features and classes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..core.errors import InputError
from .names import Shape, identifiers, pixel_names

if TYPE_CHECKING:
    from .columns import Columns

__all__ = ["REGRESS", "TASKS", "Samples", "Shape", "Task", "identifiers", "index_labels", "pixel_names"]

#: What samples may be read for.
Task = Literal["classify", "regress", "multilabel"]
TASKS: tuple[Task, ...] = ("classify", "regress", "multilabel")
#: What remains to one whose labels are no classes.
REGRESS = "set task to 'regress' to predict a number"


@dataclass(frozen=True)
class Samples:
    """What every source and file is read into.

    Attributes
    ----------
    x : array (samples, features) of uint8, int64 or float64
    y : array (samples,) of int64, or (samples, outputs) of float64
        Indices into ``classes``; or real targets, or labels that are 0 or 1.
    classes : tuple of str
        Name of each class, target or label.
    features : tuple of str
        Name of each feature, as ``identifiers`` makes them.
    shape : (channels, height, width), optional
        Of an image whose flattened order ``x`` has.
    source : str
        Where it comes from, one line.
    test : (x, y), optional
        The test split that the source itself fixes.
    columns : Columns, optional
        What the columns of a table, or pictures, became.
    """

    x: NDArray[Any]
    y: NDArray[Any]
    classes: tuple[str, ...]
    features: tuple[str, ...]
    shape: Shape | None
    source: str
    test: tuple[NDArray[Any], NDArray[Any]] | None = None
    columns: "Columns | None" = None

    def __repr__(self) -> str:
        return f"<Samples: {len(self.y)}, {len(self.features)} features, {len(self.classes)} classes, {self.source!r}>"


def index_labels(labels: NDArray[Any], what: str) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Turn labels, integers or texts, into class indices in sorted order and the names of the classes.

    Parameters
    ----------
    labels : array (samples,)
    what : str
        Names the labels in an error.

    Raises
    ------
    InputError
        Where a label is neither an integer nor a text.
    """
    if labels.dtype.kind == "f":
        broken = ~(np.abs(labels) < 2**53) | (labels != np.floor(labels))  # the first is true of NaN too
        if broken.any():
            at = int(np.argmax(broken))
            raise InputError(
                f"{what} has label {labels[at]} at sample {at}; give integers or names as labels, or {REGRESS}")
        labels = labels.astype(np.int64)
    if labels.dtype.kind not in "biuU":
        raise InputError(f"{what} has labels of type {labels.dtype}; give integers or texts")
    values, y = np.unique(labels, return_inverse=True)
    classes = tuple(str(int(v)) if values.dtype.kind in "biu" else str(v) for v in values)
    return y.reshape(labels.shape).astype(np.int64), classes
