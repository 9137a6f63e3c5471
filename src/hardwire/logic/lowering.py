"""Freeze: a trained network becomes a circuit. The only module that sees torch and circuits."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import cast

from torch import nn

from ..circuit import Circuit, CircuitBuilder
from ..circuit.arithmetic import (
    HEADS,
    ArgmaxStyle,
    HeadGoal,
    argmax,
    at_least,
    at_least_more,
    popcounts,
)
from ..circuit.circuit import FALSE
from ..circuit.comparators import at_least_each
from ..core.errors import InputError
from ..core.gates import TABLE
from ..data.encoders import Encoder
from .graph import Graph
from .network.conv import LogicConv2d, OrPool2d
from .network.convert import network_of_sequence
from .network.graph import LogicGraph
from .network.heads import Head, MultiLabel, Regression
from .network.layers import LogicLayer
from .network.network import Layer, LogicNetwork

PARTS = ("encoder", "network", "head")


def lower(network: LogicNetwork | nn.Sequential, encoder: Encoder | None = None, *, name: str = "network",
          labels: Iterable[object] = (),
          features: Iterable[str] | None = None, include: Collection[str] = PARTS, scores: bool = False,
          head: HeadGoal = "area") -> Circuit:
    """The frozen network as one exact circuit, from sensor words to class index.

    Parameters
    ----------
    network
        Trained layers and their head, on any device; an ``nn.Sequential`` of logic layers and a head, ``nn.Flatten``
        and further ``nn.Sequential`` among them, is the same.
    encoder
        The one that the network was trained with; without it the inputs are its bits ``x0, x1, ...``.
    name
        Of the circuit.
    labels
        Of the classes.
    features
        Names of the input words, one for each feature of the encoder.
    include
        Which of ``encoder``, ``network``, ``head`` to take in; the network is always there. Without the head the
        outputs are the last layer's bits ``y0, y1, ...``.
    scores
        Also put out each class's population count as ``score0, score1, ...``.
    head
        What counts and arg-max are built for: ``area`` in standard cells, ``depth`` in two-input gates, or few tables
        of six inputs, ``luts``, or few levels of them, ``lut-depth``; technology mapping keeps tables.

    Returns
    -------
    Circuit
        The first output word is ``class_index``, the index of the largest count; the lowest index wins a tie, as in
        ``argmax``. A ``Regression`` head gives the counts as ``value0, value1, ...``, with the offset and the step that
        make them physical values, ``bias + scale count``. A ``MultiLabel`` head gives a bit for each label, ``label0,
        label1, ...``, true where the count reaches the threshold.

    Raises
    ------
    InputError
        The network is of another kind, the encoder is not its own, or a name is wrong.
    """
    if isinstance(network, nn.Sequential):
        network = network_of_sequence(network)
    if not isinstance(network, LogicNetwork):
        raise InputError(f"cannot lower a {type(network).__name__}; give a LogicNetwork, or an nn.Sequential of logic "
                         f"layers and GroupSum")
    unknown = set(include) - set(PARTS)
    if unknown:
        raise InputError(f"include names {sorted(unknown)[0]!r}; choose from {', '.join(PARTS)}")
    if head not in HEADS:
        raise InputError(f"head {head!r} is none of {', '.join(HEADS)}")
    if encoder is not None and encoder.n_bits != network.in_features:
        raise InputError(f"the encoder makes {encoder.n_bits} bits, but the network reads {network.in_features}; "
                         f"use the one it was trained with")
    builder = CircuitBuilder(name, labels=tuple(map(str, labels)))
    if encoder is not None and "encoder" in include:
        nets = _encoder(builder, encoder, features)
    else:
        nets = [builder.input(f"x{i}")[0] for i in range(network.in_features)]
    with builder.stage("network"):
        for layer in network.members:
            nets = _layer(builder, layer, nets)
    if "head" in include:
        _head(builder, network.head, nets, scores, head)
    else:
        for i, net in enumerate(nets):
            builder.output(f"y{i}", net)
    return builder.build()


def _encoder(builder: CircuitBuilder, encoder: Encoder, features: Iterable[str] | None) -> list[int]:
    """The encoder's bits."""
    names = [f"x{i}" for i in range(encoder.n_features)] if features is None else list(features)
    if len(names) != encoder.n_features:
        raise InputError(f"{len(names)} feature names for an encoder of {encoder.n_features} features; give one for "
                         f"each")
    words = [builder.input(n, int(w), offset=o, step=s)
             for n, w, o, s in zip(names, encoder.width, encoder.offset.tolist(), encoder.step.tolist())]
    with builder.stage("encoder"):
        columns = [at_least_each(builder, word, column)
                   for word, column in zip(words, encoder.thresholds.T.tolist(), strict=True)]
        bits = [columns[f][t] for t, f in zip(*encoder.used.nonzero(), strict=True)]
        keys = [tuple(word) for word in words]
        edges = ((keys[plus], keys[minus], value) for plus, minus, value in encoder.edges.tolist())
        return bits + at_least_more(builder, edges)


