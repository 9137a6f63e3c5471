"""Loss and gradient of gates, group sum and cross-entropy in one sweep: a block of samples goes up and down while it is in the cache.

Apart from one another, backward has to compute the forward pass once more.
"""

import numpy as np
from numba import literally

from ....core.simd import store
from ....core.threads import workspace
from .blocks import NARROW, WIDE, cut_sums, jit, run_parts, to_block
from .stack import descend, give_gradient, layers, value_gradients, wired


@jit
def _counts(block, source, pairs, c, begin, per, totals, classes, lanes):
    """The last layer and its group sum: ``totals[k]`` = sum of the ``per`` gates from ``begin + k per`` on."""
    literally(lanes)
    for k in range(classes):
        first = np.uint64(begin + k * per)  # unsigned: no test for an index from the end
        total = wired(block, source, pairs, c, first, lanes)
        for g in range(first + np.uint64(1), first + np.uint64(per)):
            total = total + wired(block, source, pairs, c, g, lanes)
        store(total, totals, k * lanes)


@jit
def _softmax(row, scale, out):
    """``out`` = softmax of ``scale row``; the log of its divisor, with the largest taken out."""
    top = row.max() * scale
    total = 0.0
    for k in range(len(row)):
        out[k] = np.exp(row[k] * scale - top)
        total += out[k]
    for k in range(len(row)):
        out[k] /= total
    return np.log(total) + top


@jit
def _loss_block(counts, start, y, teacher, facts, grad, lanes):
    """Sum of the samples' losses; ``grad`` becomes its gradient with respect to the counts, over the number of samples."""
    scale, weight, t, samples = facts
    classes = len(counts) // lanes
    p, q, row = np.empty(classes), np.empty(classes), np.empty(classes)
    loss = 0.0
    for s in range(min(lanes, len(y) - start)):
        for k in range(classes):
            row[k] = counts[k * lanes + s]
        loss += (1 - weight) * (_softmax(row, scale, p) - row[y[start + s]] * scale)
        p[y[start + s]] -= 1
        for k in range(classes):
            grad[k * lanes + s] = (1 - weight) * scale / samples * p[k]
        if weight > 0:
            log_q = _softmax(teacher[start + s], 1 / t, q)
            log_p = _softmax(row, scale / t, p)
            for k in range(classes):
                apart = (teacher[start + s, k] - row[k] * scale) / t - log_q + log_p
                loss += weight * t * t * q[k] * apart
                grad[k * lanes + s] += weight * t * scale / samples * (p[k] - q[k])
    return loss


@jit
def _sweep_block(x, ends, pairs, c, slopes, per, y, teacher, facts, dc, dx, start, fresh, buffers, lanes):
    literally(lanes)
    block, upper, lower, totals = buffers
    inputs, layer = x.shape[0], len(ends) - 1
    to_block(x, start, block, lanes)
    layers(block, inputs, ends[:-1], pairs, c, lanes)
    begin = ends[layer - 1] if layer else 0
    source = inputs + (ends[layer - 2] if layer > 1 else 0) if layer else 0
    classes = (ends[layer] - begin) // per
    totals = totals[: classes * lanes]
    _counts(block, source, pairs, c, begin, per, totals, classes, lanes)
    loss = _loss_block(totals, start, y, teacher, facts, upper, lanes)
    below = descend(inputs, dx.shape[0] > 0, ends, pairs, slopes, per, dc, fresh, block, upper, lower, lanes)
    give_gradient(below, dx, start, lanes)
    return loss


@jit
def _sweep(x, ends, pairs, c, slopes, per, y, teacher, facts, dc, dx, starts, buffers):
    buffers[1][:] = 0
    buffers[2][:] = 0
    loss = 0.0
    for start in starts:
        fresh = start == starts[0]
        if x.shape[1] - start > NARROW:
            loss += _sweep_block(x, ends, pairs, c, slopes, per, y, teacher, facts, dc, dx, start, fresh, buffers, WIDE)
        else:
            loss += _sweep_block(x, ends, pairs, c, slopes, per, y, teacher, facts, dc, dx, start, fresh, buffers, NARROW)
    return loss


def sweep(x, ends, pairs, c, slopes, classes, y, teacher, facts, want_dx):
    """The mean loss, and its gradients: table values (gates, 4) and, if wanted, inputs (inputs, samples)."""
    sizes = np.diff(ends, prepend=0)
    parts = cut_sums(x.shape[1], c.nbytes)
    dc = np.empty((len(parts), len(pairs), 4), c.dtype)
    dx = np.empty((x.shape[0] if want_dx else 0, x.shape[1]), c.dtype)
    rows, losses = max(int(sizes.max()), x.shape[0]), np.zeros(len(parts))

    def work(part):
        buffers = workspace(c.dtype, (x.shape[0] + len(pairs)) * WIDE, rows * WIDE, rows * WIDE, classes * WIDE)
        losses[part] = _sweep(x, ends, pairs, c, slopes, int(sizes[-1]) // classes, y, teacher, facts, dc[part], dx, parts[part],
                              tuple(buffers))

    run_parts(work, len(parts))
    return np.add.accumulate(losses)[-1] / x.shape[1], value_gradients(dc), dx
