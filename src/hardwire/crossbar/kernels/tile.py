"""Blocks of devices and what stands around them: converters, noise, bounds, and how many blocks a chip has.

A layer of more rows than a block is spread over blocks below each other: each makes its own current, which is converted and summed
digitally; likewise backward over blocks beside each other.
"""

from dataclasses import dataclass, field
from math import ceil, sqrt

import numpy as np

from ...core.errors import InputError
from ...core.rng import jit
from ...core.simd import load, splat, total
from .noise import normal
from .state import PERIPHERY

LANES = 16
#: Doublings of the input's range before a saturated reading is taken as it is.
DOUBLINGS = 10


@dataclass(frozen=True, kw_only=True)
class Periphery:
    """Converters and noise of one direction; outputs are in weights times inputs at full scale 1.

    x is divided by its largest entry (``manage_noise``), cut to [-1, 1], rounded to ``input_bits`` and gets ``input_noise``; the
    current gets ``output_noise``, is cut at ``output_bound``, rounded to ``output_bits``, and multiplied back. If an output met its
    bound (``manage_bound``), all is done again with inputs half as large. 0 bits: no rounding; bound 0: none.
    """

    input_bits: int = 7
    input_noise: float = 0.0
    output_bits: int = 9
    output_noise: float = 0.0
    output_bound: float = 0.0
    manage_noise: bool = True
    manage_bound: bool = True

    def __post_init__(self):
        for name in ("input_bits", "output_bits"):
            bits = getattr(self, name)
            if isinstance(bits, bool) or not isinstance(bits, int) or not (bits == 0 or 2 <= bits <= 24):
                raise InputError(f"periphery: {name} = {bits!r}; give 2 to 24 bits, or 0 for no rounding")
        for name in ("input_noise", "output_noise", "output_bound"):
            value = getattr(self, name)
            if not 0 <= value < float("inf"):
                raise InputError(f"periphery: {name} = {value}; give a finite number of 0 or more")
        if self.output_bits and not self.output_bound:
            raise InputError(f"periphery: output_bits = {self.output_bits} without output_bound; give the bound that it spans")

    def record(self) -> np.ndarray:
        """As the kernels read it."""
        out = np.zeros(1, PERIPHERY)
        for name in ("input_noise", "output_noise", "output_bound", "manage_noise", "manage_bound"):
            out[name] = getattr(self, name)
        out["input_step"] = 2 / (2**self.input_bits - 2) if self.input_bits else 0
        out["output_step"] = 2 * self.output_bound / (2**self.output_bits - 2) if self.output_bits else 0
        return out


#: Presets by name; the numbers are those of aihwkit's presets (read).
PERIPHERIES = {
    "ideal": Periphery(input_bits=0, output_bits=0, manage_noise=False, manage_bound=False),
    "default": Periphery(input_bits=7, output_bits=9, output_bound=20.0, output_noise=0.1),
    "standard": Periphery(input_bits=8, output_bits=8, output_bound=10.0, output_noise=0.04),
}


