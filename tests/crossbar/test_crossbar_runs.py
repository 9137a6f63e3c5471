"""Runs on crossbars: data, side-by-side training, killed and resumed runs, records, the verb."""

import json

import numpy as np
import pytest
import torch
from helpers import signatures

from hardwire.cli import app as cli
from hardwire.core.errors import FormatError, InputError
from hardwire.crossbar import network as networks
from hardwire.crossbar import training as experiment
from hardwire.crossbar.build import cell_of
from hardwire.crossbar.features import FeatureNet, extract, features_of, load_network, save_network
from hardwire.crossbar.ledger import ledgers, products
from hardwire.crossbar.record import CROSSBAR, fidelity, self_check
from hardwire.crossbar.settings import PRESETS, VARIANTS, CrossbarSettings, preset
from hardwire.runs import experiment as shell
from hardwire.runs.directory import CHECKPOINT, MODEL
from hardwire.runs.record import Record

TINY = preset("digits").changed(hidden=[12], epochs=2, samples=300, transfer_every=100)


@pytest.fixture(scope="module")
def data():
    return experiment.read_data(TINY)


def states(networks) -> dict:
    return {(v, k, name): array.copy() for v, network in networks.items() for k, layer in enumerate(network.layers)
            for name, array in layer.arrays().items()}


def test_a_stopped_run_goes_on_to_the_same_devices(data, tmp_path, monkeypatch):
    config = TINY.changed(variants=["hybrid", "float", "2pcm"])
    whole = shell.train(CROSSBAR, config, tmp_path / "whole", data=data)
    monkeypatch.setattr(experiment, "CHUNK", 70)
    monkeypatch.setattr(shell, "CHECKPOINT_SECONDS", 0.0)
    saves = []

    def stop(directory, stored):
        save(directory, stored)
        saves.append(stored)
        if len(saves) == 8:
            raise KeyboardInterrupt

    save = shell.RunDirectory.write_checkpoint
    monkeypatch.setattr(shell.RunDirectory, "write_checkpoint", stop)
    with pytest.raises(KeyboardInterrupt):
        shell.train(CROSSBAR, config, tmp_path / "stopped", data=data)
    monkeypatch.setattr(shell.RunDirectory, "write_checkpoint", save)
    assert not (tmp_path / "stopped" / MODEL).exists()
    resumed = shell.train(CROSSBAR, config, tmp_path / "stopped", data=data, resume=True)
    one, two = states(whole.networks), states(resumed.networks)
    assert all(np.array_equal(one[k], two[k]) for k in one)
    keep = ("epoch", "variant", "loss", "training", "shown")
    assert [[m[k] for k in keep] for m in whole.metrics] == [[m[k] for k in keep] for m in resumed.metrics]
    assert not (tmp_path / "stopped" / CHECKPOINT).exists()


def fresh(variant: str, data):
    return experiment.build(TINY, variant, data.x.shape[1], len(data.classes))


def test_looking_changes_nothing(data):
    one, two = (fresh("hybrid", data) for _ in range(2))
    one.train(data.x[:100], data.y[:100], 0.02)
    two.train(data.x[:50], data.y[:50], 0.02)
    two.accuracy(data.test_x, data.test_y, seed=5)
    two.train(data.x[50:100], data.y[50:100], 0.02)
    assert all(np.array_equal(a.arrays()[k], b.arrays()[k]) for a, b in zip(one.layers, two.layers) for k in a.arrays())


def test_training_learns(data):
    network = fresh("hybrid", data)
    for _ in range(4):
        network.train(data.x, data.y, 0.03)
    assert network.accuracy(data.test_x, data.test_y) > 0.75


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_trains(variant, data):
    network = fresh(variant, data)
    loss, right = network.train(data.x[:40], data.y[:40], 0.01)
    assert np.isfinite(loss) and 0 <= right <= 1 and all(np.isfinite(w).all() for w in network.weights)


