"""``reference.graph``: a network without layers, a block of samples through all of its nodes.

Arrays of all functions here, ``float`` one type throughout: ``x`` (inputs, samples) float, any strides; ``p`` (sum of
2^arity,) float, table values. A row of a block holds an input or a node, by its number.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ....core.jit import inner_inlined, jit
from ....core.simd import flat, load, load_row, store, store_row, sums, width
from .blocks import WIDE, Buffer, cut, run_blocks
from .lut import fold, unfold, views
from .rows import add_parts, clear, from_block, to_block


class Plan(NamedTuple):
    """What the kernels read of a graph.

    Attributes
    ----------
    fanin : (nodes, k) int32, numbers of the operands
    arity : (nodes,) int64
    place : (nodes,) int64, where in ``p`` the table of each node begins
    live : nodes that an output depends on, ascending, int64
    outputs : (m,) int32, numbers of the outputs
    """

    fanin: NDArray[np.int32]
    arity: NDArray[np.int64]
    place: NDArray[np.int64]
    live: NDArray[np.int64]
    outputs: NDArray[np.int32]

    @classmethod
    def of(cls, inputs: int, fanin: NDArray[np.int32], arity: NDArray[np.uint8], outputs: NDArray[np.int32]) -> "Plan":
        """Make it from the arguments of ``reference.graph``."""
        wide = arity.astype(np.int64)
        order = np.argsort(wide, kind="stable")
        place = np.empty(len(wide), dtype=np.int64)
        place[order] = np.cumsum(1 << wide[order]) - (1 << wide[order])
        needed = np.zeros(inputs + len(wide), dtype=np.bool_)
        needed[outputs] = True
        _need(fanin, wide, needed, inputs)
        return cls(fanin, wide, place, np.flatnonzero(needed[inputs:]), outputs)

    def levels(self, inputs: int) -> NDArray[np.int64]:
        """(nodes,) one more than the highest level of the operands; that of inputs is 0."""
        level = np.zeros(inputs + len(self.fanin), dtype=np.int64)
        _level(self.fanin, self.arity, level, inputs)
        return level[inputs:]

    @property
    def rows(self) -> int:
        """Workspace rows for the levels of one table."""
        return 1 << int(self.arity.max(initial=2))


class _Forward(NamedTuple):
    """Workspace: inputs and nodes; the levels of one table, see ``lut``."""

    block: Buffer
    v: Buffer


class _Backward(NamedTuple):
    """Workspace: inputs and nodes; their gradients; the levels of one table, and the gradients of a level."""

    block: Buffer
    below: Buffer
    v: Buffer
    y: Buffer


@jit
def _need(fanin, arity, needed, inputs):
    """Mark the operands of what is needed, from the last node on."""
    for j in range(len(fanin) - 1, -1, -1):
        if needed[inputs + j]:
            for i in range(arity[j]):
                needed[fanin[j, i]] = True


@jit
def _level(fanin, arity, level, inputs):
    for j in range(len(fanin)):
        for i in range(arity[j]):
            level[inputs + j] = max(level[inputs + j], level[fanin[j, i]] + 1)


@inner_inlined
def _run(block, inputs, plan, p, v, view):
    """All live nodes: rows ``inputs ..`` of ``block``."""
    fanin, arity, place, live, _ = plan  # apart: reading a field of a tuple counts references, too slow within loops
    for j in live:
        at, k = place[j], arity[j]
        if k == 2:
            a, b = load_row(block, fanin[j, 0]), load_row(block, fanin[j, 1])
            low, high = p[at] + (p[at + 1] - p[at]) * a, p[at + 2] + (p[at + 3] - p[at + 2]) * a
            store_row(low + (high - low) * b, block, inputs + j)
        else:
            fold(block, fanin[j, :k], p[at : at + (1 << k)], v, view)
            store_row(load_row(v, (1 << k) - 2), block, inputs + j)


@jit
def _forward(x, plan, p, seen, out, work, begin, end, fresh):
    block, v = work
    outputs, lanes, numbers = plan.outputs, width(block), flat(block)
    for start in range(begin, end, WIDE):
        to_block(x, start, block)
        _run(block, len(x), plan, p, v, (seen[0, 0], seen[0, 1]))
        for f in range(len(outputs)):
            for s in range(min(lanes, x.shape[1] - start)):
                out[f, start + s] = numbers[outputs[f] * lanes + s]


@inner_inlined
def _gate(block, below, p, at, dp, y, left, right, view):
    """A node of two operands backward; the slopes are taken at operands as ``view`` (offset, scale) shows them."""
    a, b = load_row(block, left), load_row(block, right)
    ya, yb = y * a, y * b
    both = ya * b
    store(load(dp, at, 4) + sums(y - ya - yb + both, ya - both, yb - both, both), dp, at)
    c1, c2, c3 = p[at + 1] - p[at], p[at + 2] - p[at], p[at + 3] - p[at + 2] - p[at + 1] + p[at]
    store_row(load_row(below, left) + y * (view[1] * (c1 + c3 * view[0]) + view[1] * view[1] * c3 * b), below, left)
    store_row(load_row(below, right) + y * (view[1] * (c2 + c3 * view[0]) + view[1] * view[1] * c3 * a), below, right)


@jit
def _backward(x, grad_out, plan, p, seen, dp, dx, work, begin, end, fresh):
    block, below, v, y_rows = work
    fanin, arity, place, live, outputs = plan
    plain, blurred = (seen[0, 0], seen[0, 1]), (seen[1, 0], seen[1, 1])
    same, inputs, lanes, gradients = plain[1] == blurred[1], len(x), width(below), flat(below)
    for start in range(begin, end, WIDE):
        to_block(x, start, block)
        _run(block, inputs, plan, p, v, plain)
        clear(below, len(below))
        for f in range(len(outputs)):
            for s in range(min(lanes, x.shape[1] - start)):
                gradients[outputs[f] * lanes + s] += grad_out[f, start + s]
        for n in range(len(live) - 1, -1, -1):
            j = live[n]
            at, k = place[j], arity[j]
            y = load_row(below, inputs + j)
            if k == 2:
                _gate(block, below, p, at, dp, y, fanin[j, 0], fanin[j, 1], blurred)
                continue
            own, table, sums_of = fanin[j, :k], p[at : at + (1 << k)], dp[at : at + (1 << k)]
            fold(block, own, table, v, plain)
            store_row(y, y_rows, 0)
            unfold(block, own, table, v, y_rows, sums_of, below, plain, True, same)
            if not same:
                fold(block, own, table, v, blurred)
                store_row(y, y_rows, 0)
                unfold(block, own, table, v, y_rows, sums_of, below, blurred, False, True)
        from_block(below, dx, start)


def forward(x: NDArray[Any], plan: Plan, p: NDArray[Any]) -> NDArray[Any]:
    """Return the outputs (m, samples), C-contiguous."""
    samples = x.shape[1]
    out, seen = np.empty((len(plan.outputs), samples), p.dtype), views(p.dtype, False)
    rows = _Forward(block=len(x) + len(plan.fanin), v=plan.rows)
    run_blocks(_forward, lambda part: (x, plan, p, seen, out), cut(samples), samples, rows, p.dtype, forward=True)
    return out


def backward(
    x: NDArray[Any], grad_out: NDArray[Any], plan: Plan, p: NDArray[Any], efd: bool, want_dx: bool
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the gradients of ``forward``; with ``efd`` the operands' are extended finite differences.

    Returns
    -------
    dp : (sum of 2^arity,), of the table values
    dx : (inputs, samples), or (0, samples) unless ``want_dx``
    """
    samples = x.shape[1]
    parts = cut(samples, p.nbytes)
    dp = np.zeros((len(parts), *p.shape), p.dtype)
    dx = np.empty((len(x) if want_dx else 0, samples), p.dtype)
    seen, numbers = views(p.dtype, efd), len(x) + len(plan.fanin)
    rows = _Backward(block=numbers, below=numbers, v=plan.rows, y=plan.rows)
    run_blocks(_backward, lambda part: (x, grad_out, plan, p, seen, dp[part], dx), parts, samples, rows, p.dtype)
    add_parts(dp)
    return dp[0], dx
