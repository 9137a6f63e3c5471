"""Hardwire trains neural networks that live in hardware, takes them down to it and proves what runs."""

from importlib import import_module

from .core.extras import attach
from .core.provided import provide

__version__ = "0.1.0"

# Public names are declared in __init__.pyi and resolved on first use, so that ``import hardwire`` loads no torch.
provide("circuit", lambda: import_module("hardwire.workflow.operations"))
provide("pretrained", lambda: import_module("hardwire.workflow.pretrained"))
__getattr__, __dir__, __all__ = attach(__name__, __file__)
