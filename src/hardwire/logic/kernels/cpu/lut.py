"""``reference.lut``: look-up tables of two to six inputs as their multilinear extension.

Arrays of all functions here, ``float`` one type throughout: ``x`` (features, samples) float, any strides; ``inputs``
(tables, k) int32, the features that each table reads; ``p`` (tables, 2^k) float, C-contiguous, the table values, input
0 the lowest bit of an address.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ....core.jit import inner, inner_inlined, jit
from ....core.simd import filled, load_row, store_row, total
from .blocks import WIDE, Buffer, cut, run_blocks
from .rows import add_parts, clear, from_block, to_block


class _Forward(NamedTuple):
    """Workspace: inputs; the levels of one table, see ``fold``; outputs."""

    block: Buffer
    v: Buffer
    result: Buffer


class _Backward(NamedTuple):
    """Workspace: inputs; the levels of one table; output gradients; the gradients of a level; input gradients."""

    block: Buffer
    v: Buffer
    grad: Buffer
    y: Buffer
    below: Buffer


@inner_inlined
def _operand(block, row, view):
    """An input as ``view`` (offset, scale) shows it: as it is (0, 1) or blurred to ``1/4 + x/2`` (1/4, 1/2)."""
    return view[0] + view[1] * load_row(block, row)


@inner
def fold(block, inputs, p, v, view):
    """Interpolate along input 0, then 1, ...; the result is the last row of ``v``.

    The levels stand one after the other. Level ``l`` has ``2^(k - l)`` rows; level 0, the table itself, is not stored.
    """
    u = _operand(block, inputs[0], view)
    n = len(p) // 2
    for j in range(n):
        low, high = filled(v, p[2 * j]), filled(v, p[2 * j + 1])
        store_row(low + u * (high - low), v, j)
    read, write = 0, n
    for i in range(1, len(inputs)):
        u = _operand(block, inputs[i], view)
        n //= 2
        for j in range(n):
            low = load_row(v, read + 2 * j)
            store_row(low + u * (load_row(v, read + 2 * j + 1) - low), v, write + j)
        read, write = write, write + n


@inner
def unfold(block, inputs, p, v, y, dp, below, view, want_dp, want_dx):
    """Backward of ``fold``: ``y`` holds the result's gradient in row 0 and is overwritten level by level."""
    read, n = len(p) - 2, 1
    for i in range(len(inputs) - 1, 0, -1):
        u = _operand(block, inputs[i], view)
        read -= 2 * n
        du = filled(v, 0)
        for j in range(n - 1, -1, -1):  # from the end: rows 2j and 2j + 1 take the place of row j
            g = load_row(y, j)
            low, high = load_row(v, read + 2 * j), load_row(v, read + 2 * j + 1)
            du = du + g * (high - low)
            store_row(g * u, y, 2 * j + 1)
            store_row(g - g * u, y, 2 * j)
        n *= 2
        if want_dx:
            store_row(load_row(below, inputs[i]) + view[1] * du, below, inputs[i])
    u = _operand(block, inputs[0], view)
    du = filled(v, 0)
    for j in range(n):
        g = load_row(y, j)
        du = du + g * (filled(v, p[2 * j + 1]) - filled(v, p[2 * j]))
        if want_dp:
            high = total(g * u)
            dp[2 * j + 1] += high
            dp[2 * j] += total(g) - high
    if want_dx:
        store_row(load_row(below, inputs[0]) + view[1] * du, below, inputs[0])


@jit
def _forward(x, inputs, p, view, out, work, begin, end, fresh):
    block, v, result = work
    for start in range(begin, end, WIDE):
        to_block(x, start, block)
        for g in range(len(p)):
            fold(block, inputs[g], p[g], v, (view[0], view[1]))
            store_row(load_row(v, p.shape[1] - 2), result, g)
        from_block(result, out, start)


@jit
def _backward(x, grad_out, inputs, p, views, dp, dx, work, begin, end, fresh):
    block, v, grad, y, below = work
    plain, blurred = (views[0, 0], views[0, 1]), (views[1, 0], views[1, 1])
    want_dx, same = len(dx) > 0, plain[1] == blurred[1]
    for start in range(begin, end, WIDE):
        to_block(x, start, block)
        to_block(grad_out, start, grad)
        clear(below, len(dx))
        for g in range(len(p)):
            fold(block, inputs[g], p[g], v, plain)
            store_row(load_row(grad, g), y, 0)
            unfold(block, inputs[g], p[g], v, y, dp[g], below, plain, True, want_dx and same)
            if want_dx and not same:
                fold(block, inputs[g], p[g], v, blurred)
                store_row(load_row(grad, g), y, 0)
                unfold(block, inputs[g], p[g], v, y, dp[g], below, blurred, False, True)
        if want_dx:
            from_block(below, dx, start)


def views(dtype: np.dtype[Any], efd: bool) -> NDArray[Any]:
    """(offset, scale) with which forward and input gradients see the inputs, (2, 2)."""
    return np.array([[0, 1], [0.25, 0.5] if efd else [0, 1]], dtype)


def forward(x: NDArray[Any], inputs: NDArray[np.int32], p: NDArray[Any]) -> NDArray[Any]:
    """Return the outputs (tables, samples), C-contiguous."""
    out = np.empty((len(p), x.shape[1]), p.dtype)
    view, samples = views(p.dtype, False)[0], x.shape[1]
    rows = _Forward(block=len(x), v=p.shape[1], result=len(p))
    run_blocks(_forward, lambda part: (x, inputs, p, view, out), cut(samples), samples, rows, p.dtype, forward=True)
    return out


def backward(
    x: NDArray[Any], grad_out: NDArray[Any], inputs: NDArray[np.int32], p: NDArray[Any], efd: bool, want_dx: bool
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the gradients of ``forward``; with ``efd`` the inputs' are extended finite differences.

    Returns
    -------
    dp : (tables, 2^k), of the table values
    dx : (features, samples), or (0, samples) unless ``want_dx``
    """
    samples = x.shape[1]
    parts = cut(samples, p.nbytes)
    dp = np.zeros((len(parts), *p.shape), p.dtype)
    dx = np.empty((len(x) if want_dx else 0, samples), p.dtype)
    both = views(p.dtype, efd)
    rows = _Backward(block=len(x), v=p.shape[1], grad=len(p), y=p.shape[1], below=len(dx))
    run_blocks(_backward, lambda part: (x, grad_out, inputs, p, both, dp[part], dx), parts, samples, rows, p.dtype)
    add_parts(dp)
    return dp[0], dx
