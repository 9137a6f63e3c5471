"""The one-sided STDP rule of Shi et al. 2018, homeostasis by update scaling, and the rule's fixed point.

When output k fires, every synapse of k, and no other, is updated: those whose input fired within the window before (10
ms) are potentiated, all others depressed::

    dw = ltp exp(-ltp_decay (w + 1)) s     input active
    dw = -ltd / s                          input silent

The exponential, together with the clip, keeps w in [-1, 1]. That LTP falls exponentially with w, that LTD is constant,
and that homeostasis scales updates was read of the paper; the formula's letters and every number are this project's
parameters.

Homeostasis: ``share_k`` is a running average, over ``horizon`` output spikes of the whole layer, of the share of spikes
that are k's; ``s = (share_k outputs)^-scaling``, clipped to [1/SCALE_LIMIT, SCALE_LIMIT]. An output that fires more
than its share learns to fire less.
"""

import math
from typing import NamedTuple

import numpy as np
from numba.extending import overload
from numpy.typing import ArrayLike, NDArray

from ...core.rng import inlined, inner, jit
from .cells import (
    LTD,
    LTP,
    PULSES,
    RESETS,
    SETS,
    AnalogCells,
    DigitalCells,
    IdealCells,
    moved_conductance,
    moved_level,
    write_level,
)
from .neurons import exponential

SCALE_LIMIT = 4.0

class Rule(NamedTuple):
    """Parameters of the rule."""

    ltp: np.float32
    ltp_decay: np.float32
    ltd: np.float32
    scaling: float
    horizon: float


class Outputs(NamedTuple):
    """What the outputs keep beside their weights; ``n`` inputs with the bias, ``m`` outputs.

    Attributes
    ----------
    theta
        (m,) float32, adaptive threshold.
    share
        (m,) float64, running average of the share of spikes.
    seen
        (m,) int64, clock at the output's last spike.
    spikes, updates
        (m,) int64, output spikes and synaptic updates in training.
    clock
        (1,) int64, output spikes of the layer in training.
    frozen
        (n, m) bool, synapses that are never updated again.
    """

    theta: NDArray[np.float32]
    share: NDArray[np.float64]
    seen: NDArray[np.int64]
    spikes: NDArray[np.int64]
    updates: NDArray[np.int64]
    clock: NDArray[np.int64]
    frozen: NDArray[np.bool_]


def new_outputs(n: int, m: int) -> Outputs:
    """Return outputs that have not fired."""
    return Outputs(np.zeros(m, np.float32), np.full(m, 1 / m), np.zeros(m, np.int64), np.zeros(m, np.int64),
                   np.zeros(m, np.int64), np.zeros(1, np.int64), np.zeros((n, m), np.bool_))


def fixed_point(p: ArrayLike, rule: Rule) -> NDArray[np.float64]:
    """Return the weight at which LTP and LTD balance for an input active at a share ``p`` of the output's spikes.

    ``p ltp exp(-ltp_decay (w + 1)) = (1 - p) ltd``, so ``w = -1 + ln(ltp p / (ltd (1 - p))) / ltp_decay``, clipped to
    [-1, 1]. The mean of a simulation lies off it by a bias that vanishes with the step.
    """
    p = np.asarray(p, dtype=np.float64)
    with np.errstate(divide="ignore"):
        odds = np.log(np.float64(rule.ltp) / np.float64(rule.ltd)) + np.log(p) - np.log1p(-p)
    return np.clip(-1 + odds / np.float64(rule.ltp_decay), -1, 1)


@inner
def scale_of(k, outputs, rule):
    """Count a spike of output k in its share; the factor s of its updates, float32."""
    m = len(outputs.share)
    outputs.clock[0] += 1
    gone = outputs.clock[0] - outputs.seen[k]
    outputs.seen[k] = outputs.clock[0]
    outputs.share[k] = outputs.share[k] * math.exp(-gone / rule.horizon) + 1 / rule.horizon
    if rule.scaling == 0:
        return np.float32(1)
    s = math.exp(-rule.scaling * math.log(outputs.share[k] * m))
    return np.float32(min(max(s, 1 / SCALE_LIMIT), SCALE_LIMIT))


@inlined
def step_of(w, active, rule, s):
    """The rule's change of a weight ``w``, float32."""
    if active:
        return rule.ltp * exponential(-rule.ltp_decay * (w + np.float32(1))) * s
    return -rule.ltd / s


# Arrays are taken out of their tuples before a loop: inside it that would cost more than the update.


@inner
def update_ideal(k, active, cells, frozen, rule, s, state, tally):
    w = cells.w
    for i in range(len(active)):
        if not frozen[i, k]:
            tally[LTP if active[i] else LTD] += 1
            w[i, k] = min(max(w[i, k] + step_of(w[i, k], active[i], rule, s), np.float32(-1)), np.float32(1))


@inner
def update_digital(k, active, cells, frozen, rule, s, state, tally):
    w, level, spacing, top = cells.w, cells.level, cells.spacing, len(cells.value) - 1
    for i in range(len(active)):
        if not frozen[i, k]:
            tally[LTP if active[i] else LTD] += 1
            target = moved_level(level[i, k], step_of(w[i, k], active[i], rule, s), spacing, top, state)
            if target != level[i, k]:
                write_level(cells, i, k, target, state, tally)


@inner
def update_analog(k, active, cells, frozen, rule, s, state, tally):
    w, wear, up, down, low, high = cells.w, cells.wear, cells.up, cells.down, cells.low, cells.high
    pulse = cells.pulse
    for i in range(len(active)):
        if not frozen[i, k]:
            tally[LTP if active[i] else LTD] += 1
            tally[SETS if active[i] else RESETS] += 1
            wear[i, k, 0] += np.uint32(1)
            tally[PULSES] += 1
            dw = step_of(w[i, k], active[i], rule, s)
            w[i, k] = moved_conductance(w[i, k], dw, up[i, k], down[i, k], low[i, k], high[i, k], pulse, state)


#: Kind of cells -> update of an output's synapses.
UPDATES = {IdealCells: update_ideal, DigitalCells: update_digital, AnalogCells: update_analog}


def update_synapses(k, active, cells, frozen, rule, s, state, tally):
    """Update the synapses of output ``k`` that are not frozen; the type of ``cells`` selects how."""
    UPDATES[type(cells)](k, active, cells, frozen, rule, s, state, tally)


@overload(update_synapses)
def _select_update(k, active, cells, frozen, rule, s, state, tally):
    update = UPDATES[cells.instance_class]

    def call(k, active, cells, frozen, rule, s, state, tally):
        update(k, active, cells, frozen, rule, s, state, tally)

    return call


@jit
def learn_spike(k, active, cells, outputs, rule, state, tally):
    """Output k has fired: update its synapses that are not frozen; its potential with the new weights is returned.

    active  (inputs,) uint8, 1 where the input fired within the window
    """
    s = scale_of(k, outputs, rule)
    outputs.spikes[k] += 1
    before = tally[LTP] + tally[LTD]
    update_synapses(k, active, cells, outputs.frozen, rule, s, state, tally)
    outputs.updates[k] += tally[LTP] + tally[LTD] - before
    return potential_of(k, active, cells.w)


@inner
def potential_of(k, active, w):
    """Sum of the weights of output k over the active inputs, in order, float32."""
    u = np.float32(0)
    for i in range(len(active)):
        if active[i]:
            u += w[i, k]
    return u
