"""Adders in a circuit's gates, and counters as columns of them."""

import numpy as np
import pytest
from helpers import check_same, random_circuit, sample_bits, trained_like

from hardwire.circuit import CircuitBuilder
from hardwire.circuit.arithmetic import add, full_adder, popcount
from hardwire.circuit.circuit import FALSE, TRUE
from hardwire.circuit.simulate import simulate_bits
from hardwire.core.gates import TABLE
from hardwire.flows.adders import AdderNets, adder_verilog, find_adders, net_cuts, preserves_sum, with_columns
from hardwire.flows.netlist import Ports
from hardwire.passes import optimize


def check_adders(circuit, adders, bits):
    """Every adder's sum and carry are those of its operands, on ``bits``."""
    value = simulate_bits(circuit, bits, np.arange(circuit.n_nets)).astype(np.int64)
    for a in adders:
        total = (value[:, a.sum] ^ a.sum_inverted) + 2 * (value[:, a.carry] ^ a.carry_inverted)
        assert np.array_equal(total, value[:, list(a.operands)].sum(axis=1))


def ripple(n=5):
    b = CircuitBuilder("ripple")
    x, y, (carry,) = b.input("x", n), b.input("y", n), b.input("c")
    b.output("sum", add(b, x, y, carry))
    return b.build()


def test_the_adders_of_a_sum(rng):
    circuit = ripple()
    adders = find_adders(circuit)
    assert len(adders) == 5 and not any(a.sum_inverted or a.carry_inverted for a in adders)
    check_adders(circuit, adders, sample_bits(rng, circuit))


def test_adders_are_met_by_function(rng):
    """A table of three operands, a multiplexer for a carry, inverted outputs."""
    b = CircuitBuilder("kinds")
    (x,), (y,), (z,), (w,) = (b.input(n) for n in "xyzw")
    half = b.xor(x, y)
    one = b.node(TABLE["XNOR"], half, z), b.mux(half, x, z)
    two = b.node(0x96, x, y, w), b.node(0x17, x, y, w)
    b.output("o", [*one, *two])
    circuit = b.build()
    adders = find_adders(circuit)
    assert {(a.sum, a.sum_inverted, a.carry, a.carry_inverted) for a in adders} == {
        (one[0], True, one[1], False), (two[0], False, two[1], True)}
    check_adders(circuit, adders, sample_bits(rng, circuit))


@pytest.mark.parametrize("seed", range(3))
def test_cuts_are_what_the_nets_are(seed):
    circuit = random_circuit(np.random.default_rng(seed), max_arity=4)
    bits = sample_bits(np.random.default_rng(seed), circuit)
    value = simulate_bits(circuit, bits, np.arange(circuit.n_nets)).astype(np.int64)
    for net, cuts in enumerate(net_cuts(circuit)):
        for leaves, table in cuts:
            assert len(leaves) <= 3
            address = sum((value[:, leaf] << i for i, leaf in enumerate(leaves)), np.zeros(len(bits), np.int64))
            assert np.array_equal(table >> address & 1, value[:, net])


@pytest.mark.parametrize("level", [None, "O2"])
def test_columns_are_the_circuit(rng, level):
    circuit = trained_like(rng, width=60, classes=4)
    if level:
        circuit, _ = optimize(circuit, level=level)
    columns, adders = with_columns(circuit)
    bits = sample_bits(rng, circuit)
    check_same(circuit, columns, bits)
    check_adders(columns, adders, bits)
    assert len(adders) >= 20 and not columns.macros


def count_of(nets, inputs=4):
    b = CircuitBuilder("count")
    x = [net for j in range(inputs) for net in b.input(f"x{j}")]
    b.output("count", popcount(b, [net if net <= TRUE else x[net - 2] for net in nets]))
    return b.build()


@pytest.mark.parametrize("nets", [[2], [2, 3], [2, 2], [2, 2, 2, 3], [2, 3, 4, 5], [2, FALSE, 3], [FALSE, FALSE], [3, 3, 3, 3, 3]])
def test_counts_with_repeats_and_constants(nets, rng):
    circuit = count_of(nets)
    columns, _ = with_columns(circuit)
    check_same(circuit, columns, sample_bits(rng, circuit))


@pytest.mark.parametrize("nets", [[TRUE], [TRUE, 2], [2, TRUE, 3], [TRUE, TRUE, 2, 3, 4], [TRUE, 2, 2, 3], [TRUE] * 5, [TRUE, TRUE, TRUE, 2, 3, 4, 5]])
def test_counts_with_constants_that_are_true(nets, rng):
    """An adder of a constant is no cell, and the sum is exact all the same."""
    circuit = count_of(nets)
    columns, adders = with_columns(circuit)
    assert all(min(a.operands) > TRUE for a in adders)
    check_same(circuit, columns, sample_bits(rng, circuit))


def test_the_weighted_sum_is_checked():
    adders = [AdderNets((2, 3, 4), 10, 11), AdderNets((10, 5), 12, 13), AdderNets((11, 13), 14, 15)]
    assert preserves_sum([2, 3, 4, 5], adders, [12, 14, 15])
    assert not preserves_sum([2, 3, 4, 5], adders, [12, 15, 14])
    assert not preserves_sum([2, 3, 4, 5], adders[:2], [12, 14, 15])
    assert not preserves_sum([2, 3, 4], adders, [12, 14, 15])
    assert not preserves_sum([2, 3, 4, 5], [adders[1], adders[0], adders[2]], [12, 14, 15])
    assert not preserves_sum([2, 3, 4, 5, 5], adders, [12, 14, 15])
    assert preserves_sum([], [], [FALSE])


def test_the_text_has_each_adder_once(library):
    b = CircuitBuilder("one")
    (x,), (y,), (z,), (w,) = (b.input(n) for n in "xyzw")
    total, _ = full_adder(b, x, y, z)
    b.output("o", [b.and_(total, w)])
    circuit = b.build()
    text = adder_verilog(circuit, Ports(circuit), library, find_adders(circuit))
    assert text.count("\\FA a") == 1 and text.count("assign n") == 1
    assert "(* blackbox *) module \\FA (input A, input B, input CI, output CO, output S); endmodule" in text
