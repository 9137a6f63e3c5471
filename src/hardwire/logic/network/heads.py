"""Heads: from the counts of the last layer's groups to the network's outputs.

A head shares the last layer's features among contiguous groups, equal ones unless it is given ``sizes``; ``count_g``
is how many features of group ``g`` are true (relaxed: their sum), 0 of a group without any. What it makes of the counts
is affine, so that the hardware needs population counts and comparisons only:

    class       output (score)                in the circuit                          setting ``task``
    GroupSum    count / tau                   arg-max: ``class_index``                ``classify``
    Regression  bias + scale count            the counts: ``value0``, ``value1`` ...  ``regress``
    MultiLabel  (count - threshold) / tau     count >= threshold: ``label0`` ...      ``multilabel``
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from ...core.errors import InputError


class Head(nn.Module):
    """``outputs`` of the sums of ``groups`` groups: (samples, features) -> (samples, groups).

    Parameters
    ----------
    groups
        Classes, outputs or labels.
    sizes
        Features of each group, where they differ; 0 is a group whose count is always 0. Default: equal groups.
    """

    task: str

    def __init__(self, groups: int, sizes: Sequence[int] | None = None) -> None:
        super().__init__()
        if groups < 1:
            raise InputError(f"{type(self).__name__} needs at least one class, output or label, not {groups}")
        self.groups = groups
        self.sizes = None if sizes is None else tuple(int(size) for size in sizes)
        if self.sizes is not None and (len(self.sizes) != groups or min(self.sizes) < 0 or not any(self.sizes)):
            raise InputError(f"sizes {self.sizes} do not say how many features each of {groups} groups has; give one "
                             f"number, 0 or more, for each")

    def check(self, features: int) -> None:
        """InputError unless the groups share out so many features."""
        if self.sizes is None and features % self.groups:
            raise InputError(f"{features} outputs cannot be shared evenly by {self.groups} classes; "
                             f"use a multiple of {self.groups}, or give the head sizes")
        if self.sizes is not None and sum(self.sizes) != features:
            raise InputError(f"groups of {self.sizes} features do not share out {features} outputs; sizes must add up "
                             f"to them")

    def sizes_of(self, features: int) -> tuple[int, ...]:
        """How many of ``features`` each group has."""
        self.check(features)
        return (features // self.groups,) * self.groups if self.sizes is None else self.sizes

    @property
    def equal(self) -> bool:
        """Whether all groups have as many features, so that a kernel can sum them."""
        return self.sizes is None or len(set(self.sizes)) == 1

    def counts(self, x: torch.Tensor) -> torch.Tensor:
        """Sums of the groups: (samples, features) to (samples, groups)."""
        sizes = self.sizes_of(x.shape[1])
        if self.equal:
            return x.reshape(x.shape[0], self.groups, sizes[0]).sum(-1)
        return torch.stack([part.sum(-1) for part in torch.split(x, list(sizes), 1)], 1)

    def outputs(self, counts: torch.Tensor) -> torch.Tensor:
        """Counts (samples, groups) to outputs of the same shape."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers from which ``head_from_dict`` makes the head again."""
        raise NotImplementedError

    def _common(self) -> dict[str, Any]:
        """What ``to_dict`` holds of any head; ``sizes`` only where they were given."""
        common: dict[str, Any] = {"task": self.task, "groups": self.groups}
        return common if self.sizes is None else common | {"sizes": list(self.sizes)}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Outputs (samples, groups) of features (samples, features)."""
        return self.outputs(self.counts(x))


class GroupSum(Head):
    """``logit_c = count_c / tau``. The frozen decision, an arg-max, does not depend on tau.

    Parameters
    ----------
    classes
        Groups.
    tau
        The divisor, above 0.
    learn_tau
        log tau is a parameter; ``tau`` is where it starts.
    sizes
        See ``Head``.
    """

    task = "classify"

    def __init__(self, classes: int, tau: float = 1.0, *, learn_tau: bool = False,
                 sizes: Sequence[int] | None = None) -> None:
        super().__init__(classes, sizes)
        self._tau = _positive(tau, "GroupSum")
        self.log_tau = nn.Parameter(torch.tensor(math.log(self._tau))) if learn_tau else None

    @property
    def tau(self) -> float:
        """The divisor; of a learned one, its present value."""
        return self._tau if self.log_tau is None else float(self.log_tau.detach().exp())

    @property
    def scale(self) -> float | None:
        """What counts are multiplied with, if that is a fixed number."""
        return 1 / self._tau if self.log_tau is None else None

    def outputs(self, counts: torch.Tensor) -> torch.Tensor:
        """Logits of the classes."""
        return counts / self._tau if self.log_tau is None else counts * torch.exp(-self.log_tau)

    def to_dict(self) -> dict[str, Any]:
        """See ``Head.to_dict``."""
        return self._common() | {"tau": self.tau, "learn": self.log_tau is not None}

    def extra_repr(self) -> str:
        """What is printed of the head."""
        return f"{self.groups}, tau={self.tau:g}"


class Regression(Head):
    """``value_g = bias_g + scale_g count_g`` in the targets' units.

    Parameters
    ----------
    bias, scale
        One for each output, scale > 0.
    size
        Features in a group: with ``learn`` the head trains ``exp(gain_g)``, a factor of scale, and ``shift_g``, to
        which bias moves in units of ``scale size``.
    learn
        See ``size``.
    sizes
        See ``Head``.

    Notes
    -----
    Values are float64, since targets may vary little beside their size. The circuit puts out the counts; ``values`` and
    ``to_dict`` hold what they mean.
    """

    task = "regress"
    origin: torch.Tensor
    unit: torch.Tensor

    def __init__(self, bias: ArrayLike, scale: ArrayLike, *, size: int = 1, learn: bool = False,
                 sizes: Sequence[int] | None = None) -> None:
        origin, unit = (torch.tensor(np.atleast_1d(np.asarray(v, dtype=np.float64))) for v in (bias, scale))
        super().__init__(len(origin), sizes)
        finite = origin.isfinite().all() and unit.isfinite().all()
        if origin.ndim != 1 or origin.shape != unit.shape or not finite or not bool((unit > 0).all()):
            raise InputError("Regression needs a finite bias and a finite scale > 0 for each output")
        self.size = size
        self.register_buffer("origin", origin)
        self.register_buffer("unit", unit)
        self.gain = nn.Parameter(torch.zeros(len(origin))) if learn else None
        self.shift = nn.Parameter(torch.zeros(len(origin))) if learn else None

    @property
    def scale(self) -> torch.Tensor:
        """Value of one feature of each output."""
        return self.unit if self.gain is None else self.unit * torch.exp(self.gain)

    @property
    def bias(self) -> torch.Tensor:
        """Value of each output at a count of 0."""
        return self.origin if self.shift is None else self.origin + self.unit * self.size * self.shift

    def outputs(self, counts: torch.Tensor) -> torch.Tensor:
        """Physical values, float64."""
        return self.bias + self.scale * counts

    def values(self, counts: ArrayLike) -> NDArray[np.float64]:
        """The circuit's output words (samples, outputs) as physical values, float64."""
        bias, scale = (np.asarray(v.detach().cpu().double().numpy()) for v in (self.bias, self.scale))
        values: NDArray[np.float64] = bias + scale * np.asarray(counts, dtype=np.float64)
        return values

    def to_dict(self) -> dict[str, Any]:
        """See ``Head.to_dict``."""
        return self._common() | {"bias": self.bias.tolist(), "scale": self.scale.tolist(), "size": self.size,
                                 "learn": self.gain is not None, "meaning": "value = bias + scale * count"}

    def extra_repr(self) -> str:
        """What is printed of the head."""
        return f"{self.groups}"


