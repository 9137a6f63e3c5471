"""Models of memory cells: what a pulse does, what differs from device to device and from cycle to cycle.

Conductances are in microsiemens (uS), except of devices whose fit was published relative to their range (``relative``:
1 is the nominal bound). Every parameter that no source gives is named in ``assumed``. Marks of sources: read,
second-hand, derived.
"""

import dataclasses
import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core.errors import InputError

Floats = NDArray[np.float32]
Shape = tuple[int, ...]

#: Constants of one device whose step is linear in its conductance, the last axis of ``LinearStep.sample``.
UP, DOWN, LOW, HIGH = range(4)
#: Constants of its leak, the last axis of ``LinearStep.sample_leak``.
LEAK_TO, LEAK_RATE = range(2)
#: Constants of one PCM device, the last axis of ``Pcm.sample``.
SET_STEP, TOP, DRIFT, AGE = range(4)
#: Conductances in uS outside these are taken for a mistake of units.
SMALLEST, LARGEST = 1e-3, 1e6
#: Endurance of a cell without limit.
UNLIMITED = np.uint32(0xFFFFFFFF)


@dataclass(frozen=True, kw_only=True)
class Device:
    """What all devices share.

    Parameters
    ----------
    name
        Of the device.
    source
        Where its numbers are from.
    fit
        How good they fit.
    assumed
        Names of parameters that no source gives.
    """

    name: str = ""
    source: str = ""
    fit: str = ""
    assumed: tuple[str, ...] = ()

    #: Parameters that may be negative; all other numbers may not.
    SIGNED: ClassVar[tuple[str, ...]] = ("low", "leak_to", "asymmetry")

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, int | float):
                continue
            if math.isnan(value) or (math.isinf(value) and field.name != "lifetime"):
                raise InputError(f"{self._called()}: {field.name} = {value}; give a finite number")
            if value < 0 and field.name not in self.SIGNED:
                raise InputError(f"{self._called()}: {field.name} = {value} is negative; give 0 or more")

    def _called(self) -> str:
        return f"device {self.name!r}" if self.name else f"device {type(self).__name__}"

    def _conductance(self, *names: str) -> None:
        """Refuse conductances that only a wrong unit explains."""
        for name in names:
            value = abs(getattr(self, name))
            if value and not SMALLEST <= value <= LARGEST:
                raise InputError(f"{self._called()}: {name} = {getattr(self, name):g} uS is no conductance of a memory "
                                 "device; give microsiemens, 20 for 20 uS")


@dataclass(frozen=True, kw_only=True)
class GradualDevice(Device):
    """A device whose conductance moves by steps.

    Parameters
    ----------
    step_spread
        Standard deviation of the mean step from device to device, as a share of it.
    cycle_noise
        Standard deviation of one step from its device's mean, as a share of it (cycle to cycle).
    """

    step_spread: float = 0.0
    cycle_noise: float = 0.0

    def spread(self, rng: np.random.Generator, shape: Shape, mean: float, share: float) -> NDArray[np.float64]:
        """Draw ``mean (1 + share N(0, 1))`` for each device, a twentieth of the mean at least: none is dead."""
        return np.asarray(np.maximum(mean * (1 + share * rng.standard_normal(shape)), 0.05 * mean))


