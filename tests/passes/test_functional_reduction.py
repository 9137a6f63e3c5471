import numpy as np
from helpers import trained_like

from hardwire.circuit import CircuitBuilder
from hardwire.circuit.arithmetic import at_least
from hardwire.core.gates import TABLE
from hardwire.cost import stage_costs
from hardwire.passes.dead_nodes import remove_dead_nodes
from hardwire.passes.functional_reduction import equal, reduce_functionally
from hardwire.passes.netlist import Netlist


def test_keeps_the_function(circuit, keeps):
    assert keeps(lambda c: remove_dead_nodes(reduce_functionally(c)), circuit).n_nodes <= circuit.n_nodes


def test_equal_functions_of_different_structure_are_one(keeps):
    b = CircuitBuilder()
    (x,), (y,), (z,) = b.input("x"), b.input("y"), b.input("z")
    left = b.and_(x, b.or_(y, z))
    right = b.or_(b.and_(x, y), b.and_(x, z))
    b.output("o", b.xor(b.and_(left, z), b.gate(TABLE["NAND"], right, z)))
    assert keeps(lambda c: remove_dead_nodes(reduce_functionally(c)), b.build()).n_nodes == 0


def test_encoder_bits_that_imply_each_other_are_seen_through(keeps):
    b = CircuitBuilder()
    word = b.input("x", 8)
    with b.stage("encoder"):
        low, high = at_least(b, word, 77), at_least(b, word, 201)
    both, odd = b.and_(low, high), b.gate(TABLE["A_AND_NOT_B"], high, low)
    b.output("z", [both, odd, low])
    merged = keeps(lambda c: remove_dead_nodes(reduce_functionally(c)), b.build())
    assert stage_costs(merged)["network"]["gates"] == 0
    assert merged.output_nets[1] == 0


def test_a_rare_event_is_not_taken_for_a_constant(keeps):
    """Twenty inputs all true: no random sample shows it, and no cut of the whole is small enough to prove it."""
    b = CircuitBuilder()
    x = b.input("x", 40)
    net = x[0]
    for y in x[1:]:
        net = b.and_(net, y)
    b.output("z", net)
    assert keeps(reduce_functionally, b.build()).n_nodes == 39


def test_equal_decides_over_cuts_of_every_size():
    for n in (2, 5, 6, 7, 11):
        netlist = Netlist(2 + n)
        left = right = 4
        for i in range(1, n):
            left = netlist.add(TABLE["XOR"], (left, 4 + 2 * i))
        right = 2 * (1 + n)
        for i in reversed(range(n - 1)):
            right = netlist.add(TABLE["XOR"], (right, 4 + 2 * i))
        other = netlist.add(TABLE["AND"], (left, 4))
        assert equal(netlist, left >> 1, right >> 1)
        assert not equal(netlist, left >> 1, other >> 1)


def test_finds_what_hashing_does_not():
    from hardwire.passes import optimize

    circuit, _ = optimize(trained_like(np.random.default_rng(3), words=10, bits=6, thresholds=5, width=200), level="O1")
    assert remove_dead_nodes(reduce_functionally(circuit)).n_nodes < 0.99 * circuit.n_nodes
