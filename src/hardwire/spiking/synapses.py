"""The array of memory cells that holds the weights: devices, budget, programming, and what it counts.

A weight w in [-1, 1] is kept in one of three ways.

ideal     a float32; no cells, nothing is counted
digital   k one-bit cells: level l of 2^k, ``w = -1 + 2 l / (2^k - 1)``, written in a Gray code (neighbouring levels differ in one
          cell) or in plain binary. A change dw becomes a change of level by stochastic rounding, which keeps its mean; cells whose
          bit does not change are not programmed
analog    one cell of gradual conductance G, ``w = -1 + 2 (G - G_min) / (G_max - G_min)``, continuous or of ``levels`` levels

Devices are those of ``crossbar.devices``. The paper names the array, 512 kbit of subquantum CBRAM; neither how weights lie on it nor
the devices' spreads were found, so everything here but its size is a parameter (see docs/spiking.md).
"""

from collections import namedtuple

import numpy as np

from ..core.errors import InputError
from ..core.rng import inlined, jit
from ..devices.models import DOWN, HIGH, LOW, UP, BinaryCell, LinearStep
from .kernels.streams import normal, uniform

#: Cells of the 512 kbit array.
ARRAY_CELLS = 524_288
MOST_BITS = 8
IDEAL, DIGITAL, ANALOG = range(3)
CODES = ("gray", "binary")

#: What training adds up; indices of a tally, (len(TALLY),) int64. Pulses are programming pulses, failed ones among them; a set
#: or reset is a cell whose bit did change; a failure is a cell that kept its bit after the last attempt.
TALLY = ("input_spikes", "output_spikes", "ltp", "ltd", "pulses", "sets", "resets", "failures")
INPUT_SPIKES, OUTPUT_SPIKES, LTP, LTD, PULSES, SETS, RESETS, FAILURES = range(len(TALLY))


#: What an analog cell is without another device: steps as the rule wants them, over the whole range.
EVEN = LinearStep(name="even", source="steps of the rule, exactly", relative=True, step=1.0)

#: Cells as the kernels see them; shapes for ``n`` inputs, ``m`` outputs, ``k`` cells a weight, (1, ...) where a kind has none.
#:
#: kind           IDEAL, DIGITAL or ANALOG
#: w              (n, m) float32, the weights as they are read
#: level          (n, m) uint8, the level that the cells hold
#: code, decode   (levels,) uint8, level to bits and back; value (levels,) float32, its weight
#: wear           (n, m, k) uint32, pulses that each cell has had
#: fail, limit    (n, m, k) float32 probability of a failed pulse, uint32 pulses a cell endures; attempts int
#: spacing        float32, distance of the levels
#: up, down       (n, m) float32 factors of the steps; low, high (n, m) float32 range
#: pulse          what all analog cells share
Cells = namedtuple("Cells", "kind w level code decode value wear fail limit attempts spacing up down low high pulse")

#: float32: ``noise`` of a step, relative to it; an up step at w is ``1 - tilt_up (w - zero)`` times that at ``zero``, a down step
#: ``1 + tilt_down (w - zero)`` times; ``spacing`` of distinguishable levels, 0: continuous.
Pulse = namedtuple("Pulse", "noise tilt_up tilt_down zero spacing")


