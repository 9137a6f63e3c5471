"""The fast spelling of ``functional.stack`` for CPUs: blocks of samples through all layers, in Numba.

A block is ``LANES`` samples wide and feature-major, so one gate reads two rows and writes one, and a block's layer stays in
the second-level cache. Backward recomputes the block's activations (cheaper than writing all of them to memory in forward and
reading them back), scatters input gradients within the block, and sums coefficient gradients into a few *parts*. How many
parts there are, and which blocks each takes in which order, depends on the batch alone; so the result has the same bits for
any number of threads.
"""

from contextlib import contextmanager

import numpy as np
import torch
from numba import njit

from ..parallel import run_jobs, workspace
from ..simd import load, splat, store, sums

LANES = 32
PARTS = 8
TILE = 16
_threads: int | None = None
_jit = njit(nogil=True, cache=True, error_model="numpy")


@_jit
def _to_block(x, start, block):
    """Columns ``start ..`` of feature-major ``x`` into a zero-padded block, in tiles that suit either order of ``x`` in memory."""
    features, samples = x.shape
    n = min(LANES, samples - start)
    if n < LANES:
        block[: features * LANES] = 0
    for tile in range(0, features, TILE):
        for s in range(n):
            for f in range(tile, min(tile + TILE, features)):
                block[f * LANES + s] = x[f, start + s]


@_jit
def _from_block(block, first, out, start):
    """A block's rows from ``first`` on into columns ``start ..`` of feature-major ``out``."""
    features, samples = out.shape
    for f in range(features):
        for s in range(min(LANES, samples - start)):
            out[f, start + s] = block[(first + f) * LANES + s]


@_jit
def _layer(block, source, target, pairs, c, begin, end):
    """Gates ``begin .. end`` of one layer: rows of ``block`` from ``source`` on to rows from ``target`` on."""
    for g in range(np.uint64(begin), np.uint64(end)):  # unsigned: no test for an index from the end
        a = load(block, (source + pairs[g, 0]) * LANES, LANES)
        b = load(block, (source + pairs[g, 1]) * LANES, LANES)
        low = splat(c[g, 0], LANES) + splat(c[g, 1], LANES) * a
        high = splat(c[g, 2], LANES) + splat(c[g, 3], LANES) * a
        store(low + high * b, block, (target + np.int64(g) - begin) * LANES)


@_jit
def _layers(block, inputs, ends, pairs, c):
    """All layers, keeping every activation: rows ``inputs ..`` hold layer 0, and so on."""
    source, target, begin = 0, inputs, 0
    for end in ends:
        _layer(block, source, target, pairs, c, begin, end)
        source, target, begin = target, target + end - begin, end


@_jit
def _last_layer(block, rows, ends, pairs, c):
    """All layers in two alternating halves of ``rows`` rows, which stay in the cache; the row where the last one begins."""
    source, target, begin = 0, rows, 0
    for end in ends:
        _layer(block, source, target, pairs, c, begin, end)
        source, target, begin = target, source, end
    return source


