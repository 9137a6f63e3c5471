"""What is to be covered is covered, compared with brute force where every input can be tried."""

from itertools import combinations

import numpy as np
import pytest

from hardwire.circuit import CircuitBuilder
from hardwire.circuit.arithmetic import argmax, at_least, popcount
from hardwire.circuit.engine.packed import PackedEngine
from hardwire.circuit.simulate import simulate_bits
from hardwire.core.bits import bits_to_codes, codes_to_bits
from hardwire.verify import check_backend
from hardwire.verify.coverage import coverage_vectors, odd_tail
from tests.helpers import random_circuit, trained_like


def entries(circuit, bits):
    """The set of ``(node, entry)`` that ``bits`` reach in the cone of the outputs."""
    values, found = simulate_bits(circuit, bits, np.arange(circuit.n_nets)).astype(int), set()
    needed = set(circuit.output_nets.tolist())
    for node in range(circuit.n_nodes - 1, -1, -1):
        if circuit.first_node + node in needed:
            operands = circuit.fanin[node, : circuit.arity[node]]
            needed.update(operands.tolist())
            address = (values[:, operands] << np.arange(len(operands))).sum(axis=1)
            found |= {(node, int(m)) for m in np.unique(address)}
    return found


def covered(circuit, **options):
    codes = coverage_vectors(circuit, **options)
    assert codes.dtype == circuit.input_dtype and len(codes) % 64 and len(codes) % 512
    return codes, codes_to_bits(codes, circuit.input_widths)


@pytest.mark.parametrize("seed", range(4))
def test_every_entry_that_an_input_reaches(seed):
    """Conjunctions of twelve inputs: random vectors miss many of the entries."""
    rng = np.random.default_rng(seed)
    b = CircuitBuilder()
    x = b.input("x", 12)
    deep = x[0]
    for net in x[1:]:
        deep = b.node(0b1000 if rng.random() < 0.8 else 0b0110, deep, net)
    nets = [*x, deep]
    for _ in range(20):
        k = int(rng.integers(1, 7))
        nets.append(b.node(int(rng.integers(1 << (1 << k) - 1, dtype=np.uint64)), *rng.choice(nets, k).tolist()))
    b.output("y", [deep, *nets[-6:]])
    circuit = b.build()
    every = (np.arange(4096)[:, None] >> np.arange(12) & 1).astype(bool)
    assert entries(circuit, covered(circuit)[1]) == entries(circuit, every)


def test_an_entry_behind_a_wide_conjunction_is_found_by_sat():
    b = CircuitBuilder()
    x, y = b.input("x", 40), b.input("y", 2)
    deep = x[0]
    for j, net in enumerate(x[1:]):
        deep = b.node(0b1000 if j % 2 else 0b0010, deep, net)
    b.output("z", b.node(0b0110, deep, b.node(0b0001, *y)))
    circuit = b.build()
    last = circuit.n_nodes - 1
    assert {(last, 1), (last, 3)} <= entries(circuit, covered(circuit)[1])


@pytest.mark.parametrize("width", [1, 3, 8, 17, 64])
def test_thresholds_and_single_bits(width):
    b = CircuitBuilder()
    words = [b.input("a", width), b.input("b", width)]
    value = max(1, (1 << width) * 2 // 3)
    b.output("y", [at_least(b, words[1], value)])
    codes, _ = covered(b.build())
    pairs = {tuple(row) for row in codes.tolist()}
    top = (1 << width) - 1
    for other in (0, top):
        assert {(other, v) for v in (value - 1, value, min(value + 1, top))} <= pairs
        assert {(other ^ 1 << j, other) for j in range(width)} | {(other, other ^ 1 << j) for j in range(width)} <= pairs


def test_counts_and_ties():
    b = CircuitBuilder()
    words = [b.input(f"w{i}", 9) for i in range(4)]
    counts = [popcount(b, [b.node(0b1000, word[j], word[j - 1]) for j in range(9)]) for word in words]
    b.output("y", argmax(b, counts))
    circuit = b.build()
    _, bits = covered(circuit)
    values = simulate_bits(circuit, bits, np.arange(circuit.n_nets)).astype(int)
    numbers = np.stack([(values[:, nets] << np.arange(4)).sum(axis=1) for nets in counts], axis=1)
    assert all({0, 1, 2, 3, 4, 7, 9} <= set(column) for column in numbers.T.tolist())  # 8 is out of reach
    tops = numbers.max(axis=1)
    assert (numbers == tops[:, None]).all(axis=1).any()
    for i, j in combinations(range(4), 2):
        near = np.maximum(numbers[:, i], numbers[:, j]) == tops
        assert {-1, 0, 1} <= set((numbers[near, i] - numbers[near, j]).tolist())


def test_a_comparator_is_seen_at_an_output():
    """The comparator matters where 24 other bits are ones."""
    b = CircuitBuilder()
    x, mask = b.input("x", 6), b.input("mask", 24)
    result = at_least(b, x, 37)
    for net in mask:
        result = b.and_(result, net)
    b.output("y", result)
    circuit = b.build()
    samples = np.array([[0, (1 << 24) - 1]], dtype=circuit.input_dtype)
    codes, _ = covered(circuit, samples=samples)
    assert {36, 37} <= set(codes[codes[:, 1] == (1 << 24) - 1, 0].tolist())


def test_reproducible_and_bounded(rng):
    circuit = trained_like(rng, words=40, bits=8, thresholds=1, layers=1, width=40, classes=4)
    codes = coverage_vectors(circuit, seed=3)
    assert np.array_equal(codes, coverage_vectors(circuit, seed=3))
    assert not np.array_equal(codes[:512], coverage_vectors(circuit, seed=4)[:512])
    assert len(coverage_vectors(circuit, limit=0)) < len(codes)


def test_without_inputs_outputs_or_nodes(rng):
    b = CircuitBuilder()
    b.output("y", [1, b.node(0b01, 0), 0])
    assert coverage_vectors(b.build()).shape[1] == 0
    b = CircuitBuilder()
    x = b.input("x", 3)
    at_least(b, x, 3)
    assert coverage_vectors(b.build()).shape[1] == 1
    b.output("y", x)
    assert coverage_vectors(b.build()).shape[1] == 1


@pytest.mark.parametrize("n", [0, 1, 63, 64, 357, 512, 513])
def test_the_tail_is_odd(rng, n):
    circuit = random_circuit(rng)
    codes = bits_to_codes(rng.random((n, 8)) < 0.5, circuit.input_widths)
    padded = odd_tail(circuit, codes)
    assert len(padded) % 512 == 357 and np.array_equal(padded[len(padded) - n :], codes)


def test_the_engine_agrees(rng):
    circuit = random_circuit(rng, n_inputs=20, layers=5, width=30, max_arity=6)
    assert check_backend(circuit, PackedEngine(circuit), coverage_vectors(circuit)).passed
