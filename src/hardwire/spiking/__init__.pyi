from .nir import export_nir, import_nir
from .readout import Readout, fit_readout
from .settings import SpikingSettings, preset
from .training import Model, load_model, train

__all__ = [
    "Model", "Readout", "SpikingSettings", "export_nir", "fit_readout", "import_nir", "load_model", "preset", "train",
]
