"""From a network of layers to a graph without any, and from a graph to a network."""

from collections.abc import Iterator
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ...core.errors import InputError
from ...core.gates import TABLE
from ..graph import Graph
from ..kernels.cache import as_array
from .conv import LogicConv2d, OrPool2d
from .graph import LogicGraph
from .heads import Head
from .layers import LogicLayer, Nodes
from .network import Layer, LogicNetwork

Numbers = NDArray[np.int64]


def graph_of(network: LogicNetwork, *, fold: bool = True) -> Graph:
    """The frozen network as a graph with the same output bits.

    Parameters
    ----------
    network
        Layers of any kind, on any device. Learned wires are those of the largest shares; a convolution's trees and
        pools stand once for each position, as in the circuit.
    fold
        Leave out constants, wires, operands that do not matter and dead nodes, see ``Graph.folded``. Else every gate
        of the network is a node, and one constant stands for the border of zeros of convolutions.

    Returns
    -------
    Graph
        Its groups are the head's.
    """
    build = _Unrolling(network.in_features)
    numbers = np.arange(network.in_features)
    for layer in network.members:
        numbers = build.layer(layer, numbers)
    graph = build.graph(numbers, network.head.sizes_of(len(numbers)))
    return graph.folded() if fold else graph


def network_of(graph: Graph, head: Head, *, strength: float = 1.0, parametrisation_name: str = "table",
               estimator: str = "hard", seed: int = 0) -> LogicNetwork:
    """The graph as a network of one ``LogicGraph``, whose weights start from the graph's tables.

    Parameters
    ----------
    graph, head
        The head's groups must share out the graph's outputs; ``sizes=graph.sizes`` makes one that does.
    strength, parametrisation_name, estimator
        See ``LogicGraph``.
    seed
        Of the noise of Gumbel estimators.
    """
    layer = LogicGraph(graph, strength=strength, parametrisation_name=parametrisation_name, estimator=estimator)
    return LogicNetwork([layer], head, seed=seed)


def network_of_sequence(modules: nn.Sequential) -> LogicNetwork:
    """The same layers and head as a ``LogicNetwork``, which shares their weights.

    Parameters
    ----------
    modules
        Logic layers and pools, then a head; ``nn.Flatten`` is left out, and an ``nn.Sequential`` taken apart.

    Raises
    ------
    InputError
        A module is of another kind, or the last one is no head.
    """
    layers = [*_flat(modules)]
    head = layers.pop() if layers else None
    if not isinstance(head, Head):
        raise InputError(f"the sequence ends with {type(head).__name__}; end it with a head, such as GroupSum(10)")
    wrong = next((layer for layer in layers if not isinstance(layer, LogicLayer | LogicConv2d | OrPool2d | LogicGraph)),
                 None)
    if wrong is not None:
        raise InputError(f"the sequence has a {type(wrong).__name__} before its end; give logic layers only")
    phases = [(layer, layer.phase) for layer in layers if isinstance(layer, Nodes)]
    network = LogicNetwork(cast(list[Layer], layers), head)
    for layer, phase in phases:  # which a new network begins anew
        layer.phase = phase
    return network


def _flat(modules: nn.Sequential) -> Iterator[nn.Module]:
    for module in modules:
        if isinstance(module, nn.Sequential):
            yield from _flat(module)
        elif not isinstance(module, nn.Flatten | nn.Identity):
            yield module


