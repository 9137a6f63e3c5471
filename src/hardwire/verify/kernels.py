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


@jit
def tabulate(fanin: NDArray[np.int32], table: NDArray[np.uint64], arity: NDArray[np.uint8], live: NDArray[np.uint64],
             value: NDArray[np.uint64], reached: NDArray[np.uint64], first: NDArray[np.uint64]) -> None:
    """Evaluate look-up tables, and note which of their entries were reached.

    Fills the last rows of ``value`` (nets, words), one for each node. Of the patterns that are set in ``live``, those
    that reach an entry which is not in the bit masks ``reached`` are put in, and one of them is set in ``first`` unless
    one is set there already.
    """
    one = np.uint64(1)
    start = value.shape[0] - table.shape[0]
    for j in range(table.shape[0]):
        k = np.int64(arity[j])
        for w in range(value.shape[1]):
            result = np.uint64(0)
            for m in range(1 << k):
                hit = live[w]
                for i in range(k):
                    x = value[fanin[j, i], w]
                    hit &= x if m >> i & 1 else ~x
                if table[j] >> np.uint64(m) & one:
                    result |= hit
                if hit and not reached[j] >> np.uint64(m) & one:
                    reached[j] |= one << np.uint64(m)
                    if not hit & first[w]:
                        first[w] |= hit & (~hit + one)
            value[start + j, w] = result


@jit
def observe(fanin: NDArray[np.int32], table: NDArray[np.uint64], arity: NDArray[np.uint8], outputs: NDArray[np.int32],
            begin: int, end: int, live: NDArray[np.uint64], value: NDArray[np.uint64], seen: NDArray[np.bool_],
            first: NDArray[np.uint64]) -> None:
    """Invert each net of ``begin .. end`` in turn, and note from which of its values an output then changes.

    ``value`` (nets, words) holds the planes of all nets, of which the patterns in ``live`` count. ``seen`` (2, nets) is
    whether the inversion of a false and of a true net was seen; where a pattern is the first to show it, one is set in
    ``first`` unless one is set there already.
    """
    one, n, words = np.uint64(1), value.shape[0], value.shape[1]
    start = n - table.shape[0]
    other, changed = np.empty_like(value), np.zeros(n, np.bool_)
    shown = np.empty(words, np.uint64)
    for net in range(begin, end):
        if seen[0, net] and seen[1, net]:
            continue
        changed[net:] = False
        changed[net] = True
        for w in range(words):
            other[net, w] = ~value[net, w]
            shown[w] = 0
        for j in range(max(0, net + 1 - start), n - start):
            k, touched = np.int64(arity[j]), False
            for i in range(k):
                touched |= changed[fanin[j, i]]
            if not touched:
                continue
            for w in range(words):
                result = np.uint64(0)
                for m in range(1 << k):
                    if table[j] >> np.uint64(m) & one:
                        hit = ~np.uint64(0)
                        for i in range(k):
                            f = fanin[j, i]
                            x = other[f, w] if changed[f] else value[f, w]
                            hit &= x if m >> i & 1 else ~x
                        result |= hit
                other[start + j, w] = result
                if result != value[start + j, w]:
                    changed[start + j] = True
        for output in outputs:
            if changed[output]:
                for w in range(words):
                    shown[w] |= other[output, w] ^ value[output, w]
        for phase in range(2):
            for w in range(words):
                hit = shown[w] & live[w] & (value[net, w] if phase else ~value[net, w])
                if hit and not seen[phase, net]:
                    seen[phase, net] = True
                    if not hit & first[w]:
                        first[w] |= hit & (~hit + one)
