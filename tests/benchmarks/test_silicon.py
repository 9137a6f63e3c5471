"""The benchmark of routed circuits refuses what is not routed, not proved, or another function."""

from types import SimpleNamespace

import numpy as np
import pytest
from helpers import trained_like

from benchmarks import silicon
from benchmarks.framework import RefusedError
from hardwire.circuit import save_circuit
from hardwire.circuit.engine.packed import PackedEngine
from hardwire.core.verdict import Verdict


@pytest.fixture
def case(tmp_path, monkeypatch):
    """A circuit in a file, samples that it classifies right but for one, and a flow that answers ``said``."""
    circuit = trained_like(np.random.default_rng(2))
    path = tmp_path / "circuit.net"
    save_circuit(circuit, path)
    x = np.random.default_rng(3).integers(0, 16, (40, len(circuit.inputs))).astype(np.uint8)
    y = PackedEngine(circuit)(x)[:, 0].astype(np.int64)
    y[0] ^= 1
    split = SimpleNamespace(x=x, y=y)
    said = {"status": "routed", "verified": "proved", "clock_mhz": {"reached": 210.0}, "files": {}, "runs": [],
            "latency": {"cycles": 9, "ns": 42.9}}
    scores = SimpleNamespace(luts=50, stages={}, depth=9, accuracy=39 / 40)
    monkeypatch.setattr(silicon, "load_dataset", lambda *args, **keys: SimpleNamespace(train=split, validation=split, test=split))
    monkeypatch.setattr(silicon, "fpga_flow", lambda *args, **keys: SimpleNamespace(to_json=lambda: said))
    monkeypatch.setattr(silicon, "lut_score", lambda *args: scores)
    monkeypatch.setattr(silicon, "BITS", 4)
    return path, said


def ask(path):
    return silicon.figures(lambda text: None, run=str(path), small=str(path), out=str(path.parent / "out"))


def test_what_is_reported(case):
    figures = ask(case[0])
    routed = figures["routed"]
    assert (routed["hard"], routed["reached_mhz"], routed["latency_ns"]) == (39 / 40, 210.0, 42.9)
    assert routed["same_as_searched_on_images"] == 120 and routed["macros"] == "proved"
    assert figures["head_8000"]["lut-depth"]["levels"] < figures["head_8000"]["depth"]["levels"]


@pytest.mark.parametrize("change", [{"status": "placed"}, {"verified": "unknown: 1 of 4 pairs"}, {"verified": "simulated 40"}])
def test_a_red_check_is_refused(case, change):
    case[1].update(change)
    with pytest.raises(RefusedError, match="netlist"):
        ask(case[0])


def test_another_function_is_refused(case, monkeypatch):
    monkeypatch.setattr(silicon, "prove", lambda *args, **keys: Verdict("unknown", detail="too long"))
    with pytest.raises(RefusedError, match="macros"):
        ask(case[0])


def test_another_class_is_refused(case, monkeypatch):
    real = silicon.with_head

    def wrong(circuit, goal):
        made = real(circuit, goal)
        return made.with_(output_nets=made.output_nets[::-1].copy())

    monkeypatch.setattr(silicon, "with_head", wrong)
    monkeypatch.setattr(silicon, "prove", lambda *args, **keys: Verdict("proved"))
    with pytest.raises(RefusedError, match="differently"):
        ask(case[0])
