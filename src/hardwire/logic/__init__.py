"""The relaxed network: modules, wiring, training. Names are resolved on first use, as most need torch."""

from ..core.extras import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
