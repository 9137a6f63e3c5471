"""A circuit's name and words may come from a stranger's file: whatever they say, files are written into the folder given."""

import hashlib

import pytest

from hardwire.circuit import CircuitBuilder, load_circuit
from hardwire.circuit.formats.aiger import read_aiger, write_aiger
from hardwire.circuit.text import canonical_text
from hardwire.core.errors import InputError
from hardwire.verify import read_emitted
from hardwire.workflow.circuits import TARGETS, emit_circuit

NAMES = ["../escaped", "/tmp/hardwire-escaped", "..", ".", "a/../../escaped", "~/escaped", "con\\..\\..\\escaped", "-o", "$(id)",
         "`id`", "a;b", "a\"b", "a*/b", "é" * 300, "x" * 4096, ""]


def circuit(name):
    b = CircuitBuilder(name, labels=("../label", "*/ system(0);", "`include \"/etc/passwd\""))
    b.output("y", b.node(0b0111, *b.input("x", 2)))
    return b.build()


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_no_path(tmp_path, name, target):
    content = canonical_text(circuit(name))
    file = tmp_path / "stranger.net"
    file.write_text(f"hardwire-net 1\n{content}digest {hashlib.sha256(content.encode()).hexdigest()}\n", encoding="utf-8")
    folder = tmp_path / "deep" / "out"
    files = emit_circuit(load_circuit(file), target, folder)
    assert files and all(f.resolve().is_relative_to(folder.resolve()) and f.is_file() and len(f.name) < 130 for f in files)
    assert {p for p in tmp_path.rglob("*") if p.is_file()} == {file, *files}


def test_names_that_are_identifiers_stay(tmp_path):
    for target, suffix in (("aiger", "aig"), ("blif", "blif"), ("c", "c"), ("verilog", "v")):
        assert emit_circuit(circuit("mnist_small"), target, tmp_path)[0].name == f"mnist_small.{suffix}"


def test_the_name_of_a_foreign_file_can_be_printed(tmp_path):
    path = tmp_path / "a\x1b[2J \udcff b.aig"
    path.write_bytes(b"aig 1 1 0 1 0\n2\n")
    assert read_aiger(path).name == "a_[2J___b"


@pytest.mark.parametrize("stem", ["a; exec -- id", "a\nexec -- id", "a b", "1", "a.b"])
def test_a_file_name_that_a_script_would_obey_is_no_module(tmp_path, stem):
    path = tmp_path / f"{stem}.v"
    path.write_text("module a(input x, output y); assign y = x; endmodule\n")
    with pytest.raises(InputError, match="is no name of a module"):
        read_emitted(path, like=circuit("a"))


def test_words_survive_a_foreign_format_that_has_them(tmp_path):
    again = read_aiger(write_aiger(circuit("../x"), tmp_path / "x.aig"))
    assert again.name == "../x" and emit_circuit(again, "aiger", tmp_path)[0] == tmp_path / "___x.aig"
