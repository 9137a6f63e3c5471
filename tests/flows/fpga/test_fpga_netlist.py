"""Instances through Yosys and back: the same function, every path as many clocks, each stage counted."""

import json

import numpy as np
import pytest
from fpga_cases import write_sources
from helpers import check_same, sample_bits

from hardwire.circuit import CircuitBuilder
from hardwire.core.errors import ToolError
from hardwire.flows.fpga.estimates import combinational, demand
from hardwire.flows.fpga.netlist import core_verilog, read_inputs
from hardwire.flows.fpga.pipeline import pipeline
from hardwire.flows.fpga.primitives import FAMILIES, widened
from hardwire.flows.fpga.readback import read_netlist, read_routed
from hardwire.flows.fpga.synthesis import NETLIST, synthesise
from hardwire.verify import prove


def synthesised(folder, covered, target, **options):
    circuit, cover, pipelined = covered(target, **options)
    write_sources(folder, pipelined, target)
    assert synthesise(target, folder, timeout=120).startswith("Yosys 0.")
    return circuit, cover, pipelined, read_netlist(folder / NETLIST, circuit, read_inputs(cover.circuit), pipelined.latency)


def check(circuit, cover, pipelined, netlist, target):
    assert prove(circuit, netlist.circuit).status == "proved"
    cells = demand(target, cover, pipelined)
    assert sum(netlist.tables.values()) == cover.cells + netlist.tables["wrapper"]
    assert netlist.tables["head"] and not netlist.tables["encoder"]
    assert netlist.flip_flops == pipelined.flip_flops + len(read_inputs(cover.circuit)) + len(pipelined.outputs)
    return cells


def test_ice40(covered, tmp_path):
    circuit, cover, pipelined, netlist = synthesised(tmp_path, covered, "ice40")
    cells = check(circuit, cover, pipelined, netlist, "ice40")
    assert max(netlist.kinds["SB_LUT4"], netlist.flip_flops) <= cells["ICESTORM_LC"] <= netlist.kinds["SB_LUT4"] + netlist.flip_flops


def test_ecp5_wide_tables(covered, tmp_path):
    """Tables of five and six inputs are two and four of four inputs and multiplexers."""
    circuit, cover, pipelined, netlist = synthesised(tmp_path, covered, "ecp5", k=6)
    cells = check(circuit, cover, pipelined, netlist, "ecp5")
    assert netlist.kinds["PFUMX"] and netlist.kinds["L6MUX21"]
    assert cells == {"TRELLIS_COMB": netlist.kinds["LUT4"], "TRELLIS_FF": netlist.kinds["TRELLIS_FF"]}
    assert demand("gowin", cover, pipelined)["LUT4"] >= cells["TRELLIS_COMB"] + len(read_inputs(cover.circuit))


@pytest.mark.slow
@pytest.mark.parametrize("target", ["ecp5", "gowin", "xilinx"])
def test_other_families(covered, tmp_path, target):
    check(*synthesised(tmp_path, covered, target), target)


@pytest.mark.slow
def test_copies_of_registers_stay(tmp_path, covered):
    circuit, cover, _ = covered("ecp5")
    pipelined = pipeline(cover.circuit, levels=2, input_registers=1, fan_out=3)
    write_sources(tmp_path, pipelined, "ecp5")
    synthesise("ecp5", tmp_path, timeout=120)
    netlist = read_netlist(tmp_path / NETLIST, circuit, read_inputs(cover.circuit), pipelined.latency)
    check(circuit, cover, pipelined, netlist, "ecp5")
    assert pipelined.flip_flops > pipeline(cover.circuit, levels=2, input_registers=1).flip_flops


# ----------------------------------------------------------------------------------------- netlists that are written here


def cell(kind, connections, **parameters):
    return {"type": kind, "parameters": parameters, "connections": {pin: [bit] for pin, bit in connections.items()}}


def design(folder, cells, *, x=(2, 3), y=(9,)):
    path = folder / NETLIST
    nets = {"core.x": {"bits": list(x)}, "core.y": {"bits": list(y)}}
    path.write_text(json.dumps({"modules": {"top": {"cells": cells, "netnames": nets}}}))
    return path


def gate(table=0b0111):
    b = CircuitBuilder("two")
    (x,), (y,) = b.input("a"), b.input("b")
    b.output("o", [b.node(table, x, y)])
    return b.build()


