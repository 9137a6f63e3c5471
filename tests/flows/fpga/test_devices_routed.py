"""Real place and route of a small circuit on each family whose nextpnr is installed."""

import pytest
from flow_cases import classifier

from hardwire.core.programs import find
from hardwire.flows.fpga.bitstream import PACKERS
from hardwire.flows.fpga.flow import fpga_flow
from hardwire.flows.fpga.nextpnr import TOOLS

CIRCUIT = classifier(words=8, count=9)


@pytest.mark.slow
@pytest.mark.parametrize("target, board, objective", [("ice40", "icebreaker", "area"), ("ecp5", "ulx3s-25f", "depth"), ("gowin", "tang-nano-9k", "area")])
def test_a_board(target, board, objective, tmp_path):
    if find(TOOLS[target]) is None:
        pytest.skip(f"{TOOLS[target].title} is not installed (the extra hardwire[fpga])")
    entry = fpga_flow(CIRCUIT, target, device=board, objective=objective, clock=20.0, folder=tmp_path).to_json()
    assert entry["status"] == "routed", entry["status"]
    assert entry["verified"] == "proved" and entry["netlists"] == {"synthesised": "proved", "routed": "proved"}
    assert sum(entry["stages"].values()) >= 40
    if entry["clock_mhz"]["reached"] is None:  # nextpnr times no path of some Gowin designs
        assert target == "gowin" and "the frequency is unknown" in entry["why"] and entry["latency"]["ns"] is None
    else:
        assert entry["clock_mhz"]["reached"] > 20 and any(arc["stage"] in ("network", "head") for arc in entry["critical_path"])
    assert ("bitstream" in entry["files"]) == (find(PACKERS[target][0]) is not None)
    assert entry["files"].get("bitstream") is None or (tmp_path / entry["files"]["bitstream"]).stat().st_size > 1000
