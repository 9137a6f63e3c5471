import time

import numpy as np
import pytest

from hardwire.circuit import Circuit, CircuitBuilder, Macro, Word
from hardwire.circuit.arithmetic import argmax, at_least, popcount
from hardwire.circuit.schedule import Node, fold, schedule


def is_ordered(circuit, items):
    """Every operand is defined before it is read, every net once, every output in the end."""
    known = set(range(circuit.first_node))
    for item in items:
        assert set(item.inputs) <= known
        assert not set(item.outputs) & known
        known |= set(item.outputs)
    return set(circuit.output_nets.tolist()) <= known


def head(n=12, classes=3):
    b = CircuitBuilder()
    bits = b.input("x", n)
    word = b.input("w", 8)
    large = at_least(b, word, 40)
    sums = [popcount(b, [*(b.xor(x, large) for x in bits[i::classes])]) for i in range(classes)]
    b.output("class", argmax(b, sums))
    return b.build()


def test_macros_replace_their_gates():
    circuit = head()
    items = schedule(circuit)
    assert is_ordered(circuit, items)
    assert sum(isinstance(i, Macro) for i in items) == 5
    assert sum(isinstance(i, Node) for i in items) == 12
    assert schedule(circuit) == items


@pytest.mark.parametrize("kinds", [(), ("ge",), ("popcount",), ("argmax",), ("ge", "argmax")])
def test_only_the_kinds_asked_for(kinds):
    circuit = head()
    items = schedule(circuit, macros=kinds)
    assert is_ordered(circuit, items)
    assert {i.kind for i in items if isinstance(i, Macro)} == set(kinds)


def test_nodes_that_feed_nothing_are_left_out():
    b = CircuitBuilder()
    x, y = b.input("x", 2)
    b.xor(x, y)
    b.output("y", b.and_(x, y))
    assert [i.net for i in schedule(b.build())] == [5]


def test_operands_without_influence_are_folded():
    assert fold(0b1010, (7, 8)) == (0b10, (7,))
    assert fold(0b0110, (1, 8)) == (0b01, (8,))
    assert fold(0b1000, (0, 8)) == (0, ())
    assert fold(0xFFFFFFFF00000000, (2, 3, 4, 5, 6, 7)) == (0b10, (7,))


def test_a_comparison_drops_the_bits_below_its_threshold():
    b = CircuitBuilder()
    word = b.input("w", 8)
    b.output("y", at_least(b, word, 40))
    (item,) = schedule(b.build())
    assert item.inputs == tuple(word[3:]) and item.value == 5


def test_a_count_with_constant_inputs_stays_a_macro():
    b = CircuitBuilder()
    bits = b.input("x", 3)
    b.output("y", popcount(b, [bits[0], 0, bits[1], 0, bits[2]], "tree")[:2])
    (item,) = schedule(b.build())
    assert item.kind == "popcount" and item.inputs == tuple(bits) and len(item.outputs) == 2


def test_a_macro_whose_output_is_an_input_stays_gates():
    b = CircuitBuilder()
    x = b.input("x", 2)
    b.macro("ge", x, [x[1]], 2)
    b.output("y", b.and_(*x))
    b.output("z", x[1])
    assert [type(i) for i in schedule(b.build())] == [Node]


def test_a_cycle_through_macros_is_cut():
    """Two macros that are true (both outputs are x) and read one another's outputs."""
    b = CircuitBuilder()
    x = b.input("x")[0]
    p, q = b.node(0b10, x), b.node(0b10, x)
    b.macro("ge", [q], [p], 1)
    b.macro("ge", [p], [q], 1)
    b.output("y", [p, q])
    circuit = b.build()
    items = schedule(circuit)
    assert is_ordered(circuit, items) and len(items) == 2
    assert sum(isinstance(i, Macro) for i in items) == 1


def test_no_net_has_two_items():
    b = CircuitBuilder()
    x = b.input("x", 4)
    b.output("y", popcount(b, x))
    circuit = b.build()
    circuit = circuit.with_(macros=circuit.macros * 2)
    assert is_ordered(circuit, schedule(circuit)) and len(schedule(circuit)) == 1


def test_a_long_chain_and_many_nodes_take_linear_time():
    n, rng = 100_000, np.random.default_rng(0)
    own = np.arange(n) + 10
    fanin = np.stack([own - 1, rng.integers(2, own)], axis=1).astype(np.int32)
    circuit = Circuit("chain", (Word("x", 8),), fanin, np.full(n, 0b0110, np.uint64), np.full(n, 2, np.uint8),
                      np.ones(n, np.uint8), (Word("y", 1),), np.array([n + 9], np.int32))
    start = time.process_time()
    items = schedule(circuit)
    assert time.process_time() - start < 3  # 0.3 s alone
    assert len(items) == n and is_ordered(circuit, items)
