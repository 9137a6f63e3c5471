import json
import shutil

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from hardwire.core.errors import FormatError, InputError
from hardwire.logic import LogicSettings, load_model, save_model, train
from hardwire.logic.training.checkpoint import describe
from hardwire.logic.training.loop import Samples, predict

TINY = LogicSettings(width=60, layers=2, levels=2, steps=12, evaluate_every=6, batch=32)


@pytest.fixture(scope="module")
def saved(digits, tmp_path_factory):
    out = tmp_path_factory.mktemp("saved") / "run"
    return train(TINY, digits, out=out), out


@pytest.fixture
def copy_of(saved, tmp_path):
    return shutil.copytree(saved[1], tmp_path / "run")


def rewrite(path, *, facts=None, tensors=None):
    """The file with some facts and tensors exchanged; None removes one."""
    with safe_open(path, "pt") as file:
        old = file.metadata()
        kept = {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118
    merged = {k: v for k, v in (old | (facts or {})).items() if v is not None}
    changed = {k: v for k, v in (kept | (tensors or {})).items() if v is not None}
    save_file(changed, path, metadata=merged or None)


def resign(path, **changes):
    """The same with a digest that fits: what another program's honest file could be."""
    from hardwire.logic.training.checkpoint import _digest

    rewrite(path, **changes)
    with safe_open(path, "pt") as file:
        facts, tensors = file.metadata(), {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118
    rewrite(path, facts={"digest": _digest(tensors, facts)})


@pytest.mark.parametrize("name", ["", "model.safetensors"])
def test_a_loaded_model_gives_the_same_answers(saved, digits, name):
    result, out = saved
    model = load_model(out / name)
    assert model.config == TINY and model.metrics == result.metrics and model.best_step == result.best_step
    assert model.dataset == {"name": "digits", "classes": list(digits.classes), "features": list(digits.features),
                             "shape": [1, 8, 8]}
    test = Samples(model.encoder.encode(digits.test.x), digits.test.y)
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


@pytest.mark.parametrize("changes, message", [
    ({"facts": {"version": "2"}}, "has format version 2, this program reads 1"),
    ({"facts": {"kind": "checkpoint"}}, "is no hardwire model"),
    ({"facts": {"kind": None}}, "is no hardwire model"),
    ({"facts": {"config": "width = 61\n"}}, "is altered: its digest does not match"),
    ({"facts": {"digest": None}}, "is altered"),
    ({"tensors": {"layers.0.weight": torch.zeros(60, 4)}}, "is altered"),
    ({"tensors": {"layers.0.weight": None}}, "is altered"),
])
def test_altered(copy_of, changes, message):
    rewrite(copy_of / "model.safetensors", **changes)
    with pytest.raises(FormatError, match=message):
        load_model(copy_of)


@pytest.mark.parametrize("changes", [
    {"facts": {"config": None}}, {"facts": {"config": "colour = 3\n"}}, {"facts": {"config": "= 3"}},
    {"facts": {"encoder": "{}"}}, {"facts": {"encoder": "no json"}}, {"facts": {"dataset": "[]"}},
    {"facts": {"rest": "{}"}}, {"facts": {"rest": '{"tau": 0, "best_step": 1, "seconds": 1}'}},
    {"tensors": {"layers.0.weight": None}}, {"tensors": {"layers.1.pairs": None}}, {"tensors": {"more": torch.zeros(1)}},
    {"tensors": {"layers.0.pairs": torch.full((60, 2), 9999, dtype=torch.int32)}},
    {"tensors": {"layers.0.pairs": torch.zeros(60, dtype=torch.int32)}},
    {"tensors": {"layers.0.weight": torch.zeros(60, 16)}},
])
def test_a_file_of_the_right_form_with_the_wrong_content(copy_of, changes):
    resign(copy_of / "model.safetensors", **changes)
    with pytest.raises(FormatError) as error:
        load_model(copy_of)
    assert "\n" not in str(error.value)


def test_foreign_files(tmp_path):
    path = tmp_path / "other.safetensors"
    save_file({"a": torch.zeros(3)}, path)
    with pytest.raises(FormatError, match="is no hardwire model"):
        load_model(path)
    path.write_text("hello")
    with pytest.raises(FormatError, match="is damaged or no safetensors file"):
        load_model(path)
    with pytest.raises(InputError, match=r"nowhere.* does not exist; give the folder of a finished"):
        load_model(tmp_path / "nowhere")
    with pytest.raises(InputError, match="does not exist"):
        load_model(tmp_path)


def test_garbled_metrics(copy_of):
    (copy_of / "metrics.jsonl").write_text('{"step": 6}\n{"st')
    with pytest.raises(FormatError, match=r"metrics.jsonl is no list of evaluations"):
        load_model(copy_of)
    (copy_of / "metrics.jsonl").unlink()
    assert load_model(copy_of).metrics == []


def test_a_damaged_checkpoint_does_not_resume(digits, tmp_path):
    def stop(entry):
        if entry["step"] == 12:
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
            save_model(path, result.network, result.encoder, TINY, describe(digits), {})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file"] and not list(tmp_path.parent.glob("*.part"))


def test_metadata_is_readable_without_us(saved):
    with safe_open(saved[1] / "model.safetensors", "pt") as file:
        facts = file.metadata()
    assert facts["version"] == "1" and json.loads(facts["encoder"])["kind"] == "uniform"
