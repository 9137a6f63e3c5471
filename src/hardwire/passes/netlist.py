"""Nodes under construction, the form that all passes share.

A *literal* is ``2 net + complement``; literal 0 is false, literal 1 true. A node reads plain nets in ascending order,
depends on each of them, and is false where all of them are false: every inversion lives in the literals that name
the node, never in a node of its own. So AND, NAND, NOR of ``~a`` with ``~b`` … are one node and one dictionary key.
"""

from functools import cache

import numpy as np

from ..circuit.check import check
from ..circuit.circuit import FIRST, Circuit, Macro
from ..core.gates import TABLE
from ..core.truth_tables import cofactors, support

INVERTER = 0b01
EITHER = TABLE["A"]  # of a net with itself: that net
XOR = TABLE["XOR"]


@cache
def flip_operands(table: int, k: int, mask: int) -> int:
    """The table of ``f(x ^ mask)``."""
    return sum((table >> (m ^ mask) & 1) << m for m in range(1 << k))


@cache
def reduce(table: int, pattern: tuple[int, ...]) -> tuple[int, tuple[int, ...], int]:
    """A table whose operand ``i`` is ``rank[i] ^ complement[i]``, in normal form.

    ``pattern[i] = 2 rank + complement`` where rank 0 is constant false. Returns the table over the ranks it depends
    on, false at address 0; those ranks, ascending; and the complement of the output.
    """
    ranks = sorted({p >> 1 for p in pattern} - {0})
    place = {0: 0, **{rank: 1 << i for i, rank in enumerate(ranks)}}
    k, result = len(ranks), 0
    for m in range(1 << k):
        address = sum((bool(m & place[p >> 1]) ^ (p & 1)) << i for i, p in enumerate(pattern))
        result |= (table >> address & 1) << m
    mask = support(result, k)
    for i in reversed(range(k)):
        if not mask >> i & 1:
            result, k = cofactors(result, k, i)[0], k - 1
    complement = result & 1
    if complement:
        result ^= (1 << (1 << k)) - 1
    return result, tuple(rank for i, rank in enumerate(ranks) if mask >> i & 1), complement


@cache
def compose(table: int, inner: tuple[int, int], places: tuple[int, int, int, int]) -> int:
    """The two-input table over nets x, y of ``table(f(...), g(...))``; ``places`` say which of x, y each operand is."""
    f, g = inner
    fa, fb, ga, gb = places
    result = 0
    for m in range(4):
        p = f >> ((m >> fa & 1) | (m >> fb & 1) << 1) & 1
        q = g >> ((m >> ga & 1) | (m >> gb & 1) << 1) & 1
        result |= (table >> (p | q << 1) & 1) << m
    return result


class Netlist:
    """Grows node by node; ``add`` returns a literal and adds a node only where none will do.

    ``share`` looks a node up before it is added. ``first`` is the net of the first node; nets below are leaves.
    """

    def __init__(self, first: int, *, share: bool = True):
        self.first, self.share = first, share
        self.fanin: list[tuple[int, ...]] = []
        self.table: list[int] = []
        self.stage: list[int] = []
        self._net: dict[tuple, int] = {}

    def add(self, table: int, literals, stage: int = 1) -> int:
        """The literal of ``table`` over ``literals``."""
        nets = sorted({0, *[x >> 1 for x in literals]})
        table, ranks, complement = reduce(table, tuple([2 * nets.index(x >> 1) + (x & 1) for x in literals]))
        operands = tuple([nets[r] for r in ranks])
        if len(operands) == 2:
            table, operands, more = self._collapse(table, *operands)
            complement ^= more
        if len(operands) < 2:
            return 2 * operands[0] + complement if operands else complement
        key = (table, *operands)
        net = self._net.get(key) if self.share else None
        if net is None:
            net = self._net[key] = self.first + len(self.table)
            self.fanin.append(operands)
            self.table.append(table)
            self.stage.append(stage)
        elif stage < self.stage[net - self.first]:
            self.stage[net - self.first] = stage
        return 2 * net + complement

    def rows(self, nets):
        """``(net, table, fanin)`` of each of the node ``nets``."""
        return [(net, self.table[net - self.first], self.fanin[net - self.first]) for net in nets]

    def live(self, literals) -> list[int]:
        """The nodes that ``literals`` need, ascending."""
        seen: set[int] = set()
        fresh = [x >> 1 for x in literals]
        while fresh:
            net = fresh.pop()
            if net >= self.first and net not in seen:
                seen.add(net)
                fresh += self.fanin[net - self.first]
        return sorted(seen)

    def _pair(self, net: int) -> tuple[int, ...]:
        return self.fanin[net - self.first] if net >= self.first else (net,)

    def _collapse(self, table: int, a: int, b: int) -> tuple[int, tuple[int, ...], int]:
        """Look through operands that are themselves gates of the same two nets: XOR of AND and NOR, a AND (a OR b)…"""
        fa, fb = self._pair(a), self._pair(b)
        if len(fa) == 2 and b in fa:
            pair, inner, places = fa, (self.table[a - self.first], EITHER), (0, 1, fa.index(b), fa.index(b))
        elif len(fb) == 2 and a in fb:
            pair, inner, places = fb, (EITHER, self.table[b - self.first]), (fb.index(a), fb.index(a), 0, 1)
        elif len(fa) == 2 and fa == fb:
            pair, inner, places = fa, (self.table[a - self.first], self.table[b - self.first]), (0, 1, 0, 1)
        else:
            return table, (a, b), 0
        table, ranks, complement = reduce(compose(table, inner, places), (2, 4))
        operands = tuple([pair[r - 1] for r in ranks])
        if len(operands) < 2:
            return table, operands, complement
        table, operands, more = self._collapse(table, *operands)
        return table, operands, complement ^ more


