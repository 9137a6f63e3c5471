"""What verbs do to a run directory: what is kept between them, records of targets and labels, circuits of a path."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import random_circuit, trained_like

from hardwire.circuit.simulate import simulate
from hardwire.core.errors import InputError
from hardwire.cost import total_gates
from hardwire.data.datasets import confusion
from hardwire.logic import LogicSettings, load_model, train
from hardwire.logic.outputs import circuit_scores, hard_outputs, outputs_of
from hardwire.logic.record import LOGIC, measure, raw_circuit, read_data
from hardwire.logic.verified import verified
from hardwire.runs import experiment
from hardwire.runs.directory import RunDirectory
from hardwire.verify import check_backend, prove
from hardwire.workflow.circuits import circuit_of, emit_circuit
from hardwire.workflow.logic import lower_run, optimize_run, verify_run
from hardwire.workflow.report import report_run

SETTINGS = LogicSettings(width=100, layers=2, levels=2, steps=100, batch=32, evaluate_every=50, noise=0.5)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, digits) -> Path:
    out = tmp_path_factory.mktemp("runs") / "undisturbed"
    train(SETTINGS, digits, out=out)
    return out


# ----------------------------------------------------------------------------------------------------- between the verbs


@pytest.fixture
def lowered_run(undisturbed, tmp_path) -> Path:
    run = Path(shutil.copytree(undisturbed, tmp_path / "run"))
    lower_run(run)
    return run


def test_each_verb_makes_void_what_came_after_it(lowered_run):
    def steps():
        return set(json.loads((lowered_run / "steps.json").read_text()))

    optimize_run(lowered_run, level="O1")
    RunDirectory(lowered_run).note_step("verify", {"seconds": 1.0, "verdicts": {}})
    assert steps() == {"lower", "optimize", "verify"}
    optimize_run(lowered_run, level="O0")
    assert steps() == {"lower", "optimize"}
    before = (lowered_run / "optimized.net").read_bytes()
    with pytest.raises(InputError, match="was lowered to another circuit, of which the optimised circuit would be lost"):
        lower_run(lowered_run, head="depth")
    assert steps() == {"lower", "optimize"} and (lowered_run / "optimized.net").read_bytes() == before
    lower_run(lowered_run, head="depth", overwrite=True)
    assert steps() == {"lower"} and not (lowered_run / "optimized.net").exists()


def test_the_same_circuit_again_makes_nothing_void(lowered_run):
    said = []
    digest = optimize_run(lowered_run, level="O1").digest
    RunDirectory(lowered_run).note_step("verify", {"seconds": 1.0, "verdicts": {}, "digest": digest})
    before = {p.name: p.read_bytes() for p in lowered_run.iterdir() if p.suffix == ".net"}
    lower_run(lowered_run, progress=said.append)
    assert said == [f"{lowered_run} is lowered already, to the same circuit"]
    optimize_run(lowered_run, level="O1", progress=said.append)
    assert set(RunDirectory(lowered_run).steps()) == {"lower", "optimize", "verify"} and not any("void" in s for s in said)
    assert {p.name: p.read_bytes() for p in lowered_run.iterdir() if p.suffix == ".net"} == before
    optimize_run(lowered_run, level="O0", progress=said.append)
    assert set(RunDirectory(lowered_run).steps()) == {"lower", "optimize"} and any("are void; run `hardwire verify" in s for s in said)
    (lowered_run / "circuit.net").unlink()
    lower_run(lowered_run)
    assert (lowered_run / "circuit.net").read_bytes() == before["circuit.net"]


@pytest.mark.slow
def test_an_inexact_circuit_is_said_to_be_one(lowered_run, digits):
    exact = optimize_run(lowered_run)
    inexact = optimize_run(lowered_run, budget=0.05)
    assert total_gates(inexact) < total_gates(exact) and (lowered_run / "simplified.net").is_file()
    verdicts = verify_run(lowered_run)
    assert verdicts["trained network"].status == "skipped" and "--budget 0.05" in verdicts["trained network"].detail
    assert verdicts["optimized gates"].status == "proved"
    record = report_run(lowered_run).to_json()
    noted = record["inexact"]
    assert noted["validation_after"] >= noted["validation_before"] - 0.05 and noted["changed"] > 0
    x, y = digits.validation.x, digits.validation.y
    assert noted["validation_after"] == (simulate(inexact, load_model(lowered_run).encoder.codes(x))[:, 0] == y).mean()
    optimize_run(lowered_run)
    assert not (lowered_run / "simplified.net").exists() and "inexact" not in report_run(lowered_run).to_json()


def test_verdicts_belong_to_one_circuit(tmp_path):
    directory = RunDirectory(tmp_path)
    circuit, other = random_circuit(np.random.default_rng(0)), random_circuit(np.random.default_rng(1))
    assert "not run" in verified(directory, other, circuit)["verified"]["all"].detail
    by = {"c": {"circuit": circuit.digest}, "optimized gates": {"circuit": circuit.digest, "against": other.digest}}
    directory.note_step("verify", {"digest": circuit.digest, "verdicts": {"c": "simulated 5", "optimized gates": "proved"},
                                   "verified_by": by, "seconds": 1.0})
    assert verified(directory, other, circuit) == {"verified": {"c": "simulated 5", "optimized gates": "proved"},
                                                   "verified_by": by}
    found = verified(directory, other, other)
    assert "changed" in found["verified"]["all"].detail and len(found["verified"]) == 1 and "verified_by" not in found
    stale = verified(directory, circuit, circuit)
    assert stale["verified"]["optimized gates"].status == "skipped" and stale["verified"]["c"] == "simulated 5"
    assert set(stale["verified_by"]) == {"c"}


def test_the_best_evaluation(undisturbed):
    model = load_model(undisturbed)
    assert model.best["step"] == model.best_step and model.best["hard"] == max(m["hard"] for m in model.metrics)


def test_the_circuit_of_a_path(lowered_run, tmp_path):
    raw = circuit_of(lowered_run)
    assert raw.digest == raw_circuit(RunDirectory(lowered_run)).digest == circuit_of(lowered_run / "circuit.net").digest
    assert optimize_run(lowered_run, level="O1").digest == circuit_of(lowered_run).digest != raw.digest
    for target, name in (("aiger", "digits.aig"), ("blif", "digits.blif")):
        (path,) = emit_circuit(raw, target, tmp_path / "out")
        assert path == tmp_path / "out" / name and prove(raw, circuit_of(path)).status == "proved"
    with pytest.raises(InputError, match="holds no circuit; give a run directory of `hardwire train`"):
        circuit_of(tmp_path / "out")


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
    run = tmp_path_factory.mktemp("runs") / request.param
    config = LogicSettings(dataset=str(houses), label=TARGETS[request.param][0], task=request.param, encoder="quantile", levels=7, code_bits=8,
                    wiring="random", width=60, layers=2, steps=300, batch=32, learning_rate=0.05, evaluate_every=50, seed=2)
    experiment.train(LOGIC, config, run)
    lower_run(run)
    optimize_run(run, level="O1")
    return run, load_model(run), read_data(config)


def outputs_by_hand(run, model, x) -> np.ndarray:
    """Values or labels of the circuit, by the interpreter and what the record says of its words."""
    record = json.loads((run / "report.json").read_text())
    circuit = circuit_of(run)
    words = dict(zip((w.name for w in circuit.outputs), simulate(circuit, model.encoder.codes(x)).T.astype(float)))
    return np.stack([o.get("bias", 0) + o.get("scale", 1) * words[o["word"]] for o in record["outputs"]], axis=1)


def test_the_record_of_targets_and_labels(judged):
    run, model, data = judged
    record = report_run(run).to_json()
    found, y, task = outputs_by_hand(run, model, data.test.x), data.test.y, model.settings.task
    accuracy, each = record["accuracy"], [o["test_hard"] for o in record["outputs"]]
    assert [o["name"] for o in record["outputs"]] == TARGETS[task][0].split(",") == list(data.classes)
    assert "confusion" not in record and "classes" not in record and circuit_of(run).labels == ()
    if task == "regress":
        error = ((found - y) ** 2).mean(0)
        assert accuracy["metric"] == "r2" and each == pytest.approx(1 - error / y.var(0)) and min(each) > 0.7
        assert accuracy["test_rmse"] == pytest.approx(np.sqrt(error)) and accuracy["test_rmse"][0] > 200 * accuracy["test_rmse"][1]
    else:
        assert accuracy["metric"] == "label accuracy" and each == pytest.approx((found == y).mean(0)) and min(each) > 0.8
        assert accuracy["test_exact"] == pytest.approx((found == y).all(1).mean()) and accuracy["test_exact"] < accuracy["test_hard"]
        assert "test_rmse" not in accuracy
    assert accuracy["test_hard"] == pytest.approx(np.mean(each)) and accuracy["validation"] == model.best["hard"]
    soft = model.network.train()(torch.from_numpy(model.encoder.encode(data.test.x)).float()).detach().numpy()
    model.network.eval()
    merit = 1 - ((soft - y) ** 2).mean(0) / y.var(0) if task == "regress" else (soft >= 0) == y
    assert accuracy["test_relaxed"] == pytest.approx(merit.mean())
    assert (run / "report.html").read_text().count(record["outputs"][0]["word"]) == 1


def test_the_trained_network_is_held_against_its_words(judged):
    run, model, data = judged
    circuit, codes = circuit_of(run), model.encoder.codes(data.test.x)
    network = hard_outputs(model)
    assert check_backend(circuit, network, codes).status == "simulated" and len(np.unique(network(codes))) > 1
    for i, word in enumerate(circuit.outputs):
        flipped = circuit.table.copy()
        flipped[circuit.output_nets[sum(w.width for w in circuit.outputs[:i])] - circuit.first_node] ^= np.uint64(0b1111)
        verdict = check_backend(replace(circuit, table=flipped, macros=()), network, codes)
        assert verdict.status == "refuted" and verdict.outputs[0][word.name] != verdict.outputs[1][word.name]
    assert [w.name for w in circuit.outputs] == [f"{TARGETS[model.settings.task][1]}{i}" for i in range(len(circuit.outputs))]


def test_what_words_mean_is_kept_between_the_verbs(judged):
    run, model, _ = judged
    kept = RunDirectory(run).steps()["lower"]["outputs"]
    assert kept == outputs_of(model) and [o["name"] for o in kept] == TARGETS[model.settings.task][0].split(",")
    counts = np.arange(12).reshape(6, 2)
    if model.settings.task == "regress":
        values = np.array([o["bias"] for o in kept]) + np.array([o["scale"] for o in kept]) * counts
        assert (values == model.network.head.values(counts)).all()


def test_a_classifier_has_a_class_index(undisturbed, digits):
    model = load_model(undisturbed)
    assert outputs_of(model) == []
    found = hard_outputs(model)(model.encoder.codes(digits.test.x))
    assert found.shape == (359, 1) and circuit_scores(model, found).argmax(1).tolist() == found[:, 0].tolist()


# --------------------------------------------------------------------------------------------------------------- counts


def test_confusion():
    assert confusion(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 0]), 3) == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]


def test_speed_is_of_many_samples(rng, tmp_path):
    circuit = trained_like(rng, words=4, layers=2, width=20, classes=2)
    speed = measure(circuit, rng.integers(0, 16, (7, 4)).astype(np.uint8))
    assert speed["samples_per_s"] >= speed["samples_per_s_median"] > 1e4
