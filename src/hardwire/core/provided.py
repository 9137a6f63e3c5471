"""Objects whose methods are carried out by packages above their own.

A circuit can be proved, optimised and emitted, but its package may not import what does so. It declares the methods it
wants as a protocol; the package's ``__init__``, which sees everything, says here how to load what carries them out.
"""

from collections.abc import Callable
from typing import Any

_LOADERS: dict[str, Callable[[], Any]] = {}


def provide(name: str, load: Callable[[], Any]) -> None:
    """Say how to load what carries out the methods ``name``; it is loaded when one is first called."""
    _LOADERS[name] = load


def provided(name: str) -> Any:
    """Load what carries out the methods ``name``."""
    return _LOADERS[name]()
