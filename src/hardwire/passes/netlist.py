"""Nodes under construction, the form that all passes share.

A *literal* is ``2 net + complement``; literal 0 is false, literal 1 true. A node reads plain nets in ascending order,
depends on each of them, and is false where all of them are false: every inversion lives in the literals that name
the node, never in a node of its own. So AND, NAND, NOR of ``~a`` with ``~b`` … are one node and one dictionary key.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, partial

import numpy as np

from ..circuit import STAGES
from ..circuit.check import check
from ..circuit.circuit import FIRST, Circuit, Macro
from ..core.truth_tables import compose, decompose, flip, ones, projection, shrink

INVERTER = 0b01
#: The head's adder trees are minimal but for constants, and a proof is quick while both sides have the same trees: no
#: pass that searches touches this stage.
HEAD = STAGES.index("head")


@cache
def normalise(table: int, pattern: tuple[int, ...]) -> tuple[int, tuple[int, ...], int]:
    """Bring a table whose operand ``i`` is ``rank[i] ^ complement[i]`` into the form of a node.

    Parameters
    ----------
    table
        Any table of ``len(pattern)`` operands.
    pattern
        ``pattern[i] = 2 rank + complement``, where rank 0 is constant false.

    Returns
    -------
    table
        Over the ranks that matter, false at address 0.
    ranks
        Those that matter, ascending.
    complement
        1 where the function is the inverse of ``table``.
    """
    ranks = sorted({p >> 1 for p in pattern} - {0})
    k = len(ranks)
    values = {0: 0, **{rank: projection(i, k) for i, rank in enumerate(ranks)}}
    table, kept = shrink(compose(table, [values[p >> 1] ^ ones(k) * (p & 1) for p in pattern], k), k)
    complement = table & 1
    return table ^ ones(len(kept)) * complement, tuple(ranks[i] for i in kept), complement


@cache
def _normalise_pair(table: int, left: int, right: int) -> tuple[int, tuple[int, ...], int]:
    """``normalise`` for ``table(left(x, y), right(x, y))``, the ranks of ``x`` and ``y`` being 1 and 2."""
    return normalise(compose(table, (left, right), 2), (2, 4))


class Netlist:
    """A network that grows node by node; ``add`` returns a literal and adds a node only where none will do.

    Parameters
    ----------
    first
        The net of the first node; nets below are leaves.
    share
        Look a node up before it is added: structural hashing.
    """

    def __init__(self, first: int, *, share: bool = True) -> None:
        self.first, self.share = first, share
        self.fanin: list[tuple[int, ...]] = []
        self.table: list[int] = []
        self.stage: list[int] = []
        self._net: dict[tuple[int, ...], int] = {}

    def add(self, table: int, literals: Sequence[int], stage: int = 1) -> int:
        """Add ``table`` over ``literals``; its literal. A node that is shared belongs to its earliest stage."""
        nets = sorted({0, *[x >> 1 for x in literals]})
        table, ranks, complement = normalise(table, tuple([2 * nets.index(x >> 1) + (x & 1) for x in literals]))
        operands = tuple([nets[r] for r in ranks])
        if len(operands) == 2:
            table, operands, inverse = self._collapse(table, *operands)
            complement ^= inverse
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

    def add_gate(self, stage: int, table: int, a: int, b: int) -> int:
        """``add`` as ``decompose`` calls it."""
        return self.add(table, (a, b), stage)

    def rows(self, nets: Iterable[int]) -> list[tuple[int, int, tuple[int, ...]]]:
        """``(net, table, fanin)`` of each of the node ``nets``."""
        return [(net, self.table[net - self.first], self.fanin[net - self.first]) for net in nets]

    def live(self, literals: Iterable[int]) -> list[int]:
        """The nodes that ``literals`` need, ascending."""
        seen: set[int] = set()
        stack = [x >> 1 for x in literals]
        while stack:
            net = stack.pop()
            if net >= self.first and net not in seen:
                seen.add(net)
                stack += self.fanin[net - self.first]
        return sorted(seen)

    def _pair(self, net: int) -> tuple[int, ...]:
        return self.fanin[net - self.first] if net >= self.first else (net,)

    def _collapse(self, table: int, a: int, b: int) -> tuple[int, tuple[int, ...], int]:
        """Look through operands that are gates of the same two nets: XOR of AND and NOR, a AND (a OR b)."""
        fa, fb = self._pair(a), self._pair(b)
        if len(fa) == 2 and b in fa:
            pair, left, right = fa, self.table[a - self.first], projection(fa.index(b), 2)
        elif len(fb) == 2 and a in fb:
            pair, left, right = fb, projection(fb.index(a), 2), self.table[b - self.first]
        elif len(fa) == 2 and fa == fb:
            pair, left, right = fa, self.table[a - self.first], self.table[b - self.first]
        else:
            return table, (a, b), 0
        table, ranks, complement = _normalise_pair(table, left, right)
        operands = tuple([pair[r - 1] for r in ranks])
        if len(operands) < 2:
            return table, operands, complement
        table, operands, inverse = self._collapse(table, *operands)
        return table, operands, complement ^ inverse


def from_circuit(circuit: Circuit, *, share: bool) -> tuple[Netlist, list[int]]:
    """The circuit as a netlist, and the literal of each of its nets."""
    netlist = Netlist(circuit.first_node, share=share)
    literal = [0, 1, *range(2 * FIRST, 2 * circuit.first_node, 2)]
    columns = (column.tolist() for column in (circuit.table, circuit.fanin, circuit.arity, circuit.stage))
    for table, fanin, k, stage in zip(*columns, strict=True):
        literal.append(netlist.add(table, [literal[f] for f in fanin[:k]], stage))
    return netlist, literal


def two_input_netlist(netlist: Netlist, roots: Iterable[int]) -> tuple[Netlist, list[int]]:
    """What the literals ``roots`` need, wider tables decomposed into gates, and what became of ``roots``."""
    roots = list(roots)
    result, literal = Netlist(netlist.first), list(range(0, 2 * netlist.first, 2))
    literal += [0] * len(netlist.table)
    for net, table, fanin in netlist.rows(netlist.live(roots)):
        add = partial(result.add_gate, netlist.stage[net - netlist.first])
        literal[net] = decompose(table, [literal[f] for f in fanin], add)
    return result, [literal[x >> 1] ^ (x & 1) for x in roots]


def kept_nets(circuit: Circuit) -> set[int]:
    """The nets whose function a pass keeps: outputs and what macros name."""
    return {*circuit.output_nets.tolist(), *[n for m in circuit.macros for n in (*m.inputs, *m.outputs)]}


def to_circuit(netlist: Netlist, circuit: Circuit, literal: Mapping[int, int] | Sequence[int]) -> Circuit:
    """The netlist as a circuit with the words, outputs and macros of ``circuit``.

    Parameters
    ----------
    netlist
        The nodes.
    circuit
        What they replace.
    literal
        The literal of each of the nets that ``kept_nets`` names.

    Notes
    -----
    A node is stored in the polarity that outputs and macros ask for; an inverter follows only where they ask for both.
    """
    kept = kept_nets(circuit)
    plain = {literal[n] >> 1 for n in kept if not literal[n] & 1}
    stages = [0] * circuit.first_node + circuit.stage.tolist()
    inverted: dict[int, int] = {}
    for n in kept:
        net = literal[n] >> 1
        if net and literal[n] & 1:
            inverted[net] = min(inverted.get(net, stages[n]), stages[n])
    flipped = {net for net in inverted if net >= netlist.first and net not in plain}
    rows, place, inverse = _number(netlist, flipped, inverted)

    def final(n: int) -> int:
        net, complement = literal[n] >> 1, literal[n] & 1
        if net == 0:
            return complement
        return inverse[net] if complement and net not in flipped else place[net]

    k = max([2, *[len(fanin) for fanin, _, _ in rows]])
    result = circuit.with_(
        fanin=np.array([fanin + (0,) * (k - len(fanin)) for fanin, _, _ in rows], dtype=np.int32).reshape(-1, k),
        table=np.array([table for _, table, _ in rows], dtype=np.uint64),
        arity=np.array([len(fanin) for fanin, _, _ in rows], dtype=np.uint8),
        stage=np.array([stage for _, _, stage in rows], dtype=np.uint8),
        output_nets=np.array([final(n) for n in circuit.output_nets.tolist()], dtype=np.int32),
        macros=tuple(Macro(m.kind, tuple(map(final, m.inputs)), tuple(map(final, m.outputs)), m.value)
                     for m in circuit.macros),
    )
    check(result)
    return result


def _number(netlist: Netlist, flipped: set[int],
            inverted: dict[int, int]) -> tuple[list[tuple[tuple[int, ...], int, int]], list[int], dict[int, int]]:
    """Rows (fanin, table, stage) in order, the final net of each net, and of the inverse of those that have one."""
    place, inverse = list(range(netlist.first)), dict[int, int]()
    rows: list[tuple[tuple[int, ...], int, int]] = []
    for net in sorted(net for net in inverted if net < netlist.first):
        inverse[net] = netlist.first + len(rows)
        rows.append(((net,), INVERTER, inverted[net]))
    nodes = zip(netlist.fanin, netlist.table, netlist.stage, strict=True)
    for net, (fanin, table, stage) in enumerate(nodes, netlist.first):
        stored = table ^ ones(len(fanin)) if net in flipped else table
        for i, f in enumerate(fanin) if flipped else ():
            stored = flip(stored, len(fanin), i) if f in flipped else stored
        place.append(netlist.first + len(rows))
        rows.append((tuple([place[f] for f in fanin]), stored, stage))
        if net in inverted and net not in flipped:
            inverse[net] = netlist.first + len(rows)
            rows.append(((place[net],), INVERTER, inverted[net]))
    return rows, place, inverse
