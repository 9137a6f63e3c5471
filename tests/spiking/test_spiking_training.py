"""Whole runs on the embedded digits: learning, resuming, contenders, record, command line, NIR."""

import dataclasses
import functools
import json
import operator

import numpy as np
import pytest
from helpers import signatures

from hardwire.cli import app as cli
from hardwire.core.errors import FormatError, InputError
from hardwire.report import render_html
from hardwire.runs.directory import CHECKPOINT, RunDirectory
from hardwire.runs.record import Record
from hardwire.spiking import SpikingSettings, export_nir, import_nir, load_model, preset, train
from hardwire.spiking import network as networks
from hardwire.spiking.contenders import RESULTS, jobs, run_contenders, summarise
from hardwire.spiking.nir import Layer, write_layer
from hardwire.spiking.record import record as record_of
from hardwire.spiking.training import SpikingTraining

TINY = SpikingSettings(dataset="digits", outputs=80, epochs=2, ltp=0.03, ltd=0.006, check_every=100, method="soft", prune=0.5,
                cells="digital", bits=4)


@pytest.fixture(scope="module")
def run(digits, tmp_path_factory):
    folder = tmp_path_factory.mktemp("spiking") / "run"
    return folder, train(TINY, digits, out=folder)


def test_a_run_learns_digits(run, digits):
    folder, model = run
    assert (model.predict(digits.test.x) == digits.test.y).mean() > 0.7
    assert [m["epoch"] for m in model.metrics] == [1, 2] and model.metrics[-1]["pruned"] > 0.3
    assert all(model.network.checks().values())
    assert not (folder / CHECKPOINT).exists()


def test_a_run_is_read_back(run, digits):
    folder, model = run
    again = load_model(folder)
    assert again.settings == model.settings == SpikingSettings.load(folder / "config.toml")
    for name, array in model.network.arrays().items():
        assert np.array_equal(array, again.network.arrays()[name]), name
    assert np.array_equal(model.respond(digits.test.x), again.respond(digits.test.x))


class Killed(Exception):
    pass


@pytest.mark.parametrize("rule", ["one-sided", "triplet"])
def test_a_killed_run_resumes_to_the_same_bits(rule, digits, tmp_path):
    settings = TINY.changed(epochs=1, evaluate_every=500)
    if rule == "triplet":
        settings = preset("digits", rule).changed(outputs=20, norm=20.0, evaluate_every=500, check_every=50)
        digits = dataclasses.replace(digits, train=type(digits.train)(digits.train.x[:700], digits.train.y[:700]))
    whole = train(settings, digits)

    def kill(event):
        if event.figures and event.position >= 600:
            raise Killed

    with pytest.raises(Killed):
        train(settings, digits, out=tmp_path / "run", progress=kill, checkpoint_seconds=0.0)
    with pytest.raises(InputError, match=r"already holds an interrupted run at .*; `--resume` goes on with it"):
        train(settings, digits, out=tmp_path / "run")
    with pytest.raises(InputError, match="other settings"):
        train(settings.changed(seed=1), digits, out=tmp_path / "run", resume=True)
    resumed = train(settings, digits, out=tmp_path / "run", resume=True)
    for name, array in whole.network.arrays().items():
        assert np.array_equal(array, resumed.network.arrays()[name]), name
    assert [m["samples"] for m in resumed.metrics] == [m["samples"] for m in whole.metrics]


def test_every_sample_is_shown_once_an_epoch_and_from_anywhere_on(digits):
    settings = SpikingSettings(epochs=2, check_every=30, evaluate_every=10**6)
    small = dataclasses.replace(digits, train=type(digits.train)(digits.train.x[:100], digits.train.y[:100]),
                                validation=type(digits.validation)(digits.validation.x[:0], digits.validation.y[:0]))

    def shown(position=0):
        training, chunks = SpikingTraining(settings, small), []
        number = {training.x[i].tobytes(): i for i in range(100)}
        training.network.learn = lambda x, at: chunks.append([number[row.tobytes()] for row in x]) or np.zeros((len(x), 1), np.uint16)
        training.position = position
        while training.position < training.total:
            training.advance()
        return chunks

    whole = shown()
    assert [len(c) for c in whole] == [30, 30, 30, 10] * 2
    assert sorted(functools.reduce(operator.iadd, whole[:4], [])) == list(range(100)) and whole[0] != whole[4]
    assert whole[5:] == shown(130)


# Contenders and record


