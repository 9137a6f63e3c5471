from hardwire.circuit import CircuitBuilder
from hardwire.core.gates import TABLE
from hardwire.cost import stage_costs
from hardwire.passes.dead_nodes import remove_dead_nodes
from hardwire.passes.structural_hashing import hash_structurally


def test_keeps_the_function(circuit, keeps):
    assert keeps(hash_structurally, circuit).n_nodes <= circuit.n_nodes


def test_equal_gates_in_any_order_and_polarity_are_one(keeps):
    b = CircuitBuilder()
    (x,), (y,) = b.input("x"), b.input("y")
    nets = [b.node(TABLE["AND"], x, y), b.node(TABLE["AND"], y, x), b.node(TABLE["NAND"], x, y),
            b.node(TABLE["NOR"], b.node(0b01, x), b.node(0b01, y)), b.node(0b10000000, x, y, x)]
    for i, net in enumerate(nets):
        b.output(f"z{i}", net)
    shared = keeps(hash_structurally, b.build())
    assert sorted(shared.table.tolist()) == [0b01, TABLE["AND"]]


def test_operands_that_differ_are_kept_apart(keeps):
    b = CircuitBuilder()
    (x,), (y,) = b.input("x"), b.input("y")
    b.output("z", [b.node(TABLE["A_AND_NOT_B"], x, y), b.node(TABLE["A_AND_NOT_B"], y, x)])
    assert keeps(hash_structurally, b.build()).n_nodes == 2


def test_a_gate_of_two_stages_belongs_to_the_earlier(keeps):
    b = CircuitBuilder()
    (x,), (y,) = b.input("x"), b.input("y")
    nets = []
    for stage in ("head", "encoder", "network"):
        with b.stage(stage):
            nets.append(b.node(TABLE["XOR"], x, y))
    b.output("z", nets)
    shared = keeps(hash_structurally, b.build())
    assert {s: c["gates"] for s, c in stage_costs(shared).items()} == {"encoder": 1, "network": 0, "head": 0}


def test_duplicated_network_collapses(keeps):
    b = CircuitBuilder()
    x = b.input("x", 8)
    ends = []
    for _ in range(5):
        nets = x
        for _ in range(3):
            nets = [b.node(TABLE["XOR"], p, q) for p, q in zip(nets, nets[1:] + nets[:1])]
        ends.append(nets)
    b.output("z", [b.node(TABLE["AND"], p, q) for p, q in zip(ends[0], ends[4])])
    assert remove_dead_nodes(keeps(hash_structurally, b.build())).n_nodes == 24
