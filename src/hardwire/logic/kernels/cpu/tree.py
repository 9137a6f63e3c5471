"""``reference.tree``: trees of gates slid over an image and pooled; a tree and its pool are never written to memory.

Arrays of all functions here, ``float`` one type throughout: ``x`` (channels height width, samples) float, any strides;
``c`` and ``slopes`` (kernels, 2^d - 1, 4) float, see ``coefficients``, the gates of a tree of depth d level by level
from its leaves on. Pooled outputs have a row for each kernel and window, (kernels windows, samples).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....core.jit import inner, inner_inlined, jit
from ....core.simd import (
    add_folded,
    filled,
    flat,
    load,
    load_row,
    store,
    store_row,
    sums,
    where_equal,
    where_greater,
    width,
)
from .blocks import NARROW, WIDE, Buffer, cut, run_blocks
from .coefficients import value_gradients
from .rows import clear, gate, to_block

#: Zero that is no literal: functions are compiled once, not once more for the literal.
_ZERO = np.int64(0)


class Geometry(NamedTuple):
    """Where the trees of a layer read and write, as the kernels want it.

    Attributes
    ----------
    leaves : (kernels, 2^d), row of each leaf in the padded image, for output position (0, 0)
    place : (channels height width,), row of each input in the padded image
    bases : (windows, pool^2), rows to add for each position of each pooling window
    rows : number of rows of the padded image
    """

    leaves: NDArray[np.int64]
    place: NDArray[np.int64]
    bases: NDArray[np.int64]
    rows: int

    @classmethod
    def of(
        cls, shape: Sequence[int], leaves: ArrayLike, out_shape: Sequence[int], *, padding: int, pool: int
    ) -> "Geometry":
        """Make it from the arguments of ``reference.tree``; ``out_shape`` is (kernels, rows, columns) after pooling."""
        channels, height, width = (int(n) for n in shape)
        high, wide = height + 2 * padding, width + 2 * padding
        c, y, x = np.indices((channels, height, width)).reshape(3, -1)
        i, j = np.indices(out_shape[1:]).reshape(2, -1, 1) * pool
        di, dj = np.indices((pool, pool)).reshape(2, 1, -1)
        return cls(np.asarray(leaves, dtype=np.int64) @ np.array([high * wide, wide, 1]),
                   (c * high + y + padding) * wide + x + padding, (i + di) * wide + j + dj, channels * high * wide)


class _Forward(NamedTuple):
    """Workspace: the padded image; the outputs of the gates from the third level on, see ``_rows``."""

    image: Buffer
    v: Buffer


class _Backward(NamedTuple):
    """Workspace of a layer, then that of one tree.

    Attributes
    ----------
    image, below : the padded image, and its gradient (no rows if not wanted)
    upper, won : gradients of the outputs, and the positions that won
    v, grad : outputs of a tree's gates from the third level on, and their gradients
    leaves, leaf_grad : its leaves, and their gradients (no rows if not wanted)
    sums : four rows for each gate, of ``NARROW`` numbers each; see ``_sums``
    """

    image: Buffer
    below: Buffer
    upper: Buffer
    won: Buffer
    v: Buffer
    grad: Buffer
    leaves: Buffer
    leaf_grad: Buffer
    sums: Buffer


@inner
def _fill(x, place, start, image):
    """Columns ``start ..`` of ``x`` into their rows of the padded image; everything else is 0."""
    lanes, numbers = width(image), flat(image)
    clear(image, len(image))
    n = min(lanes, x.shape[1] - start)
    for f in range(len(x)):
        for s in range(n):
            numbers[place[f] * lanes + s] = x[f, start + s]


@inner_inlined
def _node1(image, base, leaves, c, j):
    """Gate ``j`` above two leaves; ``_node2`` and ``_node3`` are above two of these. Nothing leaves the registers."""
    a = load_row(image, base + leaves[2 * j])
    return gate(a, load_row(image, base + leaves[2 * j + 1]), c, j)


@inner_inlined
def _node2(image, base, leaves, c, j):
    a = _node1(image, base, leaves, c, 2 * j)
    return gate(a, _node1(image, base, leaves, c, 2 * j + 1), c, len(leaves) // 2 + j)


@inner_inlined
def _node3(image, base, leaves, c, j):
    a = _node2(image, base, leaves, c, 2 * j)
    return gate(a, _node2(image, base, leaves, c, 2 * j + 1), c, len(leaves) * 3 // 4 + j)


@inner_inlined
def _tree(image, base, leaves, c, v):
    """The root of one tree at one position; a tree of depth three or more goes through the rows of ``v``."""
    if len(leaves) == 2:
        return _node1(image, base, leaves, c, _ZERO)
    if len(leaves) == 4:
        return _node2(image, base, leaves, c, _ZERO)
    _rows(image, base, leaves, c, v)
    return load_row(v, 2 * (len(leaves) // 8 - 1))


@inner_inlined
def _rows(image, base, leaves, c, v):
    """The gates of the third level and above, one row of ``v`` each; the root is the last."""
    n = len(leaves) // 8
    for j in range(n):
        store_row(_node3(image, base, leaves, c, j), v, j)
    for g in range(n, 2 * n - 1):
        a = load_row(v, 2 * (g - n))
        store_row(gate(a, load_row(v, 2 * (g - n) + 1), c, len(leaves) * 7 // 8 + g - n), v, g)


@jit
def _forward(x, geometry, index, c, out, winner, work, begin, end, fresh):
    """The largest root of each window, and the first position that has it; ``index`` = 0, 1, ... of c's type."""
    leaves, place, bases, _ = geometry
    image, v = work
    lanes, numbers = width(v), flat(v)
    for start in range(begin, end, WIDE):
        _fill(x, place, start, image)
        samples = min(lanes, x.shape[1] - start)
        for k in range(len(leaves)):
            for w in range(len(bases)):
                best, first = filled(v, -np.inf), filled(v, 0)
                for p in range(bases.shape[1]):
                    root = _tree(image, bases[w, p], leaves[k], c[k], v)
                    first = where_greater(root, best, filled(v, index[p]), first)
                    best = where_greater(root, best, root, best)
                row = k * len(bases) + w
                store_row(best, v, 0)
                store_row(first, v, 1)
                for s in range(samples):
                    out[row, start + s] = numbers[s]
                    winner[row, start + s] = numbers[lanes + s]


