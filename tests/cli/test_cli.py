"""The command line as a user meets it: every verb on one tiny run, exit codes, streams and files."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from cli_cases import TINY, gate, snapshot
from helpers import parsed_verb

from hardwire import load_circuit
from hardwire.circuit import CircuitBuilder, save_circuit
from hardwire.cli import app as cli
from hardwire.cli import circuit as cli_circuit
from hardwire.core import programs as tools
from hardwire.logic import LogicSettings
from hardwire.runs.record import Record
from hardwire.workflow.circuits import TARGETS

VERBS = list(cli.VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_help_has_an_example_that_parses(verb, capsys):
    code = cli.main([verb, "--help"])
    text = capsys.readouterr().out
    assert code == 0 and "example:" in text and "--json" in text
    examples = [shlex.split(line) for line in text.split("example:")[1].splitlines() if line.strip()]
    assert examples and all(words[0] == "hardwire" and parsed_verb(words[1:]) == verb for words in examples)


@pytest.mark.parametrize("verb", VERBS)
def test_the_list_of_verbs_says_what_the_verb_does(verb, capsys):
    module, text = cli.VERBS[verb]
    command = getattr(import_module(f"hardwire.cli.{module}"), verb)
    assert command.help.split("\n\n")[0] == text


def test_the_list_of_verbs_is_complete_and_light():
    code = "import sys; from hardwire.cli import main; print(main(['--help'])); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    *page, exit_code, modules = done.stdout.splitlines()
    assert exit_code == "0" and all(any(f" {verb} " in line for line in page) for verb in VERBS)
    assert not {"numpy", "numba", "torch", "pydantic"} & {name.split(".")[0] for name in modules.split()}


@pytest.mark.parametrize("verb", VERBS)
def test_help_loads_no_kernel(verb):
    code = f"import sys; from hardwire.cli import main; main(['{verb}', '--help']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"numba", "torch", "sklearn"} & {name.split(".")[0] for name in done.stdout.splitlines()[-1].split()}


def test_version(capsys):
    import hardwire

    assert cli.main(["--version"]) == 0 and capsys.readouterr().out.strip() == hardwire.__version__


def test_train_says_where_it_is(ask, tmp_path):
    out, err = ask("train", "digits", "--out", tmp_path / "run", "--json", *TINY)
    found = json.loads(out)
    assert found["run"] == str(tmp_path / "run") and found["best"]["step"] == 60
    said = [json.loads(line) for line in err.splitlines()]
    events = [e for e in said if e.get("figures")]  # there are others, now and then
    assert said[:2] == [{"message": "reading digits ..."}, {"message": "train 2 layers of 200 gates on 1294 samples for 60 steps"}]
    assert [(e["position"], e["total"], e["unit"]) for e in events] == [(60, 60, "step")]
    assert events[0]["figures"]["hard"] == found["best"]["hard"] and events[0]["seconds_left"] == 0
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == [".lock", "calibration.json", "config.toml", "metrics.jsonl", "model.safetensors"]
    out, err = ask("train", "digits", "--out", tmp_path / "run", "--resume", "--json")
    assert json.loads(out) == found and "finished already" in err


def test_every_setting_is_an_option(ask, tmp_path):
    given = ["--widths", "200,100", "--gate-penalty", "0.02", "--learn-tau", "--init", "residual", "--device", "cpu"]
    _, err = ask("train", "digits", "--out", tmp_path / "run", "--evaluate-every", "30", *given, *TINY)
    settings = LogicSettings.load(tmp_path / "run" / "config.toml")
    assert (settings.widths, settings.gate_penalty, settings.learn_tau, settings.init) == ([200, 100], 0.02, True, "residual")
    said = err.splitlines()
    lines = [line for line in said if line.startswith("step")]
    assert said[:2] == ["reading digits ...", "train 200 + 100 gates on 1294 samples for 60 steps"]
    form = r"step {}/60  loss \d\.\d{{4}}  validation relaxed \d+\.\d\d %  hard \d+\.\d\d %  \d+ s, \d+:\d\d left"
    assert len(lines) == 2 and all(re.fullmatch(form.format(step), line) for step, line in zip((30, 60), lines))


def test_train_with_a_model_file_repeats_a_run(ask, run, tmp_path):
    ask("train", "digits", "--model", run / "config.toml", "--out", tmp_path / "again", "--threads", 2)
    assert (tmp_path / "again" / "config.toml").read_text() == (run / "config.toml").read_text()
    one, two = (json.loads(ask("lower", r, "--json")[0]) for r in (run, tmp_path / "again"))
    assert one["digest"] == two["digest"]  # whatever the number of threads


def test_resume_without_a_run_begins_one(ask, tmp_path):
    ask("train", "digits", "--out", tmp_path / "run", "--resume", *TINY)
    assert (tmp_path / "run" / "model.safetensors").exists()


def test_lower_and_optimize_a_run(ask, run):
    out, err = ask("lower", run, "--json")
    raw = json.loads(out)
    assert raw["file"] == str(run / "circuit.net") and raw["counts"]["network"]["gates"] <= 400
    assert "is lowered already" in err and (run / "optimized.net").exists()
    assert "of which the optimised circuit and the verdicts would be lost" in ask("lower", run, "--head", "depth", code=2)[1]
    assert ask("lower", run, "--head", "depth", "--overwrite")[1].splitlines()[-1] == f"  hardwire optimize {run}"
    assert not (run / "optimized.net").exists()  # it was another circuit's
    raw = json.loads(ask("lower", run, "--head", "depth", "--json")[0])
    out, err = ask("optimize", run, "-O1", "--json")
    best = json.loads(out)
    assert best["digest"] == load_circuit(run / "optimized.net").digest and best["nodes"] < raw["nodes"]
    assert {p["name"] for p in best["passes"]} == {"constant-propagation", "structural-hashing", "dead-node-removal"}
    assert "constant-propagation: " in err
    gates = sum(stage["gates"] for stage in raw["counts"].values())
    wires, constants = (sum(raw[what].values()) for what in ("wires", "constants"))
    assert wires and constants and raw["nodes"] == gates + wires + constants
    assert (best["passes"][0]["gates_before"], best["passes"][0]["wires_before"]) == (gates, wires)
    assert f"{gates} -> " in err and f", {wires} -> 0 wires, {constants} -> 0 constants, depth" in err
    assert f"no gates: {wires:,} wires, {constants:,} constants" in ask("show", run / "circuit.net")[0]
    out, _ = ask("optimize", run, "-O1")
    assert f"{gates:,} -> {sum(stage['gates'] for stage in best['counts'].values()):,} gates, " in out
    assert f"apart from gates: {wires:,} -> 0 wires, {constants:,} -> 0 constants" in out
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
    assert ask("show", xor, "--full")[0] == load_circuit(xor).text()
    out, err = ask("show", xor, "--json")
    assert err == "" and json.loads(out)["counts"]["network"] == {"gates": 1, "depth": 1}
    assert load_circuit(run / "optimized.net").digest[:16] in ask("show", run)[0]
    assert json.loads(ask("show", run, "--json")[0])["labels"] == [str(i) for i in range(10)]


@pytest.fixture
def copied(finished, tmp_path) -> Path:
    """A finished run of the test's own."""
    return Path(shutil.copytree(finished, tmp_path / "own run"))


