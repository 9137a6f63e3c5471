"""Arrays of bidirectional devices with linear steps: pulses, the update, programming, leakage."""

from math import exp
from typing import NamedTuple

import numpy as np

from ...core.rng import inner, jit
from ...devices.models import DOWN, HIGH, LEAK_RATE, LEAK_TO, LOW, UP, LinearStep
from ..updates import EXACT
from .noise import normal
from .state import Floats
from .trains import coincidences, column_trains, gains, train_of


class Bidirectional(NamedTuple):
    """One bidirectional device a synapse, but for its conductance.

    Attributes
    ----------
    constants
        (n, m, 4) float32, see ``LinearStep.sample``.
    leakage
        (n, m, 2) float32, see ``LinearStep.sample_leak``; no rows: none.
    step, noise, slope_up, slope_down
        Of ``LinearStep``: the mean step in uS, cycle-to-cycle noise, and slopes.
    """

    constants: Floats
    leakage: Floats
    step: float
    noise: np.float32
    slope_up: np.float32
    slope_down: np.float32


def new_devices(d: LinearStep, n: int, m: int, rng: np.random.Generator) -> Bidirectional:
    """Draw ``n`` x ``m`` devices."""
    constants = d.sample((n, m), rng)
    leakage = d.sample_leak((n, m), rng) if d.leaks else np.zeros((0, m, 2), np.float32)
    return Bidirectional(constants, leakage, float(d.step), np.float32(d.cycle_noise), np.float32(d.slope_up),
                         np.float32(d.slope_down))


@inner
def pulse(g, constants, direction, count, slope_up, slope_down, noise, rng):
    """Return the conductance after ``count`` pulses on one device of conductance ``g``."""
    step, slope, bound = constants[UP], slope_up, constants[HIGH]
    if direction < 0:
        step, slope, bound = constants[DOWN], slope_down, constants[LOW]
    for _ in range(count):
        change = step - step * slope * g / bound if slope > 0 else step
        if noise > 0:
            change *= np.float32(1.0) + noise * normal(rng)
        g = min(max(g + change, constants[LOW]), constants[HIGH])
    return g


@inner
def pulse_synapse(g, device, i, j, direction, count, rng):
    """Pulse the device of synapse (i, j)."""
    up, down = device.slope_up, device.slope_down
    g[i, j] = pulse(g[i, j], device.constants[i, j], direction, count, up, down, device.noise, rng)


@inner
def pulse_counted(g, device, control, i, j, direction, count, rng):
    """Pulse the device of synapse (i, j), and count the pulses."""
    pulse_synapse(g, device, i, j, direction, count, rng)
    if direction > 0:
        control[0].pulses_up += count
    else:
        control[0].pulses_down += count


@inner
def pulse_all(g, device, control, sign, counts, rng):
    """Give every synapse ``counts`` (n, m) pulses; positive ones move the conductance by ``sign``."""
    n, m = counts.shape
    for i in range(n):
        for j in range(m):
            if counts[i, j] != 0:
                pulse_counted(g, device, control, i, j, sign if counts[i, j] > 0 else -sign, abs(counts[i, j]), rng)


@inner
def _pulse_row(p, g, device, control, sign, i, row, rising, d, columns, trains, rng):
    """Pulse the devices of a firing row; ``rising``: its input is negative, a positive gradient raises the weight."""
    constants, noise, up, down = device.constants, device.noise, device.slope_up, device.slope_down
    raised, lowered = 0, 0
    for c in range(len(columns)):
        count = coincidences(p, row, trains[c])
        if count:
            j = columns[c]
            direction = sign if (d[j] > 0) == rising else -sign
            g[i, j] = pulse(g[i, j], constants[i, j], direction, count, up, down, noise, rng)
            if direction > 0:
                raised += count
            else:
                lowered += count
    control[0].pulses_up += raised
    control[0].pulses_down += lowered


@inner
def _update_by_pulses(p, g, device, control, sign, x, d, lr, rng):
    slots, row_gain, column_gain = gains(p, x, d, lr)
    if slots == 0:
        return
    columns, trains = column_trains(p, d, column_gain, slots, rng)
    if len(columns) == 0:
        return
    for i in range(len(x)):
        if x[i] != 0:
            row = train_of(p, x[i], row_gain, slots, rng)
            if row:
                _pulse_row(p, g, device, control, sign, i, row, x[i] < 0, d, columns, trains, rng)


@inner
def _update_exactly(g, constants, x, d, rate):
    """``g -= rate x d``, cut at the device's bounds."""
    for i in range(len(x)):
        if x[i] != 0:
            change = rate * x[i]
            for j in range(len(d)):
                g[i, j] = min(max(g[i, j] - change * d[j], constants[i, j, LOW]), constants[i, j, HIGH])


@inner
def learn(p, g, device, tile, sign, x, d, lr, rng):
    """``W -= lr x d^T`` by the rule of ``p``, where g counts with ``sign`` (1 or -1)."""
    if p.rule == EXACT:
        _update_exactly(g, device.constants, x, d, np.float32(lr * tile.unit * sign))
    else:
        _update_by_pulses(p, g, device, tile.control, sign, x, d, lr, rng)


@inner
def program(g, device, unit, weights):
    """Set conductances to ``unit weights`` (n, m), as nearly as their bounds let them."""
    constants = device.constants
    n, m = weights.shape
    for i in range(n):
        for j in range(m):
            g[i, j] = min(max(weights[i, j] * unit, constants[i, j, LOW]), constants[i, j, HIGH])


@jit
def leak(g, leakage, examples):
    """``g <- to + (g - to) exp(-examples rate)`` of every device."""
    n, m = g.shape
    for i in range(n):
        for j in range(m):
            to = leakage[i, j, LEAK_TO]
            g[i, j] = to + (g[i, j] - to) * exp(-examples * leakage[i, j, LEAK_RATE])


@inner
def count_example(g, device, control, leak_every):
    """Count an example that was learned; each ``leak_every`` of them bring their leakage."""
    control[0].examples += 1
    if len(device.leakage) > 0 and control[0].examples % leak_every == 0:
        leak(g, device.leakage, float(leak_every))
