"""Heads: from the counts of the last layer's groups to the network's outputs.

A head shares the last layer's features among equal, contiguous groups; ``count_g`` is how many features of group ``g``
are true (relaxed: their sum). What it makes of the counts is affine, so that the hardware needs population counts and
comparisons only:

    class       output (score)                in the circuit                          task in ``LogicSettings``
    GroupSum    count / tau                   arg-max: ``class_index``                ``classify``
    Regression  bias + scale count            the counts: ``value0``, ``value1`` ...  ``regress``
    MultiLabel  (count - threshold) / tau     count >= threshold: ``label0`` ...      ``multilabel``
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from ...core.errors import InputError


class Head(nn.Module):
    """``outputs`` of the sums of ``groups`` groups: (samples, features) -> (samples, groups)."""

    task: str

    def __init__(self, groups: int) -> None:
        super().__init__()
        if groups < 1:
            raise InputError(f"{type(self).__name__} needs at least one class, output or label, not {groups}")
        self.groups = groups

    def check(self, features: int) -> None:
        """InputError unless so many features make equal groups."""
        if features % self.groups:
            raise InputError(f"{features} outputs cannot be shared evenly by {self.groups} classes; "
                             f"use a multiple of {self.groups}")

    def counts(self, x: torch.Tensor) -> torch.Tensor:
        """Sums of the groups: (samples, features) to (samples, groups)."""
        self.check(x.shape[1])
        sums: torch.Tensor = x.unflatten(1, (self.groups, -1)).sum(-1)
        return sums

    def outputs(self, counts: torch.Tensor) -> torch.Tensor:
        """Counts (samples, groups) to outputs of the same shape."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers from which ``head_from_dict`` makes the head again."""
        raise NotImplementedError

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features (samples, features) to outputs (samples, groups)."""
        return self.outputs(self.counts(x))


class GroupSum(Head):
    """``logit_c = count_c / tau``. The frozen decision, an arg-max, does not depend on tau.

    With ``learn_tau``, log tau is a parameter and ``tau`` is where it starts.
    """

    task = "classify"

    def __init__(self, classes: int, tau: float = 1.0, *, learn_tau: bool = False) -> None:
        super().__init__(classes)
        self._tau = _positive(tau, "GroupSum")
        self.log_tau = nn.Parameter(torch.tensor(math.log(self._tau))) if learn_tau else None

    @property
    def tau(self) -> float:
        """The temperature, as trained."""
        return self._tau if self.log_tau is None else float(self.log_tau.detach().exp())

    @property
    def scale(self) -> float | None:
        """What counts are multiplied with, if that is a fixed number."""
        return 1 / self._tau if self.log_tau is None else None

    def outputs(self, counts: torch.Tensor) -> torch.Tensor:
        """Counts (samples, groups) to outputs of the same shape."""
        return counts / self._tau if self.log_tau is None else counts * torch.exp(-self.log_tau)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers from which ``head_from_dict`` makes the head again."""
        return {"task": self.task, "groups": self.groups, "tau": self.tau, "learn": self.log_tau is not None}

    def extra_repr(self) -> str:
        """What ``repr`` shows of the head."""
        return f"{self.groups}, tau={self.tau:g}"


