"""The slow reference of the kernels: plain Python, one synapse after another, written to be read beside the equations.

It draws the same random words in the same order, so a test compares whole trainings, noise and all. Each cell's module
has the rest of its own reference.
"""

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...devices.models import AGE, DOWN, DRIFT, HIGH, LEAK_RATE, LEAK_TO, LOW, SET_STEP, TOP, UP
from ..periphery import Converters
from ..updates import COUNTS, EXACT, STOCHASTIC, Pulsing
from .noise import QUANTILES

WORD = (1 << 64) - 1
Reals = NDArray[np.float64]


class Words:
    """The stream of ``noise`` in Python's whole numbers."""

    def __init__(self, rng: NDArray[np.uint64]) -> None:
        self.state = int(rng[0])

    def word(self) -> int:
        """Draw 64 random bits."""
        self.state = (self.state + 0x9E3779B97F4A7C15) & WORD
        z = self.state
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & WORD
        z = (z ^ z >> 27) * 0x94D049BB133111EB & WORD
        return z ^ z >> 31

    def uniform(self) -> float:
        """Draw a number in [0, 1)."""
        return (self.word() >> 11) / 2**53

    def normal(self) -> float:
        """Draw a standard normal number."""
        w = self.word()
        return float(QUANTILES[w & 2047] + QUANTILES[w >> 32 & 2047])

    def round(self, value: float) -> int:
        """Round ``value`` up with the probability of its fraction."""
        return int(value) + (self.uniform() < value - int(value))

    def bits(self, p: float, n: int) -> int:
        """Draw ``n`` bits that are 1 with probability ``p``."""
        drawn, word = 0, 0
        for i in range(n):
            word = word >> 32 if i % 2 else self.word()
            drawn |= (word & 0xFFFFFFFF < int(min(p, 1.0) * 2**32)) << i
        return drawn