@dataclass(frozen=True, kw_only=True)
class LinearStep(GradualDevice):
    """A bidirectional device whose step falls linearly with the way already gone.

    ``g`` is counted from the conductance that is subtracted in reading (the reference, or the shared conductance): 0
    reads as 0.

    Parameters
    ----------
    step
        Mean step at g = 0, uS.
    slope_up, slope_down
        Share of the step that is lost at the bound.
    low, high, bound_spread
        Bounds, uS, and their standard deviation from device to device, as a share.
    asymmetry, asymmetry_spread
        d and the deviation of b below.
    lifetime, lifetime_spread
        Examples until 1/e is left, infinite: no leak; its deviation from device to device, as a share.
    leak_to, leak_to_spread
        Where the leak leads, uS, and its standard deviation from device to device, uS.
    relative
        Conductances are relative to the range instead of in uS.

    Notes
    -----
    Up pulse    ``g += a step (1 + d + b) (1 - slope_up g / high)``

    Down pulse  ``g -= a step (1 - d - b) (1 - slope_down g / low)``, then ``low <= g <= high``;
    a = 1 + step_spread N, b = asymmetry_spread N fixed for each device, d = asymmetry; each step times 1 + cycle_noise
    N, drawn anew.

    Leak        ``g <- leak_to + (g - leak_to) exp(-t / lifetime)``, t in training examples.
    """

    step: float = 0.01
    slope_up: float = 0.0
    slope_down: float = 0.0
    low: float = -1.0
    high: float = 1.0
    bound_spread: float = 0.0
    asymmetry: float = 0.0
    asymmetry_spread: float = 0.0
    lifetime: float = math.inf
    lifetime_spread: float = 0.0
    leak_to: float = 0.0
    leak_to_spread: float = 0.0
    relative: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.low < 0 < self.high:
            raise InputError(f"{self._called()}: bounds {self.low:g} and {self.high:g} do not enclose 0, what is "
                             "subtracted "
                             "in reading; give low < 0 < high")
        if not self.relative:
            self._conductance("low", "high")
        if not 0 < self.step <= self.high - self.low:
            raise InputError(f"{self._called()}: step = {self.step:g} does not fit its range of "
                             f"{self.high - self.low:g}; "
                             "give a positive step below it")
        if self.lifetime == 0 or max(self.slope_up, self.slope_down) > 1 or abs(self.asymmetry) >= 1:
            raise InputError(f"{self._called()}: give a lifetime above 0, slopes of at most 1 and an asymmetry between "
                             "-1 "
                             "and 1")

    def sample(self, shape: Shape, rng: np.random.Generator) -> Floats:
        """Draw (*shape, 4) float32 for each device: step up and (negative) down at 0, lower and upper bound, uS."""
        out = np.zeros((*shape, 4), np.float32)
        step = self.spread(rng, shape, self.step, self.step_spread)
        tilt = np.clip(self.asymmetry + self.asymmetry_spread * rng.standard_normal(shape), -0.95, 0.95)
        out[..., LOW] = -self.spread(rng, shape, -self.low, self.bound_spread)
        out[..., HIGH] = self.spread(rng, shape, self.high, self.bound_spread)
        out[..., UP], out[..., DOWN] = step * (1 + tilt), -step * (1 - tilt)
        return out

    def sample_leak(self, shape: Shape, rng: np.random.Generator) -> Floats:
        """Draw constants of each device's leak, (*shape, 2) float32: where it leads (uS) and 1 / lifetime."""
        out = np.zeros((*shape, 2), np.float32)
        out[..., LEAK_TO] = self.leak_to + self.leak_to_spread * rng.standard_normal(shape)
        out[..., LEAK_RATE] = 1 / (self.spread(rng, shape, 1.0, self.lifetime_spread) * self.lifetime)
        return out

    @property
    def leaks(self) -> bool:
        """Whether there is a leak."""
        return math.isfinite(self.lifetime)

    @property
    def states(self) -> float:
        """Steps from bound to bound at the mean step."""
        return (self.high - self.low) / self.step


@dataclass(frozen=True, kw_only=True)
class SoftBounds(LinearStep):
    """A device whose step vanishes at the bound it approaches: ``LinearStep`` with slopes 1."""

    slope_up: float = 1.0
    slope_down: float = 1.0

    @property
    def symmetry_point(self) -> float:
        """Where up and down step are equal: ``(a+ - a-) / (a+ / high - a- / low)`` with the mean device's steps."""
        up, down = self.step * (1 + self.asymmetry), self.step * (1 - self.asymmetry)
        return (up - down) / (up / self.high - down / self.low)


@dataclass(frozen=True, kw_only=True)
class Capacitor(LinearStep):
    """3T1C: a capacitor on the gate of a read transistor, volatile (``lifetime``).

    Two transistors charge and discharge it; their mismatch makes the up and the down step of a device differ
    (``asymmetry_spread``).
    """


@dataclass(frozen=True, kw_only=True)
class Ideal(LinearStep):
    """Takes any change exactly, without bound; what remains is float arithmetic."""

    name: str = "ideal"
    step: float = 1e-3
    low: float = -1e9
    high: float = 1e9
    relative: bool = True


