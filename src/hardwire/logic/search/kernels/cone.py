"""Kernels: the fan-out of a node, and the exact change of every sample's loss when the node's bit changes."""

import numpy as np

from ....core.jit import inner, inner_inlined, jit
from ....core.simd import load, log, splat, store, where_bits
from ..arrays import CHUNK

ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
ZERO = np.uint64(0)


@inner
def fanout(net, job, root):
    """Mark what depends on ``root``; returns the numbers of live nets, of all nets, and of output slots.

    ``mark`` becomes the place in ``cone`` of a live net, the root's 0, and -2 for a dead one; ``fanout`` lists all.
    """
    mark, live, total = job.mark, 1, 1
    mark[root], job.cone[0], job.fanout[0] = 0, root, root
    for place in range(net.place[root] + 1, net.size[0]):
        x = net.order[place]
        reads = False
        for j in range(net.arity[x]):
            reads |= mark[net.fanin[x, j]] != -1
        if not reads:
            continue
        job.fanout[total] = x
        total += 1
        if net.refs[x] > 0:
            mark[x], job.cone[live] = live, x
            live += 1
        else:
            mark[x] = -2
    slots = 0
    for row in range(live):
        slot = net.slot_first[job.cone[row]]
        while slot >= 0:
            k = slots  # sorted by group, so that a group's slots stand together
            while k > 0 and job.out_group[k - 1] > net.slot_group[slot]:
                job.out_group[k], job.out_row[k], job.out_net[k] = (
                    job.out_group[k - 1], job.out_row[k - 1], job.out_net[k - 1])
                k -= 1
            job.out_group[k], job.out_row[k], job.out_net[k] = net.slot_group[slot], row, job.cone[row]
            slots += 1
            slot = net.slot_next[slot]
    return live, total, slots


@inner
def forget(job, total):
    """Take the marks of ``fanout`` back."""
    for i in range(total):
        job.mark[job.fanout[i]] = -1


@inner_inlined
def gate(table, a, b):
    """The two-input gate of any table on vectors of words."""
    t0 = splat(ALL * (table & np.uint64(1)), 8)
    t1 = splat(ALL * (table >> np.uint64(1) & np.uint64(1)), 8)
    t2 = splat(ALL * (table >> np.uint64(2) & np.uint64(1)), 8)
    t3 = splat(ALL * (table >> np.uint64(3) & np.uint64(1)), 8)
    low = t0 ^ (a & (t0 ^ t1))
    high = t2 ^ (a & (t2 ^ t3))
    return low ^ (b & (low ^ high))


@inner
def wide(table, k, mux):
    """A table of ``k`` operands on vectors of words; operand ``j`` lies in vector ``j`` of ``mux`` and the result too.

    The mux tree begins with the last operand's halves, so that one vector for each level is alive.
    """
    # mux[0 .. 5]: operands; mux[6 ..]: a stack of partial results
    top = 0
    for address in range(1 << (k - 1)):
        pair = table >> np.uint64(2 * address) & np.uint64(3)
        a = load(mux, 0, 8)
        t0, t1 = splat(ALL * (pair & np.uint64(1)), 8), splat(ALL * (pair >> np.uint64(1)), 8)
        store(t0 ^ (a & (t0 ^ t1)), mux, 8 * (6 + top))
        top += 1
        level, count = 1, address + 1
        while count & 1 == 0 and level < k:
            low, high = load(mux, 8 * (4 + top), 8), load(mux, 8 * (5 + top), 8)
            select = load(mux, 8 * level, 8)
            store(low ^ (select & (low ^ high)), mux, 8 * (4 + top))
            top -= 1
            level += 1
            count >>= 1
    store(load(mux, 8 * 6, 8), mux, 0)


@inner_inlined
def operand(net, x, first):
    """Words ``first ..`` of net ``x``."""
    return load(net.values.ravel(), x * net.values.shape[1] + first, 8)


@inner
def evaluate(net, memory, x, first, row):
    """Evaluate node ``x``, from the values of its operands, on eight words from ``first`` into vector ``row``."""
    k = net.arity[x]
    if k == 2:
        a, b = operand(net, net.fanin[x, 0], first), operand(net, net.fanin[x, 1], first)
        store(gate(net.table[x], a, b), memory.local, 8 * row)
        return
    for j in range(k):
        store(operand(net, net.fanin[x, j], first), memory.mux, 8 * j)
    wide(net.table[x], k, memory.mux)
    store(load(memory.mux, 0, 8), memory.local, 8 * row)


