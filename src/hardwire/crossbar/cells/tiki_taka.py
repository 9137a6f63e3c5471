"""Tiki-Taka: one array takes the updates, another holds the weights."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...core.errors import InputError
from ...core.rng import inner, jit
from ...devices.models import Ideal, LinearStep
from ...devices.presets import device
from ..kernels import linear
from ..kernels.linear import Bidirectional
from ..kernels.noise import normal, round_randomly
from ..kernels.reference import Reference
from ..kernels.state import Floats, Reading, Stream, Tile, new_reading
from ..updates import Pulsing
from .base import Cell, Kernels
from .single import pulsing_of


class TikiTakaState(NamedTuple):
    """Arrays A (``reading.g``) and C (``reading.rest``).

    Attributes
    ----------
    accumulator
        (n, m) float32, pulses that wait for C; of version 2.
    row
        (1,) int64, the row that is passed next.
    step
        Mean change of a weight by a pulse on C.
    """

    tile: Tile
    reading: Reading
    fast: Bidirectional
    slow: Bidirectional
    accumulator: Floats
    row: NDArray[np.int64]
    pulsing: Pulsing
    step: float
    rate: float
    momentum: float
    version: int
    transfer_every: int
    leak_every: int


@inner
def update(s: TikiTakaState, x: Floats, d: Floats, lr: float, rng: Stream) -> None:
    """Learn one example in A; each ``transfer_every`` of them pass a row to C."""
    linear.learn(s.pulsing, s.reading.g, s.fast, s.tile, 1, x, d, lr, rng)
    linear.count_example(s.reading.g, s.fast, s.tile.control, s.leak_every)
    if s.tile.control[0].examples % s.transfer_every == 0:
        pass_row(s, rng)


@inner
def pass_row(s: TikiTakaState, rng: Stream) -> None:
    """Read one row of A and pass it on to C: at once (version 1), or through the accumulator (2)."""
    control, noise, a, c = s.tile.control[0], s.tile.ahead.output_noise, s.reading.g, s.reading.rest
    accumulator, i = s.accumulator, s.row[0]
    for j in range(a.shape[1]):
        v = a[i, j] / s.tile.unit
        if noise > 0:
            v += noise * normal(rng)
        if s.version == 1:
            count, direction = round_randomly(s.rate * abs(v) / s.step, rng), 1 if v > 0 else -1
        else:
            accumulator[i, j] += s.rate * v / s.step
            count, direction = int(abs(accumulator[i, j])), 1 if accumulator[i, j] > 0 else -1
        if count:
            linear.pulse_synapse(c, s.slow, i, j, direction, count, rng)
            control.slow_pulses += count
            if s.version == 2:
                accumulator[i, j] -= direction * count * (1 - s.momentum)
    control.forward_reads += 1
    s.row[0] = (i + 1) % len(a)


@jit
def pulse(s: TikiTakaState, counts: NDArray[np.int64], rng: Stream) -> None:
    """Give every synapse of A ``counts`` pulses."""
    linear.pulse_all(s.reading.g, s.fast, s.tile.control, 1, counts, rng)


@jit
def program(s: TikiTakaState, weights: NDArray[np.float64], rng: Stream) -> None:
    """Write weights into C."""
    linear.program(s.reading.rest, s.slow, s.tile.unit, weights)


def leak(s: TikiTakaState, examples: float) -> None:
    """Let A leak over ``examples`` examples."""
    if len(s.fast.leakage):
        linear.leak(s.reading.g, s.fast.leakage, examples)


class TikiTakaReference(Reference):
    """The slow reference."""

    def update(self, x: Any, d: Any, lr: float) -> None:
        """Learn one example."""
        self.learn_linear(self.s.fast, x, d, lr)
        self.count_example(self.s.fast)
        if self.examples % self.s.transfer_every == 0:
            self.pass_row()

    def pass_row(self) -> None:
        """Pass one row of A into C: at once, or through the accumulator H."""
        s, i, noise = self.s, int(self.s.row[0]), self.s.tile.ahead.output_noise
        for j in range(s.reading.g.shape[1]):
            v = float(s.reading.g[i, j]) / s.tile.unit + (noise * self.words.normal() if noise else 0)
            if s.version == 1:
                count, direction = self.words.round(s.rate * abs(v) / s.step), 1 if v > 0 else -1
            else:
                s.accumulator[i, j] += s.rate * v / s.step
                count, direction = int(abs(s.accumulator[i, j])), 1 if s.accumulator[i, j] > 0 else -1
                s.accumulator[i, j] -= direction * count * (1 - s.momentum)
            if count:
                self.pulse_linear(s.reading.rest, s.slow, i, j, direction, count)
        s.row[0] = (i + 1) % len(s.reading.g)


@dataclass(frozen=True, kw_only=True)
class TikiTaka(Cell):
    """Two arrays: A takes the updates, C holds the weights; ``W = (C + gamma A) / unit``.

    Each ``transfer_every`` examples one row of A is read and passed to C times ``rate``: at once (version 1), or
    through a digital accumulator that sends whole pulses (version 2; of a sent pulse the share ``momentum`` stays). A's
    own asymmetry makes it forget: its reference is the symmetry point.

    References
    ----------
    Gokmen and Haensch, Frontiers in Neuroscience 14:103, 2020 (version 1); Gokmen, Frontiers in Artificial Intelligence
    4:699148, 2021 (version 2).
    """

    fast: LinearStep = field(default_factory=lambda: device("reram_sb"))
    slow: LinearStep = field(default_factory=lambda: device("reram_sb"))
    version: int = 2
    gamma: float = 0.0
    rate: float = 0.1
    transfer_every: int = 1
    momentum: float = 0.0
    leak_every: int = 100

    state_type = TikiTakaState
    kernels = Kernels(update, pulse, program, leak=leak)
    reference = TikiTakaReference

    def __post_init__(self) -> None:
        super().__post_init__()
        self._device("fast", LinearStep)
        self._device("slow", LinearStep)
        self._whole("transfer_every", "leak_every")
        self._positive("rate")
        if self.version not in (1, 2):
            raise InputError(f"cell TikiTaka: version = {self.version!r}; give 1 or 2")
        if not (0 <= self.gamma < float("inf") and 0 <= self.momentum < 1):
            raise InputError(f"cell TikiTaka: gamma = {self.gamma}, momentum = {self.momentum}; give gamma >= 0 and "
                             "0 <= momentum < 1")
        if isinstance(self.fast, Ideal) or isinstance(self.slow, Ideal):
            raise InputError("cell TikiTaka: an ideal device has no pulses; take 'constant_ideal'")

    @property
    def step(self) -> float:
        """Mean change by one pulse on A, uS."""
        return self.fast.step

    def state(self, tile: Tile, n: int, m: int, rng: np.random.Generator) -> Any:
        """Return fresh arrays."""
        fast, slow = (linear.new_devices(d, n, m, rng) for d in (self.fast, self.slow))
        accumulator = np.zeros((n if self.version == 2 else 0, m), np.float32)
        slow = slow._replace(leakage=slow.leakage[:0])
        return TikiTakaState(tile, new_reading(n, m, gain=self.gamma), fast, slow, accumulator, np.zeros(1, np.int64),
                             pulsing_of(self, self.fast), self.slow.step / self.unit, float(self.rate),
                             float(self.momentum), self.version, self.transfer_every, self.leak_every)
