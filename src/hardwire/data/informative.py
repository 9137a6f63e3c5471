"""Thresholds that are worth their comparators, and the width of the code that they need.

A threshold is weighed by what it tells against what its comparator costs: with ``b`` the interval between two
thresholds that a code lies in and ``y`` the class, each feature gets the thresholds that maximise

    I(b; y) - price * sum over thresholds of the gates of (code >= threshold)

over all sets of at most ``levels`` candidates, exactly, by dynamic programming. Without classes ``y`` is the code
itself, ``I(b; y)`` the entropy of the intervals, and a price of 0 shares the samples out evenly. A comparator costs a
gate for each bit above the lowest set bit of its threshold: half of the word's range is its highest bit, a wire.

References
----------
Fayyad and Irani, Multi-interval discretization of continuous-valued attributes, IJCAI 1993: intervals by information
about the class; here with a price in gates in place of a description length.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core.comparators import threshold_price
from ..core.errors import InputError
from .codes import quantise, words

#: Nats a sample that a gate must bring.
DEFAULT_PRICE = 0.01
#: Shares of a real-valued feature's samples that are tried to be left out at each end.
CLIPS = (0.0, 0.005, 0.02, 0.1)
#: Classes that a real target is cut into.
TARGET_CLASSES = 8
#: Candidates of one feature at most.
CANDIDATES = 256

Words: TypeAlias = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]
Fit: TypeAlias = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.int64],
                       NDArray[np.int64]]


def fit_informative(
    x: NDArray[Any], y: ArrayLike | None, *, levels: int, code_bits: int, clip: float, common: bool, price: float,
    narrow: bool,
) -> Words:
    """Offset, step and width of each feature (F,), and its thresholds (T, F); the highest one of a feature repeats.

    Arguments are those of ``encoders.fit_encoder``; with ``narrow`` a real-valued feature's code loses the low bits
    that no threshold needs.
    """
    labels = _labels(y, len(x))
    offset, step, width, thresholds = _best_of(
        [_fit(x, labels, c, levels, code_bits, price, common) for c in ((clip,) if clip else CLIPS)])
    if narrow:
        step, width, thresholds = _narrow(step, width, thresholds, common)
    return offset, step, width, thresholds


def informative(
    counts: Sequence[NDArray[np.integer]], levels: int, width: int, price: float,
) -> tuple[float, NDArray[np.int64]]:
    """Place up to ``levels`` thresholds where they tell most for their gates.

    Parameters
    ----------
    counts : sequence of array (features, codes, classes)
        Training samples at each code and class, for each labelling; of one class where labels are not known. Several
        features share their thresholds, and their information is averaged, as is that of several labellings.
    levels : int
        Thresholds at most, at least one.
    width : int
        Bits of a code.
    price : float
        Information, in nats a sample, that a gate must bring.

    Returns
    -------
    float
        What is maximised.
    array of int64
        The thresholds, ascending.
    """
    total = counts[0].sum(axis=(0, 2))
    places = _candidates(total, width)
    if not len(places):  # one code only
        return 0.0, np.full(1, min(max(int(np.flatnonzero(total)[0]), 1), (1 << width) - 1), dtype=np.int64)
    gain: NDArray[np.float64] = np.mean([_interval_gains(c, places) for c in counts], axis=0)
    cost = price * np.array([threshold_price(width, int(t)) for t in places])
    return _best_set(gain, cost, places, levels)


def _best_set(
    gain: NDArray[np.float64], cost: NDArray[np.float64], places: NDArray[np.int64], levels: int,
) -> tuple[float, NDArray[np.int64]]:
    """The value and the thresholds of the best set of 1 to ``levels`` of ``places``.

    ``gain`` (n + 1, n + 1) is that of the interval from boundary i up to boundary j + 1; boundary 0 is the lowest
    code, boundary ``1 + k`` is ``places[k]``, the last one is the end.
    """
    n = len(places)
    value, before = gain[0, :n] - cost, [np.zeros(n, dtype=np.int64)]
    best, size, last = -np.inf, 0, 0
    for t in range(min(levels, n)):
        if t:
            whole = value[:, None] + gain[1:, :n]
            whole[np.tril_indices(n)] = -np.inf
            before.append(whole.argmax(axis=0))
            value = whole.max(axis=0) - cost
        ends = value + gain[1:, n]
        if ends.max() > best + 1e-12:
            best, size, last = float(ends.max()), t + 1, int(ends.argmax())
    chosen = [last]
    for t in range(size - 1, 0, -1):
        chosen.append(int(before[t][chosen[-1]]))
    return best - float(gain[0, n]), places[chosen[::-1]]


def _interval_gains(counts: NDArray[np.integer], places: NDArray[np.int64]) -> NDArray[np.float64]:
    """Information of each interval, (n + 1, n + 1): ``sum_y m_y log m_y - m log m`` over the samples, mean of features.

    Entry (i, j) is the interval from boundary i up to boundary j + 1; those that end before they begin hold no meaning.
    With one class it is ``- m log m``, the interval's part of the entropy.
    """
    classes, samples = counts.shape[2], int(counts[0].sum())
    ends = np.concatenate([places, [counts.shape[1]]])
    gain = np.zeros((len(ends), len(ends)))
    for feature in counts:
        below = np.concatenate([np.zeros((1, classes)), np.cumsum(feature, axis=0)])[ends]
        starts = np.concatenate([np.zeros((1, classes)), below[:-1]])
        inside = np.maximum(below[None] - starts[:, None], 0)
        gain -= _x_log_x(inside.sum(axis=2))
        if classes > 1:
            gain += _x_log_x(inside).sum(axis=2)
    return gain / (samples * len(counts))


def _x_log_x(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return x * np.log(np.maximum(x, 1))


def _candidates(counts: NDArray[np.integer], width: int) -> NDArray[np.int64]:
    """The cheapest threshold between each two neighbouring codes that were seen, ascending.

    Of more than ``CANDIDATES`` those remain that cost least, and, a quarter, those that share the samples out evenly.
    """
    seen = np.flatnonzero(counts)
    low, places = seen[:-1], seen[1:].astype(np.int64)
    while (shorter := (places & places - 1) > low).any():
        places[shorter] &= places[shorter] - 1
    if len(places) <= CANDIDATES:
        return places
    below = np.cumsum(counts[seen])[:-1]
    even = np.arange(1, CANDIDATES // 4 + 1) / (CANDIDATES // 4 + 1) * counts.sum()
    keep = set(np.searchsorted(below, even).clip(0, len(places) - 1).tolist())
    prices = np.array([threshold_price(width, int(t)) for t in places])
    for k in np.argsort(prices, kind="stable").tolist():
        if len(keep) == CANDIDATES:
            break
        keep.add(k)
    return places[sorted(keep)]


def _fit(
    x: NDArray[Any], labels: NDArray[np.int64], clip: float, levels: int, code_bits: int, price: float, common: bool,
) -> Fit:
    """What is maximised (F,), offset, step, width, and thresholds (T, F), the last one of a feature repeated."""
    offset, step, width = words(x, code_bits, clip, common)
    codes = quantise(x, offset, step, width)
    groups = [np.arange(x.shape[1])] if common else np.arange(x.shape[1])[:, None]
    results = [informative([_joint(codes[:, group], row) for row in labels], levels, int(width[group[0]]), price)
               for group in groups]
    most = max(len(column) for _, column in results)
    columns = [np.pad(column, (0, most - len(column)), mode="edge") for _, column in results]
    value = np.array([value for value, _ in results])
    repeats = x.shape[1] // len(groups)
    return np.repeat(value, repeats), offset, step, width, np.repeat(np.stack(columns, axis=1), repeats, axis=1)


def _best_of(fits: list[Fit]) -> tuple[NDArray[Any], ...]:
    """Of each feature the fit of the highest value, the first one of equals; without the value."""
    chosen = np.argmax([fit[0] for fit in fits], axis=0)
    most = max(len(fit[4]) for fit in fits)
    padded = [(*fit[1:4], np.pad(fit[4], ((0, most - len(fit[4])), (0, 0)), mode="edge")) for fit in fits]
    features = np.arange(len(chosen))
    offset, step, width, thresholds = (np.array([p[k] for p in padded]) for k in range(4))
    repeated = thresholds[chosen, :, features].T
    used = np.flatnonzero(np.concatenate([[True], (np.diff(repeated, axis=0) > 0).any(axis=1)]))
    return (*(a[chosen, features] for a in (offset, step, width)), repeated[: used[-1] + 1])


def _narrow(
    step: NDArray[np.float64], width: NDArray[np.int64], thresholds: NDArray[np.int64], common: bool,
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Step, width and thresholds of real-valued codes without the low bits in which all their thresholds are 0."""
    together = np.bitwise_or.reduce(thresholds, axis=0)
    drop = np.where(step == 1, 0, np.log2(together & -together).astype(np.int64))  # with a step of 1, values are codes
    if common:
        drop[:] = drop.min()
    return step * 2.0**drop, width - drop, thresholds >> drop


def _labels(y: ArrayLike | None, samples: int) -> NDArray[np.int64]:
    """Class of each sample in each labelling, (labellings, samples): a target's many values become eighths."""
    if y is None:
        return np.zeros((1, samples), dtype=np.int64)
    given: NDArray[Any] = np.asarray(y)
    if given.ndim not in (1, 2) or len(given) != samples:
        raise InputError(f"y has shape {given.shape} for {samples} samples; give one row for each")
    rows = []
    for column in given.reshape(samples, -1).T:
        values, index = np.unique(column, return_inverse=True)
        if given.dtype.kind == "f" and len(values) > TARGET_CLASSES:
            edges = np.quantile(column, np.arange(1, TARGET_CLASSES) / TARGET_CLASSES)
            index = np.searchsorted(edges, column, side="right")
        rows.append(index.astype(np.int64))
    return np.array(rows)


def _joint(codes: NDArray[np.unsignedinteger], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Samples at each code and class, (features, codes, classes)."""
    size, classes = int(codes.max()) + 1, int(labels.max()) + 1
    counts = [np.bincount(column.astype(np.int64) * classes + labels, minlength=size * classes) for column in codes.T]
    return np.stack(counts).reshape(-1, size, classes)
