"""Build a network from a configuration and a data set."""

import numpy as np

from ..data.encoders import Encoder, fit_encoder
from .config import Config
from .layers import GroupSum, LogicLayer, LogicNetwork
from .wiring import first_layer


def build_encoder(config: Config, x_train: np.ndarray) -> Encoder:
    """The encoder fitted on the training split."""
    levels = 1 if config.encoder == "threshold" else config.levels
    return fit_encoder(config.encoder, x_train, levels=levels, code_bits=config.code_bits)


def build_network(config: Config, bits: np.ndarray, *, classes: int, shape=None, levels: int = 1) -> LogicNetwork:
    """A fresh network for encoded training samples ``bits`` (samples, n) of ``shape`` (channels, height, width).

    Bits that hardly vary on the training split (in less than one sample of a thousand) are given no wires.
    """
    rng = np.random.default_rng([config.seed, 1])
    share = bits.mean(axis=0)
    active = (share >= 0.001) & (share <= 0.999)
    width = config.width_for(classes)
    wires = first_layer(config.wiring, bits.shape[1], width, rng, shape=shape, levels=levels, active=active)
    layers = []
    for i in range(config.layers):
        layers.append(LogicLayer(
            width if i else bits.shape[1], width, parametrisation_name=config.parametrisation, init=config.init,
            strength=config.strength, noise=config.noise, pairs=None if i else wires, seed=int(rng.integers(2**31))))
    return LogicNetwork(layers, GroupSum(classes, config.tau_for(classes)))
