"""Training in analog memory: fully connected networks whose weights are conductances (Ambrogio et al., Nature 558, 60-67, 2018).

Names are resolved on first use, so that the devices alone can be had without torch and without compiling a kernel.
"""

from importlib import import_module

_LAZY = {
    "Capacitor": "devices", "Device": "devices", "Ideal": "devices", "LinearStep": "devices", "Pcm": "devices",
    "SoftBounds": "devices", "device": "devices", "fit": "fitting",
    "Hybrid": "cell", "MixedPrecision": "cell", "PcmPair": "cell", "Single": "cell", "TikiTaka": "cell",
    "Update": "update", "Chip": "tile", "Periphery": "tile", "Crossbar": "array",
    "CrossbarLinear": "layers", "CrossbarSGD": "layers", "convert": "layers",
    "Network": "network",
}

__all__ = sorted(_LAZY)


def __getattr__(name):
    if name not in _LAZY:
        raise AttributeError(f"module 'hardwire.crossbar' has no attribute {name!r}")
    return getattr(import_module(f".{_LAZY[name]}", __name__), name)


def __dir__():
    return __all__
