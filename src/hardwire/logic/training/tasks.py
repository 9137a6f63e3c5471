"""What a network is trained for: the targets, the loss and the figure of merit of each task."""

from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch.nn import functional

from ...core.errors import InputError

Scores = NDArray[Any]


class Classify:
    """One of several classes.

    The loss is the cross-entropy of the logits; the merit is the share of samples whose largest logit is their class's.
    """

    def __init__(self, classes: int, y_train: ArrayLike) -> None:
        self.classes = classes
        self.targets(y_train)

    def targets(self, y: ArrayLike) -> NDArray[np.int64]:
        """Return checked targets, (samples,)."""
        y = np.asarray(y)
        if y.ndim != 1 or y.dtype.kind not in "ui" or (len(y) and not 0 <= y.min() <= y.max() < self.classes):
            raise InputError(f"y of shape {y.shape} and type {y.dtype} is no class index of {self.classes} classes; "
                             f"give integers from 0 to {self.classes - 1}, or set task to 'regress' or 'multilabel'")
        return y.astype(np.int64)

    def loss(self, scores: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Return the mean cross-entropy of ``scores`` (samples, classes)."""
        return functional.cross_entropy(scores, y)

    @staticmethod
    def merit(scores: Scores, y: Scores) -> dict[str, float]:
        """Return ``{"": figure of merit}``, higher is better, and further figures by name."""
        return {"": float((scores.argmax(1) == y).mean())}


class Regress:
    """Real targets.

    The loss is the mean squared error in standard deviations of the training targets; the merit is R2, its mean over
    the outputs.
    """

    def __init__(self, outputs: int, y_train: ArrayLike) -> None:
        self.outputs = outputs
        self.deviation = torch.from_numpy(self.targets(y_train).std(axis=0))
        if not (self.deviation > 0).all():
            constant = int(self.deviation.argmin())
            raise InputError(f"target {constant} is the same in all training samples; leave it out")

    def targets(self, y: ArrayLike) -> NDArray[np.float64]:
        """Return checked targets, (samples, outputs)."""
        y = np.asarray(y)
        y = y[:, None] if y.ndim == 1 else y
        if y.ndim != 2 or y.shape[1] != self.outputs or y.dtype.kind not in "uif" or not np.isfinite(y).all():
            raise InputError(f"y of shape {y.shape} and type {y.dtype} does not hold a finite number for each of "
                             f"{self.outputs} outputs; name each output in classes, and remove or fill what is missing")
        return y.astype(np.float64)

    def loss(self, scores: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Return the mean of ``((score - y) / deviation)^2``."""
        return ((scores - y.to(scores.dtype)) / self.deviation.to(scores)).square().mean()

    def merit(self, scores: Scores, y: Scores) -> dict[str, float]:
        """Return R2 = 1 - sum (y - value)^2 / sum (y - mean)^2; of constant y, 1 if every value is right, else 0."""
        error = ((scores - y) ** 2).sum(0)
        spread = ((y - y.mean(0)) ** 2).sum(0)
        r2 = np.where(spread > 0, 1 - error / np.where(spread > 0, spread, 1), error == 0)
        return {"": float(r2.mean())}


class Multilabel:
    """Labels that are on or off.

    The loss is the binary cross-entropy of the logits; the merit is the share of right labels, beside it ``exact``, the
    share of samples with all labels right.
    """

    def __init__(self, labels: int, y_train: ArrayLike) -> None:
        self.labels = labels
        self.targets(y_train)

    def targets(self, y: ArrayLike) -> NDArray[np.float64]:
        """Return checked targets, (samples, labels) of 0 and 1."""
        y = np.asarray(y)
        if y.ndim != 2 or y.shape[1] != self.labels or not np.isin(y, (0, 1)).all():
            raise InputError(f"y of shape {y.shape} does not hold 0 or 1 for each of {self.labels} labels; name each "
                             "label in classes")
        return y.astype(np.float64)

    def loss(self, scores: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Return the mean binary cross-entropy of ``scores`` (samples, labels)."""
        return functional.binary_cross_entropy_with_logits(scores, y.to(scores.dtype))

    def merit(self, scores: Scores, y: Scores) -> dict[str, float]:
        """Return the share of right labels, and of samples with all labels right."""
        right = (scores >= 0) == (y > 0.5)
        return {"": float(right.mean()), "exact": float(right.all(1).mean())}


Task = Classify | Regress | Multilabel
TASKS: dict[str, type[Classify] | type[Regress] | type[Multilabel]] = {
    "classify": Classify, "regress": Regress, "multilabel": Multilabel}
