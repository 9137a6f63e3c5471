"""Where an encoder puts its thresholds, given how many training samples have each code."""

import numpy as np
from numpy.typing import NDArray


def uniform(counts: NDArray[np.int64], levels: int) -> NDArray[np.int64]:
    """Place thresholds at ``ceil(lo + (hi - lo) (t + 1) / (T + 1))``, from lo to hi the codes seen."""
    seen = np.flatnonzero(counts)
    lo, span = int(seen[0]), int(seen[-1] - seen[0])
    return np.array([lo - (-span * (t + 1) // (levels + 1)) for t in range(levels)], dtype=np.int64)


def quantile(counts: NDArray[np.int64], levels: int) -> NDArray[np.int64]:
    """Place thresholds at codes seen in training that share the samples out evenly.

    A share closest to ``(t + 1) / (T + 1)`` of the samples lies below threshold ``t``. Where more than half of the
    samples sit at the lowest code (a dark background), the shares are of the others. Thresholds are distinct while the
    feature has codes enough, so that no two bits agree on all training samples.
    """
    seen = np.flatnonzero(counts)
    if len(seen) == 1:
        return np.full(levels, seen[0], dtype=np.int64)
    mass = counts[seen].astype(np.float64)
    if 2 * mass[0] > mass.sum():
        mass[0] = 0
    below = np.cumsum(mass)[:-1]  # below[k]: samples under seen[k + 1]
    share = np.arange(1, levels + 1) / (levels + 1) * mass.sum()
    rank = np.abs(below - share[:, None]).argmin(axis=1)
    return seen[1:][_spread(rank, len(below))]


def _spread(rank: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Ascending ranks moved apart as little as needed inside 0 .. n - 1; the lowest repeat when there are too few."""
    t = np.arange(len(rank))
    rank = np.maximum.accumulate(rank - t) + t
    return np.maximum(np.minimum(rank, n - len(rank) + t), 0)
