"""``functional.tree``: trees of gates slid over an image and pooled; a tree and its pool are never written to memory."""

from dataclasses import dataclass

import numpy as np
from numba import literally

from ....core.simd import add_folded, load, splat, store, sums, where_equal, where_greater
from ....core.threads import workspace
from .blocks import NARROW, WIDE, cut, gate, inlined, jit, run_parts, to_block
from .stack import value_gradients


@dataclass(frozen=True)
class Geometry:
    """Where the trees of a layer read and write, as the kernels want it.

    leaves   (kernels, 2^d) int64, row of each leaf in the padded image, for output position (0, 0)
    place    (channels height width,) int64, row of each input in the padded image
    bases    (windows, pool^2) int64, rows to add for each position of each pooling window
    rows     of the padded image
    """

    leaves: np.ndarray
    place: np.ndarray
    bases: np.ndarray
    rows: int

    @classmethod
    def of(cls, shape, leaves, out_shape, *, padding: int, pool: int) -> "Geometry":
        """From the arguments of ``functional.tree``; ``out_shape`` is (kernels, rows, columns) after pooling."""
        channels, height, width = (int(n) for n in shape)
        leaves = np.asarray(leaves, dtype=np.int64)
        high, wide = height + 2 * padding, width + 2 * padding
        c, y, x = np.indices((channels, height, width)).reshape(3, -1)
        i, j = np.indices(out_shape[1:]).reshape(2, -1, 1) * pool
        di, dj = np.indices((pool, pool)).reshape(2, 1, -1)
        return cls(leaves @ np.array([high * wide, wide, 1]), (c * high + y + padding) * wide + x + padding,
                   (i + di) * wide + j + dj, channels * high * wide)


@jit
def _fill(x, place, start, block, lanes):
    """Columns ``start ..`` of ``x`` into their rows of the padded image; everything else is 0."""
    literally(lanes)
    block[:] = 0
    n = min(lanes, x.shape[1] - start)
    for f in range(len(x)):
        for s in range(n):
            block[place[f] * lanes + s] = x[f, start + s]


@inlined
def _node1(block, base, leaves, c, j, lanes):
    """Gate ``j`` above two leaves. ``_node2`` and ``_node3`` are the gates above two of these; nothing leaves the registers."""
    literally(lanes)
    a = load(block, (base + leaves[2 * j]) * lanes, lanes)
    return gate(a, load(block, (base + leaves[2 * j + 1]) * lanes, lanes), c, j, lanes)


