"""Random words inside Numba kernels: SplitMix64.

A stream is one uint64 in an array of length 1: it is stored with a checkpoint, and nothing but its own draws moves it.
Plain Python runs the function too (``word.py_func``), for naive references.

References
----------
G. L. Steele Jr., D. Lea, C. H. Flood: Fast splittable pseudorandom number generators. OOPSLA 2014.
"""

import numpy as np
from numpy.typing import NDArray

from .jit import inlined, inner, jit

__all__ = ["inlined", "inner", "jit", "word"]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX1, _MIX2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S27, _S30, _S31 = (np.uint64(n) for n in (27, 30, 31))


@inlined
def word(state: NDArray[np.uint64]) -> np.uint64:
    """Draw 64 random bits; ``state``, (1,) uint64, moves on."""
    state[0] += _GOLDEN
    z = state[0]
    z = (z ^ (z >> _S30)) * _MIX1
    z = (z ^ (z >> _S27)) * _MIX2
    bits: np.uint64 = z ^ (z >> _S31)
    return bits