@pytest.mark.parametrize("target, names", [
    ("c", ["digits.c", "digits.h", "digits_model.h"]), ("aiger", ["digits.aig"]), ("blif", ["digits.blif"]),
    ("verilog", ["digits.v", "digits_in.hex", "digits_out.hex", "digits_parameters.vh", "digits_tb.v", "popcount_columns.v"])])
def test_emit(ask, copied, tmp_path, target, names):
    out, _ = ask("emit", copied, "--to", target, "--out", tmp_path / "new" / "folder", "--json")
    files = [Path(f) for f in json.loads(out)["files"]]
    assert sorted(f.name for f in files) == names == sorted(f.name for f in (tmp_path / "new" / "folder").iterdir())


def test_emit_says_what_a_core_takes(ask, copied, tmp_path):
    options = ["--bus", "packed", "--pipeline", "5", "--register-inputs"]
    said = json.loads(ask("emit", copied, "--to", "verilog", "--out", tmp_path, *options, "--json")[0])
    parameters = (tmp_path / "digits_parameters.vh").read_text()
    assert f"`define DIGITS_LATENCY {said['latency']} " in parameters and said["flip_flops"] > 64
    assert list(said["tables"]) == ["encoder", "network", "head"] and all(said["tables"].values())
    text, _ = ask("emit", copied, "--to", "vivado", "--out", tmp_path / "project", "--pipeline", "5", "--device", "xc7k70tfbg676-1")
    assert f"latency {said['latency'] - 1} clocks, " in text and "tables of six inputs: encoder " in text
    assert "set part xc7k70tfbg676-1" in (tmp_path / "project" / "digits_vivado.tcl").read_text()
    flat, _ = ask("emit", copied, "--to", "verilog", "--out", tmp_path / "flat")
    assert flat.splitlines()[-1].startswith("combinational; tables of six inputs: encoder ")
    noted = [e["options"] for e in json.loads((copied / "steps.json").read_text())["emit"]["emitted"]]
    assert noted[0] == {"bus": "packed", "pipeline": 5, "register_inputs": True}


