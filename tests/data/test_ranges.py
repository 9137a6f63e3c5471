"""Values that were scaled since training are refused, honest ones never; those outside the range are counted."""

import numpy as np
import pytest

from hardwire.core.errors import InputError
from hardwire.data import fit_encoder, load_dataset
from hardwire.data.ranges import WordRange, check_ranges, outside_ranges

BYTES = [WordRange(f"pixel_{i}", 8) for i in range(100)]


def words_of(x):
    """The words of an encoder that was fitted on ``x``."""
    encoder = fit_encoder("uniform", x, levels=3)
    return [WordRange(f"f{i}", int(w), float(o), float(s))
            for i, (w, o, s) in enumerate(zip(encoder.width, encoder.offset, encoder.step))]


def images(n, seed=0):
    """Bytes, four fifths of them 0, as of a drawn digit."""
    rng = np.random.default_rng(seed)
    return (rng.integers(0, 256, (n, 100)) * (rng.random((n, 100)) < 0.2)).astype(np.uint8)


SCALED = {
    "x / 255": lambda x: x / 255, "of float32": lambda x: (x / 255).astype(np.float32),
    "-1 to 1": lambda x: x / 127.5 - 1, "standardised": lambda x: (x - x.mean()) / x.std(),
    "by feature": lambda x: (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-9), "of float16": lambda x: (x / 255).astype(np.float16),
}


@pytest.mark.parametrize("rows", [slice(None), slice(0, 1)], ids=["batch", "sample"])
@pytest.mark.parametrize("how", SCALED)
def test_scaled_bytes_are_refused(how, rows):
    x = SCALED[how](images(300))[rows]
    with pytest.raises(InputError, match=r"trained on values from 0 to 255, these lie between .* or add --as-is"):
        check_ranges(x, BYTES, override="--as-is")
    assert check_ranges(x, BYTES, as_is=True)


def test_remedy_of_bytes_is_their_factor():
    with pytest.raises(InputError, match="these lie between 0 and 1: multiply by 255, or add as_is=True"):
        check_ranges(images(20) / 255, BYTES)
    with pytest.raises(InputError, match="before they were scaled"):
        check_ranges(images(20) / 127.5 - 1, BYTES)


HONEST = {
    "bytes": images(20), "floats of bytes": images(20).astype(float), "one sample": images(1).astype(float),
    "an empty image": np.zeros((1, 100)), "a single spot": np.eye(1, 100), "signed": images(3).astype(np.int64),
    "binary": (images(50) > 100).astype(float), "booleans": images(50) > 100, "none": np.zeros((0, 100)),
    "resized": (images(40).astype(float)[:, 1:] + images(40)[:, :-1])[:, [*range(99), 0]] / 2,
    "a dark image": images(1) / 8, "integers of a scaled image": (images(9) / 255).astype(np.int32),
    "few fractions": np.pad(np.full((1, 3), 0.4), ((0, 0), (0, 97))),
}


@pytest.mark.parametrize("what", HONEST)
def test_honest_bytes_pass(what):
    check_ranges(np.asarray(HONEST[what]), BYTES)


def test_digits_have_words_wider_than_their_values():
    """Values to 16 take five bits: 31 is no value of training."""
    data = load_dataset("digits")
    words = words_of(data.train.x)
    for row in data.test.x[:50]:
        check_ranges(row[None].astype(float), words)
    for x in (data.test.x / 16, data.test.x[:1] / 16, (data.test.x - 4.9) / 6.0):
        with pytest.raises(InputError, match="from 0 to 31, these"):
            check_ranges(x, words)


