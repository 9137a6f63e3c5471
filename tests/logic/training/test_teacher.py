
import numpy as np
import pytest
import torch

from hardwire.core.errors import FormatError, InputError
from hardwire.data import load_dataset
from hardwire.data.datasets import split_samples
from hardwire.data.samples import Samples as Source
from hardwire.logic import LogicSettings, train
from hardwire.logic.kernels.reference import cross_entropy
from hardwire.logic.training.teacher import Teacher


def source(rng, with_test):
    """Samples whose feature names their place in the source's order, which is no order of the classes."""
    y = rng.permutation(np.arange(120) % 3)
    x = np.arange(120, dtype=np.float64)[:, None]
    test = (np.arange(500.0, 530)[:, None], np.arange(30) % 3) if with_test else None
    return Source(x, y, ("a", "b", "c"), ("place",), None, "made here", test)


@pytest.mark.parametrize("with_test", [False, True])
def test_logits_are_taken_in_the_order_of_the_split(rng, tmp_path, with_test):
    samples = source(rng, with_test)
    data = split_samples("made", samples, seed=4, validation=0.2, test=0.2)
    logits = np.eye(3)[samples.y] * 5 + samples.x
    np.save(tmp_path / "t.npy", logits)
    teacher = Teacher(tmp_path / "t.npy", data, weight=0.5, temperature=2.0)
    assert np.array_equal(data.train.x[:, 0], data.train.rows) and not np.array_equal(data.train.rows, np.sort(data.train.rows))
    assert np.array_equal(teacher.logits.numpy(), logits[data.train.x[:, 0].astype(int)].astype(np.float32))
    places = [s.rows for s in (data.train, data.validation, data.test) if s.rows is not None]
    assert np.array_equal(np.sort(np.concatenate(places)), np.arange(120)) and (data.test.rows is None) == with_test


def test_the_loss_is_the_formula(rng, tmp_path):
    data = split_samples("made", source(rng, True), seed=0, validation=0.2, test=0.2)
    logits = np.zeros((120, 3))
    logits[data.train.rows] = np.eye(3)[data.train.y] * 2 + rng.normal(0, 0.1, (len(data.train.y), 3))
    np.save(tmp_path / "t.npy", logits)
    teacher = Teacher(tmp_path / "t.npy", data, weight=0.3, temperature=4.0)
    rows, scores = np.array([3, 0, 7]), torch.randn(3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    p = torch.softmax(torch.tensor(logits[data.train.rows[rows]]) / 4, 1)
    q = torch.softmax(scores / 4, 1)
    expected = 16 * (p * (p / q).log()).sum(1).mean()
    y = torch.tensor([2, 0, 1])
    hard = -torch.log_softmax(scores, 1)[torch.arange(3), y].mean()
    assert cross_entropy(scores, y).item() == pytest.approx(hard.item(), rel=1e-6)
    assert cross_entropy(scores, y, teacher(rows)).item() == pytest.approx(0.7 * hard.item() + 0.3 * expected.item(), rel=1e-6)


def test_a_teacher_changes_the_training(tmp_path):
    data = load_dataset("digits", seed=0)
    total = sum(len(s.y) for s in (data.train, data.validation, data.test))
    logits = np.zeros((total, 10), dtype=np.float32)
    for split in (data.train, data.validation, data.test):
        logits[split.rows, split.y] = 4
    np.save(tmp_path / "t.npy", logits)
    config = LogicSettings(width=100, layers=2, levels=2, steps=40, evaluate_every=20, batch=32)
    taught = config.changed(teacher=str(tmp_path / "t.npy"), teacher_weight=0.8)
    plain, soft, none = (train(c, data) for c in (config, taught, taught.changed(teacher_weight=0.0)))
    assert [m["loss"] for m in none.metrics] == [m["loss"] for m in plain.metrics]
    assert soft.metrics[-1]["loss"] != plain.metrics[-1]["loss"] and soft.metrics[-1]["loss"] < soft.metrics[0]["loss"]


def refused(array, error, message, tmp_path, data):
    path = tmp_path / "t.npy"
    path.write_bytes(array) if isinstance(array, bytes) else np.save(path, array)
    with pytest.raises(error, match=message):
        Teacher(path, data, weight=0.5, temperature=1.0)


def test_refusals(rng, tmp_path):
    samples = source(rng, True)
    data = split_samples("made", samples, seed=0, validation=0.2, test=0.2)
    good = np.eye(3)[samples.y]
    refused(good[:-1], InputError, r"has shape \(119, 3\); give logits for the 120 samples of 'made'", tmp_path, data)
    refused(good[:, :2], InputError, "3 classes each", tmp_path, data)
    refused(samples.y, InputError, "holds no real matrix", tmp_path, data)
    refused(np.where(good > 0, np.inf, 0), InputError, "not finite", tmp_path, data)
    refused(np.roll(good, 1, axis=1), InputError, "in the order of the data set's source", tmp_path, data)
    refused(b"hello", FormatError, "is no .npy array", tmp_path, data)
    with pytest.raises(InputError, match=r"teacher .*nowhere.npy cannot be read"):
        Teacher(tmp_path / "nowhere.npy", data, weight=0.5, temperature=1.0)
