"""A network's shape as plain data: what a checkpoint keeps beside the tensors, and the way back."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...core.errors import FormatError
from ..graph import Graph
from .conv import LogicConv2d, OrPool2d
from .graph import LogicGraph
from .layers import LogicLayer
from .network import Layer

_NODES = ("parametrisation", "estimator", "temperature")
_CONV = ("kernels", "receptive_field", "depth", "padding", "pool")
_DENSE = ("in_features", "out_features", "fan_in", "learned", "routing")


def describe_layers(layers: Iterable[Layer]) -> list[dict[str, Any]]:
    """One record for each layer; wiring and weights stay in the state dict."""
    return [_describe(layer) for layer in layers]


def _describe(layer: Layer) -> dict[str, Any]:
    if isinstance(layer, OrPool2d):
        return {"kind": "pool", "in_shape": list(layer.in_shape), "pool": layer.pool}
    if isinstance(layer, LogicConv2d):
        return {"kind": "conv", "in_shape": list(layer.in_shape), **_named(layer, _CONV + _NODES)}
    if isinstance(layer, LogicGraph):
        return {"kind": "graph", "in_features": layer.in_features, **_named(layer, _NODES)}
    return {"kind": "dense", **_named(layer, _DENSE + _NODES)}


def _named(layer: Layer, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(layer, name) for name in names}


def build_layers(records: Sequence[Mapping[str, Any]], tensors: Mapping[str, torch.Tensor],
                 prefix: str = "layers.") -> list[Layer]:
    """Layers of the recorded shapes and the wiring in ``tensors``; the weights are loaded afterwards.

    Parameters
    ----------
    records
        What ``describe_layers`` gave.
    tensors
        The network's state dict, on any device.
    prefix
        What the names of the layers' tensors begin with, before their number.

    Raises
    ------
    FormatError
        A record is of a kind that this version does not know.
    """
    return [_build(dict(record), lambda name, i=i: tensors[f"{prefix}{i}.{name}"].cpu().numpy())  # type: ignore[misc]
            for i, record in enumerate(records)]


def _build(record: dict[str, Any], wiring: Callable[[str], NDArray[np.int32]]) -> Layer:
    """``wiring(name)`` is the layer's own tensor."""
    kind = record.pop("kind")
    if kind == "dense":  # before memory is taken for its weights
        wires = wiring("candidates" if record["learned"] else "pairs")
        if len(wires) != record["out_features"]:
            raise FormatError(f"a layer of {record['out_features']} gates has wires of {len(wires)}")
    if kind == "pool":
        return OrPool2d(**record)
    record["parametrisation_name"] = record.pop("parametrisation")
    if kind == "conv":
        return LogicConv2d(leaves=wiring("leaves"), **record)
    if kind == "graph":
        fanin, arity, outputs = (wiring(name) for name in ("fanin", "arity", "outputs"))
        tables = np.zeros(len(fanin), np.uint64)
        graph = Graph(record.pop("in_features"), fanin, tables, arity.astype(np.uint8), outputs, (len(outputs),))
        return LogicGraph(graph, **record)
    if kind != "dense":
        raise FormatError(f"a layer of kind {kind!r} is unknown; use a newer program")
    if record.pop("learned"):
        return LogicLayer(candidates=wires, **record)
    return LogicLayer(pairs=wires, **record)
