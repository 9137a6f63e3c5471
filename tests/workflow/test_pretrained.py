"""Models as folders in the layout of the Hugging Face hub: written whole, read without network, refused where altered."""

import json
import shutil

import numpy as np
import pytest
import torch

import hardwire
from hardwire.circuit import CircuitBuilder, load_circuit
from hardwire.core.errors import FormatError, InputError
from hardwire.logic import LogicSettings, train
from hardwire.logic.model import Model
from hardwire.runs.experiment import train as train_run
from hardwire.workflow.cards import model_card
from hardwire.workflow.hardwares import hardware_named
from hardwire.workflow.logic import lower_run
from hardwire.workflow.pretrained import from_pretrained, save_pretrained

TINY = LogicSettings(width=60, layers=2, levels=2, steps=6, evaluate_every=6, batch=32)
FILES = {"config.json", "model.safetensors", "circuit.net", "README.md"}


@pytest.fixture(scope="module")
def run(digits, tmp_path_factory):
    out = tmp_path_factory.mktemp("pretrained") / "run"
    train(TINY, digits, out=out)
    lower_run(out)
    return out


@pytest.fixture(scope="module")
def saved(run):
    return save_pretrained(run, run.parent / "saved")


@pytest.fixture
def copied(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "copy")


def test_a_run_is_saved_and_read(run, saved, digits):
    model = from_pretrained(saved)
    assert {p.name for p in saved.iterdir()} == FILES and isinstance(model, Model)
    assert torch.equal(model.network.tables(), hardwire.logic.load_model(run).network.tables())
    assert model.dataset["features"] == list(digits.features) and model.settings.width == TINY.width
    circuit = load_circuit(saved / "circuit.net")
    expected = model.network(torch.from_numpy(model.encoder.encode(digits.test.x))).argmax(1).numpy()
    assert np.array_equal(circuit(digits.test.x)[:, 0], expected)


def test_a_model_is_saved_with_the_circuit_that_is_given(run, tmp_path, digits):
    model = hardwire.logic.load_model(run)
    lowered = load_circuit(model.save_pretrained(tmp_path / "a") / "circuit.net")
    assert lowered.digest == load_circuit(run / "circuit.net").digest
    best = lowered.optimize("O1")
    folder = model.save_pretrained(tmp_path / "b", circuit=best)
    again = Model.from_pretrained(folder)
    assert load_circuit(folder / "circuit.net").digest == best.digest and again.best_step == model.best_step
    assert torch.equal(again.network.tables(), model.network.tables())


def test_the_card_and_the_configuration(saved):
    card, config = (saved / "README.md").read_text(), json.loads((saved / "config.json").read_text())
    head = card.split("---\n")[1]
    lines = dict(line.split(": ", 1) for line in head.splitlines())
    assert json.loads(lines["datasets"]) == ["digits"] and json.loads(lines["pipeline_tag"]) == "image-classification"
    for words in ("| network |", "## Accuracy", "not verified", config["circuit"]["digest"], "model.safetensors", "| seed | 0 |"):
        assert words.replace("_", "\\_") in card or words in card
    assert config["library_name"] == "hardwire" and config["settings"]["width"] == 60


def test_the_card_has_what_the_record_says(run, saved, tmp_path):
    from hardwire.runs.record import Record

    count = {"gates_raw": 10, "gates_optimized": 5, "depth": 2}
    record = Record.of({
        "hardware": "logic", "dataset": "digits", "seed": 0, "accuracy": {"test_hard": 0.875, "test_relaxed": 0.9, "validation": 0.8},
        "counts": dict.fromkeys(("encoder", "network", "head"), count), "verified": {"optimized gates": "proved"},
        "time": {}, "energy": [], "environment": {"versions": {}, "machine": {}, "commit": "abc"}})
    card = (save_pretrained(run, tmp_path / "with", record=record) / "README.md").read_text()
    assert "0.8750" in card and "| optimized gates | proved |" in card and '"value": 0.875' in card and "abc" in card


