"""The relaxed network: modules, wiring, training. Needs torch."""

from .checkpoint import load_model, save_model
from .config import Config, preset
from .layers import GroupSum, LogicLayer, LogicNetwork
from .train import train

__all__ = ["Config", "GroupSum", "LogicLayer", "LogicNetwork", "load_model", "preset", "save_model", "train"]
