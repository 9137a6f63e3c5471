"""Spiking networks that learn without labels on an array of memory cells, and are pruned softly while they learn."""

from .readout import Readout, fit_readout
from .settings import Settings, preset
from .train import Model, load_model, train

__all__ = ["Model", "Readout", "Settings", "fit_readout", "load_model", "preset", "train"]
