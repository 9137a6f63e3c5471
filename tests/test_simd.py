"""Every vector operation against numpy, in small kernels of their own."""

import numpy as np
import pytest
from numba import njit

from hardwire.simd import load, logic, splat, store, sums

REAL, LANES = [np.float32, np.float64], [4, 8, 16, 32]
real = pytest.mark.parametrize("dtype", REAL)
lanes = pytest.mark.parametrize("n", LANES)


@lanes
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint64, np.int32])
def test_load_and_store_at_any_offset(n, dtype):
    @njit
    def copy(x, y, i, j):
        store(load(x, i, n), y, j)

    x, y = np.arange(100).astype(dtype), np.full(100, 77, dtype)
    copy(x, y, 3, 41)
    expected = np.full(100, 77, dtype)
    expected[41 : 41 + n] = x[3 : 3 + n]
    assert np.array_equal(y, expected)


@lanes
@real
def test_splat(n, dtype):
    @njit
    def fill(value, y):
        store(splat(value, n), y, 1)

    y = np.zeros(n + 2, dtype)
    fill(dtype(2.5), y)
    assert y.tolist() == [0, *[2.5] * n, 0]


@lanes
@real
def test_real_arithmetic(rng, n, dtype):
    @njit
    def compute(x, y, out):
        a, b = load(x, 0, n), load(y, 0, n)
        store(a + b, out, 0)
        store(a - b, out, n)
        store(a * b, out, 2 * n)

    x, y = rng.normal(size=(2, n)).astype(dtype)
    out = np.zeros(3 * n, dtype)
    compute(x, y, out)
    assert np.array_equal(out, np.concatenate([x + y, x - y, x * y]))


@lanes
def test_bit_logic_and_whole_arithmetic(rng, n):
    @njit
    def compute(x, y, out):
        a, b = load(x, 0, n), load(y, 0, n)
        store(a & b, out, 0)
        store(a | b, out, n)
        store(a ^ b, out, 2 * n)
        store(~a, out, 3 * n)
        store(a + b, out, 4 * n)
        store(a - b, out, 5 * n)
        store(a * b, out, 6 * n)

    x, y = rng.integers(0, 2**64, (2, n), dtype=np.uint64)
    out = np.zeros(7 * n, np.uint64)
    compute(x, y, out)
    assert np.array_equal(out, np.concatenate([x & y, x | y, x ^ y, ~x, x + y, x - y, x * y]))


@pytest.mark.parametrize("table", range(16))
def test_logic_is_its_table(table):
    @njit
    def gate(x, y, out):
        store(logic(load(x, 0, 4), load(y, 0, 4), table), out, 0)

    out = np.zeros(4, np.uint64)
    gate(np.full(4, 0b1010, np.uint64), np.full(4, 0b1100, np.uint64), out)
    assert (out & np.uint64(0b1111)).tolist() == [table] * 4
    assert (out >> np.uint64(4)).tolist() == [(2**60 - 1) * (table & 1)] * 4  # elsewhere both operands are 0


@lanes
@real
def test_sums_of_four_vectors(rng, n, dtype):
    @njit
    def total(x, out):
        store(sums(load(x, 0, n), load(x, n, n), load(x, 2 * n, n), load(x, 3 * n, n)), out, 0)

    whole = rng.integers(-50, 50, (4, n)).astype(dtype)  # exact in any order
    out = np.zeros(4, dtype)
    total(whole.ravel(), out)
    assert np.array_equal(out, whole.sum(axis=1))
    x = rng.normal(size=(4, n)).astype(dtype)
    total(x.ravel(), out)
    assert np.allclose(out, x.sum(axis=1), rtol=0, atol=100 * np.finfo(dtype).eps)


def test_operators_of_other_types_are_left_alone():
    @njit
    def plain(a, b):
        return (a + b) * (a - b), a & 3, ~b

    assert plain(5, 2) == (21, 1, -3)