@inlined
def _node2(block, base, leaves, c, j, lanes):
    literally(lanes)
    a = _node1(block, base, leaves, c, 2 * j, lanes)
    return gate(a, _node1(block, base, leaves, c, 2 * j + 1, lanes), c, len(leaves) // 2 + j, lanes)


@inlined
def _node3(block, base, leaves, c, j, lanes):
    literally(lanes)
    a = _node2(block, base, leaves, c, 2 * j, lanes)
    return gate(a, _node2(block, base, leaves, c, 2 * j + 1, lanes), c, len(leaves) * 3 // 4 + j, lanes)


@inlined
def _tree(block, base, leaves, c, v, lanes):
    """The root of one tree at one position; a tree of depth three or more goes through the rows of ``v``."""
    literally(lanes)
    if len(leaves) == 2:
        return _node1(block, base, leaves, c, 0, lanes)
    if len(leaves) == 4:
        return _node2(block, base, leaves, c, 0, lanes)
    _rows(block, base, leaves, c, v, lanes)
    return load(v, 2 * (len(leaves) // 8 - 1) * lanes, lanes)


@inlined
def _rows(block, base, leaves, c, v, lanes):
    """The gates of the third level and above, one row of ``v`` each; the root is the last."""
    literally(lanes)
    n = len(leaves) // 8
    for j in range(n):
        store(_node3(block, base, leaves, c, j, lanes), v, j * lanes)
    for g in range(n, 2 * n - 1):
        below = 2 * (g - n)
        a = load(v, below * lanes, lanes)
        store(gate(a, load(v, (below + 1) * lanes, lanes), c, len(leaves) * 7 // 8 + g - n, lanes), v, g * lanes)


@jit
def _forward_block(x, place, leaves, bases, index, c, out, winner, start, block, v, lanes):
    literally(lanes)
    _fill(x, place, start, block, lanes)
    samples = min(lanes, x.shape[1] - start)
    for k in range(len(leaves)):
        for w in range(len(bases)):
            best = splat(c.dtype.type(-np.inf), lanes)
            first = splat(index[0], lanes)
            for p in range(bases.shape[1]):
                found = _tree(block, bases[w, p], leaves[k], c[k], v, lanes)
                first = where_greater(found, best, splat(index[p], lanes), first)
                best = where_greater(found, best, found, best)
            row = k * len(bases) + w
            store(best, v, 0)
            store(first, v, lanes)
            for s in range(samples):
                out[row, start + s] = v[s]
                winner[row, start + s] = v[lanes + s]


@jit
def _forward(x, place, leaves, bases, index, c, out, winner, starts, block, v):
    for start in starts:
        _forward_block(x, place, leaves, bases, index, c, out, winner, start, block, v, WIDE)


@inlined
def _sums(y, ya, b, sums_of, g, lanes):
    """Add a gate's ``y'``, ``y'a``, ``y'b`` and ``y'ab`` to its four rows of ``sums_of``."""
    literally(lanes)
    add_folded(y, sums_of, 4 * g * NARROW, NARROW)
    add_folded(ya, sums_of, (4 * g + 1) * NARROW, NARROW)
    add_folded(y * b, sums_of, (4 * g + 2) * NARROW, NARROW)
    add_folded(ya * b, sums_of, (4 * g + 3) * NARROW, NARROW)


@inlined
def _slope(y, other, slopes, g, operand, lanes):
    """The gradient of a gate's operand (1 or 2), given the ``other`` one."""
    literally(lanes)
    return y * (splat(slopes[g, operand], lanes) + splat(slopes[g, 3], lanes) * other)


@inlined
def _down1(block, leaves, c, slopes, j, y, sums_of, leaf_grad, lanes):
    """Gate ``j`` above two leaves backward, ``y`` its gradient; ``leaf_grad`` becomes the leaves', if it has any rows.

    Row ``j`` of ``block`` and of ``leaf_grad`` is leaf ``j``. Equations as in ``stack._gradient``. ``_down2`` and ``_down3`` are the
    gates above two of these, which they compute again.
    """
    literally(lanes)
    ia, ib = 2 * j * lanes, (2 * j + 1) * lanes
    a, b = load(block, ia, lanes), load(block, ib, lanes)
    _sums(y, y * a, b, sums_of, j, lanes)
    if len(leaf_grad):
        store(_slope(y, b, slopes, j, 1, lanes), leaf_grad, ia)
        store(_slope(y, a, slopes, j, 2, lanes), leaf_grad, ib)


@inlined
def _down2(block, leaves, c, slopes, j, y, sums_of, leaf_grad, lanes):
    literally(lanes)
    g = len(leaves) // 2 + j
    a = _node1(block, 0, leaves, c, 2 * j, lanes)
    b = _node1(block, 0, leaves, c, 2 * j + 1, lanes)
    _sums(y, y * a, b, sums_of, g, lanes)
    _down1(block, leaves, c, slopes, 2 * j, _slope(y, b, slopes, g, 1, lanes), sums_of, leaf_grad, lanes)
    _down1(block, leaves, c, slopes, 2 * j + 1, _slope(y, a, slopes, g, 2, lanes), sums_of, leaf_grad, lanes)


@inlined
def _down3(block, leaves, c, slopes, j, y, sums_of, leaf_grad, lanes):
    literally(lanes)
    g = len(leaves) * 3 // 4 + j
    a = _node2(block, 0, leaves, c, 2 * j, lanes)
    b = _node2(block, 0, leaves, c, 2 * j + 1, lanes)
    _sums(y, y * a, b, sums_of, g, lanes)
    _down2(block, leaves, c, slopes, 2 * j, _slope(y, b, slopes, g, 1, lanes), sums_of, leaf_grad, lanes)
    _down2(block, leaves, c, slopes, 2 * j + 1, _slope(y, a, slopes, g, 2, lanes), sums_of, leaf_grad, lanes)


@inlined
def _descend(block, leaves, c, slopes, v, grad, y, sums_of, leaf_grad, lanes):
    """One tree backward, ``y`` the root's gradient; ``v`` and ``grad`` are rows from the third level on."""
    literally(lanes)
    if len(leaves) == 2:
        _down1(block, leaves, c, slopes, 0, y, sums_of, leaf_grad, lanes)
    elif len(leaves) == 4:
        _down2(block, leaves, c, slopes, 0, y, sums_of, leaf_grad, lanes)
    else:
        n = len(leaves) // 8
        if n > 1:
            _rows(block, 0, leaves, c, v, lanes)
        store(y, grad, (2 * n - 2) * lanes)
        for row in range(2 * n - 2, n - 1, -1):
            left, g = 2 * (row - n), len(leaves) * 7 // 8 + row - n
            a, b, y = load(v, left * lanes, lanes), load(v, (left + 1) * lanes, lanes), load(grad, row * lanes, lanes)
            _sums(y, y * a, b, sums_of, g, lanes)
            store(_slope(y, b, slopes, g, 1, lanes), grad, left * lanes)
            store(_slope(y, a, slopes, g, 2, lanes), grad, (left + 1) * lanes)
        for j in range(n):
            _down3(block, leaves, c, slopes, j, load(grad, j * lanes, lanes), sums_of, leaf_grad, lanes)


@inlined
def _collect(block, bases, leaves, won, index, leaf_values, lanes):
    """The leaves of each lane's winning position ``won``, side by side."""
    literally(lanes)
    for j in range(len(leaves)):
        found = load(block, (bases[0] + leaves[j]) * lanes, lanes)
        for p in range(1, len(bases)):
            found = where_equal(won, splat(index[p], lanes), load(block, (bases[p] + leaves[j]) * lanes, lanes), found)
        store(found, leaf_values, j * lanes)


@inlined
def _spread(leaf_grad, bases, leaves, won, index, below, lanes):
    """Gradients of the leaves, added where ``_collect`` took them from."""
    literally(lanes)
    zero = splat(index[0], lanes)
    for j in range(len(leaves)):
        y = load(leaf_grad, j * lanes, lanes)
        for p in range(len(bases)):
            at = (bases[p] + leaves[j]) * lanes
            store(load(below, at, lanes) + where_equal(won, splat(index[p], lanes), y, zero), below, at)


@jit
def _backward_block(x, grad_out, winner, place, leaves, bases, index, c, slopes, dc, dx, start, block, v, grad, sums_of,
                    upper, won, leaf_values, leaf_grad, below, rows, lanes):
    """A lane's gradient goes through one position of each window alone, so that its tree is computed once, on leaves side by side."""
    literally(lanes)
    _fill(x, place, start, block, lanes)
    to_block(grad_out, start, upper, lanes)
    to_block(winner, start, won, lanes)
    below[:] = 0
    for k in range(len(leaves)):
        sums_of[:] = 0
        for w in range(len(bases)):
            row = (k * len(bases) + w) * lanes
            position = load(won, row, lanes)
            _collect(block, bases[w], leaves[k], position, index, leaf_values, lanes)
            _descend(leaf_values, rows, c[k], slopes[k], v, grad, load(upper, row, lanes), sums_of, leaf_grad, lanes)
            if len(below):
                _spread(leaf_grad, bases[w], leaves[k], position, index, below, lanes)
        flat = dc[k].reshape(-1)
        for g in range(c.shape[1]):
            at = 4 * g * NARROW
            found = sums(load(sums_of, at, NARROW), load(sums_of, at + NARROW, NARROW), load(sums_of, at + 2 * NARROW, NARROW),
                         load(sums_of, at + 3 * NARROW, NARROW))
            store(load(flat, 4 * g, 4) + found, flat, 4 * g)
    for f in range(len(dx)):
        for s in range(min(lanes, x.shape[1] - start)):
            dx[f, start + s] = below[place[f] * lanes + s]


@jit
def _backward(x, grad_out, winner, place, leaves, bases, index, c, slopes, dc, dx, starts, block, v, grad, sums_of, upper, won,
              leaf_values, leaf_grad, below):
    dc[:] = 0
    rows = np.arange(leaves.shape[1])
    for start in starts:
        _backward_block(x, grad_out, winner, place, leaves, bases, index, c, slopes, dc, dx, start, block, v, grad, sums_of, upper, won,
                        leaf_values, leaf_grad, below, rows, WIDE)


def forward(x, geometry: Geometry, c):
    """``x`` (inputs, samples) -> pooled outputs (kernels windows, samples) and the winning position of each window, uint8."""
    outputs = len(geometry.leaves) * len(geometry.bases)
    out, winner = np.empty((outputs, x.shape[1]), c.dtype), np.empty((outputs, x.shape[1]), np.uint8)
    parts, index = cut(x.shape[1]), np.arange(geometry.bases.shape[1], dtype=c.dtype)

    def work(part):
        block, v = workspace(c.dtype, geometry.rows * WIDE, max(2, c.shape[1]) * WIDE)
        _forward(x, geometry.place, geometry.leaves, geometry.bases, index, c, out, winner, parts[part], block, v)

    run_parts(work, len(parts))
    return out, winner


def backward(x, grad_out, winner, geometry: Geometry, c, slopes, want_dx):
    """Gradients of ``forward``: table values (kernels gates, 4) and, if wanted, inputs."""
    parts, index = cut(x.shape[1], c.nbytes), np.arange(geometry.bases.shape[1], dtype=c.dtype)
    dc = np.empty((len(parts), *c.shape), c.dtype)
    dx = np.empty((len(x) if want_dx else 0, x.shape[1]), c.dtype)
    leaves = geometry.leaves.shape[1]
    sizes = [geometry.rows, c.shape[1], c.shape[1], 4 * c.shape[1], len(winner), len(winner), leaves, leaves * want_dx,
             geometry.rows * want_dx]

    def work(part):
        buffers = workspace(c.dtype, *(WIDE * n for n in sizes))
        _backward(x, grad_out, winner, geometry.place, geometry.leaves, geometry.bases, index, c, slopes, dc[part], dx, parts[part],
                  *buffers)

    run_parts(work, len(parts))
    dp = value_gradients(dc.reshape(len(parts), -1, 4))
    return dp, dx