NAND = cell("SB_LUT4", {"I0": 2, "I1": 3, "I2": "0", "I3": "0", "O": 8}, LUT_INIT="0111011101110111")
REGISTER = cell("SB_DFF", {"C": 7, "D": 8, "Q": 9})


def test_a_netlist_is_its_tables(tmp_path, rng):
    path = design(tmp_path, {"core.network_4": NAND, "core.network_4_r0": REGISTER, "$wrapper": cell("SB_DFF", {"C": 7, "D": 5, "Q": 2})})
    netlist = read_netlist(path, gate(), [0, 1], 1)
    check_same(gate(), netlist.circuit, sample_bits(rng, gate()))
    assert netlist.tables == {"encoder": 0, "network": 1, "head": 0, "wrapper": 0} and netlist.flip_flops == 2
    assert netlist.kinds == {"SB_DFF": 2, "SB_LUT4": 1}


MIXED = cell("SB_LUT4", {"I0": 2, "I1": 6, "I2": "0", "I3": "0", "O": 8}, LUT_INIT="0" * 15 + "1")


@pytest.mark.parametrize("cells, latency, sentence", [
    ({"t": NAND, "r": REGISTER}, 2, "comes after 1 clocks where 2 are due"),
    ({"t": MIXED, "q": cell("SB_DFF", {"D": 3, "Q": 6}), "r": REGISTER}, 1, r"cell t of the netlist mixes samples of 2 clocks \(\[0, 1\]\)"),
    ({"t": NAND}, 1, "bit 9 of the netlist's core has no table and no flip-flop behind it"),
    ({"t": cell("SB_MAC16", {"A": 2, "O": 8}), "r": REGISTER}, 1, "bit 8 .* no table"),
    ({"t": cell("SB_LUT4", {"I0": 9, "O": 9}, LUT_INIT="01")}, 0, "cell t of the netlist depends on itself"),
    ({"t": cell("SB_LUT4", {"I0": 2, "O": 9}, LUT_INIT="0x12")}, 0, "has LUT_INIT '0x12', which is no table"),
])
def test_netlists_that_are_wrong(tmp_path, cells, latency, sentence):
    with pytest.raises(ToolError, match=sentence):
        read_netlist(design(tmp_path, cells), gate(), [0, 1], latency)


@pytest.mark.parametrize("text, sentence", [
    ("", "is no netlist of module top"), ("{}", "is no netlist"), ("[1]", "is no netlist"),
    ('{"modules": {"top": {"cells": {}, "netnames": {}}}}', "has no net core.x")])
def test_files_that_are_no_netlist(tmp_path, text, sentence):
    (tmp_path / NETLIST).write_text(text)
    with pytest.raises(ToolError, match=f"netlist.json {sentence}"):
        read_netlist(tmp_path / NETLIST, gate(), [0, 1], 1)


LC = {"CARRY_ENABLE": "0", "DFF_ENABLE": "1", "LUT_INIT": "0111011101110111"}


def packed(folder, cells, names):
    path = folder / "routed.json"
    path.write_text(json.dumps({"modules": {"top": {"cells": cells, "netnames": {n: {"bits": [b]} for n, b in names.items()}}}}))
    return path


@pytest.mark.parametrize("cells", [
    {"core.network_4_LC": cell("ICESTORM_LC", {"I0": 21, "I1": 22, "O": 23}, **LC)},
    {"core.network_4": cell("TRELLIS_COMB", {"A": 21, "B": 22, "F": 30}, INITVAL="0111011101110111"), "r": cell("TRELLIS_FF", {"DI": 30, "Q": 23})},
    {"core.network_4": cell("TRELLIS_COMB", {"A": 21, "F1": 31, "M": 22, "OFX": 30}, INITVAL="1" * 16),
     "core.network_4_1": cell("TRELLIS_COMB", {"A": 21, "F": 31}, INITVAL="01" * 8), "r": cell("TRELLIS_FF", {"M": 30, "Q": 23})},
], ids=["ice40", "ecp5", "ecp5 with a multiplexer"])
def test_a_routed_netlist(tmp_path, cells):
    """Bits are met by any name that they had before."""
    before = design(tmp_path, {"core.network_4": NAND, "r": REGISTER})
    text = json.loads(before.read_text())
    text["modules"]["top"]["netnames"]["top_x"] = {"bits": [2, 3]}
    before.write_text(json.dumps(text))
    path = packed(tmp_path, cells, {"top_x[0]": 21, "core.x[1]": 22, "core.y[0]": 23})
    netlist = read_routed(path, before, gate(), [0, 1], 1)
    assert prove(gate(), netlist.circuit).status == "proved" and netlist.flip_flops == 1
    assert netlist.tables["network"] == len([c for c in cells.values() if "FF" not in c["type"]])
    with pytest.raises(ToolError, match=r"routed.json has no net core.x\[1\]"):
        read_routed(packed(tmp_path, cells, {"top_x[0]": 21, "core.y[0]": 23}), before, gate(), [0, 1], 1)


