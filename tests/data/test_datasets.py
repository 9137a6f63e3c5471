import re

import numpy as np
import pytest
from sklearn.datasets import load_digits

from hardwire.core.errors import InputError
from hardwire.data import Dataset, load_dataset


def test_digits_are_embedded_and_split_once():
    data = load_dataset("digits", seed=1)
    splits = (data.train, data.validation, data.test)
    assert isinstance(data, Dataset) and data.name == "digits" and data.shape == (1, 8, 8)
    assert [len(s.y) for s in splits] == [1294, 144, 359]
    assert data.classes == tuple("0123456789") and len(data.features) == 64
    want = load_digits()
    rows = sorted(row.tobytes() + bytes([y]) for row, y in zip(want.data.astype(np.uint8), want.target))
    assert sorted(row.tobytes() + bytes([y]) for s in splits for row, y in zip(s.x, s.y)) == rows
    for s in splits:
        assert s.x.dtype == np.uint8 and s.x.flags.c_contiguous and s.y.dtype == np.int64
        assert np.abs(np.bincount(s.y, minlength=10) / len(s.y) - np.bincount(want.target) / 1797).max() < 0.01


def test_splits_depend_on_the_seed_only():
    one, same, other = (load_dataset("digits", seed=s) for s in (5, np.int64(5), 6))
    for part in ("train", "validation", "test"):
        mine = getattr(one, part)
        assert (mine.x == getattr(same, part).x).all() and (mine.y == getattr(same, part).y).all()
        assert not (mine.x == getattr(other, part).x).all()
    sizes = load_dataset("digits", validation=0.25, test=0.5)
    assert [len(s.y) for s in (sizes.train, sizes.validation, sizes.test)] == [674, 225, 898]


def write_npz(path, **arrays):
    np.savez(path, **arrays)
    return path


def table(n, classes=3):
    return np.arange(2 * n).reshape(n, 2), np.arange(n) % classes


def test_small_and_lopsided_classes_are_in_every_split(tmp_path):
    y = np.repeat([0, 1, 2], [500, 3, 40])
    x = np.arange(len(y))[:, None]
    for seed in range(5):
        data = load_dataset(write_npz(tmp_path / "a.npz", x=x, y=y), seed=seed)
        splits = (data.train, data.validation, data.test)
        assert sorted(np.concatenate([s.x.ravel() for s in splits]).tolist()) == list(range(len(y)))
        assert all((np.bincount(s.y, minlength=3) > 0).all() for s in splits)
        assert [len(s.y) for s in splits] == [390, 44, 109]
        assert all((y[s.x.ravel()] == s.y).all() for s in splits)


def test_a_given_test_split_is_kept_as_it_is(tmp_path):
    x, y = table(60)
    data = load_dataset(write_npz(tmp_path / "a.npz", x=x, y=y, x_test=x[:7] + 1000, y_test=y[:7]))
    assert (data.test.x == x[:7] + 1000).all() and (data.test.y == y[:7]).all()
    assert (len(data.train.y), len(data.validation.y)) == (54, 6)
    few = load_dataset(write_npz(tmp_path / "b.npz", x=x[:6], y=y[:6], x_test=x[:3], y_test=y[:3]))
    assert few.train.y.tolist().count(0) == few.validation.y.tolist().count(0) == 1


def test_classes_too_small_to_split_are_named(tmp_path):
    x, _ = table(20)
    y = np.array(["cat"] * 10 + ["dog"] * 8 + ["emu"] * 2)
    with pytest.raises(InputError, match=r"2 sample.*'emu'"):
        load_dataset(write_npz(tmp_path / "a.npz", x=x, y=y))
    with pytest.raises(InputError, match="class 'cat' only"):
        load_dataset(write_npz(tmp_path / "a.npz", x=x, y=np.array(["cat"] * 20)))
    with pytest.raises(InputError, match=r"0 sample.*'5'"):  # only the test split has it
        load_dataset(write_npz(tmp_path / "a.npz", x=x, y=np.arange(20) % 3, x_test=x[:1], y_test=[5]))


