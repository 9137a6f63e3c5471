"""A cover as LUT instances, kept and counted by Yosys."""

import re

import numpy as np
import pytest
from flow_cases import classifier
from helpers import check_same, random_circuit, sample_bits

from hardwire.circuit import CircuitBuilder
from hardwire.circuit.circuit import FALSE, TRUE
from hardwire.circuit.simulate import simulate
from hardwire.core.errors import InputError, MissingToolError, ToolError
from hardwire.flows import luts as flow
from hardwire.flows import yosys
from hardwire.flows.luts import COVERS, lut_counts, lut_score, lut_verilog, read_instances
from hardwire.flows.netlist import Ports, read_netlist
from hardwire.flows.yosys import run_yosys

KEPT = ".subckt LUT2 I0=a I1=b O=y\n.cname network_4\n.param INIT 1000\n"


def test_a_score(small, rng):
    x = rng.integers(0, 4, (2000, 6)).astype(np.uint8)
    y = simulate(small, x)[:, 0].astype(np.int64)
    y[:500] = (y[:500] + 1) % 3
    score = lut_score(small, x, y)
    assert score.accuracy == 0.75 and score.version.startswith("Yosys 0.") and str(score.verified) == "simulated 2000 samples"
    assert score.luts == sum(score.sizes.values()) == sum(score.stages.values()) == min(score.alternatives.values())
    assert set(score.sizes) <= {f"LUT{k}" for k in range(1, 7)} and score.stages["head"] and not score.stages["encoder"]
    assert score.luts <= flow.map_to_luts(small).n_nodes and 0 < score.depth < small.depth
    proved = lut_score(small)
    assert (proved.luts, proved.accuracy, str(proved.verified)) == (score.luts, None, "proved")


@pytest.mark.parametrize("seed", range(3))
def test_the_tables_are_those_of_the_tools_own_models(tmp_path, rng, seed):
    """Bits of INIT and pins have the order that Yosys's models of the primitives give them."""
    circuit = random_circuit(np.random.default_rng(seed), max_arity=6)
    ports = Ports(circuit)
    for make in COVERS.values():
        (tmp_path / "top.v").write_text(lut_verilog(make(circuit), ports))
        run_yosys(["read_verilog +/xilinx/cells_sim.v", "read_verilog top.v", "hierarchy -check -top top", "proc", "flatten",
                   "techmap", "opt_clean", "write_blif out.blif"], tmp_path, produces=["out.blif"])
        check_same(circuit, read_netlist(tmp_path / "out.blif", circuit, ports), sample_bits(rng, circuit))


def test_inverters_go_into_tables_and_only_those_of_inputs_are_left():
    b = CircuitBuilder("inverters")
    x, y = b.input("x", 2), b.input("y")
    both = b.and_(b.not_(x[0]), b.not_(y[0]))
    b.output("z", [b.not_(both), b.not_(y[0]), FALSE, TRUE, x[1]])
    score = lut_score(b.build())
    assert score.sizes == {"LUT1": 1, "LUT2": 1} and score.depth == 1 and str(score.verified) == "proved"


def test_a_circuit_without_tables():
    b = CircuitBuilder("wires")
    x = b.input("x", 2)
    b.output("z", [x[1], FALSE])
    score = lut_score(b.build())
    assert (score.luts, score.sizes, score.depth, str(score.verified)) == (0, {}, 0, "proved")


def test_mistakes(small):
    with pytest.raises(InputError, match="give both"):
        lut_score(small, y_test=np.zeros(3))
    with pytest.raises(InputError, match="input has shape"):
        lut_score(small, np.zeros((3, 5), np.uint8))


def test_a_wrong_netlist_is_no_score(small, monkeypatch):
    monkeypatch.setattr(flow, "read_netlist", lambda *a: small.with_(output_nets=small.output_nets[::-1].copy()))
    with pytest.raises(ToolError, match="is not circuit"):
        lut_score(small)


def test_a_table_that_the_tool_changed_is_found(small, monkeypatch):
    """A Yosys that writes one bit of one table otherwise."""

    def changed(text):
        return read_instances(re.sub(r"(INIT [01]*)0$", r"\g<1>1", text, count=1, flags=re.MULTILINE))

    monkeypatch.setattr(flow, "read_instances", changed)
    with pytest.raises(ToolError, match="is not circuit"):
        lut_score(small)


def test_a_count_that_differs_is_no_score(small, monkeypatch):
    monkeypatch.setattr(flow, "lut_counts", lambda path: {"LUT6": 1})
    with pytest.raises(ToolError, match="Yosys counts 1"):
        lut_score(small)


def test_a_tool_that_hangs(small, monkeypatch):
    monkeypatch.setattr(flow, "COMMANDS", ["exec -- sleep 60"])
    with pytest.raises(ToolError, match="did not finish within"):
        lut_score(small, timeout=1.5)


def test_a_cover_that_was_mapped_again_is_refused(tmp_path):
    (tmp_path / "luts.json").write_text('{"design": {"num_cells_by_type": {"LUT6": 3, "$_AND_": 2}}}')
    with pytest.raises(ToolError, match=r"2 cells '\$_AND_'"):
        lut_counts(tmp_path / "luts.json")


@pytest.mark.parametrize("old, new", [("LUT2", "LUT7"), ("1000", "100"), ("1000", "10x0"), ("network_4", "_4_"), ("I1=b ", ""), ("I1", "I2")])
def test_an_instance_that_is_none_of_ours_is_refused(old, new):
    stages, text = read_instances(KEPT)
    assert stages == {"encoder": 0, "network": 1, "head": 0} and text == ".names a b y\n11 1\n"
    with pytest.raises(ToolError, match="no look-up table of ours"):
        read_instances(KEPT.replace(old, new))


def test_without_pyosys(monkeypatch):
    monkeypatch.setattr(yosys, "installed", lambda: False)
    yosys.self_test.cache_clear()
    try:
        with pytest.raises(MissingToolError, match=r"hardwire\[yosys\]"):
            lut_score(classifier())
    finally:
        yosys.self_test.cache_clear()