def test_a_strange_name_is_no_markup(saved):
    from hardwire.runs.checkpoint import Stored

    config = json.loads((saved / "config.json").read_text()) | {"dataset": {"name": "<img src=x>|a\"\n---\nx: y"}}
    card = model_card(config, Stored("logic", "", {}, {}), None, None)
    assert "<img" not in card.split("---\n", 2)[2] and "\\|a" in card
    head = card.split("\n---\n")[0]
    assert len(head.splitlines()) == 5 and "x: y" not in [line.strip() for line in head.splitlines()]


def damaged(text):
    return lambda path: path.write_text(text)


def changed(**values):
    return lambda path: path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.mark.parametrize("name, damage, error, said", [
    ("config.json", lambda path: path.unlink(), InputError, "holds no config.json"),
    ("config.json", damaged("{"), FormatError, "config.json is not JSON"),
    ("config.json", damaged("[" * 100_000), FormatError, "config.json is not JSON"),
    ("config.json", damaged('{"library_name": "other"}'), FormatError, "is of another library"),
    ("config.json", changed(format_version=2), FormatError, "has format version 2, this program reads 1"),
    ("config.json", changed(hardware="../x"), FormatError, "lacks or garbles hardware or files"),
    ("config.json", changed(files={"../model.safetensors": ""}), FormatError, "lacks or garbles hardware or files"),
    ("config.json", changed(hardware="spiking"), InputError, "is of hardware logic"),
    ("model.safetensors", damaged("x"), FormatError, "is not the file that config.json was written for"),
    ("model.safetensors", lambda path: path.unlink(), FormatError, "model.safetensors is missing"),
    ("circuit.net", damaged("x"), FormatError, "circuit.net is not the file that config.json was written for")])
def test_what_is_damaged_or_hostile_is_refused_in_one_sentence(copied, name, damage, error, said):
    damage(copied / name)
    with pytest.raises(error, match=said) as caught:
        from_pretrained(copied)
    assert "\n" not in str(caught.value) and ";" in str(caught.value)


def test_a_folder_keeps_its_other_files_and_half_a_save_is_none(run, copied, monkeypatch):
    (copied / ".gitattributes").write_text("*.safetensors filter=lfs")
    save_pretrained(run, copied)
    assert {p.name for p in copied.iterdir()} == FILES | {".gitattributes"}
    monkeypatch.setattr("hardwire.workflow.pretrained.model_card", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        save_pretrained(run, copied)
    with pytest.raises(InputError, match=r"holds no config\.json"):
        from_pretrained(copied)


def test_what_cannot_be_saved(run, tmp_path, digits):
    model = hardwire.logic.load_model(run)
    b = CircuitBuilder("other")
    b.output("y", b.input("x")[0])
    with pytest.raises(InputError, match="circuit 'other' reads 1 words, but the model 64 features"):
        save_pretrained(model, tmp_path / "x", circuit=b.build())
    with pytest.raises(InputError, match="cannot save a dict"):
        save_pretrained({}, tmp_path / "x")
    with pytest.raises(InputError, match="does not exist"):
        save_pretrained(tmp_path / "none", tmp_path / "x")
    with pytest.raises(InputError, match="has its own circuit"):
        save_pretrained(run, tmp_path / "x", circuit=b.build())
    train(TINY, digits, out=tmp_path / "raw")
    with pytest.raises(InputError, match="holds no circuit; run `hardwire lower"):
        save_pretrained(tmp_path / "raw", tmp_path / "x")


@pytest.mark.parametrize("hardware, changes", [("crossbar", {"epochs": 1, "hidden": [8], "samples": 64}),
                                               ("spiking", {"epochs": 1, "outputs": 20, "label_samples": 100})])
def test_the_other_hardwares(tmp_path, hardware, changes):
    row = hardware_named(hardware)
    train_run(row, row.preset("digits").changed(**changes), tmp_path / "run")
    folder = save_pretrained(tmp_path / "run", tmp_path / "saved")
    model = from_pretrained(folder)
    assert type(model) is type(row.load(hardwire.runs.directory.RunDirectory(tmp_path / "run").read_model()))
    assert {p.name for p in folder.iterdir()} == FILES - {"circuit.net"}
    with pytest.raises(InputError, match="of another hardware"):
        Model.from_pretrained(folder)
