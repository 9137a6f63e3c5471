"""Memory devices: what one pulse does to a conductance, what differs from device to device and from cycle to cycle.

Conductances are in microsiemens (uS), except of devices whose fit was published relative to their range (``relative``: 1 is the
nominal bound). Every parameter that no source gives is named in ``assumed``. Marks of sources: read, second-hand, derived.
Imports neither torch nor a kernel: the spiking network's array shares it.
"""

import dataclasses
import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..core.errors import FormatError, InputError
from ..core.files import read_text, write_text
from ..core.settings import tomllib

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

    name, source   of the model and of its numbers
    assumed        names of parameters that no source gives
    """

    name: str = ""
    source: str = ""
    assumed: tuple[str, ...] = ()

    #: Parameters that may be negative; all other numbers may not.
    SIGNED = ("low", "leak_to", "asymmetry")

    def __post_init__(self):
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
                raise InputError(f"{self._called()}: {name} = {getattr(self, name):g} uS is no conductance of a memory device; "
                                 "give microsiemens, 20 for 20 uS")


@dataclass(frozen=True, kw_only=True)
class GradualDevice(Device):
    """A device whose conductance moves by steps.

    step_spread    standard deviation of the mean step from device to device, as a share of it (device to device)
    cycle_noise    standard deviation of one step from its device's mean, as a share of it (cycle to cycle)
    """

    step_spread: float = 0.0
    cycle_noise: float = 0.0

    def spread(self, rng: np.random.Generator, shape, mean: float, share: float) -> np.ndarray:
        """``mean (1 + share N(0, 1))`` for each device, cut at a twentieth of the mean so that no device is dead or reversed."""
        return np.maximum(mean * (1 + share * rng.standard_normal(shape)), 0.05 * mean)


@dataclass(frozen=True, kw_only=True)
class LinearStep(GradualDevice):
    """A bidirectional device whose step falls linearly with the way already gone.

    Up pulse    ``g += a step (1 + d + b) (1 - slope_up g / high)``
    Down pulse  ``g -= a step (1 - d - b) (1 - slope_down g / low)``, then ``low <= g <= high``;
    a = 1 + step_spread N, b = asymmetry_spread N fixed for each device, d = asymmetry; each step times 1 + cycle_noise N, drawn anew.
    Leak        ``g <- leak_to + (g - leak_to) exp(-t / lifetime)``, t in training examples.
    ``g`` is counted from the conductance that is subtracted in reading (the reference, or the shared conductance): 0 reads as 0.

    step              mean step at g = 0, uS
    low, high         bounds, uS; bound_spread: their standard deviation from device to device, as a share
    lifetime          examples until 1/e is left; infinite: no leak; lifetime_spread as a share, device to device
    leak_to           where the leak leads, uS; leak_to_spread: standard deviation from device to device, uS
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

    def __post_init__(self):
        super().__post_init__()
        if not self.low < 0 < self.high:
            raise InputError(f"{self._called()}: bounds {self.low:g} and {self.high:g} do not enclose 0, what is subtracted in "
                             "reading; give low < 0 < high")
        if not self.relative:
            self._conductance("low", "high")
        if not 0 < self.step <= self.high - self.low:
            raise InputError(f"{self._called()}: step = {self.step:g} does not fit its range of {self.high - self.low:g}; "
                             "give a positive step below it")
        if self.lifetime == 0 or max(self.slope_up, self.slope_down) > 1 or abs(self.asymmetry) >= 1:
            raise InputError(f"{self._called()}: give a lifetime above 0, slopes of at most 1 and an asymmetry between -1 and 1")

    def sample(self, shape, rng: np.random.Generator) -> np.ndarray:
        """Constants of each device, (*shape, 4) float32: step up and (negative) step down at 0, lower and upper bound, uS."""
        out = np.zeros((*shape, 4), np.float32)
        step = self.spread(rng, shape, self.step, self.step_spread)
        tilt = np.clip(self.asymmetry + self.asymmetry_spread * rng.standard_normal(shape), -0.95, 0.95)
        out[..., LOW] = -self.spread(rng, shape, -self.low, self.bound_spread)
        out[..., HIGH] = self.spread(rng, shape, self.high, self.bound_spread)
        out[..., UP], out[..., DOWN] = step * (1 + tilt), -step * (1 - tilt)
        return out

    def sample_leak(self, shape, rng: np.random.Generator) -> np.ndarray:
        """Constants of each device's leak, (*shape, 2) float32: where it leads (uS) and 1 / lifetime."""
        out = np.zeros((*shape, 2), np.float32)
        out[..., LEAK_TO] = self.leak_to + self.leak_to_spread * rng.standard_normal(shape)
        out[..., LEAK_RATE] = 1 / (self.spread(rng, shape, 1.0, self.lifetime_spread) * self.lifetime)
        return out

    @property
    def leaks(self) -> bool:
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
    """3T1C: a capacitor on the gate of a read transistor, charged and discharged by two transistors whose mismatch makes the up and
    the down step of a device differ (``asymmetry_spread``); volatile (``lifetime``)."""


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

    SET of relative duration s, 0 < s <= 1:
        mean  ``s m(G)``, ``m = a step (1 + shape exp(-decay G / g_max))``, a = 1 + step_spread N fixed for each device
        noise ``sqrt(s) cycle_noise (noise_add + m + noise_slope G) N``; 0 <= G <= g_max (1 + bound_spread N)
    RESET       ``G = |reset + reset_noise N|``
    Drift       ``G(t) = G (1 + t / t0)^-nu``, t seconds since the last pulse; nu = mu + s N, N fixed for each device, with
                mu = clip(-0.0155 ln(G/g_max) + 0.0244, 0.049, 0.1), s = clip(-0.0125 ln(G/g_max) - 0.0059, 0.008, 0.045), times
                ``drift`` (1: as published, 0: none)
    Read        each reading of G is off by ``read_noise Q G N``, Q = min(0.0088 / (G/g_max)^0.65, 0.2): 1/f noise; read_noise is
                sqrt(ln((t + t_r) / (2 t_r))) of the 1/f model, 0: none
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

    def __post_init__(self):
        super().__post_init__()
        self._conductance("g_max")
        if not 0 < self.step * (1 + self.shape) <= self.g_max:
            raise InputError(f"{self._called()}: the first SET step is {self.step * (1 + self.shape):g} uS and g_max "
                             f"{self.g_max:g} uS; give a positive step below g_max")
        if self.reset >= self.g_max or self.t0 <= 0:
            raise InputError(f"{self._called()}: give reset below g_max = {self.g_max:g} uS, and t0 above 0 s")

    def sample(self, shape, rng: np.random.Generator) -> np.ndarray:
        """Constants of each device, (*shape, 4) float32: factor of the SET step, largest conductance (uS), N of its drift, age (s)."""
        out = np.zeros((*shape, 4), np.float32)
        out[..., SET_STEP] = self.spread(rng, shape, 1.0, self.step_spread)
        out[..., TOP] = self.spread(rng, shape, self.g_max, self.bound_spread)
        out[..., DRIFT] = rng.standard_normal(shape)
        return out

    def mean_step(self, g):
        """Mean change of a full SET pulse at conductance ``g`` (uS) of the mean device."""
        return self.step * (1 + self.shape * np.exp(-self.decay * np.asarray(g) / self.g_max))


