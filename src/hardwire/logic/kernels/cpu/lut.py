"""``functional.lut``: look-up tables of two to six inputs as their multilinear extension."""

import numpy as np
from numba import literally

from ....core.simd import load, splat, store, total
from ....core.threads import workspace
from .blocks import NARROW, WIDE, add_parts, cut, from_block, inlined, jit, run_parts, to_block


@inlined
def _operand(block, row, quarter, scale, lanes):
    """An input, or the input blurred to ``1/4 + x/2`` (quarter 1/4, scale 1/2)."""
    literally(lanes)
    return splat(quarter, lanes) + splat(scale, lanes) * load(block, row * lanes, lanes)


@jit
def _fold(block, inputs, p, v, quarter, scale, lanes):
    """Interpolate along input 0, then 1, ...: the levels stand one after the other in ``v``, the result in its last row.

    Level ``l`` has ``2^(k - l)`` rows; level 0, the table itself, is not stored.
    """
    literally(lanes)
    u = _operand(block, inputs[0], quarter, scale, lanes)
    n = len(p) // 2
    for j in range(n):
        store(splat(p[2 * j], lanes) + u * (splat(p[2 * j + 1], lanes) - splat(p[2 * j], lanes)), v, j * lanes)
    read, write = 0, n
    for i in range(1, len(inputs)):
        u = _operand(block, inputs[i], quarter, scale, lanes)
        n //= 2
        for j in range(n):
            low = load(v, (read + 2 * j) * lanes, lanes)
            store(low + u * (load(v, (read + 2 * j + 1) * lanes, lanes) - low), v, (write + j) * lanes)
        read, write = write, write + n


@jit
def _unfold(block, inputs, p, v, y, dp, below, quarter, scale, want_dp, want_dx, lanes):
    """Backward of ``_fold``: ``y`` holds the result's gradient in row 0 and is overwritten level by level."""
    literally(lanes)
    read, n = len(p) - 2, 1
    for i in range(len(inputs) - 1, 0, -1):
        u = _operand(block, inputs[i], quarter, scale, lanes)
        read -= 2 * n
        du = splat(scale, lanes) - splat(scale, lanes)
        for j in range(n - 1, -1, -1):  # from the end: rows 2j and 2j + 1 take the place of row j
            g = load(y, j * lanes, lanes)
            low, high = load(v, (read + 2 * j) * lanes, lanes), load(v, (read + 2 * j + 1) * lanes, lanes)
            du = du + g * (high - low)
            store(g * u, y, (2 * j + 1) * lanes)
            store(g - g * u, y, 2 * j * lanes)
        n *= 2
        if want_dx:
            at = inputs[i] * lanes
            store(load(below, at, lanes) + splat(scale, lanes) * du, below, at)
    u = _operand(block, inputs[0], quarter, scale, lanes)
    du = splat(scale, lanes) - splat(scale, lanes)
    for j in range(n):
        g = load(y, j * lanes, lanes)
        du = du + g * (splat(p[2 * j + 1], lanes) - splat(p[2 * j], lanes))
        if want_dp:
            high = total(g * u)
            dp[2 * j + 1] += high
            dp[2 * j] += total(g) - high
    if want_dx:
        at = inputs[0] * lanes
        store(load(below, at, lanes) + splat(scale, lanes) * du, below, at)


@jit
def _forward_block(x, inputs, p, plain, out, start, block, v, result, lanes):
    literally(lanes)
    to_block(x, start, block, lanes)
    for g in range(len(p)):
        _fold(block, inputs[g], p[g], v, plain[0], plain[1], lanes)
        store(load(v, (p.shape[1] - 2) * lanes, lanes), result, g * lanes)
    from_block(result, 0, out, start, lanes)


@jit
def _forward(x, inputs, p, plain, out, starts, block, v, result):
    for start in starts:
        if x.shape[1] - start > NARROW:
            _forward_block(x, inputs, p, plain, out, start, block, v, result, WIDE)
        else:
            _forward_block(x, inputs, p, plain, out, start, block, v, result, NARROW)


@jit
def _backward_block(x, grad_out, inputs, p, plain, blur, dp, dx, start, block, v, grad, y, below, lanes):
    literally(lanes)
    want_dx = len(dx) > 0
    same = plain[1] == blur[1]
    to_block(x, start, block, lanes)
    to_block(grad_out, start, grad, lanes)
    below[: len(dx) * lanes] = 0
    for g in range(len(p)):
        _fold(block, inputs[g], p[g], v, plain[0], plain[1], lanes)
        store(load(grad, g * lanes, lanes), y, 0)
        _unfold(block, inputs[g], p[g], v, y, dp[g], below, plain[0], plain[1], True, want_dx and same, lanes)
        if want_dx and not same:
            _fold(block, inputs[g], p[g], v, blur[0], blur[1], lanes)
            store(load(grad, g * lanes, lanes), y, 0)
            _unfold(block, inputs[g], p[g], v, y, dp[g], below, blur[0], blur[1], False, True, lanes)
    if want_dx:
        from_block(below, 0, dx, start, lanes)


@jit
def _backward(x, grad_out, inputs, p, plain, blur, dp, dx, starts, block, v, grad, y, below):
    dp[:] = 0
    for start in starts:
        if x.shape[1] - start > NARROW:
            _backward_block(x, grad_out, inputs, p, plain, blur, dp, dx, start, block, v, grad, y, below, WIDE)
        else:
            _backward_block(x, grad_out, inputs, p, plain, blur, dp, dx, start, block, v, grad, y, below, NARROW)


def _looks(dtype, efd: bool) -> tuple[np.ndarray, np.ndarray]:
    """(offset, scale) at which forward and input gradients see the inputs."""
    return np.array([0, 1], dtype), np.array([0.25, 0.5] if efd else [0, 1], dtype)


def forward(x, inputs, p):
    """``x`` (features, samples), inputs (tables, k), p (tables, 2^k) -> (tables, samples)."""
    out = np.empty((len(p), x.shape[1]), p.dtype)
    parts = cut(x.shape[1])

    def work(part):
        block, v, result = workspace(p.dtype, len(x) * WIDE, p.shape[1] * WIDE, len(p) * WIDE)
        _forward(x, inputs, p, _looks(p.dtype, False)[0], out, parts[part], block, v, result)

    run_parts(work, len(parts))
    return out


def backward(x, grad_out, inputs, p, efd, want_dx):
    """Gradients of ``forward``: tables and, if wanted, inputs; ``efd``: the inputs' as extended finite differences."""
    parts = cut(x.shape[1], p.nbytes)
    dp = np.empty((len(parts), *p.shape), p.dtype)
    dx = np.empty((len(x) if want_dx else 0, x.shape[1]), p.dtype)
    sizes = [len(x), p.shape[1], len(p), p.shape[1], max(1, len(dx))]

    def work(part):
        buffers = workspace(p.dtype, *(WIDE * n for n in sizes))
        _backward(x, grad_out, inputs, p, *_looks(p.dtype, efd), dp[part], dx, parts[part], *buffers)

    run_parts(work, len(parts))
    add_parts(dp)
    return dp[0], dx
