"""The published sets, where they are: $HARDWIRE_DATA, or packed beside the checkout; each test skips with the set's name."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

from hardwire.core.errors import InputError
from hardwire.data import load_dataset

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"

#: name -> samples to train and validate on, of the test split, features, classes.
SIZES = {
    "mnist": (60_000, 10_000, 784, 10), "fashion-mnist": (60_000, 10_000, 784, 10),
    "cifar10": (50_000, 10_000, 3072, 10), "cifar100": (50_000, 10_000, 3072, 100),
    "monk1": (124, 432, 17, 2), "monk2": (169, 432, 17, 2), "monk3": (122, 432, 17, 2), "adult": (30_162, 15_060, 102, 2),
    "breast-cancer": (222, 55, 39, 2), "iris": (120, 30, 4, 3), "letter": (16_000, 4_000, 16, 26), "satimage": (5_148, 1_287, 36, 6),
    "optdigits": (4_496, 1_124, 64, 10), "pendigits": (8_794, 2_198, 16, 10), "mushroom": (6_499, 1_625, 117, 2),
    "dna": (2_549, 637, 180, 3), "connect-4": (54_046, 13_511, 126, 3), "krkopt": (22_445, 5_611, 6, 18),
    "shuttle": (46_400, 11_600, 9, 7),
}
SLOW = ("cifar10", "cifar100", "connect-4", "adult")


@pytest.fixture
def published(monkeypatch):
    if not os.environ.get("HARDWIRE_DATA") and SHARED.is_dir():
        monkeypatch.setenv("HARDWIRE_DATA", str(SHARED))

    def load(name):
        try:
            return load_dataset(name, download=False, seed=3)
        except InputError as error:
            if "is in none of" not in str(error):
                raise
            return pytest.skip(f"{name} is not in $HARDWIRE_DATA")

    return load


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n in SLOW else n for n in SIZES])
def test_sizes_and_types(published, name):
    data = published(name)
    rest, test, features, classes = SIZES[name]
    assert (len(data.train.y) + len(data.validation.y), len(data.test.y)) == (rest, test)
    assert data.train.x.shape[1] == len(set(data.features)) == features and len(data.classes) == classes
    assert data.train.x.dtype == (np.uint8 if data.shape else np.float64 if name == "iris" else np.int64)
    assert data.shape is None or int(np.prod(data.shape)) == features
    if test != 10_000:
        return
    share = np.bincount(data.validation.y) / np.bincount(data.train.y)
    assert np.abs(share - 1 / 9).max() < 1e-3


@pytest.mark.slow
def test_cifar10_lies_in_channel_planes(published):
    x = published("cifar10").test.x
    planes = x[0].reshape(3, 32, 32)
    assert planes[:, 0, 0].tolist() == [158, 112, 49]  # red, green, blue of the corner of a brown picture
    across = np.abs(np.diff(x[:200].reshape(-1, 3, 32, 32).astype(int), axis=3)).mean()
    assert across < 15  # neighbours in a row are alike


@pytest.mark.parametrize("n", [1, 2])
def test_monk_is_what_it_is_said_to_be(published, n):
    data = published(f"monk{n}")
    value = {name: data.test.x[:, i].astype(bool) for i, name in enumerate(data.features)}
    if n == 1:
        equal = sum((value[f"a1_{k}"] & value[f"a2_{k}"]) for k in (1, 2, 3))
        wanted = equal | value["a5_1"]
    else:
        wanted = sum(value[f"a{i}_1"].astype(int) for i in range(1, 7)) == 2
    assert np.array_equal(data.test.y, wanted)
    assert hashlib.sha256(data.test.x.tobytes()).hexdigest() == hashlib.sha256(published("monk3").test.x.tobytes()).hexdigest()


def test_adult_counts_of_a_column(published):
    data = published("adult")
    married = data.features.index("marital_status_Married_civ_spouse")
    assert set(np.unique(data.train.x[:, married])) == {0, 1} and data.train.x[:, 0].min() >= 17
    assert "unknown values" in data.source and not any("fnlwgt" in f or "?" in f for f in data.features)