def test_images_are_cut_to_528_inputs():
    x = np.arange(784, dtype=np.uint8)[None]
    assert experiment.inputs_of(x, (1, 28, 28)).shape == (1, 528)
    assert experiment.inputs_of(x, (1, 28, 28)).reshape(22, 24)[0, 0] == x.reshape(28, 28)[3, 2]
    assert experiment.inputs_of(x[:, :64], (1, 8, 8)).shape == (1, 64)


def test_the_config_comes_back_and_refuses():
    config = TINY.changed(variants=["hybrid", "2pcm"], learning_rate=0.3)
    assert CrossbarSettings.from_toml(config.to_toml()) == config
    for values, message in (({"lr": 1}, "'lr' is no setting; choose from"), ({"epochs": "3"}, "epochs = '3' should be a whole number"),
                            ({"variants": ["x"]}, r"variants\[0\] = .x. is none of hybrid"), ({"activation": "step"}, "none of sigmoid"),
                            ({"variants": []}, "at least 1 entries"), ({"variants": ["float", "float"]}, "each once"),
                            ({"decay": 0.0}, "decay = 0.0 must be above 0"), ({"hidden": [0]}, "hidden"), ({"validation": 1.0}, "validation")):
        with pytest.raises(InputError, match=message):
            config.changed(**values)
    with pytest.raises(InputError, match="none that crossbars are trained on"):
        preset("iris")
    with pytest.raises(FormatError, match="is not TOML"):
        CrossbarSettings.from_toml("= 3")
    assert all(preset(name).dataset == name for name in PRESETS)


def test_a_folder_is_not_overwritten(data, tmp_path):
    shell.train(CROSSBAR, TINY, tmp_path, data=data)
    with pytest.raises(InputError, match="already holds a finished run"):
        shell.train(CROSSBAR, TINY, tmp_path, data=data)
    with pytest.raises(InputError, match="started with other settings"):
        shell.train(CROSSBAR, TINY.changed(learning_rate=0.5), tmp_path, data=data, resume=True)
    with pytest.raises(InputError, match="started with other settings"):  # a device of a cell is not where the run computes
        shell.train(CROSSBAR, TINY.changed(device="softbounds_reram"), tmp_path, data=data, resume=True)
    model = shell.train(CROSSBAR, TINY, tmp_path, resume=True)  # finished: only read
    assert len(model.metrics) == 2 * len(TINY.variants) and model.networks["hybrid"].accuracy(data.test_x, data.test_y) > 0.3
    (tmp_path / MODEL).write_bytes(b"junk")
    with pytest.raises(FormatError, match="damaged"):
        shell.train(CROSSBAR, TINY, tmp_path, data=data, resume=True)


def test_the_ledger_counts_each_thing_once():
    counters = {name: 1000 for name in ("output_conversions", "pulses_up", "pulses_down", "set_pulses", "resets", "cell_reads")}
    own, *others = ledgers(counters, 100, (4, 3, 2), devices=4)
    assert products((4, 3, 2)) == 2 * (15 + 8) + 8
    counts = {line.item: line.count for line in own.lines}
    assert counts["device reads in forward and backward products"] == 4 * (15 + 8 + 8)
    assert counts["update pulses on capacitors"] == 20 and counts["PCM SET pulses at full duration"] == 10
    assert own.total() == pytest.approx(sum(line.count * line.constant.joules for line in own.lines))
    assert not own.comparison and all(o.comparison for o in others) and any("projection" in o.name for o in others)
    assert all(line["model"].startswith("model estimate") for o in [own, *others] for line in o.to_json())


def test_the_self_check_finds_a_broken_kernel(monkeypatch):
    assert all(str(v).startswith("simulated 20") for v in self_check(TINY, "hybrid").values())
    from hardwire.crossbar.kernels.reference import Reference

    monkeypatch.setattr(Reference, "forward", lambda self, x: np.zeros(5))
    assert self_check(TINY, "hybrid")["kernels against the slow reference"].status == "refuted"


