"""Kernels: make a substitution, and keep values, counts, probabilities and references true."""

import numpy as np

from ....core.jit import inner, jit
from ....core.simd import load, store
from ..arrays import CHUNK
from .area import gate_area, measure_paths, reference_operands, sort_nodes, without_unread
from .cone import differences, evaluate, fanout, forget, propagate
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


@inner
def _update_values(net, loss, job, fan, touched):
    """Evaluate the root and its fan-out anew and note in ``touched`` which samples' counts changed."""
    words = net.values.shape[1]
    touched[:] = 0
    for row in range(fan):
        job.mark[job.fanout[row]] = row
    job.mark[job.fanout[0]] = -1  # the first pass evaluates the root, from operands outside of its fan-out
    for first in range(0, words, 8):
        evaluate(net, job, job.fanout[0], first, 0)
        store(load(job.local, 0, 8), touched, first)
    job.mark[job.fanout[0]] = 0
    new_root = touched.copy()
    touched[:] = 0
    for first in range(0, words, CHUNK):
        width = min(CHUNK, words - first)
        some = False
        for w in range(width):
            job.local[w] = new_root[first + w]
            some |= new_root[first + w] != net.values[job.fanout[0], first + w]
        if not some:
            continue
        propagate(net.values, net.fanin, net.table, net.arity, job.mark, job.fanout, job.local, job.mux, fan, first,
                  width)
        for row in range(fan):
            x = job.fanout[row]
            for w in range(width):
                old, new = net.values[x, first + w], job.local[CHUNK * row + w]
                if old == new:
                    continue
                if net.slot_first[x] >= 0:
                    touched[first + w] |= old ^ new
                    _count(net, loss, x, first + w, old, new)
                net.values[x, first + w] = new
    forget(job, fan)
    for w in range(words):
        changed, i = touched[w], w * 64
        while changed:
            if changed & np.uint64(1):
                refresh_sample(loss, i)
            changed >>= np.uint64(1)
            i += 1


@inner
def follow(net, loss, price, job, touched, root):
    """Bring everything in line with a new function of ``root``, whose former operands are dereferenced."""
    net.area[root] = gate_area(price, net.table[root], net.arity[root])
    sort_nodes(net, job.stack)
    reference_operands(net, price, net.refs, job.stack, root, 1)
    measure_paths(net)
    fan = fanout(net, job, root)[1]
    _update_values(net, loss, job, fan, touched)


@jit
def commit(net, loss, price, job, touched, root, u, v, table, spare, rate, fresh):
    """Make ``root`` the function ``table`` of ``u`` and ``v`` if loss and price together fall.

    Parameters
    ----------
    spare
        An unused node number; it takes the root's old function where ``u`` is the root.
    fresh
        Whether ``job.d`` still holds the root's differences.

    Returns
    -------
    tuple
        Change of loss and of price, 0 and 0 where nothing was done.
    """
    live, fan, slots = fanout(net, job, root)
    possible = (u == root or job.mark[u] == -1) and (v == root or job.mark[v] == -1)
    possible &= max(net.level[u], net.level[v]) + net.height[root] < net.limit[0]
    if table == 0 or table == 15:
        possible = True
    if not possible or v == root:
        forget(job, fan)
        return 0.0, 0.0
    if not fresh:
        differences(net, loss, job, root, live, slots)
    change = exact_change(net, job, root, u, v, np.uint64(table))
    job.refs[:] = net.refs
    cost = np.float64(exact_price(net, price, job, root, u, v, np.uint64(table)))
    forget(job, fan)
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
    follow(net, loss, price, job, touched, root)
    return change, cost
