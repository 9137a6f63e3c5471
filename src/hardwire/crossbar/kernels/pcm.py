"""Pairs of PCM devices: SET and RESET, the closed loop that programs them, refresh, drift; see ``Pcm``."""

from math import exp, log, sqrt
from typing import NamedTuple

import numpy as np

from ...core.rng import inner, jit
from ...devices.models import AGE, DRIFT, SET_STEP, TOP, Pcm
from .noise import normal
from .state import Floats
from .trains import coincidences, column_trains, gains, train_of


class ClosedLoop(NamedTuple):
    """How a pair is programmed; see ``PcmPair``."""

    factor: float
    tolerance: float
    most_pulses: int
    refresh_level: float
    least_share: float
    readings: int


class Pair(NamedTuple):
    """Two PCM devices a synapse, read as ``factor (G+ - G-)``.

    Attributes
    ----------
    g
        (n, m, 2) float32, G+ and G-, uS.
    constants
        (n, m, 2, 4) float32, see ``Pcm.sample``.
    loop
        How the pair is programmed.
    step ... g_max
        Parameters of ``Pcm``.
    """

    g: Floats
    constants: Floats
    loop: ClosedLoop
    step: float
    shape: float
    decay: float
    cycle_noise: float
    noise_add: float
    noise_slope: float
    reset: float
    reset_noise: float
    drift: float
    t0: float
    read_noise: float
    g_max: float


def new_pairs(d: Pcm, loop: ClosedLoop, n: int, m: int, rng: np.random.Generator) -> Pair:
    """Draw ``n`` x ``m`` pairs as they are after RESET."""
    g = np.abs(d.reset + d.reset_noise * rng.standard_normal((n, m, 2))).astype(np.float32)
    return Pair(g, d.sample((n, m, 2), rng), loop, *(float(getattr(d, name)) for name in Pair._fields[3:]))


@inner
def mean_set(p, g, constants):
    """Return the mean change of a full SET pulse, uS."""
    return constants[SET_STEP] * p.step * (1 + p.shape * exp(-p.decay * g / p.g_max))


@inner
def set_pulse(p, g, constants, share, rng):
    """Return the conductance after a SET pulse of relative duration ``share``."""
    mean = mean_set(p, g, constants)
    change = share * mean
    if p.cycle_noise > 0:
        change += sqrt(share) * p.cycle_noise * (p.noise_add + mean + p.noise_slope * g) * normal(rng)
    return min(max(g + change, 0.0), constants[TOP])


@inner
def reset(p, rng):
    """Return a conductance after RESET."""
    return abs(p.reset + p.reset_noise * normal(rng)) if p.reset_noise > 0 else p.reset


@inner
def read_variance(p, g):
    """Return the variance of one reading of a device, uS^2."""
    if p.read_noise == 0 or g <= 0:
        return 0.0
    return (p.read_noise * min(0.0088 / (g / p.g_max) ** 0.65, 0.2) * g) ** 2


@inner
def noisy(value, variance, rng):
    """Return a reading of ``value``."""
    return value + sqrt(variance) * normal(rng) if variance > 0 else value


@inner
def update_reading(p, reading, i, j):
    """Bring what is read of a pair up to date, after its conductances changed."""
    plus, minus = p.g[i, j, 0], p.g[i, j, 1]
    reading.rest[i, j] = p.loop.factor * (plus - minus)
    if len(reading.noise) > 0:
        reading.noise[i, j] = p.loop.factor**2 * (read_variance(p, plus) + read_variance(p, minus))


@inner
def close_loop(p, reading, control, i, j, target, rng):
    """Program a pair until ``factor (G+ - G-)`` reads as ``target`` (uS) to the tolerance; return what is left over.

    G+ is raised where the target lies above, G- where it lies below, by a pulse whose duration is proportional to the
    difference. A device beyond the refresh level is not raised further: both are RESET, once, and the difference is
    programmed anew.
    """
    g, loop, fresh = p.g[i, j], p.loop, False
    for attempt in range(loop.most_pulses + 1):
        variance = loop.factor**2 * (read_variance(p, g[0]) + read_variance(p, g[1])) / loop.readings
        error = target - noisy(loop.factor * (g[0] - g[1]), variance, rng)
        control[0].cell_reads += loop.readings
        if abs(error) <= loop.tolerance:
            break
        if attempt == loop.most_pulses:
            control[0].unconverged += 1
            break
        side = 0 if error > 0 else 1
        constants = p.constants[i, j, side]
        if not fresh and g[side] >= loop.refresh_level * p.g_max:
            g[0], g[1], fresh = reset(p, rng), reset(p, rng), True
            control[0].resets += 2
            continue
        share = min(max(abs(error) / (loop.factor * mean_set(p, g[side], constants)), loop.least_share), 1.0)
        g[side] = set_pulse(p, g[side], constants, share, rng)
        constants[AGE] = 0
        control[0].set_pulses += 1
    update_reading(p, reading, i, j)
    return target - reading.rest[i, j]


@inner
def pulse_synapse(p, reading, control, i, j, direction, count, rng):
    """Raise (``direction`` 1) or lower (-1) a weight by ``count`` full SET pulses on one device of its pair."""
    side = 0 if direction > 0 else 1
    constants = p.constants[i, j, side]
    for _ in range(count):
        p.g[i, j, side] = set_pulse(p, p.g[i, j, side], constants, 1.0, rng)
    constants[AGE] = 0
    control[0].set_pulses += count
    update_reading(p, reading, i, j)


@inner
def learn(pulsing, p, reading, control, x, d, lr, rng):
    """``W -= lr x d^T`` by pulses that coincide."""
    slots, row_gain, column_gain = gains(pulsing, x, d, lr)
    if slots == 0:
        return
    columns, trains = column_trains(pulsing, d, column_gain, slots, rng)
    if len(columns) == 0:
        return
    for i in range(len(x)):
        if x[i] != 0:
            row = train_of(pulsing, x[i], row_gain, slots, rng)
            for c in range(len(columns) if row else 0):
                count = coincidences(pulsing, row, trains[c])
                if count:
                    direction = 1 if (d[columns[c]] > 0) == (x[i] < 0) else -1
                    pulse_synapse(p, reading, control, i, columns[c], direction, count, rng)


@jit
def wait(p, reading, seconds):
    """Let every device drift for ``seconds`` without a pulse."""
    n, m = reading.rest.shape
    for i in range(n):
        for j in range(m):
            for side in range(2):
                constants, g = p.constants[i, j, side], p.g[i, j, side]
                if g > 0:
                    position = -log(g / p.g_max)
                    mean = min(max(0.0155 * position + 0.0244, 0.049), 0.1)
                    spread = min(max(0.0125 * position - 0.0059, 0.008), 0.045)
                    nu = p.drift * max(mean + spread * constants[DRIFT], 0.0)
                    p.g[i, j, side] = g * ((p.t0 + constants[AGE] + seconds) / (p.t0 + constants[AGE])) ** -nu
                constants[AGE] += seconds
            update_reading(p, reading, i, j)
