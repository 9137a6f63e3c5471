"""Spiking networks that learn without labels on an array of memory cells, and are pruned softly while they learn.

Names are resolved on first use, so that the settings are had without a kernel.
"""

from ..core.extras import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
