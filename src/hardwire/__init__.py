"""Hardwire trains neural networks that live in hardware, takes them down to it and proves what runs."""

import lazy_loader

__version__ = "0.1.0"

# Public names are declared in __init__.pyi and resolved on first use, so that ``import hardwire`` loads no torch.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