class MultiLabel(Head):
    """``logit_l = (count_l - threshold_l) / tau``; a label is on where it is 0 or more: ``count >= ceil(threshold)``.

    Parameters
    ----------
    thresholds
        One for each label.
    tau
        The divisor, above 0.
    size
        Features in a group: with ``learn`` the head trains log tau and ``shift_l``, by which the threshold moves in
        units of it.
    learn
        See ``size``.
    sizes
        See ``Head``.
    """

    task = "multilabel"
    origin: torch.Tensor

    def __init__(self, thresholds: ArrayLike, tau: float = 1.0, *, size: int = 1, learn: bool = False,
                 sizes: Sequence[int] | None = None) -> None:
        origin = torch.as_tensor(np.atleast_1d(np.asarray(thresholds, dtype=np.float32)))
        super().__init__(len(origin), sizes)
        if origin.ndim != 1 or not origin.isfinite().all():
            raise InputError("MultiLabel needs a finite threshold for each label")
        self.size, self._tau = size, _positive(tau, "MultiLabel")
        self.register_buffer("origin", origin)
        self.log_tau = nn.Parameter(torch.tensor(math.log(self._tau))) if learn else None
        self.shift = nn.Parameter(torch.zeros(len(origin))) if learn else None

    @property
    def tau(self) -> float:
        """The divisor; of a learned one, its present value."""
        return self._tau if self.log_tau is None else float(self.log_tau.detach().exp())

    @property
    def threshold(self) -> torch.Tensor:
        """The count of each label at which its logit is 0."""
        return self.origin if self.shift is None else self.origin + self.size * self.shift

    def thresholds(self) -> list[int]:
        """Of the frozen labels: the least count of each that switches it on."""
        return [math.ceil(t) for t in self.threshold.tolist()]

    def outputs(self, counts: torch.Tensor) -> torch.Tensor:
        """Logits of the labels."""
        over = counts - self.threshold
        return over / self._tau if self.log_tau is None else over * torch.exp(-self.log_tau)

    def to_dict(self) -> dict[str, Any]:
        """See ``Head.to_dict``."""
        return self._common() | {"thresholds": self.threshold.tolist(), "tau": self.tau, "size": self.size,
                                 "learn": self.shift is not None, "meaning": "label = count >= threshold"}

    def extra_repr(self) -> str:
        """What is printed of the head."""
        return f"{self.groups}, tau={self.tau:g}"


