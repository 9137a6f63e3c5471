"""What engineers ask of a core: buses, clock enable, names, the include file, a clean lint, a bench that says how it went."""

import re
import shutil
import subprocess

import numpy as np
import pytest
from circuits import CIRCUITS, classifier, no_inputs, samples, wide_words

from hardwire.backends.verilog import backend as verilog
from hardwire.backends.verilog.module import design_of
from hardwire.backends.verilog.netnames import NetNames
from hardwire.backends.verilog.pipeline import cut_at_registers, pipelined
from hardwire.circuit import STAGES, CircuitBuilder
from hardwire.circuit.arithmetic import argmax, at_least, popcount
from hardwire.circuit.simulate import simulate
from hardwire.core import programs as tools
from hardwire.core.errors import InputError

icarus = pytest.mark.skipif(
    tools.find(tools.IVERILOG) is None or tools.find(tools.VVP) is None,
    reason="Icarus Verilog was not found: install the Debian package iverilog",
)
verilator = pytest.mark.skipif(
    shutil.which("verilator") is None, reason="Verilator was not found: install the Debian package verilator")
FORMS = {
    "named": {}, "packed": {"bus": "packed"}, "named, pipelined": {"pipeline": 3},
    "packed, pipelined": {"bus": "packed", "pipeline": 3, "register_inputs": True},
}


def odd_ends():
    """A constant output, an input that nothing reads, a word of which one bit is read, a threshold, an arg-max."""
    b = CircuitBuilder("odd ends")
    a, free, part = b.input("a", 3), b.input("free", 5), b.input("part", 4)
    words = [b.input(f"w{i}", 2) for i in range(6)]
    b.output("constant", [1, 0, free[0] * 0])
    b.output("wire", part[2])
    b.output("large", at_least(b, a, 5))
    b.output("best", argmax(b, words, "tournament"))
    b.output("count", popcount(b, [*a, *words[0]], "tree"))
    b.output("columns", popcount(b, [*a, *words[1], *words[2]], "columns"))
    return b.build()


@icarus
@pytest.mark.parametrize("options", [
    {"bus": "packed"}, {"register_inputs": True}, {"bus": "packed", "pipeline": 2},
    {"bus": "packed", "pipeline": 3, "register_inputs": True}, {"pipeline": 3, "register_inputs": True},
], ids=str)
@pytest.mark.parametrize("make", [no_inputs, odd_ends])
def test_every_form_equals_the_interpreter(make, options):
    """The bench of an enabled core takes the enable away at every third vector and changes the inputs meanwhile."""
    circuit = make()
    codes = samples(circuit, 20)
    np.testing.assert_array_equal(verilog.run(circuit, codes, **options), simulate(circuit, codes))


