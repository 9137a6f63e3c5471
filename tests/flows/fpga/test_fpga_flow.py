"""The whole flow, with programs in the place of nextpnr; Yosys is real."""

import json

import pytest
from flow_cases import classifier
from fpga_cases import REPORT, fake_nextpnr

from hardwire.core import programs
from hardwire.core.errors import InputError, MissingToolError, ToolError
from hardwire.core.verdict import Verdict
from hardwire.flows.fpga import flow, self_test
from hardwire.flows.fpga.devices import find_place
from hardwire.flows.fpga.flow import fpga_flow
from hardwire.flows.fpga.nextpnr import version_of

CIRCUIT = classifier(words=8, count=9)
#: What the fake reports as reached: more than the first run asks for, less than the second one does.
PLACED = "Info: Max frequency for clock: 250.00 MHz (PASS at 100.00 MHz)"


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """Make nextpnr-ecp5 a program that does ``text``; the cache of passed self-tests is empty."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(self_test, "_passed", {})
    version_of.cache_clear()

    def make(text="", **options):
        version_of.cache_clear()
        path = fake_nextpnr(tmp_path, text, **options)
        monkeypatch.setenv("HARDWIRE_NEXTPNR_ECP5", str(path))
        return path

    yield make
    version_of.cache_clear()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One folder for all, so that synthesis runs once."""
    return tmp_path_factory.mktemp("flow")


def runs(tmp_path):
    return (tmp_path / "runs").read_text().count("run")


def test_a_circuit_is_routed_and_kept(fake, folder, tmp_path):
    fake(report=REPORT | {"fmax": {"clk": {"achieved": 250.0}}})
    said = []
    result = fpga_flow(CIRCUIT, "ecp5", folder=folder, progress=said.append)
    entry = result.to_json()
    assert entry["status"] == "routed" and entry["verified"] == "proved" and entry["netlists"] == {"synthesised": "proved", "routed": "proved"}
    assert entry["clock_mhz"]["reached"] == 250.0 and entry["cells"] == {"TRELLIS_COMB": 7, "TRELLIS_FF": 5}
    assert entry["latency"]["ns"] == pytest.approx(entry["latency"]["cycles"] * 4.0) and entry["throughput_per_s"] == 250e6
    assert sum(entry["stages"].values()) == entry["cover"]["cells"] + entry["stages"]["wrapper"] and entry["flip_flops"] > 20
    assert entry["tools"]["nextpnr"] == "nextpnr-ecp5 9.9" and entry["tools"]["yosys"].startswith("Yosys 0.")
    assert len(entry["critical_path"]) == 2 and (folder / entry["files"]["log"]).is_file() and "bitstream" not in entry["files"]
    first, second = entry["runs"]
    assert first["asked"] < 250 and second["asked"] == pytest.approx(275) and runs(tmp_path) == 3 and said
    again = fpga_flow(CIRCUIT, "ecp5", folder=folder)
    assert runs(tmp_path) == 3 and again.status == "routed" and again.clock_mhz == result.clock_mhz
    fpga_flow(CIRCUIT, "ecp5", folder=folder, seed=5, clock=111.0, pipeline=2)
    assert runs(tmp_path) == 4


@pytest.mark.parametrize("text, options, status, reason", [
    ("echo ERROR: no way; exit 2", {}, "failed: ", "nextpnr-ecp5 ended with exit code 2"),
    ("exit 0", {}, "failed: ", "wrote no"),
    ("", {"log": PLACED}, "placed", "its log does not say 'Routing complete'")])
def test_what_is_not_routed(fake, folder, monkeypatch, text, options, status, reason):
    monkeypatch.setattr(flow, "self_test", lambda *a, **k: {"yosys": "Yosys 0.70", "nextpnr": "9.9"})
    fake(text, **options)
    entry = fpga_flow(CIRCUIT, "ecp5", folder=folder, clock=100.0, pipeline=2, fresh=False, seed=10 + len(reason)).to_json()
    assert entry["status"].startswith(status) and reason in entry["status"] + (entry["why"] or "")
    assert entry["verified"] == "proved" and entry["clock_mhz"] in (None, {"asked": 100.0, "reached": None})
    assert entry["throughput_per_s"] is None and entry["latency"]["ns"] is None and len(entry["runs"]) == 1


def test_a_lower_frequency_is_asked_for_after_a_failure(fake, folder, monkeypatch):
    monkeypatch.setattr(flow, "self_test", lambda *a, **k: {"yosys": "Yosys 0.70", "nextpnr": "9.9"})
    fake("case \"$*\" in *route1*) exit 1 ;; esac")
    first, second = fpga_flow(CIRCUIT, "ecp5", folder=folder, seed=77).runs[:2]
    assert "exit code 1" in first["failed"] and second["asked"] == pytest.approx(0.6 * first["asked"]) and second["reached"] == 123.5


