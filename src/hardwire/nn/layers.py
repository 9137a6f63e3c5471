"""The relaxed network as ordinary modules: ``LogicLayer``, ``GroupSum`` and ``LogicNetwork``."""

import numpy as np
import torch
from torch import nn

from ..errors import InputError
from . import cpu
from .nodes import INITS, hard_values, parametrisation
from .wiring import random_pairs


@torch.compiler.disable(reason="hardwire's gate kernel runs outside the compiled graph; drop fullgraph=True")
def _stack(x, values, pairs, ends, classes):
    return cpu.Stack.apply(x, values, pairs, ends, classes)


@torch.compiler.disable(reason="hardwire's gate kernel runs outside the compiled graph; drop fullgraph=True")
def _interaction(values):
    return cpu.Interaction.apply(values)


def _check(x: torch.Tensor, inputs: int, weight: torch.Tensor, who: str) -> torch.Tensor:
    """``x`` in the weights' dtype, or InputError."""
    if x.ndim != 2 or x.shape[1] != inputs:
        raise InputError(f"{who} reads (samples, {inputs}), but was given {tuple(x.shape)}")
    for what, tensor in (("input is", x), ("weights are", weight)):
        if tensor.device.type != "cpu":
            raise InputError(f"{who} runs on the CPU, but its {what} on {tensor.device}; move with .cpu()")
    if weight.dtype not in (torch.float32, torch.float64) or x.is_complex():
        raise InputError(f"{who} computes in float32 or float64, not {x.dtype if x.is_complex() else weight.dtype}; convert it")
    return x.to(weight.dtype)


class LogicLayer(nn.Module):
    """A layer of two-input gates, ``(samples, in_features) -> (samples, out_features)``.

    ``y_g = c0 + c1 a + c2 b + c3 a b``, with ``a, b`` the two inputs that gate ``g`` is wired to and ``c`` what the
    parametrisation makes of its weights. In ``eval()`` the gate is the frozen Boolean one. The wiring is a buffer, saved with
    the weights. Source: Petersen et al., 2022.

    parametrisation  ``table`` (four logits) or ``softmax`` (sixteen)
    init, strength, noise  ``residual``: start as pass-through of operand A; ``random``: start as noise
    pairs            (out_features, 2) wiring; default random without repeated pairs
    """

    def __init__(self, in_features: int, out_features: int, *, parametrisation_name: str = "table", init: str = "residual",
                 strength: float | None = None, noise: float = 1.0, pairs=None, seed: int = 0):
        super().__init__()
        if init not in INITS:
            raise InputError(f"init {init!r} is none of {', '.join(INITS)}")
        if in_features < 2 or out_features < 1:
            raise InputError(f"a LogicLayer needs at least 2 inputs and 1 gate, not {in_features} and {out_features}")
        self.in_features, self.out_features = in_features, out_features
        self.parametrisation = parametrisation_name
        self.node = parametrisation(parametrisation_name)
        rng = np.random.default_rng([seed, in_features, out_features])
        if pairs is None:
            pairs = random_pairs(np.arange(in_features), out_features, rng)
        pairs = np.asarray(pairs)
        if pairs.dtype.kind not in "ui":
            raise InputError(f"wiring has dtype {pairs.dtype}; give integers, the numbers of the inputs")
        if pairs.shape != (out_features, 2) or pairs.min() < 0 or pairs.max() >= in_features:
            raise InputError(f"wiring of shape {pairs.shape} does not give {out_features} gates two of {in_features} inputs")
        self.register_buffer("pairs", torch.from_numpy(np.array(pairs, dtype=np.int32, order="C")))
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        strength = STRENGTH[parametrisation_name] if strength is None else strength
        self.weight = nn.Parameter(self.node.initial(out_features, init, strength, noise, generator))

    def values(self) -> torch.Tensor:
        """Table values (gates, 4): relaxed in training mode, 0 and 1 in ``eval()``."""
        return self.node.values(self.weight) if self.training else hard_values(self.tables(), self.weight.dtype)

    def tables(self) -> torch.Tensor:
        """The frozen gates as truth tables, (gates,) int64."""
        return self.node.tables(self.weight.detach())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = _check(x, self.in_features, self.weight, "LogicLayer")
        return _stack(x, self.values(), self.pairs.numpy(), np.array([self.out_features]), 0)

    def extra_repr(self) -> str:
        return f"{self.in_features}, {self.out_features}, {self.parametrisation}"


STRENGTH = {"table": 2.0, "softmax": 5.0}


class GroupSum(nn.Module):
    """``logit_c = (1 / tau) sum`` of the ``c``-th of ``classes`` equal, contiguous groups of features.

    Shapes: (samples, features) -> (samples, classes).
    """

    def __init__(self, classes: int, tau: float = 1.0):
        super().__init__()
        if classes < 1 or not tau > 0:
            raise InputError(f"GroupSum needs at least one class and tau > 0, not {classes} and {tau}")
        self.classes, self.tau = classes, float(tau)

    def check(self, features: int) -> None:
        if features % self.classes:
            raise InputError(f"{features} outputs cannot be shared evenly by {self.classes} classes; "
                             f"use a multiple of {self.classes}")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.check(x.shape[1])
        return x.unflatten(1, (self.classes, -1)).sum(-1) / self.tau

    def extra_repr(self) -> str:
        return f"{self.classes}, tau={self.tau:g}"


class LogicNetwork(nn.Module):
    """Logic layers and a group sum, run as one fused stack: ``(samples, bits) -> (samples, classes)`` logits.

    The same function as ``nn.Sequential(*layers, head)``, several times faster: a block of samples goes through all layers
    while it is in the cache, and the group sum never leaves it. ``train()`` is the relaxed network, ``eval()`` the frozen one.
    """

    def __init__(self, layers, head: GroupSum):
        super().__init__()
        self.layers = nn.ModuleList(layers)
        if not self.layers:
            raise InputError("a LogicNetwork needs at least one LogicLayer")
        self.head = head
        for before, after in zip(self.layers, self.layers[1:]):
            if before.out_features != after.in_features:
                raise InputError(f"a layer of {before.out_features} gates feeds one that reads {after.in_features}")
            if before.parametrisation != after.parametrisation:
                raise InputError("the layers of one LogicNetwork share a parametrisation; use nn.Sequential to mix them")
        head.check(self.layers[-1].out_features)

    @property
    def in_features(self) -> int:
        return self.layers[0].in_features

    @property
    def gates(self) -> int:
        return sum(layer.out_features for layer in self.layers)

    def values(self) -> torch.Tensor:
        """Table values of all gates, layer after layer, (gates, 4)."""
        if self.training:
            return self.layers[0].node.values(torch.cat([layer.weight for layer in self.layers]))
        return hard_values(self.tables(), self.layers[0].weight.dtype)

    def gate_cost(self) -> torch.Tensor:
        """Mean over the gates of ``|c3|``, the coefficient of ``ab``; a scalar with gradient, for a penalty in the loss.

        It is 0 exactly for constants, wires and inverters, which cost nothing in hardware, 1 for the eight gates of the
        AND kind and 2 for XOR and XNOR.
        """
        return _interaction(self.values())

    def tables(self) -> torch.Tensor:
        """The frozen gates of all layers, (gates,) int64."""
        return torch.cat([layer.tables() for layer in self.layers])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = _check(x, self.in_features, self.layers[0].weight, "LogicNetwork")
        pairs = torch.cat([layer.pairs for layer in self.layers]).numpy()
        ends = np.cumsum([layer.out_features for layer in self.layers])
        return _stack(x, self.values(), pairs, ends, self.head.classes) / self.head.tau