def test_emit_knows_the_targets_of_the_workflow():
    assert set(cli_circuit.TARGETS) == set(TARGETS)


@pytest.mark.parametrize("target, name", [("aiger", "digits.aig"), ("blif", "digits.blif"), ("verilog", "digits.v")])
def test_what_was_emitted_is_proved_from_its_file(ask, copied, tmp_path, target, name):
    pipeline = ["--pipeline", "5", "--bus", "packed", "--register-inputs"] * (target == "verilog")
    ask("emit", copied, "--to", target, "--out", tmp_path, *pipeline)
    out, err = ask("verify", copied, "--against", tmp_path / name, "--json")
    assert json.loads(out)["equivalence"]["status"] == "proved" and name in err


@pytest.mark.slow
def test_verify_reads_the_files_that_were_emitted(ask, copied):
    for target in ("c", "blif"):
        ask("emit", copied, "--to", target, "--out", copied / target)
    ask("verify", copied)
    record = json.loads(ask("report", copied, "--json")[0])
    assert record["verified"]["emitted blif/digits.blif"] == "proved" and record["verified"]["emitted c/digits.c compiled"]
    assert [e["files"][0]["path"] for e in record["emitted"]] == ["c/digits.c", "blif/digits.blif"]
    bound = record["verified_by"]
    assert set(bound) == set(record["verified"]) and all(v["circuit"] == record["digest"] for v in bound.values())
    assert bound["emitted blif/digits.blif"]["against"] == record["emitted"][1]["files"][0]["sha256"]
    assert bound["optimized gates"]["against"] == load_circuit(copied / "circuit.net").digest
    assert all(v["tool"] and v["version"] and v["seconds"] >= 0 for v in bound.values() if "method" in v)
    with open(copied / "blif" / "digits.blif", "a") as file:
        file.write("# another byte\n")
    lines = ask("verify", copied, code=1)[0].splitlines()
    (line,) = (line for line in lines if " refuted" in line)
    assert line.startswith("emitted blif/digits.blif") and "has changed" in line and "still computes" in line
    ask("lower", copied)  # the files are there, whatever becomes of the circuit
    assert [e["target"] for e in json.loads((copied / "steps.json").read_text())["emit"]["emitted"]] == ["c", "blif"]


