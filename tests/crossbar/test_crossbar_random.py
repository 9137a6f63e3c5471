"""Random numbers of the kernels: distributions, and the stream's reference in Python's whole numbers."""

import numpy as np
import pytest
from numba import njit
from scipy import stats

from hardwire.crossbar.kernels import noise as random
from hardwire.crossbar.kernels.reference import Words


@njit
def draw(n, rng):
    out = np.empty(n)
    for i in range(n):
        out[i] = random.normal(rng)
    return out


@njit
def draw_uniform(n, rng):
    out = np.empty(n)
    for i in range(n):
        out[i] = random.uniform(rng)
    return out


@njit
def draw_bits(p, slots, n, rng):
    out = np.empty(n, np.uint64)
    for i in range(n):
        out[i] = random.bernoulli_bits(p, slots, rng)
    return out


@njit
def draw_rounded(value, n, rng):
    total = 0
    for _ in range(n):
        total += random.round_randomly(value, rng)
    return total


def test_normal_numbers_are_normal():
    z = draw(1_000_000, random.stream(1))
    assert stats.kstest(z, "norm").statistic < 1.63 / 1000  # 1 % of true normal samples lie above
    assert abs(z.mean()) < 4e-3 and abs(z.std() - 1) < 3e-3
    assert abs(stats.skew(z)) < 0.01 and abs(stats.kurtosis(z)) < 0.05
    assert np.mean(np.abs(z) > 3) == pytest.approx(2 * stats.norm.sf(3), rel=0.1)


def test_uniform_numbers_are_uniform():
    u = draw_uniform(200_000, random.stream(2))
    assert stats.kstest(u, "uniform").pvalue > 0.01 and u.min() >= 0 and u.max() < 1


@pytest.mark.parametrize("p", [0.0, 0.001, 0.3, 1.0])
def test_bits_have_their_probability(p):
    bits = draw_bits(p, 31, 20_000, random.stream(3))
    ones = np.array([[b >> i & 1 for i in range(32)] for b in bits.tolist()])
    assert not ones[:, 31].any()
    expected = stats.binom(20_000 * 31, p)
    assert abs(ones.sum() - expected.mean()) <= 4 * expected.std()
    if 0.1 < p < 1:  # slots are independent of each other
        assert np.abs(np.corrcoef(ones[:, :31].T) - np.eye(31)).max() < 0.04


@pytest.mark.parametrize("value", [0.0, 0.25, 3.0, 7.9])
def test_rounding_at_random_keeps_the_mean(value):
    assert draw_rounded(value, 100_000, random.stream(4)) / 100_000 == pytest.approx(value, abs=0.008)


def test_the_reference_draws_the_same():
    fast, slow = random.stream(5, 6), Words(random.stream(5, 6))
    assert [slow.normal() for _ in range(50)] == draw(50, fast).tolist()
    assert [slow.uniform() for _ in range(50)] == draw_uniform(50, fast).tolist()
    assert [slow.bits(0.4, 31) for _ in range(20)] == draw_bits(0.4, 31, 20, fast).tolist()
    assert slow.state == int(fast[0])


def test_streams_differ_by_every_seed():
    words = {int(random.stream(*s)[0]) for s in [(0,), (1,), (0, 0), (0, 1), (1, 0)]}
    assert len(words) == 5
