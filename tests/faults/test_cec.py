"""The independent checker says yes and no, and knows when it does not know."""

import numpy as np
import pytest

from hardwire.circuit import CircuitBuilder
from hardwire.circuit.arithmetic import popcount
from hardwire.circuit.simulate import simulate_bits
from tests.faults.cec import equal
from tests.helpers import random_circuit, trained_like


def counted(style):
    b = CircuitBuilder()
    b.output("y", popcount(b, b.input("x", 12), style))
    return b.build()


def test_other_spellings_of_one_function_are_equal():
    assert equal(counted("columns"), counted("tree")) is True


@pytest.mark.parametrize("seed", range(3))
def test_every_answer_is_that_of_all_inputs(seed):
    circuit = random_circuit(np.random.default_rng(seed), max_arity=4)
    bits = (np.arange(256)[:, None] >> np.arange(8) & 1).astype(bool)
    for node in (0, circuit.n_nodes // 2, circuit.n_nodes - 1):
        table = circuit.table.copy()
        table[node] ^= np.uint64(1)
        other = circuit.with_(table=table)
        assert equal(circuit, other) is bool((simulate_bits(circuit, bits) == simulate_bits(other, bits)).all())


def test_words_and_constants():
    b = CircuitBuilder()
    b.input("x", 3)
    b.output("y", [0, 1])
    constant = b.build()
    assert equal(constant, constant) is True
    assert equal(constant, constant.with_(output_nets=np.array([1, 1], dtype=np.int32))) is False
    assert equal(constant, counted("tree")) is False


def test_what_is_not_decided_in_time_is_none(rng):
    circuit = trained_like(rng, words=30, bits=6, thresholds=8, layers=4, width=1200, classes=10)
    other = trained_like(np.random.default_rng(0), words=30, bits=6, thresholds=8, layers=4, width=1200, classes=10,
                         head=("fast", "pairs"))
    assert equal(circuit, other, timeout=0.2) is None
