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

import numpy as np
import torch
from torch import nn

from ...core.errors import InputError


class Head(nn.Module):
    """``outputs`` of the sums of ``groups`` groups: (samples, features) -> (samples, groups)."""

    task: str

    def __init__(self, groups: int):
        super().__init__()
        if groups < 1:
            raise InputError(f"{type(self).__name__} needs at least one class, output or label, not {groups}")
        self.groups = groups

    def check(self, features: int) -> None:
        if features % self.groups:
            raise InputError(f"{features} outputs cannot be shared evenly by {self.groups} classes; "
                             f"use a multiple of {self.groups}")

    def counts(self, x: torch.Tensor) -> torch.Tensor:
        """Sums of the groups: (samples, features) to (samples, groups)."""
        self.check(x.shape[1])
        return x.unflatten(1, (self.groups, -1)).sum(-1)

    def outputs(self, counts: torch.Tensor) -> torch.Tensor:
        """Counts (samples, groups) to outputs of the same shape."""
        raise NotImplementedError

    def to_dict(self) -> dict:
        """Plain numbers from which ``head_from_dict`` makes the head again."""
        raise NotImplementedError

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.outputs(self.counts(x))


class GroupSum(Head):
    """``logit_c = count_c / tau``. The frozen decision, an arg-max, does not depend on tau.

    learn_tau  log tau is a parameter; ``tau`` is where it starts
    """

    task = "classify"

    def __init__(self, classes: int, tau: float = 1.0, *, learn_tau: bool = False):
        super().__init__(classes)
        self._tau = _positive(tau, "GroupSum")
        self.log_tau = nn.Parameter(torch.tensor(math.log(self._tau))) if learn_tau else None

    @property
    def tau(self) -> float:
        return self._tau if self.log_tau is None else float(self.log_tau.detach().exp())

    @property
    def scale(self) -> float | None:
        """What counts are multiplied with, if that is a fixed number."""
        return 1 / self._tau if self.log_tau is None else None

    def outputs(self, counts: torch.Tensor) -> torch.Tensor:
        return counts / self._tau if self.log_tau is None else counts * torch.exp(-self.log_tau)

    def to_dict(self) -> dict:
        return {"task": self.task, "groups": self.groups, "tau": self.tau, "learn": self.log_tau is not None}

    def extra_repr(self) -> str:
        return f"{self.groups}, tau={self.tau:g}"


class Regression(Head):
    """``value_g = bias_g + scale_g count_g`` in the targets' units.

    bias, scale  one for each output, scale > 0
    size         features in a group: with ``learn`` the head trains ``exp(gain_g)``, a factor of scale, and ``shift_g``, to which
                 bias moves in units of ``scale size``
    Values are float64, since targets may vary little beside their size. The circuit puts out the counts; ``values`` and
    ``to_dict`` hold what they mean.
    """

    task = "regress"

    def __init__(self, bias, scale, *, size: int = 1, learn: bool = False):
        bias, scale = (torch.tensor(np.atleast_1d(np.asarray(v, dtype=np.float64))) for v in (bias, scale))
        super().__init__(len(bias))
        if bias.ndim != 1 or bias.shape != scale.shape or not (bias.isfinite() & scale.isfinite() & (scale > 0)).all():
            raise InputError("Regression needs a finite bias and a finite scale > 0 for each output")
        self.size = size
        self.register_buffer("origin", bias)
        self.register_buffer("unit", scale)
        for name in ("gain", "shift"):
            setattr(self, name, nn.Parameter(torch.zeros(len(bias))) if learn else None)

    @property
    def scale(self) -> torch.Tensor:
        return self.unit if self.gain is None else self.unit * torch.exp(self.gain)

    @property
    def bias(self) -> torch.Tensor:
        return self.origin if self.shift is None else self.origin + self.unit * self.size * self.shift

    def outputs(self, counts: torch.Tensor) -> torch.Tensor:
        return self.bias + self.scale * counts

    def values(self, counts) -> np.ndarray:
        """The circuit's output words (samples, outputs) as physical values, float64."""
        bias, scale = (v.detach().cpu().double().numpy() for v in (self.bias, self.scale))
        return bias + scale * np.asarray(counts, dtype=np.float64)

    def to_dict(self) -> dict:
        return {"task": self.task, "groups": self.groups, "bias": self.bias.tolist(), "scale": self.scale.tolist(),
                "size": self.size, "learn": self.gain is not None, "meaning": "value = bias + scale * count"}

    def extra_repr(self) -> str:
        return f"{self.groups}"


