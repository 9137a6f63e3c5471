"""Kernels: rank every replacement of a node by masked population counts, and evaluate the best ones exactly."""

import numpy as np

from ....core.jit import inner, jit
from ....core.simd import load, splat, store, total, where_bits
from ..arrays import KEPT
from .area import constant, gate_area, reference, reference_operands, slots_of, uses
from .cone import differences, fanout, forget, gate, sixteen
from .planes import masked_sum, round_differences, sum_of_planes

HUGE = np.int64(1) << np.int64(62)
TOP_SINGLES = 3
#: Nats that a substitution saves at least: more than rounding.
LEAST = 1e-4


@inner
def mask_planes(net, job, m, u, first, window):
    """Write the planes of mask ``m``: those of all samples where net ``u`` is true; returns their sum."""
    flat, planes = net.values.ravel(), job.planes
    row, base = u * net.values.shape[1] + first, 4 * m * window
    for w in range(0, window, 8):
        x = load(flat, row + w, 8)
        for plane in range(4):
            store(load(planes, plane * window + w, 8) & x, planes, base + plane * window + w)
    return sum_of_planes(planes, base, window)


@inner
def masked_sums(net, job, pool, root, first_mask, last_mask, first, window):
    """``sums[m, i]``: the rounded differences of mask ``m`` where net ``pool[i]`` is true, HUGE if none may read it."""
    words, n = net.values.shape[1], len(pool)
    flat, planes = net.values.ravel(), job.planes
    top = net.limit[0] - net.height[root] - 1
    for i in range(n):
        v = pool[i]
        if job.mark[v] != -1 or net.level[v] > top:
            for m in range(first_mask, last_mask):
                job.sums[m * n + i] = HUGE
            continue
        for m in range(first_mask, last_mask):
            job.sums[m * n + i] = masked_sum(planes, 4 * m * window, window, flat, v * words + first)


@inner
def keep(scores, candidates, kept, most, score, a, b, c):
    """Insert a candidate in the list of the ``most`` best ones, which ascends by score; returns how many there are."""
    if kept == most and score >= scores[most - 1]:
        return kept
    k = kept if kept < most else most - 1
    while k > 0 and scores[k - 1] > score:
        scores[k] = scores[k - 1]
        for j in range(3):
            candidates[k, j] = candidates[k - 1, j]
        k -= 1
    scores[k] = score
    candidates[k, 0], candidates[k, 1], candidates[k, 2] = a, b, c
    return min(kept + 1, most)


@inner
def exact_change(net, job, root, u, v, table):
    """``sum_i d_i (f(u_i, v_i) - root_i)`` over all samples."""
    words = net.values.shape[1]
    flat = net.values.ravel()
    change = 0.0
    for first in range(0, words, 8):
        new = gate(table, load(flat, u * words + first, 8), load(flat, v * words + first, 8))
        store(new, job.local, 0)
        change += added_change(job, flat, root * words, first)
    return change


@inner
def added_change(job, flat, row, first):
    """Change of the loss of eight words when the values at ``row`` become those in ``local``."""
    zero = splat(np.float32(0), 16)
    change = zero
    for word in range(8):
        new, now = job.local[word], flat[row + first + word]
        if new == now:
            continue
        for piece in range(4):
            a, b = sixteen(new, piece), sixteen(now, piece)
            d = load(job.d, (first + word) * 64 + 16 * piece, 16)
            change = change + where_bits(np.uint16(a & ~b), d, zero) - where_bits(np.uint16(b & ~a), d, zero)
    return np.float64(total(change))


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
            area += reference(net, price, refs, stack, v, 1)
            reference(net, price, refs, stack, v, -1)
        return area
    area -= np.float64(net.area[root]) + reference_operands(net, price, refs, stack, root, -1)
    if use_u:
        area += reference(net, price, refs, stack, u, 1)
    if use_v:
        area += reference(net, price, refs, stack, v, 1)
        reference(net, price, refs, stack, v, -1)
    if use_u:
        reference(net, price, refs, stack, u, -1)
    reference_operands(net, price, refs, stack, root, 1)
    return area


@inner
def _freed(net, price, job, root, keep_u):
    """What is freed below the root when it reads ``keep_u`` alone."""
    held = keep_u >= 0
    if held:
        job.refs[keep_u] += 1
    freed = np.float64(net.area[root]) + reference_operands(net, price, job.refs, job.stack, root, -1)
    reference_operands(net, price, job.refs, job.stack, root, 1)
    if held:
        job.refs[keep_u] -= 1
    return freed


@inner
def _rank_singles(scores, candidates, sums, pool, wake, whole, scale, rate, freed, to_constant, to_other):
    """Constants, wires and inverters in place of the node; returns how many candidates there are."""
    kept = keep(scores, candidates, 0, KEPT, to_constant - rate * freed, -1, -1, 0)
    kept = keep(scores, candidates, kept, KEPT, scale * whole - rate * freed + to_constant, -1, -1, 15)
    for i in range(len(pool)):
        s = sums[i]
        if s == HUGE:
            continue
        cost = rate * (np.float64(wake[pool[i]]) - freed) + to_other
        kept = keep(scores, candidates, kept, KEPT, scale * s + cost, pool[i], pool[i], 0b1010)
        kept = keep(scores, candidates, kept, KEPT, scale * (whole - s) + cost, pool[i], pool[i], 0b0101)
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
            score = scale * change + cost + rate * np.float64(gates[table])
            kept = keep(scores, candidates, kept, KEPT, score, u, v, table)
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
        differences(net, loss, job, job, root, live, slots, 0, net.values.shape[1])
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
    whole = sum_of_planes(job.planes, 0, window)
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
