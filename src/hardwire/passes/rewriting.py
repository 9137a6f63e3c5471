"""Fewer gates for the same function: cuts of four leaves replaced by shortest chains of two-input gates."""

from typing import NamedTuple

import numpy as np

from ..circuit import STAGES, Circuit
from ..core.gates import TABLE
from ..core.truth_tables import cofactors
from ..cost import gate_cost
from .netlist import Netlist, named_nets, read, write

LEAF, AND, XOR = 0, 1, 2
#: The head's adder trees are minimal but for constants, and a proof is quick while both sides have the same trees: no pass
#: that searches touches this stage.
HEAD = STAGES.index("head")
AND_LIKE = {TABLE["AND"]: (0, 0), TABLE["A_AND_NOT_B"]: (0, 1), TABLE["B_AND_NOT_A"]: (1, 0), TABLE["OR"]: (1, 1)}


def rewrite(circuit: Circuit) -> Circuit:
    """Rewrite while gates are saved; cuts end at the border of a stage, so that each keeps its own gates.

    Nets that another stage reads, outputs and macros' nets keep their function. Tables of more than two inputs are
    taken apart first. The circuit comes back as it is where nothing is gained.
    """
    netlist, literal = read(circuit, share=True)
    named = sorted(named_nets(circuit))
    netlist, roots = in_two_inputs(netlist, [literal[n] for n in named])
    netlist, roots = from_xag(settle(to_xag(netlist, roots)))
    literal = [0] * circuit.n_nets
    for n, x in zip(named, roots):
        literal[n] = x
    result = write(netlist, circuit, literal)
    return result if _cost(result) < _cost(circuit) else circuit


def _cost(circuit: Circuit) -> int:
    return int(gate_cost(circuit.table, circuit.arity).sum())


def in_two_inputs(netlist: Netlist, roots: list[int]) -> tuple[Netlist, list[int]]:
    """What the literals ``roots`` need, wider tables as their Shannon expansions, and what became of ``roots``."""
    result, literal = Netlist(netlist.first), list(range(0, 2 * netlist.first, 2))
    literal += [0] * len(netlist.table)
    for net, table, fanin in netlist.rows(netlist.live(roots)):
        operands = [literal[f] for f in fanin]
        literal[net] = _gates(result, table, operands, netlist.stage[net - netlist.first])
    return result, [literal[x >> 1] ^ (x & 1) for x in roots]


def _gates(netlist: Netlist, table: int, operands: list[int], stage: int) -> int:
    k = len(operands)
    if k <= 2:
        return netlist.add(table, operands, stage)
    *rest, top = operands
    low, high = cofactors(table, k, k - 1)
    x = _gates(netlist, low, rest, stage)
    if low == high:
        return x
    if low == high ^ ((1 << (1 << (k - 1))) - 1):
        return netlist.add(TABLE["XOR"], (x, top), stage)
    y = _gates(netlist, high, rest, stage)
    parts = netlist.add(TABLE["AND"], (x, top ^ 1), stage), netlist.add(TABLE["AND"], (y, top), stage)
    return netlist.add(TABLE["OR"], parts, stage)


class Xag(NamedTuple):
    """Live and-gates and exclusive ors of literals, in topological order; nets below ``first`` are leaves."""

    first: int
    kind: np.ndarray  # (n,) LEAF, AND, XOR
    a: np.ndarray  # (n,) literals, a < b; those of an exclusive or are plain
    b: np.ndarray
    stage: np.ndarray
    roots: np.ndarray  # literals


def to_xag(netlist: Netlist, roots: list[int]) -> Xag:
    place = list(range(0, 2 * netlist.first, 2)) + [0] * len(netlist.table)
    rows = [(LEAF, 0, 0, 0)] * netlist.first
    for net, table, (a, b) in netlist.rows(netlist.live(roots)):
        flip_a, flip_b = AND_LIKE.get(table, (0, 0))
        a, b = place[a] ^ flip_a, place[b] ^ flip_b
        kind, flip = AND, table == TABLE["OR"]
        if table == TABLE["XOR"]:
            kind, flip, a, b = XOR, (a ^ b) & 1, a & ~1, b & ~1
        place[net] = 2 * len(rows) ^ flip
        rows.append((kind, min(a, b), max(a, b), netlist.stage[net - netlist.first]))
    arrays = np.array(rows, dtype=np.int64).T
    return Xag(netlist.first, *arrays, np.array([place[x >> 1] ^ (x & 1) for x in roots], dtype=np.int64))


def from_xag(xag: Xag) -> tuple[Netlist, list[int]]:
    netlist, literal = Netlist(xag.first), list(range(0, 2 * xag.first, 2))
    rows = (column[xag.first :].tolist() for column in (xag.kind, xag.a, xag.b, xag.stage))
    for kind, a, b, stage in zip(*rows):
        operands = literal[a >> 1] ^ (a & 1), literal[b >> 1] ^ (b & 1)
        literal.append(netlist.add(TABLE["XOR" if kind == XOR else "AND"], operands, stage))
    return netlist, [literal[x >> 1] ^ (x & 1) for x in xag.roots.tolist()]


def settle(xag: Xag) -> Xag:
    """Visit every node, again and again until a visit saves nothing."""
    from .chains import chains
    from .xag import rewrite_all, state

    while True:
        read_by = np.concatenate([xag.a[xag.first :], xag.b[xag.first :], xag.roots]) >> 1
        refs = np.bincount(read_by, minlength=len(xag.kind))
        s = state(xag.kind, xag.a, xag.b, xag.stage, refs, xag.first, *chains())
        if not rewrite_all(s, xag.first, len(xag.kind)):
            return xag
        order = s.order[: s.count[1]]
        order = np.concatenate([np.arange(xag.first), order[s.alive[order]]])
        place = np.zeros(len(s.kind), dtype=np.int64)
        place[order] = 2 * np.arange(len(order))
        a, b = place[s.a[order] >> 1] ^ (s.a[order] & 1), place[s.b[order] >> 1] ^ (s.b[order] & 1)
        ends = s.become[xag.roots >> 1] ^ (xag.roots & 1)
        xag = Xag(xag.first, s.kind[order], np.minimum(a, b), np.maximum(a, b), s.stage[order],
                  place[ends >> 1] ^ (ends & 1))