@dataclass(frozen=True, kw_only=True)
class Pcm(GradualDevice):
    """Phase-change memory: SET pulses only raise the conductance, in ever smaller steps; RESET drops it at once.

    Parameters
    ----------
    g_max, bound_spread
        Largest conductance, uS, and its deviation from device to device, as a share.
    step, shape, decay, noise_add, noise_slope
        Of SET, see below; uS where not a ratio.
    reset, reset_noise
        Conductance after RESET and its deviation, uS.
    drift, t0
        Factor of the published drift (1: as published, 0: none); seconds.
    read_noise
        ``sqrt(ln((t + t_r) / (2 t_r)))`` of the 1/f model; 0: none.

    Notes
    -----
    SET of relative duration s, 0 < s <= 1: mean ``s m(G)``, ``m = a step (1 + shape exp(-decay G / g_max))``,
    a = 1 + step_spread N fixed for each device; noise ``sqrt(s) cycle_noise (noise_add + m + noise_slope G) N``;
    0 <= G <= g_max (1 + bound_spread N).

    RESET: ``G = |reset + reset_noise N|``.

    Drift: ``G(t) = G (1 + t / t0)^-nu``, t seconds since the last pulse; nu = mu + s N, N fixed for each device, with
    mu = clip(-0.0155 ln(G/g_max) + 0.0244, 0.049, 0.1), s = clip(-0.0125 ln(G/g_max) - 0.0059, 0.008, 0.045), times
    ``drift``.

    Read: each reading of G is off by ``read_noise Q G N``, Q = min(0.0088 / (G/g_max)^0.65, 0.2): 1/f noise.
    """

    g_max: float = 25.0
    step: float = 0.125
    shape: float = 0.0
    decay: float = 0.0
    noise_add: float = 0.0
    noise_slope: float = 0.0
    bound_spread: float = 0.0
    reset: float = 0.0
    reset_noise: float = 0.0
    drift: float = 0.0
    t0: float = 20.0
    read_noise: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._conductance("g_max")
        if not 0 < self.step * (1 + self.shape) <= self.g_max:
            raise InputError(f"{self._called()}: the first SET step is {self.step * (1 + self.shape):g} uS and g_max "
                             f"{self.g_max:g} uS; give a positive step below g_max")
        if self.reset >= self.g_max or self.t0 <= 0:
            raise InputError(f"{self._called()}: give reset below g_max = {self.g_max:g} uS, and t0 above 0 s")

    def sample(self, shape: Shape, rng: np.random.Generator) -> Floats:
        """Draw (*shape, 4) float32 for each device: factor of SET steps, largest G (uS), N of its drift, age (s)."""
        out = np.zeros((*shape, 4), np.float32)
        out[..., SET_STEP] = self.spread(rng, shape, 1.0, self.step_spread)
        out[..., TOP] = self.spread(rng, shape, self.g_max, self.bound_spread)
        out[..., DRIFT] = rng.standard_normal(shape)
        return out

    def mean_step(self, g: ArrayLike) -> NDArray[np.float64]:
        """Mean change of a full SET pulse at conductance ``g`` (uS) of the mean device."""
        return np.asarray(self.step * (1 + self.shape * np.exp(-self.decay * np.asarray(g) / self.g_max)))


@dataclass(frozen=True, kw_only=True)
class BinaryCell(Device):
    """A cell of one bit, of high or of low resistance.

    Parameters
    ----------
    write_failure, failure_spread
        Probability that a programming pulse leaves the cell as it was (cycle to cycle); standard deviation of its
        logarithm from device to device.
    endurance, endurance_spread
        Pulses after which a cell keeps its bit for ever, median, 0: unlimited; standard deviation of its logarithm.
    stuck
        Share of cells that never change.
    attempts
        Pulses at most for a bit, each followed by a check.
    """

    write_failure: float = 0.0
    failure_spread: float = 0.0
    endurance: float = 0.0
    endurance_spread: float = 0.0
    stuck: float = 0.0
    attempts: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if max(self.write_failure, self.stuck) > 1 or self.attempts < 1:
            raise InputError(f"{self._called()}: write_failure = {self.write_failure:g}, stuck = {self.stuck:g}, "
                             "attempts = "
                             f"{self.attempts}; give shares of at most 1 and at least one attempt")

    def sample(self, shape: Shape, rng: np.random.Generator) -> tuple[Floats, NDArray[np.uint32]]:
        """Draw for each cell the probability of a failed pulse, and the pulses it endures, both of ``shape``."""
        fail = self.write_failure * np.exp(self.failure_spread * rng.standard_normal(shape))
        limit = np.full(shape, UNLIMITED)
        if self.endurance:
            drawn = self.endurance * np.exp(self.endurance_spread * rng.standard_normal(shape))
            limit = np.minimum(drawn, UNLIMITED).astype(np.uint32)
        limit[rng.random(shape) < self.stuck] = 0
        return fail.clip(0, 1).astype(np.float32), limit
