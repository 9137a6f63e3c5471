"""The relaxed network's layers as ordinary modules: ``Nodes``, what all have that have weights, and ``LogicLayer``."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from ...core.errors import InputError
from ..kernels.cache import kept
from ..kernels.ops import kernels_for
from .nodes import ESTIMATORS, INITS, parametrisation, tables
from .phase import LayerPhase
from .wiring import random_inputs


def check_input(x: torch.Tensor, inputs: int, weight: torch.Tensor, who: str) -> torch.Tensor:
    """``x`` in the weights' dtype, or on a GPU in half precision if it is.

    Raises
    ------
    InputError
        ``x`` is not (samples, inputs), lies elsewhere than the weights, or one of them is of a type without kernels;
        or torch traces the module for an export.
    """
    if torch.compiler.is_exporting() or torch.onnx.is_in_onnx_export() or torch.jit.is_tracing():  # type: ignore[attr-defined,no-untyped-call]
        raise InputError(f"{who} cannot be exported by torch, which would write a constant in its place; lower it and "
                         f"write the circuit: hardwire.lower(network, encoder).emit('onnx', folder)")
    if x.ndim != 2 or x.shape[1] != inputs:
        raise InputError(f"{who} reads (samples, {inputs}), but was given {tuple(x.shape)}")
    if x.device != weight.device:
        raise InputError(f"{who} has its weights on {weight.device} and its input on {x.device}; move one with .to()")
    if x.device.type not in ("cpu", "cuda"):
        raise InputError(f"{who} runs on the CPU or a CUDA GPU, but its input is on {x.device}; move it with .cpu()")
    if weight.dtype not in (torch.float32, torch.float64) or x.is_complex():
        raise InputError(f"{who} computes in float32 or float64, not {x.dtype if x.is_complex() else weight.dtype}; "
                         f"convert it")
    return x if x.is_cuda and x.dtype in (torch.bfloat16, torch.float16) else x.to(weight.dtype)


class Nodes(nn.Module):
    """What every layer of gates or tables has: weights, their parametrisation and an estimator.

    Parameters
    ----------
    nodes, fan_in
        How many nodes there are, and the inputs of each.
    parametrisation_name
        ``table`` (2^k logits), ``softmax`` (sixteen), ``walsh`` or ``covjac``.
    init, strength, noise
        ``residual``: start as pass-through of operand 0; ``random``: start as noise.
    estimator
        What a training step sees: ``relaxed``, ``hard``, ``gumbel`` or ``efd``, see ``nodes``.
    temperature
        Of the Gumbel relaxation.
    rng
        Seeds the weights.

    Notes
    -----
    ``phase`` is what training sees of the layer; assign another, or let ``LogicNetwork.set_phase`` do so. Forward
    changes nothing in the layer.
    """

    in_features: int
    out_features: int

    def __init__(self, nodes: int, fan_in: int, *, parametrisation_name: str, init: str, strength: float | None,
                 noise: float, estimator: str, temperature: float, rng: np.random.Generator) -> None:
        super().__init__()
        choices: dict[str, tuple[str, Sequence[str]]] = {"init": (init, INITS), "estimator": (estimator, [*ESTIMATORS])}
        for what, (given, allowed) in choices.items():
            if given not in allowed:
                raise InputError(f"{what} {given!r} is none of {', '.join(allowed)}")
        if not temperature > 0:
            raise InputError(f"temperature = {temperature} must be above 0")
        self.parametrisation, self.estimator, self.temperature = parametrisation_name, estimator, float(temperature)
        self.node = parametrisation(parametrisation_name, fan_in)
        self.fan_in = fan_in
        self.phase = LayerPhase()
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        strength = self.node.strength if strength is None else strength
        self.weight = nn.Parameter(self.node.initial(nodes, init, strength, noise, generator))

    def values(self, generator: torch.Generator | None = None) -> torch.Tensor:
        """Table values (nodes, 2^fan_in): the estimator's in training mode, 0 and 1 in ``eval()``."""
        return values_of([self], generator)

    def tables(self) -> torch.Tensor:
        """The frozen nodes as truth tables, (nodes,) int64."""
        return tables(self.node.hard(self.weight.detach()))

    @property
    def gates(self) -> int:
        """Nodes of the frozen layer."""
        return len(self.weight)

    @property
    def two_input_gates(self) -> int:
        """How many of ``gates`` have two inputs."""
        return self.gates if self.fan_in == 2 else 0

    def two_input_values(self) -> torch.Tensor:
        """Relaxed table values (nodes, 4) of the nodes of two inputs, with gradient unless the layer is frozen."""
        w = self.weight.detach() if self.phase.frozen else self.weight
        return self.node.values(w, self.phase.sharpness)

    def stacks(self) -> bool:
        """Whether the layer can be a part of one fused stack in the present mode and phase."""
        return False

    @property
    def trains(self) -> bool:
        """Whether the layer is, at present, the relaxed one."""
        return self.training and not self.phase.frozen

    @property
    def efd(self) -> bool:
        """Whether the inputs' gradient is, at present, that of extended finite differences."""
        return self.trains and self.estimator == "efd"

    def same_kind(self, other: "Nodes") -> bool:
        """Whether the values of both can be had in one go."""
        names = ("parametrisation", "estimator", "temperature", "fan_in", "trains")
        same = all(getattr(self, name) == getattr(other, name) for name in names)
        return same and (self.phase.sharpness, self.phase.hard) == (other.phase.sharpness, other.phase.hard)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.extra_repr()})"


