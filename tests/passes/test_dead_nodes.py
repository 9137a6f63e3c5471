from hardwire.circuit import CircuitBuilder
from hardwire.circuit.arithmetic import at_least, popcount
from hardwire.core.gates import TABLE
from hardwire.passes.dead_nodes import remove_dead_nodes


def test_keeps_the_function(circuit, keeps):
    assert keeps(remove_dead_nodes, circuit).n_nodes <= circuit.n_nodes


def test_what_nothing_reads_goes(keeps):
    b = CircuitBuilder()
    (x,), (y,) = b.input("x"), b.input("y")
    dead = b.node(TABLE["AND"], x, y)
    b.node(TABLE["XOR"], dead, y)
    b.output("z", b.node(TABLE["OR"], x, y))
    assert keeps(remove_dead_nodes, b.build()).table.tolist() == [TABLE["OR"]]


def test_macro_of_dead_outputs_goes_with_its_gates(keeps):
    b = CircuitBuilder()
    x = b.input("x", 4)
    at_least(b, x, 5)
    live = at_least(b, x, 3)
    b.output("z", live)
    swept = keeps(remove_dead_nodes, b.build())
    assert [m.value for m in swept.macros] == [3]
    assert swept.n_nodes == 3


def test_nets_of_a_kept_macro_stay(keeps):
    """The low bit of a count of three needs no majority, but the macro names it."""
    b = CircuitBuilder()
    x = b.input("x", 6)
    nets = [b.and_(x[2 * i], x[2 * i + 1]) for i in range(3)]
    count = popcount(b, nets)
    b.output("odd", count[0])
    b.output("shadow", b.and_(x[0], x[5]))
    swept = keeps(remove_dead_nodes, b.build())
    assert len(swept.macros) == 1
    assert swept.n_nodes == 3 + 5 + 1


def test_macro_that_needs_another_macro_keeps_it(keeps):
    b = CircuitBuilder()
    x = b.input("x", 4)
    ge = at_least(b, x, 6)
    net = b.and_(x[0], x[1])
    b.macro("popcount", [ge, x[0]], [net, b.xor(ge, net)])  # false as a fact; sweep reads only its shape
    b.output("z", net)
    assert [m.kind for m in remove_dead_nodes(b.build()).macros] == ["ge", "popcount"]