class Reference(ABC):
    """An array that computes as the kernels do; changes its own copy of ``state``."""

    def __init__(self, state: Any) -> None:
        self.s = copy.deepcopy(state)
        self.words, self.examples = Words(self.s.tile.rng), int(self.s.tile.control["examples"][0])

    @abstractmethod
    def update(self, x: Any, d: Any, lr: float) -> None:
        """Learn one example, ``W -= lr x d^T``."""

    def weights(self) -> Reals:
        """``W = (rest + gain g) / unit``, (n, m)."""
        r = self.s.reading
        return np.asarray((r.rest.astype(float) + r.gain[0] * r.g) / self.s.tile.unit)

    # ------------------------------------------------------------------------------------------------------- reading
    def _drive(self, io: Converters, v: Any, scale: float) -> Reals:
        out = []
        for x in np.asarray(v, float) / scale:
            if x and (io.input_step or io.manage_noise):
                x = min(max(x, -1.0), 1.0)
            if x and io.input_step:
                x = round(x / io.input_step) * io.input_step
            out.append(x + io.input_noise * self.words.normal() if x and io.input_noise else x)
        return np.array(out)

    def _convert(self, io: Converters, current: float, variance: float) -> tuple[float, bool]:
        deviation = math.sqrt(io.output_noise**2 + variance)
        v = current + deviation * self.words.normal() if deviation else current
        met = bool(io.output_bound) and abs(v) > io.output_bound
        v = math.copysign(io.output_bound, v) if met else v
        return (round(v / io.output_step) * io.output_step if io.output_step else v), met

    def _read(self, io: Converters, v: Any, matrix: Reals, noise: Reals, block: int) -> Reals:
        """``v @ matrix`` in blocks of ``block`` rows, each converted and summed; noise is the readings' variance."""
        scale = float(np.abs(v).max()) if io.manage_noise else 1.0
        result = np.zeros(matrix.shape[1])
        for attempt in range(11 if scale else 0):
            wire, result, met = self._drive(io, v, scale), np.zeros(matrix.shape[1]), False
            for first in range(0, len(v), block):
                part = slice(first, first + block)
                current, variance = wire[part] @ matrix[part], wire[part] ** 2 @ noise[part]
                for j in range(len(result)):
                    y, over = self._convert(io, current[j], variance[j])
                    result[j] += y * scale
                    met |= over
            if not (met and io.manage_bound) or attempt == 10:
                break
            scale *= 2
        return result

    def _variance(self) -> Reals:
        r = self.s.reading
        return np.asarray(r.noise.astype(float) / self.s.tile.unit**2 if len(r.noise) else np.zeros(r.rest.shape))

    def forward(self, x: Any) -> Reals:
        """Forward pass of ``x`` (n,)."""
        return self._read(self.s.tile.ahead, x, self.weights(), self._variance(), self.s.tile.block_rows)

    def backward(self, d: Any) -> Reals:
        """Backward pass of ``d`` (m,)."""
        return self._read(self.s.tile.back, d, self.weights().T, self._variance().T, self.s.tile.block_columns)

    # -------------------------------------------------------------------------------------------------------- update
    def coincidences(self, p: Pulsing, x: Any, d: Any, lr: float) -> Iterator[tuple[int, int, int, int]]:
        """Yield row, column, direction and number of the pulses that coincide, in the kernels' order."""
        x, d = np.asarray(x, float), np.asarray(d, float)
        xmax, dmax = np.abs(x).max(), np.abs(d).max()
        if not (xmax and dmax and lr):
            return
        slots = min(math.ceil(lr * xmax * dmax / p.step), p.slots) if p.manage_length else p.slots
        slots = 1 if p.rule == COUNTS else slots
        gain, balance = math.sqrt(lr / (p.step * slots)), math.sqrt(dmax / xmax) if p.manage_scale else 1.0
        columns = [self._train(p, v, gain / balance, slots) if v else 0 for v in d]
        if not any(columns):
            return
        for i, v in enumerate(x):
            row = self._train(p, v, gain * balance, slots) if v else 0
            for j, column in enumerate(columns) if row else ():
                count = (row & column).bit_count() if p.rule == STOCHASTIC else row * column
                if count:
                    yield i, j, -1 if v * d[j] > 0 else 1, count

    def _train(self, p: Pulsing, value: float, gain: float, slots: int) -> int:
        if p.rule == STOCHASTIC:
            return self.words.bits(abs(value) * gain, slots)
        wanted = min(abs(value) * gain, 255.0)
        return int(wanted + 0.5) if p.nearest else self.words.round(wanted)

    def pulse_linear(self, g: Any, device: Any, i: int, j: int, direction: int, count: int) -> None:
        """Pulse a bidirectional device: ``g += step (1 - slope g / bound) (1 + noise N)``, cut at its bounds."""
        c, value = device.constants[i, j].astype(float), float(g[i, j])
        up, down = (c[UP], device.slope_up, c[HIGH]), (c[DOWN], device.slope_down, c[LOW])
        step, slope, bound = up if direction > 0 else down
        for _ in range(count):
            change = step * (1 - float(slope) * value / bound)
            change *= 1 + float(device.noise) * self.words.normal() if device.noise else 1
            value = min(max(value + change, c[LOW]), c[HIGH])
        g[i, j] = value

    def learn_linear(self, device: Any, x: Any, d: Any, lr: float, sign: int = 1) -> None:
        """``W -= lr x d^T`` on bidirectional devices whose conductance counts with ``sign``."""
        g = self.s.reading.g
        if self.s.pulsing.rule == EXACT:
            change = sign * lr * self.s.tile.unit * np.outer(np.asarray(x, float), np.asarray(d, float))
            g[:] = np.clip(g - change, device.constants[..., LOW], device.constants[..., HIGH])
            return
        for i, j, direction, count in self.coincidences(self.s.pulsing, x, d, lr):
            self.pulse_linear(g, device, i, j, sign * direction, count)

    def count_example(self, device: Any = None) -> None:
        """Count an example, and apply the leakage that is due."""
        self.examples += 1
        self.s.tile.control["examples"] += 1
        if device is not None and len(device.leakage) and self.examples % self.s.leak_every == 0:
            g, to, rate = self.s.reading.g, *np.moveaxis(device.leakage.astype(float), -1, 0)[[LEAK_TO, LEAK_RATE]]
            g[:] = to + (g - to) * np.exp(-self.s.leak_every * rate)


