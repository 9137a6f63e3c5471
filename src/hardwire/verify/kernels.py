"""The compiled loops of fraiging."""

import numpy as np
from numpy.typing import NDArray

from ..core.jit import jit


@jit
def simulate(left: NDArray[np.int64], right: NDArray[np.int64], value: NDArray[np.uint64]) -> None:
    """Fill rows of ``value`` (variables, words) behind its first rows, which hold the constant and the inputs."""
    first = value.shape[0] - left.shape[0]
    for j in range(left.shape[0]):
        a, b = left[j], right[j]
        x, y = np.uint64(0) - np.uint64(a & 1), np.uint64(0) - np.uint64(b & 1)
        for w in range(value.shape[1]):
            value[first + j, w] = (value[a >> 1, w] ^ x) & (value[b >> 1, w] ^ y)


@jit
def absorb(key: NDArray[np.uint64], phase: NDArray[np.uint8], value: NDArray[np.uint64]) -> None:
    """Mix the words of ``value``, complemented where ``phase`` is set, into the hash ``key`` of each variable."""
    for v in range(value.shape[0]):
        h, flip = key[v], np.uint64(0) - np.uint64(phase[v])
        for w in range(value.shape[1]):
            h = (h ^ value[v, w] ^ flip) * np.uint64(0x9E3779B97F4A7C15)
            h ^= h >> np.uint64(29)
        key[v] = h


@jit
def regroup(key: NDArray[np.uint64], active: NDArray[np.int64], head: NDArray[np.int64],
            before: NDArray[np.int64]) -> None:
    """Group ``active``, which ascends, by key.

    ``head[v]`` becomes the first variable of the group of ``v``, ``before[v]`` the one before ``v`` or -1.
    """
    size = 16
    while size < 2 * active.shape[0]:
        size *= 2
    slots = np.full(size, -1, np.int64)
    for v in active:
        slot = np.int64(key[v] >> np.uint64(16)) & (size - 1)
        while slots[slot] >= 0 and key[slots[slot]] != key[v]:
            slot = (slot + 1) & (size - 1)
        before[v] = slots[slot]
        head[v] = v if slots[slot] < 0 else head[slots[slot]]
        slots[slot] = v
