"""The relaxed network: modules, wiring, training. Names are resolved on first use, as most need torch."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
