"""Reading an array, forward and backward, through its converters and block by block; see ``periphery``."""

from math import sqrt

import numpy as np

from ...core.rng import inner
from ...core.simd import load, splat, total
from .noise import normal

LANES = 16
#: Doublings of the input's range before a saturated reading is taken as it is.
DOUBLINGS = 10


@inner
def largest(v):
    """Return the largest magnitude."""
    top = np.float32(0.0)
    for i in range(len(v)):
        top = max(top, abs(v[i]))
    return float(top)


@inner
def _drive(io, v, scale, out, rng):
    """Write to ``out`` the inputs as they reach the wires: relative to ``scale``, cut, rounded, noisy."""
    for i in range(len(v)):
        x = v[i] / scale
        if x != 0 and (io.input_step > 0 or io.manage_noise):
            x = min(max(x, -1.0), 1.0)
        if x != 0 and io.input_step > 0:
            x = round(x / io.input_step) * io.input_step
        if x != 0 and io.input_noise > 0:
            x += io.input_noise * normal(rng)
        out[i] = x


@inner
def _convert(io, current, variance, rng):
    """Return one output from its ideal value, noisy, cut and rounded; and whether it met the bound."""
    deviation = sqrt(io.output_noise**2 + variance)
    v = current + deviation * normal(rng) if deviation > 0 else current
    met = io.output_bound > 0 and abs(v) > io.output_bound
    if met:
        v = io.output_bound if v > 0 else -io.output_bound
    if io.output_step > 0:
        v = round(v / io.output_step) * io.output_step
    return v, met


@inner
def _add_row(g, rest, i, fast, slow, out):
    for j in range(len(out)):
        out[j] += slow * rest[i, j] + fast * g[i, j]


@inner
def _add_square(noise, i, square, out):
    for j in range(len(out)):
        out[j] += square * noise[i, j]


@inner
def _dot(a, start, v, first, last):
    """Return ``sum a[start + j] v[j]`` over ``first <= j < last``, in an order that does not depend on the machine."""
    lanes = splat(np.float32(0), LANES)
    j = first
    while j + LANES <= last:
        lanes = lanes + load(a, start + j, LANES) * load(v, j, LANES)
        j += LANES
    result = total(lanes)
    while j < last:
        result += a.flat[start + j] * v[j]
        j += 1
    return result


@inner
def _down_columns(reading, wire, first, last, current, variance):
    """Currents (m,) of rows ``first`` to ``last``, and their variances."""
    g, rest, noise, gain = reading.g, reading.rest, reading.noise, np.float32(reading.gain[0])
    current[:] = 0
    for i in range(first, last):
        if wire[i] != 0:
            _add_row(g, rest, i, gain * wire[i], wire[i], current)
    if len(noise) > 0:
        variance[:] = 0
        for i in range(first, last):
            if wire[i] != 0:
                _add_square(noise, i, wire[i] * wire[i], variance)


@inner
def _along_rows(reading, wire, square, first, last, current, variance):
    """Currents (n,) of columns ``first`` to ``last``, and their variances; ``square`` (m,) is ``wire^2``."""
    g, rest, noise, gain = reading.g, reading.rest, reading.noise, np.float32(reading.gain[0])
    n, m = rest.shape
    for i in range(n):
        current[i] = _dot(rest, i * m, wire, first, last) + gain * _dot(g, i * m, wire, first, last)
        if len(noise) > 0:
            variance[i] = _dot(noise, i * m, square, first, last)


@inner
def _read(tile, io, reading, backward, block, v, out, rng):
    """Read the array in blocks of ``block`` inputs ``v`` into ``out``, each block converted and summed."""
    control, unit = tile.control[0], tile.unit
    scale = largest(v) if io.manage_noise else 1.0
    out[:] = 0
    if scale == 0:
        return
    wire, square = np.empty(len(v), np.float32), np.empty(len(v), np.float32)
    current, variance = np.empty(len(out), np.float32), np.zeros(len(out), np.float32)
    for attempt in range(DOUBLINGS + 1):
        _drive(io, v, scale, wire, rng)
        control.input_conversions += len(v)
        met = False
        if backward:
            square[:] = wire * wire
        for first in range(0, len(v), block):
            last = min(first + block, len(v))
            if backward:
                _along_rows(reading, wire, square, first, last, current, variance)
            else:
                _down_columns(reading, wire, first, last, current, variance)
            control.output_conversions += len(out)
            for j in range(len(out)):
                y, over = _convert(io, current[j] / unit, variance[j] / (unit * unit), rng)
                met = met or over
                out[j] += y * scale
        if not (met and io.manage_bound) or attempt == DOUBLINGS:
            return
        scale *= 2
        out[:] = 0


@inner
def forward(tile, reading, x, y, rng):
    """``y_j = sum_i x_i W_ij`` through the periphery. x (n,), y (m,) float32."""
    tile.control[0].forward_reads += 1
    _read(tile, tile.ahead, reading, False, tile.block_rows, x, y, rng)


@inner
def backward(tile, reading, d, y, rng):
    """``y_i = sum_j d_j W_ij`` through the periphery of the backward pass. d (m,), y (n,) float32."""
    tile.control[0].backward_reads += 1
    _read(tile, tile.back, reading, True, tile.block_columns, d, y, rng)