def values_of(layers: Sequence[Nodes], generator: torch.Generator | None = None) -> torch.Tensor:
    """Table values of layers of one kind, one after the other."""
    first = layers[0]
    w: torch.Tensor = first.weight if len(layers) == 1 else torch.cat([layer.weight for layer in layers])
    if not first.trains:
        return first.node.hard(w.detach())
    name = "hard" if first.phase.hard and first.estimator == "relaxed" else first.estimator
    return ESTIMATORS[name](first.node, w, first.temperature, generator, first.phase.sharpness)


class LogicLayer(Nodes):
    """A layer of two-input gates, or of look-up tables of up to six inputs.

    Shapes: (samples, in_features) -> (samples, out_features).


    ``y_g = c0 + c1 a + c2 b + c3 a b``, with ``a, b`` the two inputs that gate ``g`` is wired to and ``c`` what the
    parametrisation makes of its weights; with ``fan_in`` k > 2 the multilinear extension of a table of ``2^k`` values.
    In ``eval()`` the node is the frozen Boolean one. The wiring is a buffer, saved with the weights.

    Parameters
    ----------
    pairs
        (out_features, fan_in) wiring; default random, without repeated pairs.
    candidates
        Learned wiring: each operand is a mixture of so many inputs (a multiple of 4), ``softmax(choice)`` their shares;
        frozen, it reads the one with the largest share. A number, or an array (out_features, fan_in, candidates). Where
        the phase says ``fixed_wiring``, training too reads the wires of the largest shares, and these learn no more.
    routing
        ``soft``: the mixture; ``hard``: the largest share alone in forward, the mixture's gradient in backward.
    **others
        See ``Nodes``.

    References
    ----------
    Petersen et al., 2022; for learned wiring Mommen et al., 2025 (arXiv 2507.06173) and LILogicNet, 2025 (arXiv
    2511.12340).
    """

    pairs: torch.Tensor
    candidates: torch.Tensor

    def __init__(  # noqa: PLR0913
        self, in_features: int, out_features: int, *, parametrisation_name: str = "table", init: str = "residual",
        strength: float | None = None, noise: float = 1.0, pairs: ArrayLike | None = None, seed: int = 0,
        fan_in: int = 2, candidates: int | ArrayLike = 0, routing: str = "soft", estimator: str = "relaxed",
        temperature: float = 1.0,
    ) -> None:
        if in_features < 2 or out_features < 1:
            raise InputError(f"a LogicLayer needs at least 2 inputs and 1 gate, not {in_features} and {out_features}")
        rng = np.random.default_rng([seed, in_features, out_features])
        learn = np.ndim(candidates) > 0 or candidates != 0
        if pairs is not None and learn:
            raise InputError("a LogicLayer takes pairs, or candidates to learn them from, not both")
        if pairs is None and not learn:
            pairs = random_inputs(np.arange(in_features), out_features, rng, fan_in)
        super().__init__(out_features, fan_in, parametrisation_name=parametrisation_name, init=init, strength=strength,
                         noise=noise, estimator=estimator, temperature=temperature, rng=rng)
        self.in_features, self.out_features, self.routing = in_features, out_features, routing
        self.learned = pairs is None
        if pairs is None:
            self._learn(candidates, rng)
        else:
            self.register_buffer("pairs", self._wiring(pairs, (out_features, fan_in)))

    def _wiring(self, given: ArrayLike, shape: tuple[int, ...]) -> torch.Tensor:
        wires: NDArray[np.generic] = np.asarray(given)
        if wires.dtype.kind not in "ui":
            raise InputError(f"wiring has dtype {wires.dtype}; give integers, the numbers of the inputs")
        if wires.shape != shape or wires.min() < 0 or wires.max() >= self.in_features:
            raise InputError(f"wiring of shape {wires.shape} does not give {self.out_features} gates {shape[1]} of "
                             f"{self.in_features} inputs")
        return torch.from_numpy(np.array(wires, dtype=np.int32, order="C"))

    def _learn(self, candidates: int | ArrayLike, rng: np.random.Generator) -> None:
        k = int(np.shape(candidates)[-1] if np.ndim(candidates) else np.asarray(candidates))
        if k < 4 or k % 4:
            raise InputError(f"learned wiring is for operands with 4, 8, 12, ... candidates, not {k}")
        if self.routing not in ("soft", "hard"):
            raise InputError(f"routing {self.routing!r} is none of soft, hard")
        if np.ndim(candidates) == 0:
            drawn = random_inputs(np.arange(self.in_features), self.out_features, rng, self.fan_in * k)
            candidates = drawn.reshape(-1, self.fan_in, k)
        self.register_buffer("candidates", self._wiring(candidates, (self.out_features, self.fan_in, k)))
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        self.choice = nn.Parameter(torch.randn(self.out_features, self.fan_in, k, generator=generator))

    def wires(self) -> torch.Tensor:
        """The inputs that each frozen node reads, (out_features, fan_in) int32.

        Notes
        -----
        On a GPU the result of learned wiring is kept and is the same tensor as long as ``choice`` counts no change, so
        that the GPU need not be asked again. A fused optimizer counts none: after its step call
        ``torch.autograd.graph.increment_version``. Elsewhere, and in compiled graphs, it is computed anew.
        """
        if not self.learned:
            return self.pairs
        if torch.compiler.is_compiling() or not self.choice.is_cuda:
            return self._largest()
        return kept([self.candidates, self.choice], "wires", self._largest)

    def _largest(self) -> torch.Tensor:
        with torch.inference_mode(False):
            largest = self.choice.detach().argmax(-1, keepdim=True)
            return self.candidates.gather(2, largest).squeeze(-1)

    def shares(self) -> torch.Tensor:
        """Learned wiring: the candidates' shares of each operand, (out_features, fan_in, candidates)."""
        soft = self._soft_shares()
        if self.routing == "soft":
            return soft
        hard = torch.zeros_like(soft).scatter_(-1, soft.argmax(-1, keepdim=True), 1.0)
        return hard + (soft - soft.detach())

    @torch.no_grad()
    def redraw(self, seed: Sequence[int]) -> torch.Tensor:
        """Replace candidates that have lost: those of a share below a quarter of the mean one, ``1 / (4 K)``.

        A new candidate is one of the layer's inputs that are candidates anywhere, each as likely as it is often among
        them, and gets its operand's mean logit. The wire that is read stays.

        Parameters
        ----------
        seed
            Of the draw.

        Returns
        -------
        torch.Tensor
            Which were replaced, bool (out_features, fan_in, candidates).
        """
        many = self.candidates.shape[-1]
        shares = torch.softmax(self.choice * self.phase.sharpness, -1)
        lost = shares < 1 / (4 * many)
        rng, present = np.random.default_rng(seed), self.candidates.cpu().numpy().ravel()
        fresh = torch.from_numpy(rng.choice(present, self.candidates.shape)).to(self.candidates)
        self.candidates.copy_(torch.where(lost, fresh, self.candidates))
        self.choice.copy_(torch.where(lost, self.choice.mean(-1, keepdim=True), self.choice))
        return lost

    def _soft_shares(self) -> torch.Tensor:
        return torch.softmax(self.choice * self.phase.sharpness, -1)

    def forward(self, x: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
        """Outputs (samples, out_features) of inputs (samples, in_features)."""
        x = check_input(x, self.in_features, self.weight, "LogicLayer")
        values, kernels = self.values(generator), kernels_for(x.device)
        if self.fan_in > 2:
            return self._tables(x, values)
        if not self.stacks():
            return kernels.mixed(x, self.shares(), values, self.candidates, self.efd)
        return kernels.stack(x, values, [self.wires()], 0, self.efd)

    def _tables(self, x: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """``forward`` of tables of more than two inputs."""
        kernels = kernels_for(x.device)
        if not (self.learned and self.trains) or self.phase.fixed_wiring:
            return kernels.lut(x, values, self.wires(), self.efd)
        if self.routing == "soft":
            return kernels.mixed_lut(x, self.shares(), values, self.candidates, self.efd)
        return kernels.routed(x, self._soft_shares(), values, self.choice, self.candidates, self.efd)

    def extra_repr(self) -> str:
        """What is printed of the layer."""
        more = [f"fan_in={self.fan_in}"] * (self.fan_in > 2)
        more += [f"{self.candidates.shape[-1]} candidates"] if self.learned else []
        return ", ".join([str(self.in_features), str(self.out_features), self.parametrisation, *more])

    def stacks(self) -> bool:
        """See ``Nodes.stacks``: gates whose wires are fixed, or are so at present."""
        return self.fan_in == 2 and not (self.learned and self.trains and not self.phase.fixed_wiring)
