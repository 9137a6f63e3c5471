"""Every comparison, sum, count and arg-max of small width, for all inputs; larger ones at random."""

import numpy as np
import pytest
from helpers import check_macros

from hardwire.circuit import CircuitBuilder
from hardwire.circuit.arithmetic import (
    ARGMAXES,
    COUNTS,
    add,
    argmax,
    at_least,
    at_least_more,
    difference,
    exceeds,
    full_adder,
    greater,
    popcount,
)
from hardwire.circuit.circuit import FALSE, TRUE
from hardwire.circuit.simulate import simulate_bits
from hardwire.core.errors import InputError


def all_bits(n):
    return (np.arange(1 << n)[:, None] >> np.arange(n) & 1).astype(bool)


def number(bits):
    return (bits.astype(np.int64) << np.arange(bits.shape[1])).sum(axis=1)


def run(b, nets, bits):
    """The nets as a number, for each row of bits; the macros hold."""
    b.output("y", nets)
    circuit = b.build()
    check_macros(circuit, bits)
    return number(simulate_bits(circuit, bits)), circuit


@pytest.mark.parametrize("width", range(1, 7))
def test_at_least(width):
    for value in range(-1, (1 << width) + 2):
        b = CircuitBuilder()
        got, circuit = run(b, at_least(b, b.input("x", width), value), all_bits(width))
        assert np.array_equal(got, np.arange(1 << width) >= value)
        trivial = value <= 0 or value >= 1 << width
        low = (value & -value).bit_length() - 1
        assert circuit.n_nodes == (0 if trivial else width - 1 - low) and len(circuit.macros) == (not trivial)


def test_full_adder():
    b = CircuitBuilder()
    x, y, z = b.input("x", 3)
    s, c = full_adder(b, x, y, z)
    got, circuit = run(b, [s, c], all_bits(3))
    assert np.array_equal(got, all_bits(3).sum(1)) and circuit.n_nodes == 5


@pytest.mark.parametrize("n, m", [(n, m) for n in range(5) for m in range(5) if n + m])
def test_add(n, m):
    b = CircuitBuilder()
    nets = b.input("x", n + m + 1)
    total = add(b, nets[:n], nets[n:-1], nets[-1])
    bits = all_bits(n + m + 1)
    assert len(total) == max(n, m) + 1
    assert np.array_equal(run(b, total, bits)[0], number(bits[:, :n]) + number(bits[:, n:-1]) + bits[:, -1])


@pytest.mark.parametrize("n, m", [(n, m) for n in range(1, 5) for m in range(1, 5)])
def test_difference_and_what_exceeds(n, m):
    bits, width = all_bits(n + m), max(n, m)
    true = number(bits[:, :n]) - number(bits[:, n:])
    b = CircuitBuilder()
    nets = b.input("x", n + m)
    biased = difference(b, nets[:n], nets[n:])
    got, circuit = run(b, biased, bits)
    assert len(biased) == width + 1 and np.array_equal(got, true + (1 << width)) and circuit.n_nodes <= 5 * width
    for value in range(-(1 << width) - 2, (1 << width) + 3):
        b = CircuitBuilder()
        nets = b.input("x", n + m)
        assert np.array_equal(run(b, exceeds(b, difference(b, nets[:n], nets[n:]), value), bits)[0], true >= value)


@pytest.mark.parametrize("width", range(1, 5))
def test_at_least_more_shares_one_difference_both_ways(width):
    bits = all_bits(2 * width)
    x, y = number(bits[:, :width]), number(bits[:, width:])
    values = range(-1, (1 << width) + 2)
    b = CircuitBuilder()
    nets = tuple(b.input("x", 2 * width))
    p, q = nets[:width], nets[width:]
    results = at_least_more(b, [case for v in values for case in ((p, q, v), (q, p, v), (p, p, v))])
    got, circuit = run(b, results, bits)
    want = np.stack([test for v in values for test in (x >= y + v, y >= x + v, x >= x + v)], axis=1)
    assert np.array_equal(got, number(want))
    assert circuit.n_nodes <= 5 * width + len(values) * (2 * width + 1)


