"""A network's shape as plain data: what a checkpoint keeps beside the tensors, and the way back."""

from ...core.errors import FormatError
from .conv import LogicConv2d, OrPool2d
from .layers import LogicLayer

_NODES = ("parametrisation", "estimator", "temperature")


def describe_layers(layers) -> list[dict]:
    """One record for each layer; wiring and weights stay in the state dict."""
    return [_describe(layer) for layer in layers]


def _describe(layer) -> dict:
    if isinstance(layer, OrPool2d):
        return {"kind": "pool", "in_shape": list(layer.in_shape), "pool": layer.pool}
    nodes = {name: getattr(layer, name) for name in _NODES}
    if isinstance(layer, LogicConv2d):
        own = {name: getattr(layer, name) for name in ("kernels", "receptive_field", "depth", "padding", "pool")}
        return {"kind": "conv", "in_shape": list(layer.in_shape), **own, **nodes}
    return {"kind": "dense", "in_features": layer.in_features, "out_features": layer.out_features, "fan_in": layer.fan_in,
            "learned": layer.learned, "routing": layer.routing, **nodes}


def build_layers(records: list[dict], tensors: dict, prefix: str = "layers.") -> list:
    """Layers of the recorded shapes and the wiring in ``tensors``; the weights are loaded afterwards."""
    return [_build(dict(record), lambda name, i=i: tensors[f"{prefix}{i}.{name}"].numpy()) for i, record in enumerate(records)]


def _build(record: dict, wiring):
    """``wiring(name)`` is the layer's own tensor."""
    kind = record.pop("kind")
    if kind == "pool":
        return OrPool2d(**record)
    record["parametrisation_name"] = record.pop("parametrisation")
    if kind == "conv":
        return LogicConv2d(leaves=wiring("leaves"), **record)
    if kind != "dense":
        raise FormatError(f"a layer of kind {kind!r} is unknown; use a newer program")
    name = "candidates" if record.pop("learned") else "pairs"
    return LogicLayer(**{name: wiring(name)}, **record)
