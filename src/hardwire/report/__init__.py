"""One record per run, as text, JSON and HTML with plots. Reads records only: no torch, no circuit."""

import lazy_loader

# Resolved on first use: the pages bring matplotlib, which whoever prints a record does without.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
