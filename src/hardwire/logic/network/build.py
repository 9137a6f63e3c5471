"""Build a network from a configuration and a data set."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.errors import InputError
from ...core.memory import check_memory
from ...data.encoders import Encoder, fit_encoder
from ..settings import LogicSettings
from .conv import LogicConv2d
from .heads import GroupSum
from .layers import LogicLayer
from .network import Layer, LogicNetwork
from .wiring import Shape, first_layer, in_order, local_candidates, random_inputs


def build_encoder(config: LogicSettings, x_train: NDArray[Any], shape: Shape | None = None,
                  y_train: NDArray[Any] | None = None) -> Encoder:
    """The encoder fitted on the training split; of a table each feature gets only as many bits as it has thresholds."""
    levels = 1 if config.encoder == "threshold" else config.levels

    def fit(*, distinct: bool = False) -> Encoder:
        return fit_encoder(config.encoder, x_train, levels=levels, code_bits=config.code_bits, edges=config.edges,
                           shape=shape, distinct=distinct, y=y_train, price=config.threshold_price)

    encoder = fit(distinct=shape is None)
    return encoder if encoder.n_bits > 1 else fit()  # a gate reads two bits


#: Bytes of a weight with its gradient and the optimizer's two moments; of a wire.
WEIGHT, WIRE = 16, 4


def check_size(config: LogicSettings, classes: int) -> None:
    """InputError where the dense layers that the settings ask for do not fit the machine's memory."""
    nodes = sum(config.widths) if config.widths else config.layers * (config.width + classes)
    learned = min(1.0, config.learned_layers / max(1, len(config.widths) or config.layers))
    weights = {"softmax": 16, "covjac": 4}.get(config.parametrisation, 1 << config.fan_in)
    wires = config.fan_in * (WIRE + learned * config.candidates * (WIRE + WEIGHT))
    check_memory(nodes * (weights * WEIGHT + wires), f"a network of {nodes:,} gates", "lower width, widths or layers")


def check_encoded(encoder: Encoder, samples: int, copies: int = 1) -> None:
    """InputError where the encoded training samples do not fit the machine's memory."""
    check_memory(samples * copies * encoder.n_bits,
                 f"{samples:,} samples in {copies:,} copies of {encoder.n_bits:,} bits",
                 "lower levels, edges or search_copies, or give fewer samples")


def build_network(config: LogicSettings, bits: NDArray[np.bool_], *, classes: int, shape: Shape | None = None,
                  levels: int = 1) -> LogicNetwork:
    """A fresh network.

    Parameters
    ----------
    config
        Its architecture and how its weights start.
    bits
        (samples, n) encoded training samples. Bits that hardly vary (in less than one sample of a thousand) are given
        no wires by dense layers.
    classes
        Groups of the head.
    shape
        (channels, height, width) of images.
    levels
        Thresholds of each feature.
    """
    check_size(config, classes)
    rng = np.random.default_rng([config.seed, 1])
    share = bits.mean(axis=0)
    active = (share >= 0.001) & (share <= 0.999)
    convolutions = _convolutions(config, shape, levels, rng)
    layers: list[Layer] = [*convolutions]
    if convolutions:
        active = np.ones(convolutions[-1].out_features, dtype=bool)
        shape, levels = convolutions[-1].out_shape, 1
    widths = config.widths_for(classes)
    for i, width in enumerate(widths):
        groups = classes if i == len(widths) - 1 else 1
        layers.append(_dense(config, i, width, active, rng, shape=None if i else shape, levels=levels, groups=groups))
        active = np.ones(width, dtype=bool)
    return LogicNetwork(layers, GroupSum(classes, config.tau_for(classes)), seed=config.seed)


def _convolutions(config: LogicSettings, shape: Shape | None, levels: int,
                  rng: np.random.Generator) -> list[LogicConv2d]:
    """The configured convolutions; thermometer planes are channels of the first."""
    if not config.channels:
        return []
    if shape is None:
        raise InputError("convolutions need images; leave channels out, or use a data set of images")
    shape = (levels * shape[0], *shape[1:])
    layers: list[LogicConv2d] = []
    n = len(config.channels)
    each = zip(config.channels, config.receptive_fields or [3] * n, config.paddings or [1] * n,
               config.channel_groups or [1] * n, strict=True)
    for kernels, field, padding, groups in each:
        places = (shape[1] + 2 * padding) * (shape[2] + 2 * padding)
        check_memory(kernels * (WEIGHT * 16 * (1 << config.tree_depth) + 4 * places * config.batch / config.pool**2),
                     f"a convolution of {kernels:,} kernels on {places:,} places",
                     "lower channels, paddings or batch")
        layers.append(LogicConv2d(
            shape, kernels, receptive_field=field, padding=padding, depth=config.tree_depth, pool=config.pool,
            groups=groups, wiring=config.wiring, seed=int(rng.integers(2**31)), init="residual",
            strength=config.tree_strength, noise=config.tree_noise, parametrisation_name=config.parametrisation,
            estimator=config.estimator, temperature=config.temperature))
        shape = layers[-1].out_shape
    return layers


def _dense(config: LogicSettings, i: int, width: int, active: NDArray[np.bool_], rng: np.random.Generator, *,
           shape: Shape | None, levels: int, groups: int) -> LogicLayer:
    """Dense layer ``i``: its first operands in memory order, within the ``groups`` of the head."""
    learned = i < config.learned_layers
    wires = (_candidates(config, width, active, rng, shape, levels) if learned
             else in_order(_wires(config, i, width, active, rng, shape, levels), groups))
    return LogicLayer(
        len(active), width, init=config.init, strength=config.strength, noise=config.noise,
        seed=int(rng.integers(2**31)),
        fan_in=config.fan_in, pairs=None if learned else wires, candidates=wires if learned else 0,
        routing=config.routing,
        parametrisation_name=config.parametrisation, estimator=config.estimator, temperature=config.temperature)


def _candidates(config: LogicSettings, width: int, active: NDArray[np.bool_], rng: np.random.Generator,
                shape: Shape | None, levels: int) -> NDArray[np.integer[Any]]:
    """Candidates (width, fan_in, candidates) of learned wiring."""
    k, fan_in = config.candidates, config.fan_in
    if shape is not None and config.wiring == "structured":
        return local_candidates(shape, levels, active, width, k, rng, fan_in)
    return random_inputs(np.flatnonzero(active), width, rng, fan_in * k).reshape(-1, fan_in, k)


def _wires(config: LogicSettings, i: int, width: int, active: NDArray[np.bool_], rng: np.random.Generator,
           shape: Shape | None, levels: int) -> NDArray[np.integer[Any]]:
    """Fixed wiring (width, fan_in)."""
    if config.fan_in > 2:
        return random_inputs(np.flatnonzero(active), width, rng, config.fan_in)
    wiring = config.wiring if i == 0 else "random"
    return first_layer(wiring, len(active), width, rng, shape=shape, levels=levels, active=active)
