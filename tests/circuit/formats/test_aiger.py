"""AIGER round trips, foreign files, damage."""

import numpy as np
import pytest

from hardwire.circuit import CircuitBuilder
from hardwire.circuit.aig import Aig
from hardwire.circuit.formats.aiger import parse_aiger, read_aiger, write_aiger
from hardwire.circuit.formats.words import one_bit_words
from hardwire.circuit.simulate import simulate, simulate_bits
from hardwire.core.errors import FormatError, InputError


def random_circuit(seed, *, nodes=60, arity=6):
    """Words of several widths, nodes of every arity, constants among operands and outputs."""
    rng = np.random.default_rng(seed)
    b = CircuitBuilder(f"random {seed}", labels=("no", "yes it is"))
    nets = [0, 1]
    for i, width in enumerate(rng.integers(1, 6, 4).tolist()):
        nets += b.input(f"x{i}", width, offset=float(rng.normal()), step=0.25)
    for _ in range(nodes):
        k = int(rng.integers(1, arity + 1))
        table = int.from_bytes(rng.bytes(8), "little") & ((1 << (1 << k)) - 1)
        nets.append(b.node(table, *rng.choice(nets, k).tolist()))
    b.output("low", rng.choice(nets, 5).tolist())
    b.output("high", [nets[-1]])
    return b.build()


def codes(circuit, n=300, seed=1):
    rng = np.random.default_rng(seed)
    return np.stack([rng.integers(0, 1 << w, n) for w in circuit.input_widths], axis=1)


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_round_trip_keeps_words_and_function(tmp_path, seed, binary):
    circuit = random_circuit(seed)
    again = read_aiger(write_aiger(circuit, tmp_path / "c.aig", binary=binary))
    assert (again.inputs, again.outputs, again.labels, again.name) == (
        circuit.inputs, circuit.outputs, circuit.labels, circuit.name)
    x = codes(circuit)
    assert np.array_equal(simulate(again, x), simulate(circuit, x))


@pytest.mark.parametrize("table", range(16))
def test_every_gate_keeps_its_operand_order(tmp_path, table):
    b = CircuitBuilder()
    (a,), (c,) = b.input("a"), b.input("b")
    b.output("y", b.node(table, a, c))
    again = read_aiger(write_aiger(b.build(), tmp_path / "g.aig"))
    assert simulate(again, [[0, 0], [1, 0], [0, 1], [1, 1]]).ravel().tolist() == [table >> i & 1 for i in range(4)]


def test_equal_logic_is_one_variable():
    aig = Aig(3)
    assert aig.xor(2, 4) == aig.xor(5, 3) == aig.xor(3, 4) ^ 1
    assert aig.lut(0b10101010, [2, 4, 6]) == 2 and aig.lut(0b11001010, [0, 1, 6]) == 6
    assert aig.lut(0b10100101, [2, 0, 4]) == aig.xor(2, 5)
    assert len(aig.left) == 3


def test_a_foreign_ascii_file_in_any_order(tmp_path):
    path = tmp_path / "half adder.aag"
    path.write_text("aag 7 2 0 2 3\n2\n4\n6\n12\n6 13 15\n12 2 4\n14 3 5\ni0 a[0]\ni1 a[1]\no0 s\nc\nby hand\n")
    circuit = read_aiger(path)
    assert [w.name for w in circuit.inputs] == ["a_0", "a_1"] and [w.name for w in circuit.outputs] == ["s", "o1"]
    assert simulate(circuit, [[0, 0], [1, 0], [0, 1], [1, 1]]).tolist() == [[0, 0], [1, 0], [1, 0], [0, 1]]


def test_names_become_unique_identifiers():
    assert [w.name for w in one_bit_words(["3x", "a b", "a[b]", "", "a_b"])] == ["_3x", "a_b", "a_b_1", "_", "a_b_2"]


def test_constants_only(tmp_path):
    b = CircuitBuilder()
    b.input("x", 2)
    b.output("y", [1, 0, 1])
    circuit = read_aiger(write_aiger(b.build(), tmp_path / "k.aig"))
    assert circuit.n_nodes == 0 and simulate(circuit, [[2]]).tolist() == [[5]]


