"""The open board's script."""

import numpy as np
import pytest
from flow_cases import classifier
from libraries import SKY130

from hardwire.circuit import CircuitBuilder
from hardwire.circuit.simulate import simulate
from hardwire.core.errors import InputError, ToolError
from hardwire.core.gates import TABLE
from hardwire.flows import board
from hardwire.flows.board import OPT, board_commands, board_score, is_board_shaped
from hardwire.flows.netlist import Ports, plain_verilog


def test_the_script_is_the_boards():
    r = "balance;rewrite;refactor;balance;rewrite;rewrite,-z;balance;refactor,-z;rewrite,-z;balance"
    assert f"strash;{r};dc2;{r};resub,-K,8;dc2;{r};map" == OPT
    commands = board_commands("sky.lib", nand=False)
    commands.remove("design -save plain")
    assert commands[:6] == ["read_verilog -sv top.v", "synth -top top -flatten -noabc", "opt -full",
                            f"abc -liberty sky.lib -script +{OPT}", "opt_clean",
                            "tee -q -o mapped.json stat -json -liberty sky.lib"]
    assert f"abc -g NAND -script +{OPT}" in board_commands("sky.lib")


def test_the_ports_are_the_boards():
    b = CircuitBuilder("mnist")
    words = [b.input(f"x{p}", 8) for p in range(784)]
    b.output("class_index", [b.and_(words[783][7], words[1][0]), words[0][3], 0, 1])
    circuit = b.build()
    text = plain_verilog(circuit, Ports(circuit, joined=is_board_shaped(circuit)))
    assert text.startswith("module top(input [6271:0] pix, output [3:0] cls);\n")
    assert "pix[6271] & pix[8]" in text and "assign cls[1] = pix[3];" in text
    assert not is_board_shaped(classifier())


def test_a_score(small, tiny, library, rng):
    x = rng.integers(0, 4, (2000, 6)).astype(np.uint8)
    y = simulate(small, x)[:, 0].astype(np.int64)
    y[:500] = (y[:500] + 1) % 3
    score = board_score(small, tiny, x, y)
    assert score.accuracy == 0.75 and score.version.startswith("Yosys 0.")
    assert {k: str(v) for k, v in score.verified.items()} == dict.fromkeys(("mapped", "nand"), "simulated 2000 samples")
    assert score.ge == pytest.approx(score.area / 3) and set(score.cells) <= set(library.cells)
    assert score.area == pytest.approx(sum(n * library.cells[c].area for c, n in score.cells.items()))
    proved = board_score(small, library)
    assert (proved.ge, proved.cells, proved.accuracy) == (score.ge, score.cells, None)
    assert {k: str(v) for k, v in proved.verified.items()} == {"mapped": "proved"}


def test_a_nand_is_one_gate_equivalent_and_a_wire_is_none(library):
    b = CircuitBuilder("nand")
    (x,), (y,) = b.input("x"), b.input("y")
    b.output("z", [b.node(TABLE["NAND"], x, y), x])
    score = board_score(b.build(), library)
    assert score.ge == 1.0 and score.cells == {"NAND": 1} and str(score.verified["mapped"]) == "proved"


def test_mistakes(small, library):
    with pytest.raises(InputError, match="give both"):
        board_score(small, library, y_test=np.zeros(3))
    with pytest.raises(InputError, match="input has shape"):
        board_score(small, library, np.zeros((3, 5), np.uint8))


def test_a_wrong_netlist_is_no_score(small, library, monkeypatch):
    wrong = small.with_(output_nets=small.output_nets[::-1].copy())
    monkeypatch.setattr(board, "read_netlist", lambda *a: wrong)
    with pytest.raises(ToolError, match="is not circuit"):
        board_score(small, library)


@pytest.mark.slow
@pytest.mark.skipif(not SKY130.is_file(), reason="shared/liberty/sky130hd_tt.lib.xz is not beside the checkout")
def test_sky130(small):
    """A bound on both sides: a full adder is 5.3 to 9 GE however it is mapped."""
    score = board_score(small, SKY130)
    assert 60 < score.ge < 250 and str(score.verified["mapped"]) == "proved"
