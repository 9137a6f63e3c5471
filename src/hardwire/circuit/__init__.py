"""Exact logic: a circuit of look-up tables, its builder, its files and its engines. No torch from here on."""

from .circuit import STAGES, Circuit, CircuitBuilder, Macro, Word
from .formats.net import load_circuit, save_circuit

__all__ = ["STAGES", "Circuit", "CircuitBuilder", "Macro", "Word", "load_circuit", "save_circuit"]
