"""Parametrisations and estimators: what the trained weights of a node mean, and how its hardness is trained.

A node of ``k`` inputs is a table of ``2^k`` values

    p[m] = the relaxed node's value at the operands whose bits are ``m`` (operand 0 least significant), in [0, 1]

and the kernels evaluate its multilinear extension; for ``k = 2``, ``y = c0 + c1 a + c2 b + c3 ab``. A *parametrisation* maps
weights to logits and logits to ``p``; ``tables`` is the frozen node. An *estimator* says which ``p`` a training step sees. A new
parametrisation is one class here and one row in ``PARAMETRISATIONS``.
"""

import functools

import torch

from ...core.errors import InputError
from ...core.gates import COEFFICIENTS, TABLE, TRUTH, mobius

_TRUTH = torch.tensor(TRUTH)
_COEFFICIENTS = torch.tensor(COEFFICIENTS)
MAX_FAN_IN = 6
INITS = ("residual", "random")


def _pass_through(k: int) -> torch.Tensor:
    """Signs (2^k,) of the table that repeats operand 0: +1 at odd addresses."""
    return 2.0 * (torch.arange(2**k) % 2) - 1


@functools.cache
def _constant(name: str, k: int, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    """A constant matrix where it is needed, copied there once."""
    matrix = {"truth": lambda: _TRUTH, "coefficients": lambda: _COEFFICIENTS, "hadamard": lambda: _hadamard(k),
              "mobius": lambda: torch.from_numpy(mobius(k).T)}[name]()
    return matrix.to(device, dtype)


def _like(name: str, w: torch.Tensor, k: int = 2) -> torch.Tensor:
    with torch.inference_mode(False):  # else the kept one could not take part in autograd later
        return _constant(name, k, w.dtype, w.device)


def _hadamard(k: int) -> torch.Tensor:
    """``H[m, S] = (-1)^|m & S|``, (2^k, 2^k)."""
    matrix = torch.ones(1, 1)
    for _ in range(k):
        matrix = torch.kron(torch.tensor([[1.0, 1.0], [1.0, -1.0]]), matrix)
    return matrix


class Sharp:
    """What every parametrisation has: ``sharpness``, a factor of all logits that training may raise; it moves no frozen node."""

    sharpness = 1.0

    def sharp(self, w: torch.Tensor) -> torch.Tensor:
        """The logits as training sees them."""
        return self.logits(w) if self.sharpness == 1 else self.sharpness * self.logits(w)


class Tabled(Sharp):
    """Parametrisations whose logits are the table's: ``p = sigmoid(logits)``; the frozen table is ``logits > 0``."""

    strength = 2.0

    def __init__(self, k: int = 2):
        if not 2 <= k <= MAX_FAN_IN:
            raise InputError(f"a node of {k} inputs is not offered; choose 2 to {MAX_FAN_IN}")
        self.k, self.weights = k, 2**k

    def values(self, w: torch.Tensor) -> torch.Tensor:
        """Weights (nodes, weights) to table values (nodes, 2^k)."""
        return torch.sigmoid(self.sharp(w))

    def hard(self, w: torch.Tensor) -> torch.Tensor:
        """The frozen tables as values of 0 and 1, (nodes, 2^k)."""
        return (self.logits(w) > 0).to(w.dtype)

    def noisy(self, w: torch.Tensor, temperature: float, generator) -> tuple[torch.Tensor, torch.Tensor]:
        """Relaxed and hard values under logistic noise, the Gumbel trick for two outcomes; one draw for the whole batch."""
        u = torch.rand(w.shape[0], self.weights, generator=generator, dtype=w.dtype, device=w.device).clamp(1e-6, 1 - 1e-6)
        logits = self.sharp(w) + torch.logit(u)
        return torch.sigmoid(logits / temperature), (logits > 0).to(w.dtype)


class TableLogits(Tabled):
    """``2^k`` logits a node: ``p = sigmoid(w)``.

    Source: the input-wise parametrisation of Rüttgers et al., 2025 (arXiv 2510.03250); for k > 2 the look-up tables of the
    weightless networks (DWN, arXiv 2410.11112).
    """

    def initial(self, nodes: int, init: str, strength: float, noise: float, generator=None) -> torch.Tensor:
        """``residual``: logits of ``strength`` for pass-through of operand 0, plus noise; ``random``: noise alone."""
        w = noise * torch.randn(nodes, self.weights, generator=generator)
        return w + strength * _pass_through(self.k) if init == "residual" else w

    def logits(self, w: torch.Tensor) -> torch.Tensor:
        return w


class Walsh(Tabled):
    """``2^k`` Walsh coefficients ``t`` a node: ``p[m] = sigmoid(-sum_S t_S prod_{i in S} s_i)`` with ``s_i = 1 - 2 m_i``.

    Between the corners the node is their multilinear extension, where the source squashes the extension of the logits; at
    operands of 0 and 1 the two agree. Source: WARP-LUT, 2025 (arXiv 2510.15655).
    """

    def initial(self, nodes: int, init: str, strength: float, noise: float, generator=None) -> torch.Tensor:
        """As ``TableLogits``: the noise of each table logit has the deviation ``noise``."""
        t = noise * torch.randn(nodes, self.weights, generator=generator) / self.weights**0.5
        return t - strength * _pass_through(self.k) @ _hadamard(self.k) / self.weights if init == "residual" else t

    def logits(self, w: torch.Tensor) -> torch.Tensor:
        return -w @ _like("hadamard", w, self.k)


class Mixture(Sharp):
    """Parametrisations of two inputs whose logits weigh the sixteen gates: ``p = softmax(logits) @ TRUTH``.

    Gate ``i`` is the gate whose table is ``i``; the frozen gate is the most probable one.
    """

    k = 2

    def __init__(self, k: int = 2):
        if k != 2:
            raise InputError(f"{type(self).__name__} weighs the sixteen gates of two inputs, not tables of {k}; use table or walsh")

    @staticmethod
    def _marginals(p: torch.Tensor) -> torch.Tensor:
        """Probabilities of gates (nodes, 16) to table values: bit j of gate i stands in dimension 4 - j of (2, 2, 2, 2)."""
        p = p.view(-1, 2, 2, 2, 2)
        return torch.stack([p.select(4 - j, 1).flatten(1).sum(1) for j in range(4)], -1)

    def values(self, w: torch.Tensor) -> torch.Tensor:
        """Weights (gates, weights) to table values (gates, 4)."""
        return self._marginals(torch.softmax(self.sharp(w), -1))

    def hard(self, w: torch.Tensor) -> torch.Tensor:
        """The frozen gates as values of 0 and 1, (gates, 4)."""
        return _like("truth", w)[self.logits(w).argmax(-1)]

    def noisy(self, w: torch.Tensor, temperature: float, generator) -> tuple[torch.Tensor, torch.Tensor]:
        """Relaxed and hard values under Gumbel noise; one draw for the whole batch."""
        u = torch.rand(w.shape[0], 16, generator=generator, dtype=w.dtype, device=w.device).clamp(1e-6, 1 - 1e-6)
        logits = self.sharp(w) - torch.log(-torch.log(u))
        return self._marginals(torch.softmax(logits / temperature, -1)), _like("truth", w)[logits.argmax(-1)]


class Softmax16(Mixture):
    """Sixteen logits a gate. Source: Petersen et al., 2022 (arXiv 2210.08277)."""

    weights, strength = 16, 5.0

    def initial(self, nodes: int, init: str, strength: float, noise: float, generator=None) -> torch.Tensor:
        """``residual``: logit ``strength`` on pass-through A, plus noise; ``random``: noise alone."""
        w = noise * torch.randn(nodes, 16, generator=generator)
        if init == "residual":
            w[:, TABLE["A"]] += strength
        return w

    def logits(self, w: torch.Tensor) -> torch.Tensor:
        return w


class CovJac(Mixture):
    """Four coefficients ``c`` of 1, a, b, ab, drawn to a code book: ``p = softmax(-|c - G_j|^2 / T) @ TRUTH``, ``T = 1/4``.

    ``G_j`` are the coefficients of gate ``j``. The Jacobian of the drawn coefficients is ``(2 / T)`` times their covariance over
    the gates. Source: Kim, 2026 (arXiv 2605.08657), as quoted second-hand; ``T`` is ours.
    """

    weights, strength, temperature = 4, 1.0, 0.25

    def initial(self, nodes: int, init: str, strength: float, noise: float, generator=None) -> torch.Tensor:
        """The mean gate, or for ``residual`` the way from it to pass-through A as far as ``strength`` (1: all of it); plus noise."""
        mean = _COEFFICIENTS.mean(0).float()
        w = mean + noise * torch.randn(nodes, 4, generator=generator)
        return w + strength * (_COEFFICIENTS[TABLE["A"]].float() - mean) if init == "residual" else w

    def logits(self, w: torch.Tensor) -> torch.Tensor:
        return -(w[:, None] - _like("coefficients", w)).square().sum(-1) / self.temperature


PARAMETRISATIONS = {"table": TableLogits, "softmax": Softmax16, "walsh": Walsh, "covjac": CovJac}


def parametrisation(name: str, k: int = 2):
    """The parametrisation of that name for nodes of ``k`` inputs."""
    if name not in PARAMETRISATIONS:
        raise InputError(f"parametrisation {name!r} is none of {', '.join(PARAMETRISATIONS)}")
    return PARAMETRISATIONS[name](k)


def _straight_through(soft: torch.Tensor, hard: torch.Tensor) -> torch.Tensor:
    """``hard`` in value, ``soft`` in gradient."""
    return hard + (soft - soft.detach())


def relaxed(node, w, temperature, generator):
    """The relaxed values. Source: Petersen et al., 2022."""
    return node.values(w)


def hard(node, w, temperature, generator):
    """The frozen network in forward, the relaxed values' gradient in backward (straight-through)."""
    return _straight_through(node.values(w), node.hard(w))


def gumbel(node, w, temperature, generator):
    """A node drawn anew for each step in forward, its relaxation's gradient in backward. Source: arXiv 2506.07500."""
    return _straight_through(*node.noisy(w, temperature, generator))


#: Estimator -> table values that a training step sees. ``efd`` is ``hard`` with the inputs' gradient as extended finite
#: differences: half the derivative at inputs blurred to 1/4 + x/2, which looks beyond the addressed entry (DWN, arXiv 2410.11112).
ESTIMATORS = {"relaxed": relaxed, "gumbel": gumbel, "hard": hard, "efd": hard}


def coefficients(values: torch.Tensor) -> torch.Tensor:
    """Table values (nodes, 2^k) to multilinear coefficients (nodes, 2^k); for k = 2 those of 1, a, b, ab; differentiable."""
    k = values.shape[-1].bit_length() - 1
    return values @ _like("mobius", values, k)


def tables(hard_values: torch.Tensor) -> torch.Tensor:
    """Values of 0 and 1 (nodes, 2^k) as truth tables (nodes,) int64; for k = 6 the bits of an unsigned 64-bit number."""
    m = torch.arange(hard_values.shape[-1], device=hard_values.device)
    return (hard_values.to(torch.int64) << m).sum(-1)


def hard_values(tables: torch.Tensor, dtype=torch.float32, k: int = 2) -> torch.Tensor:
    """The inverse of ``tables``: (nodes,) int64 to (nodes, 2^k)."""
    return (tables[:, None] >> torch.arange(2**k, device=tables.device) & 1).to(dtype)