class PcmReference(Reference):
    """The reference of a cell with PCM pairs, ``pair``; the equations are those of ``Pcm``."""

    def mean_set(self, g: float, constants: Any) -> float:
        """Mean change of a full SET pulse, uS."""
        p = self.s.pair
        return float(constants[SET_STEP]) * p.step * (1 + p.shape * math.exp(-p.decay * g / p.g_max))

    def set_pulse(self, g: float, constants: Any, share: float) -> float:
        """Conductance after a SET pulse of relative duration ``share``."""
        p, mean = self.s.pair, self.mean_set(g, constants)
        change = share * mean
        if p.cycle_noise:
            change += math.sqrt(share) * p.cycle_noise * (p.noise_add + mean + p.noise_slope * g) * self.words.normal()
        return min(max(g + change, 0.0), float(constants[TOP]))

    def reset(self) -> float:
        """Conductance after RESET."""
        p = self.s.pair
        return float(abs(p.reset + p.reset_noise * self.words.normal()) if p.reset_noise else p.reset)

    def read_variance(self, g: Any) -> float:
        """Variance of a reading of a device, uS^2."""
        p, g = self.s.pair, float(g)
        return float((p.read_noise * min(0.0088 / (g / p.g_max) ** 0.65, 0.2) * g) ** 2) if p.read_noise and g else 0.0

    def noisy(self, value: float, variance: float) -> float:
        """Return a reading of ``value``."""
        return value + math.sqrt(variance) * self.words.normal() if variance else value

    def update_reading(self, i: int, j: int) -> None:
        """Bring what is read of a pair up to date."""
        p, r = self.s.pair, self.s.reading
        plus, minus = p.g[i, j]
        r.rest[i, j] = p.loop.factor * (plus - minus)
        if len(r.noise):
            r.noise[i, j] = p.loop.factor**2 * (self.read_variance(plus) + self.read_variance(minus))

    def wait(self, seconds: float) -> None:
        """Drift over ``seconds``."""
        p = self.s.pair
        for i, j, side in np.ndindex(*p.g.shape):
            constants, g = p.constants[i, j, side], float(p.g[i, j, side])
            if g > 0:
                level = math.log(g / p.g_max)
                mean = np.clip(0.0244 - 0.0155 * level, 0.049, 0.1)
                spread = np.clip(-0.0059 - 0.0125 * level, 0.008, 0.045)
                nu = p.drift * max(mean + spread * float(constants[DRIFT]), 0)
                age = p.t0 + float(constants[AGE])
                p.g[i, j, side] = g * ((age + seconds) / age) ** -nu
            constants[AGE] += seconds
        for i, j in np.ndindex(*self.s.reading.rest.shape):
            self.update_reading(i, j)

    def close_loop(self, i: int, j: int, target: float) -> float:
        """Program ``factor (G+ - G-)`` to ``target``; what is left over."""
        p, loop, fresh = self.s.pair, self.s.pair.loop, False
        g = p.g[i, j]
        for attempt in range(loop.most_pulses + 1):
            variance = loop.factor**2 * (self.read_variance(g[0]) + self.read_variance(g[1])) / loop.readings
            error = target - self.noisy(loop.factor * float(g[0] - g[1]), variance)
            if abs(error) <= loop.tolerance or attempt == loop.most_pulses:
                break
            side = 0 if error > 0 else 1
            constants, value = p.constants[i, j, side], float(g[side])
            if not fresh and value >= loop.refresh_level * p.g_max:
                g[0], g[1], fresh = self.reset(), self.reset(), True
                continue
            share = min(max(abs(error) / (loop.factor * self.mean_set(value, constants)), loop.least_share), 1.0)
            g[side] = self.set_pulse(value, constants, share)
            constants[AGE] = 0
        self.update_reading(i, j)
        return target - float(self.s.reading.rest[i, j])
