import numpy as np
import pytest
from helpers import random_circuit

from hardwire.circuit import CircuitBuilder
from hardwire.circuit.simulate import simulate, simulate_bits
from hardwire.core.errors import InputError


@pytest.mark.parametrize("k", range(1, 7))
def test_a_node_is_its_table_with_operand_zero_least_significant(rng, k):
    b = CircuitBuilder()
    nets = b.input("x", k)
    table = int(rng.integers(0, 2 ** (1 << k) - 1, dtype=np.uint64, endpoint=True))
    b.output("y", b.node(table, *nets))
    every = np.arange(1 << k, dtype=np.uint8)[:, None]
    assert simulate(b.build(), every).ravel().tolist() == [table >> m & 1 for m in range(1 << k)]


def test_operand_order_of_asymmetric_gates():
    b = CircuitBuilder()
    a, c = b.input("a")[0], b.input("b")[0]
    for table in (2, 4, 11, 13):
        b.output(f"t{table}", b.node(table, a, c))
        b.output(f"s{table}", b.node(table, c, a))
    got = simulate(b.build(), np.array([[0, 0], [1, 0], [0, 1], [1, 1]], dtype=np.uint8))
    assert got.T.tolist() == [[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0], [0, 1, 0, 0],
                              [1, 1, 0, 1], [1, 0, 1, 1], [1, 0, 1, 1], [1, 1, 0, 1]]


def test_constants_inputs_and_repeats_as_outputs():
    b = CircuitBuilder()
    x = b.input("x", 2)
    b.output("y", [0, 1, x[1], x[0], x[0]])
    assert simulate(b.build(), np.array([[0], [1], [2], [3]], dtype=np.uint8)).ravel().tolist() == [2, 26, 6, 30]


def test_by_hand_against_python_integers(rng):
    """A whole random circuit, one sample at a time, in plain Python."""
    c = random_circuit(rng, n_inputs=7, layers=3, width=9, max_arity=6)
    x = rng.integers(0, 2, (20, 7)).astype(np.uint8)
    for row, got in zip(x, simulate(c, x)):
        value = [0, 1, *row.tolist()]
        for fanin, table, k in zip(c.fanin.tolist(), c.table.tolist(), c.arity.tolist()):
            value.append(table >> sum(value[f] << i for i, f in enumerate(fanin[:k])) & 1)
        assert got.tolist() == [value[n] for n in c.output_nets]


def test_any_net_can_be_asked_for(rng):
    c = random_circuit(rng)
    bits = rng.random((10, 8)) < 0.5
    every = simulate_bits(c, bits, range(c.n_nets))
    assert every.shape == (10, c.n_nets) and not every[:, 0].any() and every[:, 1].all()
    assert np.array_equal(every[:, 2:10], bits) and np.array_equal(every[:, c.output_nets], simulate_bits(c, bits))


def test_physical_values_and_refusals():
    b = CircuitBuilder()
    x = b.input("x", 2, offset=1.0, step=0.5)
    b.output("y", x)
    c = b.build()
    assert simulate(c, np.array([[0.0], [1.6], [9.0]])).ravel().tolist() == [0, 1, 3]
    with pytest.raises(InputError, match="reads"):
        simulate(c, np.zeros((3, 2)))


def test_no_samples_and_no_inputs():
    b = CircuitBuilder()
    b.output("y", [1, b.node(0b01, 0)])
    c = b.build()
    assert simulate(c, np.zeros((3, 0), dtype=np.uint8)).tolist() == [[3]] * 3
    assert simulate(c, np.zeros((0, 0), dtype=np.uint8)).shape == (0, 1)
