import hashlib

import numpy as np
import pytest
from helpers import random_circuit, trained_like

from hardwire.circuit import CircuitBuilder, Macro, Word, load_circuit, save_circuit
from hardwire.circuit.formats.aiger import read_aiger, write_aiger
from hardwire.circuit.formats.blif import read_blif, write_blif
from hardwire.circuit.text import canonical_text
from hardwire.core.errors import FormatError, InputError
from hardwire.flows.adders import with_columns
from hardwire.passes.structural_hashing import hash_structurally
from hardwire.verify import prove


def small():
    b = CircuitBuilder("small", labels=("cat", "a dog", "", "ünï digest x"))
    x = b.input("x", 2, offset=-0.1, step=1e-7)
    y = b.node(0xE8, *x, 1)
    b.macro("ge", x, [y], 3)
    b.output("y", [y, b.node(0b01, y)])
    return b.build()


def same(a, b):
    for name in ("name", "inputs", "outputs", "macros", "labels", "digest"):
        assert getattr(a, name) == getattr(b, name), name
    for name in ("fanin", "table", "arity", "stage", "output_nets"):
        one, other = getattr(a, name), getattr(b, name)
        assert one.dtype == other.dtype and np.array_equal(one, other), name


def test_the_text(tmp_path):
    c = small()
    assert save_circuit(c, tmp_path / "small.net").read_text(encoding="utf-8") == f"""\
hardwire-net 1
name small
label cat
label a dog
label {''}
label ünï digest x
input x 2 -0.1 1e-07
nodes 2
1 e8 2 3 1
1 1 4
macro ge 3 2 3 : 4
output y 4 5
digest {c.digest}
"""


@pytest.mark.parametrize("case", range(8))
def test_round_trip(tmp_path, case):
    rng = np.random.default_rng(case)
    c = [small, lambda: CircuitBuilder("nothing").build(), lambda: trained_like(rng)][case]() if case < 3 else \
        random_circuit(rng, max_arity=case - 2)
    same(load_circuit(save_circuit(c, tmp_path / "deep" / "er" / "c.net")), c)
    assert not list(tmp_path.rglob("*.part"))


def test_outputs_may_carry_a_scale(tmp_path):
    plain, scaled = (CircuitBuilder("scales") for _ in range(2))
    for b in (plain, scaled):
        b.input("x", 2)
        b.output("a", [2, 3])
    plain.output("b", 3)
    scaled.output("b", 3, offset=-2.5, step=np.float64(0.1))
    one, other = plain.build(), scaled.build()
    assert canonical_text(one).endswith("output a 2 3\noutput b 3\n")
    assert canonical_text(other).endswith("output a 2 3\noutput b 3 : -2.5 0.1\n")
    assert other.text().endswith("output b[1] = x[1]  # value = -2.5 + 0.1 * code\n")
    for suffix, save, load in (("net", save_circuit, load_circuit), ("aig", write_aiger, read_aiger),
                               ("blif", write_blif, read_blif)):
        again = load(save(other, tmp_path / f"c.{suffix}"))
        assert again.outputs == other.outputs == (Word("a", 2), Word("b", 1, -2.5, 0.1)), suffix
    assert other.values([[3, 1], [0, 0]]).tolist() == [[3, -2.4], [0, -2.5]]
    for aside in (hash_structurally(other), with_columns(other)[0], other.with_(name="other")):
        assert aside.outputs == other.outputs
    with pytest.raises(InputError, match=r"output .* is "):
        prove(one, other)


def test_names_and_labels_with_odd_separators(tmp_path):
    c = small().with_(name="a\u2028b\x0bc", labels=("x\x85y", "  spaced  ", "digest 00"))
    same(load_circuit(save_circuit(c, tmp_path / "c.net")), c)


def test_the_digest_changes_with_any_change():
    c = small()
    other = [c.with_(name="other"), c.with_(labels=("cat",)), c.with_(table=c.table ^ np.uint64(1)),
             c.with_(stage=c.stage * 0),
             c.with_(output_nets=c.output_nets[::-1]), c.with_(macros=()), c.with_(fanin=c.fanin[:, [1, 0, 2]]),
             c.with_(macros=(Macro("ge", (2, 3), (4,), 2),)),
             c.with_(inputs=(c.inputs[0].__class__("x", 2, -0.1, 2e-7),)),
             c.with_(outputs=(c.outputs[0].__class__("z", 2),)), c.with_(labels=("cat a dog", "", "ünï digest x"))]
    assert len({c.digest, *(o.digest for o in other)}) == len(other) + 1


