"""Two PCM devices a weight, and nothing else."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...core.errors import InputError
from ...core.rng import inner, jit
from ...devices.models import AGE, Pcm
from ...devices.presets import device
from ..kernels import pcm
from ..kernels.pcm import ClosedLoop, Pair
from ..kernels.reference import PcmReference
from ..kernels.state import Floats, Reading, Stream, Tile, new_reading
from ..updates import Pulsing
from .base import Cell, Kernels


class PcmPairState(NamedTuple):
    """Array of pairs; see ``PcmPair``."""

    tile: Tile
    reading: Reading
    pair: Pair
    pulsing: Pulsing
    refresh_every: int
    example_time: float


@inner
def update(s: PcmPairState, x: Floats, d: Floats, lr: float, rng: Stream) -> None:
    """Learn one example; each ``refresh_every`` of them drift and are refreshed."""
    control = s.tile.control
    pcm.learn(s.pulsing, s.pair, s.reading, control, x, d, lr, rng)
    control[0].examples += 1
    if control[0].examples % s.refresh_every == 0:
        if s.pair.drift > 0:
            pcm.wait(s.pair, s.reading, s.refresh_every * s.example_time)
        refresh(s, rng)


@jit
def refresh(s: PcmPairState, rng: Stream) -> None:
    """RESET pairs with a device beyond the refresh level, and program their difference anew."""
    p, reading, control = s.pair, s.reading, s.tile.control
    n, m = reading.rest.shape
    control[0].cell_reads += n * m
    for i in range(n):
        for j in range(m):
            g = p.g[i, j]
            if max(g[0], g[1]) >= p.loop.refresh_level * p.g_max:
                target = p.loop.factor * (g[0] - g[1])
                g[0], g[1] = pcm.reset(p, rng), pcm.reset(p, rng)
                control[0].resets += 2
                pcm.close_loop(p, reading, control, i, j, target, rng)
    control[0].transfers += 1


@jit
def pulse(s: PcmPairState, counts: NDArray[np.int64], rng: Stream) -> None:
    """Give every synapse ``counts`` pulses."""
    n, m = counts.shape
    for i in range(n):
        for j in range(m):
            if counts[i, j] != 0:
                direction = 1 if counts[i, j] > 0 else -1
                pcm.pulse_synapse(s.pair, s.reading, s.tile.control, i, j, direction, abs(counts[i, j]), rng)


@jit
def program(s: PcmPairState, weights: NDArray[np.float64], rng: Stream) -> None:
    """Write weights by the closed loop."""
    n, m = weights.shape
    for i in range(n):
        for j in range(m):
            pcm.close_loop(s.pair, s.reading, s.tile.control, i, j, weights[i, j] * s.tile.unit, rng)


def wait(s: Any, seconds: float) -> None:
    """Let the pairs drift for ``seconds``."""
    pcm.wait(s.pair, s.reading, seconds)


class PcmPairReference(PcmReference):
    """The slow reference."""

    def update(self, x: Any, d: Any, lr: float) -> None:
        """Learn one example."""
        s = self.s
        for i, j, direction, count in self.coincidences(s.pulsing, x, d, lr):
            side = 0 if direction > 0 else 1
            g, constants = s.pair.g[i, j], s.pair.constants[i, j, side]
            for _ in range(count):
                g[side] = self.set_pulse(float(g[side]), constants, 1.0)
            constants[AGE] = 0
            self.update_reading(i, j)
        self.count_example()
        if self.examples % s.refresh_every == 0:
            if s.pair.drift:
                self.wait(s.refresh_every * s.example_time)
            self.refresh()

    def refresh(self) -> None:
        """RESET and program pairs beyond the refresh level."""
        pair = self.s.pair
        for i, j in np.ndindex(*self.s.reading.rest.shape):
            g = pair.g[i, j]
            if max(g) >= pair.loop.refresh_level * pair.g_max:
                target = pair.loop.factor * float(g[0] - g[1])
                g[0], g[1] = self.reset(), self.reset()
                self.close_loop(i, j, target)


@dataclass(frozen=True, kw_only=True)
class PcmPair(Cell):
    """2 PCM alone: ``W = factor (G+ - G-) / unit``; updates SET one of the two, saturated pairs are refreshed.

    Parameters
    ----------
    refresh_every
        Examples between looks at all pairs.
    refresh_level
        A device above this share of g_max makes its pair RESET and its difference programmed anew.
    tolerance, most_pulses, least_share
        Of that closed loop: uS, pulses a synapse, shortest relative duration.
    readings
        Averaged for each look that the closed loop takes.
    example_time
        Seconds that an example takes, for the drift.
    """

    unit: float = 20.0
    pcm: Pcm = field(default_factory=lambda: device("pcm_gst"))
    factor: float = 1.0
    refresh_every: int = 1000
    refresh_level: float = 0.75
    tolerance: float = 1.0
    most_pulses: int = 40
    least_share: float = 0.05
    readings: int = 16
    example_time: float = 1e-6

    state_type = PcmPairState
    kernels = Kernels(update, pulse, program, transfer=refresh, wait=wait)
    reference = PcmPairReference

    def __post_init__(self) -> None:
        super().__post_init__()
        self._device("pcm", Pcm)
        self._whole("refresh_every", "most_pulses", "readings")
        self._positive("factor", "refresh_level", "tolerance", "least_share")
        if self.update.rule == "exact":
            raise InputError("cell PcmPair: a PCM device is pulsed; take update rule stochastic or counts")

    @property
    def step(self) -> float:
        """Mean change by one pulse on a device at a quarter of its range, uS."""
        return self.factor * float(self.pcm.mean_step(self.pcm.g_max / 4))

    def state(self, tile: Tile, n: int, m: int, rng: np.random.Generator) -> Any:
        """Return a fresh array; its weights are those of its devices after RESET."""
        pair = pcm.new_pairs(self.pcm, loop_of(self), n, m, rng)
        reading = new_reading(n, m, noisy=self.pcm.read_noise > 0)
        pcm.wait(pair, reading, 0.0)
        return PcmPairState(tile, reading, pair, self.update.pulsing(self.step / self.unit), self.refresh_every,
                            float(self.example_time))


def loop_of(cell: Any) -> ClosedLoop:
    """Return the closed loop that a cell's parameters describe."""
    return ClosedLoop(float(cell.factor), float(cell.tolerance), cell.most_pulses, float(cell.refresh_level),
                      float(cell.least_share), cell.readings)
