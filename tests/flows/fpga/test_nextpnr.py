"""nextpnr absent, failing, hanging, lying and writing nonsense: each told apart in one sentence."""

import copy

import pytest
from fpga_cases import REPORT, fake_nextpnr

from hardwire.core.errors import MissingToolError, ToolError
from hardwire.flows.fpga import nextpnr
from hardwire.flows.fpga.devices import find_place
from hardwire.flows.fpga.nextpnr import Routed, read_report, route, stage_of, version_of

PLACE = find_place("ecp5", None)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Make a fake nextpnr and run it once."""

    def call(text="", *, timeout=20.0, progress=lambda text: None, **options):
        monkeypatch.setenv("HARDWIRE_NEXTPNR_ECP5", str(fake_nextpnr(tmp_path, text, **options)))
        (tmp_path / "netlist.json").write_text("{}")
        return route(PLACE, tmp_path, "route1", netlist="netlist.json", asked=100.0, seed=3, pins=None, timeout=timeout,
                     progress=progress)

    return call


def test_a_routed_design(run, tmp_path):
    done = run('echo "$@" > arguments')
    assert done == Routed(100.0, 123.5, {"TRELLIS_COMB": 7, "TRELLIS_FF": 5}, {"TRELLIS_COMB": 24288, "TRELLIS_FF": 24288}, [
        {"from": "core.input_3_r0", "to": "core.network_9", "stage": "network", "logic_ns": 0.5, "routing_ns": 2.0},
        {"from": "core.network_9", "to": "core.head_11_r2", "stage": "head", "logic_ns": 0.375, "routing_ns": 1.0}], done.seconds)
    arguments = (tmp_path / "arguments").read_text()
    assert "--25k --package CABGA381 --json netlist.json" in arguments and "--freq 100.00 --seed 3" in arguments
    assert (tmp_path / "route1" / "nextpnr.log").read_text() == "Info: Routing complete.\n"


def test_absent(tmp_path, monkeypatch):
    monkeypatch.setenv("HARDWIRE_NEXTPNR_ECP5", str(tmp_path / "nowhere"))
    with pytest.raises(MissingToolError, match=r"HARDWIRE_NEXTPNR_ECP5 names .* which is not a program"):
        route(PLACE, tmp_path, "route1", netlist="n", asked=1.0, seed=1, pins=None, timeout=5, progress=print)


def without(key):
    report = copy.deepcopy(REPORT)
    del report[key]
    return report


@pytest.mark.parametrize("options, sentence", [
    ({"text": "echo ERROR: too many cells; exit 3"}, r"nextpnr-ecp5 ended with exit code 3; it said: ERROR: too many cells$"),
    ({"text": "sleep 60", "timeout": 0.4}, "nextpnr-ecp5 did not finish within 0.4 s"),
    ({"text": "exit 0"}, "nextpnr-ecp5 wrote no .*routed.config"),
    ({"result": ""}, "nextpnr-ecp5 wrote no .*routed.config"),
    ({"report": ""}, "nextpnr-ecp5 wrote no .*report.json"),
    ({"log": "Info: Max frequency for clock: 250.00 MHz (PASS at 100.00 MHz)"},
     "ended without an error, but its log does not say 'Routing complete': the design is placed at most"),
    ({"report": "all is well"}, "wrote a report that cannot be read"),
    ({"report": without("fmax")}, "wrote a report that cannot be read"),
    ({"report": REPORT | {"fmax": {}}}, "wrote a report that cannot be read"),
    ({"report": REPORT | {"fmax": {"clk": {"achieved": "fast"}}}}, "wrote a report that cannot be read"),
    ({"report": REPORT | {"fmax": {"clk": {"achieved": 0.0}}}}, "reports 0 MHz with 12 cells"),
    ({"report": REPORT | {"utilization": {}}}, "reports 123.5 MHz with 0 cells"),
])
def test_what_is_no_result(run, options, sentence):
    with pytest.raises(ToolError, match=sentence) as failed:
        run(**options)
    assert "\n" not in str(failed.value)


def test_a_result_of_an_earlier_run_does_not_count(run, tmp_path):
    run()
    with pytest.raises(ToolError, match="wrote no"):
        run("exit 0")


def test_progress_is_the_last_line_of_the_log(run, monkeypatch):
    monkeypatch.setattr(nextpnr, "PAUSE", 0.1)
    said = []
    run("echo 'Info: half of   the way' > route1/nextpnr.log; sleep 0.5", progress=said.append)
    assert said and said[0].endswith("s, half of the way") and said[0].startswith("nextpnr-ecp5: ")


def test_versions(tmp_path, monkeypatch):
    version_of.cache_clear()
    try:
        monkeypatch.setenv("HARDWIRE_NEXTPNR_ECP5", str(fake_nextpnr(tmp_path)))
        assert version_of("ecp5") == "nextpnr-ecp5 9.9"
        version_of.cache_clear()
        monkeypatch.setenv("HARDWIRE_NEXTPNR_ECP5", str(fake_nextpnr(tmp_path, version="hello")))
        with pytest.raises(ToolError, match="prints no version but 'hello'"):
            version_of("ecp5")
    finally:
        version_of.cache_clear()


def test_a_routed_design_of_unknown_frequency(run):
    """As of Gowin: the log says that nothing was timed, and the report has no frequency."""
    done = run(report=REPORT | {"fmax": {}, "critical_paths": []}, log="Info: Routing complete. No Fmax available; no paths")
    assert done.reached is None and done.critical_path == [] and done.used["TRELLIS_COMB"] == 7


def test_a_report_without_paths(tmp_path):
    path = tmp_path / "report.json"
    path.write_text('{"fmax": {"c": {"achieved": 5}, "d": {"achieved": 4}}, "utilization": {"LUT": {"available": 9, "used": 1}}}')
    assert read_report(path, "nextpnr") == (4.0, {"LUT": 1}, {"LUT": 9}, [])


@pytest.mark.parametrize("cell, stage", [("core.network_9", "network"), ("core.head_11_r2", "head"), ("core.encoder_7_0", "encoder"),
                                         ("core.input_3_r0", "wrapper"), ("wrapper.head_1", "wrapper"), ("$auto$1", "wrapper")])
def test_stages_of_cells(cell, stage):
    assert stage_of(cell) == stage
