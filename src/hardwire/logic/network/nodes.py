"""Parametrisations and estimators: what the trained weights of a node mean, and how its hardness is trained.

A node of ``k`` inputs is a table of ``2^k`` values

    p[m] = the relaxed node's value at the operands whose bits are ``m`` (operand 0 least significant), in [0, 1]

and the kernels evaluate its multilinear extension; for ``k = 2``, ``y = c0 + c1 a + c2 b + c3 ab``. A *parametrisation*
maps weights to logits and logits to ``p``; ``tables`` is the frozen node. An *estimator* says which ``p`` a training
step sees. A new parametrisation is one class here and one row in ``PARAMETRISATIONS``.
"""

import functools
from collections.abc import Callable
from typing import Literal

import torch
from torch import nn

from ...core.errors import InputError
from ...core.gates import COEFFICIENTS, TABLE, TRUTH, mobius

ParametrisationName = Literal["table", "softmax", "walsh", "covjac"]
EstimatorName = Literal["relaxed", "gumbel", "hard", "efd"]
InitName = Literal["residual", "random"]

MAX_FAN_IN = 6
INITS: tuple[InitName, ...] = ("residual", "random")
_COEFFICIENTS = torch.tensor(COEFFICIENTS)


def _pass_through(k: int) -> torch.Tensor:
    """Signs (2^k,) of the table that repeats operand 0: +1 at odd addresses."""
    return 2.0 * (torch.arange(2**k) % 2) - 1


def _hadamard(k: int) -> torch.Tensor:
    """``H[m, S] = (-1)^|m & S|``, (2^k, 2^k)."""
    matrix = torch.ones(1, 1)
    for _ in range(k):
        matrix = torch.kron(torch.tensor([[1.0, 1.0], [1.0, -1.0]]), matrix)
    return matrix