def read(circuit: Circuit, *, share: bool) -> tuple[Netlist, list[int]]:
    """The circuit as a netlist, and the literal of each of its nets."""
    netlist = Netlist(circuit.first_node, share=share)
    literal = [0, 1, *range(2 * FIRST, 2 * circuit.first_node, 2)]
    rows = zip(circuit.table.tolist(), circuit.fanin.tolist(), circuit.arity.tolist(), circuit.stage.tolist())
    for table, fanin, k, stage in rows:
        literal.append(netlist.add(table, [literal[f] for f in fanin[:k]], stage))
    return netlist, literal


def named_nets(circuit: Circuit) -> set[int]:
    """The nets whose function a pass keeps: outputs and what macros name."""
    return {*circuit.output_nets.tolist(), *[n for m in circuit.macros for n in (*m.inputs, *m.outputs)]}


def write(netlist: Netlist, circuit: Circuit, literal: list[int]) -> Circuit:
    """The netlist as a circuit with the words, outputs and macros of ``circuit``, whose nets have ``literal``.

    A node is stored in the polarity that outputs and macros ask for; an inverter follows it only when they ask for both.
    """
    named = named_nets(circuit)
    plain = {literal[n] >> 1 for n in named if not literal[n] & 1}
    stages = [0] * circuit.first_node + circuit.stage.tolist()
    inverted: dict[int, int] = {}
    for n in named:
        net = literal[n] >> 1
        if net and literal[n] & 1:
            inverted[net] = min(inverted.get(net, stages[n]), stages[n])
    flipped = {net for net in inverted if net >= netlist.first and net not in plain}
    rows, place, other = _number(netlist, flipped, inverted)

    def final(n: int) -> int:
        net, complement = literal[n] >> 1, literal[n] & 1
        if net == 0:
            return complement
        return other[net] if complement and net not in flipped else place[net]

    k = max([2, *[len(f) for f, _, _ in rows]])
    result = circuit.with_(
        fanin=np.array([f + (0,) * (k - len(f)) for f, _, _ in rows], dtype=np.int32).reshape(-1, k),
        table=np.array([t for _, t, _ in rows], dtype=np.uint64),
        arity=np.array([len(f) for f, _, _ in rows], dtype=np.uint8),
        stage=np.array([s for _, _, s in rows], dtype=np.uint8),
        output_nets=np.array([final(n) for n in circuit.output_nets.tolist()], dtype=np.int32),
        macros=tuple(Macro(m.kind, tuple(map(final, m.inputs)), tuple(map(final, m.outputs)), m.value)
                     for m in circuit.macros),
    )
    check(result)
    return result


def _number(netlist: Netlist, flipped: set[int], inverted: dict[int, int]):
    """Rows (fanin, table, stage) in order, the final net of each net, and of the inverse of those that have one."""
    place, rows, other = list(range(netlist.first)), [], {}
    for net in sorted(net for net in inverted if net < netlist.first):
        other[net] = netlist.first + len(rows)
        rows.append(((net,), INVERTER, inverted[net]))
    for net, (fanin, table, stage) in enumerate(zip(netlist.fanin, netlist.table, netlist.stage), netlist.first):
        k = len(fanin)
        if flipped:
            mask = sum((f in flipped) << i for i, f in enumerate(fanin))
            table = flip_operands(table, k, mask) if mask else table
            table ^= (1 << (1 << k)) - 1 if net in flipped else 0
        place.append(netlist.first + len(rows))
        rows.append((tuple([place[f] for f in fanin]), table, stage))
        if net in inverted and net not in flipped:
            other[net] = netlist.first + len(rows)
            rows.append(((place[net],), INVERTER, inverted[net]))
    return rows, place, other