def test_fidelity_tells_the_cells_apart():
    assert fidelity(TINY, "hybrid")["correlation"] > 0.95 > 0.8 > fidelity(TINY, "2pcm")["correlation"]


# ---------------------------------------------------------------------------------------------------------------- features


class Images:
    def __init__(self, n, first):
        self.x, self.rows = np.random.default_rng(first).integers(0, 256, (n, 3072)).astype(np.uint8), np.arange(first, first + n)


@pytest.fixture
def splits():
    return [Images(12, 0), Images(4, 12), Images(5, 0)]


def test_features_of_a_network_and_of_a_file(splits, tmp_path):
    torch.manual_seed(0)
    network = FeatureNet(10, width=4, features=16).eval()
    path = save_network(tmp_path / "net.safetensors", network, "cifar100")
    found, origin = features_of(str(path), "cifar10", splits)
    assert [f.shape for f in found] == [(12, 16), (4, 16), (5, 16)] and "trained on cifar100" in origin
    assert load_network(path)[1] == "cifar100" and max(f.max() for f in found) <= 1
    with pytest.raises(InputError, match="trained on cifar100 itself"):
        features_of(str(path), "cifar100", splits)
    raw = [extract(network.features, s.x) for s in splits]
    np.savez(tmp_path / "f.npz", train=np.concatenate(raw[:2]), test=raw[2])
    for one, two in zip(found, features_of(str(tmp_path / "f.npz"), "cifar10", splits)[0]):
        np.testing.assert_array_equal(one, two)


def test_features_that_cannot_be_used(splits, tmp_path):
    (tmp_path / "x.safetensors").write_bytes(b"junk")
    np.savez(tmp_path / "short.npz", train=np.ones((3, 2)), test=np.ones((5, 2)))
    np.savez(tmp_path / "other.npz", a=np.ones(3))
    np.savez(tmp_path / "zero.npz", train=np.zeros((16, 2)), test=np.ones((5, 2)))
    for name, error, message in (("x.safetensors", FormatError, "damaged"), ("none.safetensors", InputError, "does not exist"),
                                 ("short.npz", FormatError, "for 16 training and 5 test samples"), ("zero.npz", InputError, "above 0"),
                                 ("other.npz", FormatError, "no archive of arrays train and test"),
                                 ("none.npz", InputError, "does not exist")):
        with pytest.raises(error, match=message):
            features_of(str(tmp_path / name), "cifar10", splits)
    with pytest.raises(InputError, match="are neither a"):
        features_of("resnet", "cifar10", splits)
    with pytest.raises(InputError, match="needs --features"):
        experiment.read_data(preset("cifar10"))


# -------------------------------------------------------------------------------------------------------------------- verb


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("crossbar") / "run"
    options = [f"--set={k}={json.dumps(getattr(TINY, k))}" for k in ("hidden", "transfer_every")]
    words = ["crossbar", "digits", "--out", str(out), "--epochs", "1", "--samples", "200", "--ablations", "--seed", "2"]
    assert cli.main([*words, *options]) == 0
    return out


def test_the_verb_leaves_a_run_directory(finished):
    files = [".lock", "config.toml", "metrics.jsonl", "model.safetensors", "report.html", "report.json"]
    assert sorted(p.name for p in finished.iterdir()) == files
    record = Record.load(finished).to_json()
    assert record["hardware"] == "crossbar" and record["seed"] == 2 and record["crossbar"]["synapses"] == 65 * 12 + 13 * 10
    assert set(record["crossbar"]["accuracy"]) == {"hybrid", "float", "no-inversion", "2pcm"}
    assert record["accuracy"]["test_relaxed"] == record["crossbar"]["accuracy"]["float"]
    assert all(status.startswith("simulated") for status in record["verified"].values())
    assert record["crossbar"]["counters"]["hybrid"]["transfers"] == 2 * 2  # two layers, 200 samples, every 100
    page = (finished / "report.html").read_text()
    for text in ("28,065", "no polarity inversion", "Fidelity of the update", "model estimate", "Assumed", "correlation"):
        assert text in page, text
    assert len(page) < 500_000


