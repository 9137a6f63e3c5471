"""From images to input spikes: which pixels are inputs, and how often each fires."""

import numpy as np

from ..core.errors import InputError

GREATEST = 2**32


def select_pixels(x: np.ndarray, number: int) -> np.ndarray:
    """The ``number`` features with the largest mean over the samples ``x`` (samples, features), in rising order, int64.

    The paper crops 28 x 28 pixels to 397 inputs; which ones was not found, so they are learned: those that fire most. Equal
    means are taken in order. InputError when there are fewer features.
    """
    if not 1 <= number <= x.shape[1]:
        raise InputError(f"inputs = {number} of {x.shape[1]} features; take 1 to {x.shape[1]}")
    total = x.sum(axis=0, dtype=np.float64)
    return np.sort(np.argsort(-total, kind="stable")[:number]).astype(np.int64)


def grey_levels(x: np.ndarray, low: float, high: float) -> np.ndarray:
    """Samples as grey levels 0 to 255, uint8: ``low`` becomes 0 and ``high`` 255, what lies beyond is clipped."""
    if x.dtype == np.uint8 and (low, high) == (0, 255):
        return x
    scaled = (x.astype(np.float64) - low) * (255 / max(high - low, 1e-300))
    return np.rint(scaled.clip(0, 255)).astype(np.uint8)


def spike_chance(max_hz: float, step_ms: float) -> np.ndarray:
    """(256,) uint64: a Poisson input of grey level v fires in a step when 32 random bits are below ``chance[v]``.

    Its rate is ``max_hz v / 255``; the probability in a step ``rate step_ms / 1000``. InputError when that exceeds 1.
    """
    p = max_hz * step_ms / 1000
    if not 0 < p <= 1:
        raise InputError(f"max_hz = {max_hz:g} in steps of {step_ms:g} ms is {p:g} spikes a step; keep it above 0 and at most 1")
    return np.rint(np.arange(256) / 255 * p * GREATEST).astype(np.uint64)