class Regression(Head):
    """``value_g = bias_g + scale_g count_g`` in the targets' units.

    Parameters
    ----------
    bias, scale
        One for each output, scale > 0.
    size
        Features in a group.
    learn
        Train ``exp(gain_g)``, a factor of scale, and ``shift_g``, by which bias moves in units of ``scale size``.

    Notes
    -----
    Values are float64, since targets may vary little beside their size. The circuit puts out the counts; ``values`` and
    ``to_dict`` hold what they mean.
    """

    task = "regress"

    origin: torch.Tensor
    unit: torch.Tensor
    gain: nn.Parameter | None
    shift: nn.Parameter | None

    def __init__(self, bias: ArrayLike, scale: ArrayLike, *, size: int = 1, learn: bool = False) -> None:
        origin, unit = (torch.tensor(np.atleast_1d(np.asarray(v, dtype=np.float64))) for v in (bias, scale))
        super().__init__(len(origin))
        if (origin.ndim != 1 or origin.shape != unit.shape
                or not (origin.isfinite() & unit.isfinite() & (unit > 0)).all()):
            raise InputError("Regression needs a finite bias and a finite scale > 0 for each output")
        self.size = size
        self.register_buffer("origin", origin)
        self.register_buffer("unit", unit)
        for name in ("gain", "shift"):
            setattr(self, name, nn.Parameter(torch.zeros(len(origin))) if learn else None)

    @property
    def scale(self) -> torch.Tensor:
        """What a count is multiplied with, for each output."""
        return self.unit if self.gain is None else self.unit * torch.exp(self.gain)

    @property
    def bias(self) -> torch.Tensor:
        """The value of a count of 0, for each output."""
        return self.origin if self.shift is None else self.origin + self.unit * self.size * self.shift

    def outputs(self, counts: torch.Tensor) -> torch.Tensor:
        """Counts (samples, groups) to outputs of the same shape."""
        return self.bias + self.scale * counts

    def values(self, counts: ArrayLike) -> NDArray[np.float64]:
        """The circuit's output words (samples, outputs) as physical values, float64."""
        bias, scale = (v.detach().cpu().double().numpy() for v in (self.bias, self.scale))
        values: NDArray[np.float64] = bias + scale * np.asarray(counts, dtype=np.float64)
        return values

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers from which ``head_from_dict`` makes the head again."""
        return {"task": self.task, "groups": self.groups, "bias": self.bias.tolist(), "scale": self.scale.tolist(),
                "size": self.size, "learn": self.gain is not None, "meaning": "value = bias + scale * count"}

    def extra_repr(self) -> str:
        """What ``repr`` shows of the head."""
        return f"{self.groups}"


class MultiLabel(Head):
    """``logit_l = (count_l - threshold_l) / tau``; label ``l`` is on where ``count_l >= ceil(threshold_l)``.

    With ``learn``, the head trains log tau and ``shift_l``, by which the threshold moves in units of ``size``, the
    features in a group.
    """

    origin: torch.Tensor

    task = "multilabel"

    def __init__(self, thresholds: ArrayLike, tau: float = 1.0, *, size: int = 1, learn: bool = False) -> None:
        origin = torch.as_tensor(np.atleast_1d(np.asarray(thresholds, dtype=np.float32)))
        super().__init__(len(origin))
        if origin.ndim != 1 or not origin.isfinite().all():
            raise InputError("MultiLabel needs a finite threshold for each label")
        self.size, self._tau = size, _positive(tau, "MultiLabel")
        self.register_buffer("origin", origin)
        self.log_tau = nn.Parameter(torch.tensor(math.log(self._tau))) if learn else None
        self.shift = nn.Parameter(torch.zeros(len(origin))) if learn else None

    @property
    def tau(self) -> float:
        """The temperature, as trained."""
        return self._tau if self.log_tau is None else float(self.log_tau.detach().exp())

    @property
    def threshold(self) -> torch.Tensor:
        """Of the relaxed labels: the count of each at which its logit is 0."""
        return self.origin if self.shift is None else self.origin + self.size * self.shift

    def thresholds(self) -> list[int]:
        """Of the frozen labels: the least count of each that switches it on."""
        return [math.ceil(t) for t in self.threshold.tolist()]

    def outputs(self, counts: torch.Tensor) -> torch.Tensor:
        """Counts (samples, groups) to outputs of the same shape."""
        over = counts - self.threshold
        return over / self._tau if self.log_tau is None else over * torch.exp(-self.log_tau)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers from which ``head_from_dict`` makes the head again."""
        return {"task": self.task, "groups": self.groups, "thresholds": self.threshold.tolist(), "tau": self.tau,
                "size": self.size, "learn": self.shift is not None, "meaning": "label = count >= threshold"}

    def extra_repr(self) -> str:
        """What ``repr`` shows of the head."""
        return f"{self.groups}, tau={self.tau:g}"


def _positive(tau: float, who: str) -> float:
    if not (tau > 0 and math.isfinite(tau)):
        raise InputError(f"{who} needs at least one class and tau > 0, not {tau}")
    return float(tau)


def build_head(task: str, groups: int, size: int, *, tau: float = 1.0, learn: bool = False,
               targets: NDArray[Any] | None = None) -> Head:
    """The head for a task, with ``size`` features in each of ``groups`` groups.

    Training ``targets`` (samples, groups) scale ``regress``: no feature on gives their minimum, all on their maximum. A
    label's threshold is half of its features.
    """
    if task == "regress":
        low, high = np.min(np.asarray(targets), axis=0), np.max(np.asarray(targets), axis=0)
        if not (high > low).all():
            raise InputError(f"target {int(np.argmin(high > low))} is the same in all training samples; leave it out")
        return Regression(low, (high - low) / size, size=size, learn=learn)
    if task == "multilabel":
        return MultiLabel(np.full(groups, (size + 1) // 2), tau, size=size, learn=learn)
    return GroupSum(groups, tau, learn_tau=learn)


def head_from_dict(content: Mapping[str, Any]) -> Head:
    """The inverse of ``to_dict``, up to what the state dict holds."""
    if content["task"] == "regress":
        return Regression(content["bias"], content["scale"], size=content["size"], learn=content["learn"])
    if content["task"] == "multilabel":
        return MultiLabel(content["thresholds"], content["tau"], size=content["size"], learn=content["learn"])
    return GroupSum(content["groups"], content["tau"], learn_tau=content["learn"])
