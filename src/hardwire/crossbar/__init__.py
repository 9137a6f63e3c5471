"""Training in analog memory: fully connected networks whose weights are conductances (Ambrogio et al., Nature 558, 60-67, 2018).

Names are resolved on first use, so that the devices alone can be had without torch and without compiling a kernel.
"""

from importlib import import_module

_LAZY = {
    "Capacitor": "devices.models", "Device": "devices.models", "Ideal": "devices.models", "LinearStep": "devices.models", "Pcm": "devices.models",
    "SoftBounds": "devices.models", "device": "devices.models", "fit": "devices.fitting",
    "Hybrid": "crossbar.cells", "MixedPrecision": "crossbar.cells", "PcmPair": "crossbar.cells", "Single": "crossbar.cells", "TikiTaka": "crossbar.cells",
    "Update": "crossbar.kernels.update", "Chip": "crossbar.kernels.tile", "Periphery": "crossbar.kernels.tile", "Crossbar": "crossbar.crossbar",
    "CrossbarLinear": "crossbar.layers", "CrossbarSGD": "crossbar.layers", "convert": "crossbar.layers",
    "Network": "crossbar.network",
}

__all__ = sorted(_LAZY)


def __getattr__(name):
    if name not in _LAZY:
        raise AttributeError(f"module 'hardwire.crossbar' has no attribute {name!r}")
    return getattr(import_module(f"hardwire.{_LAZY[name]}"), name)


def __dir__():
    return __all__
