"""Cells: how devices make one weight, and when what is learned moves from the volatile ones to the lasting ones."""

import dataclasses
from dataclasses import dataclass, field

import numpy as np

from ..core.errors import InputError
from ..devices.models import PRESETS, Device, Ideal, LinearStep, Pcm, device
from .kernels.programming import wait
from .kernels.state import CONTROL, HYBRID, MIXED, PAIR, SETTINGS, SINGLE, TIKI, State
from .kernels.update import RULES, Update


def _positive(cell, *names: str) -> None:
    for name in names:
        value = getattr(cell, name)
        if isinstance(value, bool) or not 0 < value < float("inf"):
            raise InputError(f"cell {type(cell).__name__}: {name} = {value!r}; give a positive number")


def _counts(cell, *names: str) -> None:
    for name in names:
        value = getattr(cell, name)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise InputError(f"cell {type(cell).__name__}: {name} = {value!r}; give a whole number of at least 1")


def _device_of(cell, name: str, kind: type) -> None:
    value = getattr(cell, name)
    if not isinstance(value, kind):
        raise InputError(f"cell {type(cell).__name__}: {name} is {getattr(value, 'name', value)!r}, a {type(value).__name__}; give a "
                         f"{kind.__name__}, such as {next(p.name for p in PRESETS.values() if isinstance(p, kind))!r}")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What all cells share.

    unit    conductance that is one unit of weight, uS (of devices with relative conductances: in units of their range)
    update  how a change becomes pulses
    """

    unit: float = 1.0
    update: Update = field(default_factory=Update)

    def settings(self) -> np.ndarray:
        """What the kernels need to know, (1,) SETTINGS."""
        _positive(self, "unit")
        out = np.zeros(1, SETTINGS)
        for name, value in self._settings().items():
            out[name] = value
        return out

    def _settings(self) -> dict:
        u = self.update
        return {"unit": self.unit, "gamma": 1.0, "leak_every": 1, "transfer_every": 1, "rule": RULES[u.rule], "longest": u.slots,
                "manage_length": u.manage_length, "manage_scale": u.manage_scale, "nearest": u.nearest, "step": 1.0}

    def _fast(self, d: LinearStep, leak_every: int = 1) -> dict:
        exact = {"rule": RULES["exact"]} if isinstance(d, Ideal) else {}
        return {"step": d.step, "fast_noise": d.cycle_noise, "fast_slope_up": d.slope_up, "fast_slope_down": d.slope_down,
                "leak_every": leak_every, **exact}

    def _programming(self) -> dict:
        """A PCM pair and the closed loop that programs it."""
        d, names = self.pcm, ("factor", "tolerance", "most_pulses", "refresh_level", "least_share", "readings", "example_time")
        return {name: getattr(self, name) for name in names} | {
            "pcm_step": d.step, "pcm_shape": d.shape, "pcm_decay": d.decay, "pcm_noise": d.cycle_noise, "pcm_add": d.noise_add,
            "pcm_slope": d.noise_slope, "pcm_reset": d.reset, "pcm_reset_noise": d.reset_noise, "pcm_drift": d.drift,
            "pcm_t0": d.t0, "pcm_read": d.read_noise, "pcm_top": d.g_max}

    def state(self, n: int, m: int, rng: np.random.Generator, stream: np.ndarray, ahead, back, block: tuple[int, int]) -> State:
        """A fresh array of ``n`` x ``m`` synapses, its devices drawn from ``rng``; weights are those of its devices after RESET."""
        settings, control = self.settings(), np.zeros(1, CONTROL)
        settings["block_rows"], settings["block_columns"] = block
        control["sign"] = 1
        none, empty = np.zeros((0, m), np.float32), np.zeros((0, m, 1), np.float32)
        arrays = {"g": np.zeros((n, m), np.float32), "rest": np.zeros((n, m), np.float32), "fast": empty, "leaks": empty,
                  "stored": empty, "slow": empty, "digital": none, "noise": none}
        arrays |= self._arrays(n, m, rng)
        state = State(**arrays, rng=stream, control=control, settings=settings, ahead=ahead.record(), back=back.record())
        if settings["kind"][0] in (HYBRID, PAIR):
            wait(state, 0.0)  # what fresh pairs read as
        return state

    def _arrays(self, n: int, m: int, rng: np.random.Generator) -> dict:
        raise NotImplementedError

    def _volatile(self, d: LinearStep, n: int, m: int, rng) -> dict:
        """One bidirectional device a synapse."""
        return {"fast": d.sample((n, m), rng)} | ({"leaks": d.sample_leak((n, m), rng)} if d.leaks else {})

    def _pair(self, d: Pcm, n: int, m: int, rng) -> dict:
        """Two PCM devices a synapse, after RESET."""
        fresh = np.abs(d.reset + d.reset_noise * rng.standard_normal((n, m, 2))).astype(np.float32)
        noise = {"noise": np.zeros((n, m), np.float32)} if d.read_noise else {}
        return {"stored": fresh, "slow": d.sample((n, m, 2), rng).reshape(n, m, 8), **noise}


@dataclass(frozen=True, kw_only=True)
class Single(Cell):
    """One bidirectional device a weight, read against a reference: ``W = g / unit``. With ``Ideal`` it is plain gradient descent."""

    device: LinearStep = field(default_factory=lambda: device("gokmen_vlasov"))
    leak_every: int = 100

    def __post_init__(self):
        _device_of(self, "device", LinearStep)
        _counts(self, "leak_every")

    def _settings(self):
        return super()._settings() | {"kind": SINGLE} | self._fast(self.device, self.leak_every)

    def _arrays(self, n, m, rng):
        return self._volatile(self.device, n, m, rng)


@dataclass(frozen=True, kw_only=True)
class MixedPrecision(Single):
    """Changes are summed in digital memory, ``chi += x d^T``; whole steps of the sum become pulses on the device.

    Source: Nandakumar et al., Front. Neurosci. 2020, in the form of facts read in aihwkit (second-hand).
    """

    def _settings(self):
        return super()._settings() | {"kind": MIXED, "rule": RULES["stochastic"]}

    def _arrays(self, n, m, rng):
        return super()._arrays(n, m, rng) | {"digital": np.zeros((n, m), np.float32)}


@dataclass(frozen=True, kw_only=True)
class TikiTaka(Cell):
    """Two arrays: A takes the updates, C holds the weights; ``W = (C + gamma A) / unit``.

    Each ``transfer_every`` examples one row of A is read and passed to C times ``rate``: at once (version 1, Gokmen and Haensch
    2020), or through a digital accumulator that sends whole pulses (version 2, Gokmen 2021; of a sent pulse the share ``momentum``
    stays). A's own asymmetry makes it forget: its reference is the symmetry point.
    """

    fast: LinearStep = field(default_factory=lambda: device("reram_sb"))
    slow: LinearStep = field(default_factory=lambda: device("reram_sb"))
    version: int = 2
    gamma: float = 0.0
    rate: float = 0.1
    transfer_every: int = 1
    momentum: float = 0.0
    leak_every: int = 100

    def __post_init__(self):
        _device_of(self, "fast", LinearStep)
        _device_of(self, "slow", LinearStep)
        _counts(self, "transfer_every", "leak_every")
        _positive(self, "rate")
        if self.version not in (1, 2):
            raise InputError(f"cell TikiTaka: version = {self.version!r}; give 1 or 2")
        if not (0 <= self.gamma < float("inf") and 0 <= self.momentum < 1):
            raise InputError(f"cell TikiTaka: gamma = {self.gamma}, momentum = {self.momentum}; give gamma >= 0 and 0 <= momentum < 1")
        if isinstance(self.fast, Ideal) or isinstance(self.slow, Ideal):
            raise InputError("cell TikiTaka: an ideal device has no pulses; take 'constant_ideal'")

    def _settings(self):
        return super()._settings() | self._fast(self.fast, self.leak_every) | {
            "kind": TIKI, "gamma": self.gamma, "slow_rate": self.rate, "slow_noise": self.slow.cycle_noise,
            "slow_slope_up": self.slow.slope_up, "slow_slope_down": self.slow.slope_down, "slow_step": self.slow.step,
            "momentum": self.momentum, "version": self.version, "transfer_every": self.transfer_every}

    def _arrays(self, n, m, rng):
        digital = {"digital": np.zeros((n, m), np.float32)} if self.version == 2 else {}
        return {**self._volatile(self.fast, n, m, rng), "slow": self.slow.sample((n, m), rng),
                "stored": np.zeros((n, m, 1), np.float32), **digital}


@dataclass(frozen=True, kw_only=True)
class PcmPair(Cell):
    """2 PCM alone: ``W = factor (G+ - G-) / unit``; updates SET one of the two, saturated pairs are refreshed.

    refresh_every   examples between looks at all pairs
    refresh_level   a device above this share of g_max makes its pair RESET and its difference programmed anew
    tolerance, most_pulses, least_share   of that closed loop: uS, pulses a synapse, shortest relative duration
    readings        averaged for each look that the closed loop takes
    example_time    seconds that an example takes, for the drift
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

    def __post_init__(self):
        _device_of(self, "pcm", Pcm)
        _counts(self, "refresh_every", "most_pulses", "readings")
        _positive(self, "factor", "refresh_level", "tolerance", "least_share")
        if self.update.rule == "exact":
            raise InputError("cell PcmPair: a PCM device is pulsed; take update rule stochastic or counts")

    def _settings(self):
        middle = float(self.pcm.mean_step(self.pcm.g_max / 4))
        return super()._settings() | self._programming() | {"kind": PAIR, "transfer_every": self.refresh_every,
                                                            "step": self.factor * middle}

    def _arrays(self, n, m, rng):
        return self._pair(self.pcm, n, m, rng)


