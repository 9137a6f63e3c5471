"""One bidirectional device a weight."""

from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...core.rng import inner, jit
from ...devices.models import Ideal, LinearStep
from ...devices.presets import device
from ..kernels import linear
from ..kernels.linear import Bidirectional
from ..kernels.reference import Reference
from ..kernels.state import Floats, Reading, Stream, Tile, new_reading
from ..updates import Pulsing
from .base import Cell, Kernels


class SingleState(NamedTuple):
    """Array of single devices; see ``Single``."""

    tile: Tile
    reading: Reading
    device: Bidirectional
    pulsing: Pulsing
    leak_every: int


@inner
def update(s: SingleState, x: Floats, d: Floats, lr: float, rng: Stream) -> None:
    """Learn one example."""
    linear.learn(s.pulsing, s.reading.g, s.device, s.tile, 1, x, d, lr, rng)
    linear.count_example(s.reading.g, s.device, s.tile.control, s.leak_every)


@jit
def pulse(s: SingleState, counts: NDArray[np.int64], rng: Stream) -> None:
    """Give every synapse ``counts`` pulses."""
    linear.pulse_all(s.reading.g, s.device, s.tile.control, 1, counts, rng)


@jit
def program(s: SingleState, weights: NDArray[np.float64], rng: Stream) -> None:
    """Write weights."""
    linear.program(s.reading.g, s.device, s.tile.unit, weights)


def leak(s: SingleState, examples: float) -> None:
    """Let the devices leak over ``examples`` examples."""
    if len(s.device.leakage):
        linear.leak(s.reading.g, s.device.leakage, examples)


class SingleReference(Reference):
    """The slow reference."""

    def update(self, x: Any, d: Any, lr: float) -> None:
        """Learn one example."""
        self.learn_linear(self.s.device, x, d, lr)
        self.count_example(self.s.device)


@dataclass(frozen=True, kw_only=True)
class Single(Cell):
    """One bidirectional device a weight, read against a reference: ``W = g / unit``; with ``Ideal`` gradient descent.

    Parameters
    ----------
    leak_every
        Examples whose leakage is applied at once.
    """

    device: LinearStep = field(default_factory=lambda: device("gokmen_vlasov"))
    leak_every: int = 100

    state_type: ClassVar[type[tuple[Any, ...]]] = SingleState
    kernels = Kernels(update, pulse, program, leak=leak)
    reference: ClassVar[type[Reference]] = SingleReference

    def __post_init__(self) -> None:
        super().__post_init__()
        self._device("device", LinearStep)
        self._whole("leak_every")

    @property
    def step(self) -> float:
        """Mean change by one pulse, uS."""
        return self.device.step

    def state(self, tile: Tile, n: int, m: int, rng: np.random.Generator) -> Any:
        """Return a fresh array."""
        devices = linear.new_devices(self.device, n, m, rng)
        return SingleState(tile, new_reading(n, m), devices, pulsing_of(self, self.device), self.leak_every)


def pulsing_of(cell: Cell, volatile: LinearStep) -> Pulsing:
    """Return how pulses reach a cell's bidirectional device; an ideal one takes the change itself."""
    return cell.update.pulsing(volatile.step / cell.unit, rule="exact" if isinstance(volatile, Ideal) else "")