class _Unrolling:
    """Nodes of layers one after the other, in blocks of one arity."""

    def __init__(self, inputs: int) -> None:
        self.inputs = self.next = inputs
        self.blocks: list[tuple[NDArray[np.uint64], Numbers, NDArray[np.uint8]]] = []
        self._zero: int | None = None

    def add(self, table: NDArray[np.uint64], fanin: Numbers, arity: NDArray[np.uint8] | None = None) -> Numbers:
        """Add nodes, all of as many operands as ``fanin`` has columns unless ``arity`` says else; their numbers."""
        whole = np.full(len(table), fanin.shape[1], dtype=np.uint8) if arity is None else arity
        self.blocks.append((table, fanin, whole))
        self.next += len(table)
        return np.arange(self.next - len(table), self.next)

    def graph(self, outputs: Numbers, sizes: tuple[int, ...]) -> Graph:
        """All nodes so far as one graph."""
        width = max((fanin.shape[1] for _, fanin, _ in self.blocks), default=1)
        empty = np.zeros((0, width), dtype=np.int64)
        wide = [empty, *(np.pad(fanin, ((0, 0), (0, width - fanin.shape[1]))) for _, fanin, _ in self.blocks)]
        tables = np.concatenate([np.zeros(0, np.uint64), *(table for table, _, _ in self.blocks)])
        arities = np.concatenate([np.zeros(0, np.uint8), *(arity for _, _, arity in self.blocks)])
        fanin = np.concatenate(wide).astype(np.int32)
        return Graph(self.inputs, fanin, tables, arities, outputs.astype(np.int32), sizes)

    def layer(self, layer: Layer, numbers: Numbers) -> Numbers:
        """The numbers of a layer's outputs, given those of its inputs."""
        if isinstance(layer, LogicLayer):
            return self.add(_tables(layer.tables()), numbers[as_array(layer.wires())])
        if isinstance(layer, LogicGraph):
            return self._nested(layer.graph(), numbers)
        return self._convolution(layer, numbers) if isinstance(layer, LogicConv2d) else self._pool(layer, numbers)

    def _nested(self, graph: Graph, numbers: Numbers) -> Numbers:
        every = np.concatenate([numbers, np.arange(self.next, self.next + graph.nodes)])
        used = np.arange(graph.fanin.shape[1]) < graph.arity[:, None]
        self.add(graph.table, np.where(used, every[graph.fanin], 0), graph.arity)
        return every[graph.outputs]

    def _convolution(self, layer: LogicConv2d, numbers: Numbers) -> Numbers:
        """Trees of all positions level by level, then the ORs of the pools."""
        kernels, rows, columns = layer.out_shape
        border = layer.padding
        image = np.pad(numbers.reshape(layer.in_shape), ((0, 0), (border, border), (border, border)),
                       constant_values=self._constant_zero() if border else 0)
        leaves = as_array(layer.leaves).astype(np.int64)
        y, x = (np.arange(n * layer.pool) for n in (rows, columns))
        channel, dy, dx = (leaves[:, :, i, None, None] for i in range(3))
        level = image[channel, dy + y[:, None], dx + x]  # (kernels, leaves, rows pool, columns pool)
        tables, first = _tables(layer.tables()).reshape(kernels, -1), 0
        while level.shape[1] > 1:
            gates = level.shape[1] // 2
            own = np.broadcast_to(tables[:, first : first + gates, None, None], level[:, ::2].shape)
            pairs = np.stack([level[:, ::2], level[:, 1::2]], -1).reshape(-1, 2)
            level, first = self.add(own.ravel(), pairs).reshape(own.shape), first + gates
        return self._windows(level[:, 0], layer.pool)

    def _pool(self, layer: OrPool2d, numbers: Numbers) -> Numbers:
        _, rows, columns = layer.out_shape
        image = numbers.reshape(layer.in_shape)[:, : rows * layer.pool, : columns * layer.pool]
        return self._windows(image, layer.pool)

    def _windows(self, image: Numbers, pool: int) -> Numbers:
        """OR of every window of ``image`` (channels, rows pool, columns pool), as a tree of the least depth."""
        channels, height, width = image.shape
        split = image.reshape(channels, height // pool, pool, width // pool, pool).transpose(2, 4, 0, 1, 3)
        level = [*split.reshape(pool * pool, -1)]
        while len(level) > 1:
            ors = [self.add(np.full(len(a), TABLE["OR"], dtype=np.uint64), np.stack([a, b], 1))
                   for a, b in zip(level[::2], level[1::2])]
            level = ors + level[len(level) - len(level) % 2 :]
        numbers: NDArray[np.int64] = level[0]
        return numbers

    def _constant_zero(self) -> int:
        """The number of a node that is always 0."""
        if self._zero is None:
            self._zero = int(self.add(np.zeros(1, dtype=np.uint64), np.zeros((1, 1), dtype=np.int64))[0])
        return self._zero


def _tables(tables: torch.Tensor) -> NDArray[np.uint64]:
    """Signed truth tables of a layer as unsigned ones."""
    return as_array(tables).view(np.uint64)
