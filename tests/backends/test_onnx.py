"""ONNX: what the matrix does not have, and what is said of a file that was emitted."""

import json
import sys

import numpy as np
import pytest

from hardwire.backends.onnx import backend as onnx
from hardwire.backends.onnx.program import program_of
from hardwire.circuit import CircuitBuilder, save_circuit
from hardwire.circuit.simulate import simulate
from hardwire.core.errors import InputError, MissingToolError
from hardwire.runs.directory import RunDirectory
from hardwire.verify.check import run_check
from hardwire.verify.emitted import emitted_checks
from hardwire.verify.vectors import vectors
from hardwire.workflow.emitted import emissions_of, emit_path

pytest.importorskip("onnxruntime")
model_of = pytest.importorskip("onnx").load


def wide():
    """Words of 64 and 12 bits, a constant output, an input passed on and one inverted."""
    b = CircuitBuilder("wide", labels=("no", "yes"))
    x, y = b.input("x", 64), b.input("y", 12, offset=-1.0, step=0.5)
    b.output("sum", [b.node(0b0110, p, q) for p, q in zip(x, [*y, *x[:52]])])
    b.output("constants", [1, 0])
    b.output("wires", [y[3], b.node(0b01, y[4])])
    return b.build()


@pytest.mark.parametrize("samples", [0, 1, 7, 8, 9, 65])
def test_words_of_every_width_and_batches_of_every_length(samples):
    circuit, rng = wide(), np.random.default_rng(0)
    x = np.stack([rng.integers(0, 2**64, samples, np.uint64, endpoint=False), rng.integers(0, 2**12, samples, np.uint64)], 1)
    assert np.array_equal(onnx.run(circuit, x), simulate(circuit, x))


def test_words_of_twelve_bits():
    b = CircuitBuilder("shifted")
    b.output("y", [b.node(0b0111, p, q) for p, q in zip(*[b.input(n, 12) for n in "ab"])])
    circuit, x = b.build(), np.random.default_rng(0).integers(0, 4096, (100, 2))
    assert circuit.input_dtype == np.uint16 and np.array_equal(onnx.run(circuit, x), simulate(circuit, x))


def test_a_model_says_what_its_words_are(tmp_path):
    circuit = wide()
    model = model_of(onnx.emit(circuit, tmp_path)[0])
    said = {row.key: row.value for row in model.metadata_props}
    assert said["digest"] == circuit.digest and json.loads(said["hardwire"])["labels"] == ["no", "yes"]
    assert {n.op_type for n in model.graph.node} >= {"BitwiseXor", "Gather"} and model.opset_import[0].version == 18
    assert onnx.emit(circuit, tmp_path / "again")[0].read_bytes() == (tmp_path / "wide.onnx").read_bytes()


def test_inverters_and_equal_gates_cost_nothing():
    b = CircuitBuilder("c")
    x, y = b.input("x", 2)
    b.output("z", [b.node(0b1000, x, y), b.node(0b0111, x, y), b.node(0b01, x), b.node(0b1001, x, y)])
    levels = program_of(b.build()).levels
    assert [(len(level.ands), len(level.xors)) for level in levels] == [(1, 1)]


def test_what_was_emitted_is_run_and_refuted_where_altered(tmp_path):
    circuit = wide()
    save_circuit(circuit, tmp_path / "circuit.net")
    (main,) = emit_path(tmp_path, "onnx", tmp_path / "out")
    name = "emitted out/wide.onnx in onnxruntime"

    def verdict():
        (emission,) = emissions_of(RunDirectory(tmp_path))
        return run_check(emitted_checks(circuit, emission, vectors(circuit, 50))[name].run)

    assert verdict().status == "simulated"
    main.write_bytes(main.read_bytes() + b"\0")
    assert verdict().status == "refuted"


def test_no_inputs():
    b = CircuitBuilder("constant")
    b.output("y", 1)
    with pytest.raises(InputError, match="circuit 'constant' has no inputs; add one before emitting ONNX"):
        onnx.to_onnx(b.build(), "constant")


@pytest.mark.parametrize("package, what", [("onnx", "writing ONNX"), ("onnxruntime", "running ONNX")])
def test_without_the_extra(monkeypatch, package, what):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingToolError, match=rf"{what} needs {package}, .*run `pip install 'hardwire\[onnx\]'`"):
        onnx.run(wide(), np.zeros((1, 2), np.uint8))
