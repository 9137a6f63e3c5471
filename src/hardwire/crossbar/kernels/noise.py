"""Random numbers inside kernels from ``splitmix``'s words: uniforms, and normals from a table of quantiles.

A normal number is ``(Q_a + Q_b) / sqrt(2)``, Q the conditional means of 2,048 equally probable parts of the normal
distribution, a and b random: four million values, no branch, symmetric, variance 1, largest 5.1.
"""

import math
from statistics import NormalDist

import numpy as np

from ...core.rng import jit, word

S11, S32 = np.uint64(11), np.uint64(32)
ONE, LOW32 = np.uint64(1), np.uint64(0xFFFFFFFF)
UNIT = 2.0**-53
PARTS = 2048
LAST_PART = np.uint64(PARTS - 1)


def _quantiles() -> np.ndarray:
    """Mean of each part, scaled so that the sum of two has variance 1, float32."""
    edges = [NormalDist().inv_cdf(i / PARTS) for i in range(1, PARTS)]
    heights = np.array([0.0, *(math.exp(-0.5 * e * e) for e in edges), 0.0])
    means = heights[:-1] - heights[1:]
    return (means / np.sqrt(2 * np.mean(means**2))).astype(np.float32)


QUANTILES = _quantiles()


def stream(*seeds: int) -> np.ndarray:
    """A stream for a seed and whatever tells it from others, (1,) uint64."""
    first, *rest = (int(s) for s in seeds)
    return np.random.SeedSequence(first, spawn_key=rest).generate_state(1, np.uint64)


@jit
def uniform(rng):
    """A number in [0, 1)."""
    return (word(rng) >> S11) * UNIT


@jit
def normal(rng):
    """A standard normal number, float32."""
    w = word(rng)
    return QUANTILES[w & LAST_PART] + QUANTILES[(w >> S32) & LAST_PART]


@jit
def round_randomly(value, rng):
    """``value >= 0`` as a whole number: rounded up with the probability of its fraction."""
    whole = int(value)
    return whole + (1 if uniform(rng) < value - whole else 0)


@jit
def bernoulli_bits(p, n, rng):
    """``n`` <= 32 bits, each 1 with probability ``p`` to 2^-32."""
    limit = np.uint64(min(max(p, 0.0), 1.0) * 4294967296.0)
    bits, left = np.uint64(0), np.uint64(0)
    for i in range(n):
        left = word(rng) if i % 2 == 0 else left >> S32
        if left & LOW32 < limit:
            bits |= ONE << np.uint64(i)
    return bits