@_jit
def _groups(block, first, per, totals):
    """``totals[c]`` = sum of ``per`` rows from ``first + c per`` on."""
    for k in range(totals.shape[0] // LANES):
        total = load(block, (first + k * per) * LANES, LANES)
        for g in range(1, per):
            total = total + load(block, (first + k * per + g) * LANES, LANES)
        store(total, totals, k * LANES)


@_jit
def _forward(x, rows, ends, pairs, c, per, out, starts, block, totals):
    for start in starts:
        _to_block(x, start, block)
        first = _last_layer(block, rows, ends, pairs, c)
        if per:
            _groups(block, first, per, totals)
            _from_block(totals, 0, out, start)
        else:
            _from_block(block, first, out, start)


@_jit
def _gradient_sums(block, source, grad, per, pairs, begin, end, dc):
    """A layer whose inputs need no gradient: coefficient gradients only, added to ``dc``."""
    for g in range(np.uint64(begin), np.uint64(end)):
        a = load(block, (source + pairs[g, 0]) * LANES, LANES)
        b = load(block, (source + pairs[g, 1]) * LANES, LANES)
        y = load(grad, (np.int64(g) - begin) // per * LANES, LANES)
        ya = y * a
        store(load(dc, np.int64(g) * 4, 4) + sums(y, ya, y * b, ya * b), dc, np.int64(g) * 4)


@_jit
def _gradient(block, source, grad, per, pairs, c, begin, end, dc, below):
    """One layer backward: coefficient gradients added to ``dc``, input gradients added to ``below``.

    ``dL/dc = (sum y', sum y'a, sum y'b, sum y'ab)``, ``dL/da = y'(c1 + c3 b)``, ``dL/db = y'(c2 + c3 a)``; row ``g // per`` of
    ``grad`` is gate ``g``'s output gradient ``y'``, so that a group sum's gradient is never spread out.
    """
    for g in range(np.uint64(begin), np.uint64(end)):
        ia, ib = pairs[g, 0] * LANES, pairs[g, 1] * LANES
        a = load(block, source * LANES + ia, LANES)
        b = load(block, source * LANES + ib, LANES)
        y = load(grad, (np.int64(g) - begin) // per * LANES, LANES)
        ya = y * a
        store(load(dc, np.int64(g) * 4, 4) + sums(y, ya, y * b, ya * b), dc, np.int64(g) * 4)
        c3 = splat(c[g, 3], LANES)
        store(load(below, ia, LANES) + y * (splat(c[g, 1], LANES) + c3 * b), below, ia)
        store(load(below, ib, LANES) + (y * splat(c[g, 2], LANES) + ya * c3), below, ib)


@_jit
def _backward(x, grad_out, ends, pairs, c, per, dc, dx, starts, block, upper, lower):
    inputs = x.shape[0]
    want_dx = dx.shape[0] > 0
    for start in starts:
        _to_block(x, start, block)
        _layers(block, inputs, ends[:-1], pairs, c)
        _to_block(grad_out, start, upper)
        share = max(per, 1)
        for k in range(len(ends) - 1, -1, -1):
            begin = ends[k - 1] if k else 0
            below = ends[k - 2] if k > 1 else 0
            source = inputs + below if k else 0
            if k == 0 and not want_dx:
                _gradient_sums(block, source, upper, share, pairs, begin, ends[k], dc)
                break
            size = begin - below if k else inputs
            lower[: size * LANES] = 0
            _gradient(block, source, upper, share, pairs, c, begin, ends[k], dc, lower)
            upper, lower = lower, upper
            share = 1
        if want_dx:
            _from_block(upper, 0, dx, start)


@_jit
def _coefficients(p, c):
    """Table values to coefficients of 1, a, b, ab."""
    for g in range(len(p)):
        c[g, 0] = p[g, 0]
        c[g, 1] = p[g, 1] - p[g, 0]
        c[g, 2] = p[g, 2] - p[g, 0]
        c[g, 3] = p[g, 3] - p[g, 2] - p[g, 1] + p[g, 0]


@_jit
def _value_gradients(parts, dp):
    """The parts' coefficient gradients, added in order, as gradients of the table values."""
    for g in range(len(dp)):
        total = load(parts, g * 4, 4)
        for part in range(1, len(parts)):
            total = total + load(parts, (part * len(dp) + g) * 4, 4)
        store(total, dp, g * 4)
        d0, d1, d2, d3 = dp[g, 0], dp[g, 1], dp[g, 2], dp[g, 3]
        dp[g, 0] = d0 - d1 - d2 + d3
        dp[g, 1] = d1 - d3
        dp[g, 2] = d2 - d3


@contextmanager
def own_threads():
    """Inside, the kernels keep torch's number of threads and torch itself works with one.

    Its own operations here are small, and its threads wait for each other by spinning: beside any other program on the
    machine a step then takes ten times as long.
    """
    global _threads
    before, _threads = _threads, torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(_threads)
        _threads = before


def _schedule(samples: int) -> list[np.ndarray]:
    """Block starts of each part; depends on the batch alone."""
    starts = np.arange(0, samples, LANES)
    return np.array_split(starts, max(1, min(PARTS, len(starts))))


def forward(x, ends, pairs, c, classes):
    """``x`` (inputs, samples) any strides -> (classes or last layer's gates, samples), C-contiguous."""
    last = ends[-1] - (ends[-2] if len(ends) > 1 else 0)
    per = last // classes if classes else 0
    out = np.empty((classes or last, x.shape[1]), c.dtype)
    parts = _schedule(x.shape[1])

    rows = max(x.shape[0], int(np.diff(ends, prepend=0).max()))

    def work(part):
        block, totals = workspace(c.dtype, 2 * rows * LANES, max(classes, 1) * LANES)
        _forward(x, rows, ends, pairs, c, per, out, parts[part], block, totals)

    run_jobs(work, len(parts), _threads or torch.get_num_threads())
    return out


def backward(x, grad_out, ends, pairs, c, classes, want_dx):
    """Gradients of ``forward``: table values (gates, 4) and, if wanted, inputs (inputs, samples)."""
    sizes = np.diff(ends, prepend=0)
    per = int(sizes[-1]) // classes if classes else 0
    parts = _schedule(x.shape[1])
    dc = np.zeros((len(parts), len(pairs), 4), c.dtype)
    dx = np.empty((x.shape[0] if want_dx else 0, x.shape[1]), c.dtype)
    rows = max(int(sizes.max()), x.shape[0])

    def work(part):
        block, upper, lower = workspace(c.dtype, (x.shape[0] + len(pairs)) * LANES, rows * LANES, rows * LANES)
        _backward(x, grad_out, ends, pairs, c, per, dc[part], dx, parts[part], block, upper, lower)

    run_jobs(work, len(parts), _threads or torch.get_num_threads())
    dp = np.empty(c.shape, c.dtype)
    _value_gradients(dc, dp)
    return dp, dx


@_jit
def _interaction(p, dp):
    """Sum of ``|c3|`` over the gates; ``dp`` becomes its gradient."""
    total = 0.0
    for g in range(len(p)):
        c3 = p[g, 3] - p[g, 2] - p[g, 1] + p[g, 0]
        sign = np.sign(c3)
        total += abs(c3)
        dp[g, 0], dp[g, 1], dp[g, 2], dp[g, 3] = sign, -sign, -sign, sign
    return total


class Interaction(torch.autograd.Function):
    """Mean over the gates of ``|p3 - p2 - p1 + p0|``, the size of the coefficient of ``ab``, from table values (gates, 4)."""

    @staticmethod
    def forward(ctx, values):
        p = values.detach().contiguous().numpy()
        ctx.gradient = np.empty_like(p)
        return values.new_tensor(_interaction(p, ctx.gradient) / len(p))

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad):
        return torch.from_numpy(ctx.gradient) * (grad / len(ctx.gradient))


class Stack(torch.autograd.Function):
    """``functional.stack`` as a function of ``x`` and the gates' table ``values``, with gradients for both."""

    @staticmethod
    def forward(ctx, x, values, pairs, ends, classes):
        c = np.empty(values.shape, values.detach().numpy().dtype)
        _coefficients(values.detach().contiguous().numpy(), c)
        ctx.save_for_backward(x)
        ctx.rest = c, pairs, ends, classes
        return torch.from_numpy(forward(x.detach().t().numpy(), ends, pairs, c, classes)).t()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        c, pairs, ends, classes = ctx.rest
        want_dx = ctx.needs_input_grad[0]
        dp, dx = backward(x.detach().t().numpy(), grad.t().numpy(), ends, pairs, c, classes, want_dx)
        return torch.from_numpy(dx).t() if want_dx else None, torch.from_numpy(dp), None, None, None
