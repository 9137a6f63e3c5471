"""A netlist as arrays of and-gates and exclusive ors, the form that cut rewriting works on."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..core.gates import TABLE
from .netlist import Netlist

LEAF, AND, XOR = 0, 1, 2
_INVERTED = {TABLE["AND"]: (0, 0), TABLE["A_AND_NOT_B"]: (0, 1), TABLE["B_AND_NOT_A"]: (1, 0), TABLE["OR"]: (1, 1)}


class Xag(NamedTuple):
    """Live gates of two literals each, in topological order.

    Parameters
    ----------
    first
        Nets below it are the constant and the inputs.
    kind
        ``LEAF``, ``AND`` or ``XOR`` of each net, shape (n,).
    a, b
        Literals with ``a < b``, shape (n,); those of an exclusive or are plain.
    stage
        Of each net, shape (n,).
    roots
        The literals that are needed.
    """

    first: int
    kind: NDArray[np.int64]
    a: NDArray[np.int64]
    b: NDArray[np.int64]
    stage: NDArray[np.int64]
    roots: NDArray[np.int64]


def to_xag(netlist: Netlist, roots: list[int]) -> Xag:
    """What the literals ``roots`` need of a netlist of two-input nodes."""
    place = list(range(0, 2 * netlist.first, 2)) + [0] * len(netlist.table)
    rows = [(LEAF, 0, 0, 0)] * netlist.first
    for net, table, fanin in netlist.rows(netlist.live(roots)):
        a, b = (place[f] ^ inverted for f, inverted in zip(fanin, _INVERTED.get(table, (0, 0)), strict=True))
        kind, complement = AND, int(table == TABLE["OR"])
        if table == TABLE["XOR"]:
            kind, complement, a, b = XOR, (a ^ b) & 1, a & ~1, b & ~1
        place[net] = 2 * len(rows) ^ complement
        rows.append((kind, min(a, b), max(a, b), netlist.stage[net - netlist.first]))
    kinds, left, right, stages = np.array(rows, dtype=np.int64).T
    ends = np.array([place[x >> 1] ^ (x & 1) for x in roots], dtype=np.int64)
    return Xag(netlist.first, kinds, left, right, stages, ends)


def from_xag(xag: Xag) -> tuple[Netlist, list[int]]:
    """The graph as a netlist, and the literals of its roots."""
    netlist, literal = Netlist(xag.first), list(range(0, 2 * xag.first, 2))
    columns = (column[xag.first :].tolist() for column in (xag.kind, xag.a, xag.b, xag.stage))
    for kind, a, b, stage in zip(*columns, strict=True):
        operands = literal[a >> 1] ^ (a & 1), literal[b >> 1] ^ (b & 1)
        literal.append(netlist.add(TABLE["XOR" if kind == XOR else "AND"], operands, stage))
    return netlist, [literal[x >> 1] ^ (x & 1) for x in xag.roots.tolist()]
