"""Build a network from a configuration and a data set."""

import numpy as np

from ...core.errors import InputError
from ...data.encoders import Encoder, fit_encoder
from ..settings import LogicSettings
from .conv import LogicConv2d
from .heads import GroupSum
from .layers import LogicLayer
from .network import LogicNetwork
from .wiring import first_layer, in_order, local_candidates, random_inputs


def build_encoder(config: LogicSettings, x_train: np.ndarray, shape=None) -> Encoder:
    """The encoder fitted on the training split; of a table each feature gets only as many bits as it has thresholds."""
    levels = 1 if config.encoder == "threshold" else config.levels
    rule = {"levels": levels, "code_bits": config.code_bits, "edges": config.edges, "shape": shape}
    encoder = fit_encoder(config.encoder, x_train, **rule, distinct=shape is None)
    return encoder if encoder.n_bits > 1 else fit_encoder(config.encoder, x_train, **rule)  # a gate reads two bits


def build_network(config: LogicSettings, bits: np.ndarray, *, classes: int, shape=None, levels: int = 1) -> LogicNetwork:
    """A fresh network for encoded training samples ``bits`` (samples, n) of ``shape`` (channels, height, width).

    Bits that hardly vary on the training split (in less than one sample of a thousand) are given no wires by dense layers.
    """
    rng = np.random.default_rng([config.seed, 1])
    share = bits.mean(axis=0)
    active = (share >= 0.001) & (share <= 0.999)
    layers = _convolutions(config, shape, levels, rng)
    if layers:
        active = np.ones(layers[-1].out_features, dtype=bool)
        shape, levels = layers[-1].out_shape, 1
    widths = config.widths_for(classes)
    for i, width in enumerate(widths):
        groups = classes if i == len(widths) - 1 else 1
        layers.append(_dense(config, i, width, active, rng, shape=None if i else shape, levels=levels, groups=groups))
        active = np.ones(width, dtype=bool)
<<<<<<< HEAD
    return LogicNetwork(layers, GroupSum(classes, config.tau_for(classes)), seed=config.seed,
                        fix_wiring_at=config.fix_wiring_at, harden_at=config.harden_at, freeze_at=config.freeze_at,
                        sharpen=config.sharpen)
=======
    return LogicNetwork(layers, GroupSum(classes, config.tau_for(classes)), seed=config.seed)
>>>>>>> bc7a738 (Logic operations are registered with torch; the training phase is an explicit object; forward changes nothing in a layer)


def _convolutions(config: LogicSettings, shape, levels: int, rng) -> list[LogicConv2d]:
    """The configured convolutions; thermometer planes are channels of the first."""
    if not config.channels:
        return []
    if shape is None:
        raise InputError("convolutions need images; leave channels out, or use a data set of images")
    shape = (levels * shape[0], *shape[1:])
    layers = []
    n = len(config.channels)
    each = zip(config.channels, config.receptive_fields or [3] * n, config.paddings or [1] * n, config.channel_groups or [1] * n)
    for kernels, field, padding, groups in each:
        layers.append(LogicConv2d(
            shape, kernels, receptive_field=field, padding=padding, depth=config.tree_depth, pool=config.pool, groups=groups,
            wiring=config.wiring, seed=int(rng.integers(2**31)), init="residual", strength=config.tree_strength,
            noise=config.tree_noise, **_nodes(config)))
        shape = layers[-1].out_shape
    return layers


def _nodes(config: LogicSettings) -> dict:
    return {"parametrisation_name": config.parametrisation, "estimator": config.estimator, "temperature": config.temperature}


def _dense(config: LogicSettings, i: int, width: int, active: np.ndarray, rng, *, shape, levels: int, groups: int) -> LogicLayer:
    """Dense layer ``i``: its first operands in memory order, within the ``groups`` of the head."""
    inputs = np.flatnonzero(active)
    learned = i < config.learned_layers
    if learned and shape is not None and config.wiring == "structured":
        wires = local_candidates(shape, levels, active, width, config.candidates, rng)
    elif learned:
        wires = random_inputs(inputs, width, rng, 2 * config.candidates).reshape(-1, 2, config.candidates)
    elif config.fan_in > 2:
        wires = random_inputs(inputs, width, rng, config.fan_in)
    else:
        wiring = config.wiring if i == 0 else "random"
        wires = first_layer(wiring, len(active), width, rng, shape=shape, levels=levels, active=active)
    wires = wires if learned else in_order(wires, groups)
    chosen = {"candidates": wires, "routing": config.routing} if learned else {"pairs": wires}
    return LogicLayer(len(active), width, init=config.init, strength=config.strength, noise=config.noise, seed=int(rng.integers(2**31)),
                      fan_in=config.fan_in, **chosen, **_nodes(config))
