"""Mixed precision: changes are summed in digital memory, whole steps of the sum become pulses."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...core.rng import inner, jit
from ..kernels import linear
from ..kernels.linear import Bidirectional
from ..kernels.reference import Reference
from ..kernels.state import Floats, Reading, Stream, Tile, new_reading
from .base import Kernels
from .single import Single, leak


class MixedPrecisionState(NamedTuple):
    """Array of single devices with a digital accumulator, (n, m) float32, in units of weight; ``step`` is a pulse's."""

    tile: Tile
    reading: Reading
    device: Bidirectional
    accumulator: Floats
    step: float
    leak_every: int


@inner
def update(s: MixedPrecisionState, x: Floats, d: Floats, lr: float, rng: Stream) -> None:
    """Sum the change digitally, and pulse by whole steps of the sum."""
    g, device, control, accumulator, step = s.reading.g, s.device, s.tile.control, s.accumulator, s.step
    for i in range(len(x)):
        if x[i] != 0:
            change = np.float32(lr) * x[i]
            for j in range(len(d)):
                accumulator[i, j] -= change * d[j]
                count = int(abs(accumulator[i, j]) / step)
                if count:
                    direction = 1 if accumulator[i, j] > 0 else -1
                    accumulator[i, j] -= direction * count * step
                    linear.pulse_counted(g, device, control, i, j, direction, count, rng)
    control[0].digital_updates += len(x) * len(d)
    linear.count_example(g, device, control, s.leak_every)


@jit
def pulse(s: MixedPrecisionState, counts: NDArray[np.int64], rng: Stream) -> None:
    """Give every synapse ``counts`` pulses."""
    linear.pulse_all(s.reading.g, s.device, s.tile.control, 1, counts, rng)


@jit
def program(s: MixedPrecisionState, weights: NDArray[np.float64], rng: Stream) -> None:
    """Write weights."""
    linear.program(s.reading.g, s.device, s.tile.unit, weights)


class MixedPrecisionReference(Reference):
    """The slow reference."""

    def update(self, x: Any, d: Any, lr: float) -> None:
        """Learn one example."""
        chi = self.s.accumulator
        for i, j in zip(*np.nonzero(np.outer(np.asarray(x) != 0, np.ones(len(d))))):
            chi[i, j] -= lr * float(x[i]) * float(d[j])
            count, direction = int(abs(float(chi[i, j])) / self.s.step), 1 if chi[i, j] > 0 else -1
            if count:
                chi[i, j] -= direction * count * self.s.step
                self.pulse_linear(self.s.reading.g, self.s.device, i, j, direction, count)
        self.count_example(self.s.device)


@dataclass(frozen=True, kw_only=True)
class MixedPrecision(Single):
    """Changes are summed in digital memory, ``chi += x d^T``; whole steps of the sum become pulses on the device.

    References
    ----------
    Nandakumar et al., Frontiers in Neuroscience 14:406, 2020, as read in aihwkit (second-hand).
    """

    state_type = MixedPrecisionState
    kernels = Kernels(update, pulse, program, leak=leak)
    reference = MixedPrecisionReference

    def state(self, tile: Tile, n: int, m: int, rng: np.random.Generator) -> Any:
        """Return a fresh array."""
        devices = linear.new_devices(self.device, n, m, rng)
        return MixedPrecisionState(tile, new_reading(n, m), devices, np.zeros((n, m), np.float32),
                                   self.device.step / self.unit, self.leak_every)
