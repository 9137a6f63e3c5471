"""Random words inside Numba kernels: SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).

A stream is one uint64 in an array of length 1: it is stored with a checkpoint, and nothing but its own draws moves it. Plain Python
runs the functions too (``.py_func``), for naive twins.
"""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

_F = TypeVar("_F", bound=Callable[..., Any])


class Decorator(Protocol):
    """A decorator that compiles a function and keeps its type."""

    def __call__(self, function: _F, /) -> _F: ...


jit: Decorator = njit(nogil=True, cache=True, error_model="numpy")
#: For functions that kernels alone call: without wrappers for Python, whose compilation takes a fifth of the time. A call from
#: Python would end the process; ``.py_func`` is the plain function.
inner: Decorator = njit(nogil=True, cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
#: For the innermost functions: a call for each synapse would cost more than their work.
inlined: Decorator = njit(nogil=True, cache=True, error_model="numpy", forceinline=True)

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX1, _MIX2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S27, _S30, _S31 = (np.uint64(n) for n in (27, 30, 31))


@inlined
def word(state):
    """64 random bits; ``state``, (1,) uint64, moves on."""
    state[0] += _GOLDEN
    z = state[0]
    z = (z ^ (z >> _S30)) * _MIX1
    z = (z ^ (z >> _S27)) * _MIX2
    return z ^ (z >> _S31)
