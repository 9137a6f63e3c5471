"""Two-input gates, counted node by node."""

import numpy as np
import pytest
from helpers import random_circuit

from hardwire.circuit import CircuitBuilder
from hardwire.circuit.circuit import TRUE
from hardwire.core.gates import GATES, TABLE
from hardwire.core.truth_tables import support
from hardwire.cost import (
    gate_cost,
    gate_kinds,
    node_counts,
    stage_costs,
    stage_counts,
    stage_nodes,
    table_cost,
    total_gates,
)
from hardwire.passes import optimize


def half_adder():
    b = CircuitBuilder("half_adder", labels=("even", "odd"))
    (a,), word = b.input("a"), b.input("word", 3)
    with b.stage("encoder"):
        bit = b.node(0b10, word[2])
    with b.stage("network"):
        total = b.node(TABLE["XOR"], a, bit)
        carry = b.node(TABLE["AND"], a, bit)
        wide = b.node(0xE8, a, word[0], word[1])
        no = b.node(0b01, carry)
    b.macro("ge", word, [bit], 4)
    b.output("sum", [total, carry])
    b.output("rest", [wide, no, TRUE, word[1]])
    return b.build()


def test_costs_are_in_two_input_gates():
    """A wire is free, XOR, AND and NOT are one gate each, a majority of three at most five."""
    assert stage_costs(half_adder()) == {
        "encoder": {"gates": 0, "depth": 1}, "network": {"gates": 3 + 5, "depth": 2}, "head": {"gates": 0, "depth": 0}}


@pytest.mark.parametrize("table, k, cost", [
    (0b00, 1, 0), (0b11, 1, 0), (0b10, 1, 0), (0b01, 1, 1), (0b1010, 2, 0), (0b1100, 2, 0), (0b0101, 2, 1),
    (0b0011, 2, 1), (0b1000, 2, 1), (0b0110, 2, 1), (0b0000, 2, 0), (0x96, 3, 2), (0x80, 3, 2), (0xFE, 3, 2),
    (0xCA, 3, 3), (0xE8, 3, 5), (0xAAAA, 4, 0), (0x5555, 4, 1), (0x6996, 4, 3), (0x8000, 4, 3), (2**63, 6, 5),
    (0x6996966996696996, 6, 5),
])
def test_cost_of_a_table(table, k, cost):
    assert gate_cost(np.array([table], dtype=np.uint64), np.array([k], dtype=np.uint8)).tolist() == [cost]


@pytest.mark.parametrize("gate", GATES, ids=lambda g: g.name)
def test_a_gate_is_one_of_five_things(gate):
    cost, used = table_cost(gate.table, 2), support(gate.table, 2).bit_count()
    inverter = gate.name in ("NOT_A", "NOT_B")
    assert cost == (int(used == 2), int(inverter), int(used == 1 and not inverter), int(used == 0))
    assert cost.gates == int(used == 2 or inverter)


def test_a_wide_table_tells_inverters_and_gates_apart():
    assert table_cost(0b1100_0101, 3) == (3, 1, 0, 0)  # c ? b : not a
    assert table_cost(0xAAAA, 4) == (0, 0, 1, 0) and table_cost(0xFFFF, 4) == (0, 0, 0, 1)


def test_kinds_and_counts_of_gates():
    b = CircuitBuilder("kinds")
    (x,), (y,), (z,) = (b.input(n) for n in "xyz")
    with b.stage("encoder"):
        first = b.node(TABLE["AND"], x, y)
    with b.stage("network"):
        nets = [b.node(TABLE[k], first, z) for k in ("XOR", "XOR", "A", "TRUE")]
        nets += [b.node(0b01, z), b.node(0b10, z), b.node(0xE8, x, y, z)]
    for i, net in enumerate(nets):
        b.output(f"o{i}", net)
    circuit = b.build()
    assert gate_kinds(circuit) == {"XOR": 2, "A": 1, "TRUE": 1, "NOT": 1, "WIRE": 1, "LUT3": 1}
    counts = stage_counts(circuit, circuit)
    free = {"wires_raw": 0, "constants_raw": 0, "wires_optimized": 0, "constants_optimized": 0}
    assert counts["encoder"] == {"gates_raw": 1, "gates_optimized": 1, "depth": 1, "nodes_raw": 1} | free
    assert counts["head"] == {"gates_raw": 0, "gates_optimized": 0, "depth": 0, "nodes_raw": 0} | free


def test_a_raw_gate_is_a_gate_and_wires_and_constants_are_counted_apart():
    """Of seven nodes two are wires, one is a constant, and the gates are those that the passes start from."""
    b = CircuitBuilder("kinds")
    (x,), (y,), (z,) = (b.input(n) for n in "xyz")
    with b.stage("network"):
        nets = [b.node(TABLE[k], x, z) for k in ("XOR", "XOR", "A", "TRUE")]
        nets += [b.node(0b01, z), b.node(0b10, z), b.node(0xE8, x, y, z)]
    for i, net in enumerate(nets):
        b.output(f"o{i}", net)
    raw = b.build()
    best, statistics = optimize(raw)
    network = stage_counts(raw, best)["network"]
    assert network["nodes_raw"] == 7 and network["wires_raw"] == 2 and network["constants_raw"] == 1
    assert network["gates_raw"] == 2 + 1 + 5 == total_gates(raw) == statistics[0].gates_before
    assert network["gates_optimized"] == total_gates(best) == statistics[-1].gates_after
    assert node_counts(raw) == stage_nodes(raw)["network"] == (8, 2, 1)
    first = statistics[0]
    assert (first.wires_before, first.constants_before) == (2, 1) and first.wires_after <= 2 >= first.constants_after
    assert sum(s.wires_after for s in statistics[-1:]) == network["wires_optimized"]


def test_wires_and_constants_of_random_circuits_are_no_gates(rng):
    for _ in range(5):
        circuit = random_circuit(rng)
        kinds = [gate_cost(circuit.table[[i]], circuit.arity[[i]])[0] for i in range(circuit.n_nodes)]
        counts = node_counts(circuit)
        assert counts.gates == sum(kinds) and counts.wires + counts.constants == kinds.count(0)


def test_stages_add_up(rng):
    for _ in range(5):
        c = random_circuit(rng, max_arity=6)
        assert sum(v["gates"] for v in stage_costs(c).values()) == gate_cost(c.table, c.arity).sum() == total_gates(c)


def test_a_circuit_without_nodes_costs_nothing():
    b = CircuitBuilder()
    b.output("y", b.input("x"))
    assert total_gates(b.build()) == 0 and stage_costs(b.build())["network"] == {"gates": 0, "depth": 0}