def test_contenders(digits, tmp_path):
    small = TINY.changed(outputs=10, epochs=1, method="none", prune=0.0)
    rows = run_contenders(small, digits, tmp_path, shares=[0.5], seeds=2)
    assert [(r["method"], r["prune"], r["seed"]) for r in rows] == [tuple(j.values()) for j in jobs(small, [0.5], 2, METHODS)]
    text = (tmp_path / RESULTS).read_text()
    assert run_contenders(small, digits, tmp_path, shares=[0.5], seeds=2, progress=lambda row: pytest.fail("trained again")) == rows
    assert text == (tmp_path / RESULTS).read_text()
    summary = {r["method"]: r for r in summarise(rows)}
    assert summary["none"]["updates_saved"] == 0 and summary["zero-after"]["updates_saved"] == 0
    assert 0.1 < summary["soft"]["updates_saved"] < 0.5
    tests = [r["test"] for r in rows if r["method"] == "soft"]
    assert summary["soft"]["test_linear"] == np.mean([r["readouts"]["test"]["linear"] for r in rows if r["method"] == "soft"])
    assert summary["soft"]["test"] == np.mean(tests) and summary["soft"]["test_sd"] == pytest.approx(abs(tests[0] - tests[1]) / 2**0.5)


METHODS = ("none", "zero-after", "soft", "zero", "random")


def test_the_record_of_a_run(run, digits, tmp_path):
    _, model = run
    rows = [{"method": m, "prune": p, "seed": s, "test": 0.8 - p / 10 + s / 100, "validation": 0.8, "updates": 100 - 50 * p,
             "pulses": 10, "readouts": {"test": {"bayes": 0.85, "linear": 0.9}}}
            for m, p in (("none", 0.0), ("soft", 0.4), ("soft", 0.75)) for s in range(3)]
    (tmp_path / RESULTS).write_text("".join(json.dumps(row) + "\n" for row in rows))
    record = record_of(model, digits, RunDirectory(tmp_path)).to_json()
    assert set(record["verified"].values()) == {f"simulated {2 * len(digits.train.y)} samples"}
    assert record["accuracy"]["test_hard"] == (model.predict(digits.test.x) == digits.test.y).mean()
    spiking = record["spiking"]
    assert spiking["network"]["cells_used"] == 65 * 80 * 4
    pruning, spikes = spiking["pruning"], int(model.network.outputs.spikes.sum())
    assert pruning["updates"] + pruning["updates_saved"] == 65 * spikes
    worn = spiking["wear"]
    assert worn["mean"] * 65 * 80 * 4 == pytest.approx(model.network.tally[4])
    assert len(spiking["raster"]["after"]["out"][0]) == TINY.steps - TINY.burn_in
    energy = {(line["ledger"], line["item"]): line for line in record["energy"]}
    pulses = energy["learning, as RRAM cells, writes only", "programming pulses"]
    assert pulses["count"] * model.network.training_samples == pytest.approx(model.network.tally[4])
    page = render_html(record)
    assert len(page) < 500_000 and "Ways to prune" in page and "Receptive fields" in page and "Wear of the array" in page


def test_the_command(tmp_path, capsys):
    out = tmp_path / "run"
    words = ["spiking", "digits", "--out", str(out), "--outputs", "15", "--epochs", "1", "--prune", "0.5", "--set", "ltp=0.03"]
    assert cli.main([*words, "--compare", "0.5", "--seeds", "1", "--json"]) == 0
    said = capsys.readouterr()
    record = json.loads(said.out)
    assert record["hardware"] == "spiking" and record["model"]["method"] == "soft" and "validation" in said.err
    assert {r["method"] for r in record["spiking"]["contenders"]} == set(METHODS)
    assert record["spiking"] == Record.load(out).to_json()["spiking"]
    left = {"config.toml", "model.safetensors", "metrics.jsonl", "report.json", "report.html", RESULTS}
    assert {p.name for p in out.iterdir()} >= left
    assert cli.main(["report", str(out)]) == 0
    text = capsys.readouterr().out
    assert "outputs assigned" not in text and "spiking network" in text and "soft: a constant" in text
    assert cli.main(["spiking", "digits", "--out", str(out), "--resume"]) == 0
    assert cli.main(words) == 2
    assert "already holds a finished run" in capsys.readouterr().err


