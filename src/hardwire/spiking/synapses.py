"""The array of memory cells that holds the weights: devices, budget, programming, and what it counts.

A weight w in [-1, 1] is kept in one of three ways.

ideal     a float32; no cells, nothing is counted
digital   k one-bit cells: level l of 2^k, ``w = -1 + 2 l / (2^k - 1)``, written in a Gray code (neighbouring levels
differ in one
          cell) or in plain binary. A change dw becomes a change of level by stochastic rounding, which keeps its mean;
          cells whose bit does not change are not programmed
analog    one cell of gradual conductance G, ``w = -1 + 2 (G - G_min) / (G_max - G_min)``, continuous or of ``levels``
levels

Devices are those of ``devices``. The paper names the array, 512 kbit of subquantum CBRAM; neither how weights lie on it
nor the devices' spreads are given in what could be read, so everything here but its size is a parameter (see
docs/spiking.md).
"""

import numpy as np
from numpy.typing import NDArray

from ..core.errors import InputError
from ..devices.models import DOWN, HIGH, LOW, UP, BinaryCell, LinearStep
from .kernels.cells import PULSES, RESETS, SETS, AnalogCells, Cells, DigitalCells, IdealCells, Pulse

#: Cells of the 512 kbit array.
ARRAY_CELLS = 524_288
MOST_BITS = 8
CODES = ("gray", "binary")
#: What an analog cell is without another device: steps as the rule wants them, over the whole range.
EVEN = LinearStep(name="even", source="steps of the rule, exactly", relative=True, step=1.0)


def bits_for(synapses: int, arrays: int = 1) -> int:
    """Return the most bits a weight that the arrays hold, 8 at most; InputError where not even one fits."""
    bits = min(MOST_BITS, arrays * ARRAY_CELLS // synapses)
    if bits < 1:
        raise InputError(f"{synapses:,} weights do not fit on {arrays} array(s) of {ARRAY_CELLS:,} cells; take fewer "
                         "inputs or "
                         f"outputs, or arrays = {-(-synapses // ARRAY_CELLS)}")
    return bits


def check_budget(synapses: int, bits: int, arrays: int = 1) -> int:
    """Count the cells that ``synapses`` weights of ``bits`` cells take; InputError where the arrays have fewer."""
    cells, there = synapses * bits, arrays * ARRAY_CELLS
    if cells > there:
        raise InputError(f"{synapses:,} weights of {bits} bits take {cells:,} cells, {arrays} array(s) have {there:,}; "
                         "use bits = "
                         f"{bits_for(synapses, arrays)}, or arrays = {-(-cells // ARRAY_CELLS)}")
    return cells


def code_of(levels: int, code: str) -> NDArray[np.uint8]:
    """Return level -> bits, (levels,) uint8: Gray, where neighbours differ in one bit, or binary."""
    level = np.arange(levels)
    return (level ^ level >> 1 if code == "gray" else level).astype(np.uint8)


def make_cells(w: NDArray[np.floating], kind: str, rng: np.random.Generator, *, bits: int = 2, code: str = "gray",
               levels: int = 0,
               device: BinaryCell | LinearStep | None = None) -> Cells:
    """Return cells that hold the weights ``w`` (n, m) as nearly as they can.

    Parameters
    ----------
    w, kind
        Weights in [-1, 1]; ``digital``, ``analog`` or ``ideal``.
    rng
        Variation from device to device is drawn from it.
    bits, code
        Of ``digital``.
    levels
        Distinguishable ones of ``analog``; 0: continuous.
    device
        A ``BinaryCell`` for ``digital``, a ``LinearStep`` for ``analog``; None: a perfect one.
    """
    if kind == "digital":
        return _digital(w, rng, bits, code, device if isinstance(device, BinaryCell) else BinaryCell())
    if kind == "analog":
        return _analog(w, rng, levels, device if isinstance(device, LinearStep) else EVEN)
    return IdealCells(w.astype(np.float32))


def _digital(w: NDArray[np.floating], rng: np.random.Generator, bits: int, code: str,
             device: BinaryCell) -> DigitalCells:
    levels, shape = 1 << bits, (*w.shape, bits)
    table, value = code_of(levels, code), np.linspace(-1, 1, levels, dtype=np.float32)
    level = np.rint((w + 1) / 2 * (levels - 1)).clip(0, levels - 1).astype(np.uint8)
    failure, limit = device.sample(shape, rng)
    return DigitalCells(value[level], level, table, np.argsort(table).astype(np.uint8), value, np.zeros(shape,
                                                                                                        np.uint32),
                        failure,
                        limit, device.attempts, np.float32(2 / (levels - 1)))


def _analog(w: NDArray[np.floating], rng: np.random.Generator, levels: int, device: LinearStep) -> AnalogCells:
    """Map the device's nominal range to [-1, 1]; of its step only shape and spread matter, the rule gives the size."""
    f, span = np.float32, (device.high - device.low) / 2
    zero = -device.low / span - 1
    drawn = device.sample(w.shape, rng)
    low, high = (drawn[..., end] / f(span) + f(zero) for end in (LOW, HIGH))
    pulse = Pulse(f(device.cycle_noise), f(device.slope_up / (1 - zero)), f(device.slope_down / (1 + zero)), f(zero),
                  f(2 / (levels - 1) if levels else 0))
    return AnalogCells(w.astype(f).clip(low, high), np.zeros((*w.shape, 1), np.uint32), drawn[..., UP] / f(device.step),
                       -drawn[..., DOWN] / f(device.step), low, high, pulse)


def write_conductance(cells: AnalogCells, i: int, k: int, value: np.float32, tally: NDArray[np.int64]) -> None:
    """Program an analog cell to ``value`` by one pulse, as nearly as its range lets it."""
    value = min(max(value, cells.low[i, k]), cells.high[i, k])
    if value != cells.w[i, k]:
        tally[PULSES] += 1
        cells.wear[i, k, 0] += np.uint32(1)
        tally[SETS if value > cells.w[i, k] else RESETS] += 1
        cells.w[i, k] = value
