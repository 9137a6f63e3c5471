"""Files that were emitted: noted with their hashes, read by ``verify`` as they stand, and refuted by name where altered."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from helpers import trained_like

import hardwire
from hardwire.backends.c import backend as c
from hardwire.circuit import Circuit, save_circuit
from hardwire.circuit.formats.blif import read_blif
from hardwire.core import programs
from hardwire.core.errors import FormatError
from hardwire.logic.verified import verified
from hardwire.runs.directory import RunDirectory
from hardwire.verify import emitted, verify_circuit
from hardwire.verify.check import run_check
from hardwire.verify.emitted import Emission, emitted_checks, sha256
from hardwire.verify.vectors import vectors
from hardwire.workflow.emitted import emissions_of, emit_path

TARGETS = {"c": "c", "arduino": "c", "verilog": "verilog", "pipelined": "verilog", "blif": "blif", "aiger": "aiger",
           "packed": "verilog", "vhdl": "vhdl", "litex": "litex", "wasm": "wasm"}
OPTIONS = {"arduino": {"kit": "arduino", "variant": "table"}, "pipelined": {"pipeline": 3},
           "packed": {"bus": "packed", "pipeline": 3, "register_inputs": True}}
MAIN = {"c": "trained.c", "arduino": "src/trained_model.h", "blif": "trained.blif", "aiger": "trained.aig",
        "vhdl": "trained.vhd", "wasm": "trained.wasm",
        **dict.fromkeys(("verilog", "pipelined", "packed", "litex"), "trained.v")}
TOOL = {"c": programs.CC, "vhdl": programs.GHDL, **dict.fromkeys(("verilog", "litex"), programs.YOSYS)}


@pytest.fixture(scope="module")
def circuit() -> Circuit:
    return trained_like(np.random.default_rng(0), words=6, layers=2, width=24, classes=3)


@pytest.fixture(scope="module")
def shipped(circuit, tmp_path_factory) -> Path:
    """A folder with a circuit and what was emitted from it for every target."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    save_circuit(circuit, folder / "circuit.net")
    for name, target in TARGETS.items():
        emit_path(folder, target, folder / name, **OPTIONS.get(name, {}))
    return folder


@pytest.fixture
def run(shipped, tmp_path) -> Path:
    return Path(shutil.copytree(shipped, tmp_path / "run"))


def verdicts_of(circuit, run, name) -> dict[str, object]:
    """The verdicts on what was emitted into folder ``name``, by what follows the file's name."""
    (emission,) = (e for e in emissions_of(RunDirectory(run)) if e.main.startswith(f"{name}/"))
    checks = emitted_checks(circuit, emission, vectors(circuit, 50))
    start = f"emitted {name}/{MAIN[name]}"
    assert checks and all(check.startswith(start) for check in checks)
    assert TARGETS[name] != "c" or any(" compiled" in check for check in checks)
    return {check.removeprefix(start): run_check(row.run) for check, row in checks.items()}


def test_each_file_is_noted(circuit, shipped):
    noted = json.loads((shipped / "steps.json").read_text())["emit"]
    assert noted["seconds"] >= 0
    emissions = {Path(e["files"][0]["path"]).parts[0]: e for e in noted["emitted"]}
    assert set(emissions) == set(TARGETS)
    for name, emission in emissions.items():
        assert (emission["target"], emission["circuit"]) == (TARGETS[name], circuit.digest)
        assert emission["version"] == hardwire.__version__
        assert emission["options"] == OPTIONS.get(name, {})
        assert emission["files"][0]["path"] == f"{name}/{MAIN[name]}"
        assert {shipped / f["path"] for f in emission["files"]} == {p for p in (shipped / name).rglob("*") if p.is_file()}
        assert all(f["sha256"] == sha256((shipped / f["path"]).read_bytes()) for f in emission["files"])


def test_files_beside_the_run_are_noted_by_their_whole_path_and_once(run, tmp_path):
    before = len(emissions_of(RunDirectory(run)))
    for _ in range(2):
        (main,) = emit_path(run, "blif", tmp_path / "beside")
    emit_path(run, "verilog", run / "verilog", pipeline=2)
    emissions = emissions_of(RunDirectory(run))
    assert [str(main.resolve())] == [e.main for e in emissions if Path(e.main).is_absolute()]
    assert len(emissions) == before + 1
    assert [e.options for e in emissions if e.main == "verilog/trained.v"] == [{"pipeline": 2}]


