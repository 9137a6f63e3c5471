"""Spiking networks that learn without labels on an array of memory cells, and are pruned softly while they learn."""

from importlib import import_module

#: Public name -> module; resolved on first use, so that the command line stays light.
_PLACES = {"Model": "training", "Readout": "readout", "SpikingSettings": "settings", "export_nir": "nir", "fit_readout": "readout",
           "import_nir": "nir", "load_model": "training", "preset": "settings", "train": "training"}
__all__ = ["Model", "Readout", "SpikingSettings", "export_nir", "fit_readout", "import_nir", "load_model", "preset", "train"]


def __getattr__(name):
    if name not in _PLACES:
        raise AttributeError(f"module 'hardwire.spiking' has no attribute {name!r}")
    return getattr(import_module(f".{_PLACES[name]}", __name__), name)
