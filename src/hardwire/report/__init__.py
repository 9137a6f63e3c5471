"""One record per run, as text, JSON and HTML with plots. Reads records only: no torch, no circuit."""

from ..core.extras import attach

# Resolved on first use: the pages bring matplotlib, which whoever prints a record does without.
__getattr__, __dir__, __all__ = attach(__name__, __file__)