def test_a_circuit_file_notes_nothing_and_a_run_that_cannot_be_noted_is_said(run, circuit, tmp_path, monkeypatch):
    save_circuit(circuit, tmp_path / "alone" / "x.net")
    emit_path(tmp_path / "alone" / "x.net", "blif", tmp_path / "alone")
    assert sorted(p.name for p in (tmp_path / "alone").iterdir()) == ["trained.blif", "x.net"]
    (run / "steps.json").write_text("no JSON")
    lines = []
    assert emit_path(run, "blif", tmp_path / "beside", progress=lines.append)[0].is_file()
    assert len(lines) == 1 and "`verify` will not know these files" in lines[0]


@pytest.mark.parametrize("name", TARGETS)
def test_files_as_they_were_written_pass(circuit, run, name):
    for what, verdict in verdicts_of(circuit, run, name).items():
        tool = TOOL.get(TARGETS[name])
        if verdict.status == "skipped" and not programs.find(tool):
            continue
        if verdict.status == "skipped" and "executed" in what and "was not found" in verdict.detail:
            continue
        assert verdict.status == ("simulated" if "compiled" in what or "executed" in what else "proved"), (what, verdict)


def altered(path: Path) -> None:
    """Change what the file computes: one operation, one bit of a truth table, one literal of a conjunction."""
    if path.suffix == ".aig":
        content = bytearray(path.read_bytes())
        content[content.rindex(b"i0 x0[0]") - 1] ^= 1
        path.write_bytes(content)
        return
    if path.suffix == ".wasm":
        content = path.read_bytes()
        place = content.rindex(b"\xfd\x51") + 1  # the last v128.xor
        path.write_bytes(content[:place] + b"\x50" + content[place + 1 :])
        return
    text = path.read_text()
    if path.suffix == ".blif":
        head, tail = text.split(".names $true\n", 1)
        lines = tail.split("\n")
        place = max(i for i, line in enumerate(lines) if line.startswith(".names ") and line.count(" ") == 3)
        lines[place + 1] = lines[place + 1][0].translate(str.maketrans("01-", "100")) + lines[place + 1][1:]
        text = head + ".names $true\n" + "\n".join(lines)
    elif path.name.endswith("_model.h"):
        place = text.index("0x", text.index("_table[")) + 8  # the threshold of the first input
        text = text[:place] + ("1" if text[place] != "1" else "2") + text[place + 1 :]
    else:
        found = next(operator for operator in (" ^ ", " & ", " and ") if operator in text)
        place, other = text.rindex(found), " or " if path.suffix == ".vhd" else " | "
        text = text[:place] + other + text[place + len(found) :]
    path.write_text(text)


@pytest.mark.parametrize("name", TARGETS)
def test_an_altered_file_is_refuted_by_name(circuit, run, name):
    altered(run / name / MAIN[name])
    for what, verdict in verdicts_of(circuit, run, name).items():
        if verdict.status == "skipped" and not programs.find(TOOL.get(TARGETS[name], programs.YOSYS)):
            continue
        assert verdict.status == "refuted" and f"{name}/{MAIN[name]} has changed" in verdict.detail, (what, verdict)


@pytest.mark.parametrize("name, file", [("c", "trained.h"), ("c", "trained_model.h"), ("arduino", "library.properties"),
                                        ("verilog", "trained_tb.v"), ("verilog", "trained_out.hex"),
                                        ("pipelined", "pipeline_register.v"), ("wasm", "trained.js"),
                                        ("wasm", "trained_i64.wasm")])
def test_any_file_that_has_changed_is_named(circuit, run, name, file):
    with open(run / name / file, "a") as stream:
        stream.write("\n")
    for verdict in verdicts_of(circuit, run, name).values():
        assert verdict.status == "refuted" and f"{name}/{file} has changed" in verdict.detail


def test_a_missing_file_is_no_pass(circuit, run, tmp_path):
    (run / "c" / "trained.h").unlink()
    (run / "blif" / "trained.blif").unlink()
    for name, file in (("c", "trained.h"), ("blif", "trained.blif")):
        for verdict in verdicts_of(circuit, run, name).values():
            assert verdict.status == "unknown" and f"{name}/{file} cannot be read" in verdict.detail
    (main,) = emit_path(run, "aiger", tmp_path / "beside")
    main.unlink()
    (emission,) = (e for e in emissions_of(RunDirectory(run)) if e.main == str(main.resolve()))
    (check,) = emitted_checks(circuit, emission, vectors(circuit, 9)).values()
    assert run_check(check.run).status == "skipped"


