"""Hardwire trains neural networks that live in hardware, takes them down to it and proves what runs."""

import sys
from importlib import import_module
from types import ModuleType

__version__ = "0.1.0"

#: Public name -> module that defines it. Resolved on first use, so that ``import hardwire`` loads no torch.
_LAZY = {
    "Circuit": "hardwire.circuit",
    "CircuitBuilder": "hardwire.circuit",
    "load_circuit": "hardwire.circuit",
    "save_circuit": "hardwire.circuit",
    "PackedEngine": "hardwire.circuit.packed",
    "optimize": "hardwire.passes",
    "lower": "hardwire.lower",
    "load_dataset": "hardwire.data",
    "LogicConv2d": "hardwire.nn",
    "LogicLayer": "hardwire.nn",
    "LogicNetwork": "hardwire.nn",
    "GroupSum": "hardwire.nn",
    "train": "hardwire.nn",
    "LogicClassifier": "hardwire.estimators",
    "LogicRegressor": "hardwire.estimators",
    "import_difflogic": "hardwire.nn.imports",
    "import_torchlogix": "hardwire.nn.imports",
    "HardwireError": "hardwire.errors",
}

__all__ = sorted(_LAZY)


def __getattr__(name):
    if name not in _LAZY:
        raise AttributeError(f"module 'hardwire' has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)


def __dir__():
    return __all__


class _Package(ModuleType):
    """``hardwire.lower`` is the function, also once Python has imported the submodule of that name and binds it here."""

    def __setattr__(self, name, value):
        if name not in _LAZY or not isinstance(value, ModuleType):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
