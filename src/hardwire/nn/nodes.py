"""Parametrisations: what the trained weights of a gate mean. Each is a map from weights to the four table values

    p[a + 2 b] = the relaxed gate's value at operands a and b, in [0, 1]

which a linear map (the Möbius transform) turns into the coefficients of ``y = c0 + c1 a + c2 b + c3 ab`` that the one kernel
takes. ``tables`` is the frozen gate. A new parametrisation is one class here and one row in ``PARAMETRISATIONS``.
"""

import torch

from ..errors import InputError
from ..gates import TABLE, TRUTH

_TRUTH = torch.tensor(TRUTH)


class TableLogits:
    """Four logits a gate: ``p = sigmoid(w)``; the frozen table is ``w > 0``.

    Source: the input-wise parametrisation of Rüttgers et al., 2025 (arXiv 2510.03250).
    """

    weights = 4

    @staticmethod
    def initial(gates: int, init: str, strength: float, noise: float, generator=None) -> torch.Tensor:
        """``residual``: logits of ``strength`` for pass-through A, plus noise; ``random``: noise alone."""
        w = noise * torch.randn(gates, 4, generator=generator)
        return w + strength * (2 * _TRUTH[TABLE["A"]] - 1).float() if init == "residual" else w

    @staticmethod
    def values(w: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(w)

    @staticmethod
    def tables(w: torch.Tensor) -> torch.Tensor:
        return ((w > 0) * torch.tensor([1, 2, 4, 8], device=w.device)).sum(-1)


class Softmax16:
    """Sixteen logits a gate: ``p = softmax(w) @ TRUTH``; the frozen table is the most probable gate.

    Gate ``i`` is the gate whose table is ``i``. Source: Petersen et al., 2022 (arXiv 2210.08277).
    """

    weights = 16

    @staticmethod
    def initial(gates: int, init: str, strength: float, noise: float, generator=None) -> torch.Tensor:
        """``residual``: logit ``strength`` on pass-through A, plus noise; ``random``: noise alone."""
        w = noise * torch.randn(gates, 16, generator=generator)
        if init == "residual":
            w[:, TABLE["A"]] += strength
        return w

    @staticmethod
    def values(w: torch.Tensor) -> torch.Tensor:
        p = torch.softmax(w, -1).view(-1, 2, 2, 2, 2)  # gate i is its table: bit j of i stands in dimension 4 - j
        return torch.stack([p.select(4 - j, 1).flatten(1).sum(1) for j in range(4)], -1)

    @staticmethod
    def tables(w: torch.Tensor) -> torch.Tensor:
        return w.argmax(-1)


PARAMETRISATIONS = {"table": TableLogits, "softmax": Softmax16}
INITS = ("residual", "random")


def parametrisation(name: str):
    if name not in PARAMETRISATIONS:
        raise InputError(f"parametrisation {name!r} is none of {', '.join(PARAMETRISATIONS)}")
    return PARAMETRISATIONS[name]


def coefficients(values: torch.Tensor) -> torch.Tensor:
    """Table values (gates, 4) to coefficients (gates, 4) of 1, a, b, ab; differentiable."""
    p0, p1, p2, p3 = values.unbind(-1)
    return torch.stack([p0, p1 - p0, p2 - p0, p3 - p2 - p1 + p0], -1)


def hard_values(tables: torch.Tensor, dtype=torch.float32) -> torch.Tensor:
    """Frozen tables (gates,) as table values of 0 and 1, shape (gates, 4)."""
    return (tables[:, None] >> torch.arange(4, device=tables.device) & 1).to(dtype)