def test_verify_a_run(ask, finished):
    out, err = ask("verify", finished, "--json")
    verdicts = {name: v["verdict"] for name, v in json.loads(out).items()}
    proofs = {"optimized gates", "macros", "verilog read back", "verilog pipelined read back",
              "packed program read back", "c read back", "c one sample read back", "c model read back", "wasm read back"}
    simulated = {"trained network", "packed engine", "c", "c one sample", "c model", "verilog rtl", "verilog pipelined rtl"}
    assert {name for name, v in verdicts.items() if v == "proved"} == proofs
    assert {name for name, v in verdicts.items() if v.startswith("simulated ")} == {
        name for name in simulated if "rtl" not in name or tools.find(tools.IVERILOG)}
    assert {m for m in (json.loads(line)["message"] for line in err.splitlines()) if m.startswith("verify: ")} == {
        f"verify: {name}" for name in proofs | simulated}
    assert Record.load(finished).to_json()["verified"] == verdicts


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


def test_altered_c_is_refuted(ask, xor, tmp_path):
    ask("emit", xor, "--to", "c", "--out", tmp_path)
    good = json.loads(ask("verify", xor, "--against", tmp_path / "two.c", "--json")[0])
    assert {name: v["status"] for name, v in good.items()} == {
        "equivalence": "proved", "equivalence, one sample": "proved"}
    text = (tmp_path / "two.c").read_text()
    (tmp_path / "two.c").write_text(text.replace("(in[0] ^ in[1])", "(in[0] | in[1])"))
    assert (tmp_path / "two.c").read_text() != text
    out, _ = ask("verify", xor, "--against", tmp_path / "two.c", "--json", code=1)
    assert {name: v["status"] for name, v in json.loads(out).items()} == {
        "equivalence": "proved", "equivalence, one sample": "refuted"}


@pytest.mark.slow
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


@pytest.mark.parametrize("dtype", [bool, "u1", "u8", "i2", "f4"])
def test_run_takes_values_whatever_their_type(ask, tmp_path, dtype):
    b = CircuitBuilder("scaled")
    b.output("y", b.input("x", 4, offset=-2.0, step=0.5))
    save_circuit(b.build(), tmp_path / "scaled.net")
    np.save(tmp_path / "x.npy", np.array([[0], [1]], dtype))
    answer, _ = ask("run", tmp_path / "scaled.net", "--input", tmp_path / "x.npy", "--json")
    assert [row["y"] for row in json.loads(answer)["outputs"]] == [4, 6]


def test_run_takes_images_single_samples_and_none(ask, finished, digits, tmp_path):
    x = digits.test.x[:3]
    for name, array in (("images", x.reshape(3, 8, 8)), ("rows", x), ("reals", x.astype(float)), ("one", x[0]),
                        ("none", x[:0].reshape(0, 8, 8))):
        np.save(tmp_path / f"{name}.npy", array)
    said = {p.stem: ask("run", finished, "--input", p)[0].split() for p in sorted(tmp_path.glob("*.npy"))}
    assert said["images"] == said["rows"] == said["reals"] and len(said["rows"]) == 3
    assert said["one"] == said["rows"][:1] and said["none"] == []


@pytest.mark.parametrize("backend", ["packed", "interpreter"])
def test_run_refuses_scaled_values(ask, refuse, finished, digits, tmp_path, backend):
    np.save(tmp_path / "x.npy", digits.test.x / 16)
    given = ["run", finished, "--input", tmp_path / "x.npy", "--backend", backend]
    said = refuse(tmp_path, *given)
    assert "trained on values from 0 to 31, these lie between 0 and 1: give them as they were" in said and "--as-is" in said
    assert len(ask(*given, "--as-is")[0].split()) == len(digits.test.x)


