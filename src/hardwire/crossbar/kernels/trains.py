"""The parallel update: one rank-one change of all weights per example, ``W -= lr x d^T``, made of pulses that coincide.

stochastic   rows and columns fire trains of random pulses independently; a device sees a pulse where two coincide:
             ``P(row) = min(1, b |x|)``, ``P(column) = min(1, a |d|)``, ``a b = lr / (slots step)``, so that
             ``E[change] = lr x d``. ``manage_length``: only as many slots as the largest product needs;
             ``manage_scale``: a and b are balanced so that the largest x and the largest d are equally probable.
counts       rows and columns fire whole numbers of pulses, ``round(b |x|)`` and ``round(a |d|)``, every pulse of a row
             coincides with every pulse of a column: their product. Rounding is random, or to the nearest.
exact        the change itself; with an ideal device this is float arithmetic.

References
----------
Gokmen and Vlasov, Frontiers in Neuroscience 10:333, 2016.
"""

from math import ceil, sqrt

import numpy as np
from numba.core import types
from numba.extending import intrinsic

from ...core.rng import inner
from ..updates import COUNTS, STOCHASTIC
from .noise import bernoulli_bits, round_randomly
from .tile import largest

#: Most pulses of one row or column for one example with rule ``counts``.
MOST = 255


@intrinsic
def _ones(typingctx, word):
    """Count the bits that are set."""
    return types.uint64(word), lambda context, builder, signature, args: builder.ctpop(args[0])


@inner
def gains(p, x, d, lr):
    """Return (slots, factor of |x|, factor of |d|) of this example; no slots where nothing is to be done."""
    xmax, dmax = largest(x), largest(d)
    if xmax == 0 or dmax == 0 or lr == 0:
        return 0, 0.0, 0.0
    slots = min(ceil(lr * xmax * dmax / p.step), p.slots) if p.manage_length else p.slots
    if p.rule == COUNTS:
        slots = 1
    gain = sqrt(lr / (p.step * slots))
    balance = sqrt(dmax / xmax) if p.manage_scale else 1.0
    return slots, gain * balance, gain / balance


@inner
def train_of(p, value, gain, slots, rng):
    """Return the pulses of a row or a column: the bits of its train, or their number."""
    if p.rule == STOCHASTIC:
        return bernoulli_bits(abs(value) * gain, slots, rng)
    wanted = min(abs(value) * gain, float(MOST))
    return np.uint64(int(wanted + 0.5) if p.nearest else round_randomly(wanted, rng))


@inner
def coincidences(p, row, column):
    """Count how often two trains coincide."""
    return np.int64(_ones(row & column)) if p.rule == STOCHASTIC else np.int64(row * column)


@inner
def column_trains(p, d, gain, slots, rng):
    """Return the columns that fire, int64, and their trains, uint64."""
    columns, trains = np.empty(len(d), np.int64), np.empty(len(d), np.uint64)
    firing = 0
    for j in range(len(d)):
        if d[j] != 0:
            train = train_of(p, d[j], gain, slots, rng)
            if train:
                columns[firing], trains[firing] = j, train
                firing += 1
    return columns[:firing], trains[:firing]
