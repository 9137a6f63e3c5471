"""BLIF round trips, foreign files, damage."""

import numpy as np
import pytest

from hardwire.circuit import CircuitBuilder
from hardwire.circuit.formats.blif import _rows_table, cover, read_blif, write_blif
from hardwire.circuit.simulate import simulate
from hardwire.core.errors import FormatError, InputError


def random_circuit(seed, nodes=60):
    rng = np.random.default_rng(seed)
    b = CircuitBuilder(f"random {seed}", labels=("a", "b"))
    nets = [0, 1]
    for i, width in enumerate(rng.integers(1, 12, 4).tolist()):
        nets += b.input(f"x{i}", width, offset=-1.5, step=0.5)
    for _ in range(nodes):
        k = int(rng.integers(1, 7))
        table = int.from_bytes(rng.bytes(8), "little") & ((1 << (1 << k)) - 1)
        nets.append(b.node(table, *rng.choice(nets, k).tolist()))
    b.output("y", rng.choice(nets, 9).tolist())
    b.output("z", [nets[-1]])
    return b.build()


@pytest.mark.parametrize("seed", range(5))
def test_round_trip_keeps_words_tables_and_function(tmp_path, seed):
    circuit = random_circuit(seed)
    again = read_blif(write_blif(circuit, tmp_path / "c.blif"))
    assert (again.inputs, again.outputs, again.labels, again.name) == (
        circuit.inputs, circuit.outputs, circuit.labels, circuit.name)
    assert again.n_nodes <= circuit.n_nodes
    rng = np.random.default_rng(0)
    x = np.stack([rng.integers(0, 1 << w, 300) for w in circuit.input_widths], axis=1)
    assert np.array_equal(simulate(again, x), simulate(circuit, x))


@pytest.mark.parametrize("k", range(1, 7))
def test_a_cover_spells_its_table(k):
    rng = np.random.default_rng(k)
    full = (1 << (1 << k)) - 1
    tables = range(full + 1) if k <= 3 else [int.from_bytes(rng.bytes(8), "little") & full for _ in range(30)]
    for table in tables:
        rows = cover(table, k)
        assert _rows_table(rows, k) == table
        assert all(_rows_table(rows[:i] + rows[i + 1 :], k) != table for i in range(len(rows)))


FOREIGN = r"""# made by another tool
.model adder   # a comment
.inputs a \
  b
.inputs c[0]
.outputs s carry one zero wide same
.names t c[0] s
10 1
01 1
.names a b t    # used before it is defined
00 0
11 0
.names a b c[0] carry
11- 1
1-1 1
-11 1
.names one
1
.names zero
.names a b c[0] t a b c[0] wide
1111111 0
000---- 0
.names a same
1 1
.end
"""


def test_a_foreign_file(tmp_path):
    path = tmp_path / "f.blif"
    path.write_text(FOREIGN)
    circuit = read_blif(path)
    assert circuit.name == "adder" and [w.name for w in circuit.inputs] == ["a", "b", "c_0"]
    x = np.array([[m & 1, m >> 1 & 1, m >> 2] for m in range(8)])
    total = x.sum(axis=1)
    t = x[:, 0] ^ x[:, 1]
    wide = 1 - ((total == 0) | ((total == 3) & (t == 1)))
    due = np.stack([total & 1, total >> 1, np.ones(8), np.zeros(8), wide, x[:, 0]], axis=1)
    assert np.array_equal(simulate(circuit, x), due)


@pytest.mark.parametrize(("old", "new", "says"), [
    (".end", "", "truncated"),
    (".names zero", ".latch a zero 0", "latch"),
    (".names zero", ".subckt other x=a", "subckt"),
    ("11- 1", "11 1", "does not fit"),
    ("11- 1", "11x 1", "does not fit"),
    ("11- 1", "11- 0", "does not fit"),
    ("11- 1", "11- 2", "does not fit"),
    (".names zero", ".names one", "driven twice"),
    (".names zero", ".names a b", "driven twice"),
    (".names zero", "", "nowhere defined"),
    (".names t c[0] s", ".names s c[0] s", "depends on itself"),
    (".names t c[0] s", ".names s2 c[0] s", "nowhere defined"),
    (".model adder", "1 1\n.model adder", "no directive"),
    (".inputs c[0]", ".inputs c[0] c[0]", "twice"),
])
def test_damage_is_told_in_one_sentence(tmp_path, old, new, says):
    path = tmp_path / "bad.blif"
    assert old in FOREIGN
    path.write_text(FOREIGN.replace(old, new, 1))
    with pytest.raises(FormatError, match=says) as caught:
        read_blif(path)
    assert "\n" not in str(caught.value)


def test_truncation_anywhere_is_noticed(tmp_path):
    path = write_blif(random_circuit(1, nodes=10), tmp_path / "c.blif")
    text = path.read_text()
    for end in range(0, len(text) - 1, 7):
        path.write_text(text[:end])
        with pytest.raises(FormatError, match="cannot be read as a BLIF file"):
            read_blif(path)


def test_an_input_named_like_an_output_is_refused(tmp_path):
    b = CircuitBuilder()
    b.output("x", b.input("x", 2))
    with pytest.raises(InputError, match="rename one"):
        write_blif(b.build(), tmp_path / "c.blif")
