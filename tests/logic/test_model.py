import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from hardwire.core.errors import FormatError, InputError
from hardwire.logic import LogicSettings, load_model, save_model, train
from hardwire.logic.training.batches import EncodedSamples
from hardwire.logic.training.evaluation import predict
from hardwire.runs.checkpoint import Stored, read_stored, write_stored

TINY = LogicSettings(width=60, layers=2, levels=2, steps=12, evaluate_every=6, batch=32)


@pytest.fixture(scope="module")
def saved(digits, tmp_path_factory):
    out = tmp_path_factory.mktemp("saved") / "run"
    return train(TINY, digits, out=out), out


@pytest.fixture
def copy_of(saved, tmp_path):
    return shutil.copytree(saved[1], tmp_path / "run")


def changed(path, *, settings=None, values=None, tensors=None):
    """The file with some values and tensors exchanged and a digest that fits: what another program's honest file could be."""
    stored = read_stored(path, "model")
    merged = {k: v for k, v in (stored.values | (values or {})).items() if v is not None}
    arrays = {k: v for k, v in (stored.tensors | (tensors or {})).items() if v is not None}
    write_stored(path, Stored("logic", stored.settings if settings is None else settings, arrays, merged), "model")


@pytest.mark.parametrize("name", ["", "model.safetensors"])
def test_a_loaded_model_gives_the_same_answers(saved, digits, name):
    result, out = saved
    model = load_model(out / name)
    assert model.settings == TINY and model.metrics == result.metrics and model.best_step == result.best_step
    assert model.dataset == {"name": "digits", "classes": list(digits.classes), "features": list(digits.features),
                             "shape": [1, 8, 8]}
    test = EncodedSamples(model.encoder.encode(digits.test.x), digits.test.y)
    assert not model.network.training
    assert (predict(model.network, test) == predict(result.network.eval(), test)).all()
    x = test.batch(slice(0, 50))[0]
    assert torch.equal(model.network.train()(x), result.network.train()(x))
    result.network.eval()


def test_softmax_models_are_saved_too(digits, tmp_path):

    result = train(TINY.changed(parametrisation="softmax"), digits, out=tmp_path / "run")
    assert torch.equal(load_model(tmp_path / "run").network.tables(), result.network.tables())


@pytest.mark.parametrize("keep", [0, 4, 100, -1, -1000])
def test_truncated(copy_of, keep):
    path = copy_of / "model.safetensors"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(FormatError, match=r"model.safetensors is damaged or no safetensors file"):
        load_model(copy_of)


@pytest.mark.parametrize("place", [9, 300, -1, -2000])
def test_one_altered_byte(copy_of, place):
    path = copy_of / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(FormatError, match=r"model\.safetensors"):
        load_model(copy_of)


@pytest.mark.parametrize("change", [
    {"settings": ""}, {"settings": "colour = 3\n"}, {"settings": "= 3"},
    {"values": {"encoder": {}}}, {"values": {"encoder": "text"}}, {"values": {"dataset": []}}, {"values": {"run": None}},
    {"values": {"layers": []}}, {"values": {"layers": None}}, {"values": {"head": {"tau": 0}}}, {"values": {"best_step": None}},
    {"tensors": {"layers.0.weight": None}}, {"tensors": {"layers.1.pairs": None}}, {"tensors": {"more": np.zeros(1)}},
    {"tensors": {"layers.0.pairs": np.full((60, 2), 9999, np.int32)}},
    {"tensors": {"layers.0.pairs": np.zeros(60, np.int32)}},
    {"tensors": {"layers.0.weight": np.zeros((60, 16), np.float32)}},
])
def test_a_file_of_the_right_form_with_the_wrong_content(copy_of, change):
    changed(copy_of / "model.safetensors", **change)
    if change == {"settings": ""}:  # every setting has a default
        assert load_model(copy_of).settings == LogicSettings()
        return
    with pytest.raises(FormatError) as error:
        load_model(copy_of)
    assert "\n" not in str(error.value)


def test_foreign_files(tmp_path):
    path = tmp_path / "model.safetensors"
    save_file({"a": np.zeros(3)}, path)
    with pytest.raises(FormatError, match="is no model of this program's version"):
        load_model(path)
    path.write_text("hello")
    with pytest.raises(FormatError, match="is damaged or no safetensors file"):
        load_model(path)
    with pytest.raises(InputError, match=r"nowhere.* does not exist; give the directory of a finished run"):
        load_model(tmp_path / "nowhere")
    with pytest.raises(InputError, match="does not exist"):
        load_model(tmp_path / "nothing")


def test_a_damaged_checkpoint_does_not_resume(digits, tmp_path):
    def stop(event):
        if event.figures and event.position == 12:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(TINY, digits, out=tmp_path, progress=stop, checkpoint_seconds=0)
    path = tmp_path / "checkpoint.safetensors"
    whole = path.read_bytes()
    for damaged in (whole[:-5], whole[:-5] + b"\1\2\3\4\5", b""):
        path.write_bytes(damaged)
        with pytest.raises(FormatError, match=r"checkpoint\.safetensors is"):
            train(TINY, digits, out=tmp_path, resume=True)


def test_unwritable(saved, digits, tmp_path):
    result, _ = saved
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "m.safetensors", tmp_path):
        with pytest.raises(InputError, match="cannot write"):
            save_model(result, path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file"] and not list(tmp_path.parent.glob("*.part"))


def test_a_model_goes_to_a_file_and_back(saved, tmp_path):
    result, _ = saved
    save_model(result, tmp_path / "m.safetensors")
    again = load_model(tmp_path / "m.safetensors")
    assert torch.equal(again.network.tables(), result.network.tables()) and again.settings == result.settings
    assert again.metrics == result.metrics and again.best == result.best


def test_metadata_is_readable_without_us(saved):
    from safetensors import safe_open

    with safe_open(saved[1] / "model.safetensors", "np") as file:
        text = file.metadata()
    assert text["version"] == "2" and text["hardware"] == "logic" and json.loads(text["values"])["encoder"]["kind"] == "uniform"
