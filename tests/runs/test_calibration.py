"""Probabilities from scores."""

import json

import numpy as np
import pytest

from hardwire.core.errors import FormatError, InputError
from hardwire.runs.calibration import calibration_error, calibration_file, fit_calibration, load_calibration, softmax
from hardwire.runs.directory import RunDirectory


def drawn(n, b, classes=5, seed=0):
    """Scores, and labels drawn from the probabilities that temperature 1 / b makes of them."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, 10, (n, classes))
    return scores, (softmax(scores, b).cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)


@pytest.mark.parametrize("b", [0.03, 0.1, 0.5])
def test_the_temperature_is_found(b):
    made = fit_calibration(*drawn(8000, b))
    assert made.inverse_temperature == pytest.approx(b, rel=0.15) and made.samples == 8000
    assert made.expected_calibration_error < 0.03


def test_units_of_scores_do_not_matter():
    scores, y = drawn(500, 0.1)
    one, two = fit_calibration(scores, y), fit_calibration(1e6 * scores, y)
    assert one.probabilities(scores) == pytest.approx(two.probabilities(1e6 * scores))


@pytest.mark.parametrize("scores", [np.eye(3)[[0, 1, 2] * 5] * 9, np.zeros((15, 3)), np.eye(3)[[1, 2, 0] * 5]], ids=["all right", "nothing told", "all wrong"])
def test_extremes_stay_finite(scores):
    made = fit_calibration(scores, np.array([0, 1, 2] * 5))
    shares = made.probabilities(scores)
    assert np.isfinite(shares).all() and shares.sum(axis=1) == pytest.approx(1) and shares.max() < 1
    assert fit_calibration(scores[:1], np.array([0])).samples == 1


def test_error_of_calibration():
    assert calibration_error(np.full(10, 0.75), np.arange(10) < 5) == pytest.approx(0.25)
    assert calibration_error(np.array([0.5, 0.5, 1.0]), np.array([True, False, True])) == pytest.approx(0)


@pytest.mark.parametrize("text", ["", "{}", '{"inverse_temperature": -1, "samples": 3, "expected_calibration_error": 0.1}', '{"inverse_temperature": NaN}'])
def test_damaged_files_are_refused(tmp_path, text):
    directory = RunDirectory(tmp_path)
    assert load_calibration(directory) is None
    directory.keep({"calibration.json": text})
    with pytest.raises(FormatError, match="remove it, and the run's validation samples give it anew"):
        load_calibration(directory)
    made = fit_calibration(*drawn(50, 0.1))
    directory.keep({"calibration.json": made.text()})
    assert load_calibration(directory) == made and json.loads(made.text())["samples"] == 50


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -1e35])
def test_scores_that_are_not_finite_give_no_calibration(wrong):
    scores, y = drawn(40, 0.1)
    assert [*calibration_file(scores, y)] == ["calibration.json"]
    assert [*calibration_file(scores.astype(np.float32), y)] == ["calibration.json"]  # as a crossbar's are
    scores[3, 1] = wrong
    assert calibration_file(scores, y) == calibration_file(scores.astype(np.float32), y) == {}
    with pytest.raises(InputError, match="not finite"):
        fit_calibration(scores, y)
