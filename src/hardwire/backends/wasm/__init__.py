"""WebAssembly with 128-bit SIMD, and without."""

from .writer import module

__all__ = ["module"]
