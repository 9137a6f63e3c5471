"""Don't-care simplification: operand combinations of a node that no input of the whole circuit gives.

Thresholds of one sensor word are ordered (``x >= 128`` implies ``x >= 64``), so a network that reads several of them
has nodes with satisfiability don't-cares. Simulation of random and near-threshold inputs proposes what never occurs,
and SAT proves it on the node's fan-in, comparators in it. Every net keeps its function of the inputs, so that
replacements are independent of each other and macros stay true.

References
----------
Mishchenko and Brayton, "SAT-based complete don't-care computation for network optimization", DATE 2005.
"""

import heapq
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pysat.solvers import Minisat22

from ..circuit import Circuit
from ..circuit.circuit import FIRST
from ..circuit.formats.blif import cover
from ..core.truth_tables import evaluate, ones
from .dead_nodes import remove_dead_nodes
from .netlist import HEAD, Netlist, from_circuit, kept_nets, to_circuit

#: Words of 64 samples: the first half random, the second with words at a threshold or one below it.
WORDS = 128
#: Nodes of a window and conflicts that a question may cost, one after the other; below a window nets are free.
WINDOWS = ((60, 100), (1000, 1000))
#: Earlier nets of the same values that a node is compared with.
TRIES = 2
#: Nodes after which a solver is begun anew, so that its searches stay local.
LOADED = 2000
XOR = 0b0110


def simplify_with_dont_cares(circuit: Circuit) -> Circuit:
    """Simplify nodes by operand combinations that never occur, and merge equal ones, proved by SAT on the fan-in.

    An operand goes where the table differs in it only where a combination never occurs; an exclusive or becomes an AND
    kind; a node goes that equals an earlier one or a constant. Questions that exceed ``WINDOWS`` are left open, so
    that the result is exact but may not be the least. The head is left as it is.
    """
    old, literal = from_circuit(circuit, share=True)
    search = _Search(old.first, _patterns(circuit))
    place = {net: 2 * net for net in (0, *range(FIRST, old.first))}
    for net, (table, fanin, stage) in enumerate(zip(old.table, old.fanin, old.stage, strict=True), old.first):
        place[net] = search.add(table, [place[f] for f in fanin], stage)
    search.solver.close()
    kept = kept_nets(circuit)
    return remove_dead_nodes(to_circuit(
        search.netlist, circuit, {n: n if n < FIRST else place[literal[n] >> 1] ^ (literal[n] & 1) for n in kept}))


def _patterns(circuit: Circuit) -> NDArray[np.uint64]:
    """Values of constants and input bits on ``64 WORDS`` samples, shape (first node, WORDS); sample 0 is all false."""
    rng = np.random.default_rng(2005)
    bits = rng.random((circuit.first_node, 64 * WORDS), dtype=np.float32) < np.where(
        rng.random(64 * WORDS) < 0.5, 0.5, rng.random(64 * WORDS)).astype(np.float32)
    half = 32 * WORDS
    thresholds: dict[tuple[int, ...], list[int]] = {}
    for macro in circuit.macros:
        if macro.kind == "ge" and all(FIRST <= net < circuit.first_node for net in macro.inputs):
            thresholds.setdefault(macro.inputs, []).append(macro.value)
    for nets, values in thresholds.items():
        codes = [min(max(v - below, 0), (1 << len(nets)) - 1) for v in values for below in (0, 1)]
        chosen = np.array(codes, dtype=np.uint64)[rng.integers(0, len(codes), half)]
        bits[list(nets), half:] = chosen >> np.arange(len(nets), dtype=np.uint64)[:, None] & np.uint64(1)
    bits[:, 0] = False
    bits[:FIRST] = False
    return np.packbits(bits, axis=1, bitorder="little").view(np.uint64)