def bits_for(synapses: int, arrays: int = 1) -> int:
    """Most bits a weight that ``arrays`` arrays hold for ``synapses`` weights, 8 at most; InputError where not even one fits."""
    bits = min(MOST_BITS, arrays * ARRAY_CELLS // synapses)
    if bits < 1:
        raise InputError(f"{synapses:,} weights do not fit on {arrays} array(s) of {ARRAY_CELLS:,} cells; take fewer inputs or "
                         f"outputs, or arrays = {-(-synapses // ARRAY_CELLS)}")
    return bits


def check_budget(synapses: int, bits: int, arrays: int = 1) -> int:
    """Cells that ``synapses`` weights of ``bits`` cells take; InputError where ``arrays`` arrays have fewer."""
    cells, there = synapses * bits, arrays * ARRAY_CELLS
    if cells > there:
        raise InputError(f"{synapses:,} weights of {bits} bits take {cells:,} cells, {arrays} array(s) have {there:,}; use bits = "
                         f"{bits_for(synapses, arrays)}, or arrays = {-(-cells // ARRAY_CELLS)}")
    return cells


def code_of(levels: int, code: str) -> np.ndarray:
    """Level -> bits, (levels,) uint8: Gray, where neighbours differ in one bit, or binary."""
    level = np.arange(levels)
    return (level ^ level >> 1 if code == "gray" else level).astype(np.uint8)


def make_cells(w: np.ndarray, kind: str, rng, *, bits: int = 2, code: str = "gray", levels: int = 0, device=None) -> Cells:
    """Cells that hold the weights ``w`` (n, m) as nearly as they can; device-to-device variation is drawn from ``rng``.

    levels  distinguishable ones of ``analog``, 0: continuous
    device  a ``BinaryCell`` for ``digital``, a ``LinearStep`` for ``analog``, both of ``crossbar.devices``; None: a perfect one
    """
    if kind == "digital":
        return _digital(w, rng, bits, code, device or BinaryCell())
    return _analog(w, rng, levels, device or EVEN) if kind == "analog" else _cells(kind=IDEAL, w=w.astype(np.float32))


def _cells(**given) -> Cells:
    f = np.float32
    none = {"level": np.zeros((1, 1), np.uint8), "code": np.zeros(1, np.uint8), "decode": np.zeros(1, np.uint8),
            "value": np.zeros(1, f), "wear": np.zeros((1, 1, 1), np.uint32), "fail": np.zeros((1, 1, 1), f),
            "limit": np.zeros((1, 1, 1), np.uint32), "attempts": 1, "spacing": f(0),
            "up": np.ones((1, 1), f), "down": np.ones((1, 1), f), "low": np.ones((1, 1), f),
            "high": np.ones((1, 1), f), "pulse": Pulse(*np.zeros(5, f))}
    return Cells(**(none | given))


def _digital(w, rng, bits, code, device: BinaryCell) -> Cells:
    levels, shape = 1 << bits, (*w.shape, bits)
    table, value = code_of(levels, code), np.linspace(-1, 1, levels, dtype=np.float32)
    level = np.rint((w + 1) / 2 * (levels - 1)).clip(0, levels - 1).astype(np.uint8)
    fail, limit = device.sample(shape, rng)
    return _cells(kind=DIGITAL, w=value[level], level=level, code=table, decode=np.argsort(table).astype(np.uint8), value=value,
                  wear=np.zeros(shape, np.uint32), fail=fail, limit=limit, attempts=device.attempts,
                  spacing=np.float32(2 / (levels - 1)))


def _analog(w, rng, levels: int, device: LinearStep) -> Cells:
    """The device's nominal range becomes [-1, 1]; of its step only the shape and the spread matter, the rule says how large it is."""
    f, span = np.float32, (device.high - device.low) / 2
    zero = -device.low / span - 1
    drawn = device.sample(w.shape, rng)
    low, high = (drawn[..., end] / f(span) + f(zero) for end in (LOW, HIGH))
    pulse = Pulse(f(device.cycle_noise), f(device.slope_up / (1 - zero)), f(device.slope_down / (1 + zero)), f(zero),
                  f(2 / (levels - 1) if levels else 0))
    return _cells(kind=ANALOG, w=w.astype(f).clip(low, high), wear=np.zeros((*w.shape, 1), np.uint32), low=low, high=high,
                  up=drawn[..., UP] / f(device.step), down=-drawn[..., DOWN] / f(device.step), pulse=pulse)


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
    """The weight, float32, to which one pulse for ``dw`` leads: the cell's own step, with noise, within its own range."""
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
    """Program the cells of weight (i, k) whose bit differs from that of level ``target``; the weight is what they then hold."""
    held = cells.code[cells.level[i, k]]
    wanted = cells.code[target]
    for b in range(cells.wear.shape[2]):
        one = np.uint8(1 << b)
        if (held ^ wanted) & one:
            for _ in range(cells.attempts):
                tally[PULSES] += 1
                cells.wear[i, k, b] += np.uint32(1)
                failed = cells.fail[i, k, b] > 0 and uniform(state) < cells.fail[i, k, b]
                if not failed and cells.wear[i, k, b] <= cells.limit[i, k, b]:
                    held ^= one
                    tally[SETS if held & one else RESETS] += 1
                    break
            if (held ^ wanted) & one:
                tally[FAILURES] += 1
    cells.level[i, k] = cells.decode[held]
    cells.w[i, k] = cells.value[cells.level[i, k]]


def write_conductance(cells, i: int, k: int, value, tally) -> None:
    """Program an analog cell to ``value`` by one pulse, as nearly as its range lets it."""
    value = min(max(value, cells.low[i, k]), cells.high[i, k])
    if value != cells.w[i, k]:
        tally[PULSES] += 1
        cells.wear[i, k, 0] += np.uint32(1)
        tally[SETS if value > cells.w[i, k] else RESETS] += 1
        cells.w[i, k] = value
