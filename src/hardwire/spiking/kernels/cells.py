"""Cells that hold the weights, one record a kind, and how each is changed.

``n`` inputs, ``m`` outputs, ``k`` cells a weight.
A kind of cells is a record here, a function of ``learning`` that updates an output's synapses, and a row of its table.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...core.rng import inlined, jit
from .noise import normal, uniform

Floats = NDArray[np.float32]

#: What training adds up; indices of a tally, (len(TALLY),) int64. Pulses are programming pulses, failed ones among
#: them; a set or reset is a cell whose bit did change; a failure is a cell that kept its bit after the last attempt.
TALLY = ("input_spikes", "output_spikes", "ltp", "ltd", "pulses", "sets", "resets", "failures")
INPUT_SPIKES, OUTPUT_SPIKES, LTP, LTD, PULSES, SETS, RESETS, FAILURES = range(len(TALLY))


class IdealCells(NamedTuple):
    """Weights ``w`` (n, m) float32, and no cells; nothing is counted."""

    w: Floats


class DigitalCells(NamedTuple):
    """One-bit cells.

    Attributes
    ----------
    w
        (n, m) float32, the weights as they are read.
    level
        (n, m) uint8, the level that the cells hold.
    code, decode, value
        (levels,) uint8, level to bits and back; float32, its weight.
    wear
        (n, m, k) uint32, pulses that each cell has had.
    failure, limit
        (n, m, k) float32 probability of a failed pulse, uint32 pulses a cell endures.
    attempts
        Pulses at most for a bit.
    spacing
        Distance of the levels.
    """

    w: Floats
    level: NDArray[np.uint8]
    code: NDArray[np.uint8]
    decode: NDArray[np.uint8]
    value: Floats
    wear: NDArray[np.uint32]
    failure: Floats
    limit: NDArray[np.uint32]
    attempts: int
    spacing: np.float32


class Pulse(NamedTuple):
    """What all analog cells share, float32.

    Attributes
    ----------
    noise
        Of a step, relative to it.
    tilt_up, tilt_down, zero
        An up step at w is ``1 - tilt_up (w - zero)`` times that at ``zero``, a down step ``1 + tilt_down (w - zero)``
        times.
    spacing
        Of distinguishable levels; 0: continuous.
    """

    noise: np.float32
    tilt_up: np.float32
    tilt_down: np.float32
    zero: np.float32
    spacing: np.float32


class AnalogCells(NamedTuple):
    """Cells of gradual conductance.

    Attributes
    ----------
    w
        (n, m) float32, the weights.
    wear
        (n, m, 1) uint32, pulses that each cell has had.
    up, down, low, high
        (n, m) float32, factors of the steps, and range.
    pulse
        What all cells share.
    """

    w: Floats
    wear: NDArray[np.uint32]
    up: Floats
    down: Floats
    low: Floats
    high: Floats
    pulse: Pulse


Cells = IdealCells | DigitalCells | AnalogCells


@inlined
def round_stochastically(position, state):
    """The whole number below or above ``position``, drawn so that its mean is ``position``."""
    below = np.floor(position)
    return below + np.float32(1) if uniform(state) < position - below else below


@inlined
def moved_level(level, dw, spacing, top, state):
    """The level, uint8, that a change ``dw`` of the weight leads to from ``level``; the highest is ``top``."""
    target = round_stochastically(np.float32(level) + dw / spacing, state)
    return np.uint8(min(max(target, np.float32(0)), np.float32(top)))


@inlined
def moved_conductance(w, dw, up, down, low, high, pulse, state):
    """The weight, float32, to which a pulse for ``dw`` leads: the cell's own step, with noise, within its range."""
    away = w - pulse.zero
    if dw > 0:
        step = dw * up * max(np.float32(1) - pulse.tilt_up * away, np.float32(0))
    else:
        step = dw * down * max(np.float32(1) + pulse.tilt_down * away, np.float32(0))
    if pulse.noise > 0:
        step *= np.float32(1) + pulse.noise * normal(state)
    reached = w + step
    if pulse.spacing > 0:
        reached = round_stochastically((reached + np.float32(1)) / pulse.spacing, state) * pulse.spacing - np.float32(1)
    return min(max(reached, low), high)


@jit
def write_level(cells, i, k, target, state, tally):
    """Program the cells of weight (i, k) whose bit is not that of level ``target``; the weight is what they hold."""
    held = cells.code[cells.level[i, k]]
    wanted = cells.code[target]
    for b in range(cells.wear.shape[2]):
        one = np.uint8(1 << b)
        if (held ^ wanted) & one:
            for _ in range(cells.attempts):
                tally[PULSES] += 1
                cells.wear[i, k, b] += np.uint32(1)
                failed = cells.failure[i, k, b] > 0 and uniform(state) < cells.failure[i, k, b]
                if not failed and cells.wear[i, k, b] <= cells.limit[i, k, b]:
                    held ^= one
                    tally[SETS if held & one else RESETS] += 1
                    break
            if (held ^ wanted) & one:
                tally[FAILURES] += 1
    cells.level[i, k] = cells.decode[held]
    cells.w[i, k] = cells.value[cells.level[i, k]]
