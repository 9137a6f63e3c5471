"""Kernels of a search over look-up tables: replace or add one operand, and the best table that goes with it.

With the other operands fixed, the samples fall into ``2^k`` cells. The sum of the loss differences of each cell where
the new operand is true, and where it is false, says which entries of the new table should be true: those with a sum
below 0.
"""

import numpy as np

from ....core.jit import inner, inner_inlined, jit
from ....core.simd import load, splat, store
from ..arrays import TABLES_KEPT
from .area import constant, reference, reference_operands, slots_of, uses
from .commit import follow
from .cone import ALL, differences, fanout, forget, wide
from .planes import masked_sum, round_differences, sum_of_planes
from .ranking import HUGE, LEAST, added_change, keep

#: Operands that a proposal tries to replace, drawn at random.
FEW = 3
#: Each byte's bits as the lowest bits of eight bytes.
BYTE_OF_BIT = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little").view(np.uint64)[:, 0]


@inner
def operands_of(net, x, operands):
    """Write the operands that node ``x`` depends on to ``operands``, each once; returns their number."""
    count = 0
    for j in range(net.arity[x]):
        known = False
        for i in range(count):
            known |= operands[i] == net.fanin[x, j]
        if uses(net.table[x], net.arity[x], j) and not known:
            operands[count] = net.fanin[x, j]
            count += 1
    return count


@inner
def _cells(net, job, operands, count, skip, first, window):
    """Write the planes of every cell of the operands but ``skip``, and their sums to ``cell``; returns their number."""
    words = net.values.shape[1]
    flat = net.values.ravel()
    cells = 1
    for w in range(4 * window):
        job.cells[w] = job.planes[w]
    for i in range(count):
        if i == skip:
            continue
        row = operands[i] * words + first
        for c in range(cells - 1, -1, -1):  # the upper half first, so that none is overwritten before it is read
            for plane in range(4):
                low, high = (4 * c + plane) * window, (4 * (c + cells) + plane) * window
                for w in range(0, window, 8):
                    x, p = load(flat, row + w, 8), load(job.cells, low + w, 8)
                    store(p & x, job.cells, high + w)
                    store(p & ~x, job.cells, low + w)
        cells *= 2
    for c in range(cells):
        job.cell[c] = sum_of_planes(job.cells, 4 * c * window, window)
    return cells


@inner
def _gain(net, job, v, cells, first, window):
    """``sum over cells and values of v of min(0, sum of d)`` in units of the rounded differences."""
    row = v * net.values.shape[1] + first
    flat, planes = net.values.ravel(), job.cells
    result = np.int64(0)
    for c in range(cells):
        s = masked_sum(planes, 4 * c * window, window, flat, row)
        result += min(s, 0) + min(job.cell[c] - s, 0)
    return result


@inner_inlined
def _addresses(net, operands, count, word, shift):
    """Table addresses of eight samples, a byte each."""
    result = np.uint64(0)
    for i in range(count):
        bits = np.int64(net.values[operands[i], word] >> np.uint64(shift) & np.uint64(0xFF))
        result |= BYTE_OF_BIT[bits] << np.uint64(i)
    return result


@inner
def _best_table(net, job, operands, count, sums):
    """The table of these operands of least loss, from the exact differences.

    ``sums`` (256,) has four sums of each address, which are added to in turn.
    """
    sums[:] = 0
    for w in range(net.values.shape[1]):
        for shift in range(0, 64, 8):
            address, at = _addresses(net, operands, count, w, shift), 64 * w + shift
            for i in range(8):
                sums[64 * (i & 3) + np.int64(address & np.uint64(63))] += np.float64(job.d[at + i])
                address >>= np.uint64(8)
    table = np.uint64(0)
    for address in range(1 << count):
        if sums[address] + sums[64 + address] + sums[128 + address] + sums[192 + address] < 0:
            table |= np.uint64(1) << np.uint64(address)
    return table


@inner
def _exact_change(net, job, root, operands, count, table):
    """As ``ranking.exact_change``, of a table of ``count`` operands."""
    words = net.values.shape[1]
    flat = net.values.ravel()
    change = 0.0
    for first in range(0, words, 8):
        for i in range(count):
            store(load(flat, operands[i] * words + first, 8), job.mux, 8 * i)
        if count == 0:
            store(splat(ALL * (table & np.uint64(1)), 8), job.mux, 0)
        else:
            wide(table, count, job.mux)
        store(load(job.mux, 0, 8), job.local, 0)
        change += added_change(job, flat, root * words, first)
    return change


@inner
def _price_change(net, price, job, root, operands, count, table):
    """What the network's price changes by when ``root`` becomes a table of these operands."""
    used = 0
    for i in range(count):
        used += uses(table, count, i)
    area = np.float64(price.table[used])
    slots = slots_of(net, root)
    if slots:
        area += slots * np.float64(price.slot[0]) * (np.float64(used > 0) - np.float64(not constant(net, root)))
    area -= np.float64(net.area[root]) + reference_operands(net, price, job.refs, job.stack, root, -1)
    for i in range(count):
        if uses(table, count, i):
            area += reference(net, price, job.refs, job.stack, operands[i], 1)
    for i in range(count - 1, -1, -1):
        if uses(table, count, i):
            reference(net, price, job.refs, job.stack, operands[i], -1)
    reference_operands(net, price, job.refs, job.stack, root, 1)
    return area


