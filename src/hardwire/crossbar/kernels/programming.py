"""Kernels that program stored conductances: the closed loop, transfer with polarity inversion, refresh, leak and drift."""

from math import exp, log, sqrt

import numpy as np

from ...core.rng import jit
from ...devices.models import AGE, DOWN, DRIFT, HIGH, LEAK_RATE, LEAK_TO, LOW, SET_STEP, TOP, UP
from .noise import normal
from .state import EXACT, HYBRID, PAIR, TIKI

#: Of one PCM device in ``slow``: how many constants.
PCM = 4


@jit
def step_linear(g, device, direction, count, slope_up, slope_down, noise, rng):
    """``count`` pulses on a device whose step is linear in its conductance; the new conductance."""
    step, slope, bound = (device[UP], slope_up, device[HIGH]) if direction > 0 else (device[DOWN], slope_down, device[LOW])
    for _ in range(count):
        change = step - step * slope * g / bound if slope > 0 else step
        if noise > 0:
            change *= np.float32(1.0) + noise * normal(rng)
        g = min(max(g + change, device[LOW]), device[HIGH])
    return g


@jit
def step_fast(s, i, j, direction, count, rng):
    """``count`` pulses on the fast device of a synapse."""
    p, control = s.settings[0], s.control[0]
    noise, up, down = np.float32(p.fast_noise), np.float32(p.fast_slope_up), np.float32(p.fast_slope_down)
    s.g[i, j] = step_linear(s.g[i, j], s.fast[i, j], direction, count, up, down, noise, rng)
    if direction > 0:
        control.pulses_up += count
    else:
        control.pulses_down += count


@jit
def mean_set(p, g, device):
    """Mean change of a full SET pulse, uS."""
    return device[SET_STEP] * p.pcm_step * (1 + p.pcm_shape * exp(-p.pcm_decay * g / p.pcm_top))


@jit
def set_pulse(p, g, device, share, rng):
    """A SET pulse of relative duration ``share``; the new conductance."""
    mean = mean_set(p, g, device)
    change = share * mean
    if p.pcm_noise > 0:
        change += sqrt(share) * p.pcm_noise * (p.pcm_add + mean + p.pcm_slope * g) * normal(rng)
    return min(max(g + change, 0.0), device[TOP])


@jit
def reset(p, rng):
    """A conductance after RESET."""
    return abs(p.pcm_reset + p.pcm_reset_noise * normal(rng)) if p.pcm_reset_noise > 0 else p.pcm_reset


@jit
def read_variance(p, g):
    """Variance of one reading of a PCM device, uS^2."""
    if p.pcm_read == 0 or g <= 0:
        return 0.0
    return (p.pcm_read * min(0.0088 / (g / p.pcm_top) ** 0.65, 0.2) * g) ** 2


@jit
def _noisy(value, variance, rng):
    return value + sqrt(variance) * normal(rng) if variance > 0 else value


@jit
def store_rest(s, i, j):
    """What the pair of a synapse contributes, after its conductances changed."""
    p = s.settings[0]
    plus, minus = s.stored[i, j, 0], s.stored[i, j, 1]
    s.rest[i, j] = p.factor * (plus - minus)
    if len(s.noise) > 0:
        s.noise[i, j] = p.factor**2 * (read_variance(p, plus) + read_variance(p, minus))


@jit
def close_loop(s, i, j, target, rng):
    """Program the PCM pair of a synapse until ``factor (G+ - G-)`` reads as ``target`` (uS) to the tolerance; what is left over.

    G+ is raised where the target lies above, G- where it lies below, by a pulse whose duration is proportional to the difference. A
    device beyond the refresh level is not raised further: both are RESET, once, and the difference is programmed anew.
    """
    p, control = s.settings[0], s.control[0]
    pair, fresh = s.stored[i, j], False
    for attempt in range(p.most_pulses + 1):
        variance = p.factor**2 * (read_variance(p, pair[0]) + read_variance(p, pair[1])) / p.readings
        error = target - _noisy(p.factor * (pair[0] - pair[1]), variance, rng)
        control.cell_reads += p.readings
        if abs(error) <= p.tolerance:
            break
        if attempt == p.most_pulses:
            control.unsettled += 1
            break
        side = 0 if error > 0 else 1
        device = s.slow[i, j, side * PCM : side * PCM + PCM]
        if not fresh and pair[side] >= p.refresh_level * p.pcm_top:
            pair[0], pair[1], fresh = reset(p, rng), reset(p, rng), True
            control.resets += 2
            continue
        share = min(max(abs(error) / (p.factor * mean_set(p, pair[side], device)), p.least_share), 1.0)
        pair[side] = set_pulse(p, pair[side], device, share, rng)
        device[AGE] = 0
        control.set_pulses += 1
    store_rest(s, i, j)
    return target - s.rest[i, j]


@jit
def write_fast(s, i, j, wanted, rng):
    """Bring the fast device from where it is to ``wanted`` (uS) by as many pulses as the mean step asks for."""
    p, control = s.settings[0], s.control[0]
    device = s.fast[i, j]
    way = wanted - s.g[i, j]
    if wanted < device[LOW] or wanted > device[HIGH]:
        control.clipped += 1
    if p.rule == EXACT:
        s.g[i, j] = min(max(wanted, device[LOW]), device[HIGH])
        return
    direction = 1 if way > 0 else -1
    count = round(abs(way) / p.step)
    step_fast(s, i, j, direction, count, rng)


