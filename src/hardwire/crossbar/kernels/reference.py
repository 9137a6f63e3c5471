"""The slow twin of the kernels: plain Python, one synapse after another, written to be read beside the equations.

It draws the same random words in the same order, so a test compares whole trainings, noise and all. ``State`` is the kernels' own.
"""

import math

import numpy as np

from ...devices.models import AGE, DOWN, DRIFT, HIGH, LEAK_RATE, LEAK_TO, LOW, SET_STEP, TOP, UP
from .noise import QUANTILES
from .state import COUNTS, EXACT, HYBRID, MIXED, PAIR, STOCHASTIC, TIKI, State

WORD = (1 << 64) - 1


class Words:
    """The stream of ``random`` in Python's whole numbers."""

    def __init__(self, rng: np.ndarray):
        self.rng, self.state = rng, int(rng[0])

    def word(self) -> int:
        self.state = (self.state + 0x9E3779B97F4A7C15) & WORD
        z = self.state
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & WORD
        z = (z ^ z >> 27) * 0x94D049BB133111EB & WORD
        return z ^ z >> 31

    def uniform(self) -> float:
        return (self.word() >> 11) / 2**53

    def normal(self) -> float:
        w = self.word()
        return float(QUANTILES[w & 2047] + QUANTILES[w >> 32 & 2047])

    def round(self, value: float) -> int:
        return int(value) + (self.uniform() < value - int(value))

    def bits(self, p: float, n: int) -> int:
        found, word = 0, 0
        for i in range(n):
            word = word >> 32 if i % 2 else self.word()
            found |= (word & 0xFFFFFFFF < int(min(p, 1.0) * 2**32)) << i
        return found


