"""Kernels: rank every replacement of a node by masked population counts, and evaluate the best ones exactly."""

import numpy as np

from ....core.jit import inner, jit
from ....core.simd import bit_of_lanes, load, ones, rounded_down, splat, store, total, where_bits
from ..arrays import KEPT
from .area import claim, constant, gate_area, release, slots_of, uses
from .cone import differences, fanout, forget, gate, sixteen

HUGE = np.int64(1) << np.int64(62)
TOP_SINGLES = 3
#: Nats that a substitution saves at least: more than rounding.
LEAST = 1e-4


@inner
def round_differences(job, first, window, dither):
    """Write the planes of the window's loss differences, rounded at random to -8 .. 7; returns the unit."""
    largest = np.float32(0)
    for i in range(first * 64, (first + window) * 64):
        largest = max(largest, abs(job.d[i]))
    if largest == 0:
        return largest
    unit = largest / np.float32(7)
    inverse = splat(np.float32(1) / unit, 16)
    for w in range(window):
        planes0, planes1, planes2, planes3 = np.uint64(0), np.uint64(0), np.uint64(0), np.uint64(0)
        for piece in range(4):
            at = 64 * w + 16 * piece
            q = rounded_down(load(job.d, first * 64 + at, 16) * inverse + load(dither, at, 16), -8, 7)
            shift = np.uint64(16 * piece)
            planes0 |= bit_of_lanes(q, 0) << shift
            planes1 |= bit_of_lanes(q, 1) << shift
            planes2 |= bit_of_lanes(q, 2) << shift
            planes3 |= bit_of_lanes(q, 3) << shift
        job.planes[w], job.planes[window + w] = planes0, planes1
        job.planes[2 * window + w], job.planes[3 * window + w] = planes2, planes3
    return unit


@inner
def _sum_of_planes(job, window):
    """The sum of all rounded differences of the window."""
    s0, s1, s2, s3 = splat(np.uint64(0), 8), splat(np.uint64(0), 8), splat(np.uint64(0), 8), splat(np.uint64(0), 8)
    for w in range(0, window, 8):
        s0, s1 = s0 + ones(load(job.planes, w, 8)), s1 + ones(load(job.planes, window + w, 8))
        s2 = s2 + ones(load(job.planes, 2 * window + w, 8))
        s3 = s3 + ones(load(job.planes, 3 * window + w, 8))
    return np.int64(total(s0 + s1 * np.uint64(2) + s2 * np.uint64(4) - s3 * np.uint64(8)))


@inner
def mask_planes(net, job, m, u, first, window):
    """Planes of mask ``m``: those of all samples where net ``u`` is true; returns their sum."""
    words = net.values.shape[1]
    flat = net.values.ravel()
    s0, s1, s2, s3 = splat(np.uint64(0), 8), splat(np.uint64(0), 8), splat(np.uint64(0), 8), splat(np.uint64(0), 8)
    for w in range(0, window, 8):
        x = load(flat, u * words + first + w, 8)
        base = 4 * m * window + w
        p0, p1 = load(job.planes, w, 8) & x, load(job.planes, window + w, 8) & x
        p2, p3 = load(job.planes, 2 * window + w, 8) & x, load(job.planes, 3 * window + w, 8) & x
        store(p0, job.planes, base)
        store(p1, job.planes, base + window)
        store(p2, job.planes, base + 2 * window)
        store(p3, job.planes, base + 3 * window)
        s0, s1, s2, s3 = s0 + ones(p0), s1 + ones(p1), s2 + ones(p2), s3 + ones(p3)
    return np.int64(total(s0 + s1 * np.uint64(2) + s2 * np.uint64(4) - s3 * np.uint64(8)))


@inner
def masked_sums(net, job, pool, root, first_mask, last_mask, first, window):
    """``sums[m, i]``: the rounded differences of mask ``m`` where net ``pool[i]`` is true, HUGE if none may read it."""
    words, n = net.values.shape[1], len(pool)
    flat = net.values.ravel()
    zero = splat(np.uint64(0), 8)
    top = net.limit[0] - net.height[root] - 1
    for i in range(n):
        v = pool[i]
        if job.mark[v] != -1 or net.level[v] > top:
            for m in range(first_mask, last_mask):
                job.sums[m * n + i] = HUGE
            continue
        row = v * words + first
        for m in range(first_mask, last_mask):
            base = 4 * m * window
            s0, s1, s2, s3 = zero, zero, zero, zero
            for w in range(0, window, 8):
                x = load(flat, row + w, 8)
                s0 = s0 + ones(x & load(job.planes, base + w, 8))
                s1 = s1 + ones(x & load(job.planes, base + window + w, 8))
                s2 = s2 + ones(x & load(job.planes, base + 2 * window + w, 8))
                s3 = s3 + ones(x & load(job.planes, base + 3 * window + w, 8))
            job.sums[m * n + i] = np.int64(total(s0 + s1 * np.uint64(2) + s2 * np.uint64(4) - s3 * np.uint64(8)))


