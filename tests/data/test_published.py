"""The published sets, where they are: $HARDWIRE_DATA, or packed beside the checkout; each test skips with the set's name."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

from hardwire.core.errors import InputError
from hardwire.data import load_dataset
from hardwire.data.fetch import Files
from hardwire.data.sources import SOURCES

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


#: MD5 as published, of the files whose SHA-256 the sources hold.
MD5 = {
    "mnist/train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb", "mnist/train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "mnist/t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea", "mnist/t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    "fashion-mnist/train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
    "fashion-mnist/train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
    "fashion-mnist/t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
    "fashion-mnist/t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
    "cifar10/data_batch_1.bin": "5dd7e06a14cb22eb9f671a540d1b7c25", "cifar10/data_batch_2.bin": "5ea93a67294ea407fff1d09f752e9692",
    "cifar10/data_batch_3.bin": "942cd6a4bcdd0dd3c604fbe906cb4421", "cifar10/data_batch_4.bin": "ae636b3ba5c66a11e91e8cb52e771fcb",
    "cifar10/data_batch_5.bin": "53f37980c15c3d472c316c40844f3f0d", "cifar10/test_batch.bin": "803d5f7f4d78ea53de84dbe85f74fb6d",
    "monk1/monks-1.train": "fc1fc3a673e00908325c67cf16283335", "monk1/monks-1.test": "de4255acb72fb29be5125a7c874e28a0",
    "monk2/monks-2.train": "f109ee3f95805745af6cdff06d6fbc94", "monk2/monks-2.test": "106cb9049ba5ccd7969a0bd5ff19681d",
    "monk3/monks-3.train": "613e44dbb8ffdf54d364bd91e4e74afd", "monk3/monks-3.test": "46815731e31c07f89422cf60de8738e7",
    "adult/adult.data": "5d7c39d7b8804f071cdd1f2a7c460872", "adult/adult.test": "35238206dfdf7f1fe215bbb874adecdc",
    "breast-cancer/breast-cancer.data": "d887db31e2b99e39c4b7fc79d2f36a3a", "iris/iris.data": "42615765a885ddf54427f12c34a0a070",
}


def test_files_with_our_sha256_have_the_published_md5(published):
    """The opener has compared the size's limit and the SHA-256; the size is exact."""
    seen = {}
    for file, md5 in MD5.items():
        name, _, inside = file.partition("/")
        layout = SOURCES[name].layouts[0]
        try:
            content = Files(name, layout, download=False)(inside)
        except InputError:
            continue
        assert layout.files[inside].sha256 and layout.files[inside].size == len(content)
        seen[file] = hashlib.md5(content).hexdigest() == md5
    if not seen:
        pytest.skip("none of the published files is in $HARDWIRE_DATA")
    assert all(seen.values())