def test_report_renders_the_run_again(finished, capsys):
    (finished / "report.html").unlink()
    assert cli.main(["report", str(finished)]) == 0
    assert "2 PCM alone" in capsys.readouterr().out and (finished / "report.html").exists()


def test_resume_of_a_finished_run_says_the_same(finished, capsys):
    before = Record.load(finished).to_json()
    assert cli.main(["crossbar", "digits", "--out", str(finished), "--resume", "--json"]) == 0
    after = json.loads(capsys.readouterr().out)
    assert after["crossbar"] == before["crossbar"] and after["accuracy"] == before["accuracy"]


def test_fit_from_the_command_line(tmp_path, capsys):
    (tmp_path / "c.csv").write_text("pulse,conductance\n" + "".join(f"{p},{5 + 0.1 * p}\n" for p in range(30)))
    assert cli.main(["crossbar", "fit", "--curve", str(tmp_path / "c.csv"), "--out", str(tmp_path / "d.toml"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["device"]["step"] == pytest.approx(0.1) and found["steps"] == 29
    config = TINY.changed(capacitor=str(tmp_path / "d.toml"))
    assert cell_of(config, "hybrid").capacitor.step == pytest.approx(0.1)


@pytest.mark.parametrize("words, message", [
    (["mnist"], "a run needs --out DIR"),
    (["fit"], "fit needs --curve FILE"),
    (["digits", "--out", "x", "--set", "factor"], "is not NAME=VALUE"),
    (["digits", "--out", "x", "--set", "colour=3"], "'colour' is no setting"),
    (["digits", "--out", "x", "--variants", "hybrid,none"], "variants"),
    (["digits", "--out", "x", "--set", "blocks=1"], "the chip has 0 of 1 left"),
    (["digits", "--out", "x", "--set", "pcm=gst"], "device 'gst' is unknown"),
    (["cifar10", "--out", "x"], "needs --features"),
    (["iris", "--out", "x"], "'iris' is not one of"),
])
def test_mistakes_on_the_command_line(words, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["crossbar", *words]) == 2
    err = capsys.readouterr().err.splitlines()
    assert message in err[-1] and err[-1].startswith("hardwire: ")


def test_every_kernel_of_training_is_compiled_before_its_clock(data, monkeypatch):
    """``prepare`` calls the kernels with the types that training calls them with, and changes no device."""
    training, untouched = (experiment.CrossbarTraining(TINY, data) for _ in range(2))
    trained, scored = (signatures(monkeypatch, networks, kernel) for kernel in ("_train", "_scores"))
    training.prepare()
    prepared = {*trained}, {*scored}
    assert len(prepared[0]) == len(TINY.variants) and prepared[1]
    one, two = states(training.networks), states(untouched.networks)
    assert all(np.array_equal(one[k], two[k]) for k in one)
    while training.position < training.total:
        training.advance()
    assert ({*trained}, {*scored}) == prepared


@pytest.mark.slow
def test_the_first_run_of_a_shape_trains_as_fast_as_the_second(tmp_path, monkeypatch):
    """Four layers, which nothing here has compiled: seconds of compiling are not in those of an example."""
    config = preset("digits").changed(hidden=[3, 4, 3], epochs=1, samples=200, variants=["float"])
    runs = [shell.train(CROSSBAR, config, tmp_path / name) for name in ("first", "second")]
    first, second = (model.seconds["float"] for model in runs)
    assert first < 0.1 + 10 * second and runs[1].compile_s < 1
    assert "compile_s" in CROSSBAR.record(runs[0], experiment.read_data(config), shell.RunDirectory(tmp_path / "first")).time
