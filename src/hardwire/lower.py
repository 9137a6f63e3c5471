"""Freeze: a trained network becomes a circuit. The only module that sees torch and circuits."""

from .circuit import Circuit, CircuitBuilder
from .circuit.arithmetic import argmax, at_least, popcount
from .data.encoders import Encoder
from .errors import InputError
from .nn.layers import GroupSum, LogicLayer, LogicNetwork

PARTS = ("encoder", "network", "head")


def lower(network: LogicNetwork, encoder: Encoder | None = None, *, name: str = "network", labels=(), features=None,
          include=PARTS, scores: bool = False) -> Circuit:
    """The frozen network as one exact circuit, from sensor words to class index.

    include  which of ``encoder``, ``network``, ``head`` to take in; the network is always there. Without the encoder the
             inputs are its bits ``x0, x1, ...``; without the head the outputs are the last layer's bits ``y0, y1, ...``
    features names of the input words, one for each feature of the encoder
    scores   also put out each class's population count as ``score0, score1, ...``

    The first output word is ``class_index``, the index of the largest count; the lowest index wins a tie, as in ``argmax``.
    """
    if not isinstance(network, LogicNetwork):
        raise InputError(f"cannot lower a {type(network).__name__}; give a LogicNetwork (or wrap layers and GroupSum in one)")
    unknown = set(include) - set(PARTS)
    if unknown:
        raise InputError(f"include names {sorted(unknown)[0]!r}; choose from {', '.join(PARTS)}")
    with_encoder = encoder is not None and "encoder" in include
    if encoder is not None and encoder.n_bits != network.in_features:
        raise InputError(f"the encoder makes {encoder.n_bits} bits, but the network reads {network.in_features}; "
                         f"use the one it was trained with")
    builder = CircuitBuilder(name, labels=tuple(map(str, labels)))
    nets = _encoder(builder, encoder, features) if with_encoder else _bits(builder, network.in_features)
    with builder.stage("network"):
        for layer in network.layers:
            nets = _layer(builder, layer, nets)
    if "head" in include:
        _head(builder, network.head, nets, scores)
    else:
        for i, net in enumerate(nets):
            builder.output(f"y{i}", net)
    return builder.build()


def _bits(builder: CircuitBuilder, n: int) -> list[int]:
    return [builder.input(f"x{i}")[0] for i in range(n)]


def _encoder(builder: CircuitBuilder, encoder: Encoder, features) -> list[int]:
    names = [f"x{i}" for i in range(encoder.n_features)] if features is None else list(features)
    if len(names) != encoder.n_features:
        raise InputError(f"{len(names)} feature names for an encoder of {encoder.n_features} features; give one for each")
    words = [builder.input(n, int(w), offset=o, step=s)
             for n, w, o, s in zip(names, encoder.width, encoder.offset.tolist(), encoder.step.tolist())]
    with builder.stage("encoder"):
        return [at_least(builder, word, value) for row in encoder.thresholds.tolist() for word, value in zip(words, row)]


def _layer(builder: CircuitBuilder, layer: LogicLayer, nets: list[int]) -> list[int]:
    """One node for each gate, also for wires and constants: the raw count is the trained one."""
    return [builder.node(table, nets[a], nets[b]) for table, (a, b) in zip(layer.tables().tolist(), layer.pairs.tolist())]


def _head(builder: CircuitBuilder, head: GroupSum, nets: list[int], scores: bool) -> None:
    size = len(nets) // head.classes
    with builder.stage("head"):
        counts = [popcount(builder, nets[c * size : (c + 1) * size]) for c in range(head.classes)]
        builder.output("class_index", argmax(builder, counts))
    for c, count in enumerate(counts if scores else ()):
        builder.output(f"score{c}", count)
