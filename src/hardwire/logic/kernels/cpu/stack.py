"""``functional.stack``: layers of two-input gates one after the other, a block of samples through all of them."""

import numpy as np
import torch
from numba import literally

from ....core.simd import load, splat, store, sums
from ....core.threads import workspace
from .blocks import NARROW, WIDE, cut, cut_sums, from_block, gate, inlined, jit, run_parts, to_block


@inlined
def wired(block, source, pairs, c, g, lanes):
    """The outputs of gate ``g``, whose layer's inputs are the rows of ``block`` from ``source`` on."""
    literally(lanes)
    a = load(block, (source + pairs[g, 0]) * lanes, lanes)
    b = load(block, (source + pairs[g, 1]) * lanes, lanes)
    return gate(a, b, c, g, lanes)


@jit
def _layer(block, source, target, pairs, c, begin, end, lanes):
    """Gates ``begin .. end`` of one layer: rows of ``block`` from ``source`` on to rows from ``target`` on."""
    literally(lanes)
    for g in range(np.uint64(begin), np.uint64(end)):  # unsigned: no test for an index from the end
        store(wired(block, source, pairs, c, g, lanes), block, (target + np.int64(g) - begin) * lanes)


@jit
def layers(block, inputs, ends, pairs, c, lanes):
    """All layers, keeping every activation: rows ``inputs ..`` hold layer 0, and so on."""
    literally(lanes)
    source, target, begin = 0, inputs, 0
    for end in ends:
        _layer(block, source, target, pairs, c, begin, end, lanes)
        source, target, begin = target, target + end - begin, end


@jit
def _last_layer(block, rows, ends, pairs, c, lanes):
    """All layers in two alternating halves of ``rows`` rows, which stay in the cache; the row where the last one begins."""
    literally(lanes)
    source, target, begin = 0, rows, 0
    for end in ends:
        _layer(block, source, target, pairs, c, begin, end, lanes)
        source, target, begin = target, source, end
    return source


