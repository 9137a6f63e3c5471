"""Emitted C, parsed strictly and executed symbolically as a circuit, so that the text itself can be proved."""

from .model import read_back_model, read_model
from .reader import read_back_c, read_c

__all__ = ["read_back_c", "read_back_model", "read_c", "read_model"]