@pytest.mark.parametrize("options, said", [
    (["--prune", "1.5"], "prune = 1.5"), (["--set", "bits=9"], "bits = 9"), (["--set", "nothing=1"], "'nothing' is no setting"),
    (["--outputs", "9000"], "do not fit on 1 array"), (["--compare", "0.4,x"], "no list of shares"), (["--compare", "0"], "above 0"),
    (["--rule", "triplet", "--prune", "0.5"], "comparison on ideal weights"), (["--set", "burn_in=40"], "lower it"),
    (["--set", "w_low=0.5"], "swap them"), (["--seeds", "0"], "use at least 1"), (["--set", "steps"], "not NAME=VALUE"),
    (["--set", "gain=nan"], "gain = nan"), (["--set", "neuron=tree"], "none of wta, lif"), (["--set", "outputs=1.5"], "outputs = 1.5 should be a whole number"),
])
def test_mistakes(options, said, tmp_path, capsys):
    assert cli.main(["spiking", "digits", "--out", str(tmp_path / "run"), *options]) == 2
    err = capsys.readouterr().err.splitlines()
    assert err[-1].startswith("hardwire: ") and said in err[-1]


def test_all_samples_are_trained_without_a_validation_split(digits, tmp_path, capsys):
    out = tmp_path / "run"
    assert cli.main(["spiking", "digits", "--out", str(out), "--outputs", "10", "--epochs", "1", "--set", "validation=0", "--compare",
                     "0.5", "--seeds", "1", "--json"]) == 0
    said = capsys.readouterr()
    record = json.loads(said.out)
    samples = len(digits.train.y) + len(digits.validation.y)
    assert set(record["verified"].values()) == {f"simulated {samples} samples"} and "validation" not in said.err
    assert record["accuracy"]["validation"] is None and record["accuracy"]["test_hard"] > 0.2
    assert all(row["validation"] is None for row in record["spiking"]["contenders"])


