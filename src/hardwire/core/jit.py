"""How the house compiles kernels with Numba: without the interpreter's lock, cached on disk, divisions as in NumPy."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast

from numba import njit
from numba.core.caching import IndexDataCacheFile

_F = TypeVar("_F", bound=Callable[..., Any])
_OPTIONS = {"nogil": True, "cache": True, "error_model": "numpy"}
#: Without wrappers for Python and C, whose compilation takes a fifth of the time.
_INNER = _OPTIONS | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}


class Decorator(Protocol):
    """A decorator that compiles a function and keeps its type."""

    def __call__(self, function: _F, /) -> _F:
        """Return the compiled function."""
        ...


class _Index(IndexDataCacheFile):
    """Index of the cached versions of a kernel, empty if an older source named a type in it that is no more."""

    def _load_index(self) -> Any:
        index: Any = super()  # Numba has no types
        try:
            return index._load_index()
        except (AttributeError, ImportError):
            return {}


def _compiler(**options: Any) -> Decorator:
    def compiled(function: _F, /) -> _F:
        dispatcher = njit(**options)(function)
        index = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
        if isinstance(index, IndexDataCacheFile):
            index.__class__ = _Index  # Numba offers no other way to replace it
        return cast(_F, dispatcher)

    return compiled


#: For functions that Python calls.
jit: Decorator = _compiler(**_OPTIONS)
#: For functions that kernels alone call. A call from Python would end the process; ``.py_func`` is the plain function.
inner: Decorator = _compiler(**_INNER)
#: For the innermost functions: a call would cost more than their work, and pass vectors through memory.
inlined: Decorator = _compiler(**_OPTIONS, forceinline=True)
#: The same for functions that kernels alone call.
inner_inlined: Decorator = _compiler(**_INNER, forceinline=True)