@jit
def propose_table(net, loss, price, job, root, pool, wake, first, window, dither, rate, out_number, out_net):
    """As ``ranking.propose``; ``out_net`` is the place of the new operand, the operand, the table, a first operand.

    The place is -1 where no operand is new, and -2 where the node becomes a constant. Unused operands count as absent;
    a place behind the last one adds an operand. A constant node gets two operands at once, the first of them the best
    alone.
    """
    out_number[:] = 0
    out_net[0], out_net[1], out_net[2], out_net[3] = -1, -1, 0, -1
    live, fan, slots = fanout(net, job, root)
    if slots:
        differences(net, loss, job, job, root, live, slots, 0, net.values.shape[1])
        unit = round_differences(job, first, window, dither)
        if unit > 0:
            _search(net, price, job, root, pool, wake, first, window, unit, rate, dither, out_number, out_net)
    forget(job, fan)


@inner
def _search(net, price, job, root, pool, wake, first, window, unit, rate, dither, out_number, out_net):
    job.refs[:] = net.refs
    scale = np.float64(unit) * net.values.shape[1] / window
    top = net.limit[0] - net.height[root] - 1
    operands, trial, sums = np.empty(7, np.int64), np.empty(7, np.int64), np.empty(256)
    count = operands_of(net, root, operands)
    kept = 0
    scores, candidates = job.score, job.candidate
    alone = np.int64(-1)
    if count == 0:
        cells, lowest = _cells(net, job, operands, 0, 0, first, window), HUGE
        for i in range(len(pool)):
            if job.mark[pool[i]] == -1 and net.level[pool[i]] <= top:
                gain = _gain(net, job, pool[i], cells, first, window)
                if gain < lowest:
                    lowest, alone = gain, np.int64(pool[i])
        if alone >= 0:
            operands[0], count = alone, 1
    places = min(count, FEW) + (1 if count < net.fanin.shape[1] else 0)
    for turn in range(places):
        place = count if turn == min(count, FEW) else np.int64(dither[turn] * np.float32(count)) % max(count, 1)
        cells = _cells(net, job, operands, count, place, first, window)
        for i in range(len(pool)):
            v = pool[i]
            if job.mark[v] != -1 or net.level[v] > top:
                continue
            known = False
            for j in range(count):
                known |= operands[j] == v and j != place
            if known:
                continue
            score = scale * _gain(net, job, v, cells, first, window) + rate * np.float64(wake[v])
            kept = keep(scores, candidates, kept, TABLES_KEPT, score, place, v, 0)
    for k in range(-2, kept):
        trial[:] = operands
        trials, place, v = count, np.int64(-1), np.int64(-1)
        if k == -2:  # removal
            trials = 0
        elif k >= 0:
            place, v = candidates[k, 0], candidates[k, 1]
            trial[place] = v
            trials = max(count, place + 1)
        table = _best_table(net, job, trial, trials, sums)
        change = _exact_change(net, job, root, trial, trials, table)
        cost = np.float64(_price_change(net, price, job, root, trial, trials, table))
        if change + rate * cost < min(out_number[0], -LEAST):
            out_number[0], out_number[1], out_number[2] = change + rate * cost, change, cost
            out_net[0], out_net[1] = -2 if k == -2 else place, v
            out_net[2], out_net[3] = np.int64(table), alone


@inner
def _operands_or(net, root, alone, operands):
    """As ``operands_of``, but for a constant node ``alone``, where there is one."""
    count = operands_of(net, root, operands)
    if count == 0 and alone >= 0:
        operands[0], count = alone, 1
    return count


@jit
def begin_table_substitution(net, job, root, place, v, alone):
    """As ``commit.begin_substitution``, of operand ``v`` in ``place``."""
    job.span[0], job.span[1], job.span[2] = fanout(net, job, root)
    operands = np.empty(7, np.int64)
    count = _operands_or(net, root, alone, operands)
    possible = place <= count and place < net.fanin.shape[1]
    if count and operands[0] == alone:
        possible &= job.mark[alone] == -1 and net.level[alone] + net.height[root] < net.limit[0]
    if place >= 0:
        possible &= job.mark[v] == -1 and net.level[v] + net.height[root] < net.limit[0]
        for j in range(count):
            possible &= not (operands[j] == v and j != place)
    if not possible:
        forget(job, job.span[1])
        return False
    return True


@jit
def substitute_table(net, price, job, root, place, v, alone, rate):
    """Put operand ``v`` in ``place`` of ``root``, with its best table, as ``commit.substitute``."""
    operands, sums = np.empty(7, np.int64), np.empty(256)
    count = _operands_or(net, root, alone, operands)
    if place == -2:
        count = 0
    elif place >= 0:
        operands[place] = v
        count = max(count, place + 1)
    table = _best_table(net, job, operands, count, sums)
    change = _exact_change(net, job, root, operands, count, table)
    job.refs[:] = net.refs
    cost = np.float64(_price_change(net, price, job, root, operands, count, table))
    forget(job, job.span[1])
    if change + rate * cost >= -LEAST:
        return 0.0, 0.0
    reference_operands(net, price, net.refs, job.stack, root, -1)
    if count < 2:  # the kernels know two operands and more
        net.arity[root] = 2
        x = operands[0] if count else 0
        net.fanin[root, 0], net.fanin[root, 1] = x, x
        entries = (table & np.uint64(1), table >> np.uint64(1) & np.uint64(1) if count else table & np.uint64(1))
        net.table[root] = entries[0] * np.uint64(0b0101) | entries[1] * np.uint64(0b1010)
        if net.table[root] == 0 or net.table[root] == 15:
            net.fanin[root, 0], net.fanin[root, 1] = 0, 0
    else:
        net.arity[root], net.table[root] = count, table
        for j in range(count):
            net.fanin[root, j] = operands[j]
        for j in range(count, net.fanin.shape[1]):
            net.fanin[root, j] = 0
    follow(net, price, job, root)
    return change, cost