@inner
def keep(scores, candidates, kept, score, u, v, table):
    """Insert a candidate in the list of the best ones, which ascends by score; returns how many there are."""
    if kept == KEPT and score >= scores[KEPT - 1]:
        return kept
    k = kept if kept < KEPT else KEPT - 1
    while k > 0 and scores[k - 1] > score:
        scores[k] = scores[k - 1]
        for j in range(3):
            candidates[k, j] = candidates[k - 1, j]
        k -= 1
    scores[k] = score
    candidates[k, 0], candidates[k, 1], candidates[k, 2] = u, v, table
    return min(kept + 1, KEPT)


@inner
def exact_change(net, job, root, u, v, table):
    """``sum_i d_i (f(u_i, v_i) - root_i)`` over all samples."""
    words = net.values.shape[1]
    flat = net.values.ravel()
    change, zero = 0.0, splat(np.float32(0), 16)
    for first in range(0, words, 8):
        new = gate(table, load(flat, u * words + first, 8), load(flat, v * words + first, 8))
        store(new, job.local, 0)
        partial = zero
        for word in range(8):
            now = flat[root * words + first + word]
            if job.local[word] == now:
                continue
            for piece in range(4):
                a, b = sixteen(job.local[word], piece), sixteen(now, piece)
                d = load(job.d, (first + word) * 64 + 16 * piece, 16)
                partial = partial + where_bits(np.uint16(a & ~b), d, zero) - where_bits(np.uint16(b & ~a), d, zero)
        change += np.float64(total(partial))
    return change


@inner
def exact_price(net, price, job, root, u, v, table):
    """What the network's price changes by when ``root`` becomes ``table`` of ``u`` and ``v``.

    Where ``u`` is the root itself, its old function moves to a new node. ``job.refs`` holds a copy of ``refs`` and is
    left as it was.
    """
    refs, stack = job.refs, job.stack
    slots = slots_of(net, root)
    area = np.float64(gate_area(price, table, 2))
    if slots:
        counted = np.float64(table != 0 and table != 15) - np.float64(not constant(net, root))
        area += slots * np.float64(price.slot[0]) * counted
    use_u, use_v = uses(table, 2, 0), uses(table, 2, 1)
    if u == root and use_u:
        if use_v:
            area += _claim_one(net, price, refs, stack, v)
            _release_one(net, price, refs, stack, v)
        return area
    area -= np.float64(net.area[root]) + release(net, price, refs, stack, root)
    if use_u:
        area += _claim_one(net, price, refs, stack, u)
    if use_v:
        area += _claim_one(net, price, refs, stack, v)
        _release_one(net, price, refs, stack, v)
    if use_u:
        _release_one(net, price, refs, stack, u)
    claim(net, price, refs, stack, root)
    return area


@inner
def _claim_one(net, price, refs, stack, x):
    refs[x] += 1
    if refs[x] > 1:
        return 0.0
    if net.place[x] < 0:
        return np.float64(price.input[x])
    return np.float64(net.area[x]) + claim(net, price, refs, stack, x)


@inner
def _release_one(net, price, refs, stack, x):
    refs[x] -= 1
    if refs[x] > 0 or net.place[x] < 0:
        return
    release(net, price, refs, stack, x)


@inner
def release_all(net, price, job, root):
    """Dereference all operands of ``root`` in ``job.refs``; returns what becomes free."""
    return release(net, price, job.refs, job.stack, root)


@inner
def restore_all(net, price, job, root):
    """Take ``release_all`` back."""
    claim(net, price, job.refs, job.stack, root)


@inner
def _freed(net, price, job, root, keep_u):
    """What is freed below the root when it reads ``keep_u`` alone."""
    held = keep_u >= 0
    if held:
        job.refs[keep_u] += 1
    freed = np.float64(net.area[root]) + release(net, price, job.refs, job.stack, root)
    claim(net, price, job.refs, job.stack, root)
    if held:
        job.refs[keep_u] -= 1
    return freed


@inner
def _rank_singles(scores, candidates, sums, pool, wake, whole, scale, rate, freed, to_constant, to_other):
    """Constants, wires and inverters in place of the node; returns how many candidates there are."""
    kept = keep(scores, candidates, 0, to_constant - rate * freed, -1, -1, 0)
    kept = keep(scores, candidates, kept, scale * whole - rate * freed + to_constant, -1, -1, 15)
    for i in range(len(pool)):
        s = sums[i]
        if s == HUGE:
            continue
        cost = rate * (np.float64(wake[pool[i]]) - freed) + to_other
        kept = keep(scores, candidates, kept, scale * s + cost, pool[i], pool[i], 0b1010)
        kept = keep(scores, candidates, kept, scale * (whole - s) + cost, pool[i], pool[i], 0b0101)
    return kept


