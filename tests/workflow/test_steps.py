"""What verbs do to a run directory: killed and resumed training, what is kept between verbs, checks, counts."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from hardwire.circuit import CircuitBuilder, save_circuit
from hardwire.circuit.simulate import simulate
from hardwire.core.errors import InputError
from hardwire.core.gates import TABLE
from hardwire.data.datasets import confusion
from hardwire.logic import LogicSettings, train
from hardwire.verify import check_backend, prove
from hardwire.workflow import steps as runs
from tests.helpers import random_circuit, trained_like

CONFIG = LogicSettings(width=100, layers=2, levels=2, steps=500, batch=32, evaluate_every=50, noise=0.5)

#: A checkpoint after each step, so that a kill often hits one that is being written.
TRAIN = """
import functools, sys, torch
import hardwire.logic as nn
from hardwire import cli
torch.set_num_threads(1)
nn.train = functools.partial(nn.train, checkpoint_seconds=0)
sys.exit(cli.main(["train", "digits", "--model", sys.argv[1] + ".toml", "--out", sys.argv[1], "--resume"]))
"""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, digits) -> Path:
    out = tmp_path_factory.mktemp("runs") / "undisturbed"
    train(CONFIG, digits, out=out)
    return out


def start(out: Path) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", TRAIN, str(out)], stderr=subprocess.PIPE, env=os.environ | {"OMP_NUM_THREADS": "1"})


def kill_after(process: subprocess.Popen, out: Path, evaluations: int, delay: float) -> None:
    """SIGKILL ``delay`` seconds after so many more evaluations were written."""
    before, limit = evaluations_of(out), time.monotonic() + 120
    while evaluations_of(out) < before + evaluations or not (out / "checkpoint.safetensors").exists():
        assert process.poll() is None, process.stderr.read().decode()
        assert time.monotonic() < limit
        time.sleep(0.002)
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def evaluations_of(out: Path) -> int:
    return len((out / "metrics.jsonl").read_text().splitlines()) if (out / "metrics.jsonl").exists() else 0


def check_same_run(out: Path, other: Path) -> None:
    one, two = (load_file(p / "model.safetensors") for p in (out, other))
    assert one.keys() == two.keys() and all(np.array_equal(one[k], two[k]) for k in one)
    curves = [[{k: v for k, v in json.loads(line).items() if k != "seconds"}
               for line in (p / "metrics.jsonl").read_text().splitlines()] for p in (out, other)]
    assert curves[0] == curves[1]
    assert sorted(p.name for p in out.iterdir()) == ["config.toml", "metrics.jsonl", "model.safetensors"]


def kill_and_resume(tmp_path, undisturbed, moments) -> None:
    out = tmp_path / "run"
    (tmp_path / "run.toml").write_text(CONFIG.to_toml())
    for evaluations, delay in moments:
        kill_after(start(out), out, evaluations, delay)
        assert not (out / "model.safetensors").exists()
    process = start(out)
    said = process.communicate()[1].decode()
    assert process.returncode == 0, said
    check_same_run(out, undisturbed)
    one, two = (runs.lower_run(p) for p in (out, undisturbed))
    assert one.digest == two.digest


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_killed_and_resumed_is_as_never_killed(tmp_path, undisturbed):
    kill_and_resume(tmp_path, undisturbed, [(2, 0.013)])


@pytest.mark.slow
def test_killed_at_many_moments(tmp_path, undisturbed):
    kill_and_resume(tmp_path, undisturbed, [(1, 0.0), (1, 0.001), (1, 0.02), (1, 0.007), (2, 0.031), (1, 0.003)])


@pytest.mark.parametrize("stage", ["write", "rename"])
@pytest.mark.parametrize("step", [1, 60, 101])
def test_a_stop_inside_any_checkpoint(tmp_path, digits, undisturbed, monkeypatch, stage, step):
    """The same without chance: the process stops between the steps of writing checkpoint number ``step``."""
    from hardwire.core import files as disk

    seen = []

    def stop(source, target, do=os.replace):
        seen.append(str(target).endswith("checkpoint.safetensors"))
        if sum(seen) == step and seen[-1]:
            if stage == "rename":
                do(source, target)
            raise KeyboardInterrupt
        do(source, target)

    out = tmp_path / "run"
    monkeypatch.setattr(disk.os, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        train(CONFIG, digits, out=out, checkpoint_seconds=0)
    monkeypatch.undo()
    train(CONFIG, digits, out=out, resume=True)
    check_same_run(out, undisturbed)


# ----------------------------------------------------------------------------------------------------- between the verbs


@pytest.fixture
def lowered_run(undisturbed, tmp_path) -> Path:
    import shutil

    run = Path(shutil.copytree(undisturbed, tmp_path / "run"))
    runs.lower_run(run)
    return run


def test_each_verb_makes_void_what_came_after_it(lowered_run):
    def steps():
        return set(json.loads((lowered_run / "steps.json").read_text()))

    runs.optimize_run(lowered_run, level="O1")
    runs.note(lowered_run, "verify", {"seconds": 1.0, "verdicts": {}})
    assert steps() == {"lower", "optimize", "verify"}
    runs.optimize_run(lowered_run, level="O0")
    assert steps() == {"lower", "optimize"}
    runs.lower_run(lowered_run)
    assert steps() == {"lower"} and not (lowered_run / "optimized.net").exists()


def test_verdicts_belong_to_one_circuit():
    circuit, other = random_circuit(np.random.default_rng(0)), random_circuit(np.random.default_rng(1))
    found = {"digest": circuit.digest, "verdicts": {"c": "simulated 5"}, "seconds": 1.0}
    assert runs._verified(found, circuit) == {"c": "simulated 5"}
    assert "changed" in runs._verified(found, other)["all"] and "not run" in runs._verified(None, circuit)["all"]


def test_the_best_evaluation(tmp_path):
    rows = [{"step": 50, "hard": 0.9}, {"step": 100, "hard": 0.95}, {"step": 150, "hard": 0.95}, {"step": 200, "hard": 0.2}]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert runs.best_of(tmp_path)["step"] == 150


def test_the_circuit_of_a_path(lowered_run, tmp_path):
    raw = runs.circuit_of(lowered_run)
    assert raw.digest == runs.raw_circuit(lowered_run).digest == runs.circuit_of(lowered_run / "circuit.net").digest
    assert runs.optimize_run(lowered_run, level="O1").digest == runs.circuit_of(lowered_run).digest != raw.digest
    for target, name in (("aiger", "digits.aig"), ("blif", "digits.blif")):
        (path,) = runs.emit_circuit(raw, target, tmp_path / "out")
        assert path == tmp_path / "out" / name and prove(raw, runs.circuit_of(path)).status == "proved"
    with pytest.raises(InputError, match="holds no circuit; run `hardwire lower"):
        runs.circuit_of(tmp_path / "out")


@pytest.mark.parametrize("text, name", [("digits", "digits"), ("my data-2", "my_data_2"), ("3d", "n3d"), ("_x", "n_x"), ("é", "n_")])
def test_identifiers(text, name):
    assert runs.identifier(text) == name


# ---------------------------------------------------------------------------------------------------- targets and labels


TARGETS = {"regress": ("price,rent", "value"), "multilabel": ("big,old,dear", "label")}


@pytest.fixture(scope="module")
def houses(tmp_path_factory) -> Path:
    rng = np.random.default_rng(5)
    area, age = rng.uniform(40, 250, 400).round(1), rng.integers(0, 80, 400)
    price = 1e6 + 1500 * area - 2000 * age
    columns = [area, age, price, price / 240, area > 120, age > 50, price > 1.15e6]
    path = tmp_path_factory.mktemp("data") / "house.csv"
    np.savetxt(path, np.stack(columns, 1), "%.10g", ",", header="area,age,price,rent,big,old,dear", comments="")
    return path


@pytest.fixture(scope="module", params=TARGETS)
def judged(request, houses, tmp_path_factory):
    """A run for targets or for labels, optimised; with what was trained and the data."""
    from hardwire.logic import load_model

    run = tmp_path_factory.mktemp("runs") / request.param
    config = LogicSettings(dataset=str(houses), label=TARGETS[request.param][0], task=request.param, encoder="quantile", levels=7, code_bits=8,
                    wiring="random", width=60, layers=2, steps=300, batch=32, learning_rate=0.05, evaluate_every=50, seed=2)
    runs.train_run(config, run)
    runs.lower_run(run)
    runs.optimize_run(run, level="O1")
    return run, load_model(run), runs.dataset_of(config)


def outputs_by_hand(run, model, x) -> np.ndarray:
    """Values or labels of the circuit, by the interpreter and what the record says of its words."""
    record = json.loads((run / "report.json").read_text())
    circuit = runs.circuit_of(run)
    words = dict(zip((w.name for w in circuit.outputs), simulate(circuit, model.encoder.codes(x)).T.astype(float)))
    return np.stack([o.get("bias", 0) + o.get("scale", 1) * words[o["word"]] for o in record["outputs"]], axis=1)


def test_the_record_of_targets_and_labels(judged):
    run, model, data = judged
    record = runs.report_run(run)
    found, y, task = outputs_by_hand(run, model, data.test.x), data.test.y, model.config.task
    accuracy, each = record["accuracy"], [o["test_hard"] for o in record["outputs"]]
    assert [o["name"] for o in record["outputs"]] == TARGETS[task][0].split(",") == list(data.classes)
    assert "confusion" not in record and "classes" not in record and runs.circuit_of(run).labels == ()
    if task == "regress":
        error = ((found - y) ** 2).mean(0)
        assert accuracy["metric"] == "r2" and each == pytest.approx(1 - error / y.var(0)) and min(each) > 0.7
        assert accuracy["test_rmse"] == pytest.approx(np.sqrt(error)) and accuracy["test_rmse"][0] > 200 * accuracy["test_rmse"][1]
    else:
        assert accuracy["metric"] == "label accuracy" and each == pytest.approx((found == y).mean(0)) and min(each) > 0.8
        assert accuracy["test_exact"] == pytest.approx((found == y).all(1).mean()) and accuracy["test_exact"] < accuracy["test_hard"]
        assert "test_rmse" not in accuracy
    assert accuracy["test_hard"] == pytest.approx(np.mean(each)) and accuracy["validation"] == runs.best_of(run)["hard"]
    soft = model.network.train()(torch.from_numpy(model.encoder.encode(data.test.x)).float()).detach().numpy()
    model.network.eval()
    merit = 1 - ((soft - y) ** 2).mean(0) / y.var(0) if task == "regress" else (soft >= 0) == y
    assert accuracy["test_relaxed"] == pytest.approx(merit.mean())
    assert (run / "report.html").read_text().count(record["outputs"][0]["word"]) == 1


def test_the_trained_network_is_held_against_its_words(judged):
    run, model, data = judged
    circuit, codes = runs.circuit_of(run), model.encoder.codes(data.test.x)
    network = runs.hard_outputs(model)
    assert check_backend(circuit, network, codes).status == "simulated" and len(np.unique(network(codes))) > 1
    for i, word in enumerate(circuit.outputs):
        flipped = circuit.table.copy()
        flipped[circuit.output_nets[sum(w.width for w in circuit.outputs[:i])] - circuit.first_node] ^= np.uint64(0b1111)
        verdict = check_backend(replace(circuit, table=flipped, macros=()), network, codes)
        assert verdict.status == "refuted" and verdict.outputs[0][word.name] != verdict.outputs[1][word.name]
    assert [w.name for w in circuit.outputs] == [f"{TARGETS[model.config.task][1]}{i}" for i in range(len(circuit.outputs))]


def test_what_words_mean_is_kept_between_the_verbs(judged):
    run, model, _ = judged
    kept = runs.notes(run)["lower"]["outputs"]
    assert kept == runs.outputs_of(model) and [o["name"] for o in kept] == TARGETS[model.config.task][0].split(",")
    counts = np.arange(12).reshape(6, 2)
    if model.config.task == "regress":
        values = np.array([o["bias"] for o in kept]) + np.array([o["scale"] for o in kept]) * counts
        assert (values == model.network.head.values(counts)).all()


def test_a_classifier_has_a_class_index(undisturbed, digits):
    from hardwire.logic import load_model

    model = load_model(undisturbed)
    assert runs.outputs_of(model) == []
    found = runs.hard_outputs(model)(model.encoder.codes(digits.test.x))
    assert found.shape == (359, 1) and runs.circuit_scores(model, found).argmax(1).tolist() == found[:, 0].tolist()


# --------------------------------------------------------------------------------------------------------------- counts


def test_confusion():
    assert confusion(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 0]), 3) == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]


def test_speed_is_of_many_samples(rng, tmp_path):
    circuit = trained_like(rng, words=4, layers=2, width=20, classes=2)
    speed = runs.measure(circuit, rng.integers(0, 16, (7, 4)).astype(np.uint8))
    assert speed["samples_per_s"] >= speed["samples_per_s_median"] > 1e4
    assert runs._energy(circuit) and save_circuit(circuit, tmp_path / "c.net").exists()
