"""The shortest chain of two-input gates for every function of four variables.

``optimal_chains`` reads the table that lies beside this file; ``search_chains`` made it, and
``python -m hardwire.passes.kernels.chains`` makes it anew.

Notes
-----
Functions are 16-bit truth tables that are false at address 0 (others are complements), indexed by ``table >> 1``.
A formula of ``c`` gates joins two of ``c1 + c2 = c - 1`` gates; formulas are counted with one more gate given free,
for each gate of two variables in turn, and the best is kept. The lengths reached are the least possible: 2, 2, 5, 20,
34, 75, 72, 12 classes need 0 to 7 gates.

References
----------
Knuth, The Art of Computer Programming 4A, section 7.1.2, table 1.
"""

from functools import cache
from itertools import combinations
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ...core.jit import inner, jit

LONGEST = 7
VARIABLES = (0xAAAA, 0xCCCC, 0xF0F0, 0xFF00)
#: Operations of a chain's gate, by number.
OPERATIONS = ("AND", "A_AND_NOT_B", "B_AND_NOT_A", "XOR", "OR")
TABLE = Path(__file__).with_name("chains.npz")

#: ``length`` (32768,), and ``chain`` (32768, 7, 3): operation, left and right of each gate, zeros behind the last one.
#: Places 0 to 3 are variables, ``4 + i`` is gate ``i``; the last gate is the function.
Chains: TypeAlias = tuple[NDArray[np.int8], NDArray[np.int8]]


@cache
def optimal_chains() -> Chains:
    """The table of shortest chains, as ``search_chains`` found it."""
    with np.load(TABLE) as table:
        return table["length"], table["chain"]


@inner
def apply(op, f, g):
    """The table of an operation, by its number in ``OPERATIONS``, on two tables."""
    if op == 0:
        return f & g
    if op == 1:
        return f & ~g & 0xFFFF
    if op == 2:
        return g & ~f & 0xFFFF
    if op == 3:
        return f ^ g
    return f | g


@jit
def _formulas(seeds, cost, parts):
    """Fill ``cost`` (32768,) and ``parts`` (32768, 3): operation, left, right; ``seeds`` cost nothing."""
    reached = np.empty(32768, np.int32)
    start = np.zeros(16, np.int64)
    n = 0
    for f in seeds:
        cost[f >> 1] = 0
        parts[f >> 1, 0] = -1
        reached[n] = f
        n += 1
    start[1] = n
    for c in range(1, 15):
        for c1 in range((c - 1) // 2 + 1):
            c2 = c - 1 - c1
            for i in range(start[c1], start[c1 + 1]):
                f = reached[i]
                for j in range(i + 1 if c1 == c2 else start[c2], start[c2 + 1]):
                    for op in range(5):
                        h = apply(op, f, reached[j])
                        if h and cost[h >> 1] > c:
                            cost[h >> 1] = c
                            parts[h >> 1, 0], parts[h >> 1, 1], parts[h >> 1, 2] = op, f, reached[j]
                            reached[n] = h
                            n += 1
            if n >= 32767:
                return
        start[c + 1] = n


@inner
def _unfold(f, cost, parts, free, free_parts, chain):
    """Write the gates of the formula of ``f`` to ``chain``, operands before users; how many there are."""
    need = np.empty(64, np.int32)
    need[0], n, i = f, 1, 0
    while i < n:  # collect, each function once
        part = free_parts if need[i] == free else parts[need[i] >> 1]
        i += 1
        for g in part[1:]:
            if part[0] >= 0:
                collected = False
                for j in range(n):
                    collected |= need[j] == g
                if not collected:
                    need[n] = g
                    n += 1
    place = np.full(n, -1, np.int32)
    for v in range(4):
        for j in range(n):
            if need[j] == (0xAAAA, 0xCCCC, 0xF0F0, 0xFF00)[v]:
                place[j] = v
    gates = 0
    for c in range(16):  # the free gate first, then by cost: operands cost less
        for j in range(n):
            if place[j] < 0 and (cost[need[j] >> 1] == c):
                if gates == 7:
                    return 99
                part = free_parts if need[j] == free else parts[need[j] >> 1]
                chain[gates, 0] = part[0]
                for side in (1, 2):
                    for k in range(n):
                        if need[k] == part[side]:
                            chain[gates, side] = place[k]
                place[j] = 4 + gates
                gates += 1
    return gates


@jit
def _improve(cost, parts, free, free_parts, length, chains):
    chain = np.zeros((7, 3), np.int8)
    extra = 1 if free else 0
    for i in range(1, 32768):
        if cost[i] + extra < length[i]:
            gates = _unfold(2 * i, cost, parts, free, free_parts, chain)
            if gates < length[i]:
                length[i] = gates
                chains[i] = chain


def search_chains() -> Chains:
    """Find a shortest chain of every function, in about a second."""
    length, result = np.full(32768, 99, np.int8), np.zeros((32768, LONGEST, 3), np.int8)
    gates = [(op, f, g) for f, g in combinations(VARIABLES, 2) for op in range(len(OPERATIONS))]
    for part in [(-1, 0, 0), *gates]:
        free = apply.py_func(*part) if part[0] >= 0 else 0
        cost, parts = np.full(32768, 99, np.int8), np.zeros((32768, 3), np.int32)
        _formulas(np.array([*VARIABLES, *([free] if free else [])], np.int32), cost, parts)
        _improve(cost, parts, free, np.array(part, np.int32), length, result)
    result[np.arange(LONGEST) >= length[:, None]] = 0
    return length, result


if __name__ == "__main__":
    np.savez_compressed(TABLE, **dict(zip(("length", "chain"), search_chains(), strict=True)))
