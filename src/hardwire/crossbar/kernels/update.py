"""The parallel update: one rank-one change of all weights per example, ``W -= lr x d^T``, made of pulses that meet.

stochastic   rows and columns fire trains of random pulses independently; a device sees a pulse where two meet (Gokmen and Vlasov,
             Front. Neurosci. 2016): ``P(row) = min(1, b |x|)``, ``P(column) = min(1, a |d|)``, ``a b = lr / (slots step)``,
             so that ``E[change] = lr x d``. ``manage_length``: only as many slots as the largest product needs, ``manage_scale``:
             a and b are balanced so that the largest x and the largest d are equally probable.
counts       rows and columns fire whole numbers of pulses, ``round(b |x|)`` and ``round(a |d|)``, every pulse of a row meets every
             pulse of a column: their product. Rounding is random, or to the nearest.
exact        the change itself; with an ideal device this is float arithmetic.
"""

from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
from numba.core import types
from numba.extending import intrinsic

from ...core.errors import InputError
from ...core.rng import jit
from ...devices.models import HIGH, LOW
from .noise import bernoulli_bits, normal, round_randomly
from .programming import after_example, pulse, step_linear, step_slow
from .state import COUNTS, EXACT, MIXED, PAIR, STOCHASTIC, TIKI
from .tile import largest

RULES = {"exact": EXACT, "stochastic": STOCHASTIC, "counts": COUNTS}
#: Most pulses of one row or column for one example with rule ``counts``.
MOST = 255


@dataclass(frozen=True, kw_only=True)
class Update:
    """How an example's change becomes pulses; see the module.

    slots     most slots of a train, 1 to 31
    nearest   rule ``counts``: round to the nearest pulse, so that small changes are lost, instead of at random
    """

    rule: str = "stochastic"
    slots: int = 31
    manage_length: bool = True
    manage_scale: bool = True
    nearest: bool = False

    def __post_init__(self):
        if self.rule not in RULES:
            raise InputError(f"update rule {self.rule!r} is none of {', '.join(RULES)}")
        if isinstance(self.slots, bool) or not isinstance(self.slots, int) or not 1 <= self.slots <= 31:
            raise InputError(f"update: slots = {self.slots!r}; give 1 to 31 slots of a pulse train")


@intrinsic
def _ones(typingctx, word):
    """How many bits are set."""
    return types.uint64(word), lambda context, builder, signature, args: builder.ctpop(args[0])


@jit
def _gains(p, x, d, lr):
    """(slots, factor of |x|, factor of |d|) of this example; no slots where nothing is to be done."""
    xmax, dmax = largest(x), largest(d)
    if xmax == 0 or dmax == 0 or lr == 0:
        return 0, 0.0, 0.0
    step = p.step / p.unit
    slots = min(ceil(lr * xmax * dmax / step), p.longest) if p.manage_length else p.longest
    if p.rule == COUNTS:
        slots = 1
    gain = sqrt(lr / (step * slots))
    balance = sqrt(dmax / xmax) if p.manage_scale else 1.0
    return slots, gain * balance, gain / balance


@jit
def _train(p, value, gain, slots, rng):
    """A row's or a column's pulses: the bits of its train, or their number."""
    if p.rule == STOCHASTIC:
        return bernoulli_bits(abs(value) * gain, slots, rng)
    wanted = min(abs(value) * gain, float(MOST))
    return np.uint64(int(wanted + 0.5) if p.nearest else round_randomly(wanted, rng))


@jit
def _meet(p, row, column):
    """How often two trains meet."""
    return int(_ones(row & column)) if p.rule == STOCHASTIC else int(row * column)


@jit
def _columns(p, d, gain, slots, columns, trains, rng):
    """The columns that fire and their trains; how many."""
    firing = 0
    for j in range(len(d)):
        if d[j] != 0:
            train = _train(p, d[j], gain, slots, rng)
            if train:
                columns[firing], trains[firing] = j, train
                firing += 1
    return firing