@pytest.fixture
def table():
    """Columns of many units: reals of several sizes, ages, a share, a bit, one with a long tail."""
    rng = np.random.default_rng(1)
    columns = [rng.normal(14, 3.5, 600), rng.normal(650, 350, 600).clip(140), rng.normal(0.1, 0.01, 600),
               rng.integers(17, 90, 600), rng.random(600), rng.integers(0, 2, 600), rng.lognormal(0, 2, 600)]
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("rows", [1, 5, 300])
def test_honest_tables_pass(table, rows):
    words = words_of(table[:300])
    for start in range(300, 601 - rows, max(1, rows // 2)):
        check_ranges(table[start : start + rows], words)


@pytest.mark.parametrize("columns, ends", [(slice(None), r"0 to 127 in 'f3'"), (slice(3), r"1\d\d to \d+(\.\d+)? in 'f1'")])
@pytest.mark.parametrize("how", ["standardised", "least to most"])
def test_scaled_tables_are_refused(table, how, columns, ends):
    table = table[:, columns]
    low, high = (table.mean(axis=0), table.mean(axis=0) + table.std(axis=0)) if how == "standardised" else (
        table.min(axis=0), table.max(axis=0))
    with pytest.raises(InputError, match=f"was trained on values from {ends}, these lie between"):
        check_ranges(((table - low) / (high - low))[300:], words_of(table[:300]))


@pytest.mark.parametrize("how", ["standardised", "least to most"])
def test_small_reals_of_one_scale_are_refused(how):
    """As Iris: ranges of a few units, which standardised values leave."""
    rng = np.random.default_rng(5)
    x = rng.normal([5.8, 3.1, 3.8, 1.2], [0.8, 0.4, 1.7, 0.7], (150, 4)).clip(0.1)
    low, scale = (x.mean(axis=0), x.std(axis=0)) if how == "standardised" else (x.min(axis=0), np.ptp(x, axis=0))
    with pytest.raises(InputError, match="before they were scaled"):
        check_ranges(((x - low) / scale)[:50], words_of(x))
    check_ranges(x[:50] + 0.5, words_of(x))
    check_ranges((x - x.mean(axis=0))[:50] / 2, words_of((x - x.mean(axis=0)) / x.std(axis=0)))


def test_reals_in_a_sliver_are_refused():
    x = np.random.default_rng(2).uniform(0, 1000, (400, 3))
    with pytest.raises(InputError, match="before they were scaled"):
        check_ranges(x[:50] / 1000, words_of(x))


def test_reals_of_training_in_0_to_1_pass():
    x = np.random.default_rng(2).random((400, 30))
    assert check_ranges(x[:200], words_of(x)) == [] == check_ranges(x[:1], words_of(x))
    check_ranges(x[:200] / 255, words_of(x))


@pytest.mark.parametrize("tail", [1.0, 2.0, 3.0])
def test_long_tails_pass(tail):
    rng = np.random.default_rng(3)
    x = rng.lognormal(0, tail, (2000, 4))
    for start in range(1000, 2000, 50):
        check_ranges(x[start : start + 50], words_of(x[:1000]))


def test_values_that_left_the_range_at_the_same_scale_pass():
    years, volts = np.arange(2000.0, 2020)[:, None], np.random.default_rng(4).uniform(8, 10, (200, 1))
    assert "trained on 0 to 2047" not in "".join(check_ranges(years + 20, words_of(years)))
    [said] = check_ranges(volts - 2, words_of(volts))
    assert "200 of 200 samples outside the trained range" in said


def test_outside_is_counted():
    x = images(10).astype(float)
    x[2, 5], x[2, 7], x[9, 7] = 256, -1, 700
    lost = outside_ranges(x, BYTES)
    assert (lost.values, lost.samples, lost.total, lost.worst, lost.range) == (3, 2, 10, "pixel_7", (0, 255))
    assert lost.seen[0] == -1 and lost.seen[1] == 700
    [said] = check_ranges(x, BYTES)
    assert said.startswith("3 values in 2 of 10 samples outside the trained range")
    assert str(outside_ranges(images(10), BYTES)) == ""


def test_no_training_value_is_outside(table):
    assert outside_ranges(table, words_of(table)).values == 0


def test_fractions_are_said():
    x = images(10).astype(float)
    x[0, :3] = 100.5
    assert check_ranges(x, BYTES) == ["3 fractions rounded down, where training had whole numbers only"]


def test_what_does_not_fit_is_left_to_others():
    for x in (np.zeros((3, 99)), np.zeros(100), np.array([["a"] * 100]), np.full((2, 100), np.nan)):
        assert check_ranges(x, BYTES) == []