@pytest.mark.parametrize(("name", "says"), [
    ("mnits", r"'mnits' is unknown; choose from digits, mnist, fashion-mnist, cifar10, .*, or give a path to a \.csv"),
    ("absent.csv", "does not exist"), ("absent.npz", "does not exist"), ("", "neither"),
])
def test_unknown_names_and_absent_files(name, says):
    with pytest.raises(InputError, match=says):
        load_dataset(name)


def test_other_files_are_refused(tmp_path):
    (tmp_path / "a.xlsx").write_bytes(b"x")
    with pytest.raises(InputError, match=r"neither \.csv, \.tsv, \.parquet nor \.npz"):
        load_dataset(tmp_path / "a.xlsx")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match=re.escape(str(tmp_path))):
        load_dataset(tmp_path / "folder.csv")


@pytest.mark.parametrize("options", [{"seed": -1}, {"seed": 1.5}, {"seed": None}, {"validation": 0}, {"validation": 1},
                                     {"test": -0.1}, {"test": float("nan")}, {"label": "x"}])
def test_wrong_options_are_refused(options):
    with pytest.raises(InputError, match=next(iter(options))):
        load_dataset("digits", **options)


def test_the_tasks_are_those_of_training():
    from hardwire.data.samples import TASKS as known
    from hardwire.logic.training.tasks import TASKS

    assert set(known) == set(TASKS)


def test_targets_are_split_at_random(tmp_path, rng):
    x, y = np.arange(500)[:, None], rng.normal(size=(500, 2))
    path = write_npz(tmp_path / "a.npz", x=x, y=y)
    data, same, other = (load_dataset(path, seed=s, task="regress") for s in (1, 1, 2))
    splits = (data.train, data.validation, data.test)
    assert [s.y.shape for s in splits] == [(360, 2), (40, 2), (100, 2)]
    assert sorted(np.concatenate([s.x.ravel() for s in splits]).tolist()) == list(range(500))
    assert all((y[s.x.ravel()] == s.y).all() and (s.rows == s.x.ravel()).all() for s in splits)
    assert (data.test.rows == same.test.rows).all() and not (data.test.rows == other.test.rows).all()
    assert abs(data.test.rows.mean() - 250) < 60  # not the last ones


def test_a_given_test_split_of_targets_is_kept(tmp_path):
    x, y = np.arange(20)[:, None], np.arange(20) / 7
    data = load_dataset(write_npz(tmp_path / "a.npz", x=x, y=y, x_test=x[:5], y_test=y[:5] + 9), task="regress")
    assert data.test.y.tolist() == (y[:5] + 9)[:, None].tolist() and (len(data.train.y), len(data.validation.y)) == (18, 2)


@pytest.mark.parametrize(("y", "task", "says"), [
    (np.array([[1.0, 2], [1, 3], [1, 4], [1, 5]]), "regress", "has 1 as 'y0' of every sample; leave that output out"),
    (np.array([[0, 1], [0, 1], [0, 0], [0, 1]]), "multilabel", "has 0 as 'y0' of every sample"),
    (np.array([1.0, 2.0]), "regress", "2 sample.*3 parts"), (np.array([1.0, 2, 3, -2e200]), "regress", "2e.200 in 'y'.*rescale"),
    (np.array([0, 1, 2, 3]), "classify", "1 sample.*set task to 'regress'"),
    (np.array([0, 1, 0, 1]), "guess", "task 'guess' is unknown"),
])
def test_targets_that_cannot_be_learnt(tmp_path, y, task, says):
    with pytest.raises(InputError, match=says):
        load_dataset(write_npz(tmp_path / "a.npz", x=np.arange(len(y))[:, None], y=y), task=task)


def test_named_sources_have_classes():
    with pytest.raises(InputError, match="'digits' has classes; leave task 'regress' out"):
        load_dataset("digits", task="regress")
