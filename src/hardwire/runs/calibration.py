"""From scores to probabilities: one temperature, fitted on the validation split and kept with the run.

    P(class c) = exp(b s_c) / sum_k exp(b s_k)

with scores ``s`` (counts of gates, outputs of a crossbar, spikes) and ``b`` above 0, which makes the validation labels
likeliest. As in Platt scaling (Platt, 1999) a label counts for slightly less than 1, so that ``b`` stays finite where
every sample is right. Guo et al., 2017, call it temperature scaling. The expected calibration error is the mean of
|share of right ones - mean confidence| over 15 bins of confidence, weighted by their samples; it is measured on each
half of the validation samples with the ``b`` of the other half.
"""

import json
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ..core.errors import FormatError, InputError
from ..core.files import read_text
from ..core.reading import parse_json
from .directory import CALIBRATION, RunDirectory
from .values import Size, Values

Scores = NDArray[np.float64]
BINS = 15
#: Samples that the fit takes at most, evenly from all; halvings of the interval of ``ln b``.
MOST, HALVINGS = 20_000, 60
_LOG_RANGE = 40.0
#: Scores that float32 holds, and whose squares float64 does.
LARGEST = 1e30


class Calibration(Values):
    """What turns a run's scores into probabilities.

    Attributes
    ----------
    inverse_temperature
        ``b``.
    samples
        Validation samples that it was fitted on.
    expected_calibration_error
        Measured on these, see the module.
    """

    inverse_temperature: Annotated[float, Field(gt=0, le=1e300)]
    samples: Size
    expected_calibration_error: Annotated[float, Field(ge=0, le=1)]

    def probabilities(self, scores: Scores) -> Scores:
        """Return the probability of each class, (samples, classes)."""
        return softmax(scores, self.inverse_temperature)

    def text(self) -> str:
        """Return the JSON of the file."""
        return json.dumps(self.model_dump(), indent=1) + "\n"


def softmax(scores: Scores, b: float) -> Scores:
    """Return ``exp(b s) / sum exp(b s)`` over the classes, (samples, classes)."""
    power = np.exp(b * (scores - scores.max(axis=1, keepdims=True)))
    return np.asarray(power / power.sum(axis=1, keepdims=True))


def fit_calibration(scores: NDArray[Any], y: NDArray[np.int64]) -> Calibration:
    """Fit ``b`` to scores (samples, classes) of samples whose classes are ``y`` (samples,).

    Raises
    ------
    InputError
        Scores are not finite.
    """
    if not _usable(scores):
        raise InputError(f"scores are not finite, or beyond {LARGEST:g}; train the network anew")
    s = np.asarray(scores, dtype=np.float64)
    halves = (np.arange(len(y)) % 2 == 0), (np.arange(len(y)) % 2 == 1)
    confidence, right = np.zeros(len(y)), s.argmax(axis=1) == y
    for fitted, measured in (halves, halves[::-1]):
        b = _inverse_temperature(s[fitted], y[fitted]) if fitted.any() else 1.0
        confidence[measured] = softmax(s[measured], b).max(axis=1) if measured.any() else 0.0
    return Calibration(inverse_temperature=_inverse_temperature(s, y), samples=len(y),
                       expected_calibration_error=calibration_error(confidence, right))


def calibration_error(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Return the expected calibration error of confidences (samples,) of decisions that were right or not."""
    bins = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    gaps = np.bincount(bins, weights=right - confidence, minlength=BINS)
    return float(min(1.0, np.abs(gaps).sum() / max(1, len(confidence))))


def _inverse_temperature(s: Scores, y: NDArray[np.int64]) -> float:
    """The ``b`` where the derivative of the mean loss, which rises with ``b``, is 0."""
    step = -(-len(y) // MOST)
    s, y = s[::step], y[::step]
    spread = float(s.std()) or 1.0
    s = (s - s.max(axis=1, keepdims=True)) / spread
    target = np.full(s.shape, 1 / ((len(y) + 2) * s.shape[1]))
    target[np.arange(len(y)), y] += 1 - 1 / (len(y) + 2)
    wanted = float((target * s).sum(axis=1).mean())
    low, high = -_LOG_RANGE / 2, _LOG_RANGE / 2
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        given = float((softmax(s, float(np.exp(middle))) * s).sum(axis=1).mean())
        low, high = (middle, high) if given < wanted else (low, middle)
    return float(np.exp((low + high) / 2) / spread)


def calibration_file(scores: NDArray[Any], y: NDArray[np.int64]) -> dict[str, str]:
    """Fit, and return the run's file; none where the scores of a training that went wrong cannot be calibrated."""
    return {CALIBRATION: fit_calibration(scores, y).text()} if _usable(scores) else {}


def _usable(scores: NDArray[Any]) -> bool:
    return bool(np.all(np.abs(scores) < LARGEST))  # false of NaN too


def load_calibration(directory: RunDirectory) -> Calibration | None:
    """Return what a run keeps, or None.

    Raises
    ------
    FormatError
        The file is damaged.
    """
    path: Path = directory / CALIBRATION
    if not path.is_file():
        return None
    remedy = "remove it, and the run's validation samples give it anew"
    try:
        values = parse_json(read_text(path))
    except ValueError as error:
        raise FormatError(f"{path} is not JSON ({error}); {remedy}") from None
    return Calibration.of(values, str(path), remedy)
