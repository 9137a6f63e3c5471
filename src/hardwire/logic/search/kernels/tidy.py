"""Kernels: fold wires, inverters, constants and repeated gates into their readers, and forget dead nodes."""

import numpy as np

from ....core.jit import inner, jit
from .area import constant, without_unread


@inner
def _swap_operands(table):
    """The two-input table with its operands exchanged."""
    return (table & np.uint64(0b1001)) | (table & np.uint64(2)) << np.uint64(1) | (table & np.uint64(4)) >> np.uint64(1)


@inner
def _negate_first(table):
    return (table & np.uint64(5)) << np.uint64(1) | (table & np.uint64(10)) >> np.uint64(1)


@inner
def _negate_second(table):
    return (table & np.uint64(3)) << np.uint64(2) | (table & np.uint64(12)) >> np.uint64(2)


@inner
def _restrict(table, place, value):
    """The table with an operand fixed, still written over both operands."""
    if place == 0:
        column = (table >> np.uint64(value)) & np.uint64(5)
        return column | column << np.uint64(1)
    row = (table >> np.uint64(2 * value)) & np.uint64(3)
    return row | row << np.uint64(2)


@inner
def _normalise(net, x):
    """Spell node ``x`` so that what it does not depend on is not read, and with ascending operands."""
    a, b, t = net.fanin[x, 0], net.fanin[x, 1], net.table[x]
    if a == b:  # the entries where both are equal
        low, high = t & np.uint64(1), t >> np.uint64(3) & np.uint64(1)
        t = low | high << np.uint64(1) | low << np.uint64(2) | high << np.uint64(3)
    a, b, t = without_unread(a, b, t)
    if a > b:
        a, b, t = b, a, _swap_operands(t)
    net.fanin[x, 0], net.fanin[x, 1], net.table[x] = a, b, t


@jit
def fold(net):
    """Let every two-input node read through wires, inverters, constants and repeated gates; values stay as they are.

    ``refs`` is wrong afterwards; call ``recount``.
    """
    n = net.size[0]
    size = 1
    while size < 4 * n + 4:
        size *= 2
    known = np.full(size, -1, np.int64)  # open addressing: a node for each gate
    same = np.full(len(net.refs), -1, np.int32)  # the earlier node of the same function
    for i in range(n):
        x = net.order[i]
        if net.arity[x] != 2:
            continue
        for j in range(2):
            for _ in range(4):
                y = net.fanin[x, j]
                if net.arity[y] == 0:
                    break
                if same[y] >= 0:
                    net.fanin[x, j] = same[y]
                elif net.arity[y] == 2 and constant(net, y):
                    net.table[x] = _restrict(net.table[x], j, np.int64(net.table[y] & np.uint64(1)))
                    net.fanin[x, j] = 0
                    break
                elif net.arity[y] == 2 and net.fanin[y, 0] == net.fanin[y, 1]:
                    if net.table[y] == 0b0101:
                        net.table[x] = _negate_first(net.table[x]) if j == 0 else _negate_second(net.table[x])
                    net.fanin[x, j] = net.fanin[y, 0]
                else:
                    break
        _normalise(net, x)
        if net.fanin[x, 0] == net.fanin[x, 1]:
            continue
        key = (np.uint64(net.fanin[x, 0]) * np.uint64(0x9E3779B97F4A7C15) ^ np.uint64(net.fanin[x, 1])) * np.uint64(
            0xBF58476D1CE4E5B9) ^ net.table[x] * np.uint64(0x94D049BB133111EB)
        at = np.int64(key >> np.uint64(20)) & (size - 1)
        while known[at] >= 0:
            y = known[at]
            equal = net.fanin[y, 0] == net.fanin[x, 0] and net.fanin[y, 1] == net.fanin[x, 1]
            if equal and net.table[y] == net.table[x]:
                same[x] = y
                break
            at = (at + 1) & (size - 1)
        if known[at] < 0:
            known[at] = x
    for x in range(len(net.slot_first)):
        if net.slot_first[x] >= 0 and same[x] >= 0:  # the slot's own node becomes a wire
            net.fanin[x, 0], net.fanin[x, 1], net.table[x] = same[x], same[x], np.uint64(0b1010)


@jit
def forget_dead(net, reads, drop, removed):
    """Remove dead nodes that no node reads and for which ``drop`` is true; returns how many.

    ``removed`` gets their numbers; ``reads`` is memory for one number a net.
    """
    reads[:] = 0
    n, count = net.size[0], 0
    for i in range(n):
        x = net.order[i]
        for j in range(net.arity[x]):
            reads[net.fanin[x, j]] += 1
    for i in range(n - 1, -1, -1):
        x = net.order[i]
        if net.refs[x] == 0 and reads[x] == 0 and drop[x]:
            for j in range(net.arity[x]):
                reads[net.fanin[x, j]] -= 1
            removed[count] = x
            count += 1
            net.place[x] = -1
            net.arity[x] = 0
    kept = 0
    for i in range(n):
        x = net.order[i]
        if net.place[x] >= 0:
            net.order[kept], net.place[x] = x, kept
            kept += 1
    net.size[0] = kept
    return count


@jit
def pool_of(net, active, pool):
    """Write the nets that may be read to ``pool``: active inputs, and nodes but for constants, wires and inverters."""
    count = 0
    for x in range(net.inputs[0]):
        if active[x]:
            pool[count] = x
            count += 1
    for i in range(net.size[0]):
        x = net.order[i]
        if net.arity[x] == 2 and (constant(net, x) or net.fanin[x, 0] == net.fanin[x, 1]):
            continue
        pool[count] = x
        count += 1
    return count
