"""The verb ``flow``: what it prints, its exit code."""

import json

import pytest
from cli_cases import gate

from hardwire.circuit import save_circuit
from hardwire.cli.flow import lines
from hardwire.workflow import flow

ENTRY = {
    "target": "ice40", "status": "routed", "device": "hx8k", "package": "ct256", "tools": {"nextpnr": "nextpnr-ice40 9.9"},
    "verified": "proved", "seconds": 12.4, "files": {}, "cells": {"ICESTORM_LC": 768, "SB_GB": 0}, "capacity": {"ICESTORM_LC": 7680},
    "stages": {"network": 2, "head": 3}, "clock_mhz": {"asked": 100.0, "reached": 125.0}, "latency": {"cycles": 3, "ns": 24.0},
    "throughput_per_s": 125e6, "critical_path": [
        {"from": "a", "to": "b", "stage": "network", "logic_ns": 1.0, "routing_ns": 4.0}, {"from": "b", "to": "c", "stage": "head", "logic_ns": 1.0, "routing_ns": 2.0}]}
LIBRARY = {"target": "liberty", "status": "mapped", "library": "sky130", "tools": {}, "verified": "proved", "seconds": 1.0, "files": {},
           "ge": 1234.5, "area_um2": 4634.0, "delay_ps": {"own": 900.0, "opensta": None}, "energy_pj": {"zero_delay": 1.5}}


@pytest.fixture
def answered(monkeypatch, tmp_path):
    """The verb on a circuit of one gate, with a flow that answers ``entry``."""

    def call(ask, entry, *more, code=0):
        monkeypatch.setattr(flow, "TARGETS", dict.fromkeys(flow.TARGETS, lambda c, r: type("R", (), {"to_json": lambda self: dict(entry)})()))
        return ask("flow", save_circuit(gate("AND"), tmp_path / "a.net"), "--target", "ice40", *more, code=code)

    return call


def test_a_routed_design(ask, answered):
    assert answered(ask, ENTRY)[0].splitlines() == [
        "ice40 hx8k ct256: routed, 12 s", "cells          ICESTORM_LC 768 of 7,680 (10%)", "tables         network 2; head 3",
        "clock          125.0 MHz (100 asked); latency 3 clocks = 24.0 ns; 125,000,000 samples a second",
        "critical path  8.00 ns, 75% routing, through network, head", "netlist        proved", "tools          nextpnr-ice40 9.9"]
    assert json.loads(answered(ask, ENTRY, "--json")[0])["cells"] == ENTRY["cells"]


@pytest.mark.parametrize("status", ["placed", "too large", "failed: nextpnr-ice40 wrote no report"])
def test_what_is_not_routed(ask, answered, status):
    nothing = dict.fromkeys(("cells", "stages", "clock_mhz", "latency", "throughput_per_s", "critical_path"))
    out = answered(ask, ENTRY | nothing | {"status": status, "why": "so"}, code=2)[0].splitlines()
    assert out == [f"ice40 hx8k ct256: {status}, 12 s", "why            so", "netlist        proved", "tools          nextpnr-ice40 9.9"]


def test_a_refuted_netlist_ends_with_1(ask, answered):
    answered(ask, ENTRY | {"status": "failed: the netlist is another", "verified": "refuted"}, code=1)


def test_a_library():
    assert lines(LIBRARY) == ["liberty sky130: mapped, 1 s", "area           1,234.5 GE; 4,634.0 um2", "delay          own 900.0 ps",
                              "energy         zero_delay 1.5 pJ", "netlist        proved"]


def test_an_unknown_target(refuse, tmp_path):
    path = save_circuit(gate("AND"), tmp_path / "a.net")
    assert "target 'vhdl' is none of" in refuse(tmp_path, "flow", path, "--target", "vhdl")