def test_damaged_runs(run, tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        load_model(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(FormatError, match="is damaged or no safetensors file"):
        load_model(tmp_path)
    with pytest.raises(FormatError, match="not TOML"):
        SpikingSettings.from_toml("rule = ", "x.toml")


def test_settings_round_trip():
    settings = SpikingSettings(dataset='a "b"', prune=0.75, method="soft", mature_at=70)
    assert SpikingSettings.from_toml(settings.to_toml()) == settings
    assert SpikingSettings().with_text("neuron=lif\ngain=2\nbias=false", "--set") == SpikingSettings(neuron="lif", gain=2.0, bias=False)


# NIR


@pytest.fixture
def nir():
    return pytest.importorskip("nir")


def layer(rng, n=5, m=3):
    return Layer(rng.normal(0.2, 0.5, (n, m)).astype(np.float32), rng.uniform(0, 0.2, m).astype(np.float32), rng.uniform(5, 30, m),
                 rng.uniform(0.5, 2, m), np.zeros(m))


def test_a_layer_comes_back_through_nir(nir, rng, tmp_path):
    before = layer(rng)
    after = import_nir(write_layer(before, tmp_path / "layer.nir", step_ms=0.5), step_ms=0.5)
    for name in ("w", "bias", "membrane_ms", "threshold", "reset"):
        assert np.allclose(getattr(before, name), getattr(after, name), rtol=1e-6), name
    spikes = rng.random((200, 5)) < 0.3
    assert np.array_equal(before.run(spikes, 0.5)[0], after.run(spikes, 0.5)[0]) and before.run(spikes, 0.5)[0].sum() > 20


def test_units_on_a_known_decay(nir, tmp_path):
    """20 ms here are 0.02 s there: after 30 ms a membrane of 1 is at e^-1.5, and a spike moved it by the weight."""
    one = Layer(np.array([[0.7]], np.float32), np.zeros(1, np.float32), np.array([20.0]), np.array([9.0]), np.zeros(1))
    graph = nir.read(write_layer(one, tmp_path / "one.nir", step_ms=1.0))
    neuron = graph.nodes["neurons"]
    assert neuron.tau == pytest.approx(0.020)
    assert np.exp(-0.030 / neuron.tau) == pytest.approx(np.exp(-1.5))
    assert graph.nodes["synapses"].weight * neuron.r / neuron.tau == pytest.approx(0.7)
    back = import_nir(tmp_path / "one.nir")
    assert back.run(np.zeros((30, 1)), 1.0, [1.0])[1] == pytest.approx(np.exp(-1.5))
    assert back.run(np.array([[1], *[[0]] * 30]), 1.0)[1] == pytest.approx(0.7 * np.exp(-1.5))


def test_a_foreign_graph_in_seconds(nir, tmp_path):
    """R and tau apart: a spike moves the membrane by R / tau times the weight, a constant current by its share of a step."""
    lif = nir.LIF(tau=np.array([0.01]), r=np.array([0.02]), v_leak=np.array([0.0]), v_threshold=np.array([1.0]))
    nodes = {"in": nir.Input({"input": np.array([2])}), "a": nir.Affine(np.array([[0.3, 0.4]]), np.array([100.0])), "n": lif,
             "out": nir.Output({"output": np.array([1])})}
    nir.write(tmp_path / "foreign.nir", nir.NIRGraph(nodes, [("in", "a"), ("a", "n"), ("n", "out")]))
    found = import_nir(tmp_path / "foreign.nir", step_ms=0.5)
    assert found.w.ravel().tolist() == pytest.approx([0.6, 0.8]) and found.bias == pytest.approx(0.1)
    assert found.membrane_ms == pytest.approx(10)


def test_a_trained_network_goes_to_nir(nir, run, digits, tmp_path):
    _, model = run
    found = import_nir(export_nir(model, tmp_path / "wta.nir"))
    net = model.network
    active = (np.arange(64) % 3 == 0).astype(np.float32)
    u = np.append(active, 1) @ net.cells.w
    assert np.allclose(active @ found.w + found.bias, net.neuron(1.0).gain * u - net.outputs.theta, atol=1e-3)
    lif = train(TINY.changed(neuron="lif", epochs=1, w_low=0.0, threshold=5.0), digits)
    found = import_nir(export_nir(lif, tmp_path / "lif.nir"))
    assert np.allclose(found.w, lif.network.cells.w[:64]) and found.membrane_ms == pytest.approx(10)
    assert np.allclose(found.threshold, 5 + lif.network.outputs.theta)


def test_what_nir_cannot_hold(nir, digits, tmp_path):
    small = dataclasses.replace(digits, train=type(digits.train)(digits.train.x[:20], digits.train.y[:20]))
    model = train(preset("digits", "triplet").changed(outputs=5, norm=10.0), small)
    with pytest.raises(InputError, match="no conductance-based neuron"):
        export_nir(model, tmp_path / "x.nir")
    with pytest.raises(InputError, match="does not exist"):
        import_nir(tmp_path / "x.nir")
    (tmp_path / "x.nir").write_text("nothing")
    with pytest.raises(FormatError, match="no NIR graph"):
        import_nir(tmp_path / "x.nir")
    nodes = {"in": nir.Input({"input": np.array([2])}), "out": nir.Output({"output": np.array([2])})}
    nir.write(tmp_path / "y.nir", nir.NIRGraph(nodes, [("in", "out")]))
    with pytest.raises(FormatError, match="not a chain"):
        import_nir(tmp_path / "y.nir")


@pytest.mark.parametrize("changes", [{}, {"cells": "analog", "bits": 0}, {"cells": "ideal", "method": "none", "prune": 0.0}])
def test_every_kernel_of_training_is_compiled_before_its_clock(digits, monkeypatch, changes):
    training = SpikingTraining(TINY.changed(epochs=1, outputs=10, **changes), digits)
    before = {name: array.copy() for name, array in training.network.arrays().items()}
    seen = signatures(monkeypatch, networks, "run_chunk")
    training.prepare()
    prepared = {*seen}
    assert prepared and all(np.array_equal(before[name], a) for name, a in training.network.arrays().items())
    for _ in range(2):
        training.advance()
    assert {*seen} == prepared


def test_activity_is_kept_and_goes_on_when_a_run_is_resumed(digits):
    whole = SpikingTraining(TINY, digits)
    while whole.position < whole.total:
        whole.advance()
    last = whole.activity[-1]
    assert len(whole.activity) > 20 and last["samples"] == whole.total and 0 < last["active"] <= 1
    assert last["pruned"] == pytest.approx(whole.network.arrays()["frozen"].mean()) and last["pruned"] > 0.3
    assert [p["samples"] for p in whole.activity] == sorted({p["samples"] for p in whole.activity})
    first = SpikingTraining(TINY, digits)
    while first.position < first.total / 2:
        first.advance()
    tensors, values = first.state()
    second = SpikingTraining(TINY, digits)
    second.position = first.position
    second.restore({k: v.copy() for k, v in tensors.items()}, json.loads(json.dumps(values)))
    while second.position < second.total:
        second.advance()
    assert second.activity == whole.activity


def test_the_record_says_what_the_inputs_are(run, digits):
    folder, model = run
    record = record_of(model, digits, RunDirectory(folder)).to_json()
    net, array = record["spiking"]["network"], record["spiking"]["array"]
    assert (net["inputs"], net["pixels"], net["pixels_asked"], net["bias"]) == (65, 64, 397, 1)
    assert (array["rows"], array["columns"]) == (65, 80) and np.shape(array["weights"])[0] == 65
    assert np.mean(array["pruned"]) == pytest.approx(model.network.arrays()["frozen"].mean(), abs=0.02)
    assert record["time"]["compile_s"] == model.compile_s
    text = render_html(record)
    assert "64 pixels (all that the samples have, of 397 asked for) and a bias that always fires" in text
    assert "at most 397; the samples have 64" in text