@inner
def _rank_pairs(scores, candidates, sums, gates, pool, wake, m, u, whole, some, scale, fixed, rate, kept):
    """All tables of ``u`` and each net of the pool; ``fixed`` is the price, in loss, that all of them share."""
    n = len(pool)
    cheapest = rate * np.float64(gates[8])
    for i in range(n):
        v = pool[i]
        s11 = sums[m * n + i]
        if s11 == HUGE or v == u:
            continue
        s10, s01 = some - s11, sums[i] - s11
        s00 = whole - s11 - s10 - s01
        cost = rate * np.float64(wake[v]) + fixed
        bound = scale * (min(s00, 0) + min(s10, 0) + min(s01, 0) + min(s11, 0)) + cost + cheapest
        if kept == KEPT and bound >= scores[KEPT - 1]:
            continue
        for table in range(1, 15):
            if table == 3 or table == 5 or table == 10 or table == 12:
                continue
            change = (table & 1) * s00 + (table >> 1 & 1) * s10 + (table >> 2 & 1) * s01 + (table >> 3) * s11
            kept = keep(scores, candidates, kept, scale * change + cost + rate * np.float64(gates[table]), u, v, table)
    return kept


@jit
def propose(net, loss, price, job, root, pool, wake, first, window, dither, rate, out_number, out_net):
    """Rank all replacements of node ``root`` and evaluate the best ones exactly.

    Parameters
    ----------
    net, loss, price, job
        See ``arrays``.
    root
        A live node.
    pool
        Nets that may be read.
    wake
        What each net's dead cone adds, from ``wake_prices``.
    first, window
        Words whose samples are ranked on.
    dither
        Random numbers in [0, 1), one for each sample of the window.
    rate
        Loss that one unit of price is worth.
    out_number : (3,) float64
        The best candidate's change of loss plus price, of the loss, and of the price; 0 where none is better.
    out_net : (3,) int64
        Its operands and table; an operand that is the root stands for the root's old function.
    """
    out_number[0], out_number[1], out_number[2] = 0.0, 0.0, 0.0
    out_net[0], out_net[1], out_net[2] = -1, -1, 0
    live, fan, slots = fanout(net, job, root)
    if slots:
        differences(net, loss, job, root, live, slots)
        unit = round_differences(job, first, window, dither)
        if unit > 0:
            _search(net, price, job, root, pool, wake, first, window, unit, rate, out_number, out_net)
    forget(job, fan)


@inner
def _search(net, price, job, root, pool, wake, first, window, unit, rate, out_number, out_net):
    job.refs[:] = net.refs
    n = len(pool)
    scale = np.float64(unit) * net.values.shape[1] / window
    masked_sums(net, job, pool, root, 0, 1, first, window)
    whole = _sum_of_planes(job, window)
    # operands to pair: those of the node, the node's old function, and the best single ones
    us = np.empty(6, np.int64)
    count = 0
    for j in range(net.arity[root]):
        if uses(net.table[root], net.arity[root], j) and net.arity[root] == 2:
            us[count] = net.fanin[root, j]
            count += 1
    is_constant = constant(net, root)
    if not is_constant and net.level[root] + net.height[root] < net.limit[0]:
        us[count] = root
        count += 1
    best = np.full(TOP_SINGLES, HUGE)
    which = np.full(TOP_SINGLES, -1)
    for i in range(n):
        s = job.sums[i]
        if s == HUGE:
            continue
        s = min(s, whole - s)
        if s < best[TOP_SINGLES - 1]:
            k = TOP_SINGLES - 1
            while k > 0 and best[k - 1] > s:
                best[k], which[k] = best[k - 1], which[k - 1]
                k -= 1
            best[k], which[k] = s, pool[i]
    for k in range(TOP_SINGLES):
        known = which[k] < 0
        for j in range(count):
            known |= us[j] == which[k]
        if not known:
            us[count] = which[k]
            count += 1
    somes = np.empty(6, np.int64)
    for k in range(count):
        somes[k] = mask_planes(net, job, 1 + k, us[k], first, window)
    masked_sums(net, job, pool, root, 1, 1 + count, first, window)
    slots = rate * np.float64(slots_of(net, root)) * np.float64(price.slot[0])
    to_constant, to_other = (0.0, slots) if is_constant else (-slots, 0.0)
    freed = np.float64(_freed(net, price, job, root, -1))
    scores, candidates = job.score, job.candidate
    kept = _rank_singles(scores, candidates, job.sums, pool, wake, whole, scale, rate, freed, to_constant, to_other)
    for k in range(count):
        u = us[k]
        freed = 0.0 if u == root else np.float64(_freed(net, price, job, root, u))
        fixed = to_other + rate * (np.float64(wake[u]) - freed)
        kept = _rank_pairs(scores, candidates, job.sums, price.gate, pool, wake, 1 + k, u, whole, somes[k], scale,
                           fixed, rate, kept)
    for k in range(kept):
        u, v, table = job.candidate[k, 0], job.candidate[k, 1], np.uint64(job.candidate[k, 2])
        if u < 0:
            u = v = 0
        change = exact_change(net, job, root, u, v, table)
        cost = np.float64(exact_price(net, price, job, root, u, v, table))
        if change + rate * cost < min(out_number[0], -LEAST):
            out_number[0], out_number[1], out_number[2] = change + rate * cost, change, cost
            out_net[0], out_net[1], out_net[2] = u, v, np.int64(table)