def test_every_truncation_and_many_alterations_are_found(tmp_path, rng):
    path = save_circuit(small(), tmp_path / "c.net")
    whole = path.read_bytes()
    for end in range(len(whole) - 1):  # the last byte is the end of the line
        path.write_bytes(whole[:end])
        with pytest.raises(FormatError):
            load_circuit(path)
    for place in range(15, len(whole) - 1):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(FormatError) as error:
            load_circuit(path)
        assert str(path) in str(error.value) and "\n" not in str(error.value)


def test_a_file_with_windows_line_ends_is_read(tmp_path):
    path = save_circuit(small(), tmp_path / "c.net")
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    same(load_circuit(path), small())


def signed(text):
    return f"hardwire-net 1\n{text}digest {hashlib.sha256(text.encode()).hexdigest()}\n"


@pytest.mark.parametrize("old, new, message", [
    ("nodes 2", "nodes two", "cannot be read as a circuit"),
    ("nodes 2", "nodes 1", "cannot be read as a circuit"),
    ("nodes 2", "knots 2", "begins with 'knots'"),
    ("nodes 2", "nodes 9", "."),
    ("1 e8 2 3 1", "1 e8 2 3 99999999999", "cannot be read as a circuit"),
    ("1 e8 2 3 1", "1 e8e8e8e8e8e8e8e8e8 2 3 1", "cannot be read as a circuit"),
    ("1 e8 2 3 1", "1", "cannot be read as a circuit"),
    ("1 e8 2 3 1", "1 e8", "no 1 to"),
    ("1 e8 2 3 1", "7 e8 2 3 1", "belongs to no stage"),
    ("1 e8 2 3 1", "-1 e8 2 3 1", "."),
    ("1 e8 2 3 1", "1 e8 2 3 4", "does not come before it"),
    ("1 e8 2 3 1", "1 e8 " + "2 " * 300, "."),
    ("1 1 4", "1 4 4", "table wider"),
    ("input x 2", "input x 99", "width 99"),
    ("input x 2", "input x", "cannot be read as a circuit"),
    ("macro ge 3 2 3 : 4", "macro ge 3 2 3", "cannot be read as a circuit"),
    ("macro ge 3 2 3 : 4", "macro le 3 2 3 : 4", "a le macro"),
    ("output y 4 5", "output y 4 77", "a net that does not exist"),
    ("output y 4 5", "output y", "width 0"),
])
def test_a_signed_file_with_wrong_content(tmp_path, old, new, message):
    path = tmp_path / "c.net"
    text = canonical_text(small())
    assert text.count(old) == 1
    path.write_text(signed(text.replace(old, new)), encoding="utf-8")
    with pytest.raises(FormatError, match=message) as error:
        load_circuit(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content, message", [
    (b"", "is not a hardwire-net file"),
    (b"aag 1 1 0 1 0\n", "is not a hardwire-net file"),
    (b"hardwire-net 2\nname x\n", "has format version 2, this program reads 1"),
    (b"hardwire-net\n", "has format version"),
    (b"\xff\xfe\x00\x01", "is not a text file"),
])
def test_foreign_files(tmp_path, content, message):
    path = tmp_path / "c.net"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=message):
        load_circuit(path)


def test_missing_and_unwritable(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot read .*none\.net: No such file or directory; check the path"):
        load_circuit(tmp_path / "none.net")
    with pytest.raises(InputError, match="cannot read"):
        load_circuit(tmp_path)
    for path in (tmp_path / "file" / "c.net", tmp_path):
        with pytest.raises(InputError, match=r"cannot write .*; choose a folder that can be written"):
            save_circuit(small(), path)
    assert [p.name for p in tmp_path.iterdir()] == ["file"] and not list(tmp_path.parent.glob("*.part"))


def test_an_existing_file_is_replaced_whole(tmp_path):
    path = save_circuit(small(), tmp_path / "c.net")
    other = small().with_(name="other")
    save_circuit(other, path)
    same(load_circuit(path), other)
