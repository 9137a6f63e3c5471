"""The slow reference of both networks in NumPy: the definition that the kernels are tested against, bit for bit.

It works on the same state and draws the same random numbers; ``record``, a list, receives every spike as ``(sample,
step, "in" or "out", number)``.
"""

import math

import numpy as np

from . import diehl_cook as dc
from .cells import (
    INPUT_SPIKES,
    LTD,
    LTP,
    OUTPUT_SPIKES,
    PULSES,
    RESETS,
    SETS,
    AnalogCells,
    DigitalCells,
    write_level,
)
from .learning import SCALE_LIMIT
from .neurons import BLOCK, LIF, WTA
from .noise import bits32, normal, start, uniform

F = np.float32


def exponential(x: np.ndarray) -> np.ndarray:
    """``neurons.exponential`` of float32 numbers."""
    y = np.maximum(x, F(-80)) * F(1 / math.log(2))
    n = np.floor(y + F(0.5))
    f = (y - n) * F(math.log(2))
    p = np.full_like(f, 1 / 120)
    for order in (4, 3, 2, 1, 0):
        p = F(1 / math.factorial(order)) + f * p
    return p * np.exp2(n)


def total(values: np.ndarray) -> np.float32:
    """Sum in order, float32."""
    return F(np.add.accumulate(values)[-1]) if len(values) else F(0)


def run_chunk(x, chance, first, seed, cells, outputs, timing, neuron, rule, learn, counts, tally, record=None) -> None:
    """``steps.run_chunk``."""
    n, m = cells.w.shape
    state = np.zeros(1, np.uint64)
    for s, sample in enumerate(x):
        start(state, seed, np.uint64(first + s))
        last = np.full(n, -timing.window - 1)
        active, potential, inhibited = np.zeros(n, bool), np.zeros(m, F), 0
        if n > len(sample):
            active[-1] = True
        if neuron.kind == WTA:
            potential = potential + active @ cells.w
        for t in range(timing.steps):
            potential = _inputs(sample, chance, t, last, active, potential, cells, timing, neuron, state, tally, record,
                                s)
            if t < timing.burn_in:
                continue
            if inhibited and neuron.kind == LIF:
                potential, inhibited = np.zeros(m, F), inhibited - 1
            k = _winner(potential, outputs.theta, neuron, state)
            if k < 0:
                continue
            counts[s, k] += 1
            if record is not None:
                record.append((s, t, "out", k))
            if learn:
                tally[OUTPUT_SPIKES] += 1
                outputs.theta[k] += neuron.theta_step
                _learn(k, active, cells, outputs, rule, state, tally)
                if neuron.kind == WTA:
                    potential[k] = total(cells.w[active, k])
            if neuron.kind == LIF:
                potential, inhibited = np.zeros(m, F), neuron.inhibition


def _inputs(sample, chance, t, last, active, potential, cells, timing, neuron, state, tally, record, s):
    """Draw the inputs that fire in step ``t``; the potentials that follow."""
    if neuron.kind == LIF:
        potential = potential * neuron.leak
        if active[len(sample) :].any():
            potential = potential + cells.w[-1]
    for i in np.flatnonzero(chance[sample]):
        if bits32(state) < chance[sample[i]]:
            tally[INPUT_SPIKES] += 1
            if record is not None:
                record.append((s, t, "in", int(i)))
            if neuron.kind == LIF or not active[i]:
                potential = potential + cells.w[i]
            active[i], last[i] = True, t
        elif active[i] and t - last[i] == timing.window:
            active[i] = False
            if neuron.kind == WTA:
                potential = potential - cells.w[i]
    return potential


