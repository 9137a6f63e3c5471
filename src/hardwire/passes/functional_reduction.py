"""Nets that always agree, made one: simulation proposes, exhaustive truth tables over a common cut decide."""

import numpy as np

from ..circuit import Circuit
from .netlist import XOR, Netlist, read, write
from .rewriting import HEAD

WORDS = 64  #: 4,096 random samples tell nets apart before anything is proved
CUT = 14  #: leaves of a proof's cut; its tables hold 2^CUT bits
CONE = 200  #: nodes of a proof's cone
BASE = (0xAAAAAAAAAAAAAAAA, 0xCCCCCCCCCCCCCCCC, 0xF0F0F0F0F0F0F0F0, 0xFF00FF00FF00FF00, 0xFFFF0000FFFF0000,
        0xFFFFFFFF00000000)  #: the truth tables of six variables
TRIES = 3  #: earlier nets with the same signature that are tried


def merge(circuit: Circuit) -> Circuit:
    """Replace a net by an earlier one, or a constant, that provably equals it, up to complement.

    Two nets are equal where their truth tables over a common cut are; so the result is exact, and equalities that
    show only beyond ``CUT`` leaves are missed. Correlated encoder bits are seen through, down to the sensor's bits.
    """
    old, old_literal = read(circuit, share=True)
    group = _groups(signatures(old))
    members: dict[int, list[int]] = {int(group[0]): [0]}
    new = Netlist(old.first, share=True)
    literal = [*range(0, 2 * old.first, 2)]
    for net in range(2, old.first):
        members.setdefault(int(group[net]), []).append(net)
    for net, fanin, table, stage in zip(range(old.first, len(group)), old.fanin, old.table, old.stage):
        x = new.add(table, [literal[f] for f in fanin], stage)
        literal.append(_representative(new, x, members, int(group[net]), stage) if group[net] >= 0 and stage != HEAD else x)
    return write(new, circuit, [literal[x >> 1] ^ (x & 1) for x in old_literal])


def _representative(netlist: Netlist, x: int, members: dict[int, list[int]], group: int, stage: int) -> int:
    known = members.setdefault(group, [])
    net = x >> 1
    if net in known or net < netlist.first:
        return x
    for other in known[:TRIES]:
        if other >= netlist.first and netlist.stage[other - netlist.first] > stage:
            continue
        if equal(netlist, net, other):
            return 2 * other ^ (x & 1)
    known.append(net)
    return x


def signatures(netlist: Netlist) -> np.ndarray:
    """Values of every net on random samples, packed, shape (nets, WORDS); sample 0 is all false, and so is every net."""
    rng = np.random.default_rng(2022)
    values = np.zeros((netlist.first + len(netlist.table), WORDS), dtype=np.uint64)
    leaves = rng.integers(0, 1 << 64, (3, netlist.first - 2, WORDS), dtype=np.uint64)
    quarter = WORDS // 4
    leaves[0, :, :quarter] &= leaves[1, :, :quarter] & leaves[2, :, :quarter]
    leaves[0, :, quarter : 2 * quarter] |= leaves[1, :, quarter : 2 * quarter] | leaves[2, :, quarter : 2 * quarter]
    values[2 : netlist.first] = leaves[0]
    values[: netlist.first, 0] &= ~np.uint64(1)
    for net, fanin, table in zip(range(netlist.first, len(values)), netlist.fanin, netlist.table):
        evaluate(table, [values[f] for f in fanin], values[net])
    return values


def evaluate(table: int, operands: list[np.ndarray], out: np.ndarray) -> None:
    """A table that is false at address 0 over packed operands, bit by bit."""
    if len(operands) == 2:
        a, b = operands
        if table == XOR:
            np.bitwise_xor(a, b, out=out)
        elif table == 0b1110:
            np.bitwise_or(a, b, out=out)
        elif table == 0b1000:
            np.bitwise_and(a, b, out=out)
        else:
            np.bitwise_xor(a if table == 0b0010 else b, a & b, out=out)
        return
    out[:] = 0
    for m in (m for m in range(1 << len(operands)) if table >> m & 1):
        term = np.bitwise_and.reduce([x if m >> i & 1 else ~x for i, x in enumerate(operands)])
        out |= term


def _groups(values: np.ndarray) -> np.ndarray:
    """A number for each signature that several nets, or the constant, share; -1 for the others."""
    rows = np.ascontiguousarray(values).view(f"V{values.shape[1] * 8}").ravel()
    seen: dict[bytes, int] = {}
    group = np.array([seen.setdefault(row.tobytes(), i) for i, row in enumerate(rows)])
    count = np.bincount(group, minlength=len(group))
    return np.where((count[group] > 1) | (group == group[0]), group, -1)


def equal(netlist: Netlist, a: int, b: int) -> bool:
    """Are the truth tables of nets ``a`` and ``b`` over a common cut equal?"""
    found = _cut(netlist, a, b)
    if found is None:
        return False
    leaves, cone = found
    tables = dict(zip(leaves, projections(len(leaves))))
    words = max(1, (1 << len(leaves)) // 64)
    tables[0] = np.zeros(words, dtype=np.uint64)
    for net in cone:
        tables[net] = out = np.empty(words, dtype=np.uint64)
        evaluate(netlist.table[net - netlist.first], [tables[f] for f in netlist.fanin[net - netlist.first]], out)
    return bool(np.array_equal(tables[a], tables[b]))


def projections(k: int) -> list[np.ndarray]:
    """The truth tables of ``k`` variables, packed into max(1, 2^k / 64) words; shorter ones repeat."""
    words = max(1, (1 << k) // 64)
    low = [np.full(words, table, dtype=np.uint64) for table in BASE[:k]]
    index = np.arange(words, dtype=np.uint64)
    return low + [np.where(index >> np.uint64(i - 6) & np.uint64(1), np.uint64(2**64 - 1), np.uint64(0)) for i in range(6, k)]


def _cut(netlist: Netlist, a: int, b: int):
    """The deepest cut of at most ``CUT`` leaves met by expanding the highest leaf first, and its cone, ascending."""
    leaves, cone, best = {a, b} - {0}, [], None
    while len(cone) < CONE:
        top = max(leaves)
        if top < netlist.first:
            break
        leaves.remove(top)
        leaves.update(netlist.fanin[top - netlist.first])
        cone.append(top)
        if len(leaves) <= CUT:
            best = len(cone), sorted(leaves)
        elif len(leaves) > 2 * CUT:
            break
    return None if best is None else (best[1], cone[best[0] - 1 :: -1])
