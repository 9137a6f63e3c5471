"""``reference.mixed_lut``: look-up tables whose operands are mixtures of candidate inputs.

Arrays of all functions here, ``float`` one type throughout: ``x`` (inputs, samples) float, any strides; ``candidates``
(tables, k, K) int32, the inputs that each operand mixes, K a multiple of 4; ``weights`` (tables, k, K) float, their
shares; ``p`` (tables, 2^k) float, C-contiguous, the table values, operand 0 the lowest bit of an address.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ....core.jit import jit
from ....core.simd import load_row, store_row
from .blocks import WIDE, Buffer, cut, run_blocks
from .lut import fold, unfold, views
from .mixed import operand, spread
from .rows import add_parts, clear, from_block, to_block


class _Forward(NamedTuple):
    """Workspace: inputs; the operands of one table; the levels of its extension, see ``lut.fold``; outputs."""

    block: Buffer
    mixture: Buffer
    v: Buffer
    result: Buffer


class _Backward(NamedTuple):
    """Workspace: as forward, with output gradients, the gradients of a level, of operands and of inputs."""

    block: Buffer
    mixture: Buffer
    v: Buffer
    grad: Buffer
    y: Buffer
    slope: Buffer
    below: Buffer


@jit
def _forward(x, candidates, weights, p, own, view, out, work, begin, end, fresh):
    block, mixture, v, result = work
    for start in range(begin, end, WIDE):
        to_block(x, start, block)
        for g in range(len(p)):
            for i in range(len(own)):
                store_row(operand(block, candidates, weights, g * len(own) + i), mixture, i)
            fold(mixture, own, p[g], v, (view[0], view[1]))
            store_row(load_row(v, p.shape[1] - 2), result, g)
        from_block(result, out, start)


@jit
def _backward(x, grad_out, candidates, weights, p, own, both, dp, dw, dx, work, begin, end, fresh):
    block, mixture, v, grad, y, slope, below = work
    plain, blurred = (both[0, 0], both[0, 1]), (both[1, 0], both[1, 1])
    want_dx, same = len(dx) > 0, plain[1] == blurred[1]
    for start in range(begin, end, WIDE):
        to_block(x, start, block)
        to_block(grad_out, start, grad)
        clear(below, len(dx))
        for g in range(len(p)):
            for i in range(len(own)):
                store_row(operand(block, candidates, weights, g * len(own) + i), mixture, i)
            clear(slope, len(own))
            fold(mixture, own, p[g], v, plain)
            store_row(load_row(grad, g), y, 0)
            unfold(mixture, own, p[g], v, y, dp[g], slope, plain, True, same)
            if not same:
                fold(mixture, own, p[g], v, blurred)
                store_row(load_row(grad, g), y, 0)
                unfold(mixture, own, p[g], v, y, dp[g], slope, blurred, False, True)
            for i in range(len(own)):
                spread(block, load_row(slope, i), candidates, weights, g * len(own) + i, dw, below, want_dx)
        if want_dx:
            from_block(below, dx, start)


def _flat(array: NDArray[Any]) -> NDArray[Any]:
    """(tables, k, K) as (k tables, K)."""
    return array.reshape(-1, array.shape[-1])


def forward(x: NDArray[Any], candidates: NDArray[np.int32], weights: NDArray[Any], p: NDArray[Any]) -> NDArray[Any]:
    """Return the outputs (tables, samples), C-contiguous."""
    out = np.empty((len(p), x.shape[1]), p.dtype)
    samples, k = x.shape[1], weights.shape[1]
    arguments = x, _flat(candidates), _flat(weights), p, np.arange(k, dtype=np.int32), views(p.dtype, False)[0], out
    rows = _Forward(block=len(x), mixture=k, v=p.shape[1], result=len(p))
    run_blocks(_forward, lambda part: arguments, cut(samples), samples, rows, p.dtype, forward=True)
    return out


def backward(
    x: NDArray[Any],
    grad_out: NDArray[Any],
    candidates: NDArray[np.int32],
    weights: NDArray[Any],
    p: NDArray[Any],
    efd: bool,
    want_dx: bool,
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return the gradients of ``forward``; with ``efd`` the operands' are extended finite differences.

    Returns
    -------
    dp : (tables, 2^k), of the table values
    dw : (tables, k, K), of the weights
    dx : (inputs, samples), or (0, samples) unless ``want_dx``
    """
    samples, k = x.shape[1], weights.shape[1]
    parts = cut(samples, p.nbytes + weights.nbytes)
    dp, dw = np.zeros((len(parts), *p.shape), p.dtype), np.zeros((len(parts), *weights.shape), p.dtype)
    dx = np.empty((len(x) if want_dx else 0, samples), p.dtype)
    own, both, wires, shares = np.arange(k, dtype=np.int32), views(p.dtype, efd), _flat(candidates), _flat(weights)

    def arguments(part: int) -> tuple[Any, ...]:
        return x, grad_out, wires, shares, p, own, both, dp[part], _flat(dw[part]), dx

    rows = _Backward(block=len(x), mixture=k, v=p.shape[1], grad=len(p), y=p.shape[1], slope=k, below=len(dx))
    run_blocks(_backward, arguments, parts, samples, rows, p.dtype)
    add_parts(dp)
    add_parts(dw)
    return dp[0], dw[0], dx
