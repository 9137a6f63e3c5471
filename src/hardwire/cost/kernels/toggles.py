"""Numba kernels that count the toggles of a circuit's nets, 64 samples or transitions a word."""

import numpy as np

from ...core.jit import inner, jit

ZERO, ONES = np.uint64(0), np.uint64(0xFFFFFFFFFFFFFFFF)


@inner
def _popcount(x):
    x = x - ((x >> np.uint64(1)) & np.uint64(0x5555555555555555))
    x = (x & np.uint64(0x3333333333333333)) + ((x >> np.uint64(2)) & np.uint64(0x3333333333333333))
    x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((x * np.uint64(0x0101010101010101)) >> np.uint64(56))


@inner
def _lut(value, fanin, node, k, table, scratch):
    """One table on 64 lanes: Shannon's expansion, the lowest operand first."""
    x = value[fanin[node, 0]]
    size = 1 << (k - 1)
    for i in range(size):
        low = ZERO - ((table >> np.uint64(2 * i)) & np.uint64(1))
        high = ZERO - ((table >> np.uint64(2 * i + 1)) & np.uint64(1))
        scratch[i] = low ^ ((low ^ high) & x)
    for j in range(1, k):
        x = value[fanin[node, j]]
        size >>= 1
        for i in range(size):
            scratch[i] = scratch[2 * i] ^ ((scratch[2 * i] ^ scratch[2 * i + 1]) & x)
    return scratch[0]


@jit
def settle(planes, fanin, table, arity, first):
    """Fill the rows of all nodes; ``planes`` ``(nets, words)`` has the constants and the inputs."""
    scratch = np.empty(64, np.uint64)
    value = np.empty(planes.shape[0], np.uint64)
    for w in range(planes.shape[1]):
        value[:first] = planes[:first, w]
        for node in range(len(table)):
            value[first + node] = _lut(value, fanin, node, arity[node], table[node], scratch)
        planes[first:, w] = value[first:]


@jit
def count(planes, mask, ones):
    """Add to ``ones`` how many lanes of ``mask`` ``(words,)`` are true in each row."""
    for net in range(planes.shape[0]):
        for w in range(planes.shape[1]):
            ones[net] += _popcount(planes[net, w] & mask[w])


@jit
def count_changes(planes, after, mask, toggles):
    """Add to ``toggles`` how many lanes of ``mask`` differ between two planes."""
    for net in range(planes.shape[0]):
        for w in range(planes.shape[1]):
            toggles[net] += _popcount((planes[net, w] ^ after[net, w]) & mask[w])


@jit
def count_states(planes, mask, operands, size, states):
    """Add to ``states`` ``(instances, 64)`` how often each instance's inputs have each value."""
    scratch = np.empty(64, np.uint64)
    for w in range(planes.shape[1]):
        for i in range(len(size)):
            scratch[0], n = mask[w], 1
            for j in range(size[i]):
                x = planes[operands[i, j], w]
                for m in range(n):
                    scratch[n + m] = scratch[m] & x
                    scratch[m] &= ~x
                n *= 2
            for m in range(n):
                states[i, m] += _popcount(scratch[m])


@jit
def timed_toggles(planes, after, fanin, table, arity, first, delay, start, reader, toggles):
    """Toggles of every net between two settled states, with a delay in steps at each node.

    A node whose operands change at step ``t`` takes its new value at ``t + delay``; where it turns back before that,
    neither change is seen (inertial delay). With a delay of 1 everywhere that is the unit-delay model.

    Parameters
    ----------
    planes : (nets, words)
        Settled values before; settled values after are left there.
    after : (first, words)
        Constants and inputs after.
    delay : (nodes,)
        Steps, at least 1.
    start, reader : (nets + 1,), (pins,)
        Nodes that read each net: ``reader[start[net] : start[net + 1]]``.
    toggles : (nets,)
        Is added to.
    """
    nodes, words = len(table), planes.shape[1]
    longest = 1
    for node in range(nodes):
        longest = max(longest, delay[node])
    ring = longest + 1
    pending = np.zeros((ring, nodes), np.uint64)  # lanes that toggle at a step
    listed = np.zeros((ring, nodes), np.uint8)
    queue = np.empty((ring, nodes), np.int32)
    filled = np.zeros(ring, np.int64)
    now, target = np.empty(planes.shape[0], np.uint64), np.empty(nodes, np.uint64)
    busy, woken = np.zeros(nodes, np.uint64), np.zeros(nodes, np.uint8)
    wake = np.empty(nodes, np.int32)
    scratch = np.empty(64, np.uint64)
    for w in range(words):
        now[:] = planes[:, w]
        target[:] = planes[first:, w]
        awake, waiting, t = 0, 0, 0
        for net in range(first):
            change = now[net] ^ after[net, w]
            if change:
                toggles[net] += _popcount(change)
                now[net] = after[net, w]
                for r in range(start[net], start[net + 1]):
                    if not woken[reader[r]]:
                        woken[reader[r]], wake[awake] = 1, reader[r]
                        awake += 1
        while awake or waiting:
            for i in range(awake):
                node = wake[i]
                woken[node] = 0
                value = _lut(now, fanin, node, arity[node], table[node], scratch)
                change = value ^ target[node]
                if not change:
                    continue
                target[node] = value
                back = change & busy[node]
                if back:
                    for s in range(ring):
                        pending[s, node] &= ~back
                    busy[node] &= ~back
                    change &= ~back
                if change:
                    slot = (t + delay[node]) % ring
                    pending[slot, node] |= change
                    busy[node] |= change
                    if not listed[slot, node]:
                        listed[slot, node], queue[slot, filled[slot]] = 1, node
                        filled[slot] += 1
                        waiting += 1
            awake = 0
            t += 1
            slot = t % ring
            for i in range(filled[slot]):
                node = queue[slot, i]
                listed[slot, node] = 0
                change = pending[slot, node]
                if change:
                    pending[slot, node] = ZERO
                    busy[node] &= ~change
                    net = first + node
                    toggles[net] += _popcount(change)
                    now[net] ^= change
                    for r in range(start[net], start[net + 1]):
                        if not woken[reader[r]]:
                            woken[reader[r]], wake[awake] = 1, reader[r]
                            awake += 1
            waiting -= filled[slot]
            filled[slot] = 0
        planes[:, w] = now