def test_a_file_of_another_circuit_is_refuted_and_said_to_be_one(circuit, run):
    other = circuit.with_(output_nets=circuit.output_nets[::-1].copy())
    verdicts = verdicts_of(other, run, "blif")
    verdicts |= verdicts_of(other, run, "c")
    for what, verdict in verdicts.items():
        if "compiled" in what:
            assert verdict.status == "skipped" and "another circuit" in verdict.detail
        else:
            assert verdict.status == "refuted" and f"emitted from circuit {circuit.digest[:16]}" in verdict.detail


def test_nothing_else_than_what_is_emitted_is_compiled(circuit, run, monkeypatch):
    """A folder whose note was made to fit its files is believed on neither."""
    main = run / "c" / "trained.c"
    main.write_text(main.read_text() + "__attribute__((constructor)) static void run(void) { __builtin_trap(); }\n")
    steps = json.loads((run / "steps.json").read_text())
    for emission in steps["emit"]["emitted"]:
        emission["files"] = [{"path": f["path"], "sha256": sha256((run / f["path"]).read_bytes())} for f in emission["files"]]
    (run / "steps.json").write_text(json.dumps(steps))
    monkeypatch.setattr(c, "run", lambda *_, **__: pytest.fail("it was compiled"))
    verdicts = verdicts_of(circuit, run, "c")
    assert all("nothing else is run" in v.detail for what, v in verdicts.items() if "compiled" in what)


def test_the_table_of_readers_is_used(circuit, run, monkeypatch, tmp_path):
    """Here another target's reader stands in for that of C."""
    def read(path, like):
        assert path.name == "trained.c" and path.with_name("trained.h").is_file()
        return read_blif(run / "blif" / "trained.blif")

    assert set(emitted.read_main(run / "c" / "trained.c", like=circuit)) == {"", ", one sample"}
    monkeypatch.setitem(emitted.READERS, "c", {"": read})
    assert verdicts_of(circuit, run, "c")[""].status == "proved"


def test_verify_takes_them_in_and_binds_every_verdict(circuit, run):
    verdicts = verify_circuit(circuit, against=circuit, emitted=emissions_of(RunDirectory(run)))
    assert {"emitted blif/trained.blif", "emitted aiger/trained.aig", "emitted c/trained.c compiled", "emitted c/trained.c", "emitted c/trained.c, one sample",
            "emitted c/trained.c, model header", "emitted c/trained.c compiled, model header", "emitted arduino/src/trained_model.h",
            "emitted verilog/trained.v", "emitted pipelined/trained.v", "macros", "c"} <= set(verdicts)
    assert not any(v.status in ("refuted", "unknown") for v in verdicts.values())
    assert verdicts["optimized gates"].against == circuit.digest
    assert verdicts["emitted blif/trained.blif"].against == sha256((run / "blif" / "trained.blif").read_bytes())
    assert (verdicts["macros"].tool, verdicts["macros"].version) == ("hardwire", hardwire.__version__)
    for name, tool in (("emitted verilog/trained.v", programs.YOSYS), ("c", programs.CC)):
        if programs.find(tool):
            assert verdicts[name].tool == tool.title and any(map(str.isdigit, verdicts[name].version))


def test_a_verdict_on_a_file_is_void_when_the_file_is_another(circuit, run):
    directory, name = RunDirectory(run), "emitted blif/trained.blif"
    content = sha256((run / "blif" / "trained.blif").read_bytes())
    directory.note_step("verify", {"seconds": 1.0, "digest": circuit.digest, "verdicts": {name: "proved"},
                                   "verified_by": {name: {"circuit": circuit.digest, "against": content}}})
    found = verified(directory, circuit, circuit)
    assert found["verified"][name] == "proved" and found["emitted"] == directory.steps()["emit"]["emitted"]
    assert "since" in found["verified"]["emitted aiger/trained.aig"].detail  # it was not verified
    altered(run / "blif" / "trained.blif")
    found = verified(directory, circuit, circuit)
    assert found["verified"][name].status == "skipped" and "verified_by" not in found


@pytest.mark.parametrize("values", [None, 3, {}, {"target": "c"}, {"target": "edif", "options": {}, "circuit": "", "version": "",
                                    "files": [{"path": "x", "sha256": ""}]}, {"target": "c", "options": {}, "circuit": "",
                                    "version": "", "files": []}, {"target": "c", "options": {}, "circuit": "", "version": "",
                                    "files": [{"path": "..", "sha256": ""}]}])
def test_a_note_that_is_none_is_one_sentence(values, tmp_path):
    with pytest.raises(FormatError, match="emit the files anew"):
        Emission.of(values, tmp_path)
