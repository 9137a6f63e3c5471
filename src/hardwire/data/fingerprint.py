"""The fingerprint of a data set: a digest of each part of it, whatever types and memory layout its arrays have."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .datasets import Dataset, Split


def fingerprint_of(dataset: Dataset) -> dict[str, str | int]:
    """Return the number of ``samples`` and the SHA-256 of every other part.

    ``features`` and ``labels`` are hashed in the source's order as far as it is known, so that another ``split`` of the
    same samples differs in that part alone. ``classes`` and ``names`` are those of classes and features. Nothing is
    returned where a split is kept back as None: such data cannot be compared.
    """
    splits = [dataset.train, dataset.validation, dataset.test]
    if None in splits:
        return {}
    return {
        "samples": sum(len(s.y) for s in splits),
        "features": values_digest(_in_order(splits, [s.x for s in splits])),
        "labels": values_digest(_in_order(splits, [s.y for s in splits])),
        "split": _rows_digest(splits),
        "classes": _text_digest(dataset.classes),
        "names": _text_digest(dataset.features),
    }


def values_digest(parts: Iterable[NDArray[Any]]) -> str:
    """Return the SHA-256 of arrays by shape and value: 1, 1.0 and True are the same."""
    total = hashlib.sha256()
    for array in parts:
        total.update(f"{array.shape}".encode())
        narrow = _canonical(array)
        total.update(narrow.dtype.str.encode())
        total.update(narrow.data)
    return total.hexdigest()


def _canonical(array: NDArray[Any]) -> NDArray[Any]:
    """Values in the first of uint8, int64 and float64 that holds all of them, C-contiguous and little-endian."""
    if array.dtype.kind == "f":
        wide = array.astype("<f8")
        if not (np.abs(wide) < 2.0**53).all() or (wide != np.floor(wide)).any():
            return np.ascontiguousarray(wide + 0.0)  # without negative zeros
        array = wide.astype("<i8")
    elif array.dtype.kind == "b":
        array = array.view(np.uint8)
    small = array.dtype == np.uint8 or not array.size or (array.min() >= 0 and array.max() < 256)
    return np.ascontiguousarray(array, "u1" if small else "<i8")


def _in_order(splits: Sequence[Split], arrays: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
    """Arrays of all splits: those of known rows as one, in the source's order, and each of the others."""
    known = [(s.rows, a) for s, a in zip(splits, arrays, strict=True) if s.rows is not None]
    others = [a for s, a in zip(splits, arrays, strict=True) if s.rows is None]
    if not known:
        return others
    order = np.concatenate([rows for rows, _ in known])
    whole = np.empty((len(order), *known[0][1].shape[1:]), np.result_type(*(a for _, a in known)))
    rank = np.empty(len(order), np.int64)
    rank[np.argsort(order, kind="stable")] = np.arange(len(order))
    begin = 0
    for rows, array in known:
        whole[rank[begin : begin + len(rows)]] = array
        begin += len(rows)
    return [whole, *others]


def _rows_digest(splits: Sequence[Split]) -> str:
    return values_digest(np.array([len(s.y)]) if s.rows is None else s.rows for s in splits)


def _text_digest(names: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(list(names)).encode()).hexdigest()