def _winner(potential, theta, neuron, state) -> int:
    if neuron.kind == LIF:
        above = potential - theta
        return int(above.argmax()) if above.max() > neuron.threshold else -1
    u = neuron.gain * potential - theta
    blocks = np.zeros((-(-len(u) // BLOCK), BLOCK), F)
    blocks.flat[: len(u)] = exponential(u - u.max())
    inside = np.add.accumulate(blocks, axis=1)
    sums = np.add.accumulate(inside[:, -1])
    drawn = uniform(state) * sums[-1]
    b = int((sums > drawn).argmax()) if sums[-1] > drawn else len(blocks) - 1
    reached = (sums[b - 1] if b else F(0)) + inside[b] > drawn
    return min(b * BLOCK + (int(reached.argmax()) if reached.any() else BLOCK - 1), len(u) - 1)


def _learn(k, active, cells, outputs, rule, state, tally) -> None:
    """The one-sided rule for output ``k``, synapse by synapse."""
    m = len(outputs.share)
    outputs.clock[0] += 1
    gone, outputs.seen[k] = outputs.clock[0] - outputs.seen[k], outputs.clock[0]
    outputs.share[k] = outputs.share[k] * math.exp(-gone / rule.horizon) + 1 / rule.horizon
    s = math.exp(-rule.scaling * math.log(outputs.share[k] * m)) if rule.scaling else 1.0
    s = F(min(max(s, 1 / SCALE_LIMIT), SCALE_LIMIT))
    outputs.spikes[k] += 1
    for i in np.flatnonzero(~outputs.frozen[:, k]):
        w = cells.w[i, k]
        up = rule.ltp * exponential(np.array([-rule.ltp_decay * (w + F(1))]))[0] * s
        tally[LTP if active[i] else LTD] += 1
        outputs.updates[k] += 1
        _change(i, k, up if active[i] else -rule.ltd / s, cells, state, tally)


def _change(i, k, dw, cells, state, tally) -> None:
    w = cells.w[i, k]
    if isinstance(cells, DigitalCells):
        position = F(cells.level[i, k]) + dw / cells.spacing
        level = np.floor(position) + (uniform(state) < position - np.floor(position))
        level = np.uint8(np.clip(level, 0, len(cells.value) - 1))
        if level != cells.level[i, k]:
            write_level(cells, i, k, level, state, tally)
        return
    if isinstance(cells, AnalogCells):
        p, away = cells.pulse, w - cells.pulse.zero
        tilted = F(1) - p.tilt_up * away if dw > 0 else F(1) + p.tilt_down * away
        dw = dw * (cells.up if dw > 0 else cells.down)[i, k] * max(tilted, F(0))
        tally[SETS if dw > 0 else RESETS] += 1
        tally[PULSES] += 1
        cells.wear[i, k, 0] += 1
        if p.noise:
            dw = dw * (F(1) + p.noise * F(normal(state)))
        w = w + dw
        if p.spacing:
            position = (w + F(1)) / p.spacing
            w = (np.floor(position) + F(uniform(state) < position - np.floor(position))) * p.spacing - F(1)
        cells.w[i, k] = np.clip(w, cells.low[i, k], cells.high[i, k])
        return
    cells.w[i, k] = np.clip(w + dw, F(-1), F(1))


def run_diehl_cook(x, chance, first, seed, w, membranes, theta_plus, norm, learn, counts, tally) -> None:
    """``diehl_cook.run_chunk``."""
    state, b = np.zeros(1, np.uint64), membranes
    for s, sample in enumerate(x):
        start(state, seed, np.uint64(first + s))
        if learn:
            w *= norm / np.add.accumulate(w, axis=0)[-1]
        for showing in range(dc.MOST_SHOWINGS):
            counts[s] = 0
            limit = chance[sample] * np.uint64(2 + showing) >> np.uint64(1)
            _show(sample, limit, w, b, theta_plus, learn, counts[s], tally, state)
            b.v[:] = dc.REST + (b.v - dc.REST) * dc.REST_V
            b.ge[:], b.gi[:], b.refractory[:] = 0, 0, 0
            b.post1[:] *= dc.REST_POST1
            b.post2[:] *= dc.REST_POST2
            if learn:
                b.theta[:] *= dc.KEEP_THETA
            if counts[s].sum() >= dc.LEAST_SPIKES:
                break


def _show(sample, limit, w, b, theta_plus, learn, counts, tally, state) -> None:
    last, fired = np.full(len(w), -1), np.zeros(0, int)
    for t in range(dc.STEPS):
        if len(fired):
            b.gi[:] += dc.INHIBITION * F(len(fired))
            b.gi[fired] -= dc.INHIBITION
        for i in np.flatnonzero(limit):
            if bits32(state) < limit[i]:
                last[i] = t
                if learn:
                    tally[INPUT_SPIKES] += 1
                    tally[LTD] += w.shape[1]
                    w[i] = np.maximum(w[i] - dc.RATE_PRE * b.post1, F(0))
                b.ge[:] += w[i]
        v = b.v + dc.EULER * (dc.REST - b.v - b.ge * b.v + b.gi * (dc.E_INH - b.v))
        b.v[:] = np.where(b.refractory > 0, dc.RESET, v)
        for trace, keep in ((b.ge, dc.KEEP_GE), (b.gi, dc.KEEP_GI), (b.post1, dc.KEEP_POST1), (b.post2, dc.KEEP_POST2)):
            trace *= keep
        fired = np.flatnonzero((b.refractory == 0) & (b.v > dc.THRESHOLD + b.theta))
        b.refractory[:] = np.maximum(b.refractory - 1, 0)
        b.v[fired], b.refractory[fired] = dc.RESET, dc.REFRACTORY
        for k in fired:
            counts[k] += 1
            if learn:
                tally[OUTPUT_SPIKES] += 1
                b.theta[k] += theta_plus
                seen = last >= 0
                tally[LTP] += seen.sum()
                w[seen, k] = np.minimum(w[seen, k] + dc.RATE_POST * dc.PRE[t - last[seen]] * b.post2[k], F(1))
            b.post1[k], b.post2[k] = 1, 1
