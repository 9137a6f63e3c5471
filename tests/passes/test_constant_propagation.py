import numpy as np
import pytest

from hardwire.circuit import CircuitBuilder
from hardwire.core.gates import GATES, TABLE
from hardwire.cost import stage_costs
from hardwire.passes.constant_propagation import propagate_constants


def test_keeps_the_function(circuit, keeps):
    assert keeps(propagate_constants, circuit).n_nodes <= circuit.n_nodes


@pytest.mark.parametrize("gate", GATES, ids=lambda g: g.name)
@pytest.mark.parametrize("operands", ["00", "01", "10", "11", "0a", "a1", "aa", "aA", "Ab", "BA"])
def test_every_gate_of_every_kind_of_operand(gate, operands, keeps):
    b = CircuitBuilder()
    x, y = b.input("x"), b.input("y")
    nets = {"0": 0, "1": 1, "a": x[0], "b": y[0], "A": b.node(0b01, *x), "B": b.node(0b01, *y)}
    b.output("z", b.node(gate.table, nets[operands[0]], nets[operands[1]]))
    assert keeps(propagate_constants, b.build()).n_nodes <= 3


def one(circuit) -> str:
    lines = propagate_constants(circuit).text().splitlines()
    return " ".join(line.split(" = ")[1].split("(")[0] for line in lines if line.startswith("n"))


def test_inverter_is_absorbed_by_its_reader():
    b = CircuitBuilder()
    (x,), (y,) = b.input("x"), b.input("y")
    b.output("z", b.node(TABLE["AND"], b.node(0b01, x), y))
    assert one(b.build()) == "B_AND_NOT_A"


def test_inverter_flips_the_gate_that_drives_it():
    b = CircuitBuilder()
    (x,), (y,) = b.input("x"), b.input("y")
    b.output("z", b.node(0b01, b.node(TABLE["AND"], x, y)))
    assert one(b.build()) == "NAND"


def test_inverter_stays_where_both_polarities_are_outputs():
    b = CircuitBuilder()
    (x,), (y,) = b.input("x"), b.input("y")
    net = b.node(TABLE["AND"], x, y)
    b.output("z", [net, b.node(0b01, net)])
    assert one(b.build()) == "AND NOT"


def test_gates_of_the_same_two_nets_are_one_gate():
    b = CircuitBuilder()
    (x,), (y,) = b.input("x"), b.input("y")
    both, neither = b.node(TABLE["AND"], x, y), b.node(TABLE["NOR"], x, y)
    b.output("z", b.node(TABLE["NOR"], both, neither))
    assert stage_costs(propagate_constants(b.build()))["network"] == {"gates": 3, "depth": 1}


def test_wide_table_is_reduced_to_its_support():
    b = CircuitBuilder()
    x = b.input("x", 6)
    table = sum(1 << m for m in range(64) if (m >> 1 & 1) and (m >> 4 & 1))
    b.output("z", b.node(table, *x))
    folded = propagate_constants(b.build())
    assert (folded.arity.tolist(), folded.table.tolist()) == ([2], [TABLE["AND"]])
    assert folded.fanin[0].tolist() == [x[1], x[4]]


def test_outputs_may_become_constants_and_inputs():
    b = CircuitBuilder()
    (x,) = b.input("x")
    not_x = b.node(0b01, x)
    b.output("z", [b.node(TABLE["AND"], x, not_x), b.node(TABLE["OR"], x, not_x), b.node(0b01, not_x), not_x])
    folded = propagate_constants(b.build())
    assert folded.output_nets.tolist() == [0, 1, x, folded.first_node]
    assert folded.n_nodes == 1


def test_operands_come_in_order_and_a_node_in_its_stage():
    b = CircuitBuilder()
    x = b.input("x", 3)
    with b.stage("encoder"):
        p = b.node(TABLE["A_AND_NOT_B"], x[2], x[0])
    with b.stage("head"):
        b.output("z", b.node(TABLE["A_OR_NOT_B"], p, x[1]))
    folded = propagate_constants(b.build())
    assert folded.stage.tolist() == [0, 2]
    assert np.all(folded.fanin[:, 0] < folded.fanin[:, 1])