def test_too_large_is_said_before_synthesis(fake, tmp_path, monkeypatch):
    monkeypatch.setattr(flow, "self_test", lambda *a, **k: {})
    fake()
    place = find_place("ecp5", None)
    small = type(place)(type(place.device)("ecp5", "tiny", ("A",), {"TRELLIS_COMB": 10, "TRELLIS_FF": 10}, ()), "A")
    monkeypatch.setattr(flow, "find_place", lambda *a: small)
    entry = fpga_flow(CIRCUIT, "ecp5", folder=tmp_path / "flow").to_json()
    assert (entry["status"] == "too large" and "take --device 12k" in entry["why"]) or "take --device 25k" in entry["why"]
    assert entry["verified"] == "skipped: no netlist was written" and not (tmp_path / "flow" / "core.v").exists()


def test_another_netlist_is_no_result(fake, tmp_path, folder, monkeypatch):
    """nextpnr writes another function than it read."""
    monkeypatch.setattr(flow, "self_test", lambda *a, **k: {"yosys": "Yosys 0.70", "nextpnr": "9.9"})
    fake()
    real = flow.read_routed
    swapped = CIRCUIT.with_(output_nets=CIRCUIT.output_nets[::-1].copy())
    monkeypatch.setattr(flow, "read_routed", lambda *a: type(real(*a))(swapped, 1, {}, 0, {}))
    entry = fpga_flow(CIRCUIT, "ecp5", folder=folder, seed=99, clock=100.0, pipeline=2).to_json()
    assert entry["status"].startswith("failed: the netlist that was routed is not circuit") and entry["verified"] == "refuted"


def test_samples_take_over_where_a_proof_does_not_end(fake, tmp_path, folder, monkeypatch, rng):
    monkeypatch.setattr(flow, "self_test", lambda *a, **k: {"yosys": "Yosys 0.70", "nextpnr": "9.9"})
    monkeypatch.setattr(flow, "prove", lambda a, b, timeout: Verdict("unknown", detail="too hard") if timeout <= flow.PROOF and a is CIRCUIT else Verdict("proved"))
    fake()
    codes = CIRCUIT.codes(rng.integers(0, 4, (360, 8)).astype("uint8"))
    assert str(fpga_flow(CIRCUIT, "ecp5", folder=folder, samples=codes, clock=100.0, pipeline=2).verified) == "simulated 360 samples"


# ----------------------------------------------------------------------------------------------------------- the self-test


def test_two_gates_come_first_and_once(fake, tmp_path, monkeypatch):
    place = find_place("ecp5", None)
    fake("exit 9")
    with pytest.raises(ToolError, match="exit code 9"):
        self_test.self_test(place, timeout=60)
    fake()
    tools = self_test.self_test(place, timeout=60)
    assert tools["nextpnr"] == "nextpnr-ecp5 9.9" and runs(tmp_path) == 2
    assert self_test.self_test(place, timeout=60) == tools and runs(tmp_path) == 2
    monkeypatch.setattr(self_test, "_passed", {})
    assert self_test.self_test(place, timeout=60) == tools and runs(tmp_path) == 2  # the cache on disk
    kept, = (tmp_path / "cache" / "hardwire" / "self-tests").iterdir()
    assert json.loads(kept.read_text())["value"] == tools


def test_a_broken_tool_is_named_before_the_flow(fake, tmp_path):
    fake("exit 9")
    entry = fpga_flow(CIRCUIT, "ecp5", folder=tmp_path / "flow").to_json()
    assert entry["status"].startswith("failed: nextpnr-ecp5 ended with exit code 9") and not (tmp_path / "flow" / "core.v").exists()


def test_absent_tools(tmp_path, monkeypatch):
    monkeypatch.setattr(programs, "find", lambda tool: None)
    with pytest.raises(MissingToolError, match=r"nextpnr-ecp5 was not found: install the extra `hardwire\[fpga\]`"):
        fpga_flow(CIRCUIT, "ecp5", folder=tmp_path)


@pytest.mark.parametrize("options, sentence", [
    ({"target": "fpga"}, "target 'fpga' is none of ice40, ecp5"), ({"clock": 0.0}, "--clock 0: give 1 to 2000 MHz"),
    ({"pipeline": -1}, "--pipeline -1: give 0 or more"), ({"device": "x"}, "ecp5 has no device 'x'")])
def test_mistakes(tmp_path, options, sentence):
    with pytest.raises(InputError, match=sentence):
        fpga_flow(CIRCUIT, **{"target": "ecp5"} | options, folder=tmp_path)
