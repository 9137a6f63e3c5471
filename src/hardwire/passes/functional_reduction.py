"""Functional reduction: simulation proposes nets that always agree, truth tables over a common cut decide."""

import numpy as np
from numpy.typing import NDArray

from ..circuit import Circuit
from ..core.truth_tables import evaluate, packed_projections
from .netlist import HEAD, Netlist, from_circuit, to_circuit

WORDS = 64  #: 4,096 random samples tell nets apart before anything is proved
CUT = 14  #: leaves of a proof's cut; its tables hold 2^CUT bits
CONE = 200  #: nodes of a proof's cone
TRIES = 3  #: earlier nets with the same signature that are tried


def reduce_functionally(circuit: Circuit) -> Circuit:
    """Replace a net by an earlier one, or a constant, that provably equals it, up to complement.

    Two nets are equal where their truth tables over a common cut are; so the result is exact, and equalities that
    show only beyond ``CUT`` leaves are missed. Correlated encoder bits are seen through, down to the sensor's bits.
    """
    old, old_literal = from_circuit(circuit, share=True)
    group = _groups(signatures(old))
    members: dict[int, list[int]] = {int(group[0]): [0]}
    new = Netlist(old.first, share=True)
    literal = [*range(0, 2 * old.first, 2)]
    for net in range(2, old.first):
        members.setdefault(int(group[net]), []).append(net)
    nodes = zip(group[old.first :].tolist(), old.fanin, old.table, old.stage, strict=True)
    for same, fanin, table, stage in nodes:
        x = new.add(table, [literal[f] for f in fanin], stage)
        if same >= 0 and stage != HEAD:
            x = _representative(new, x, members.setdefault(same, []), stage)
        literal.append(x)
    return to_circuit(new, circuit, [literal[x >> 1] ^ (x & 1) for x in old_literal])


def _representative(netlist: Netlist, x: int, members: list[int], stage: int) -> int:
    """The literal of an earlier member of its group that literal ``x`` equals, else ``x``, a new member."""
    net = x >> 1
    if net in members or net < netlist.first:
        return x
    for other in members[:TRIES]:
        if other >= netlist.first and netlist.stage[other - netlist.first] > stage:
            continue
        if equal(netlist, net, other):
            return 2 * other ^ (x & 1)
    members.append(net)
    return x


def signatures(netlist: Netlist) -> NDArray[np.uint64]:
    """Values of every net on random samples, packed, shape (nets, WORDS); sample 0 is all false, as is every net."""
    rng = np.random.default_rng(2022)
    values = np.zeros((netlist.first + len(netlist.table), WORDS), dtype=np.uint64)
    leaves = rng.integers(0, 1 << 64, (3, netlist.first - 2, WORDS), dtype=np.uint64)
    quarter = WORDS // 4
    leaves[0, :, :quarter] &= leaves[1, :, :quarter] & leaves[2, :, :quarter]
    leaves[0, :, quarter : 2 * quarter] |= leaves[1, :, quarter : 2 * quarter] | leaves[2, :, quarter : 2 * quarter]
    values[2 : netlist.first] = leaves[0]
    values[: netlist.first, 0] &= ~np.uint64(1)
    nodes = zip(netlist.fanin, netlist.table, strict=True)
    for net, (fanin, table) in enumerate(nodes, netlist.first):
        values[net] = evaluate(table, [values[f] for f in fanin])
    return values


def _groups(values: NDArray[np.uint64]) -> NDArray[np.int64]:
    """A number for each signature that several nets, or the constant, share; -1 for the others."""
    rows = np.ascontiguousarray(values).view(f"V{values.shape[1] * 8}").ravel()
    seen: dict[bytes, int] = {}
    group = np.array([seen.setdefault(row.tobytes(), i) for i, row in enumerate(rows)])
    count = np.bincount(group, minlength=len(group))
    return np.where((count[group] > 1) | (group == group[0]), group, -1)


def equal(netlist: Netlist, a: int, b: int) -> bool:
    """Whether the truth tables of nets ``a`` and ``b`` over a common cut are equal."""
    leaves, cone = _common_cut(netlist, a, b)
    if not cone:
        return False
    variables = packed_projections(len(leaves))
    tables = {0: np.zeros(variables.shape[1], dtype=np.uint64), **dict(zip(leaves, variables, strict=True))}
    for net, table, fanin in netlist.rows(cone):
        tables[net] = evaluate(table, [tables[f] for f in fanin])
    return bool(np.array_equal(tables[a], tables[b]))


def _common_cut(netlist: Netlist, a: int, b: int) -> tuple[list[int], list[int]]:
    """The deepest cut of at most ``CUT`` leaves met by expanding the highest leaf first, and its cone, ascending.

    Both are empty where there is none.
    """
    leaves, cone = {a, b} - {0}, list[int]()
    best: tuple[list[int], list[int]] = [], []
    while len(cone) < CONE:
        top = max(leaves)
        if top < netlist.first:
            break
        leaves.remove(top)
        leaves.update(netlist.fanin[top - netlist.first])
        cone.append(top)
        if len(leaves) <= CUT:
            best = sorted(leaves), cone[::-1]
        elif len(leaves) > 2 * CUT:
            break
    return best
