"""Loss and gradient of gates, group sum and cross-entropy in one pass.

A block of samples goes up and down while it is in the cache. Apart from one another, backward has to compute the
forward pass once more.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ....core.jit import inner, jit
from ....core.simd import flat, store_row, width
from .blocks import WIDE, Buffer, run_blocks
from .coefficients import value_gradients
from .rows import clear, gate, operands, to_block
from .stack import Layers, descend, gradient_memory, layer_sizes, run_layers


class Objective(NamedTuple):
    """``(1 - weight) CE(z, y) + weight T^2 KL(softmax(teacher / T) || softmax(z / T))``, its mean over the samples.

    ``z = scale`` times the group sums; ``y`` (samples,) int64 classes; ``teacher`` (samples, classes) logits, not read
    if the weight is 0.
    """

    y: NDArray[np.int64]
    teacher: NDArray[Any]
    scale: float
    weight: float
    temperature: float


class _Work(NamedTuple):
    """Workspace of ``stack``'s backward, and the group sums."""

    block: Buffer
    upper: Buffer
    lower: Buffer
    totals: Buffer


@inner
def _counts(block, source, pairs, c, begin, per, totals):
    """The last layer and its group sum: ``totals[k]`` = sum of the ``per`` gates from ``begin + k per`` on."""
    for k in range(len(totals)):
        first = np.uint64(begin + k * per)  # unsigned: no test for an index from the end
        a, b = operands(block, source, pairs, first)
        total = gate(a, b, c, first)
        for g in range(first + np.uint64(1), first + np.uint64(per)):
            a, b = operands(block, source, pairs, g)
            total = total + gate(a, b, c, g)
        store_row(total, totals, k)


@inner
def _softmax(row, scale, out):
    """``out`` = softmax of ``scale row``; the log of its divisor, with the largest taken out."""
    top = row[0]
    for k in range(1, len(row)):
        top = max(top, row[k])
    top *= scale
    total = 0.0
    for k in range(len(row)):
        out[k] = np.exp(row[k] * scale - top)
        total += out[k]
    for k in range(len(row)):
        out[k] /= total
    return np.log(total) + top


@inner
def _loss(counts, lanes, start, objective, grad):
    """Sum of a block's losses; ``grad`` becomes its gradient with respect to ``counts``, over the number of samples."""
    y, teacher, scale, weight, t = objective
    samples, classes = len(y), len(counts) // lanes
    p, q, row, soft = np.empty(classes), np.empty(classes), np.empty(classes), np.empty(classes)
    loss = 0.0
    for s in range(min(lanes, samples - start)):
        for k in range(classes):
            row[k] = counts[k * lanes + s]
        loss += (1 - weight) * (_softmax(row, scale, p) - row[y[start + s]] * scale)
        p[y[start + s]] -= 1
        for k in range(classes):
            grad[k * lanes + s] = (1 - weight) * scale / samples * p[k]
        if weight > 0:
            for k in range(classes):
                soft[k] = teacher[start + s, k]
            log_q = _softmax(soft, 1 / t, q)
            log_p = _softmax(row, scale / t, p)
            for k in range(classes):
                apart = (soft[k] - row[k] * scale) / t - log_q + log_p
                loss += weight * t * t * q[k] * apart
                grad[k * lanes + s] += weight * t * scale / samples * (p[k] - q[k])
    return loss


@jit
def _loss_and_gradients(x, layers, objective, losses, dc, dx, work, begin, end, fresh):
    """Gradients of blocks; the sum of their losses is put into ``losses`` (1,) or, unless ``fresh``, added."""
    ends, block, totals = layers.ends, work.block, work.totals
    inputs, layer = len(x), len(ends) - 1
    first = ends[layer - 1] if layer else 0
    source = inputs + (ends[layer - 2] if layer > 1 else 0) if layer else 0
    clear(work.upper, len(work.upper))
    clear(work.lower, len(work.lower))
    loss = 0.0 if fresh else losses[0]
    for start in range(begin, end, WIDE):
        to_block(x, start, block)
        run_layers(block, inputs, layers)
        _counts(block, source, layers.pairs, layers.c, first, layers.per, totals)
        loss += _loss(flat(totals), width(totals), start, objective, flat(work.upper))
        descend(x, start, layers, dc, dx, work, fresh and start == begin)
    losses[0] = loss


def loss_and_gradients(
    x: NDArray[Any],
    ends: NDArray[np.int64],
    pairs: NDArray[np.int32],
    c: NDArray[Any],
    slopes: NDArray[Any],
    classes: int,
    y: NDArray[np.int64],
    teacher: NDArray[Any],
    *,
    scale: float,
    weight: float,
    temperature: float,
    want_dx: bool,
) -> tuple[float, NDArray[Any], NDArray[Any]]:
    """Return the mean loss of ``stack.forward`` and its gradients; see ``stack`` and ``Objective`` for the arrays.

    Returns
    -------
    loss : float
    dp : (gates, 4), of the table values
    dx : (inputs, samples), or (0, samples) unless ``want_dx``
    """
    layers = Layers(ends, pairs, c, slopes, layer_sizes(ends)[-1] // classes)
    objective = Objective(y, teacher, scale, weight, temperature)
    parts, dc, dx, rows = gradient_memory(x, layers, want_dx)
    losses = np.zeros((len(parts), 1))

    def arguments(part: int) -> tuple[Any, ...]:
        return x, layers, objective, losses[part], dc[part], dx

    run_blocks(_loss_and_gradients, arguments, parts, x.shape[1], _Work(*rows, classes), c.dtype)
    return float(np.add.accumulate(losses[:, 0])[-1] / x.shape[1]), value_gradients(dc), dx
