"""``reference.stack``: layers of two-input gates one after the other, a block of samples through all of them.

Arrays of all functions here, ``float`` one type throughout: ``x`` (inputs, samples) float, any strides; ``ends``
(layers,) int64, the sum of the layers' sizes up to and with each; ``pairs`` (gates, 2) int32, inputs of each gate among
the outputs of the layer before; ``c`` and ``slopes`` (gates, 4) float, see ``coefficients``.
"""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ....core.jit import inner, inner_inlined, jit
from ....core.simd import filled, load, load_row, store, store_row, sums
from .blocks import WIDE, Buffer, cut, cut_sums, run_blocks
from .coefficients import value_gradients
from .rows import clear, from_block, gate, operands, to_block


class Layers(NamedTuple):
    """Layers of gates as the kernels read them; ``per`` gates of the last layer form a group, 0 if none are summed."""

    ends: NDArray[np.int64]
    pairs: NDArray[np.int32]
    c: NDArray[Any]
    slopes: NDArray[Any]
    per: int


class _Forward(NamedTuple):
    """Workspace: two layers' outputs in turn; the group sums."""

    block: Buffer
    totals: Buffer


class Backward(NamedTuple):
    """Workspace: inputs and outputs of all layers but the last; gradients of a layer's outputs and of its inputs."""

    block: Buffer
    upper: Buffer
    lower: Buffer


@inner
def _layer(block, source, target, pairs, c, begin, end):
    """Gates ``begin .. end`` of one layer: rows of ``block`` from ``source`` on to rows from ``target`` on."""
    for g in range(np.uint64(begin), np.uint64(end)):  # unsigned: no test for an index from the end
        a, b = operands(block, source, pairs, g)
        store_row(gate(a, b, c, g), block, target + np.int64(g) - begin)


@inner
def run_layers(block, inputs, layers):
    """All layers but the last, keeping every output: rows ``inputs ..`` of ``block`` hold layer 0, and so on."""
    source, target, begin = np.int64(0), inputs, np.int64(0)  # not literals: _layer is compiled once
    for end in layers.ends[:-1]:
        _layer(block, source, target, layers.pairs, layers.c, begin, end)
        source, target, begin = target, target + end - begin, end


@jit
def _forward(x, layers, out, work, begin, end, fresh):
    """Outputs of blocks; the layers take turns in the two halves of ``work.block``, which stay in the cache."""
    block, totals = work
    rows, classes = len(block) // 2, len(out)
    for start in range(begin, end, WIDE):
        to_block(x, start, block)
        source, target, first = np.int64(0), rows, np.int64(0)
        for last in layers.ends:
            _layer(block, source, target, layers.pairs, layers.c, first, last)
            source, target, first = target, source, last
        if not layers.per:
            from_block(block[source:], out, start)
            continue
        for k in range(classes):
            total = load_row(block, source + k * layers.per)
            for g in range(1, layers.per):
                total = total + load_row(block, source + k * layers.per + g)
            store_row(total, totals, k)
        from_block(totals, out, start)


@inner_inlined
def _keep(y, a, b, ya, dc, g, fresh):
    """Put gate ``g``'s coefficient gradients ``sum y', sum y'a, sum y'b, sum y'ab`` in ``dc``, or add if not fresh."""
    gradient = sums(y, ya, y * b, ya * b)
    store(gradient if fresh else load(dc, g * 4, 4) + gradient, dc, g * 4)