@inner_inlined
def _sums(y, ya, b, gate_sums, g):
    """Add a gate's ``y'``, ``y'a``, ``y'b`` and ``y'ab`` to its four rows of ``NARROW`` numbers in ``gate_sums``."""
    add_folded(y, gate_sums, 4 * g * NARROW, NARROW)
    add_folded(ya, gate_sums, (4 * g + 1) * NARROW, NARROW)
    add_folded(y * b, gate_sums, (4 * g + 2) * NARROW, NARROW)
    add_folded(ya * b, gate_sums, (4 * g + 3) * NARROW, NARROW)


@inner_inlined
def _slope(y, other, slopes, g, operand):
    """The gradient of a gate's operand (1 or 2), given the ``other`` one."""
    return y * (slopes[g, operand] + slopes[g, 3] * other)


@inner_inlined
def _down1(leaves, rows, c, slopes, j, y, gate_sums, leaf_grad):
    """Gate ``j`` above two leaves backward, ``y`` its gradient; ``leaf_grad`` becomes the leaves', if it has any rows.

    Row ``j`` of ``leaves`` and of ``leaf_grad`` is leaf ``j``. Equations as in ``stack._gradient``.
    ``_down2`` and ``_down3`` are the gates above two of these, which they compute again.
    """
    a, b = load_row(leaves, 2 * j), load_row(leaves, 2 * j + 1)
    _sums(y, y * a, b, gate_sums, j)
    if len(leaf_grad):
        store_row(_slope(y, b, slopes, j, 1), leaf_grad, 2 * j)
        store_row(_slope(y, a, slopes, j, 2), leaf_grad, 2 * j + 1)


@inner_inlined
def _down2(leaves, rows, c, slopes, j, y, gate_sums, leaf_grad):
    g = len(rows) // 2 + j
    a = _node1(leaves, _ZERO, rows, c, 2 * j)
    b = _node1(leaves, _ZERO, rows, c, 2 * j + 1)
    _sums(y, y * a, b, gate_sums, g)
    _down1(leaves, rows, c, slopes, 2 * j, _slope(y, b, slopes, g, 1), gate_sums, leaf_grad)
    _down1(leaves, rows, c, slopes, 2 * j + 1, _slope(y, a, slopes, g, 2), gate_sums, leaf_grad)


@inner_inlined
def _down3(leaves, rows, c, slopes, j, y, gate_sums, leaf_grad):
    g = len(rows) * 3 // 4 + j
    a = _node2(leaves, _ZERO, rows, c, 2 * j)
    b = _node2(leaves, _ZERO, rows, c, 2 * j + 1)
    _sums(y, y * a, b, gate_sums, g)
    _down2(leaves, rows, c, slopes, 2 * j, _slope(y, b, slopes, g, 1), gate_sums, leaf_grad)
    _down2(leaves, rows, c, slopes, 2 * j + 1, _slope(y, a, slopes, g, 2), gate_sums, leaf_grad)


@inner_inlined
def _descend(leaves, rows, c, slopes, v, grad, y, gate_sums, leaf_grad):
    """One tree backward, ``y`` the root's gradient; ``rows`` = 0, 1, ..., the rows of the ``leaves``."""
    if len(rows) == 2:
        _down1(leaves, rows, c, slopes, _ZERO, y, gate_sums, leaf_grad)
    elif len(rows) == 4:
        _down2(leaves, rows, c, slopes, _ZERO, y, gate_sums, leaf_grad)
    else:
        n = len(rows) // 8
        if n > 1:
            _rows(leaves, _ZERO, rows, c, v)
        store_row(y, grad, 2 * n - 2)
        for row in range(2 * n - 2, n - 1, -1):
            left, g = 2 * (row - n), len(rows) * 7 // 8 + row - n
            a, b, y = load_row(v, left), load_row(v, left + 1), load_row(grad, row)
            _sums(y, y * a, b, gate_sums, g)
            store_row(_slope(y, b, slopes, g, 1), grad, left)
            store_row(_slope(y, a, slopes, g, 2), grad, left + 1)
        for j in range(n):
            _down3(leaves, rows, c, slopes, j, load_row(grad, j), gate_sums, leaf_grad)


