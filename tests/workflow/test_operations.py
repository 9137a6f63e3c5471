"""The methods of a circuit, which packages above its own carry out."""

import pickle

import numpy as np
import pytest

from hardwire.circuit import CircuitBuilder
from hardwire.circuit.simulate import simulate
from hardwire.core.errors import InputError
from hardwire.workflow.circuits import TARGETS


def comparison(least):
    b = CircuitBuilder("comparison", labels=("low", "high"))
    x, y = b.input("x", 3), b.input("y", 3)
    both = [b.node(0b1000, p, q) for p, q in zip(x, y)]
    twice = [b.node(0b1000, q, p) for p, q in zip(x, y)]
    b.output("class_index", b.node(least, b.node(0b0110, both[0], both[1]), b.node(0b1110, twice[0], twice[2])))
    return b.build()


def test_a_circuit_runs_is_optimised_and_proved():
    circuit = comparison(0b0111)
    x = np.stack(np.meshgrid(np.arange(8), np.arange(8)), -1).reshape(-1, 2)
    best = circuit.optimize()
    for computed in (circuit(x), circuit.run(x), best(x), circuit.optimize("O1").run(x)):
        assert np.array_equal(computed, simulate(circuit, x))
    assert best.n_nodes < circuit.optimize("O0").n_nodes == circuit.n_nodes
    assert circuit.prove(best).status == "proved" and circuit.prove(comparison(0b0110)).status == "refuted"


@pytest.mark.parametrize("target", ["c", "verilog", "blif", "aiger"])
def test_a_circuit_is_emitted(tmp_path, target):
    main, *_ = comparison(0b0111).emit(target, tmp_path / "out")
    assert main.is_file() and main.stem == "comparison"


def test_options_and_mistakes(tmp_path):
    circuit = comparison(0b0111)
    with pytest.raises(InputError, match=f"target 'pdf' is none of {', '.join(TARGETS[:2])}"):
        circuit.emit("pdf", tmp_path)
    with pytest.raises(InputError, match="c has no registers"):
        circuit.emit("c", tmp_path, pipeline=1)
    with pytest.raises(InputError, match="level 'O9' is none of O0, O1, O2"):
        circuit.optimize("O9")


def test_an_engine_is_no_part_of_what_is_kept():
    circuit = comparison(0b0111)
    circuit(np.zeros((1, 2), np.uint8))
    again = pickle.loads(pickle.dumps(circuit))
    assert "_engine" in vars(circuit) and "_engine" not in vars(again) and again.digest == circuit.digest
    assert "_engine" not in vars(circuit.with_(name="other"))