def test_run_counts_what_lies_outside(ask, finished, digits, tmp_path):
    x = digits.test.x.astype(float)
    x[3, 10] = 40
    np.save(tmp_path / "x.npy", x)
    assert "1 value in 1 of 359 samples outside" in ask("run", finished, "--input", tmp_path / "x.npy")[1]


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
    assert record == Record.load(finished).to_json() | {"environment": record["environment"], "time": record["time"]}
    assert {"hardware", "dataset", "seed", "accuracy", "counts", "verified", "time", "energy", "environment"} <= set(record)
    assert (record["hardware"], record["dataset"], record["seed"]) == ("logic", "digits", 3)
    assert set(record["accuracy"]) == {"metric", "test_hard", "test_relaxed", "validation"} and record["accuracy"]["test_hard"] > 0.3
    assert record["accuracy"]["metric"] == "accuracy" and "outputs" not in record
    assert list(record["counts"]) == ["encoder", "network", "head"]
    free = {f"{what}_{when}" for what in ("wires", "constants") for when in ("raw", "optimized")}
    assert all(set(c) == {"gates_raw", "gates_optimized", "depth", "nodes_raw"} | free for c in record["counts"].values())
    network = record["counts"]["network"]
    assert network["nodes_raw"] == 400 == sum(network[f"{what}_raw"] for what in ("gates", "wires", "constants"))
    assert network["wires_raw"] + network["constants_raw"] > 0, "a trained network has nodes that are no gates"
    assert sum(c["gates_raw"] for c in record["counts"].values()) == record["passes"][0]["gates_before"]
    assert sum(c["gates_optimized"] for c in record["counts"].values()) == record["passes"][-1]["gates_after"]
    assert {"train_s", "lower_s", "optimize_s", "verify_s", "samples_per_s"} <= set(record["time"])
    assert all(line["model"] and line["source"] for line in record["energy"])
    assert {"versions", "machine", "commit"} <= set(record["environment"])
    assert record["digest"] == load_circuit(finished / "optimized.net").digest
    assert np.sum(record["confusion"]) == 359 and "<html" in (finished / "report.html").read_text()
    out, _ = ask("report", finished)
    assert "hardwire · logic · digits · seed 3" in out


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


def test_demo(ask, tmp_path):
    out, err = ask("demo", "--out", tmp_path / "demo", "--seed", 3, "--search-rounds", 40, "--json")
    record = json.loads(out)
    assert record["seed"] == 3 and all(f"{i}/6 " in err for i in range(1, 7))
    left = {p.name for p in (tmp_path / "demo").iterdir()}
    assert {"report.html", "report.json", "circuit.net", "optimized.net", "c", "verilog", "config.toml"} <= left
    assert not any(p.suffix == ".part" for p in (tmp_path / "demo").rglob("*"))
    (tmp_path / "demo" / "old").write_text("")
    again, _ = ask("demo", "--out", tmp_path / "demo", "--seed", 3, "--search-rounds", 40, "--json", "--threads", 2)
    assert json.loads(again)["digest"] == record["digest"] and not (tmp_path / "demo" / "old").exists()


def test_demo_leaves_other_folders_alone(refuse, run, tmp_path):
    assert "is no earlier demo" in refuse(tmp_path, "demo", "--out", run)
    assert "is no earlier demo" in refuse(tmp_path, "demo", "--out", run / "config.toml")


def test_demo_keeps_the_earlier_one_when_an_option_is_wrong(refuse, tmp_path):
    (tmp_path / "demo.txt").write_text("")
    assert "search-rounds" in refuse(tmp_path, "demo", "--out", tmp_path, "--search-rounds", "x")


@pytest.mark.slow
def test_the_real_demo_repeats_itself(ask, tmp_path):
    one, two = (json.loads(ask("demo", "--out", tmp_path / "demo", "--threads", n, "--json")[0]) for n in (1, 2))
    assert one["digest"] == two["digest"] and one["accuracy"] == two["accuracy"]
    assert one["accuracy"]["test_hard"] > 0.95
    assert not any(v.startswith("refuted") for v in one["verified"].values())
