"""The relaxed network: modules, wiring, training. Needs torch."""

from .network.conv import LogicConv2d, OrPool2d
from .network.heads import GroupSum, MultiLabel, Regression
from .network.layers import LogicLayer, LogicNetwork
from .settings import Config, preset
from .training.checkpoint import load_model, save_model
from .training.loop import train

__all__ = [
           "Config",
           "GroupSum",
           "LogicConv2d",
           "LogicLayer",
           "LogicNetwork",
           "MultiLabel",
           "OrPool2d",
           "Regression",
           "load_model",
           "preset",
           "save_model",
           "train",
]