@jit
def transfer(s, rng):
    """Move every weight into its PCM pair, what is left over back into the fast device; then the polarity turns.

    The weight is read whole, the fast device reset to its reference, the pair programmed by closed loop.
    """
    p, control = s.settings[0], s.control[0]
    n, m = s.g.shape
    sign = control.sign
    turned = -sign if p.inversion else sign
    for i in range(n):
        for j in range(m):
            variance = s.noise[i, j] / p.readings if len(s.noise) > 0 else 0.0
            target = _noisy(s.rest[i, j] + sign * s.g[i, j], variance, rng)
            s.g[i, j] = 0
            left = close_loop(s, i, j, target, rng)
            write_fast(s, i, j, turned * left, rng)
    control.cell_reads += n * m * p.readings
    control.sign = turned
    control.transfers += 1


@jit
def refresh(s, rng):
    """2 PCM alone: pairs with a device beyond the refresh level are RESET and their difference is programmed anew."""
    p, control = s.settings[0], s.control[0]
    n, m = s.g.shape
    control.cell_reads += n * m
    for i in range(n):
        for j in range(m):
            pair = s.stored[i, j]
            if max(pair[0], pair[1]) >= p.refresh_level * p.pcm_top:
                target = p.factor * (pair[0] - pair[1])
                pair[0], pair[1] = reset(p, rng), reset(p, rng)
                control.resets += 2
                close_loop(s, i, j, target, rng)
    control.transfers += 1


@jit
def program(s, weights, rng):
    """Write weights (n, m) from outside: the pair by closed loop and the rest into the fast device; or the device alone."""
    p, control = s.settings[0], s.control[0]
    n, m = s.rest.shape
    for i in range(n):
        for j in range(m):
            target = weights[i, j] * p.unit
            if p.kind == HYBRID:
                s.g[i, j] = 0
                write_fast(s, i, j, control.sign * close_loop(s, i, j, target, rng), rng)
            elif p.kind == PAIR:
                close_loop(s, i, j, target, rng)
            elif p.kind == TIKI:
                s.stored[i, j, 0] = min(max(target, s.slow[i, j, LOW]), s.slow[i, j, HIGH])
                s.rest[i, j] = s.stored[i, j, 0]
            else:
                s.g[i, j] = min(max(target, s.fast[i, j, LOW]), s.fast[i, j, HIGH])


@jit
def leak(s, examples):
    """What ``examples`` examples of leakage do to every fast device."""
    n, m = s.g.shape
    for i in range(n):
        for j in range(m):
            to = s.leaks[i, j, LEAK_TO]
            s.g[i, j] = to + (s.g[i, j] - to) * exp(-examples * s.leaks[i, j, LEAK_RATE])


@jit
def wait(s, seconds):
    """Drift of every PCM device over ``seconds`` without a pulse."""
    p = s.settings[0]
    n, m = s.rest.shape
    for i in range(n):
        for j in range(m):
            for side in range(2):
                device, g = s.slow[i, j, side * PCM : side * PCM + PCM], s.stored[i, j, side]
                if g > 0:
                    position = -log(g / p.pcm_top)
                    mean = min(max(0.0155 * position + 0.0244, 0.049), 0.1)
                    spread = min(max(0.0125 * position - 0.0059, 0.008), 0.045)
                    nu = p.pcm_drift * max(mean + spread * device[DRIFT], 0.0)
                    s.stored[i, j, side] = g * ((p.pcm_t0 + device[AGE] + seconds) / (p.pcm_t0 + device[AGE])) ** -nu
                device[AGE] += seconds
            store_rest(s, i, j)


@jit
def after_example(s, rng):
    """What the clock brings once an example is learned: leakage, transfer, refresh."""
    p, control = s.settings[0], s.control[0]
    control.examples += 1
    if len(s.leaks) > 0 and control.examples % p.leak_every == 0:
        leak(s, p.leak_every)
    if (p.kind == HYBRID or p.kind == PAIR) and control.examples % p.transfer_every == 0:
        if p.pcm_drift > 0:
            wait(s, p.transfer_every * p.example_time)
        if p.kind == HYBRID:
            transfer(s, rng)
        else:
            refresh(s, rng)


@jit
def apply_pulses(s, counts, rng):
    """``counts`` (n, m) pulses on every synapse; a positive one raises the weight. For tests, plots and programming by hand."""
    n, m = counts.shape
    for i in range(n):
        for j in range(m):
            if counts[i, j] != 0:
                pulse(s, i, j, 1 if counts[i, j] > 0 else -1, abs(counts[i, j]), rng)


@jit
def pulse(s, i, j, direction, count, rng):
    """``count`` update pulses that raise (``direction`` 1) or lower (-1) the weight of a synapse."""
    p, control = s.settings[0], s.control[0]
    if p.kind == PAIR:
        side = 0 if direction > 0 else 1
        device = s.slow[i, j, side * PCM : side * PCM + PCM]
        for _ in range(count):
            s.stored[i, j, side] = set_pulse(p, s.stored[i, j, side], device, 1.0, rng)
        device[AGE] = 0
        control.set_pulses += count
        store_rest(s, i, j)
        return
    step_fast(s, i, j, direction * control.sign, count, rng)


@jit
def step_slow(s, i, j, direction, count, rng):
    """Tiki-Taka: ``count`` pulses on the slow device."""
    p = s.settings[0]
    noise, up, down = np.float32(p.slow_noise), np.float32(p.slow_slope_up), np.float32(p.slow_slope_down)
    s.stored[i, j, 0] = step_linear(s.stored[i, j, 0], s.slow[i, j], direction, count, up, down, noise, rng)
    s.rest[i, j] = s.stored[i, j, 0]
    s.control[0].slow_pulses += count