@dataclass(frozen=True, kw_only=True)
class Hybrid(Cell):
    """2 PCM + 3T1C: ``W = (factor (G+ - G-) + p (g - g_shared)) / unit``, Ambrogio et al. 2018; g here is counted from g_shared.

    Updates pulse the capacitor. Each ``transfer_every`` examples W is read, g reset, the pair programmed by closed loop to
    ``tolerance``, what is left written back into g, and the polarity p turned (``inversion``) by swapping the two conductances of the
    lesser pair, so that what a device's up and down steps differ by cancels over two intervals (US patents 11,074,499, 11,436,479 and
    11,915,132, read). The interval of 8,000 is read in Extended Data Fig. 2, ``factor`` in MLP+NeuroSim's HybridCell.

    factor          F, how many times more a PCM conductance counts than the capacitor's
    tolerance       uS of the difference ``F (G+ - G-)``
    refresh_level, most_pulses, least_share, readings, example_time   see ``PcmPair``
    leak_every      examples whose leakage is applied at once
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

    #: Settings that no source gives.
    ASSUMED = ("unit", "tolerance", "most_pulses", "refresh_level", "least_share", "readings", "example_time")

    def __post_init__(self):
        _device_of(self, "capacitor", LinearStep)
        _device_of(self, "pcm", Pcm)
        _counts(self, "transfer_every", "leak_every", "most_pulses", "readings")
        _positive(self, "factor", "tolerance", "refresh_level", "least_share")
        if self.capacitor.relative and not isinstance(self.capacitor, Ideal):
            raise InputError(f"cell Hybrid: device {self.capacitor.name!r} has relative conductances, the PCM's are in uS; take a "
                             "capacitor in uS")
        if self.factor <= 1 and not isinstance(self.capacitor, Ideal) and self.factor * self.pcm.g_max <= self.capacitor.high:
            raise InputError(f"cell Hybrid: factor {self.factor:g} times {self.pcm.g_max:g} uS is no more than the capacitor's "
                             f"{self.capacitor.high:g} uS; the pair must be the more significant part, give a larger factor")

    def _settings(self):
        return super()._settings() | self._programming() | self._fast(self.capacitor, self.leak_every) | {
            "kind": HYBRID, "inversion": self.inversion, "transfer_every": self.transfer_every}

    def _arrays(self, n, m, rng):
        return self._volatile(self.capacitor, n, m, rng) | self._pair(self.pcm, n, m, rng)


def assumed(cell: Cell) -> dict:
    """Parameters of a cell and its devices that no source gives, with their values: ``{"pcm.read_noise": 3.0}``."""
    own = {name: getattr(cell, name) for name in getattr(cell, "ASSUMED", ())}
    for f in dataclasses.fields(cell):
        part = getattr(cell, f.name)
        if isinstance(part, Device):
            own |= {f"{f.name}.{name}": getattr(part, name) for name in part.assumed}
    return own

