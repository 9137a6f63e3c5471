"""From images to input spikes: which pixels are inputs, and how often each fires."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import InputError

GREATEST = 2**32


def select_pixels(x: NDArray[Any], number: int) -> NDArray[np.int64]:
    """Return the ``number`` features with the largest mean over samples ``x`` (samples, features), in rising order.

    The paper crops 28 x 28 pixels to 397 inputs; which ones was not found, so they are learned: those that fire most.
    Equal means are taken in order. InputError when there are fewer features.
    """
    if not 1 <= number <= x.shape[1]:
        raise InputError(f"inputs = {number} of {x.shape[1]} features; take 1 to {x.shape[1]}")
    total = x.sum(axis=0, dtype=np.float64)
    return np.sort(np.argsort(-total, kind="stable")[:number]).astype(np.int64)


def grey_levels(x: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Return samples as grey levels: ``low`` becomes 0 and ``high`` 255, what lies beyond is clipped."""
    if x.dtype == np.uint8 and (low, high) == (0, 255):
        return x
    scaled = (x.astype(np.float64) - low) * (255 / max(high - low, 1e-300))
    return np.asarray(np.rint(scaled.clip(0, 255)), np.uint8)


def spike_chance(max_hz: float, step_ms: float) -> NDArray[np.uint64]:
    """Return (256,) chances: an input of grey level v fires in a step when 32 random bits are below ``chance[v]``.

    Its rate is ``max_hz v / 255``; the probability in a step ``rate step_ms / 1000``. InputError when that exceeds 1.
    """
    p = max_hz * step_ms / 1000
    if not 0 < p <= 1:
        raise InputError(f"max_hz = {max_hz:g} in steps of {step_ms:g} ms is {p:g} spikes a step; keep it above 0 and "
                         "at most 1")
    return np.rint(np.arange(256) / 255 * p * GREATEST).astype(np.uint64)