def _layer(builder: CircuitBuilder, layer: Layer, nets: list[int]) -> list[int]:
    """The exact gates of a layer."""
    if isinstance(layer, LogicLayer):
        return _dense(builder, layer, nets)
    if isinstance(layer, LogicGraph):
        return _graph(builder, layer.graph(), nets)
    return _conv(builder, layer, nets) if isinstance(layer, LogicConv2d) else _pool(builder, layer, nets)


def _dense(builder: CircuitBuilder, layer: LogicLayer, nets: list[int]) -> list[int]:
    """One node for each gate, also for wires and constants: the raw count is the trained one."""
    whole = (1 << 2**layer.fan_in) - 1  # the table of six inputs comes as a signed number
    return [builder.node(table & whole, *(nets[i] for i in wires))
            for table, wires in zip(layer.tables().tolist(), layer.wires().tolist())]


def _graph(builder: CircuitBuilder, graph: Graph, nets: list[int]) -> list[int]:
    """One node for each of the graph's, dead ones too."""
    nets = [*nets]
    for table, fanin, k in zip(graph.table.tolist(), graph.fanin.tolist(), graph.arity.tolist()):
        nets.append(builder.node(table, *(nets[i] for i in fanin[:k])))
    return [nets[i] for i in graph.outputs.tolist()]


def _conv(builder: CircuitBuilder, layer: LogicConv2d, nets: list[int]) -> list[int]:
    """Every tree at every position, then the OR of each pooling window."""
    _, height, width = layer.in_shape
    tables = layer.tables().reshape(layer.kernels, -1).tolist()

    def leaf(channel: int, y: int, x: int) -> int:
        inside = 0 <= y < height and 0 <= x < width
        return nets[(channel * height + y) * width + x] if inside else FALSE

    def tree(kernel: int, y: int, x: int) -> int:
        level = [leaf(c, y + dy - layer.padding, x + dx - layer.padding) for c, dy, dx in leaves[kernel]]
        gates = iter(tables[kernel])
        while len(level) > 1:
            level = [builder.node(next(gates), *pair) for pair in zip(level[::2], level[1::2])]
        return level[0]

    leaves = layer.leaves.tolist()
    kernels, rows, columns = layer.out_shape
    window = [(i, j) for i in range(layer.pool) for j in range(layer.pool)]
    return [_any(builder, [tree(k, r * layer.pool + i, c * layer.pool + j) for i, j in window])
            for k in range(kernels) for r in range(rows) for c in range(columns)]


def _pool(builder: CircuitBuilder, layer: OrPool2d, nets: list[int]) -> list[int]:
    _, height, width = layer.in_shape
    channels, rows, columns = layer.out_shape
    return [_any(builder, [nets[(k * height + r * layer.pool + i) * width + c * layer.pool + j]
                           for i in range(layer.pool) for j in range(layer.pool)])
            for k in range(channels) for r in range(rows) for c in range(columns)]


def _any(builder: CircuitBuilder, nets: list[int]) -> int:
    """OR of all, as a tree of the least depth."""
    while len(nets) > 1:
        ors = [builder.node(TABLE["OR"], a, b) for a, b in zip(nets[::2], nets[1::2])]
        nets = ors + nets[len(nets) - len(nets) % 2 :]
    return nets[0]


def _head(builder: CircuitBuilder, head: Head, nets: list[int], scores: bool, goal: HeadGoal) -> None:
    """The decision of each task; see ``network.heads``."""
    count_style, argmax_style = HEADS[goal]
    ends = [*accumulate(head.sizes_of(len(nets)), initial=0)]
    with builder.stage("head"):
        counts = popcounts(builder, [nets[i:j] for i, j in pairwise(ends)], count_style)
        decisions = DECISIONS[head.task](builder, head, counts, argmax_style)
        for (name, word), (offset, step) in zip(decisions.items(), _scales(head, len(decisions)), strict=True):
            builder.output(name, word, offset=offset, step=step)
    for c, count in enumerate(counts if scores else ()):
        builder.output(f"score{c}", count)


def _scales(head: Head, words: int) -> list[tuple[float, float]]:
    """The offset and the step of each decision."""
    if not isinstance(head, Regression):
        return [(0.0, 1.0)] * words
    return [*zip(head.to_dict()["bias"], head.to_dict()["scale"], strict=True)]


Words = Sequence[list[int]]


def _largest(builder: CircuitBuilder, head: Head, counts: Words, style: ArgmaxStyle) -> dict[str, list[int]]:
    return {"class_index": argmax(builder, counts, style)}


def _values(builder: CircuitBuilder, head: Head, counts: Words, style: ArgmaxStyle) -> dict[str, list[int]]:
    return {f"value{g}": count for g, count in enumerate(counts)}


def _labels(builder: CircuitBuilder, head: Head, counts: Words, style: ArgmaxStyle) -> dict[str, int]:
    thresholds = cast(MultiLabel, head).thresholds()
    return {f"label{g}": at_least(builder, count, least)
            for g, (count, least) in enumerate(zip(counts, thresholds, strict=True))}


#: A head's task -> the circuit's first output words, by name, made of the counts of its groups.
DECISIONS: dict[str, Callable[[CircuitBuilder, Head, Words, ArgmaxStyle], Mapping[str, int | list[int]]]] = {
    "classify": _largest, "regress": _values, "multilabel": _labels}