@inner
def _gradient_sums(block, source, grad, per, pairs, begin, end, dc, fresh):
    """A layer whose inputs need no gradient: coefficient gradients only. ``grad`` is left zero."""
    for row in range((end - begin) // per):
        y = load_row(grad, row)
        store_row(filled(grad, 0), grad, row)
        for g in range(np.uint64(begin + row * per), np.uint64(begin + (row + 1) * per)):
            a, b = operands(block, source, pairs, g)
            _keep(y, a, b, y * a, dc, np.int64(g), fresh)


@inner
def _gradient(block, source, grad, per, pairs, slopes, begin, end, dc, below, fresh):
    """One layer backward: coefficient gradients, and input gradients added to ``below``. ``grad`` is left zero.

    ``dL/da = y'(s1 + s3 b)``, ``dL/db = y'(s2 + s3 a)``; row ``g // per`` of ``grad`` is gate ``g``'s output gradient
    ``y'``, so that a group sum's gradient is never spread out.
    """
    for row in range((end - begin) // per):
        y = load_row(grad, row)
        store_row(filled(grad, 0), grad, row)
        for g in range(np.uint64(begin + row * per), np.uint64(begin + (row + 1) * per)):
            a, b = operands(block, source, pairs, g)
            ya = y * a
            _keep(y, a, b, ya, dc, np.int64(g), fresh)
            ia, ib, s3 = pairs[g, 0], pairs[g, 1], slopes[g, 3]
            store_row(load_row(below, ia) + y * (slopes[g, 1] + s3 * b), below, ia)
            store_row((load_row(below, ib) + y * slopes[g, 2]) + ya * s3, below, ib)


@inner
def descend(x, start, layers, dc, dx, work, fresh):
    """All layers backward from the output gradient in ``work.upper``; the input gradient, if wanted, goes to ``dx``.

    ``upper`` and ``lower`` are zero beside that gradient before, and zero after.
    """
    upper, lower, per = work.upper, work.lower, max(layers.per, 1)
    ends, pairs, inputs = layers.ends, layers.pairs, len(x)
    for k in range(len(ends) - 1, -1, -1):
        begin = ends[k - 1] if k else 0
        source = inputs + (ends[k - 2] if k > 1 else 0) if k else 0
        if k == 0 and not len(dx):
            _gradient_sums(work.block, source, upper, per, pairs, begin, ends[k], dc, fresh)
            return
        _gradient(work.block, source, upper, per, pairs, layers.slopes, begin, ends[k], dc, lower, fresh)
        upper, lower = lower, upper
        per = 1
    from_block(upper, dx, start)
    clear(upper, inputs)


@jit
def _backward(x, grad_out, layers, dc, dx, work, begin, end, fresh):
    clear(work.upper, len(work.upper))
    clear(work.lower, len(work.lower))
    for start in range(begin, end, WIDE):
        to_block(x, start, work.block)
        run_layers(work.block, len(x), layers)
        to_block(grad_out, start, work.upper)
        descend(x, start, layers, dc, dx, work, fresh and start == begin)


def forward(
    x: NDArray[Any], ends: NDArray[np.int64], pairs: NDArray[np.int32], c: NDArray[Any], classes: int
) -> NDArray[Any]:
    """Return the outputs of the last layer, or the sums of its ``classes`` groups of gates if these are not 0.

    Returns
    -------
    (classes or last layer's gates, samples), C-contiguous
    """
    samples, sizes = x.shape[1], layer_sizes(ends)
    out = np.empty((classes or sizes[-1], samples), c.dtype)
    layers = Layers(ends, pairs, c, c, sizes[-1] // classes if classes else 0)
    rows = _Forward(block=2 * max(len(x), *sizes), totals=classes)
    run_blocks(_forward, lambda part: (x, layers, out), cut(samples), samples, rows, c.dtype, forward=True)
    return out


def backward(
    x: NDArray[Any],
    grad_out: NDArray[Any],
    ends: NDArray[np.int64],
    pairs: NDArray[np.int32],
    c: NDArray[Any],
    slopes: NDArray[Any],
    classes: int,
    want_dx: bool,
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the gradients of ``forward`` for the gradient ``grad_out`` of its outputs, any strides.

    Returns
    -------
    dp : (gates, 4), of the table values
    dx : (inputs, samples), or (0, samples) unless ``want_dx``
    """
    layers = Layers(ends, pairs, c, slopes, layer_sizes(ends)[-1] // classes if classes else 0)
    parts, dc, dx, rows = gradient_memory(x, layers, want_dx)
    run_blocks(_backward, lambda part: (x, grad_out, layers, dc[part], dx), parts, x.shape[1], rows, c.dtype)
    return value_gradients(dc), dx


def layer_sizes(ends: NDArray[np.int64]) -> list[int]:
    """Gates of each layer."""
    return [last - first for first, last in pairwise([0, *ends.tolist()])]


def gradient_memory(
    x: NDArray[Any], layers: Layers, want_dx: bool
) -> tuple[list[range], NDArray[Any], NDArray[Any], Backward]:
    """Parts of a batch, memory for their coefficient gradients and the input gradient, and rows of the workspace."""
    parts = cut_sums(x.shape[1], layers.c.nbytes)
    make = np.empty if x.shape[1] else np.zeros  # without samples no block writes them
    dc = make((len(parts), *layers.c.shape), layers.c.dtype)
    dx = np.empty((len(x) if want_dx else 0, x.shape[1]), layers.c.dtype)
    rows = max(len(x), *layer_sizes(layers.ends))
    return parts, dc, dx, Backward(block=len(x) + len(layers.pairs), upper=rows, lower=rows)
