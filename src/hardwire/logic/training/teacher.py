"""Soft targets of a teacher, from a file of its logits; the loss is in ``kernels.reference.cross_entropy``."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...core.errors import FormatError, InputError
from ...data import Dataset
from ...data.arrays import read_npy
from ..kernels.reference import Soft


class Teacher:
    """A teacher's logits for the training samples.

    The file holds (samples, classes) logits for the whole training data *in the order of its source*: the official
    training split, or all samples where the source fixes no test split. ``Dataset`` splits validation off by a
    permutation; ``Split.rows`` leads back. An augmented sample is taught by the logits of the sample as it was.
    """

    def __init__(self, path: str | Path, dataset: Dataset, *, weight: float, temperature: float) -> None:
        self.weight, self.temperature = weight, temperature
        self.logits = torch.from_numpy(_rows(_load(path), dataset, path))

    def __call__(self, rows: NDArray[np.int64], device: torch.device | str = "cpu") -> Soft:
        """Return the soft targets of training samples ``rows``."""
        return Soft(self.logits[rows].to(device), self.weight, self.temperature)


def _load(path: str | Path) -> NDArray[Any]:
    try:
        logits = read_npy(path)
    except (InputError, FormatError) as error:
        raise type(error)(f"teacher {error}") from None
    if logits.ndim != 2 or logits.dtype.kind != "f":
        raise InputError(f"teacher {path} holds no real matrix; give logits (samples, classes)")
    return logits


def _rows(logits: NDArray[Any], dataset: Dataset, path: str | Path) -> NDArray[np.float32]:
    """Return the logits of the training split's samples, in its order, float32."""
    parts = [s for s in (dataset.train, dataset.validation, dataset.test) if s is not None]
    known = dataset.train.rows is not None
    total = sum(len(s.y) for s in parts if s.rows is not None) if known else len(dataset.train.y)
    if logits.shape != (total, len(dataset.classes)):
        order = f"{total} samples of {dataset.name!r} in their source's order" if known else f"{total} training samples"
        raise InputError(f"teacher {path} has shape {logits.shape}; give logits for the {order}, "
                         f"{len(dataset.classes)} classes each")
    own = np.array(logits[dataset.train.rows] if known else logits, dtype=np.float32)
    if not np.isfinite(own).all():
        raise InputError(f"teacher {path} holds values that are not finite; give logits")
    right = (own.argmax(1) == dataset.train.y).mean()
    constant = np.bincount(dataset.train.y).max() / len(dataset.train.y)
    if right < constant:
        raise InputError(f"teacher {path} agrees with {100 * right:.1f} % of the labels, less than a constant answer; "
                         f"give its logits in the order of the data set's source")
    return own
