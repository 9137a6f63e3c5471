"""Operand combinations that never occur, against an enumeration of all inputs."""

import numpy as np
import pytest
from helpers import trained_like

from hardwire.circuit import Circuit, CircuitBuilder
from hardwire.circuit.arithmetic import at_least
from hardwire.circuit.simulate import simulate_bits
from hardwire.core.gates import TABLE
from hardwire.passes import PASSES, dont_cares, optimize
from hardwire.passes.dont_cares import simplify_with_dont_cares
from hardwire.passes.functional_reduction import reduce_functionally
from hardwire.verify import prove


def all_values(circuit: Circuit):
    """Values of every net on every input, shape (inputs, nets)."""
    bits = np.arange(1 << circuit.n_input_bits)[:, None] >> np.arange(circuit.n_input_bits) & 1
    return simulate_bits(circuit, bits.astype(bool), range(circuit.n_nets)).astype(np.uint8)


def left_over(circuit: Circuit) -> list[str]:
    """What an enumeration still finds to simplify outside the head."""
    values, rest = all_values(circuit), []
    seen = {}
    for row in range(circuit.n_nodes):
        if circuit.stage[row] == 2 or circuit.arity[row] == 1:
            continue
        net, table = circuit.first_node + row, int(circuit.table[row])
        fanin = circuit.fanin[row, : circuit.arity[row]]
        occurring = set((values[:, fanin] << np.arange(len(fanin))).sum(axis=1).tolist())
        for i in range(len(fanin)):
            if not any({m, m ^ 1 << i} <= occurring and (table >> m ^ table >> (m ^ 1 << i)) & 1 for m in range(1 << len(fanin))):
                rest.append(f"operand {i} of {net}")
        if table in (TABLE["XOR"], TABLE["XNOR"]) and len(fanin) == 2 and len(occurring) < 4:
            rest.append(f"exclusive or {net}")
        column = values[:, net] ^ values[0, net]
        if not column.any() or column.tobytes() in seen:
            rest.append(f"equal {net}")
        seen[column.tobytes()] = net
    return rest


def thermometer(rng, words=3, bits=4, gates=60, arity=2):
    """Random tables over ordered thresholds of a few words."""
    b = CircuitBuilder("thermometer")
    inputs = [b.input(f"x{j}", bits) for j in range(words)]
    with b.stage("encoder"):
        nets = [at_least(b, word, v) for word in inputs for v in (3, 6, 8, 13)]
    with b.stage("network"):
        for _ in range(gates):
            k = int(rng.integers(2, arity + 1))
            nets.append(b.node(int(rng.integers(1, (1 << (1 << k)) - 1)), *rng.choice(nets[-24:], k, replace=False).tolist()))
    b.output("z", nets[-20:])
    return b.build()


@pytest.mark.parametrize("arity", [2, 4])
@pytest.mark.parametrize("seed", range(3))
def test_an_enumeration_finds_nothing_more(seed, arity):
    circuit = thermometer(np.random.default_rng(seed), arity=arity)
    assert left_over(circuit)
    after = simplify_with_dont_cares(circuit)
    assert prove(circuit, after, macros=True).status == "proved"
    assert np.array_equal(all_values(circuit)[:, circuit.output_nets], all_values(after)[:, after.output_nets])
    assert after.n_nodes < circuit.n_nodes and after.macros
    assert left_over(after) == []
    assert simplify_with_dont_cares(circuit).digest == after.digest


def test_keeps_function_and_macros_of_any_circuit(circuit, keeps):
    keeps(simplify_with_dont_cares, circuit)


def implied(bits=16):
    b = CircuitBuilder("implied")
    words = [b.input(name, bits) for name in "xyz"]
    with b.stage("encoder"):
        low, high = ([at_least(b, word, v) for word in words] for v in (20_001, 20_003))
    with b.stage("network"):
        below = b.and_(b.and_(low[0], low[1]), low[2])
        above = b.and_(b.and_(high[0], high[1]), high[2])
        b.output("both", b.and_(below, above))
        b.output("one", b.xor(below, above))
    return b.build()


def test_what_48_input_bits_imply():
    """Beyond the 14 leaves of a truth table, and a combination that random words do not give apart."""
    circuit = implied()
    after = simplify_with_dont_cares(circuit)
    assert prove(circuit, after, macros=True).status == "proved"
    network = after.table[after.stage == 1].tolist()
    assert len(network) == 5 and TABLE["XOR"] not in network
    assert TABLE["XOR"] in reduce_functionally(circuit).table[circuit.stage == 1].tolist()


def test_thresholds_a_step_apart_are_told_apart_by_samples():
    circuit = implied()
    patterns = dont_cares._patterns(circuit)
    bits = np.unpackbits(patterns.view(np.uint8), axis=1, bitorder="little").T[:, 2:].astype(bool)
    values = simulate_bits(circuit, bits, [m.outputs[0] for m in circuit.macros])
    assert not bits[0].any() and len(bits) == 64 * dont_cares.WORDS
    low, high = values[:, :3], values[:, 3:]
    assert (low & ~high).any(axis=0).all() and not (high & ~low).any()


def test_questions_without_effort_change_nothing(monkeypatch):
    monkeypatch.setattr(dont_cares, "WINDOWS", ())
    circuit = optimize(implied(), level="O1")[0]
    assert simplify_with_dont_cares(circuit).n_nodes == circuit.n_nodes


def test_a_solver_that_begins_anew(monkeypatch):
    circuit = trained_like(np.random.default_rng(3), words=6, bits=4, thresholds=3, layers=3, width=40)
    expected = simplify_with_dont_cares(circuit).n_nodes
    monkeypatch.setattr(dont_cares, "LOADED", 5)
    after, statistics = optimize(circuit, passes=["dont-care-simplification"])
    assert prove(circuit, after, macros=True).status == "proved" and after.n_nodes == expected
    assert statistics[0].name == "dont-care-simplification" in PASSES