@dataclass(frozen=True, kw_only=True)
class BinaryCell(Device):
    """A cell of one bit, of high or of low resistance.

    write_failure     probability that a programming pulse leaves the cell as it was (cycle to cycle)
    failure_spread    standard deviation of ln(write_failure) from device to device
    endurance         pulses after which a cell keeps its bit for ever, median; 0: unlimited
    endurance_spread  standard deviation of ln(endurance) from device to device
    stuck             share of cells that never change (device to device)
    attempts          pulses at most for a bit, each followed by a check
    """

    write_failure: float = 0.0
    failure_spread: float = 0.0
    endurance: float = 0.0
    endurance_spread: float = 0.0
    stuck: float = 0.0
    attempts: int = 1

    def __post_init__(self):
        super().__post_init__()
        if max(self.write_failure, self.stuck) > 1 or self.attempts < 1:
            raise InputError(f"{self._called()}: write_failure = {self.write_failure:g}, stuck = {self.stuck:g}, attempts = "
                             f"{self.attempts}; give shares of at most 1 and at least one attempt")

    def sample(self, shape, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Of each cell the probability of a failed pulse, float32, and the pulses it endures, uint32; both of ``shape``."""
        fail = self.write_failure * np.exp(self.failure_spread * rng.standard_normal(shape))
        limit = np.full(shape, UNLIMITED)
        if self.endurance:
            drawn = self.endurance * np.exp(self.endurance_spread * rng.standard_normal(shape))
            limit = np.minimum(drawn, UNLIMITED).astype(np.uint32)
        limit[rng.random(shape) < self.stuck] = 0
        return fail.clip(0, 1).astype(np.float32), limit


_LI = "linear-step fit to Li et al., VLSI 2018, 14 nm trench capacitor, as in aihwkit's preset (read)"
_HYBRID = "conductance 4 to 20 uS, reference in the middle: HybridCell of MLP+NeuroSim V3.0 (read)"
_NANDAKUMAR = ("exponential-step fit to Nandakumar et al., Front. Neurosci. 2020, as in aihwkit's preset (read), scaled from its "
               "range of 2 to g_max 25 uS (derived)")

_TRENCH = Capacitor(name="capacitor_vlsi2018", source=f"{_LI}; {_HYBRID}; steps scaled to that range (derived)", step=0.04,
                    slope_up=0.05, slope_down=0.05, low=-8.0, high=8.0, bound_spread=0.07, step_spread=0.1, asymmetry_spread=0.06,
                    cycle_noise=0.3, lifetime=1e6, lifetime_spread=0.3, leak_to=-8.0, assumed=("leak_to",))

#: Presets by name.
PRESETS: dict[str, Device] = {
    d.name: d
    for d in (
        Ideal(source="float arithmetic"),
        _TRENCH,
        dataclasses.replace(_TRENCH, name="capacitor_cmos", asymmetry_spread=0.2, assumed=("leak_to", "asymmetry_spread"),
                            source=f"{_TRENCH.source}; mismatch of up and down step as in the test of cancellation"),
        Capacitor(name="capacitor_neurosim", source=f"{_HYBRID}: 32 levels, cycle to cycle 0.5 %; no spread, no leak (read)", step=0.5,
                  low=-8.0, high=8.0, cycle_noise=0.005),
        Capacitor(name="capacitor_ideal", source="steps of capacitor_vlsi2018 without any of its imperfections", step=0.04, low=-8.0,
                  high=8.0),
        Pcm(name="pcm_gst", source=f"{_NANDAKUMAR}; drift and 1/f read noise: aihwkit's inference model for g_max 25 uS (read)",
            step=0.125, shape=27.235, decay=5.0, step_spread=0.2, cycle_noise=0.6, noise_add=0.525, noise_slope=0.108,
            bound_spread=0.1, reset=0.125, reset_noise=0.25, drift=1.0, read_noise=1.0, assumed=("read_noise",)),
        Pcm(name="pcm_ideal", source="linear, silent, without spread", step=0.125),
        LinearStep(name="gokmen_vlasov", relative=True, step=0.0016, low=-1.0, high=1.0, bound_spread=0.3, step_spread=0.3,
                   asymmetry_spread=0.01, cycle_noise=0.3,
                   source="specification of Gokmen and Vlasov 2016 as in aihwkit's preset (read)"),
        LinearStep(name="ecram_mo", relative=True, step=2.8214e-4, slope_up=0.4152, slope_down=0.7342, low=-0.8286, high=1.1714,
                   bound_spread=0.05, step_spread=0.1, asymmetry_spread=0.01, cycle_noise=2.0,
                   source="linear-step fit to Kim et al., IEDM 2019, metal-oxide ECRAM, as in aihwkit's preset (read)"),
        SoftBounds(name="reram_sb", relative=True, step=0.002, low=-0.75, high=1.25, bound_spread=0.3, step_spread=0.3,
                   asymmetry_spread=0.01, cycle_noise=3.75,
                   source="loose soft-bounds fit to Gong et al., Nat. Commun. 2018, as in aihwkit's preset (read); its bounds' spreads "
                          "of 0.3 / 1.25 and 0.3 / 0.75 are one here, its write noise is left out"),
        LinearStep(name="constant_ideal", relative=True, step=0.001, low=-1.0, high=1.0, source="equal steps without noise or spread"),
    )
}


def device(name: str, **changes) -> Device:
    """A preset by name, with parameters changed; InputError names the presets or the parameters there are."""
    if name not in PRESETS:
        raise InputError(f"device {name!r} is unknown; choose from {', '.join(PRESETS)}, or give a .toml file of a fit")
    known = [f.name for f in dataclasses.fields(PRESETS[name])]
    if unknown := sorted(set(changes) - set(known)):
        raise InputError(f"device {name!r} has no parameter {unknown[0]!r}; it has {', '.join(known)}")
    return dataclasses.replace(PRESETS[name], **changes)


#: Kind in a .toml file -> device.
KINDS = {"linear-step": LinearStep, "soft-bounds": SoftBounds, "capacitor": Capacitor, "pcm": Pcm, "ideal": Ideal,
         "binary": BinaryCell}


def save_device(path, device: Device) -> Path:
    """A device as TOML."""
    kind = next(k for k, v in KINDS.items() if type(device) is v)
    values = {k: list(v) if isinstance(v, tuple) else v for k, v in dataclasses.asdict(device).items()}
    lines = [f"{k} = {'inf' if v == float('inf') else json.dumps(v, ensure_ascii=False)}" for k, v in values.items()]
    return write_text(path, "\n".join([f'kind = "{kind}"', *lines]) + "\n")


def load_device(name_or_path) -> Device:
    """A preset by name, or the device of a .toml file."""
    if not str(name_or_path).endswith(".toml"):
        return device(str(name_or_path))
    try:
        values = tomllib.loads(read_text(name_or_path))
        kind = KINDS[values.pop("kind")]
        return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})
    except tomllib.TOMLDecodeError as error:
        raise FormatError(f"{name_or_path} is not TOML ({error}); write it with `hardwire crossbar fit`") from None
    except (KeyError, TypeError) as error:
        raise FormatError(f"{name_or_path} lacks or garbles {error}; it needs a kind of {', '.join(KINDS)} and that device's "
                          f"parameters, or a preset's name: {', '.join(PRESETS)}") from None
