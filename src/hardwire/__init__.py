"""Hardwire trains neural networks that live in hardware, takes them down to it and proves what runs."""

from importlib import import_module

__version__ = "0.1.0"

#: Public name -> module that defines it. Resolved on first use, so that ``import hardwire`` loads no torch.
_LAZY = {
    "Circuit": "hardwire.circuit",
    "CircuitBuilder": "hardwire.circuit",
    "load_circuit": "hardwire.circuit",
    "save_circuit": "hardwire.circuit",
    "PackedEngine": "hardwire.circuit.engine.packed",
    "stage_costs": "hardwire.cost",
    "optimize": "hardwire.passes",
    "lower": "hardwire.logic.lowering",
    "load_dataset": "hardwire.data",
    "LogicConv2d": "hardwire.logic",
    "LogicLayer": "hardwire.logic",
    "LogicNetwork": "hardwire.logic",
    "GroupSum": "hardwire.logic",
    "train": "hardwire.logic",
    "LogicClassifier": "hardwire.logic.sklearn",
    "LogicRegressor": "hardwire.logic.sklearn",
    "import_difflogic": "hardwire.logic.importers",
    "import_torchlogix": "hardwire.logic.importers",
    "HardwireError": "hardwire.core.errors",
}

__all__ = sorted(_LAZY)


def __getattr__(name):
    if name not in _LAZY:
        raise AttributeError(f"module 'hardwire' has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)


def __dir__():
    return __all__
