"""Priority cuts for look-up tables: the inner loop of technology mapping.

References
----------
Mishchenko, Cho, Chatterjee, Brayton, "Combinational and sequential mapping with priority cuts", ICCAD 2007.
"""

import numpy as np
from numpy.typing import NDArray

from ...core.jit import inner, jit
from .cuts import union

CUTS = 8  #: kept for each node, beside the trivial one
NEVER = 1 << 30


@jit
def select(first: int, fanin: NDArray[np.int32], stage: NDArray[np.uint8], refs: NDArray[np.float64],
           required: NDArray[np.int32], by_depth: bool, leaves: NDArray[np.int32],
           sizes: NDArray[np.int32]) -> NDArray[np.int32]:
    """Choose for every node the cut of least area flow that meets ``required``, or of least depth if ``by_depth``.

    ``fanin`` (n, 2) and ``stage`` (n,) cover all nets, those below ``first`` are leaves. Area flow shares a table's
    area among the ``refs`` that read it. The choice is written to ``leaves`` (n, k) and ``sizes`` (n,); the arrival
    times of all nets, in tables, are returned. A cut ends where another stage begins.
    """
    n, k = leaves.shape
    kept = np.zeros((n, CUTS + 1, k), np.int32)
    size = np.zeros((n, CUTS + 1), np.int32)
    count = np.zeros(n, np.int32)
    flow = np.zeros(n)
    arrival = np.zeros(n, np.int32)
    merged = np.empty(k, np.int32)
    cost = np.empty((CUTS, 3))
    for net in range(n):
        if net >= first:
            a, b = fanin[net, 0], fanin[net, 1]
            for i in range(count[a] if stage[a] == stage[net] else 0, -1, -1):
                for j in range(count[b] if stage[b] == stage[net] else 0, -1, -1):
                    m = union(kept[a, i], np.int64(size[a, i]), kept[b, j], np.int64(size[b, j]), merged, k)
                    if m > 0:
                        key = _key(merged, m, flow, arrival, required[net], by_depth)
                        _keep(merged, m, key, kept[net], size[net], cost, count, net)
            sizes[net] = size[net, 1]
            for j in range(k):
                leaf = leaves[net, j] = kept[net, 1, j]
                if j < sizes[net]:
                    flow[net] += flow[leaf]
                    arrival[net] = max(arrival[net], arrival[leaf] + 1)
            flow[net] = (flow[net] + 1) / max(refs[net], 1.0)
        kept[net, 0, 0], size[net, 0] = net, 1
    return arrival


@inner
def _key(leaves, m, flow, arrival, required, by_depth):
    area, late = 1.0, 0
    for j in range(m):
        area += flow[leaves[j]]
        late = max(late, arrival[leaves[j]] + 1)
    if by_depth:
        return float(late), area, float(m)
    return (0.0 if late <= required else float(late)), area, float(m)


@inner
def _keep(leaves, m, key, kept, size, cost, count, net):
    """Insert a cut among the best, at 1 to ``CUTS``; place 0 is the trivial one."""
    at = count[net]
    for c in range(1, count[net] + 1):
        j = 0
        while size[c] == m and j < m and kept[c, j] == leaves[j]:
            j += 1
        if j == m:
            return
    while at and _less(key, cost[at - 1]):
        at -= 1
    if at == CUTS:
        return
    last = min(count[net], CUTS - 1)
    for c in range(last, at, -1):
        size[c + 1] = size[c]
        for j in range(kept.shape[1]):
            kept[c + 1, j] = kept[c, j]
        for j in range(3):
            cost[c, j] = cost[c - 1, j]
    size[at + 1] = m
    for j in range(kept.shape[1]):
        kept[at + 1, j] = leaves[j] if j < m else 0
    cost[at, 0], cost[at, 1], cost[at, 2] = key
    count[net] = last + 1


@inner
def _less(key, other):
    for i in range(3):
        if key[i] < other[i] - 1e-9:
            return True
        if key[i] > other[i] + 1e-9:
            return False
    return False


@jit
def cover(first: int, roots: NDArray[np.int64], leaves: NDArray[np.int32], sizes: NDArray[np.int32],
          arrival: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Readers of each net in the cover that ``roots`` need, and the latest arrival that keeps the cover's depth."""
    refs = np.zeros(len(sizes), np.int32)
    required = np.full(len(sizes), NEVER, np.int32)
    deadline = 0
    for net in roots:
        deadline = max(deadline, arrival[net])
    for net in roots:
        refs[net] += 1
        required[net] = deadline
    for net in range(len(sizes) - 1, first - 1, -1):
        if refs[net]:
            for j in range(sizes[net]):
                refs[leaves[net, j]] += 1
                required[leaves[net, j]] = min(required[leaves[net, j]], required[net] - 1)
    return refs, required
