"""Projects for layout tools: what is in their files, and the Tiny Tapeout wrapper in a simulator."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from flow_cases import classifier

from hardwire.circuit import CircuitBuilder
from hardwire.circuit.simulate import simulate, simulate_bits
from hardwire.core.bits import bits_to_codes, codes_to_bits
from hardwire.core.errors import InputError
from hardwire.core.programs import IVERILOG, run
from hardwire.flows.asic import projects

icarus = pytest.mark.skipif(shutil.which("iverilog") is None, reason="the Debian package iverilog is not installed")


def wide(outputs=20, inputs=30):
    """A circuit that reads every second input bit, with more outputs than one byte."""
    rng, b = np.random.default_rng(0), CircuitBuilder("wide \"x\"", labels=("a", "b"))
    nets = [net for j in range(inputs // 6) for net in b.input(f"x{j}", 6)][::2]
    layer = [b.xor(*rng.choice(nets, 2, replace=False).tolist()) for _ in range(outputs)]
    b.output("y", layer)
    b.output("wire", [nets[0], 1])
    return b.build()


@pytest.mark.parametrize("target", ["librelane", "openroad"])
@pytest.mark.parametrize("pipeline", [None, 2])
def test_layout_projects(tmp_path, target, pipeline):
    paths = projects.PROJECTS[target](classifier(), tmp_path, name="core", pipeline=pipeline, clock=50.0)
    assert all(path.is_file() for path in paths) and paths[0].name == "core.v"
    sources = {path.name for path in tmp_path.glob("*.v") if not path.name.endswith("_tb.v")}
    constraints = (tmp_path / "core.sdc").read_text()
    assert ("[get_ports clk]" in constraints) == bool(pipeline) and "-period 20" in constraints
    if target == "librelane":
        config = json.loads((tmp_path / "config.json").read_text())
        assert {file.removeprefix("dir::") for file in config["VERILOG_FILES"]} == sources
        assert (config["DESIGN_NAME"], config["CLOCK_PERIOD"]) == ("core", 20)
        assert config["CLOCK_PORT"] == ("clk" if pipeline else None) and config["PNR_SDC_FILE"] == "dir::core.sdc"
    else:
        text = (tmp_path / "config.mk").read_text()
        assert "export DESIGN_NAME     = core" in text and "export SDC_FILE        = $(core_FOLDER)core.sdc" in text
        assert all(f"$(core_FOLDER){file}" in text for file in sources)


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_reads_the_configuration(tmp_path):
    projects.emit_openroad(classifier(), tmp_path / "design", name="core")
    text = f"include {tmp_path / 'design' / 'config.mk'}\nall:\n\t@ls $(VERILOG_FILES) $(SDC_FILE)\n"
    (tmp_path / "Makefile").write_text(text)
    said = subprocess.run(["make", "-s", "-C", str(tmp_path)], capture_output=True, text=True, check=True).stdout
    assert "core.v" in said and "core.sdc" in said


def test_a_tiny_tapeout_folder(tmp_path):
    circuit = wide()
    paths = projects.emit_tinytapeout(circuit, tmp_path, author='A "B"')
    names = {path.relative_to(tmp_path).as_posix() for path in paths}
    top = "tt_um_hardwire_wide__x_"
    assert names >= {f"src/{top}.v", "src/wide__x_.v", "src/config.json", "info.yaml", "docs/info.md", "test/test.py",
                     "test/Makefile", "test/vectors.json", "layout.json"}
    layout, info = json.loads((tmp_path / "layout.json").read_text()), (tmp_path / "info.yaml").read_text()
    assert layout["bytes"] == -(-len(layout["bits"]) // 8) and set(layout["bits"]) <= {f"x{j}[{i}]" for j in range(5) for i in (0, 2, 4)}
    assert f'top_module: "{top}"' in info and 'tiles: "1x1"' in info and f'    - "{top}.v"' in info and "yaml_version: 6" in info
    assert json.loads((tmp_path / "src" / "config.json").read_text())["CLOCK_PERIOD"] == 50
    yaml = pytest.importorskip("yaml")
    read = yaml.safe_load(info)
    assert len(read["pinout"]) == 24 and read["project"]["clock_hz"] == 20_000_000 and read["project"]["author"] == "A  B "


def test_the_number_of_tiles_follows_from_the_area():
    circuit = wide()
    area = projects.GATE * 20 + projects.BIT * len(projects.used_bits(circuit))
    assert projects.tile_area(circuit) == pytest.approx(area)
    assert list(projects.TILES) == sorted(projects.TILES) and max(projects.TILES) == 16


@pytest.mark.parametrize("change, part", [
    ({"TILE": 1.0}, "the largest Tiny Tapeout project"), ({"SELECTED": 2}, "22 output bits")])
def test_what_does_not_fit(tmp_path, monkeypatch, change, part):
    for name, value in change.items():
        monkeypatch.setattr(projects, name, value)
    with pytest.raises(InputError, match=part):
        projects.emit_tinytapeout(wide(), tmp_path)


def test_a_clock_that_is_none(tmp_path):
    for emit in projects.PROJECTS.values():
        with pytest.raises(InputError, match="no frequency"):
            emit(wide(), tmp_path, clock=0.0)


def test_vectors_are_the_circuit(tmp_path):
    circuit = classifier()
    projects.emit_tinytapeout(circuit, tmp_path)
    read = projects.used_bits(circuit)
    for sample in json.loads((tmp_path / "test" / "vectors.json").read_text()):
        bits = np.zeros(circuit.n_input_bits, np.uint8)
        bits[read] = np.unpackbits(np.array(sample["bytes"], np.uint8), bitorder="little")[: len(read)]
        assert np.packbits(simulate_bits(circuit, bits[None].astype(bool))[0], bitorder="little").tolist() == sample["outputs"]


SIMULATE = """import sys
from pathlib import Path
from cocotb_tools.runner import get_runner
folder, top = Path(sys.argv[1]), sys.argv[2]
runner = get_runner("icarus")
runner.build(sources=sorted((folder / "src").glob("*.v")), hdl_toplevel=top, build_dir=folder / "build", always=True)
results = runner.test(hdl_toplevel=top, test_module="test", test_dir=folder / "test", build_dir=folder / "build")
from cocotb_tools.check_results import get_results
print("RESULTS", *get_results(results))
"""


def simulated(folder):
    """What cocotb says of the emitted test."""
    top = next(path.stem for path in (folder / "src").glob("tt_um*.v"))
    return subprocess.run([sys.executable, "-c", SIMULATE, str(folder), top], capture_output=True, text=True,
                          env=os.environ | {"PYTHONPATH": str(folder / "test")})


@icarus
@pytest.mark.slow
@pytest.mark.parametrize("circuit", [wide(), wide(outputs=4, inputs=6)], ids=["wide", "one byte"])
def test_the_wrapper_in_cocotb(tmp_path, circuit):
    pytest.importorskip("cocotb")
    projects.emit_tinytapeout(circuit, tmp_path, name="core")
    done = simulated(tmp_path)
    assert "RESULTS 1 0" in done.stdout, done.stdout[-2000:] + done.stderr[-2000:]


@icarus
@pytest.mark.slow
def test_cocotb_sees_a_wrong_answer(tmp_path):
    pytest.importorskip("cocotb")
    projects.emit_tinytapeout(classifier(), tmp_path, name="core")
    assert "RESULTS 1 0" in simulated(tmp_path).stdout
    vectors = tmp_path / "test" / "vectors.json"
    wrong = json.loads(vectors.read_text())
    wrong[3]["outputs"][0] ^= 1
    vectors.write_text(json.dumps(wrong))
    done = simulated(tmp_path)
    assert done.returncode and "FAIL=1" in done.stdout


@icarus
def test_the_wrapper_is_plain_verilog(tmp_path):
    projects.emit_tinytapeout(wide(), tmp_path, name="core")
    run(IVERILOG, ["-g2001", "-Wall", "-o", tmp_path / "x.vvp", *(tmp_path / "src").glob("*.v")], produces=[tmp_path / "x.vvp"])


@pytest.mark.skipif(shutil.which("verilator") is None, reason="the Debian package verilator is not installed")
def test_the_wrapper_passes_lint(tmp_path):
    projects.emit_tinytapeout(wide(), tmp_path, name="core")
    for source in (tmp_path / "src").glob("core.v"):
        source.write_text("/* verilator lint_off UNUSED */\n" + source.read_text())
    done = subprocess.run(["verilator", "--lint-only", "-Wall", "--top-module", "tt_um_hardwire_core", "-Wno-DECLFILENAME",
                           *(tmp_path / "src").glob("*.v")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def test_bits_that_are_sent_are_those_that_are_read():
    circuit = wide()
    read, rng = projects.used_bits(circuit), np.random.default_rng(1)
    codes = circuit.codes(rng.integers(0, 64, (50, 5)).astype(np.uint8))
    bits = codes_to_bits(codes, circuit.input_widths)
    bits[:, [i for i in range(30) if i not in read]] ^= True
    np.testing.assert_array_equal(simulate(circuit, codes), simulate(circuit, bits_to_codes(bits, circuit.input_widths)))
