"""The score of a circuit by stage: what is counted, and what is only named."""

import pytest
from helpers import random_circuit
from libraries import library_text

from hardwire.circuit import CircuitBuilder
from hardwire.circuit.circuit import STAGES
from hardwire.core.gates import TABLE
from hardwire.cost import circuit_scores, read_liberty, stage_costs, total_gates


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    path = tmp_path_factory.mktemp("library") / "tiny.lib"
    path.write_text(library_text())
    return read_liberty(path)


def mixed():
    b = CircuitBuilder("mixed")
    (x,), (y,), (z,) = (b.input(n) for n in "xyz")
    with b.stage("encoder"):
        first = b.node(TABLE["AND"], x, y)
        wire = b.node(TABLE["B"], x, first)
    with b.stage("network"):
        nets = [b.node(TABLE["XOR"], wire, z), b.node(TABLE["NOT_A"], z, z), b.node(TABLE["TRUE"], x, y),
                b.node(0xE8, x, y, z), b.node(0b1111_0000, x, y, z), b.node(0x96, first, y, z)]
    with b.stage("head"):
        last = b.node(TABLE["NOR"], nets[0], nets[3])
    b.output("o", [*nets, last])
    return b.build()


def test_what_is_counted_and_what_is_named():
    s = circuit_scores(mixed())
    assert (s["encoder"].two_input, s["encoder"].wires, s["encoder"].tables, s["encoder"].depth) == (1, 1, {2: 1}, 2)
    network = s["network"]
    assert (network.two_input, network.inverters, network.wires, network.constants) == (1 + 5 + 2, 1, 1, 1)
    assert network.tables == {2: 1, 3: 2} and network.gates == 9 and network.ge is None
    assert s["whole"].tables == {2: 3, 3: 2} and s["whole"].gates == total_gates(mixed()) and s["whole"].depth == 4
    assert "ge" not in s["whole"].to_json() and s["whole"].to_json()["tables"] == {"2": 3, "3": 2}


def test_gate_equivalents_without_a_mapper(library):
    """AND 4, XOR 7, NOT 2, NOR 3.5 of a NAND of 3; parity of three is two XORs, and wires are free."""
    s = circuit_scores(mixed(), library)
    assert s["encoder"].ge == pytest.approx(4 / 3) and s["head"].ge == pytest.approx(3.5 / 3)
    majority = 5.5 + 4 + 5.5 + 4 + 5.5  # OR and AND of two operands, and the choice between them by the third
    assert 3 * s["network"].ge == pytest.approx(7 + 2 + 2 * 7 + majority)
    assert s["whole"].ge == pytest.approx(sum(s[stage].ge for stage in STAGES))
    assert s["whole"].to_json()["ge"] == s["whole"].ge


def test_stages_add_up_and_agree_with_the_record(rng, library):
    for _ in range(5):
        c = random_circuit(rng, max_arity=6)
        s, costs = circuit_scores(c, library), stage_costs(c)
        assert all((s[stage].gates, s[stage].depth) == (costs[stage]["gates"], costs[stage]["depth"]) for stage in STAGES)
        nodes = sum(v.wires + v.constants + sum(v.tables.values()) for v in (s[stage] for stage in STAGES))
        assert nodes <= c.n_nodes <= nodes + s["whole"].inverters
        assert s["whole"].gates == total_gates(c)


def test_a_circuit_without_nodes(library):
    b = CircuitBuilder()
    b.output("y", b.input("x"))
    s = circuit_scores(b.build(), library)
    assert s["whole"].gates == 0 and s["whole"].ge == 0.0 and s["whole"].tables == {}