class Twin:
    """An array that computes as the kernels do; changes its own copy of ``state``."""

    def __init__(self, state: State):
        self.s = State(*(a.copy() for a in state))
        self.p = {name: self.s.settings[name][0].item() for name in self.s.settings.dtype.names}
        self.words = Words(self.s.rng)

    @property
    def sign(self) -> int:
        return int(self.s.control["sign"][0])

    def weights(self) -> np.ndarray:
        """W = (rest + gamma sign g) / unit."""
        return (self.s.rest.astype(float) + self.p["gamma"] * self.sign * self.s.g) / self.p["unit"]

    # ------------------------------------------------------------------------------------------------------- reading
    def _drive(self, io, v, scale):
        out = []
        for x in np.asarray(v, float) / scale:
            if x and (io["input_step"] or io["manage_noise"]):
                x = min(max(x, -1.0), 1.0)
            if x and io["input_step"]:
                x = round(x / io["input_step"]) * io["input_step"]
            out.append(x + io["input_noise"] * self.words.normal() if x and io["input_noise"] else x)
        return np.array(out)

    def _convert(self, io, current, variance):
        deviation = math.sqrt(io["output_noise"] ** 2 + variance)
        v = current + deviation * self.words.normal() if deviation else current
        met = bool(io["output_bound"]) and abs(v) > io["output_bound"]
        v = math.copysign(io["output_bound"], v) if met else v
        return (round(v / io["output_step"]) * io["output_step"] if io["output_step"] else v), met

    def _read(self, io, v, matrix, noise, block):
        """``v @ matrix`` in blocks of ``block`` rows, each converted and summed; noise is the readings' variance."""
        io = {name: io[name][0].item() for name in io.dtype.names}
        scale = float(np.abs(v).max()) if io["manage_noise"] else 1.0
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
            if not (met and io["manage_bound"]) or attempt == 10:
                break
            scale *= 2
        return result

    def _variance(self):
        return self.s.noise.astype(float) / self.p["unit"] ** 2 if len(self.s.noise) else np.zeros(self.s.rest.shape)

    def forward(self, x) -> np.ndarray:
        return self._read(self.s.ahead, x, self.weights(), self._variance(), self.p["block_rows"])

    def backward(self, d) -> np.ndarray:
        return self._read(self.s.back, d, self.weights().T, self._variance().T, self.p["block_columns"])

    # ------------------------------------------------------------------------------------------------------- devices
    def _step(self, g, device, direction, count, kind):
        """Pulses on a bidirectional device: ``g += step (1 - slope g / bound) (1 + noise N)``, cut at its bounds."""
        step, bound = (device[UP], device[HIGH]) if direction > 0 else (device[DOWN], device[LOW])
        slope, noise = self.p[f"{kind}_slope_{'up' if direction > 0 else 'down'}"], self.p[f"{kind}_noise"]
        for _ in range(count):
            change = float(step) * (1 - slope * g / float(bound))
            change *= 1 + noise * self.words.normal() if noise else 1
            g = min(max(g + change, float(device[LOW])), float(device[HIGH]))
        return g

    def _mean_set(self, g, device):
        p = self.p
        return float(device[SET_STEP]) * p["pcm_step"] * (1 + p["pcm_shape"] * math.exp(-p["pcm_decay"] * g / p["pcm_top"]))

    def _set(self, g, device, share):
        p, mean = self.p, self._mean_set(g, device)
        change = share * mean
        if p["pcm_noise"]:
            change += math.sqrt(share) * p["pcm_noise"] * (p["pcm_add"] + mean + p["pcm_slope"] * g) * self.words.normal()
        return min(max(g + change, 0.0), float(device[TOP]))

    def _reset(self):
        p = self.p
        return abs(p["pcm_reset"] + p["pcm_reset_noise"] * self.words.normal()) if p["pcm_reset_noise"] else p["pcm_reset"]

    def _pcm_variance(self, g):
        g = float(g)
        return (self.p["pcm_read"] * min(0.0088 / (g / self.p["pcm_top"]) ** 0.65, 0.2) * g) ** 2 if self.p["pcm_read"] and g else 0.0

    def _noisy(self, value, variance):
        return value + math.sqrt(variance) * self.words.normal() if variance else value

    def _pair_changed(self, i, j):
        plus, minus = self.s.stored[i, j]
        self.s.rest[i, j] = self.p["factor"] * (plus - minus)
        if len(self.s.noise):
            self.s.noise[i, j] = self.p["factor"] ** 2 * (self._pcm_variance(plus) + self._pcm_variance(minus))

    def pulse(self, i, j, direction, count):
        """Update pulses that raise or lower a weight."""
        s = self.s
        if self.p["kind"] == PAIR:
            side = 0 if direction > 0 else 1
            device = s.slow[i, j, 4 * side : 4 * side + 4]
            for _ in range(count):
                s.stored[i, j, side] = self._set(float(s.stored[i, j, side]), device, 1.0)
            device[AGE] = 0
            self._pair_changed(i, j)
        else:
            s.g[i, j] = self._step(float(s.g[i, j]), s.fast[i, j], direction * self.sign, count, "fast")

    # -------------------------------------------------------------------------------------------------------- update
    def update(self, x, d, lr: float) -> None:
        x, d, p = np.asarray(x, float), np.asarray(d, float), self.p
        if p["kind"] == MIXED:
            self._mixed(x, d, lr)
        elif p["rule"] == EXACT:
            g = self.s.g - self.sign * lr * p["unit"] * np.outer(x, d)
            self.s.g[:] = np.clip(g, self.s.fast[..., LOW], self.s.fast[..., HIGH])
        else:
            self._pulsed(x, d, lr)
        self._clock()

    def _pulsed(self, x, d, lr):
        p, xmax, dmax = self.p, np.abs(x).max(), np.abs(d).max()
        if not (xmax and dmax and lr):
            return
        step = p["step"] / p["unit"]
        slots = min(math.ceil(lr * xmax * dmax / step), p["longest"]) if p["manage_length"] else p["longest"]
        slots = 1 if p["rule"] == COUNTS else slots
        gain, balance = math.sqrt(lr / (step * slots)), math.sqrt(dmax / xmax) if p["manage_scale"] else 1.0
        columns = [self._train(v, gain / balance, slots) if v else 0 for v in d]
        if not any(columns):
            return
        for i, v in enumerate(x):
            row = self._train(v, gain * balance, slots) if v else 0
            for j, column in enumerate(columns) if row else ():
                count = (row & column).bit_count() if p["rule"] == STOCHASTIC else row * column
                if count:
                    self.pulse(i, j, -1 if v * d[j] > 0 else 1, count)

    def _train(self, value, gain, slots):
        if self.p["rule"] == STOCHASTIC:
            return self.words.bits(abs(value) * gain, slots)
        wanted = min(abs(value) * gain, 255.0)
        return int(wanted + 0.5) if self.p["nearest"] else self.words.round(wanted)

    def _mixed(self, x, d, lr):
        step, chi = self.p["step"] / self.p["unit"], self.s.digital
        for i, j in zip(*np.nonzero(np.outer(x != 0, np.ones(len(d))))):
            chi[i, j] -= lr * x[i] * d[j]
            count, direction = int(abs(float(chi[i, j])) / step), 1 if chi[i, j] > 0 else -1
            if count:
                chi[i, j] -= direction * count * step
                self.pulse(i, j, direction, count)

    # --------------------------------------------------------------------------------------------------------- clock
    def _clock(self):
        control, p = self.s.control, self.p
        control["examples"] += 1
        n = int(control["examples"][0])
        if len(self.s.leaks) and n % p["leak_every"] == 0:
            self.leak(p["leak_every"])
        if p["kind"] in (HYBRID, PAIR) and n % p["transfer_every"] == 0:
            if p["pcm_drift"]:
                self.wait(p["transfer_every"] * p["example_time"])
            (self.transfer if p["kind"] == HYBRID else self.refresh)()
        if p["kind"] == TIKI and n % p["transfer_every"] == 0:
            self._tiki()

    def leak(self, examples):
        to = self.s.leaks[..., LEAK_TO].astype(float)
        self.s.g[:] = to + (self.s.g - to) * np.exp(-examples * self.s.leaks[..., LEAK_RATE].astype(float))

    def wait(self, seconds):
        for i, j, side in np.ndindex(*self.s.stored.shape):
            device, g = self.s.slow[i, j, 4 * side : 4 * side + 4], float(self.s.stored[i, j, side])
            if g > 0:
                level = math.log(g / self.p["pcm_top"])
                mean, spread = np.clip(0.0244 - 0.0155 * level, 0.049, 0.1), np.clip(-0.0059 - 0.0125 * level, 0.008, 0.045)
                nu = self.p["pcm_drift"] * max(mean + spread * float(device[DRIFT]), 0)
                age = self.p["pcm_t0"] + float(device[AGE])
                self.s.stored[i, j, side] = g * ((age + seconds) / age) ** -nu
            device[AGE] += seconds
        for i, j in np.ndindex(*self.s.rest.shape):
            self._pair_changed(i, j)

    def _close_loop(self, i, j, target):
        """Program ``factor (G+ - G-)`` to ``target``; what is left over."""
        p, pair, fresh = self.p, self.s.stored[i, j], False
        for attempt in range(p["most_pulses"] + 1):
            variance = p["factor"] ** 2 * (self._pcm_variance(pair[0]) + self._pcm_variance(pair[1])) / p["readings"]
            error = target - self._noisy(p["factor"] * float(pair[0] - pair[1]), variance)
            if abs(error) <= p["tolerance"] or attempt == p["most_pulses"]:
                break
            side = 0 if error > 0 else 1
            device, g = self.s.slow[i, j, 4 * side : 4 * side + 4], float(pair[side])
            if not fresh and g >= p["refresh_level"] * p["pcm_top"]:
                pair[0], pair[1], fresh = self._reset(), self._reset(), True
                continue
            share = min(max(abs(error) / (p["factor"] * self._mean_set(g, device)), p["least_share"]), 1.0)
            pair[side] = self._set(g, device, share)
            device[AGE] = 0
        self._pair_changed(i, j)
        return target - float(self.s.rest[i, j])

    def transfer(self):
        s, p, sign = self.s, self.p, self.sign
        turned = -sign if p["inversion"] else sign
        for i, j in np.ndindex(*s.g.shape):
            variance = float(s.noise[i, j]) / p["readings"] if len(s.noise) else 0.0
            target = self._noisy(float(s.rest[i, j]) + sign * float(s.g[i, j]), variance)
            s.g[i, j] = 0
            wanted = turned * self._close_loop(i, j, target)
            if p["rule"] == EXACT:
                s.g[i, j] = min(max(wanted, s.fast[i, j, LOW]), s.fast[i, j, HIGH])
            else:
                s.g[i, j] = self._step(0.0, s.fast[i, j], 1 if wanted > 0 else -1, round(abs(wanted) / p["step"]), "fast")
        s.control["sign"] = turned

    def refresh(self):
        for i, j in np.ndindex(*self.s.g.shape):
            pair = self.s.stored[i, j]
            if max(pair) >= self.p["refresh_level"] * self.p["pcm_top"]:
                target = self.p["factor"] * float(pair[0] - pair[1])
                pair[0], pair[1] = self._reset(), self._reset()
                self._close_loop(i, j, target)

    def _tiki(self):
        """One row of A into C: at once, or through the accumulator H."""
        s, p, i = self.s, self.p, int(self.s.control["row"][0])
        step, noise = p["slow_step"] / p["unit"], float(s.ahead["output_noise"][0])
        for j in range(s.g.shape[1]):
            v = float(s.g[i, j]) / p["unit"] + (noise * self.words.normal() if noise else 0)
            if p["version"] == 1:
                count, direction = self.words.round(p["slow_rate"] * abs(v) / step), 1 if v > 0 else -1
            else:
                s.digital[i, j] += p["slow_rate"] * v / step
                count, direction = int(abs(s.digital[i, j])), 1 if s.digital[i, j] > 0 else -1
                s.digital[i, j] -= direction * count * (1 - p["momentum"])
            if count:
                s.stored[i, j, 0] = self._step(float(s.stored[i, j, 0]), s.slow[i, j], direction, count, "slow")
                s.rest[i, j] = s.stored[i, j, 0]
        s.control["row"] = (i + 1) % s.g.shape[0]