class MultiLabel(Head):
    """``logit_l = (count_l - threshold_l) / tau``; label ``l`` is on where it is 0 or more: ``count_l >= ceil(threshold_l)``.

    size   features in a group: with ``learn`` the head trains log tau and ``shift_l``, by which the threshold moves in units of it
    """

    task = "multilabel"

    def __init__(self, thresholds, tau: float = 1.0, *, size: int = 1, learn: bool = False):
        thresholds = torch.as_tensor(np.atleast_1d(np.asarray(thresholds, dtype=np.float32)))
        super().__init__(len(thresholds))
        if thresholds.ndim != 1 or not thresholds.isfinite().all():
            raise InputError("MultiLabel needs a finite threshold for each label")
        self.size, self._tau = size, _positive(tau, "MultiLabel")
        self.register_buffer("origin", thresholds)
        self.log_tau = nn.Parameter(torch.tensor(math.log(self._tau))) if learn else None
        self.shift = nn.Parameter(torch.zeros(len(thresholds))) if learn else None

    @property
    def tau(self) -> float:
        return self._tau if self.log_tau is None else float(self.log_tau.detach().exp())

    @property
    def threshold(self) -> torch.Tensor:
        return self.origin if self.shift is None else self.origin + self.size * self.shift

    def thresholds(self) -> list[int]:
        """Of the frozen labels: the least count of each that switches it on."""
        return [math.ceil(t) for t in self.threshold.tolist()]

    def outputs(self, counts: torch.Tensor) -> torch.Tensor:
        over = counts - self.threshold
        return over / self._tau if self.log_tau is None else over * torch.exp(-self.log_tau)

    def to_dict(self) -> dict:
        return {"task": self.task, "groups": self.groups, "thresholds": self.threshold.tolist(), "tau": self.tau,
                "size": self.size, "learn": self.shift is not None, "meaning": "label = count >= threshold"}

    def extra_repr(self) -> str:
        return f"{self.groups}, tau={self.tau:g}"


def _positive(tau: float, who: str) -> float:
    if not (tau > 0 and math.isfinite(tau)):
        raise InputError(f"{who} needs at least one class and tau > 0, not {tau}")
    return float(tau)


def build_head(task: str, groups: int, size: int, *, tau: float = 1.0, learn: bool = False, targets=None) -> Head:
    """The head for a task, with ``size`` features in each of ``groups`` groups.

    targets  of ``regress``: training targets (samples, groups); no feature on gives their minimum, all on their maximum
    A label's threshold is half of its features.
    """
    if task == "regress":
        low, high = np.min(targets, axis=0), np.max(targets, axis=0)
        if not (high > low).all():
            raise InputError(f"target {int(np.argmin(high > low))} is the same in all training samples; leave it out")
        return Regression(low, (high - low) / size, size=size, learn=learn)
    if task == "multilabel":
        return MultiLabel(np.full(groups, (size + 1) // 2), tau, size=size, learn=learn)
    return GroupSum(groups, tau, learn_tau=learn)


def head_from_dict(content: dict) -> Head:
    """The inverse of ``to_dict``, up to what the state dict holds."""
    if content["task"] == "regress":
        return Regression(content["bias"], content["scale"], size=content["size"], learn=content["learn"])
    if content["task"] == "multilabel":
        return MultiLabel(content["thresholds"], content["tau"], size=content["size"], learn=content["learn"])
    return GroupSum(content["groups"], content["tau"], learn_tau=content["learn"])