@inner
def propagate(values, fanin, table, arity, mark, cone, local, mux, live, first, width):
    """Evaluate the cone's nodes but the root on words ``first .. first + width``.

    ``values`` is (nets, words); row ``r`` of ``local`` (rows, CHUNK) is net ``cone[r]``.
    """
    words = values.shape[1]
    flat = values.ravel()
    sources, places = np.empty(6, np.int64), np.empty(6, np.int64)
    for row in range(1, live):
        x = cone[row]
        k = arity[x]
        for j in range(k):
            y = fanin[x, j]
            sources[j] = mark[y]
            places[j] = CHUNK * mark[y] if mark[y] >= 0 else y * words + first
        if k == 2:
            t = table[x]
            t0, t2 = splat(ALL * (t & np.uint64(1)), 8), splat(ALL * (t >> np.uint64(2) & np.uint64(1)), 8)
            d0 = t0 ^ splat(ALL * (t >> np.uint64(1) & np.uint64(1)), 8)
            d2 = t2 ^ splat(ALL * (t >> np.uint64(3)), 8)
            left, right = (local if sources[0] >= 0 else flat), (local if sources[1] >= 0 else flat)
            for w in range(0, width, 8):
                a, b = load(left, places[0] + w, 8), load(right, places[1] + w, 8)
                low, high = t0 ^ (a & d0), t2 ^ (a & d2)
                store(low ^ (b & (low ^ high)), local, CHUNK * row + w)
            continue
        for w in range(0, width, 8):
            for j in range(k):
                store(load(local if sources[j] >= 0 else flat, places[j] + w, 8), mux, 8 * j)
            wide(table[x], k, mux)
            store(load(mux, 0, 8), local, CHUNK * row + w)


@inner_inlined
def sixteen(word, piece):
    """Sixteen bits of a word, as the lowest of an integer."""
    return np.uint16(word >> np.uint64(16 * piece) & np.uint64(0xFFFF))


@inner_inlined
def loss_change(loss, job, memory, slots, values, p_flat, q_flat, words, first, word, piece):
    """Change of the loss of sixteen samples, a vector, when the first ``slots`` slots of ``active`` get new values.

    ``softmax``: ``log(1 + sum_c p_c (e^(delta_c / tau) - 1)) - sum_c q_c delta_c / tau``.
    """
    kind, samples = loss.kind[0], loss.p.shape[1]
    at = (first + word) * 64 + 16 * piece
    one, zero = splat(np.float32(1), 16), splat(np.float32(0), 16)
    inverse = splat(loss.scale[0], 16)
    up_factor, down_factor = splat(loss.scale[1] + np.float32(1), 16), splat(loss.scale[2] + np.float32(1), 16)
    inside, linear, total = one, zero, zero
    at_slot = 0
    while at_slot < slots:
        group = job.out_group[memory.active[at_slot]]
        factor, delta = one, zero
        while at_slot < slots and job.out_group[memory.active[at_slot]] == group:
            k = memory.active[at_slot]
            new = sixteen(memory.local[CHUNK * job.out_row[k] + word], piece)
            old = sixteen(values[job.out_net[k] * words + first + word], piece)
            up, down = np.uint16(new & ~old), np.uint16(old & ~new)
            factor = factor * where_bits(up, up_factor, where_bits(down, down_factor, one))
            delta = delta + where_bits(up, one, where_bits(down, splat(np.float32(-1), 16), zero))
            at_slot += 1
        p = load(p_flat, group * samples + at, 16)
        if kind == 0:
            inside = inside + p * (factor - one)
            linear = linear + load(q_flat, group * samples + at, 16) * delta
        elif kind == 1:
            q = load(q_flat, group * samples + at, 16)
            total = total + log(one + p * (factor - one)) - q * (delta * inverse)
        else:
            total = total + p * delta + (delta * delta) * splat(loss.square[group], 16)
    if kind == 0:
        total = log(inside) - linear * inverse
    return total * load(loss.weight, at, 16)


@inner
def differences(net, loss, job, memory, root, live, slots, begin, end):
    """``d``: of every sample of words ``begin .. end`` the loss with the root's bit true less that with it false.

    ``job`` holds the fan-out and gets ``d``; ``memory`` is the job whose memory is worked in.
    """
    words = net.values.shape[1]
    flat, p_flat, q_flat = net.values.ravel(), loss.p.ravel(), loss.q.ravel()
    zero = splat(np.float32(0), 16)
    for first in range(begin, end, CHUNK):
        width = min(CHUNK, end - first)
        for w in range(0, width, 8):
            store(~load(flat, root * words + first + w, 8), memory.local, w)
        propagate(net.values, net.fanin, net.table, net.arity, job.mark, job.cone, memory.local, memory.mux, live,
                  first, width)
        for word in range(width):
            at = (first + word) * 64
            changed, count = ZERO, 0
            for k in range(slots):
                change = memory.local[CHUNK * job.out_row[k] + word] ^ flat[job.out_net[k] * words + first + word]
                if change:
                    memory.active[count] = k
                    count += 1
                    changed |= change
            now = flat[root * words + first + word]
            for piece in range(4):
                some = sixteen(changed, piece)
                if some == 0:
                    store(zero, job.d, at + 16 * piece)
                    continue
                moved = loss_change(loss, job, memory, count, flat, p_flat, q_flat, words, first, word, piece)
                moved = where_bits(sixteen(now, piece), zero - moved, moved)
                store(where_bits(some, moved, zero), job.d, at + 16 * piece)


@jit
def renew_differences(net, loss, job, memory, root, begin, end):
    """``job.d`` of words ``begin .. end``, of the root whose fan-out ``begin_substitution`` marked."""
    differences(net, loss, job, memory, root, job.span[0], job.span[2], begin, end)


@jit
def differences_of(net, loss, job, root):
    """``job.d`` of node ``root``; for tests and for callers outside the kernels."""
    live, total, slots = fanout(net, job, root)
    differences(net, loss, job, job, root, live, slots, 0, net.values.shape[1])
    forget(job, total)
