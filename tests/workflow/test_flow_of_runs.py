"""Where the result of a flow is kept: beside its files, in the run's notes and in its record."""

import json

import numpy as np
import pytest
from helpers import trained_like
from records import minimal_record

from hardwire.circuit import save_circuit
from hardwire.cli.score import flow_lines
from hardwire.core.errors import FormatError, InputError
from hardwire.runs.directory import RunDirectory
from hardwire.runs.record import Record
from hardwire.workflow import flow
from hardwire.workflow.flow import flow_circuit
from hardwire.workflow.scores import score_circuit

ENTRY = {
    "target": "ecp5", "status": "routed", "device": "25k", "package": "CABGA381", "tools": {"nextpnr": "nextpnr-ecp5 9.9"},
    "verified": "proved", "seconds": 12.5, "files": {"netlist": "netlist.json"}, "cells": {"TRELLIS_COMB": 7},
    "capacity": {"TRELLIS_COMB": 24288}, "stages": {"encoder": 1, "network": 2, "head": 3, "wrapper": 1}, "flip_flops": 9,
    "clock_mhz": {"asked": 100.0, "reached": 123.5}, "latency": {"cycles": 3, "ns": 24.3}, "throughput_per_s": 123.5e6,
    "critical_path": [{"from": "a", "to": "b", "stage": "head", "logic_ns": 0.5, "routing_ns": 2.0}], "library": None}


@pytest.fixture
def circuit():
    return trained_like(np.random.default_rng(0), words=4, layers=1, width=8, classes=2)


@pytest.fixture
def asked(monkeypatch):
    """Requests that reached a flow, which answers with ``ENTRY``."""
    requests = []

    def answer(circuit, request):
        requests.append(request)
        return type("Result", (), {"to_json": lambda self: dict(ENTRY)})()

    monkeypatch.setattr(flow, "TARGETS", dict.fromkeys(flow.TARGETS, answer))
    return requests


def test_a_bare_circuit(circuit, asked, tmp_path):
    path = save_circuit(circuit, tmp_path / "a.net")
    entry = flow_circuit(path, target="ecp5", device="85k", clock=50.0, pipeline=2)
    assert entry == ENTRY | {"digest": circuit.digest}
    assert json.loads((tmp_path / "a.net.flow" / "ecp5" / "flow.json").read_text()) == entry
    request, = asked
    assert (request.target, request.device, request.clock, request.pipeline) == ("ecp5", "85k", 50.0, 2)
    assert request.folder == tmp_path / "a.net.flow" / "ecp5" and request.samples is None


def test_samples(circuit, asked, tmp_path):
    path = save_circuit(circuit, tmp_path / "a.net")
    x = np.random.default_rng(1).integers(0, 16, (5, 4)).astype(np.uint8)
    np.save(tmp_path / "x.npy", x)
    flow_circuit(path, target="ice40", samples=str(tmp_path / "x.npy"))
    assert np.array_equal(asked[0].samples, circuit.codes(x))


def test_a_run_notes_it_and_its_record_holds_it(circuit, asked, tmp_path):
    save_circuit(circuit, tmp_path / "optimized.net")
    Record.of(minimal_record()).save(tmp_path / "report.json")
    flow_circuit(tmp_path, target="ecp5")
    flow_circuit(tmp_path, target="liberty:cells/tiny.lib.xz")
    flows = Record.load(tmp_path).to_json()["flows"]
    assert flows == {"ecp5": ENTRY | {"digest": circuit.digest}, "liberty-tiny": ENTRY | {"digest": circuit.digest}}
    assert RunDirectory(tmp_path).steps()["flow"]["flows"] == flows
    assert asked[1].argument == "cells/tiny.lib.xz" and asked[1].folder == tmp_path / "flow" / "liberty-tiny"


@pytest.mark.parametrize("options, sentence", [
    ({"target": "fpga"}, "target 'fpga' is none of ice40, ecp5, gowin, xilinx, liberty:FILE"),
    ({"dataset": "digits", "samples": "x.npy"}, "--dataset and --input both give samples"),
    ({"timeout": 0.0}, "--timeout 0: give seconds above 0"), ({"target": "liberty"}, "target liberty needs a library"),
    ({"target": "liberty:a.lib", "device": "25k"}, "a cell library has no --device"),
    ({"target": "ecp5:a.lib"}, "target ecp5 takes no file")])
def test_mistakes(circuit, tmp_path, options, sentence):
    path = save_circuit(circuit, tmp_path / "a.net")
    with pytest.raises(InputError, match=sentence):
        flow_circuit(path, **{"target": "ecp5"} | options)


@pytest.mark.parametrize("change, place", [
    ({"status": "done"}, "status"), ({"status": "failed: "}, "status"), ({"verified": "fine"}, "verified"), ({"seconds": -1}, "seconds"),
    ({"clock_mhz": {"reached": "fast"}}, "clock_mhz.reached"), ({"critical_path": [{"to": "b"}]}, r"critical_path\[0\].from"),
    ({"cells": {"LUT": 1.5}}, "cells.LUT")])
def test_what_a_record_refuses(change, place):
    with pytest.raises(FormatError, match=f"flows.ecp5.{place} is"):
        Record.of(minimal_record() | {"flows": {"ecp5": ENTRY | change}})


def test_score_reads_what_is_of_this_circuit(circuit, asked, tmp_path):
    path = save_circuit(circuit, tmp_path / "c.net")
    flow_circuit(path, target="ecp5")
    data = score_circuit(path)
    assert set(data["flows"]) == {"ecp5"} and data["flows"]["ecp5"]["clock_mhz"]["reached"] == 123.5
    assert any("123.5 MHz" in line for line in flow_lines(data))
    save_circuit(trained_like(np.random.default_rng(1), words=4, layers=1, width=8, classes=2), path)
    assert "flows" not in score_circuit(path)
    (tmp_path / "c.net.flow" / "ecp5" / "flow.json").write_text("{}")
    with pytest.raises(FormatError, match="holds no result of a flow"):
        score_circuit(path)
