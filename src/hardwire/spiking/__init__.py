"""Spiking networks that learn without labels on an array of memory cells, and are pruned softly while they learn.

Names are resolved on first use, so that the settings are had without a kernel.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
