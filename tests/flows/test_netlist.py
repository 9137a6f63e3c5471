"""A circuit as plain Verilog, and netlists back as circuits."""

import numpy as np
import pytest
from helpers import check_same, random_circuit, sample_bits

from hardwire.circuit import CircuitBuilder
from hardwire.circuit.circuit import FALSE, TRUE
from hardwire.core.errors import ToolError
from hardwire.flows import netlist as flow
from hardwire.flows.netlist import Ports, check_netlist, mapped_area, needed, plain_verilog, read_netlist
from hardwire.flows.yosys import run_yosys

TO_GATES = ["read_verilog -sv top.v", "synth -top top -flatten -noabc", "opt_clean", "write_blif out.blif"]


def through(circuit, folder, *, joined=False, commands=TO_GATES, cells=None):
    ports = Ports(circuit, joined=joined)
    (folder / "top.v").write_text(plain_verilog(circuit, ports))
    run_yosys(commands, folder, produces=["out.blif"])
    return read_netlist(folder / "out.blif", circuit, ports, cells)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("joined", [False, True])
def test_text_and_netlist_are_the_circuit(tmp_path, rng, seed, joined):
    circuit = random_circuit(np.random.default_rng(seed), max_arity=6)
    back = through(circuit, tmp_path, joined=joined)
    check_same(circuit, back, sample_bits(rng, circuit))
    assert check_netlist(circuit, back).status == "proved"


def test_names_and_words_of_every_kind(tmp_path, rng):
    """Keywords, names of inner nets, words of one bit and of many, outputs that are inputs or constants."""
    b = CircuitBuilder("n7", labels=("a", "b"))
    words = [b.input(name, width, offset=1.5, step=0.5) for name, width in (("wire", 3), ("n5", 1), ("top", 2), ("x_0", 1))]
    net = b.xor(words[0][2], words[1][0])
    b.node(0b0110, words[2][1], net)  # nothing reads it
    b.output("reg", [net, words[2][0], FALSE, TRUE])
    b.output("x", net)
    circuit = b.build()
    assert len(needed(circuit)) == 1 + 3
    back = through(circuit, tmp_path)
    check_same(circuit, back, sample_bits(rng, circuit))


def test_cells_stand_for_their_functions(tmp_path, tiny, library, small, rng):
    commands = [*TO_GATES[:-1], f"abc -liberty {tiny}", "opt_clean", "write_blif out.blif", "tee -q -o s.json stat -json -liberty tiny.lib"]
    (tmp_path / "tiny.lib").write_text(tiny.read_text())
    back = through(small, tmp_path, commands=commands, cells=library.cells)
    check_same(small, back, sample_bits(rng, small))
    taken = mapped_area(tmp_path / "s.json", library)
    assert set(taken.cells) <= set(library.cells) and taken.ge == pytest.approx(taken.area / 3)
    assert taken.area == pytest.approx(sum(n * library.cells[c].area for c, n in taken.cells.items()))
    with pytest.raises(ToolError, match="whose function is not known"):
        read_netlist(tmp_path / "out.blif", small, Ports(small), {})


def test_gates_that_are_left_are_no_area(tmp_path, library, small):
    (tmp_path / "top.v").write_text(plain_verilog(small, Ports(small)))
    run_yosys([*TO_GATES, "tee -q -o s.json stat -json"], tmp_path, produces=["out.blif", "s.json"])
    with pytest.raises(ToolError, match="does not have: the mapping has failed"):
        mapped_area(tmp_path / "s.json", library)


def test_an_area_that_is_not_the_cells(tmp_path, library, monkeypatch):
    monkeypatch.setattr(flow, "read_statistics", lambda path: {"num_cells_by_type": {"NAND": 2}, "area": 7.0})
    with pytest.raises(ToolError, match="its cells sum to 6"):
        mapped_area(tmp_path / "s.json", library)


def test_other_ports_are_refused(tmp_path, small):
    through(small, tmp_path)
    with pytest.raises(ToolError, match="other ports"):
        read_netlist(tmp_path / "out.blif", small, Ports(small, joined=True))


def test_a_netlist_that_differs_is_refused(small, rng):
    wrong = small.with_(output_nets=small.output_nets[::-1].copy())
    with pytest.raises(ToolError, match="is not circuit 'small'"):
        check_netlist(small, wrong)
    codes = rng.integers(0, 4, (500, 6)).astype(np.uint8)
    with pytest.raises(ToolError, match="samples give another output"):
        check_netlist(small, wrong, codes)
    assert str(check_netlist(small, small, codes)) == "simulated 500 samples"
    assert str(check_netlist(small, wrong, timeout=0)) == "skipped: no proof was asked for"