@icarus
@pytest.mark.parametrize("old, new", [
    ("if (ce) q", "q"), ("if (ce) q", "if (~ce) q"), ("q <= d", "q <= ~d"),
])
def test_the_bench_sees_a_register_without_its_enable(old, new, tmp_path):
    verilog.emit(classifier(), tmp_path, name="net", bus="packed", pipeline=4)
    register = tmp_path / "pipeline_register.v"
    assert old in register.read_text()
    register.write_text(register.read_text().replace(old, new))
    sources = sorted(path.name for path in tmp_path.glob("*.v"))
    tools.run(tools.IVERILOG, ["-g2005", "-o", "net.vvp", *sources], cwd=tmp_path)
    done = subprocess.run([tools.require(tools.VVP), "-n", "net.vvp"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode != 0 and "PASSED" not in done.stdout and "FAILED" in done.stdout


def test_a_packed_bus_has_the_first_word_lowest(tmp_path):
    circuit = wide_words()
    text = verilog.emit(circuit, tmp_path, name="net", bus="packed", pipeline=4, register_inputs=True)[0].read_text()
    head = "module net (\n  input wire clk,\n  input wire ce,\n  input wire [97:0] x,\n  output wire [107:0] y\n);\n"
    assert head in text
    parameters = (tmp_path / "net_parameters.vh").read_text()
    for line in ("X 98 ", "Y 108 ", "X_x 63:0\n", "X_y 96:64\n", "X_z 97:97\n", "Y_passed 63:0\n", "Y_large_ 67:64\n"):
        assert f"`define NET_{line}" in parameters
    latency = int(re.search(r"`define NET_LATENCY (\d+)", parameters)[1])
    assert f"latency {latency} clocks" in text and f"after {latency} enabled clocks" in text and "// No reset: " in text
    assert "CLASSES" not in parameters
    verilog.emit(classifier(), tmp_path, name="five")
    assert "`define FIVE_CLASSES 5 " in (tmp_path / "five_parameters.vh").read_text()
    design = design_of(no_inputs(), "none", bus="packed")
    assert "input wire [0:0] x" in design.text and (design.latency, design.flip_flops) == (0, 0)


def test_nets_tell_stage_level_and_class(tmp_path):
    """A class's nets are those that lead to its score and to no other."""
    circuit = classifier(words=6, width=30, classes=3, seed=3, counts=False)
    names = NetNames(circuit)
    scores = next(macro.inputs for macro in circuit.macros if macro.kind == "argmax")
    width = len(scores) // 3
    readers = [set() for _ in range(circuit.n_nets)]
    for net, (fanin, k) in enumerate(zip(circuit.fanin.tolist(), circuit.arity.tolist()), circuit.first_node):
        for operand in fanin[:k]:
            readers[operand].add(net)
    reached = [set() for _ in range(circuit.n_nets)]  # scores, and None for the arg-max or an output
    for net in reversed(range(2, circuit.n_nets)):
        reached[net] = set().union(*(reached[r] for r in readers[net]))
        if net in circuit.output_nets.tolist():
            reached[net].add(None)
        own = {place // width for place, operand in enumerate(scores) if operand == net}
        if own:
            reached[net] = own
        due = next(iter(reached[net])) if len(reached[net]) == 1 else None
        assert (names.owner[net] if names.owner[net] >= 0 else None) == due, net
    text = verilog.emit(circuit, tmp_path, name="net", pipeline=2)[0].read_text()
    declared = re.findall(r"^  wire (encoder|network|head)(\d+)_(?:c(\d+)_)?n(\d+) = ", text, re.MULTILINE)
    assert {stage for stage, *_ in declared} == set(STAGES) and {c for _, _, c, _ in declared} == {"", "0", "1", "2"}
    for stage, level, owner, net in declared:
        net = int(net)
        assert STAGES[circuit.stage[net - circuit.first_node]] == stage and int(level) == names.level[net] >= 1
        assert owner == ("" if names.owner[net] < 0 else str(names.owner[net]))
    assert "// pipeline stage 1 of " in text and "// register 1: " in text
    combinational = verilog.emit(circuit, tmp_path, name="flat")[0].read_text()
    sections = re.findall(r"// (encoder|network|head): \d+ nets, levels \d+ to \d+", combinational)
    assert tuple(sections) == STAGES


def test_a_word_is_put_together_from_where_its_bits_are_now():
    """Two nets of the network wait for a head; a third is registered with them at one of the registers only."""
    b = CircuitBuilder("waiting")
    x = b.input("x", 4)
    p, q = b.xor(x[0], x[1]), b.and_(x[2], x[3])
    late = b.or_(p, q)
    with b.stage("head"):
        one = b.xor(late, x[0])
        two = b.xor(one, x[1])
        b.output("y", [b.and_(b.xor(two, p), b.or_(two, q))])
    text = design_of(b.build(), "net", pipeline=1).text
    assert re.findall(r"\.d\(([^)]*)\), \.q\(r\d_network\)", text)[1:] == [
        "{network2_n8, r1_network}", "r2_network[1:0]", "r3_network"]


def test_latency_flip_flops_and_what_lies_between_registers():
    circuit = classifier(words=6, width=30, classes=3, seed=3)
    for levels, inputs in ((1, False), (3, True), (1000, True)):
        pipeline = pipelined(circuit, levels, register_inputs=inputs)
        design = design_of(circuit, "net", pipeline=levels, register_inputs=inputs)
        assert (design.latency, design.flip_flops) == (pipeline.latency, pipeline.flip_flops)
        assert sum(map(int, re.findall(r"#\(\.W\((\d+)\)\)", design.text))) == pipeline.flip_flops
        assert pipeline.latency == -(-circuit.depth // levels) + inputs
        logic = cut_at_registers(circuit, pipeline)
        assert logic.depth <= levels and logic.n_nodes == sum(map(len, pipeline.logic))
    assert design_of(circuit, "net", register_inputs=True).latency == 1


def test_mistakes_have_one_sentence(tmp_path):
    with pytest.raises(InputError, match="choose named or packed"):
        verilog.emit(classifier(), tmp_path, bus="wide")
    for name in ("x", "ce"):
        with pytest.raises(InputError, match="reserved"):
            verilog.emit(classifier(), tmp_path, name=name, bus="packed")


@verilator
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("make", [classifier, odd_ends], ids=lambda make: make.__name__)
def test_lint_has_nothing_to_say(make, form, tmp_path):
    lint(make(), tmp_path, **FORMS[form])


@pytest.mark.slow
@verilator
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", CIRCUITS)
def test_lint_has_nothing_to_say_of_any_other(name, form, tmp_path):
    lint(CIRCUITS[name](), tmp_path, **FORMS[form])


@pytest.mark.slow
@verilator
@pytest.mark.parametrize("form", FORMS)
def test_lint_has_nothing_to_say_of_the_demo(demo_circuit, form, tmp_path):
    lint(demo_circuit, tmp_path, **FORMS[form])


def lint(circuit, folder, **options):
    paths = verilog.emit(circuit, folder, name="net", **options)
    sources = [path.name for path in paths if path.suffix == ".v" and path.stem != "net_tb"]
    command = ["verilator", "--lint-only", "-Wall", "--top-module", "net", *sources]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert not any("verilator lint_off" in path.read_text() for path in folder.glob("*.v"))


@pytest.mark.slow
@verilator
@pytest.mark.parametrize("form", ["named", "packed, pipelined"])
def test_the_bench_passes_and_fails_in_verilator(form, tmp_path):
    verilog.emit(classifier(), tmp_path, name="net", **FORMS[form])
    sources = sorted(path.name for path in tmp_path.glob("*.v"))
    command = ["verilator", "--binary", "--timing", "--top-module", "net_tb", *sources]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)

    def said(code):
        done = subprocess.run(["obj_dir/Vnet_tb"], cwd=tmp_path, capture_output=True, text=True)
        assert (done.returncode == 0) == (code == 0), done.stdout
        return done.stdout

    assert "PASSED 68 vectors" in said(0)
    expected = tmp_path / "net_out.hex"
    lines = expected.read_text().splitlines()
    lines[50] = f"{int(lines[50], 16) ^ 1:0{len(lines[50])}x}"
    expected.write_text("\n".join(lines[:60]) + "\n")
    text = said(1)
    assert "FAILED 9 of 68" in text and "vector 50:" in text and "vector 60 could not be read" in text
    (tmp_path / "net_in.hex").unlink()
    assert "FAILED 68 of 68" in said(1)
