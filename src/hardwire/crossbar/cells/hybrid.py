"""2 PCM + 3T1C: a capacitor learns, a pair of PCM devices lasts."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...core.errors import InputError
from ...core.rng import inner, jit
from ...devices.models import HIGH, LOW, Ideal, LinearStep, Pcm
from ...devices.presets import device
from ..kernels import linear, pcm
from ..kernels.linear import Bidirectional
from ..kernels.pcm import Pair
from ..kernels.reference import PcmReference
from ..kernels.state import Floats, Reading, Stream, Tile, new_reading
from ..updates import EXACT, Pulsing
from .base import Cell, Kernels
from .pcm_pair import loop_of, wait
from .single import pulsing_of


class HybridState(NamedTuple):
    """Capacitors (``reading.g``), read with the polarity ``reading.gain``, 1 or -1, and pairs (``reading.rest``)."""

    tile: Tile
    reading: Reading
    capacitor: Bidirectional
    pair: Pair
    pulsing: Pulsing
    inversion: bool
    transfer_every: int
    example_time: float
    leak_every: int


@inner
def polarity(s: HybridState) -> int:
    """Return 1, or -1 while it is inverted."""
    return 1 if s.reading.gain[0] > 0 else -1


@inner
def update(s: HybridState, x: Floats, d: Floats, lr: float, rng: Stream) -> None:
    """Learn one example in the capacitors; each ``transfer_every`` of them are moved into the pairs."""
    control = s.tile.control
    linear.learn(s.pulsing, s.reading.g, s.capacitor, s.tile, polarity(s), x, d, lr, rng)
    linear.count_example(s.reading.g, s.capacitor, control, s.leak_every)
    if control[0].examples % s.transfer_every == 0:
        if s.pair.drift > 0:
            pcm.wait(s.pair, s.reading, s.transfer_every * s.example_time)
        transfer(s, rng)


@inner
def write_capacitor(s: HybridState, i: int, j: int, wanted: float, rng: Stream) -> None:
    """Bring a capacitor from where it is to ``wanted`` (uS) by as many pulses as the mean step asks for."""
    g, constants = s.reading.g, s.capacitor.constants[i, j]
    if wanted < constants[LOW] or wanted > constants[HIGH]:
        s.tile.control[0].clipped += 1
    if s.pulsing.rule == EXACT:
        g[i, j] = min(max(wanted, constants[LOW]), constants[HIGH])
        return
    change = wanted - g[i, j]
    count = round(abs(change) / s.capacitor.step)
    linear.pulse_counted(g, s.capacitor, s.tile.control, i, j, 1 if change > 0 else -1, count, rng)


@jit
def transfer(s: HybridState, rng: Stream) -> None:
    """Move every weight into its PCM pair, what is left over back into the capacitor; then the polarity turns.

    The weight is read whole, the capacitor reset to its reference, the pair programmed by closed loop.
    """
    control, g, rest, noise = s.tile.control[0], s.reading.g, s.reading.rest, s.reading.noise
    readings, sign = s.pair.loop.readings, polarity(s)
    turned = -sign if s.inversion else sign
    n, m = g.shape
    for i in range(n):
        for j in range(m):
            variance = noise[i, j] / readings if len(noise) > 0 else 0.0
            target = pcm.noisy(rest[i, j] + sign * g[i, j], variance, rng)
            g[i, j] = 0
            left = pcm.close_loop(s.pair, s.reading, s.tile.control, i, j, target, rng)
            write_capacitor(s, i, j, turned * left, rng)
    control.cell_reads += n * m * readings
    control.transfers += 1
    s.reading.gain[0] = turned


@jit
def pulse(s: HybridState, counts: NDArray[np.int64], rng: Stream) -> None:
    """Give every capacitor ``counts`` pulses."""
    linear.pulse_all(s.reading.g, s.capacitor, s.tile.control, polarity(s), counts, rng)


@jit
def program(s: HybridState, weights: NDArray[np.float64], rng: Stream) -> None:
    """Write weights into the pairs by closed loop, and the rest into the capacitors."""
    n, m = weights.shape
    for i in range(n):
        for j in range(m):
            s.reading.g[i, j] = 0
            left = pcm.close_loop(s.pair, s.reading, s.tile.control, i, j, weights[i, j] * s.tile.unit, rng)
            write_capacitor(s, i, j, polarity(s) * left, rng)


def leak(s: HybridState, examples: float) -> None:
    """Let the capacitors leak over ``examples`` examples."""
    if len(s.capacitor.leakage):
        linear.leak(s.reading.g, s.capacitor.leakage, examples)


class HybridReference(PcmReference):
    """The slow reference."""

    def update(self, x: Any, d: Any, lr: float) -> None:
        """Learn one example."""
        s = self.s
        self.learn_linear(s.capacitor, x, d, lr, self.polarity)
        self.count_example(s.capacitor)
        if self.examples % s.transfer_every == 0:
            if s.pair.drift:
                self.wait(s.transfer_every * s.example_time)
            self.transfer()

    @property
    def polarity(self) -> int:
        """1, or -1 while it is inverted."""
        return int(self.s.reading.gain[0])

    def transfer(self) -> None:
        """Move every weight into its pair, and turn the polarity."""
        s, r, sign = self.s, self.s.reading, self.polarity
        turned = -sign if s.inversion else sign
        for i, j in np.ndindex(*r.g.shape):
            variance = float(r.noise[i, j]) / s.pair.loop.readings if len(r.noise) else 0.0
            target = self.noisy(float(r.rest[i, j]) + sign * float(r.g[i, j]), variance)
            r.g[i, j] = 0
            wanted = turned * self.close_loop(i, j, target)
            if s.pulsing.rule == EXACT:
                r.g[i, j] = min(max(wanted, s.capacitor.constants[i, j, LOW]), s.capacitor.constants[i, j, HIGH])
            else:
                count = round(abs(wanted) / s.capacitor.step)
                self.pulse_linear(r.g, s.capacitor, i, j, 1 if wanted > 0 else -1, count)
        r.gain[0] = turned


@dataclass(frozen=True, kw_only=True)
class Hybrid(Cell):
    """2 PCM + 3T1C: ``W = (factor (G+ - G-) + p (g - g_shared)) / unit``; g here is counted from g_shared.

    Updates pulse the capacitor. Each ``transfer_every`` examples W is read, g reset, the pair programmed by closed loop
    to ``tolerance``, what is left written back into g, and the polarity p turned (``inversion``) by swapping the two
    conductances of the lesser pair, so that what a device's up and down steps differ by cancels over two intervals.

    Parameters
    ----------
    factor
        How many times more a PCM conductance counts than the capacitor's.
    tolerance
        uS of the difference ``factor (G+ - G-)``.
    refresh_level, most_pulses, least_share, readings, example_time
        See ``PcmPair``.
    leak_every
        Examples whose leakage is applied at once.

    References
    ----------
    Ambrogio et al., Nature 558:60-67, 2018; US patents 11,074,499, 11,436,479 and 11,915,132 (read). The interval of
    8,000 is read in Extended Data Fig. 2, ``factor`` in MLP+NeuroSim's HybridCell.
    """

    unit: float = 40.0
    capacitor: LinearStep = field(default_factory=lambda: device("capacitor_vlsi2018"))
    pcm: Pcm = field(default_factory=lambda: device("pcm_gst"))
    factor: float = 4.0
    inversion: bool = True
    transfer_every: int = 8000
    tolerance: float = 3.0
    most_pulses: int = 40
    refresh_level: float = 0.75
    least_share: float = 0.05
    readings: int = 16
    example_time: float = 1e-6
    leak_every: int = 100

    ASSUMED = ("unit", "tolerance", "most_pulses", "refresh_level", "least_share", "readings", "example_time")
    state_type = HybridState
    kernels = Kernels(update, pulse, program, transfer=transfer, leak=leak, wait=wait)
    reference = HybridReference

    def __post_init__(self) -> None:
        super().__post_init__()
        self._device("capacitor", LinearStep)
        self._device("pcm", Pcm)
        self._whole("transfer_every", "leak_every", "most_pulses", "readings")
        self._positive("factor", "tolerance", "refresh_level", "least_share")
        if isinstance(self.capacitor, Ideal):
            return
        if self.capacitor.relative:
            raise InputError(f"cell Hybrid: device {self.capacitor.name!r} has relative conductances, the PCM's are in "
                             "uS; take a capacitor in uS")
        if self.factor <= 1 and self.factor * self.pcm.g_max <= self.capacitor.high:
            raise InputError(f"cell Hybrid: factor {self.factor:g} times {self.pcm.g_max:g} uS is no more than the "
                             f"capacitor's {self.capacitor.high:g} uS; the pair must be the more significant part, "
                             "give "
                             "a larger factor")

    @property
    def step(self) -> float:
        """Mean change by one pulse, uS."""
        return self.capacitor.step

    def state(self, tile: Tile, n: int, m: int, rng: np.random.Generator) -> Any:
        """Return a fresh array; its weights are those of its devices after RESET."""
        capacitor = linear.new_devices(self.capacitor, n, m, rng)
        pair = pcm.new_pairs(self.pcm, loop_of(self), n, m, rng)
        reading = new_reading(n, m, noisy=self.pcm.read_noise > 0)
        pcm.wait(pair, reading, 0.0)
        return HybridState(tile, reading, capacitor, pair, pulsing_of(self, self.capacitor), bool(self.inversion),
                           self.transfer_every, float(self.example_time), self.leak_every)