@inner_inlined
def _collect(image, bases, leaves, index, won, leaf_values):
    """The leaves of each lane's winning position ``won``, side by side."""
    for j in range(len(leaves)):
        leaf = load_row(image, bases[0] + leaves[j])
        for p in range(1, len(bases)):
            leaf = where_equal(won, filled(image, index[p]), load_row(image, bases[p] + leaves[j]), leaf)
        store_row(leaf, leaf_values, j)


@inner_inlined
def _spread(leaf_grad, bases, leaves, index, won, below):
    """Gradients of the leaves, added where ``_collect`` took them from."""
    for j in range(len(leaves)):
        y = load_row(leaf_grad, j)
        for p in range(len(bases)):
            at = bases[p] + leaves[j]
            store_row(load_row(below, at) + where_equal(won, filled(below, index[p]), y, filled(below, 0)), below, at)


@jit
def _backward(x, grad_out, winner, geometry, index, c, slopes, dc, dx, work, begin, end, fresh):
    """Gradients of blocks.

    A lane's gradient goes through one position of each window alone: one tree is computed, on leaves side by side.
    """
    leaves, place, bases, _ = geometry  # apart: reading a field of a tuple counts references, too slow within loops
    image, below, upper, won, v, grad, leaf_values, leaf_grad, sums_of = work
    rows, gate_sums, lanes, below_flat = np.arange(leaves.shape[1]), flat(sums_of), width(below), flat(below)
    for start in range(begin, end, WIDE):
        _fill(x, place, start, image)
        to_block(grad_out, start, upper)
        to_block(winner, start, won)
        clear(below, len(below))
        for k in range(len(leaves)):
            clear(sums_of, len(sums_of))
            for w in range(len(bases)):
                row = k * len(bases) + w
                position = load_row(won, row)
                _collect(image, bases[w], leaves[k], index, position, leaf_values)
                _descend(leaf_values, rows, c[k], slopes[k], v, grad, load_row(upper, row), gate_sums, leaf_grad)
                if len(below):
                    _spread(leaf_grad, bases[w], leaves[k], index, position, below)
            total = dc[k].reshape(-1)
            for g in range(c.shape[1]):
                at = 4 * g * NARROW
                gradient = sums(load(gate_sums, at, NARROW), load(gate_sums, at + NARROW, NARROW),
                                load(gate_sums, at + 2 * NARROW, NARROW), load(gate_sums, at + 3 * NARROW, NARROW))
                store(load(total, 4 * g, 4) + gradient, total, 4 * g)
        for f in range(len(dx)):
            for s in range(min(lanes, x.shape[1] - start)):
                dx[f, start + s] = below_flat[place[f] * lanes + s]


def forward(x: NDArray[Any], geometry: Geometry, c: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.uint8]]:
    """Return the pooled outputs and the position that won in each window, both (kernels windows, samples)."""
    samples = x.shape[1]
    shape = len(geometry.leaves) * len(geometry.bases), samples
    out, winner = np.empty(shape, c.dtype), np.empty(shape, np.uint8)
    index = np.arange(geometry.bases.shape[1], dtype=c.dtype)
    arguments, rows = (x, geometry, index, c, out, winner), _Forward(image=geometry.rows, v=max(2, c.shape[1]))
    run_blocks(_forward, lambda part: arguments, cut(samples), samples, rows, c.dtype, forward=True)
    return out, winner


def backward(
    x: NDArray[Any],
    grad_out: NDArray[Any],
    winner: NDArray[np.uint8],
    geometry: Geometry,
    c: NDArray[Any],
    slopes: NDArray[Any],
    want_dx: bool,
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the gradients of ``forward`` for the gradient ``grad_out`` of its outputs, any strides.

    Returns
    -------
    dp : (kernels gates, 4), of the table values
    dx : (channels height width, samples), or (0, samples) unless ``want_dx``
    """
    samples, gates, leaves = x.shape[1], c.shape[1], geometry.leaves.shape[1]
    parts, index = cut(samples, c.nbytes), np.arange(geometry.bases.shape[1], dtype=c.dtype)
    dc = np.zeros((len(parts), *c.shape), c.dtype)
    dx = np.empty((len(x) if want_dx else 0, samples), c.dtype)
    rows = _Backward(
        image=geometry.rows, below=geometry.rows * want_dx, upper=len(winner), won=len(winner), v=gates, grad=gates,
        leaves=leaves, leaf_grad=leaves * want_dx, sums=4 * gates)

    def arguments(part: int) -> tuple[Any, ...]:
        return x, grad_out, winner, geometry, index, c, slopes, dc[part], dx

    run_blocks(_backward, arguments, parts, samples, rows, c.dtype)
    return value_gradients(dc.reshape(len(parts), -1, 4)), dx
