"""Kernels: bit planes of rounded loss differences, and their sums by population counts."""

import numpy as np

from ....core.jit import inner, inner_inlined
from ....core.simd import bit_of_lanes, load, ones, rounded_down, splat, total


@inner
def round_differences(job, first, window, dither):
    """Write the planes of the window's loss differences, rounded at random to -8 .. 7; returns the unit."""
    largest = np.float32(0)
    for i in range(first * 64, (first + window) * 64):
        largest = max(largest, abs(job.d[i]))
    if largest == 0:
        return largest
    unit = largest / np.float32(7)
    inverse = splat(np.float32(1) / unit, 16)
    for w in range(window):
        planes0, planes1, planes2, planes3 = np.uint64(0), np.uint64(0), np.uint64(0), np.uint64(0)
        for piece in range(4):
            at = 64 * w + 16 * piece
            q = rounded_down(load(job.d, first * 64 + at, 16) * inverse + load(dither, at, 16), -8, 7)
            shift = np.uint64(16 * piece)
            planes0 |= bit_of_lanes(q, 0) << shift
            planes1 |= bit_of_lanes(q, 1) << shift
            planes2 |= bit_of_lanes(q, 2) << shift
            planes3 |= bit_of_lanes(q, 3) << shift
        job.planes[w], job.planes[window + w] = planes0, planes1
        job.planes[2 * window + w], job.planes[3 * window + w] = planes2, planes3
    return unit


@inner_inlined
def weighted(s0, s1, s2, s3):
    """The sum of numbers of four bits from the population counts of their planes; the last plane is the sign."""
    return np.int64(total(s0 + s1 * np.uint64(2) + s2 * np.uint64(4) - s3 * np.uint64(8)))


@inner
def sum_of_planes(planes, base, window):
    """The sum of the numbers whose four planes, of ``window`` words each, begin at word ``base``."""
    zero = splat(np.uint64(0), 8)
    s0, s1, s2, s3 = zero, zero, zero, zero
    for w in range(base, base + window, 8):
        s0, s1 = s0 + ones(load(planes, w, 8)), s1 + ones(load(planes, window + w, 8))
        s2, s3 = s2 + ones(load(planes, 2 * window + w, 8)), s3 + ones(load(planes, 3 * window + w, 8))
    return weighted(s0, s1, s2, s3)


@inner_inlined
def masked_sum(planes, base, window, flat, row):
    """The same of the numbers whose bit in the words of ``flat`` from ``row`` is true."""
    zero = splat(np.uint64(0), 8)
    s0, s1, s2, s3 = zero, zero, zero, zero
    for w in range(0, window, 8):
        x = load(flat, row + w, 8)
        s0 = s0 + ones(x & load(planes, base + w, 8))
        s1 = s1 + ones(x & load(planes, base + window + w, 8))
        s2 = s2 + ones(x & load(planes, base + 2 * window + w, 8))
        s3 = s3 + ones(x & load(planes, base + 3 * window + w, 8))
    return weighted(s0, s1, s2, s3)
