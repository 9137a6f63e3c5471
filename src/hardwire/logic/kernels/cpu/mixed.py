"""``functional.mixed``: gates whose operands are mixtures of candidate inputs; learned wiring."""

import numpy as np
from numba import literally

from ....core.simd import load, splat, store, sums
from ....core.threads import workspace
from .blocks import NARROW, WIDE, add_parts, cut, from_block, gate, inlined, jit, run_parts, to_block
from .stack import value_gradients


@inlined
def _operand(block, candidates, weights, row, lanes):
    """``sum_k w_k x_k`` of one operand of one gate."""
    literally(lanes)
    total = splat(weights[row, 0], lanes) * load(block, candidates[row, 0] * lanes, lanes)
    for k in range(1, candidates.shape[1]):
        total = total + splat(weights[row, k], lanes) * load(block, candidates[row, k] * lanes, lanes)
    return total


@jit
def _forward_block(x, candidates, weights, c, out, start, block, result, lanes):
    literally(lanes)
    to_block(x, start, block, lanes)
    for g in range(len(c)):
        a = _operand(block, candidates, weights, 2 * g, lanes)
        b = _operand(block, candidates, weights, 2 * g + 1, lanes)
        store(gate(a, b, c, g, lanes), result, g * lanes)
    from_block(result, 0, out, start, lanes)


@jit
def _forward(x, candidates, weights, c, out, starts, block, result):
    for start in starts:
        if x.shape[1] - start > NARROW:
            _forward_block(x, candidates, weights, c, out, start, block, result, WIDE)
        else:
            _forward_block(x, candidates, weights, c, out, start, block, result, NARROW)


@inlined
def _spread(block, grad, candidates, weights, row, dw, below, want_dx, lanes):
    """An operand's gradient to its weights, ``dw_k += sum grad x_k`` (four at a time), and to its candidates."""
    literally(lanes)
    for k in range(0, candidates.shape[1], 4):
        i0, i1 = candidates[row, k] * lanes, candidates[row, k + 1] * lanes
        i2, i3 = candidates[row, k + 2] * lanes, candidates[row, k + 3] * lanes
        found = sums(grad * load(block, i0, lanes), grad * load(block, i1, lanes), grad * load(block, i2, lanes),
                     grad * load(block, i3, lanes))
        at = row * candidates.shape[1] + k
        store(load(dw, at, 4) + found, dw, at)
    if want_dx:
        for k in range(candidates.shape[1]):
            i = candidates[row, k] * lanes
            store(load(below, i, lanes) + splat(weights[row, k], lanes) * grad, below, i)


@jit
def _backward_block(x, grad_out, candidates, weights, c, slopes, dc, dw, dx, start, block, grad, below, lanes):
    literally(lanes)
    want_dx = dx.shape[0] > 0
    to_block(x, start, block, lanes)
    to_block(grad_out, start, grad, lanes)
    below[: dx.shape[0] * lanes] = 0
    for g in range(len(c)):
        a = _operand(block, candidates, weights, 2 * g, lanes)
        b = _operand(block, candidates, weights, 2 * g + 1, lanes)
        y = load(grad, g * lanes, lanes)
        ya = y * a
        store(load(dc, g * 4, 4) + sums(y, ya, y * b, ya * b), dc, g * 4)
        s3 = splat(slopes[g, 3], lanes)
        _spread(block, y * (splat(slopes[g, 1], lanes) + s3 * b), candidates, weights, 2 * g, dw, below, want_dx, lanes)
        _spread(block, y * splat(slopes[g, 2], lanes) + ya * s3, candidates, weights, 2 * g + 1, dw, below, want_dx, lanes)
    if want_dx:
        from_block(below, 0, dx, start, lanes)


@jit
def _backward(x, grad_out, candidates, weights, c, slopes, dc, dw, dx, starts, block, grad, below):
    dc[:] = 0
    dw[:] = 0
    for start in starts:
        if x.shape[1] - start > NARROW:
            _backward_block(x, grad_out, candidates, weights, c, slopes, dc, dw, dx, start, block, grad, below, WIDE)
        else:
            _backward_block(x, grad_out, candidates, weights, c, slopes, dc, dw, dx, start, block, grad, below, NARROW)


def forward(x, candidates, weights, c):
    """``x`` (inputs, samples), candidates and weights (2 gates, K) -> (gates, samples)."""
    out = np.empty((len(c), x.shape[1]), c.dtype)
    parts = cut(x.shape[1])

    def work(part):
        block, result = workspace(c.dtype, len(x) * WIDE, len(c) * WIDE)
        _forward(x, candidates, weights, c, out, parts[part], block, result)

    run_parts(work, len(parts))
    return out


def backward(x, grad_out, candidates, weights, c, slopes, want_dx):
    """Gradients of ``forward``: table values, weights and, if wanted, inputs."""
    parts = cut(x.shape[1], c.nbytes + weights.nbytes)
    dc, dw = np.empty((len(parts), *c.shape), c.dtype), np.empty((len(parts), *weights.shape), c.dtype)
    dx = np.empty((len(x) if want_dx else 0, x.shape[1]), c.dtype)

    def work(part):
        block, grad, below = workspace(c.dtype, len(x) * WIDE, len(c) * WIDE, max(1, len(dx)) * WIDE)
        _backward(x, grad_out, candidates, weights, c, slopes, dc[part], dw[part], dx, parts[part], block, grad, below)

    run_parts(work, len(parts))
    dp = value_gradients(dc)
    add_parts(dw)
    return dp, dw[0], dx
