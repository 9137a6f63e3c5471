"""The fingerprint of a data set depends on its values, and on nothing else."""

import dataclasses
import time

import numpy as np
import pytest

from hardwire.data import load_dataset
from hardwire.data.datasets import Dataset, Split, split_samples
from hardwire.data.fingerprint import fingerprint_of, values_digest
from hardwire.data.samples import Samples

PARTS = {"samples", "features", "labels", "split", "classes", "names"}


def samples(n=60, **changed) -> Samples:
    rng = np.random.default_rng(0)
    made = Samples(rng.integers(0, 200, (n, 4)), np.arange(n) % 3, ("a", "b", "c"), ("w", "x", "y", "z"), None, "made")
    return dataclasses.replace(made, **changed)


def fingerprint(given: Samples, seed=0):
    return fingerprint_of(split_samples("made", given, seed=seed, validation=0.1, test=0.2))


def differing(one, two) -> set[str]:
    assert one.keys() == two.keys() == PARTS
    return {part for part in PARTS if one[part] != two[part]}


@pytest.mark.parametrize("dtype", ["u1", "i2", ">i4", "i8", "f4", "f8", ">f8"])
@pytest.mark.parametrize("layout", [np.ascontiguousarray, np.asfortranarray, lambda x: np.repeat(x, 2, axis=0)[::2]])
def test_types_and_layouts_make_no_difference(dtype, layout):
    given = samples()
    same = dataclasses.replace(given, x=layout(given.x.astype(dtype)), y=given.y.astype("i8"))
    assert fingerprint(same) == fingerprint(given)


def test_booleans_are_numbers():
    bits = np.random.default_rng(0).random((9, 3)) < 0.5
    assert len({values_digest([bits.astype(kind)]) for kind in (bool, np.uint8, np.int8, np.float32, np.float64)}) == 1
    assert values_digest([np.array([0.0, 0.5])]) == values_digest([np.array([-0.0, 0.5])])
    assert values_digest([np.array([1, 2, 300])]) == values_digest([np.array([1.0, 2, 300])])


def test_shapes_and_values_make_a_difference():
    values = np.arange(12)
    digests = [values_digest([v]) for v in (values, values.reshape(3, 4), values + 256, values + 0.5, values[::-1])]
    digests.append(values_digest([values[:6], values[6:]]))
    assert len(set(digests)) == 6


def test_which_part_differs():
    given = samples()
    whole = fingerprint(given)
    x = given.x.copy()
    x[7, 2] += 1
    y = given.y.copy()
    y[[0, 1]] = y[[1, 0]]
    assert differing(whole, fingerprint(dataclasses.replace(given, x=x))) == {"features"}
    assert "labels" in differing(whole, fingerprint(dataclasses.replace(given, y=y)))
    assert "features" not in differing(whole, fingerprint(dataclasses.replace(given, y=y)))
    assert differing(whole, fingerprint(given, seed=1)) == {"split"}
    assert differing(whole, fingerprint(dataclasses.replace(given, classes=("a", "b", "d")))) == {"classes"}
    assert differing(whole, fingerprint(dataclasses.replace(given, features=("w", "x", "z", "y")))) == {"names"}
    assert "samples" in differing(whole, fingerprint(samples(63)))


@pytest.mark.parametrize("part", ["x", "y"])
def test_the_test_split_of_a_source_counts(part):
    given = samples(test=(np.ones((5, 4), np.int64), np.array([0, 1, 2, 0, 1])))
    x, y = (array.copy() for array in given.test)
    (x if part == "x" else y)[3] += 1
    changed = fingerprint(dataclasses.replace(given, test=(x, y)))
    assert differing(fingerprint(given), changed) == {"features" if part == "x" else "labels"}


def test_samples_of_unknown_rows():
    """As an estimator gives them."""
    x, y = np.random.default_rng(0).random((10, 2)), np.arange(10.0)[:, None]
    given = Dataset("d", Split(x, y), Split(x[:2], y[:2]), Split(x[:0], y[:0]), ("t",), ("a", "b"), None, "")
    assert fingerprint_of(given) == fingerprint_of(given)
    moved = dataclasses.replace(given, validation=Split(x[2:4], y[2:4]))
    assert differing(fingerprint_of(given), fingerprint_of(moved)) == {"features", "labels"}


def test_a_split_that_is_kept_back():
    """As a sweep may keep the test split from its trials: their runs can still be reported on all data."""
    whole = split_samples("made", samples(), seed=0, validation=0.1, test=0.2)
    assert fingerprint_of(dataclasses.replace(whole, test=None)) == {}


@pytest.mark.slow
def test_mnist_takes_well_under_a_second():
    try:
        mnist = load_dataset("mnist", download=False)
    except Exception as error:
        pytest.skip(f"no MNIST: {error}")
    started = time.process_time()
    fingerprint_of(mnist)
    assert time.process_time() - started < 1
