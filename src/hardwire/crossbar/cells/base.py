"""What all cells share: how devices make one weight, checks of their parameters, and the kernels that each brings."""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ...core.errors import InputError
from ...devices.models import Device
from ...devices.presets import PRESETS
from ..kernels.reference import Reference
from ..kernels.state import Tile
from ..updates import Update


class Kernels(NamedTuple):
    """What a cell's array can do; each takes the cell's state first.

    Attributes
    ----------
    update
        ``(state, x, d, lr, rng)``: learn one example, ``W -= lr x d^T``, then what the clock brings. x (n,), d (m,)
        float32.
    pulse
        ``(state, counts, rng)``: (n, m) update pulses on every synapse; positive ones raise the weight.
    program
        ``(state, weights, rng)``: write weights (n, m) float64 from outside.
    transfer
        ``(state, rng)``: what the end of an interval brings; None where the cell has no intervals.
    leak
        ``(state, examples)``: leakage over ``examples`` examples; None where nothing leaks.
    wait
        ``(state, seconds)``: drift over ``seconds``; None where nothing drifts.
    """

    update: Callable[..., None]
    pulse: Callable[..., None]
    program: Callable[..., None]
    transfer: Callable[..., None] | None = None
    leak: Callable[..., None] | None = None
    wait: Callable[..., None] | None = None


@dataclass(frozen=True, kw_only=True)
class Cell(ABC):
    """How devices make one weight, and when what is learned moves from the volatile ones to the lasting ones.

    Parameters
    ----------
    unit
        Conductance that is one unit of weight, uS; of devices with relative conductances in units of their range.
    update
        How a change becomes pulses.
    """

    unit: float = 1.0
    update: Update = field(default_factory=Update)

    #: Record of the cell's arrays and numbers, whose type selects the kernels; the kernels; and their slow reference.
    state_type: ClassVar[type[tuple[Any, ...]]]
    kernels: ClassVar[Kernels]
    reference: ClassVar[type[Reference]]
    #: Parameters that no source gives.
    ASSUMED: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        self._positive("unit")

    @property
    @abstractmethod
    def step(self) -> float:
        """Mean change of a weight by one update pulse, uS."""

    @abstractmethod
    def state(self, tile: Tile, n: int, m: int, rng: np.random.Generator) -> Any:
        """Return a fresh array of ``n`` x ``m`` synapses, its devices drawn from ``rng``."""

    def _positive(self, *names: str) -> None:
        for name in names:
            value = getattr(self, name)
            if isinstance(value, bool) or not 0 < value < float("inf"):
                raise InputError(f"cell {type(self).__name__}: {name} = {value!r}; give a positive number")

    def _whole(self, *names: str) -> None:
        for name in names:
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InputError(f"cell {type(self).__name__}: {name} = {value!r}; give a whole number of at least 1")

    def _device(self, name: str, kind: type[Device]) -> None:
        value = getattr(self, name)
        if not isinstance(value, kind):
            example = next(p.name for p in PRESETS.values() if isinstance(p, kind))
            raise InputError(f"cell {type(self).__name__}: {name} is {getattr(value, 'name', value)!r}, a "
                             f"{type(value).__name__}; give a {kind.__name__}, such as {example!r}")


def assumed(cell: Cell) -> dict[str, Any]:
    """Return parameters of a cell and its devices that no source gives: ``{"pcm.read_noise": 3.0}``."""
    own = {name: getattr(cell, name) for name in cell.ASSUMED}
    for f in dataclasses.fields(cell):
        part = getattr(cell, f.name)
        if isinstance(part, Device):
            own |= {f"{f.name}.{name}": getattr(part, name) for name in part.assumed}
    return own
