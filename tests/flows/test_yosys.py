"""Yosys in a process of its own: judged by what it wrote."""

import json

import pytest

from hardwire.core.errors import MissingToolError, ToolError
from hardwire.flows import yosys

TWO_GATES = "module top(input a, input b, output y); assign y = ~(a & b) ^ a; endmodule\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "top.v").write_text(TWO_GATES)
    return tmp_path


def test_the_self_test_names_the_version():
    version = yosys.self_test()
    assert version.startswith("Yosys 0.") and "/" not in version and "," not in version


@pytest.mark.parametrize("said, version", [
    ("Yosys 0.70 (git sha1 28ba3cb92, Release, GNU /usr/bin/c++ 14.2.1)\n", "Yosys 0.70 (git sha1 28ba3cb92)"),
    ("Yosys 0.40+45 (git sha1 1979e0b, clang++ 14.0.0 -fPIC -Os)", "Yosys 0.40+45 (git sha1 1979e0b)"),
    ("Yosys 0.33 (git sha1 2584903a060)", "Yosys 0.33 (git sha1 2584903a060)"),
    ("Yosys 0.33", "Yosys 0.33"),
])
def test_the_version_names_no_compiler(tmp_path, said, version):
    (tmp_path / "version.txt").write_text(said)
    assert yosys.version_of(tmp_path) == version


def test_a_run_and_its_statistics(folder):
    said = yosys.run_yosys(["read_verilog top.v", "synth -top top -noabc", *yosys.statistics("stat.json")], folder,
                           produces=["stat.json"])
    assert "Executing SYNTH" in said and yosys.version_of(folder) == yosys.self_test()
    assert sum(yosys.read_statistics(folder / "stat.json")["num_cells_by_type"].values()) >= 2


@pytest.mark.parametrize("commands, part", [
    (["read_verilog top.v"], "wrote no"), (["read_verilog absent.v"], "absent.v"), (["no_such_command"], "no_such_command"),
    (["read_verilog top.v", "synth -top top", "abc -g NAND -script +strash;resyn2;map", "write_blif out.blif"], "resyn2"),
])
def test_a_run_that_wrote_nothing_has_failed(folder, commands, part):
    (folder / "out.blif").write_text("of an earlier run")
    with pytest.raises(ToolError, match=r"Yosys \(pyosys\)") as failed:
        yosys.run_yosys(commands, folder, produces=["out.blif"])
    assert part in str(failed.value) or part == "resyn2"
    assert not (folder / "out.blif").exists()


def test_a_run_is_bounded_in_time(folder):
    with pytest.raises(ToolError, match="did not finish within"):
        yosys.run_yosys(["exec -- sleep 60", "write_blif out.blif"], folder, produces=["out.blif"], timeout=1.5)


@pytest.mark.parametrize("text", ["", "no statistics", "{}", '{"creator": "x"}', "{broken"])
def test_statistics_that_are_none(tmp_path, text):
    (tmp_path / "stat.json").write_text(text)
    with pytest.raises(ToolError, match="no statistics"):
        yosys.read_statistics(tmp_path / "stat.json")


def test_without_pyosys(folder, monkeypatch):
    monkeypatch.setattr(yosys, "installed", lambda: False)
    yosys.self_test.cache_clear()
    try:
        with pytest.raises(MissingToolError, match=r"hardwire\[yosys\]"):
            yosys.run_yosys(["read_verilog top.v"], folder, produces=["out.blif"])
    finally:
        yosys.self_test.cache_clear()


def test_a_yosys_that_maps_wrongly_is_refused_at_once(folder, monkeypatch):
    monkeypatch.setattr(yosys, "read_statistics", lambda path: {"num_cells_by_type": {"$_NAND_": 2}})
    yosys.self_test.cache_clear()
    try:
        with pytest.raises(ToolError, match="mapped two gates to"):
            yosys.run_yosys(["read_verilog top.v", "write_json out.json"], folder, produces=["out.json"])
        assert not (folder / "out.json").exists()
    finally:
        yosys.self_test.cache_clear()


def test_temporary_files_stay_in_the_folder(folder, tiny):
    yosys.run_yosys(["read_verilog top.v", "synth -top top -noabc", f"abc -liberty {tiny}", *yosys.statistics("s.json")],
                    folder, produces=["s.json"])
    assert json.loads((folder / "s.json").read_text())["design"]["num_cells"] > 0
    assert any(p.name.startswith("yosys-") for p in folder.iterdir())
