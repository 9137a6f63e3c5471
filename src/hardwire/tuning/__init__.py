"""Sweeps: a grid or a search over settings, shared by processes, and the front of accuracy against cost."""

from .space import Space, parse_space, read_space
from .sweep import show, sweep
from .tuned import tune

__all__ = ["Space", "parse_space", "read_space", "show", "sweep", "tune"]
