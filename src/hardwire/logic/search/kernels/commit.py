"""Kernels: make a substitution, and keep values, counts, probabilities and references true."""

import numpy as np

from ....core.jit import inner, jit
from ....core.simd import load, store
from ..arrays import CHUNK
from .area import gate_area, measure_paths, reference_operands, sort_nodes, without_unread
from .cone import evaluate, fanout, forget, propagate
from .ranking import LEAST, exact_change, exact_price


@inner
def _place_of(bit):
    """The place of the one true bit of a word: how many bits are true in the word less 1."""
    below = bit - np.uint64(1)
    below = below - (below >> np.uint64(1) & np.uint64(0x5555555555555555))
    below = (below & np.uint64(0x3333333333333333)) + (below >> np.uint64(2) & np.uint64(0x3333333333333333))
    below = (below + (below >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((below * np.uint64(0x0101010101010101)) >> np.uint64(56))


@inner
def _count(net, loss, x, word, old, new):
    """Move the counts of the groups whose slots read net ``x`` by what changed in one word."""
    slot = net.slot_first[x]
    while slot >= 0:
        group = net.slot_group[slot]
        changed = old ^ new
        while changed:
            low = changed & (~changed + np.uint64(1))
            loss.counts[group, word * 64 + _place_of(low)] += np.int16(1) if new & low else np.int16(-1)
            changed ^= low
        slot = net.slot_next[slot]


@inner
def refresh_sample(loss, i):
    """Compute ``p`` of one sample from its counts."""
    groups = loss.counts.shape[0]
    if loss.kind[0] == 0:
        top = loss.counts[0, i]
        for g in range(1, groups):
            top = max(top, loss.counts[g, i])
        total = np.float32(0)
        for g in range(groups):
            p = loss.power[top - loss.counts[g, i]]
            loss.p[g, i] = p
            total += p
        for g in range(groups):
            loss.p[g, i] /= total
    elif loss.kind[0] == 1:
        for g in range(groups):
            z = (np.float32(loss.counts[g, i]) - loss.level[g]) * loss.scale[0]
            loss.p[g, i] = np.float32(1) / (np.float32(1) + np.exp(-z))
    else:
        for g in range(groups):
            error = loss.level[g] + loss.gain[g] * np.float32(loss.counts[g, i]) - loss.q[g, i]
            loss.p[g, i] = np.float32(2) * loss.gain[g] * error


@jit
def refresh_probabilities(loss):
    """Compute ``p`` of all samples anew from their counts, as after a change of the divisor."""
    for i in range(loss.counts.shape[1]):
        refresh_sample(loss, i)


@jit
def refresh(net, loss, job):
    """Compute all values of nodes, all counts and all ``p`` anew from the input bits."""
    words = net.values.shape[1]
    loss.counts[:] = 0
    for first in range(0, words, 8):
        for place in range(net.size[0]):
            x = net.order[place]
            evaluate(net, job, x, first, 0)
            store(load(job.local, 0, 8), net.values.ravel(), x * words + first)
    for x in range(len(net.slot_first)):
        if net.slot_first[x] >= 0:
            for w in range(words):
                _count(net, loss, x, w, np.uint64(0), net.values[x, w])
    refresh_probabilities(loss)


@jit
def update_values(net, loss, job, memory, touched, begin, end):
    """Evaluate the root and its fan-out, which ``follow`` marked, anew on words ``begin .. end``, and what depends.

    ``touched`` is memory for a word each.
    """
    root, fan = job.fanout[0], job.span[1]
    for first in range(begin, end, CHUNK):
        width = min(CHUNK, end - first)
        some = False
        for w in range(0, width, 8):
            evaluate(net, memory, root, first + w, w // 8)
        for w in range(width):
            touched[first + w] = 0
            some |= memory.local[w] != net.values[root, first + w]
        if not some:
            continue
        propagate(net.values, net.fanin, net.table, net.arity, job.mark, job.fanout, memory.local, memory.mux, fan,
                  first, width)
        for row in range(fan):
            x = job.fanout[row]
            for w in range(width):
                old, new = net.values[x, first + w], memory.local[CHUNK * row + w]
                if old == new:
                    continue
                if net.slot_first[x] >= 0:
                    touched[first + w] |= old ^ new
                    _count(net, loss, x, first + w, old, new)
                net.values[x, first + w] = new
        for w in range(first, first + width):
            changed, i = touched[w], w * 64
            while changed:
                if changed & np.uint64(1):
                    refresh_sample(loss, i)
                changed >>= np.uint64(1)
                i += 1


@inner
def follow(net, price, job, root):
    """Bring prices, order and paths in line with a new function of ``root``, and mark what has to be evaluated anew."""
    net.area[root] = gate_area(price, net.table[root], net.arity[root])
    sort_nodes(net, job.stack)
    reference_operands(net, price, net.refs, job.stack, root, 1)
    measure_paths(net)
    job.span[0], job.span[1], job.span[2] = fanout(net, job, root)
    for row in range(job.span[1]):
        job.mark[job.fanout[row]] = row


@jit
def end_substitution(job):
    """Take the marks of a fan-out back."""
    forget(job, job.span[1])


@jit
def begin_substitution(net, job, root, u, v, table):
    """Mark the fan-out of ``root``; returns whether it may become a function of ``u`` and ``v``, else marks nothing."""
    job.span[0], job.span[1], job.span[2] = fanout(net, job, root)
    possible = (u == root or job.mark[u] == -1) and (v == root or job.mark[v] == -1)
    possible &= max(net.level[u], net.level[v]) + net.height[root] < net.limit[0]
    if table == 0 or table == 15:
        possible = True
    if not possible or v == root:
        forget(job, job.span[1])
        return False
    return True


@jit
def substitute(net, price, job, root, u, v, table, spare, rate):
    """Make ``root`` the function ``table`` of ``u`` and ``v`` if loss and price together fall.

    ``job.d`` holds the root's differences, and its fan-out is marked. Afterwards that which has to be evaluated anew is
    marked, or nothing.

    Parameters
    ----------
    spare
        An unused node number; it takes the root's old function where ``u`` is the root.

    Returns
    -------
    tuple
        Change of loss and of price, 0 and 0 where nothing was done.
    """
    change = exact_change(net, job, root, u, v, np.uint64(table))
    job.refs[:] = net.refs
    cost = np.float64(exact_price(net, price, job, root, u, v, np.uint64(table)))
    forget(job, job.span[1])
    if change + rate * cost >= -LEAST:
        return 0.0, 0.0
    if u == root:
        for j in range(net.fanin.shape[1]):
            net.fanin[spare, j] = net.fanin[root, j]
        net.table[spare], net.arity[spare], net.area[spare] = net.table[root], net.arity[root], net.area[root]
        net.refs[spare] = 0
        net.values[spare, :] = net.values[root, :]
        net.order[net.size[0]], net.place[spare] = spare, net.size[0]
        net.size[0] += 1
        u = spare
    reference_operands(net, price, net.refs, job.stack, root, -1)
    net.fanin[root, 0], net.fanin[root, 1], net.table[root] = without_unread(u, v, np.uint64(table))
    net.arity[root] = 2
    follow(net, price, job, root)
    return change, cost
