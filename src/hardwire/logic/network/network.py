"""``LogicNetwork``: layers and head, run as one."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby, pairwise
from typing import Any, TypeAlias, cast

import torch
from torch import nn

from ...core.cards import card
from ...core.errors import InputError
from ..kernels.ops import kernels_for
from ..kernels.reference import Soft, cross_entropy
from .conv import LogicConv2d, OrPool2d
from .graph import LogicGraph
from .heads import GroupSum, Head
from .layers import LogicLayer, Nodes, check_input, values_of
from .phase import Phase

Layer: TypeAlias = LogicLayer | LogicConv2d | OrPool2d | LogicGraph
#: Runs of like layers that a printed network names.
MOST_RUNS = 8


def check_classes(y: torch.Tensor, samples: int, classes: int) -> None:
    """InputError unless ``y`` can hold a class for each sample; their range is checked where they are read."""
    if y.dtype != torch.int64 or y.shape != (samples,):
        raise InputError(f"y of shape {tuple(y.shape)} and type {y.dtype} does not hold a class below {classes} for "
                         f"each of {samples} samples; give int64 class numbers")


class LogicNetwork(nn.Module):
    """Logic layers and a head, run with as much fused as possible: (samples, bits) -> (samples, outputs).

    The same function as ``nn.Sequential(*layers, head)``, several times faster: a block of samples goes through runs of
    layers of gates while it is in the cache, and the group sum never leaves it. ``train()`` is the relaxed network,
    ``eval()`` the frozen one. Each layer flattens its image as (channel, row, column).

    Parameters
    ----------
    layers
        ``LogicLayer``, ``LogicConv2d``, ``LogicGraph`` and ``OrPool2d``, at least one with weights.
    head
        What the outputs are.
    seed
        Of the noise of Gumbel estimators.

    Notes
    -----
    ``phase`` says where training stands; ``set_phase`` changes it, forward does not. The state dict keeps the factor of
    the logits and the number of frozen layers.
    """

    phase: Phase
    head: Head

    def __init__(self, layers: Iterable[Layer], head: Head, *, seed: int = 0) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        if not self.nodes:
            raise InputError("a LogicNetwork needs at least one LogicLayer or LogicConv2d, or a LogicGraph")
        self.head, self.seed = head, seed
        for before, after in pairwise(self.members):
            if before.out_features != after.in_features:
                raise InputError(f"a layer of {before.out_features} gates feeds one that reads {after.in_features}")
        head.check(self.members[-1].out_features)
        self.set_phase(Phase())

    @property
    def members(self) -> list[Layer]:
        """The layers, in their order."""
        return [cast(Layer, layer) for layer in self.layers]

    @property
    def in_features(self) -> int:
        """Bits that the network reads."""
        return self.members[0].in_features

    @property
    def gates(self) -> int:
        """Nodes of the frozen network, a convolution's once for each position."""
        return sum(layer.gates for layer in self.members)

    @property
    def nodes(self) -> list[Nodes]:
        """The layers that have weights."""
        return [layer for layer in self.layers if isinstance(layer, Nodes)]

    def gate_cost(self) -> torch.Tensor:
        """Mean over the two-input gates of ``|c3|``, the coefficient of ``ab``; a scalar with gradient, for a penalty.

        It is 0 exactly for constants, wires and inverters, which cost nothing in hardware, 1 for the eight gates of the
        AND kind and 2 for XOR and XNOR. A gate of a convolution counts once for each position; nodes of a graph with
        other numbers of inputs are not counted.
        """
        layers = [layer for layer in self.nodes if layer.two_input_gates]
        if not layers:
            raise InputError("gate_cost is for gates of two inputs; set gate_penalty to 0")
        whole = sum(layer.two_input_gates for layer in layers)
        shares = [layer.two_input_gates / whole * _interaction(layer) for layer in layers]
        return sum(shares[1:], shares[0])

    def tables(self) -> torch.Tensor:
        """The frozen nodes of all layers, (nodes,) int64."""
        return torch.cat([layer.tables() for layer in self.nodes])

    def set_phase(self, phase: Phase) -> None:
        """Say where training stands, before a step; see ``Phase``."""
        self.phase = phase
        for i, layer in enumerate(self.nodes):
            layer.phase = phase.of_layer(i)

    def __repr__(self) -> str:
        return f"LogicNetwork({_shape(self.members)} -> {self.head!r}; {self.gates:,} gates)"

    def _repr_html_(self) -> str:
        rows = [(i, type(layer).__name__, layer.in_features, layer.out_features, layer.gates)
                for i, layer in enumerate(self.members)]
        head = (len(rows), repr(self.head), self.members[-1].out_features, self.head.groups, "")
        return card(f"LogicNetwork of {self.gates:,} gates", [*rows, head],
                    head=("", "layer", "reads", "gives", "gates"))

    def get_extra_state(self) -> torch.Tensor:
        """What the state dict keeps of the phase: the factor of the logits and the number of frozen layers, float64."""
        return torch.tensor([self.phase.sharpness, self.phase.frozen_layers], dtype=torch.float64)

    def set_extra_state(self, state: Any) -> None:
        """The inverse of ``get_extra_state``, from a tensor on any device."""
        if state.shape != (2,) or not state.is_floating_point() or not bool(((state >= 0) & (state <= 1e6)).all()):
            raise InputError("the stored phase is none: give the factor of the logits and the number of frozen layers")
        sharpness, frozen_layers = state.tolist()
        self.set_phase(replace(self.phase, sharpness=sharpness, frozen_layers=int(frozen_layers)))

    def _generator(self) -> torch.Generator | None:
        """The noise of this step."""
        if not self.training or all(layer.estimator != "gumbel" for layer in self.nodes):
            return None
        seed = (self.seed * 1_000_003 + self.phase.step) % 2**63
        return torch.Generator(self.nodes[0].weight.device).manual_seed(seed)

    def segments(self) -> list[list[Layer]]:
        """Runs of layers that one kernel computes, in the present mode and phase."""
        result: list[list[Layer]] = []
        for layer in self.members:
            last = result[-1][-1] if result else None
            if isinstance(layer, LogicLayer) and isinstance(last, LogicLayer) and _join(last, layer):
                result[-1].append(layer)
            else:
                result.append([layer])
        return result

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Outputs (samples, outputs) of bits (samples, in_features)."""
        x, segment, generator = self._to_last(x)
        x = self._through(segment, x, generator, self._summed)
        return self._outputs(segment, x)

    def cross_entropy(self, x: torch.Tensor, y: torch.Tensor, soft: Soft | None = None) -> torch.Tensor:
        """``reference.cross_entropy(self(x), y, soft)`` of a ``GroupSum``: a scalar with gradient, for a training step.

        On a CPU, the gates before the head, the head and the loss go forward and backward in one pass, so that the
        gradient need not compute the forward pass again.

        Parameters
        ----------
        x
            (samples, bits).
        y
            (samples,) int64, a class for each sample.
        soft
            A teacher's logits.
        """
        x, segment, generator = self._to_last(x)
        scale = self.head.scale if isinstance(self.head, GroupSum) else None
        if scale is None or not self._sums(segment) or not torch.is_grad_enabled() or not len(x):
            x = self._through(segment, x, generator, self._summed)
            return cross_entropy(self._outputs(segment, x), y, soft)
        check_classes(y, len(x), self.head.groups)
        gates = cast(list[LogicLayer], segment)
        values, pairs = values_of(gates, generator), [layer.wires() for layer in gates]
        return kernels_for(x.device).stack_loss(x, values, pairs, self.head.groups, gates[0].efd, scale, y, soft)

    def _outputs(self, segment: Sequence[Layer], x: torch.Tensor) -> torch.Tensor:
        """The head of the last segment's results, which are sums already where its layers stack."""
        result: torch.Tensor = self.head.outputs(x) if self._sums(segment) else self.head(x)
        return result

    @property
    def _summed(self) -> int:
        """Groups that the kernel of the last segment sums: those of the head, if they are equal."""
        return self.head.groups if self.head.equal else 0

    def _sums(self, segment: Sequence[Layer]) -> bool:
        """Whether the kernel of the last segment sums the groups."""
        return self.head.equal and segment[0].stacks()

    def _to_last(self, x: torch.Tensor) -> tuple[torch.Tensor, list[Layer], torch.Generator | None]:
        """The input of the last segment, that segment, and the generator of this step's noise."""
        x = check_input(x, self.in_features, self.nodes[0].weight, "LogicNetwork")
        generator = self._generator()
        *segments, last = self.segments()
        for segment in segments:
            x = self._through(segment, x, generator)
        return x, last, generator

    def _through(self, segment: Sequence[Layer], x: torch.Tensor, generator: torch.Generator | None,
                 groups: int = 0) -> torch.Tensor:
        """One segment; gates that stack are summed in ``groups`` groups if these are not 0."""
        first = segment[0]
        if isinstance(first, LogicLayer) and first.stacks():
            gates = cast(Sequence[LogicLayer], segment)
            values, pairs = values_of(gates, generator), [layer.wires() for layer in gates]
            return kernels_for(x.device).stack(x, values, pairs, groups, first.efd)
        result: torch.Tensor = first(x, generator) if isinstance(first, Nodes) else first(x)
        return result


def _shape(layers: Sequence[Layer]) -> str:
    """Word layers on one line, equal ones that follow each other as one."""
    runs = [(text, len(list(group))) for text, group in groupby(map(repr, layers))]
    words = [f"{count} x {text}" if count > 1 else text for text, count in runs]
    return " -> ".join(words if len(words) <= MOST_RUNS else [*words[: MOST_RUNS - 1], "...", words[-1]])


def _join(before: LogicLayer, after: LogicLayer) -> bool:
    """Whether one kernel can compute both layers."""
    return before.stacks() and after.stacks() and after.same_kind(before)


def _interaction(layer: Nodes) -> torch.Tensor:
    """Mean interaction of a layer's gates, a scalar."""
    return kernels_for(layer.weight.device).interaction(layer.two_input_values())