@dataclass
class Chip:
    """A budget of blocks that layers are placed on, side by side and one after another.

    blocks   how many there are
    rows, columns   synapses of a block
    """

    blocks: int = 64
    rows: int = 512
    columns: int = 512
    placed: list[tuple[str, int, int]] = field(default_factory=list)

    def __post_init__(self):
        for name in ("blocks", "rows", "columns"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InputError(f"chip: {name} = {value!r}; give a whole number of at least 1")

    @property
    def used(self) -> int:
        return sum(self.needs(n, m) for _, n, m in self.placed)

    def needs(self, n: int, m: int) -> int:
        """Blocks for a layer of ``n`` rows and ``m`` columns."""
        return ceil(n / self.rows) * ceil(m / self.columns)

    def place(self, name: str, n: int, m: int) -> None:
        """Take the blocks of a layer; InputError when the chip has too few left."""
        needed, left = self.needs(n, m), self.blocks - self.used
        if needed > left:
            raise InputError(f"layer {name} of {n} x {m} synapses needs {needed} blocks of {self.rows} x {self.columns}, the chip has "
                             f"{left} of {self.blocks} left; make the layer smaller, or give a chip of more blocks")
        self.placed.append((name, n, m))


@jit
def largest(v):
    """The largest magnitude."""
    top = np.float32(0.0)
    for i in range(len(v)):
        top = max(top, abs(v[i]))
    return float(top)


@jit
def _drive(io, v, scale, out, rng):
    """Inputs as they reach the wires: relative to ``scale``, cut, rounded, noisy."""
    for i in range(len(v)):
        x = v[i] / scale
        if x != 0 and (io.input_step > 0 or io.manage_noise):
            x = min(max(x, -1.0), 1.0)
        if x != 0 and io.input_step > 0:
            x = round(x / io.input_step) * io.input_step
        if x != 0 and io.input_noise > 0:
            x += io.input_noise * normal(rng)
        out[i] = x


@jit
def _convert(io, current, variance, rng):
    """One output from its ideal value: noisy, cut, rounded; and whether it met the bound."""
    deviation = sqrt(io.output_noise**2 + variance)
    v = current + deviation * normal(rng) if deviation > 0 else current
    met = io.output_bound > 0 and abs(v) > io.output_bound
    if met:
        v = io.output_bound if v > 0 else -io.output_bound
    if io.output_step > 0:
        v = round(v / io.output_step) * io.output_step
    return v, met


@jit
def _add_row(g, rest, i, fast, slow, out):
    for j in range(len(out)):
        out[j] += slow * rest[i, j] + fast * g[i, j]


@jit
def _add_square(noise, i, square, out):
    for j in range(len(out)):
        out[j] += square * noise[i, j]


@jit
def forward(s, x, y, rng):
    """``y_j = sum_i x_i W_ij`` through the periphery. x (n,), y (m,) float32."""
    io, settings, control = s.ahead[0], s.settings[0], s.control[0]
    n, m = s.rest.shape
    scale = largest(x) if io.manage_noise else 1.0
    y[:] = 0
    control.forward_reads += 1
    if scale == 0:
        return
    wire, current, variance = np.empty(n, np.float32), np.empty(m, np.float32), np.zeros(m, np.float32)
    gain, noisy, unit = np.float32(control.sign * settings.gamma), len(s.noise) > 0, settings.unit
    for attempt in range(DOUBLINGS + 1):
        _drive(io, x, scale, wire, rng)
        control.input_conversions += n
        met = False
        for first in range(0, n, settings.block_rows):
            current[:] = 0
            variance[:] = 0
            for i in range(first, min(first + settings.block_rows, n)):
                if wire[i] != 0:
                    _add_row(s.g, s.rest, i, gain * wire[i], wire[i], current)
                    if noisy:
                        _add_square(s.noise, i, wire[i] * wire[i], variance)
            control.output_conversions += m
            for j in range(m):
                v, over = _convert(io, current[j] / unit, variance[j] / (unit * unit), rng)
                met = met or over
                y[j] += v * scale
        if not (met and io.manage_bound) or attempt == DOUBLINGS:
            return
        scale *= 2
        y[:] = 0


@jit
def _dot(a, start, v, first, last):
    """``sum a[start + j] v[j]`` over ``first <= j < last``, in an order that does not depend on the machine."""
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


@jit
def backward(s, d, y, rng):
    """``y_i = sum_j d_j W_ij`` through the periphery of the backward pass. d (m,), y (n,) float32."""
    io, settings, control = s.back[0], s.settings[0], s.control[0]
    n, m = s.rest.shape
    scale = largest(d) if io.manage_noise else 1.0
    y[:] = 0
    control.backward_reads += 1
    if scale == 0:
        return
    wire, square = np.empty(m, np.float32), np.empty(m, np.float32)
    gain, noisy, unit = np.float32(control.sign * settings.gamma), len(s.noise) > 0, settings.unit
    for attempt in range(DOUBLINGS + 1):
        _drive(io, d, scale, wire, rng)
        control.input_conversions += m
        square[:] = wire * wire
        met = False
        for first in range(0, m, settings.block_columns):
            last = min(first + settings.block_columns, m)
            control.output_conversions += n
            for i in range(n):
                current = _dot(s.rest, i * m, wire, first, last) + gain * _dot(s.g, i * m, wire, first, last)
                variance = _dot(s.noise, i * m, square, first, last) if noisy else np.float32(0)
                v, over = _convert(io, current / unit, variance / (unit * unit), rng)
                met = met or over
                y[i] += v * scale
        if not (met and io.manage_bound) or attempt == DOUBLINGS:
            return
        scale *= 2
        y[:] = 0
