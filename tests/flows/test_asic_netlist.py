"""A mapped netlist as cells: read, written as Verilog and SDC, simulated; toggles against an event-driven simulator."""

import re
import shutil

import numpy as np
import pytest

from hardwire.circuit import CircuitBuilder
from hardwire.circuit.simulate import simulate
from hardwire.core.errors import ToolError
from hardwire.core.programs import IVERILOG, VVP, run
from hardwire.cost.activity import switching
from hardwire.cost.timing import Conditions
from hardwire.flows.asic import simulation
from hardwire.flows.asic.netlist import cell_models, module_name, read_cells, sdc, structural_verilog
from hardwire.flows.netlist import Ports
from hardwire.verify import prove

icarus = pytest.mark.skipif(shutil.which("iverilog") is None, reason="the Debian package iverilog is not installed")


def test_cells_are_the_netlist(mapped, small):
    netlist, cells = mapped
    assert cells.kinds() == netlist.score.cells and cells.area == pytest.approx(netlist.score.area)
    assert str(prove(cells.circuit, small)) == "proved" and str(prove(cells.circuit, netlist.circuit)) == "proved"
    for number, instance in enumerate(cells.instances):
        assert all(net < instance.first for net in instance.inputs)
        assert all((number, pin) in cells.readers[net] for pin, net in enumerate(instance.inputs))


def ends(circuit, timed, blif):
    return read_cells(blif, circuit, Ports(circuit), timed.cells)


@pytest.fixture
def pair():
    b = CircuitBuilder("pair")
    (x,), (y,) = b.input("x"), b.input("y")
    b.output("a", b.gate(0b0111, x, y))
    b.output("b", x)
    return b.build()


HEAD = ".model top\n.inputs x y\n.outputs a b\n.names $false\n.names $true\n1\n.names $undef\n"


def test_wires_constants_and_open_outputs(pair, timed):
    text = HEAD + ".subckt HA A=x B=w CO=n\n.subckt INV A=n Y=m\n.names m a\n1 1\n.names x b\n1 1\n.names $true w\n1 1\n.end\n"
    found = ends(pair, timed, text)
    assert [i.cell.name for i in found.instances] == ["HA", "INV"] and found.instances[0].inputs == (2, 1)
    np.testing.assert_array_equal(simulate(found.circuit, [[0, 0], [1, 0]]), [[1, 0], [0, 1]])
    text = structural_verilog(found, Ports(pair))
    assert "HA g0 (.A(x), .B(1'b1), .S(n" in text and "INV g1 (.A(n" in text and ".Y(a));" in text and "assign b = x;" in text


@pytest.mark.parametrize("lines, part", [
    (".subckt NONE A=x Y=a\n.names x b\n1 1\n", "cell 'NONE'"), (".names x y a\n11 1\n.names x b\n1 1\n", "no cell"),
    (".subckt INV A=a Y=a\n.names x b\n1 1\n", "depends on itself"), (".subckt INV A=q Y=a\n.names x b\n1 1\n", "nowhere defined"),
])
def test_netlists_that_are_refused(pair, timed, lines, part):
    with pytest.raises(ToolError, match=part):
        ends(pair, timed, HEAD + lines + ".end\n")
    with pytest.raises(ToolError, match="other ports"):
        ends(pair, timed, HEAD.replace("x y", "y x") + lines + ".end\n")


def test_constraints():
    text = sdc(Conditions(1e-10, 2e-14), clock=5e-9)
    assert text.splitlines() == [
        "set_units -time ns -capacitance pF", "create_clock -name clk -period 5", "set_input_delay 0 -clock clk [all_inputs]",
        "set_output_delay 0 -clock clk [all_outputs]", "set_input_transition 0.1 [all_inputs]", "set_load 0.02 [all_outputs]"]
    assert "set_max_delay 7 -from [all_inputs] -to [all_outputs]" in sdc(Conditions(), max_delay=7e-9)
    assert "create_clock -name clk -period 8 [get_ports clk]" in sdc(Conditions(), clock=8e-9, clock_port="clk")