@jit
def _row(s, i, row, rising, d, columns, trains, rng):
    """Pulses of one firing row; ``rising``: its input is negative, so that a positive gradient raises the weight.

    Spelled out for the fast device, which takes nearly all pulses of a training.
    """
    p, control = s.settings[0], s.control[0]
    noise, up, down = np.float32(p.fast_noise), np.float32(p.fast_slope_up), np.float32(p.fast_slope_down)
    sign, raised, lowered = control.sign, 0, 0
    for c in range(len(columns)):
        count = _meet(p, row, trains[c])
        if count:
            j = columns[c]
            direction = sign if (d[j] > 0) == rising else -sign
            s.g[i, j] = step_linear(s.g[i, j], s.fast[i, j], direction, count, up, down, noise, rng)
            if direction > 0:
                raised += count
            else:
                lowered += count
    control.pulses_up += raised
    control.pulses_down += lowered


@jit
def _pulsed(s, x, d, lr, rng):
    p = s.settings[0]
    slots, row_gain, column_gain = _gains(p, x, d, lr)
    if slots == 0:
        return
    columns, trains = np.empty(len(d), np.int64), np.empty(len(d), np.uint64)
    firing = _columns(p, d, column_gain, slots, columns, trains, rng)
    if firing == 0:
        return
    columns, trains = columns[:firing], trains[:firing]
    for i in range(len(x)):
        if x[i] != 0:
            row = _train(p, x[i], row_gain, slots, rng)
            if row and p.kind != PAIR:
                _row(s, i, row, x[i] < 0, d, columns, trains, rng)
            elif row:
                for c in range(firing):
                    count = _meet(p, row, trains[c])
                    if count:
                        pulse(s, i, columns[c], 1 if (d[columns[c]] > 0) == (x[i] < 0) else -1, count, rng)


@jit
def _exact(s, x, d, lr):
    """``g -= sign lr unit x d``, cut at the device's bounds."""
    rate = np.float32(lr * s.settings[0].unit * s.control[0].sign)
    for i in range(len(x)):
        if x[i] != 0:
            change = rate * x[i]
            for j in range(len(d)):
                g = s.g[i, j] - change * d[j]
                s.g[i, j] = min(max(g, s.fast[i, j, LOW]), s.fast[i, j, HIGH])


@jit
def _mixed(s, x, d, lr, rng):
    """Mixed precision: the change is summed digitally, and whole steps of the sum become pulses."""
    p = s.settings[0]
    step = p.step / p.unit
    for i in range(len(x)):
        if x[i] != 0:
            change = np.float32(lr) * x[i]
            for j in range(len(d)):
                s.digital[i, j] -= change * d[j]
                count = int(abs(s.digital[i, j]) / step)
                if count:
                    direction = 1 if s.digital[i, j] > 0 else -1
                    s.digital[i, j] -= direction * count * step
                    pulse(s, i, j, direction, count, rng)
    s.control[0].digital_updates += len(x) * len(d)


@jit
def _tiki(s, rng):
    """Tiki-Taka: read one row of the fast array, and pass it on to the slow one: at once (1), or through an accumulator (2)."""
    p, control, io = s.settings[0], s.control[0], s.ahead[0]
    i, m = control.row, s.g.shape[1]
    step = p.slow_step / p.unit
    for j in range(m):
        v = s.g[i, j] / p.unit
        if io.output_noise > 0:
            v += io.output_noise * normal(rng)
        if p.version == 1:
            count = round_randomly(p.slow_rate * abs(v) / step, rng)
            if count:
                step_slow(s, i, j, 1 if v > 0 else -1, count, rng)
        else:
            s.digital[i, j] += p.slow_rate * v / step
            count = int(abs(s.digital[i, j]))
            if count:
                direction = 1 if s.digital[i, j] > 0 else -1
                step_slow(s, i, j, direction, count, rng)
                s.digital[i, j] -= direction * count * (1 - p.momentum)
    control.forward_reads += 1
    control.row = (i + 1) % s.g.shape[0]


@jit
def update(s, x, d, lr, rng):
    """Learn one example: ``W -= lr x d^T`` by the array's rule; then what its clock brings. x (n,), d (m,) float32."""
    p = s.settings[0]
    if p.kind == MIXED:
        _mixed(s, x, d, lr, rng)
    elif p.rule == EXACT:
        _exact(s, x, d, lr)
    else:
        _pulsed(s, x, d, lr, rng)
    after_example(s, rng)
    if p.kind == TIKI and s.control[0].examples % p.transfer_every == 0:
        _tiki(s, rng)
