"""Cells: how devices make one weight.

A cell is one module here, with its parameters, state, kernels and slow reference, and one row of ``CELLS``.
"""

from typing import Any

from numba.extending import overload

from .base import Cell, assumed
from .hybrid import Hybrid
from .mixed_precision import MixedPrecision
from .pcm_pair import PcmPair
from .single import Single
from .tiki_taka import TikiTaka

__all__ = ["CELLS", "Cell", "Hybrid", "MixedPrecision", "PcmPair", "Single", "TikiTaka", "assumed", "update"]

#: Every kind of cell.
CELLS: tuple[type[Cell], ...] = (Hybrid, MixedPrecision, PcmPair, Single, TikiTaka)


def update(state: Any, x: Any, d: Any, lr: float, rng: Any) -> None:
    """Learn one example, ``W -= lr x d^T``; in kernels alone, where the type of ``state`` selects the cell's kernel."""
    raise NotImplementedError("cells.update is for kernels; call Crossbar.update")


@overload(update)
def _select_update(state: Any, x: Any, d: Any, lr: Any, rng: Any) -> Any:
    """Resolve ``update`` while a kernel is compiled."""
    kernel = next(cell.kernels.update for cell in CELLS if cell.state_type is state.instance_class)

    def call(state: Any, x: Any, d: Any, lr: Any, rng: Any) -> Any:
        kernel(state, x, d, lr, rng)

    return call