@icarus
def test_the_written_netlist_computes_the_circuit(mapped, small, tmp_path, rng):
    netlist, cells = mapped
    (tmp_path / "netlist.v").write_text(structural_verilog(cells, netlist.ports))
    (tmp_path / "cells.v").write_text(cell_models(cells))
    codes = small.codes(rng.integers(0, 4, (100, 6)).astype(np.uint8))
    expected = simulate(small, codes)
    arguments = ["netlist.v", "cells.v"], module_name(small), netlist.ports, codes, tmp_path
    assert str(simulation.check_verilog(small, expected, *arguments)) == "simulated 100 vectors in Icarus Verilog"
    wrong = simulation.check_verilog(small, expected ^ 1, *arguments)
    assert wrong.status == "refuted" and "100 vectors" in wrong.detail
    (tmp_path / "cells.v").write_text(cell_models(cells).replace("module FA", "module FX"))
    assert simulation.check_verilog(small, expected, *arguments).status == "unknown"


def toggles_of(dump):
    """Name -> changes of each scalar in a VCD file after the first vector, which stands for 1,000 ns."""
    names = dict(re.findall(r"\$var \w+ 1 (\S+) (\S+) \$end", dump))
    counts, last = dict.fromkeys(names.values(), 0), {}
    begun = False
    for line in dump.split("$enddefinitions")[1].splitlines():
        begun = begun or (line.startswith("#") and int(line[1:]) >= 1_000_000)
        if line[:1] in "01" and line[1:] in names:
            if begun and last.get(line[1:]) != line[0]:
                counts[names[line[1:]]] += 1
            last[line[1:]] = line[0]
    return counts


@icarus
def test_unit_delay_toggles_are_those_of_icarus(mapped, small, tmp_path, rng):
    netlist, cells = mapped
    codes = small.codes(rng.integers(0, 4, (40, 6)).astype(np.uint8))
    (tmp_path / "netlist.v").write_text(structural_verilog(cells, netlist.ports))
    (tmp_path / "cells.v").write_text(cell_models(cells, delay=1))
    pins = ", ".join(f".x{j}(x[{2 * j + 1}:{2 * j}])" for j in range(6))
    values = "".join(f"x = {sum(int(c) << 2 * j for j, c in enumerate(row))}; #1000;\n" for row in codes)
    (tmp_path / "bench.v").write_text(f"""`timescale 1ns/1ps
module bench; reg [11:0] x; wire [1:0] y;
  {module_name(small)} dut ({pins}, .class_index(y));
  initial begin $dumpfile("toggles.vcd"); $dumpvars(1, dut); {values} $finish; end
endmodule
""")
    run(IVERILOG, ["-g2005", "-o", "x.vvp", "bench.v", "netlist.v", "cells.v"], cwd=tmp_path)
    run(VVP, ["-n", "x.vvp"], cwd=tmp_path, produces=[tmp_path / "toggles.vcd"])
    counts = toggles_of((tmp_path / "toggles.vcd").read_text())
    found = switching(cells.circuit, codes, delay="unit").toggles * 39
    inner = [net for net in range(cells.circuit.first_node, cells.circuit.n_nets) if f"n{net}" in counts]
    assert len(inner) > 30
    assert {net: counts[f"n{net}"] for net in inner} == {net: round(found[net]) for net in inner}
    assert sum(found[inner]) > 1.2 * 39 * switching(cells.circuit, codes).toggles[inner].sum()


def test_a_simulator_that_lies_fails_or_hangs(mapped, small, tmp_path, fake, monkeypatch):
    netlist, _ = mapped
    codes = small.codes(np.zeros((2, 6), np.uint8))
    arguments = small, simulate(small, codes), ["netlist.v"], "small", netlist.ports, codes, tmp_path
    fake("IVERILOG", "exit 3")
    assert "ended with exit code 3" in str(simulation.check_verilog(*arguments))
    fake("IVERILOG", "true")
    assert "wrote no" in str(simulation.check_verilog(*arguments))
    fake("IVERILOG", "touch bench.vvp; echo x > bench.vvp")
    fake("VVP", "printf '00\\n00\\n00\\n00\\n' > outputs.txt")
    assert "and not [1, 3, 3, 0]" in str(simulation.check_verilog(*arguments))
    fake("VVP", "printf 'xx\\n' > outputs.txt")
    assert "undefined bits" in str(simulation.check_verilog(*arguments))
    monkeypatch.setenv("HARDWIRE_IVERILOG", str(tmp_path / "nowhere"))
    verdict = simulation.check_verilog(*arguments)
    assert verdict.status == "skipped" and "HARDWIRE_IVERILOG" in str(verdict)
