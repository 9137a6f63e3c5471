"""``reference.mixed``: gates whose operands are mixtures of candidate inputs; learned wiring.

Arrays of all functions here, ``float`` one type throughout: ``x`` (inputs, samples) float, any strides; ``candidates``
(2 gates, K) int32, the inputs that each operand mixes, K a multiple of 4; ``weights`` (2 gates, K) float, their shares;
``c`` and ``slopes`` (gates, 4) float, see ``coefficients``. Operands 2 g and 2 g + 1 are those of gate g.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ....core.jit import inner_inlined, jit
from ....core.simd import load, load_row, store, store_row, sums
from .blocks import WIDE, Buffer, cut, run_blocks
from .coefficients import value_gradients
from .rows import add_parts, clear, from_block, gate, to_block


class _Forward(NamedTuple):
    """Workspace: inputs, outputs."""

    block: Buffer
    result: Buffer


class _Backward(NamedTuple):
    """Workspace: inputs, output gradients, input gradients."""

    block: Buffer
    grad: Buffer
    below: Buffer


@inner_inlined
def operand(block, candidates, weights, row):
    """``sum_k w_k x_k`` of one operand of one gate."""
    mixture = weights[row, 0] * load_row(block, candidates[row, 0])
    for k in range(1, candidates.shape[1]):
        mixture = mixture + weights[row, k] * load_row(block, candidates[row, k])
    return mixture


@jit
def _forward(x, candidates, weights, c, out, work, begin, end, fresh):
    block, result = work
    for start in range(begin, end, WIDE):
        to_block(x, start, block)
        for g in range(len(c)):
            a = operand(block, candidates, weights, 2 * g)
            b = operand(block, candidates, weights, 2 * g + 1)
            store_row(gate(a, b, c, g), result, g)
        from_block(result, out, start)


@inner_inlined
def spread(block, grad, candidates, weights, row, dw, below, want_dx):
    """An operand's gradient to its weights, ``dw_k += sum grad x_k`` (four at a time), and to its candidates."""
    for k in range(0, candidates.shape[1], 4):
        gradient = sums(grad * load_row(block, candidates[row, k]), grad * load_row(block, candidates[row, k + 1]),
                        grad * load_row(block, candidates[row, k + 2]), grad * load_row(block, candidates[row, k + 3]))
        at = row * candidates.shape[1] + k
        store(load(dw, at, 4) + gradient, dw, at)
    if want_dx:
        for k in range(candidates.shape[1]):
            i = candidates[row, k]
            store_row(load_row(below, i) + weights[row, k] * grad, below, i)


@jit
def _backward(x, grad_out, candidates, weights, c, slopes, dc, dw, dx, work, begin, end, fresh):
    block, grad, below = work
    want_dx = len(dx) > 0
    for start in range(begin, end, WIDE):
        to_block(x, start, block)
        to_block(grad_out, start, grad)
        clear(below, len(dx))
        for g in range(len(c)):
            a = operand(block, candidates, weights, 2 * g)
            b = operand(block, candidates, weights, 2 * g + 1)
            y = load_row(grad, g)
            ya = y * a
            store(load(dc, g * 4, 4) + sums(y, ya, y * b, ya * b), dc, g * 4)
            s3 = slopes[g, 3]
            spread(block, y * (slopes[g, 1] + s3 * b), candidates, weights, 2 * g, dw, below, want_dx)
            spread(block, y * slopes[g, 2] + ya * s3, candidates, weights, 2 * g + 1, dw, below, want_dx)
        if want_dx:
            from_block(below, dx, start)


def forward(x: NDArray[Any], candidates: NDArray[np.int32], weights: NDArray[Any], c: NDArray[Any]) -> NDArray[Any]:
    """Return the outputs (gates, samples), C-contiguous."""
    out = np.empty((len(c), x.shape[1]), c.dtype)
    samples, rows, arguments = x.shape[1], _Forward(block=len(x), result=len(c)), (x, candidates, weights, c, out)
    run_blocks(_forward, lambda part: arguments, cut(samples), samples, rows, c.dtype, forward=True)
    return out


def backward(
    x: NDArray[Any],
    grad_out: NDArray[Any],
    candidates: NDArray[np.int32],
    weights: NDArray[Any],
    c: NDArray[Any],
    slopes: NDArray[Any],
    want_dx: bool,
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return the gradients of ``forward``.

    Returns
    -------
    dp : (gates, 4), of the table values
    dw : (2 gates, K), of the weights
    dx : (inputs, samples), or (0, samples) unless ``want_dx``
    """
    parts = cut(x.shape[1], c.nbytes + weights.nbytes)
    dc, dw = np.zeros((len(parts), *c.shape), c.dtype), np.zeros((len(parts), *weights.shape), c.dtype)
    dx = np.empty((len(x) if want_dx else 0, x.shape[1]), c.dtype)

    def arguments(part: int) -> tuple[Any, ...]:
        return x, grad_out, candidates, weights, c, slopes, dc[part], dw[part], dx

    run_blocks(_backward, arguments, parts, x.shape[1], _Backward(block=len(x), grad=len(c), below=len(dx)), c.dtype)
    add_parts(dw)
    return value_gradients(dc), dw[0], dx
