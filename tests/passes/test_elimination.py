"""Tables that go into the tables that read them."""

import numpy as np
import pytest
from helpers import check_same, sample_bits, trained_like

from hardwire.circuit import CircuitBuilder
from hardwire.core.errors import InputError
from hardwire.passes import eliminate, map_to_luts, optimize
from hardwire.passes.structural_hashing import hash_structurally
from hardwire.verify import prove


@pytest.mark.parametrize("k", [2, 4, 6])
def test_keeps_the_function_and_the_macros(circuit, k):
    before = map_to_luts(circuit, k=4) if k > 2 else circuit
    after = eliminate(before, k=k)
    check_same(circuit, after, sample_bits(np.random.default_rng(1), circuit))
    assert prove(before, after, macros=True).status == "proved"
    assert after.n_nodes <= hash_structurally(before).n_nodes and after.arity.max(initial=0) <= max(k, before.arity.max())
    assert eliminate(before, k=k).digest == after.digest


def test_a_chain_is_one_table():
    b = CircuitBuilder()
    x = b.input("x", 7)
    net = b.and_(x[0], x[1])
    for bit in x[2:6]:
        net = b.xor(net, b.not_(bit))
    b.output("z", b.or_(net, x[6]))
    after = eliminate(b.build())
    assert sorted(after.arity.tolist()) == [2, 6]
    assert eliminate(b.build(), k=4).n_nodes == 2


def test_a_table_goes_into_all_readers_or_into_none():
    b = CircuitBuilder()
    x = b.input("x", 8)
    shared = b.xor(b.xor(x[0], x[1]), x[2])
    b.output("y", b.and_(shared, x[3]))
    b.output("z", b.or_(shared, x[4]))
    assert sorted(eliminate(b.build()).arity.tolist()) == [4, 4]
    assert sorted(eliminate(b.build(), k=3).arity.tolist()) == [2, 2, 3]


def test_operands_that_cancel_go():
    b = CircuitBuilder()
    x = b.input("x", 3)
    b.output("z", b.node(0b10010110, b.xor(x[0], x[1]), b.xor(x[1], x[2]), x[0]))
    after = eliminate(b.build())
    assert after.n_nodes == 0 and after.output_nets.tolist() == [4]


def test_fewer_tables_than_technology_mapping_alone():
    circuit, _ = optimize(trained_like(np.random.default_rng(2), width=200), level="O1")
    mapped = map_to_luts(circuit)
    assert eliminate(mapped).n_nodes < mapped.n_nodes


@pytest.mark.parametrize("k", [1, 7])
def test_a_width_that_cannot_be_is_named(k):
    with pytest.raises(InputError, match=f"{k} operands"):
        eliminate(trained_like(np.random.default_rng(0), width=8), k=k)
