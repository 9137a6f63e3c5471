import itertools

import numpy as np
from helpers import random_circuit, trained_like

from hardwire.circuit import CircuitBuilder
from hardwire.circuit.arithmetic import argmax, popcount
from hardwire.core.gates import TABLE
from hardwire.cost import gate_cost
from hardwire.passes import optimize
from hardwire.passes.kernels.chains import VARIABLES, apply, optimal_chains, search_chains
from hardwire.passes.rewriting import rewrite


def cost(circuit) -> int:
    return int(gate_cost(circuit.table, circuit.arity).sum())


def test_keeps_the_function(circuit, keeps):
    assert cost(keeps(rewrite, circuit)) <= cost(circuit)


def test_keeps_the_function_of_many(keeps):
    rng = np.random.default_rng(11)
    for _ in range(20):
        before = random_circuit(rng, 5, 5, int(rng.integers(5, 40)), n_outputs=10)
        assert cost(keeps(rewrite, before)) <= cost(before)


def test_chains_are_those_of_the_functions_and_as_short_as_possible():
    """The classes of four variables that need 0 to 7 gates: Knuth, TAOCP 7.1.2, table 1 (constants left out)."""
    length, chain = optimal_chains()
    value = np.array([VARIABLES] * 32768, dtype=np.int64)
    value = np.concatenate([value, np.zeros((32768, 7), dtype=np.int64)], axis=1)
    for i in range(1, 32768):
        for g in range(length[i]):
            op, x, y = chain[i, g]
            value[i, 4 + g] = apply.py_func(int(op), int(value[i, x]), int(value[i, y]))
    function = 2 * np.arange(32768)
    last = value[np.arange(32768), 3 + np.maximum(length, 0).clip(0, 7)]
    assert np.all((last == function)[1:] | ((length == 0) & np.isin(function, VARIABLES))[1:])
    assert np.bincount(length[1:]).tolist() == [4, 30, 228, 1237, 5312, 12092, 12504, 1360]


def test_the_shipped_chains_are_those_that_the_search_finds():
    for shipped, computed in zip(optimal_chains(), search_chains(), strict=True):
        assert shipped.dtype == computed.dtype and np.array_equal(shipped, computed)


def test_mux_is_three_gates_and_two_beside_the_exclusive_or(keeps):
    b = CircuitBuilder()
    (s,), (x,), (y,) = b.input("s"), b.input("x"), b.input("y")
    differ = b.xor(x, y)
    b.output("z", [b.mux(s, x, y), differ])
    assert keeps(rewrite, b.build()).n_nodes == 3


def test_majority_and_sum_share_five_gates(keeps):
    b = CircuitBuilder()
    (x,), (y,), (z,) = b.input("x"), b.input("y"), b.input("z")
    majority = b.or_(b.or_(b.and_(x, y), b.and_(x, z)), b.and_(y, z))
    b.output("s", [b.xor(b.xor(x, y), z), majority])
    assert keeps(rewrite, b.build()).n_nodes <= 6


def test_wide_tables_become_gates(keeps):
    b = CircuitBuilder()
    x = b.input("x", 6)
    parity = sum(1 << m for m in range(64) if m.bit_count() % 2)
    b.output("z", b.node(parity, *x))
    before = b.build()
    assert cost(keeps(rewrite, before)) == 5 == cost(before)


def test_stages_stay_apart():
    """``xy | xz`` is two gates, but not where one of them belongs to the encoder."""
    b = CircuitBuilder()
    (x,), (y,), (z,) = b.input("x"), b.input("y"), b.input("z")
    with b.stage("encoder"):
        p = b.and_(x, y)
    with b.stage("network"):
        b.output("o", b.or_(p, b.and_(x, z)))
    circuit = b.build()
    assert rewrite(circuit) is circuit
    assert rewrite(circuit.with_(stage=np.ones_like(circuit.stage))).n_nodes == 2


def test_heads_keep_their_macros(keeps):
    b = CircuitBuilder()
    words = [b.input(f"x{j}", 5) for j in range(4)]
    with b.stage("head"):
        counts = [popcount(b, w, "tree") for w in words]
        b.output("class", argmax(b, counts, "tournament"))
    before = b.build()
    after = keeps(rewrite, before)
    assert cost(after) <= cost(before) - 3  # adders and comparisons are built small
    assert [m.kind for m in after.macros] == [m.kind for m in before.macros]


def test_saves_gates_of_a_trained_network():
    before, _ = optimize(trained_like(np.random.default_rng(5), width=200, head=("tree", "tournament")), level="O1")
    before = before.with_(stage=np.ones_like(before.stage))
    assert cost(rewrite(before)) <= cost(before) - 2  # heads are built small, and cleaning left little else


def test_an_operand_inverted_on_the_way_is_not_lost(keeps):
    """Exclusive ors of or-gates: literals inside the rewriting carry complements."""
    b = CircuitBuilder()
    x = b.input("x", 8)
    nets = [b.gate(TABLE["NOR"] if i % 2 else TABLE["OR"], p, q) for i, (p, q) in enumerate(itertools.pairwise(x))]
    while len(nets) > 1:
        nets = [b.gate(TABLE["XNOR"], p, b.mux(x[0], p, q)) for p, q in itertools.pairwise(nets)]
    b.output("z", nets)
    before = b.build()
    assert cost(keeps(rewrite, before)) < cost(before)
