"""What a circuit file from elsewhere states of its nets is proved before anything computes with it, or is not used."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers import trained_like

import hardwire
from hardwire.circuit import Circuit, CircuitBuilder, Macro, save_circuit
from hardwire.circuit.engine.packed import PackedEngine
from hardwire.circuit.simulate import simulate
from hardwire.cli import app as cli
from hardwire.core.errors import FormatError
from hardwire.passes import map_to_luts
from hardwire.runs.directory import RunDirectory
from hardwire.verify.vectors import vectors
from hardwire.workflow import circuits
from hardwire.workflow.circuits import circuit_of, with_proved_macros


@pytest.fixture(scope="module")
def circuit() -> Circuit:
    return trained_like(np.random.default_rng(0), words=6, layers=2, width=24, classes=3)


def lying(circuit: Circuit, kind: str) -> Circuit:
    """One macro of this kind states what is not so: another value, or other operands."""
    macro = next(m for m in circuit.macros if m.kind == kind)
    wrong = (replace(macro, value=macro.value % 15 + 1) if kind == "ge"
             else replace(macro, inputs=(*macro.inputs[1:], circuit.first_node)))
    return circuit.with_(macros=tuple(wrong if m is macro else m for m in circuit.macros))


@pytest.mark.parametrize("kind", ["ge", "popcount", "argmax"])
def test_a_false_macro_is_refused(circuit, kind, tmp_path, capsys):
    path = save_circuit(lying(circuit, kind), tmp_path / "x.net")
    for read in (hardwire.load_circuit, circuit_of):
        with pytest.raises(FormatError, match=f"x.net states what is not so: an? {kind} onto net [0-9]+ does not hold"):
            read(path)
    np.save(tmp_path / "x.npy", vectors(circuit, 3))
    out = str(tmp_path / "out")
    for argv in (["run", "--input", str(tmp_path / "x.npy")], ["emit", "--to", "c", "--out", out], ["optimize", "-O1"]):
        assert cli.main([argv[0], str(path), *argv[1:]]) == 2
        said = capsys.readouterr()
        assert said.out == "" and "states what is not so" in said.err.splitlines()[-1]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["x.net", "x.npy"]


def test_show_and_verify_take_the_file_as_it_is(circuit, tmp_path, capsys):
    path = save_circuit(lying(circuit, "popcount"), tmp_path / "x.net")
    assert cli.main(["show", str(path), "--full"]) == 0 and "popcount(" in capsys.readouterr().out
    assert circuit_of(path, macros="stated").digest == lying(circuit, "popcount").digest
    assert cli.main(["verify", str(path)]) == 1
    assert any(line.startswith("macros ") and " refuted" in line for line in capsys.readouterr().out.splitlines())


def test_macros_whose_gates_have_another_shape_are_proved(circuit, tmp_path):
    """After technology mapping the inner points of counts are gone."""
    mapped = map_to_luts(circuit, k=4)
    assert mapped.macros
    for one in (circuit, mapped):
        assert hardwire.load_circuit(save_circuit(one, tmp_path / "x.net")).digest == one.digest


def test_macros_that_are_not_proved_in_time_are_left_out(circuit):
    mapped, lines = map_to_luts(circuit, k=4), []
    found = with_proved_macros(mapped, "x.net", seconds=0, progress=lines.append)
    assert len(found.macros) < len(mapped.macros) and len(lines) == 1 and "x.net" in lines[0] and "left out" in lines[0]
    with pytest.warns(UserWarning, match="left out"):
        with_proved_macros(mapped, "x.net", seconds=0)
    codes = vectors(circuit, 300)
    assert (PackedEngine(found)(codes) == simulate(circuit, codes)).all()
    assert with_proved_macros(circuit, "x.net", seconds=0, progress=lines.append).macros == circuit.macros  # by their shape
    assert len(lines) == 1


@pytest.mark.parametrize("kind, value", [("argmax", 3000), ("argmax", 60000), ("popcount", 0)])
def test_macros_beyond_the_size_of_their_circuit_take_no_time(kind, value):
    b = CircuitBuilder("large")
    x = b.input("x", 4)
    b.output("y", [b.and_(x[0], x[1])])
    n = value or 60000
    width = (value - 1).bit_length() if value else n.bit_length()
    large = b.build().with_(macros=(Macro(kind, (x[0],) * n, (b._next - 1,) * width, value),))
    lines, start = [], time.monotonic()
    assert with_proved_macros(large, "x.net", progress=lines.append).macros == () and len(lines) == 1
    assert time.monotonic() - start < 3


@pytest.fixture
def run(circuit, tmp_path) -> Path:
    save_circuit(circuit, tmp_path / "run" / "circuit.net")
    return tmp_path / "run"


@pytest.mark.parametrize("step", [("lower", {}), ("optimize", {}), ("verify", {"verdicts": {"macros": "proved"}})])
def test_a_run_knows_its_circuits(circuit, run, monkeypatch, step):
    RunDirectory(run).note_step(step[0], {"seconds": 1.0, "digest": circuit.digest, **step[1]})
    monkeypatch.setattr(circuits, "with_proved_macros", lambda *_, **__: pytest.fail("it was proved again"))
    for path in (run, run / "circuit.net"):
        assert circuit_of(path).digest == circuit.digest
    assert hardwire.load_circuit(run / "circuit.net").digest == circuit.digest


@pytest.mark.parametrize("values", [{}, {"digest": 3}, {"digest": "0"}, {"verdicts": {"macros": "unknown: why"}}, {"verdicts": 3}])
def test_a_run_that_does_not_know_a_circuit_proves_it(circuit, run, values):
    wrong = lying(circuit, "popcount")
    save_circuit(wrong, run / "circuit.net")
    name = "verify" if "verdicts" in values else "lower"
    RunDirectory(run).note_step(name, {"seconds": 1.0} | ({"digest": wrong.digest} if name == "verify" else {}) | values)
    with pytest.raises(FormatError, match="states what is not so"):
        circuit_of(run)
