"""How the house compiles kernels with Numba: without the interpreter's lock, cached on disk, divisions as in NumPy."""

from numba import njit

#: For functions that Python calls.
jit = njit(nogil=True, cache=True, error_model="numpy")
#: For functions that only kernels call: without wrappers for Python and C they compile a fifth faster.
inner = njit(nogil=True, cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
#: The same for the innermost functions, where a call would cost more than their work or pass vectors through memory.
inlined = njit(nogil=True, cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True)