class Parametrisation(nn.Module):
    """What the weights of nodes mean. It has no weights of its own, only constants, which move with the layer.

    ``weights`` is the number of weights of a node, ``strength`` the default size of a residual start. ``sharpness``, in
    the methods, is a factor of all logits that training may raise; it moves no frozen node.
    """

    k: int
    weights: int
    strength: float

    def initial(self, nodes: int, init: str, strength: float, noise: float,
                generator: torch.Generator | None = None) -> torch.Tensor:
        """Weights (nodes, weights) to start from: ``residual`` passes operand 0 on, ``random`` is noise alone."""
        raise NotImplementedError

    def certain(self, values: torch.Tensor, strength: float) -> torch.Tensor:
        """Weights (nodes, weights) of nodes that freeze to ``values`` of 0 and 1 (nodes, 2^k), as ``initial``'s do."""
        raise NotImplementedError

    def logits(self, w: torch.Tensor) -> torch.Tensor:
        """Weights (nodes, weights) to logits."""
        raise NotImplementedError

    def values(self, w: torch.Tensor, sharpness: float = 1.0) -> torch.Tensor:
        """Weights (nodes, weights) to table values (nodes, 2^k)."""
        raise NotImplementedError

    def hard(self, w: torch.Tensor) -> torch.Tensor:
        """The frozen nodes as values of 0 and 1, (nodes, 2^k)."""
        raise NotImplementedError

    def noisy(self, w: torch.Tensor, temperature: float, generator: torch.Generator | None,
              sharpness: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
        """Relaxed and hard values under Gumbel noise; one draw for the whole batch."""
        raise NotImplementedError

    def sharp(self, w: torch.Tensor, sharpness: float) -> torch.Tensor:
        """The logits as training sees them."""
        return self.logits(w) if sharpness == 1 else sharpness * self.logits(w)

    def uniform(self, w: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
        """Random numbers for each logit, away from 0 and 1."""
        u = torch.rand(w.shape[0], self.weights, generator=generator, dtype=w.dtype, device=w.device)
        return u.clamp(1e-6, 1 - 1e-6)


class Tabled(Parametrisation):
    """Parametrisations whose logits are the table's: ``p = sigmoid(logits)``; the frozen table is ``logits > 0``."""

    strength = 2.0

    def __init__(self, k: int = 2, *, least: int = 2) -> None:
        super().__init__()
        if not least <= k <= MAX_FAN_IN:
            raise InputError(f"a node of {k} inputs is not offered; choose 2 to {MAX_FAN_IN}")
        self.k, self.weights = k, 2**k

    def values(self, w: torch.Tensor, sharpness: float = 1.0) -> torch.Tensor:
        """See ``Parametrisation.values``."""
        return torch.sigmoid(self.sharp(w, sharpness))

    def hard(self, w: torch.Tensor) -> torch.Tensor:
        """See ``Parametrisation.hard``."""
        return (self.logits(w) > 0).to(w.dtype)

    def noisy(self, w: torch.Tensor, temperature: float, generator: torch.Generator | None,
              sharpness: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
        """Under logistic noise, which is the Gumbel trick for two outcomes."""
        u = self.uniform(w, generator)
        logits = self.sharp(w, sharpness) + torch.logit(u)
        return torch.sigmoid(logits / temperature), (logits > 0).to(w.dtype)


class TableLogits(Tabled):
    """``2^k`` logits a node: ``p = sigmoid(w)``.

    References
    ----------
    The input-wise parametrisation of Rüttgers et al., 2025 (arXiv 2510.03250); for k > 2 the look-up tables of the
    weightless networks (DWN, arXiv 2410.11112).
    """

    def initial(self, nodes: int, init: str, strength: float, noise: float,
                generator: torch.Generator | None = None) -> torch.Tensor:
        """Logits of ``strength`` for pass-through of operand 0 (``residual`` alone), plus noise."""
        w = noise * torch.randn(nodes, self.weights, generator=generator)
        return w + strength * _pass_through(self.k) if init == "residual" else w

    def certain(self, values: torch.Tensor, strength: float) -> torch.Tensor:
        """Logits of ``strength``."""
        return strength * (2 * values - 1)

    def logits(self, w: torch.Tensor) -> torch.Tensor:
        """See ``Parametrisation.logits``."""
        return w


class Walsh(Tabled):
    """``2^k`` Walsh coefficients ``t`` a node: ``p[m] = sigmoid(-sum_S t_S prod_{i in S} s_i)``, ``s_i = 1 - 2 m_i``.

    Between the corners the node is their multilinear extension, where the source squashes the extension of the logits;
    at operands of 0 and 1 the two agree.

    References
    ----------
    WARP-LUT, 2025 (arXiv 2510.15655).
    """

    hadamard: torch.Tensor

    def __init__(self, k: int = 2, *, least: int = 2) -> None:
        super().__init__(k, least=least)
        self.register_buffer("hadamard", _hadamard(k), persistent=False)

    def initial(self, nodes: int, init: str, strength: float, noise: float,
                generator: torch.Generator | None = None) -> torch.Tensor:
        """As ``TableLogits``: the noise of each table logit has the deviation ``noise``."""
        t: torch.Tensor = noise * torch.randn(nodes, self.weights, generator=generator) / self.weights**0.5
        return t - strength * _pass_through(self.k) @ self.hadamard / self.weights if init == "residual" else t

    def certain(self, values: torch.Tensor, strength: float) -> torch.Tensor:
        """Coefficients whose logits have the size ``strength``."""
        return -strength * (2 * values - 1) @ self.hadamard.to(values) / self.weights

    def logits(self, w: torch.Tensor) -> torch.Tensor:
        """See ``Parametrisation.logits``."""
        logits: torch.Tensor = -w @ self.hadamard.to(w)
        return logits


class Mixture(Parametrisation):
    """Parametrisations of two inputs whose logits weigh the sixteen gates: ``p = softmax(logits) @ TRUTH``.

    Gate ``i`` is the gate whose table is ``i``; the frozen gate is the most probable one.
    """

    truth: torch.Tensor
    k = 2

    def __init__(self, k: int = 2) -> None:
        super().__init__()
        if k != 2:
            raise InputError(f"{type(self).__name__} weighs the sixteen gates of two inputs, not tables of {k}; "
                             f"use table or walsh")
        self.register_buffer("truth", torch.tensor(TRUTH).float(), persistent=False)

    @staticmethod
    def _marginals(p: torch.Tensor) -> torch.Tensor:
        """Probabilities of gates (nodes, 16) to table values: bit j of gate i is dimension 4 - j of (2, 2, 2, 2)."""
        p = p.view(-1, 2, 2, 2, 2)
        return torch.stack([p.select(4 - j, 1).flatten(1).sum(1) for j in range(4)], -1)

    def values(self, w: torch.Tensor, sharpness: float = 1.0) -> torch.Tensor:
        """See ``Parametrisation.values``."""
        return self._marginals(torch.softmax(self.sharp(w, sharpness), -1))

    def hard(self, w: torch.Tensor) -> torch.Tensor:
        """See ``Parametrisation.hard``."""
        return self.truth.to(w)[self.logits(w).argmax(-1)]

    def uniform(self, w: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
        """See ``Parametrisation.uniform``."""
        u = torch.rand(w.shape[0], 16, generator=generator, dtype=w.dtype, device=w.device)
        return u.clamp(1e-6, 1 - 1e-6)

    def noisy(self, w: torch.Tensor, temperature: float, generator: torch.Generator | None,
              sharpness: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
        """See ``Parametrisation.noisy``."""
        u = self.uniform(w, generator)
        logits = self.sharp(w, sharpness) - torch.log(-torch.log(u))
        return self._marginals(torch.softmax(logits / temperature, -1)), self.truth.to(w)[logits.argmax(-1)]


class Softmax16(Mixture):
    """Sixteen logits a gate.

    References
    ----------
    Petersen et al., 2022 (arXiv 2210.08277).
    """

    weights, strength = 16, 5.0

    def initial(self, nodes: int, init: str, strength: float, noise: float,
                generator: torch.Generator | None = None) -> torch.Tensor:
        """Logit ``strength`` on pass-through A (``residual`` alone), plus noise."""
        w = noise * torch.randn(nodes, 16, generator=generator)
        if init == "residual":
            w[:, TABLE["A"]] += strength
        return w

    def certain(self, values: torch.Tensor, strength: float) -> torch.Tensor:
        """Logit ``strength`` on the gate."""
        return strength * nn.functional.one_hot(tables(values), 16).to(values)

    def logits(self, w: torch.Tensor) -> torch.Tensor:
        """See ``Parametrisation.logits``."""
        return w


class CovJac(Mixture):
    """Four coefficients ``c`` of 1, a, b, ab, drawn to a code book: ``p = softmax(-|c - G_j|^2 / T) @ TRUTH``.

    ``T`` is 1/4, ``G_j`` are the coefficients of gate ``j``. The Jacobian of the drawn coefficients is ``(2 / T)``
    times their covariance over the gates.

    References
    ----------
    Kim, 2026 (arXiv 2605.08657), as quoted second-hand; ``T`` is ours.
    """

    book: torch.Tensor
    weights, strength, temperature = 4, 1.0, 0.25

    def __init__(self, k: int = 2) -> None:
        super().__init__(k)
        self.register_buffer("book", _COEFFICIENTS.float(), persistent=False)

    def initial(self, nodes: int, init: str, strength: float, noise: float,
                generator: torch.Generator | None = None) -> torch.Tensor:
        """The mean gate, or for ``residual`` as far as ``strength`` (1: all the way) to pass-through A; plus noise."""
        mean = _COEFFICIENTS.mean(0).float()
        w = mean + noise * torch.randn(nodes, 4, generator=generator)
        return w + strength * (_COEFFICIENTS[TABLE["A"]].float() - mean) if init == "residual" else w

    def certain(self, values: torch.Tensor, strength: float) -> torch.Tensor:
        """The gate's own coefficients, whatever the ``strength``: others are nearer to other gates."""
        return self.book.to(values)[tables(values)]

    def logits(self, w: torch.Tensor) -> torch.Tensor:
        """See ``Parametrisation.logits``."""
        return -(w[:, None] - self.book.to(w)).square().sum(-1) / self.temperature


PARAMETRISATIONS: dict[str, type[Tabled] | type[Mixture]] = {
    "table": TableLogits, "softmax": Softmax16, "walsh": Walsh, "covjac": CovJac}


def parametrisation(name: str, k: int = 2) -> Parametrisation:
    """The parametrisation of that name for nodes of ``k`` inputs."""
    if name not in PARAMETRISATIONS:
        raise InputError(f"parametrisation {name!r} is none of {', '.join(PARAMETRISATIONS)}")
    return PARAMETRISATIONS[name](k)


def _straight_through(soft: torch.Tensor, hard: torch.Tensor) -> torch.Tensor:
    """``hard`` in value, ``soft`` in gradient."""
    return hard + (soft - soft.detach())


def relaxed(node: Parametrisation, w: torch.Tensor, temperature: float, generator: torch.Generator | None,
            sharpness: float = 1.0) -> torch.Tensor:
    """The relaxed values (Petersen et al., 2022)."""
    return node.values(w, sharpness)


def hard(node: Parametrisation, w: torch.Tensor, temperature: float, generator: torch.Generator | None,
         sharpness: float = 1.0) -> torch.Tensor:
    """The frozen network in forward, the relaxed values' gradient in backward (straight-through)."""
    return _straight_through(node.values(w, sharpness), node.hard(w))


def gumbel(node: Parametrisation, w: torch.Tensor, temperature: float, generator: torch.Generator | None,
           sharpness: float = 1.0) -> torch.Tensor:
    """A node drawn anew for each step in forward, its relaxation's gradient in backward (arXiv 2506.07500)."""
    return _straight_through(*node.noisy(w, temperature, generator, sharpness))


Estimator = Callable[..., torch.Tensor]
#: Estimator -> table values that a training step sees. ``efd`` is ``hard`` with the inputs' gradient as extended finite
#: differences: half the derivative at inputs blurred to 1/4 + x/2, which reaches beyond the addressed entry (DWN, arXiv
#: 2410.11112).
ESTIMATORS: dict[str, Estimator] = {"relaxed": relaxed, "gumbel": gumbel, "hard": hard, "efd": hard}


@functools.cache
def _mobius(k: int, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    with torch.inference_mode(False):  # else the kept one could not take part in autograd later
        return torch.from_numpy(mobius(k).T).to(device, dtype)


def coefficients(values: torch.Tensor) -> torch.Tensor:
    """Table values (nodes, 2^k) to multilinear coefficients, for k = 2 those of 1, a, b, ab; differentiable."""
    k = values.shape[-1].bit_length() - 1
    return values @ _mobius(k, values.dtype, values.device)


def tables(hard_values: torch.Tensor) -> torch.Tensor:
    """Values of 0 and 1 (nodes, 2^k) as truth tables (nodes,) int64, for k = 6 the bits of an unsigned number."""
    m = torch.arange(hard_values.shape[-1], device=hard_values.device)
    return (hard_values.to(torch.int64) << m).sum(-1)


def hard_values(tables: torch.Tensor, dtype: torch.dtype = torch.float32, k: int = 2) -> torch.Tensor:
    """The inverse of ``tables``: (nodes,) int64 to (nodes, 2^k)."""
    return (tables[:, None] >> torch.arange(2**k, device=tables.device) & 1).to(dtype)
