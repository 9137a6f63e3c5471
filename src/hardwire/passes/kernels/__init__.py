"""The compiled loops of the passes; Numba is imported with them and no earlier."""

from numba import njit

#: Of kernels that Python calls.
compiled = njit(cache=True)
#: Of kernels that only kernels call: without wrappers for Python and C they compile in four fifths of the time.
inner = njit(cache=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
