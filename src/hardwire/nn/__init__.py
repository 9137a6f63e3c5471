"""The relaxed network: modules, wiring, training. Needs torch."""

from .checkpoint import load_model, save_model
from .config import Config, preset
from .conv import LogicConv2d, OrPool2d
from .heads import GroupSum, MultiLabel, Regression
from .layers import LogicLayer, LogicNetwork
from .train import train

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