def _positive(tau: float, who: str) -> float:
    if not (tau > 0 and math.isfinite(tau)):
        raise InputError(f"{who} needs at least one class and tau > 0, not {tau}")
    return float(tau)


def build_head(task: str, groups: int, size: int | Sequence[int], *, tau: float = 1.0, learn: bool = False,
               targets: NDArray[Any] | None = None) -> Head:
    """The head for a task, with ``size`` features in each of ``groups`` groups.

    Parameters
    ----------
    task
        ``classify``, ``regress`` or ``multilabel``; a label's threshold is half of its features, at least 1.
    groups, tau, learn
        See the heads.
    size
        A number, or one for each group where they differ.
    targets
        Of ``regress``: training targets (samples, groups); no feature on gives their minimum, all on their maximum.
    """
    sizes = None if isinstance(size, int) else tuple(size)
    each = np.full(groups, size) if isinstance(size, int) else np.array(sizes)
    unit = max(1, int(each.max()))
    if task == "regress":
        low, high = np.min(np.asarray(targets), axis=0), np.max(np.asarray(targets), axis=0)
        if not (high > low).all():
            raise InputError(f"target {int(np.argmin(high > low))} is the same in all training samples; leave it out")
        return Regression(low, (high - low) / np.maximum(each, 1), size=unit, learn=learn, sizes=sizes)
    if task == "multilabel":
        return MultiLabel(np.maximum((each + 1) // 2, 1), tau, size=unit, learn=learn, sizes=sizes)
    return GroupSum(groups, tau, learn_tau=learn, sizes=sizes)


def head_from_dict(content: Mapping[str, Any]) -> Head:
    """The inverse of ``to_dict``, up to what the state dict holds."""
    sizes = content.get("sizes")
    if content["task"] == "regress":
        return Regression(content["bias"], content["scale"], size=content["size"], learn=content["learn"], sizes=sizes)
    if content["task"] == "multilabel":
        return MultiLabel(content["thresholds"], content["tau"], size=content["size"], learn=content["learn"],
                          sizes=sizes)
    return GroupSum(content["groups"], content["tau"], learn_tau=content["learn"], sizes=sizes)