@pytest.mark.parametrize("binary", [True, False])
def test_truncation_at_every_byte_of_the_logic_is_noticed(tmp_path, binary):
    path = write_aiger(random_circuit(3, nodes=8), tmp_path / "c.aig", binary=binary)
    data = path.read_bytes()
    for end in range(0, data.index(b"i0 ") - 1):
        path.write_bytes(data[:end])
        with pytest.raises(FormatError, match="cannot be read as an AIGER file"):
            read_aiger(path)


@pytest.mark.parametrize(("text", "says"), [
    ("aag 2 1 1 1 0\n2\n4 2\n4\n", "latches"),
    ("aag 1 1 0 1 0 1\n2\n2\n2\n", "properties"),
    ("aag 3 1 0 1 2\n2\n4\n4 6 2\n6 4 2\n", "depends on itself"),
    ("aag 3 1 0 1 1\n2\n6\n6 4 2\n", "nowhere defined"),
    ("aag 2 1 0 1 1\n2\n4\n2 1 1\n", "defined twice"),
    ("aag 1 2 0 0 0\n", "does not add up"),
    ("aig 1 1 0 1 0\n9\n", "not defined"),
    ("aig 2 1 0 1 1\n4\n\x00\x00", "does not come before"),
    ("aig 1 1 0 1 0\n2\ni7 x\n", "names no input"),
    ('aig 1 1 0 1 0\n2\nc\nhardwire {"name": "x", "labels": [], "inputs": [], "outputs": []}\n', "differ in number"),
    ("aig x\n", "'x' is no whole number"),
    ("BLIF", "it ends early"),
    ("BLIF\n", "not with aig"),
])
def test_damage_is_told_in_one_sentence(tmp_path, text, says):
    path = tmp_path / "bad.aig"
    path.write_bytes(text.encode("latin1"))
    with pytest.raises(FormatError, match=says) as caught:
        read_aiger(path)
    assert "\n" not in str(caught.value)


def test_a_missing_file(tmp_path):
    with pytest.raises(InputError, match="cannot read"):
        read_aiger(tmp_path / "none.aig")


def test_random_bytes_never_raise_anything_else(tmp_path):
    data = write_aiger(random_circuit(4, nodes=30), tmp_path / "c.aig").read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(data)
        for place in rng.integers(0, len(data), 3):
            damaged[place] = rng.integers(256)
        (tmp_path / "d.aig").write_bytes(damaged)
        try:
            circuit = read_aiger(tmp_path / "d.aig")
        except FormatError:
            continue
        simulate_bits(circuit, np.zeros((1, circuit.n_input_bits), dtype=bool))


def test_aigverse_reads_what_is_written(tmp_path):
    io, algorithms = pytest.importorskip("aigverse.io"), pytest.importorskip("aigverse.algorithms")
    circuit = random_circuit(5)
    network = io.read_aiger_into_aig(str(write_aiger(circuit, tmp_path / "c.aig")))
    io.write_aiger(algorithms.aig_cut_rewriting(network), str(tmp_path / "d.aig"))
    again = read_aiger(tmp_path / "d.aig")
    bits = np.random.default_rng(0).random((200, circuit.n_input_bits)) < 0.5
    assert np.array_equal(simulate_bits(again, bits), simulate_bits(circuit, bits))


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_aigverse_reads_the_same_graph(tmp_path, seed, binary):
    """A second reader: the same inputs, conjunctions and outputs, literal by literal.

    It is not a replacement: it crashes on an ASCII file whose conjunctions do not stand in topological order.
    """
    io = pytest.importorskip("aigverse.io")
    path = write_aiger(random_circuit(seed), tmp_path / "c.aig", binary=binary)
    file = parse_aiger(path)
    network = (io.read_aiger_into_aig if binary else io.read_ascii_aiger_into_aig)(str(path))
    literal = {0: 0, **{node: 2 * v for v, node in enumerate([*network.pis(), *network.gates()], 1)}}
    gates = [sorted((literal[s.index] ^ s.complement for s in network.fanins(node)), reverse=True)
             for node in network.gates()]
    outputs = [literal[s.index] ^ s.complement for s in network.pos()]
    assert network.num_pis == file.n_inputs
    assert gates == file.fanin.tolist() and outputs == file.outputs.tolist()