@jit
def _groups(block, first, per, totals, lanes):
    """``totals[c]`` = sum of ``per`` rows from ``first + c per`` on."""
    literally(lanes)
    for k in range(totals.shape[0] // lanes):
        total = load(block, (first + k * per) * lanes, lanes)
        for g in range(1, per):
            total = total + load(block, (first + k * per + g) * lanes, lanes)
        store(total, totals, k * lanes)


@jit
def _forward_block(x, rows, ends, pairs, c, per, out, start, block, totals, lanes):
    literally(lanes)
    to_block(x, start, block, lanes)
    first = _last_layer(block, rows, ends, pairs, c, lanes)
    if per:
        _groups(block, first, per, totals[: out.shape[0] * lanes], lanes)
        from_block(totals, 0, out, start, lanes)
    else:
        from_block(block, first, out, start, lanes)


@jit
def _forward(x, rows, ends, pairs, c, per, out, starts, block, totals):
    for start in starts:
        if x.shape[1] - start > NARROW:
            _forward_block(x, rows, ends, pairs, c, per, out, start, block, totals, WIDE)
        else:
            _forward_block(x, rows, ends, pairs, c, per, out, start, block, totals, NARROW)


@inlined
def _keep(y, a, b, ya, dc, g, fresh):
    """Gate ``g``'s coefficient gradients ``(sum y', sum y'a, sum y'b, sum y'ab)``, added to ``dc`` or, where that is ``fresh``, put."""
    found = sums(y, ya, y * b, ya * b)
    store(found if fresh else load(dc, g * 4, 4) + found, dc, g * 4)


@jit
def _gradient_sums(block, source, grad, per, pairs, begin, end, dc, fresh, lanes):
    """A layer whose inputs need no gradient: coefficient gradients only. ``grad`` is left zero."""
    literally(lanes)
    zero = splat(dc.dtype.type(0), lanes)
    for row in range((end - begin) // per):
        y = load(grad, row * lanes, lanes)
        store(zero, grad, row * lanes)
        for g in range(np.uint64(begin + row * per), np.uint64(begin + (row + 1) * per)):
            a = load(block, (source + pairs[g, 0]) * lanes, lanes)
            b = load(block, (source + pairs[g, 1]) * lanes, lanes)
            _keep(y, a, b, y * a, dc, np.int64(g), fresh)


@jit
def _gradient(block, source, grad, per, pairs, slopes, begin, end, dc, below, fresh, lanes):
    """One layer backward: coefficient gradients, and input gradients added to ``below``. ``grad`` is left zero, while it is hot.

    ``dL/da = y'(s1 + s3 b)``, ``dL/db = y'(s2 + s3 a)``; row ``g // per`` of ``grad`` is gate ``g``'s output gradient ``y'``, so
    that a group sum's gradient is never spread out.
    """
    literally(lanes)
    zero = splat(dc.dtype.type(0), lanes)
    for row in range((end - begin) // per):
        y = load(grad, row * lanes, lanes)
        store(zero, grad, row * lanes)
        for g in range(np.uint64(begin + row * per), np.uint64(begin + (row + 1) * per)):
            ia, ib = pairs[g, 0] * lanes, pairs[g, 1] * lanes
            a = load(block, source * lanes + ia, lanes)
            b = load(block, source * lanes + ib, lanes)
            ya = y * a
            _keep(y, a, b, ya, dc, np.int64(g), fresh)
            s3 = splat(slopes[g, 3], lanes)
            store(load(below, ia, lanes) + y * (splat(slopes[g, 1], lanes) + s3 * b), below, ia)
            store((load(below, ib, lanes) + y * splat(slopes[g, 2], lanes)) + ya * s3, below, ib)


@jit
def descend(inputs, want_dx, ends, pairs, slopes, per, dc, fresh, block, upper, lower, lanes):
    """All layers backward from the output gradient in ``upper``; the buffer that holds the input gradient, if one is wanted.

    Both buffers are zero beside that gradient before, and beside the input gradient after.
    """
    literally(lanes)
    share = max(per, 1)
    for k in range(len(ends) - 1, -1, -1):
        begin = ends[k - 1] if k else 0
        below = ends[k - 2] if k > 1 else 0
        source = inputs + below if k else 0
        if k == 0 and not want_dx:
            _gradient_sums(block, source, upper, share, pairs, begin, ends[k], dc, fresh, lanes)
            break
        _gradient(block, source, upper, share, pairs, slopes, begin, ends[k], dc, lower, fresh, lanes)
        upper, lower = lower, upper
        share = 1
    return upper


@jit
def give_gradient(below, dx, start, lanes):
    """A block's input gradient, if one is wanted, into ``dx``; its buffer is left zero."""
    literally(lanes)
    if dx.shape[0] > 0:
        from_block(below, 0, dx, start, lanes)
        below[: dx.shape[0] * lanes] = 0


@jit
def _backward_block(x, grad_out, ends, pairs, c, slopes, per, dc, dx, start, fresh, block, upper, lower, lanes):
    literally(lanes)
    to_block(x, start, block, lanes)
    layers(block, x.shape[0], ends[:-1], pairs, c, lanes)
    to_block(grad_out, start, upper, lanes)
    below = descend(x.shape[0], dx.shape[0] > 0, ends, pairs, slopes, per, dc, fresh, block, upper, lower, lanes)
    give_gradient(below, dx, start, lanes)


@jit
def _backward(x, grad_out, ends, pairs, c, slopes, per, dc, dx, starts, block, upper, lower):
    if not len(starts):
        dc[:] = 0
    upper[:] = 0
    lower[:] = 0
    for start in starts:
        fresh = start == starts[0]
        if x.shape[1] - start > NARROW:
            _backward_block(x, grad_out, ends, pairs, c, slopes, per, dc, dx, start, fresh, block, upper, lower, WIDE)
        else:
            _backward_block(x, grad_out, ends, pairs, c, slopes, per, dc, dx, start, fresh, block, upper, lower, NARROW)


@jit
def coefficients(p, c):
    """Table values to coefficients of 1, a, b, ab."""
    for g in range(len(p)):
        c[g, 0] = p[g, 0]
        c[g, 1] = p[g, 1] - p[g, 0]
        c[g, 2] = p[g, 2] - p[g, 0]
        c[g, 3] = p[g, 3] - p[g, 2] - p[g, 1] + p[g, 0]


def value_gradients(dc):
    """The parts' coefficient gradients (parts, gates, 4), added in order, as gradients of the table values."""
    dp = np.empty(dc.shape[1:], dc.dtype)
    _value_gradients(dc, dp)
    return dp


@jit
def _value_gradients(parts, dp):
    for g in range(len(dp)):
        total = load(parts, g * 4, 4)
        for part in range(1, len(parts)):
            total = total + load(parts, (part * len(dp) + g) * 4, 4)
        store(total, dp, g * 4)
        d0, d1, d2, d3 = dp[g, 0], dp[g, 1], dp[g, 2], dp[g, 3]
        dp[g, 0] = d0 - d1 - d2 + d3
        dp[g, 1] = d1 - d3
        dp[g, 2] = d2 - d3


@jit
def blurred(c, slopes):
    """Coefficients whose derivative is the extended finite difference: half the derivative, taken at inputs 1/4 + x/2."""
    for g in range(len(c)):
        slopes[g, 0] = c[g, 0]
        slopes[g, 1] = 0.5 * c[g, 1] + 0.125 * c[g, 3]
        slopes[g, 2] = 0.5 * c[g, 2] + 0.125 * c[g, 3]
        slopes[g, 3] = 0.25 * c[g, 3]


def as_coefficients(values: torch.Tensor, efd: bool) -> tuple[np.ndarray, np.ndarray]:
    """Table values (gates, 4) as the coefficients of forward and of the input gradients."""
    p = values.detach().contiguous().numpy()
    c = np.empty_like(p)
    coefficients(p, c)
    if not efd:
        return c, c
    slopes = np.empty_like(c)
    blurred(c, slopes)
    return c, slopes


def forward(x, ends, pairs, c, classes):
    """``x`` (inputs, samples) any strides -> (classes or last layer's gates, samples), C-contiguous."""
    last = ends[-1] - (ends[-2] if len(ends) > 1 else 0)
    per = last // classes if classes else 0
    out = np.empty((classes or last, x.shape[1]), c.dtype)
    parts = cut(x.shape[1])
    rows = max(x.shape[0], int(np.diff(ends, prepend=0).max()))

    def work(part):
        block, totals = workspace(c.dtype, 2 * rows * WIDE, max(classes, 1) * WIDE)
        _forward(x, rows, ends, pairs, c, per, out, parts[part], block, totals)

    run_parts(work, len(parts))
    return out


def backward(x, grad_out, ends, pairs, c, slopes, classes, want_dx):
    """Gradients of ``forward``: table values (gates, 4) and, if wanted, inputs (inputs, samples)."""
    sizes = np.diff(ends, prepend=0)
    per = int(sizes[-1]) // classes if classes else 0
    parts = cut_sums(x.shape[1], c.nbytes)
    dc = np.empty((len(parts), len(pairs), 4), c.dtype)
    dx = np.empty((x.shape[0] if want_dx else 0, x.shape[1]), c.dtype)
    rows = max(int(sizes.max()), x.shape[0])

    def work(part):
        block, upper, lower = workspace(c.dtype, (x.shape[0] + len(pairs)) * WIDE, rows * WIDE, rows * WIDE)
        _backward(x, grad_out, ends, pairs, c, slopes, per, dc[part], dx, parts[part], block, upper, lower)

    run_parts(work, len(parts))
    return value_gradients(dc), dx


@jit
def _interaction(p, dp):
    """Sum of ``|c3|`` over the gates; ``dp`` becomes its gradient."""
    total = 0.0
    for g in range(len(p)):
        c3 = p[g, 3] - p[g, 2] - p[g, 1] + p[g, 0]
        sign = np.sign(c3)
        total += abs(c3)
        dp[g, 0], dp[g, 1], dp[g, 2], dp[g, 3] = sign, -sign, -sign, sign
    return total
