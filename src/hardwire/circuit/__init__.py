"""Exact logic: a circuit of look-up tables, its builder, its files and its engines. No torch from here on."""

from .builder import CircuitBuilder
from .circuit import FALSE, FIRST, STAGES, TRUE, Circuit, Macro, Word
from .formats.net import load_circuit, save_circuit

__all__ = [
    "FALSE", "FIRST", "STAGES", "TRUE", "Circuit", "CircuitBuilder", "Macro", "Word", "load_circuit", "save_circuit",
]
