"""Codes of features: the words that a sensor sends, ``clip(floor((x - offset) / step), 0, 2^width - 1)``."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core.bits import unsigned
from ..core.errors import InputError

MAX_CODE_BITS = 16


def words(
    x: NDArray[Any], code_bits: int, clip: float, common: bool,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Offset, step and width of each feature's code."""
    lo, hi, whole = x.min(axis=0).astype(np.float64), x.max(axis=0).astype(np.float64), is_whole(x)
    if common:
        lo[:], hi[:], whole[:] = lo.min(), hi.max(), whole.all()
    with np.errstate(over="ignore"):
        span = hi - lo
    if not np.isfinite(span).all():
        raise InputError(f"feature {np.argmin(np.isfinite(span))} of x_train spans more than float64 holds; rescale it")
    base = np.where((lo < 0) | (hi >= 1 << MAX_CODE_BITS), lo, 0.0)
    exact = (whole & (hi - base < 1 << MAX_CODE_BITS)) | (span == 0)
    base = np.where(exact & ~whole, lo, base)  # a real constant: code 0 begins at it
    low, high = _clipped(x, lo, hi, clip, common) if clip and not exact.all() else (lo, hi)
    fine = np.maximum((high - low) / (1 << code_bits), np.finfo(np.float64).tiny)
    width = np.where(exact, [max(1, int(v).bit_length()) for v in np.where(exact, hi - base, 0)], code_bits)
    return np.where(exact, base, low), np.where(exact, 1.0, fine), width.astype(np.int64)


def _clipped(
    x: NDArray[Any], lo: NDArray[np.float64], hi: NDArray[np.float64], clip: float, common: bool,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The range without a share ``clip`` of samples at each end; the whole range where nothing else would be left."""
    low, high = np.quantile(x, [clip, 1 - clip], axis=None if common else 0)
    return np.where(high > low, low, lo), np.where(high > low, high, hi)


def is_whole(x: NDArray[Any]) -> NDArray[np.bool_]:
    """Which features are integer in every sample, (F,) bool."""
    return np.ones(x.shape[1], dtype=bool) if x.dtype.kind in "ui" else (x == np.floor(x)).all(axis=0)


def quantise(
    x: NDArray[Any], offset: NDArray[np.float64], step: NDArray[np.float64], width: NDArray[np.int64],
) -> NDArray[np.unsignedinteger]:
    """``clip(floor((x - offset) / step), 0, 2^width - 1)``, C-contiguous in the smallest unsigned dtype."""
    top = (1 << width) - 1
    if x.dtype.kind in "ui" and not offset.any() and np.all(step == 1):
        top = np.minimum(top, min(np.iinfo(x.dtype).max, int(top.max()))).astype(x.dtype)
        return np.ascontiguousarray(np.clip(x, 0, top), dtype=unsigned(int(width.max())))
    with np.errstate(over="ignore"):  # far values become infinite and saturate
        value = x - offset
        value /= step
    np.floor(value, out=value)
    return np.ascontiguousarray(np.clip(value, 0, top, out=value), dtype=unsigned(int(width.max())))


def matrix(x: ArrayLike) -> NDArray[Any]:
    """Finite numbers of shape (samples, F) as they are, or InputError."""
    given: NDArray[Any] = np.asarray(x)
    if given.ndim != 2:
        raise InputError(f"x has shape {given.shape}; give a matrix (samples, features)")
    if given.dtype == bool:
        return given.astype(np.uint8)
    if given.dtype.kind not in "uif":
        raise InputError(f"x has dtype {given.dtype}; give real numbers")
    if given.dtype.kind == "f" and not np.isfinite(given).all():
        row, column = np.argwhere(~np.isfinite(given))[0]
        raise InputError(f"sample {row} has {given[row, column]} in feature {column}; remove or fill it")
    return given