def test_a_carry_is_not_read(tmp_path):
    with pytest.raises(ToolError, match="has a carry, which is not read"):
        read_netlist(design(tmp_path, {"t": cell("ICESTORM_LC", {"O": 9}, **LC | {"CARRY_ENABLE": "1"})}), gate(), [0, 1], 1)


def test_another_function_is_refuted(tmp_path):
    netlist = read_netlist(design(tmp_path, {"t": NAND, "r": REGISTER}), gate(), [0, 1], 1)
    assert prove(gate(0b0110), netlist.circuit).status == "refuted"


def test_constants_have_no_clock(tmp_path):
    b = CircuitBuilder("constant")
    b.input("a"), b.input("b")
    b.output("o", [1, 2])
    circuit = b.build()
    one = cell("SB_LUT4", {"I0": "1", "I1": "0", "I2": "0", "I3": "0", "O": 9}, LUT_INIT="10")
    netlist = read_netlist(design(tmp_path, {"t": one, "r": cell("SB_DFF", {"D": 2, "Q": 10})}, y=(9, 10)), circuit, [0, 1], 1)
    assert prove(circuit, netlist.circuit).status == "proved"


def test_only_inputs_that_matter_are_wired(rng):
    b = CircuitBuilder("few")
    words = [b.input(f"x{i}", 8) for i in range(5)]
    b.output("o", [b.and_(words[1][7], words[3][0])])
    circuit = b.build()
    assert read_inputs(circuit) == [15, 24]
    text = core_verilog(combinational(circuit), FAMILIES["ice40"])
    assert "input wire [1:0] x" in text and ".I0(x[0]), .I1(x[1])" in text and "SB_DFF" not in text
    assert "the 2 input bits that an output depends on, of 40" in text


@pytest.mark.parametrize("table, k", [(0b10, 1), (0b0110, 2), (0xE8, 3), (0x1234, 4)])
def test_widened(table, k):
    wide = widened(table, k, 4)
    assert all(wide >> i & 1 == table >> i % (1 << k) & 1 for i in range(16)) and wide < 1 << 16


@pytest.mark.parametrize("k", [5, 6])
def test_wide_tables_of_ecp5_are_their_function(k, tmp_path):
    """The lines for one table, read as cells: what an instance is wired to, by pin."""
    rng = np.random.default_rng(k)
    table = int(rng.integers(0, 1 << 63)) & (1 << (1 << k)) - 1
    b = CircuitBuilder("wide")
    nets = [b.input(f"x{i}")[0] for i in range(k)]
    b.output("o", [b.node(table, *nets)])
    circuit, bits = b.build(), {f"x[{i}]": 2 + i for i in range(k)} | {"1'b0": "0"}
    cells = {}
    for line in FAMILIES["ecp5"].table(table, [f"x[{i}]" for i in range(k)], "y", "network_1"):
        if line.startswith("wire"):
            continue
        head, pins = line[:-2].rsplit(" (", 1)
        wired = dict(pin.strip(" .)").split("(", 1) for pin in pins.split(", "))
        init = {"INIT": f"{int(head.split(chr(39) + 'h')[1].split(')')[0], 16):016b}"} if "INIT" in head else {}
        cells[head.split()[-1]] = cell(head.split()[0], {pin: bits.setdefault(net.rstrip(")"), 100 + len(bits)) for pin, net in wired.items()}, **init)
    netlist = read_netlist(design(tmp_path, cells, x=range(2, 2 + k), y=[bits["y"]]), circuit, range(k), 0)
    assert len([c for c in cells.values() if c["type"] == "LUT4"]) == FAMILIES["ecp5"].tables_of[k - 1]
    assert prove(circuit, netlist.circuit).status == "proved"