@pytest.mark.parametrize("style", COUNTS)
@pytest.mark.parametrize("n", range(1, 18))
def test_popcount(rng, n, style):
    b = CircuitBuilder()
    count = popcount(b, b.input("x", n), style)
    bits = all_bits(n) if n <= 14 else np.concatenate([
        rng.random((4000, n)) < rng.random((4000, 1)),
        np.eye(n, dtype=bool), ~np.eye(n, dtype=bool), np.ones((1, n), dtype=bool)])
    got, circuit = run(b, count, bits)
    assert len(count) == n.bit_length() and np.array_equal(got, bits.sum(1))
    assert circuit.n_nodes <= (6 if style == "fast" else 5) * n and circuit.macros[0].kind == "popcount"


#: Nodes an input and levels a bit of the sum, at most.
LARGE = {"tree": (5.5, 4), "columns": (5, 5), "fast": (6.5, 3.5), "compressors": (1, 2), "early": (1.05, 1)}


@pytest.mark.parametrize("style", COUNTS)
@pytest.mark.parametrize("n", [31, 32, 33, 63, 100, 257])
def test_large_popcount(rng, n, style):
    b = CircuitBuilder()
    nets = [b.input(f"x{i}")[0] for i in range(n)]
    bits = np.concatenate([rng.random((300, n)) < rng.random((300, 1)), [[True] * n, [False] * n]])
    got, circuit = run(b, popcount(b, nets, style), bits)
    assert np.array_equal(got, bits.sum(1)) and circuit.n_nodes <= LARGE[style][0] * n
    assert circuit.depth <= LARGE[style][1] * n.bit_length()


@pytest.mark.parametrize("style", COUNTS)
def test_popcount_with_constants_and_repeats(style):
    b = CircuitBuilder()
    x, y = b.input("x", 2)
    got, _ = run(b, popcount(b, [x, TRUE, x, FALSE, y, x], style), all_bits(2))
    assert got.tolist() == [1, 4, 2, 5]


@pytest.mark.parametrize("width", range(1, 5))
def test_greater(width):
    b = CircuitBuilder()
    nets = b.input("x", 2 * width)
    bits = all_bits(2 * width)
    got, _ = run(b, greater(b, nets[:width], nets[width:]), bits)
    assert np.array_equal(got, number(bits[:, :width]) > number(bits[:, width:]))


@pytest.mark.parametrize("style", ARGMAXES)
@pytest.mark.parametrize("n", range(1, 12))
@pytest.mark.parametrize("width", [1, 2, 4])
def test_argmax_with_ties_to_the_lowest(rng, n, width, style):
    b = CircuitBuilder()
    nets = [b.input(f"x{i}", width) for i in range(n)]
    few = n * width <= 11
    bits = all_bits(n * width) if few else rng.random((3000, n * width)) < rng.choice([0.1, 0.5, 0.9], (3000, 1))
    index = argmax(b, nets, style)
    words = np.stack([number(bits[:, i * width : (i + 1) * width]) for i in range(n)], 1)
    got, circuit = run(b, index, bits)
    assert np.array_equal(got, words.argmax(1))  # numpy's is the lowest too
    assert len(index) == max(1, (n - 1).bit_length()) and circuit.macros[-1].value == n


@pytest.mark.parametrize("style", ARGMAXES)
@pytest.mark.parametrize("widths", [(1, 3), (3, 1), (2, 4, 1), (1, 1, 3, 4), (4, 2, 2, 1, 3)])
def test_argmax_of_words_of_different_widths(widths, style):
    b = CircuitBuilder()
    words = [b.input(f"x{i}", w) for i, w in enumerate(widths)]
    bits = all_bits(sum(widths))
    values = np.stack([number(part) for part in np.split(bits, np.cumsum(widths)[:-1], axis=1)], axis=1)
    assert np.array_equal(run(b, argmax(b, words, style), bits)[0], values.argmax(1))


def test_nothing_to_count_or_compare():
    with pytest.raises(InputError, match="population count of no nets"):
        popcount(CircuitBuilder(), [])
    for words in ([], [[2], []]):
        with pytest.raises(InputError, match="at least one word"):
            argmax(CircuitBuilder(), words)
