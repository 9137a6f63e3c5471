"""Every vector operation against numpy, in small kernels of their own."""

import numpy as np
import pytest
from numba import njit
from numba.core.errors import TypingError

from hardwire.core.simd import (
    add_folded,
    filled,
    flat,
    load,
    load_row,
    logic,
    row_type,
    splat,
    store,
    store_row,
    sums,
    total,
    transpose_octets,
    where_at_least,
    where_equal,
    where_greater,
    width,
)

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
@real
def test_arithmetic_with_a_number_of_the_same_type(rng, n, dtype):
    @njit
    def compute(x, c, out):
        a = load(x, 0, n)
        store(c[0] + a, out, 0)
        store(a - c[0], out, n)
        store(c[0] - a, out, 2 * n)
        store(a * c[0], out, 3 * n)

    x, c, out = rng.normal(size=n).astype(dtype), np.array([1.25], dtype), np.zeros(4 * n, dtype)
    compute(x, c, out)
    assert np.array_equal(out, np.concatenate([c + x, x - c, c - x, x * c]))


def test_a_number_of_another_type_is_refused():
    @njit
    def compute(x):
        store(load(x, 0, 4) + 1.0, x, 0)

    with pytest.raises(TypingError):
        compute(np.zeros(4, np.float32))


@lanes
@real
def test_rows_know_their_lanes(rng, n, dtype):
    """One kernel for every width; a row is not aligned beyond its numbers."""

    @njit
    def compute(rows):
        store_row(load_row(rows, 2) + filled(rows, 3), rows, 0)
        store_row(filled(rows, rows.size), rows, 1)
        flat(rows)[2 * width(rows) + 1] = 7
        return width(rows), len(flat(rows))

    x = rng.normal(size=4 * n + 1).astype(dtype)
    expected = np.concatenate([x[2 * n + 1 : 3 * n + 1] + dtype(3), np.full(n, 4, dtype), x[2 * n + 1 :]])
    expected[2 * n + 1] = 7
    assert compute(x[1:].view(row_type(np.dtype(dtype), n))) == (n, 4 * n)
    assert np.array_equal(x[1:], expected)


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


@lanes
@real
def test_total_of_all_lanes(rng, n, dtype):
    @njit
    def add(x):
        return total(load(x, 3, n))

    whole = rng.integers(-50, 50, n + 3).astype(dtype)  # exact in any order
    assert add(whole) == whole[3:].sum()
    x = rng.normal(size=n + 3).astype(dtype)
    assert abs(add(x) - x[3:].sum(dtype=np.float64)) < 100 * np.finfo(dtype).eps


@lanes
@real
def test_selection_by_comparison(rng, n, dtype):
    @njit
    def choose(a, b, x, y, out):
        a, b, x, y = load(a, 0, n), load(b, 0, n), load(x, 0, n), load(y, 0, n)
        store(where_greater(a, b, x, y), out, 0)
        store(where_equal(a, b, x, y), out, n)

    a, b = rng.integers(0, 3, (2, n)).astype(dtype)
    a[0], b[1] = np.nan, np.nan
    x, y, out = *rng.normal(size=(2, n)).astype(dtype), np.zeros(2 * n, dtype)
    choose(a, b, x, y, out)
    assert np.array_equal(out, np.concatenate([np.where(a > b, x, y), np.where(a == b, x, y)]))


@pytest.mark.parametrize("n", [4, 8, 16, 32, 64])
@real
def test_folding_onto_sixteen_lanes(rng, n, dtype):
    @njit
    def fold(x, out):
        add_folded(load(x, 0, n), out, 2, 16)

    x, out = rng.integers(-50, 50, n).astype(dtype), np.arange(20).astype(dtype)
    expected, width = out.copy(), min(n, 16)
    expected[2 : 2 + width] += x.reshape(-1, width).sum(axis=0)
    fold(x, out)
    assert np.array_equal(out, expected)


@lanes
def test_octets_where_a_word_is_at_least_another(rng, n):
    @njit
    def mark(a, b, out):
        store(where_at_least(load(a, 0, n), load(b, 0, n), np.uint8(0b100)), out, 0)

    a, b = rng.integers(0, 256, (2, n), dtype=np.uint8)
    a[:3], b[:3] = [255, 0, 128], [1, 200, 128]  # as unsigned numbers
    out = np.zeros(n, np.uint8)
    mark(a, b, out)
    assert np.array_equal(out, np.where(a >= b, 0b100, 0))


def test_transposing_octets(rng):
    @njit
    def turn(x, out):
        transpose_octets(x, out)

    x, out = rng.integers(0, 256, (8, 64), dtype=np.uint8), np.zeros(512, np.uint8)
    turn(x.ravel(), out)
    assert np.array_equal(out.reshape(64, 8), x.T)


def test_operators_of_other_types_are_left_alone():
    @njit
    def plain(a, b):
        return (a + b) * (a - b), a & 3, ~b

    assert plain(5, 2) == (21, 1, -3)