class _Search:
    """The netlist that is built, its nets' values on the samples, and what each of its nodes was replaced by."""

    def __init__(self, first: int, patterns: NDArray[np.uint64]) -> None:
        self.netlist = Netlist(first, share=True)
        self.values = list(patterns)
        self.moved: dict[int, int] = {}
        self.members = {self.values[0].tobytes(): [0]}
        for net in range(FIRST, first):
            self.members.setdefault(self.values[net].tobytes(), []).append(net)
        self.solver = _Solver(self.netlist)

    def add(self, table: int, literals: Sequence[int], stage: int) -> int:
        """Add a node, simplified; its literal. Literals of nodes that were replaced are not among ``literals``."""
        netlist = self.netlist
        x = netlist.add(table, literals, stage)
        net = x >> 1
        while len(self.values) < netlist.first + len(netlist.table):
            row = len(self.values) - netlist.first
            self.values.append(evaluate(netlist.table[row], [self.values[f] for f in netlist.fanin[row]]))
        if net < netlist.first or stage == HEAD:
            return x
        if net not in self.moved:
            self.moved[net] = self._simplified(net, stage)
        return self.moved[net] ^ (x & 1)

    def _simplified(self, net: int, stage: int) -> int:
        """The literal that a new node is replaced by, its own where there is none."""
        row = net - self.netlist.first
        table, fanin = self.netlist.table[row], self.netlist.fanin[row]
        for i in range(len(fanin)):
            reduced = self._without(table, fanin, i)
            if reduced is not None:
                return self.add(reduced, [2 * f for f in fanin], stage)
        if table == XOR and len(fanin) == 2:
            m = next((m for m in range(4) if self._never(fanin, m)), None)
            if m is not None:
                return self.add(table ^ 1 << m, [2 * f for f in fanin], stage)
        members = self.members.setdefault(self.values[net].tobytes(), [])
        for other in members[:TRIES]:
            earlier = other < self.netlist.first or self.netlist.stage[other - self.netlist.first] <= stage
            if earlier and self._never((net, other), 0b01) and self._never((net, other), 0b10):
                return 2 * other
        members.append(net)
        return 2 * net

    def _without(self, table: int, fanin: tuple[int, ...], i: int) -> int | None:
        """The table made independent of operand ``i`` by combinations that never occur, or None."""
        k, bit = len(fanin), 1 << i
        pairs = [(m, m | bit) for m in range(1 << k) if not m & bit and (table >> m ^ table >> (m | bit)) & 1]
        if all(not (self._seen(fanin, low) and self._seen(fanin, high)) for low, high in pairs):
            for low, high in pairs:
                if self._never(fanin, low):
                    table = _with_bit(table, low, table >> high & 1)
                elif self._never(fanin, high):
                    table = _with_bit(table, high, table >> low & 1)
                else:
                    return None
            return table
        return None

    def _seen(self, nets: tuple[int, ...], m: int) -> bool:
        """Whether a sample gives the combination ``m`` of values of ``nets``."""
        together = ~np.zeros(WORDS, dtype=np.uint64)
        for i, net in enumerate(nets):
            together &= self.values[net] if m >> i & 1 else ~self.values[net]
        return bool(together.any())

    def _never(self, nets: tuple[int, ...], m: int) -> bool:
        """Whether no input gives the combination ``m``, proved."""
        return not self._seen(nets, m) and self.solver.never([(net, m >> i & 1) for i, net in enumerate(nets)])


def _with_bit(table: int, m: int, value: int) -> int:
    return table & ~(1 << m) | value << m


class _Solver:
    """An incremental SAT solver over windows of a netlist that grows: the fan-in of a question, highest nets first."""

    def __init__(self, netlist: Netlist) -> None:
        self.netlist = netlist
        self._begin()

    def _begin(self) -> None:
        self._sat = Minisat22(bootstrap_with=[[-1]])
        self.number, self.loaded = {0: 1}, set[int]()

    def close(self) -> None:
        """Free the solver's memory."""
        self._sat.delete()

    def never(self, values: list[tuple[int, int]]) -> bool:
        """Whether nets never have these values together; False where that stays open."""
        if len(self.loaded) > LOADED:
            self.close()
            self._begin()
        assumptions = [self._number(net) if value else -self._number(net) for net, value in values]
        for size, conflicts in WINDOWS:
            complete = self._load([net for net, _ in values], size)
            self._sat.conf_budget(conflicts)
            possible = self._sat.solve_limited(assumptions=assumptions)
            if possible is False:
                self._sat.add_clause([-x for x in assumptions])
                return True
            if possible and complete:
                return False
        return False

    def _number(self, net: int) -> int:
        return self.number.setdefault(net, len(self.number) + 1)

    def _load(self, nets: list[int], size: int) -> bool:
        """Load up to ``size`` nodes of the fan-in; whether nothing was left out."""
        first = self.netlist.first
        heap, seen = [-net for net in set(nets)], set(nets)
        heapq.heapify(heap)
        while heap and -heap[0] >= first and size:
            net = -heapq.heappop(heap)
            size -= 1
            fanin = self.netlist.fanin[net - first]
            if net not in self.loaded:
                self.loaded.add(net)
                self._add_clauses(net, self.netlist.table[net - first], fanin)
            for f in fanin:
                if f not in seen:
                    seen.add(f)
                    heapq.heappush(heap, -f)
        return not heap or -heap[0] < first

    def _add_clauses(self, net: int, table: int, fanin: tuple[int, ...]) -> None:
        k, out = len(fanin), self._number(net)
        for on, head in ((table, out), (table ^ ones(k), -out)):
            for row in cover(on, k):
                body = [-self._number(f) if c == "1" else self._number(f) for f, c in zip(fanin, row) if c != "-"]
                self._sat.add_clause([*body, head])
