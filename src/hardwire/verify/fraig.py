"""SAT sweeping: are pairs of literals of one and-inverter graph equal for every input?

Kuehlmann and Krohm, DAC 1997; Mishchenko, Chatterjee, Brayton and Een, ICCAD 2006 (fraiging). Simulation groups the
variables that may be equal. In topological order each variable is rewritten over what was merged before it; where that
leaves a conjunction that is new, a SAT solver compares it with the earliest variable of its group. Equal: it is merged.
Different: the counterexample, and its neighbours, are simulated and split the groups. So two circuits that share inner
points are compared point by point and never as a whole.

Deep inside a population count most events are so rare that no simulation from the inputs meets them, and all such
variables fall into one group. A *hint* then says whom to compare first: a simulation over the merged graph in which
chosen variables, the ends of population counts say, take random values of their own. Hints only order the questions.
"""

import heapq
import time
from dataclasses import dataclass

import numba
import numpy as np

from ..circuit.aig import Aig
from ..core.bits import Planes, pack, unpack

#: Passes over the graph, each bolder: how many members of its group a variable is compared with, and the windows in
#: which it is tried, each with its number of conjunctions and the conflicts that it may cost.
EFFORTS = ((2, ((40, 100), (400, 200))), (6, ((400, 1000), (3000, 1000))), (12, ((400, 1000), (10_000, 10_000))))
#: First window and conflicts of a comparison of two outputs; both grow until the clock says no.
OUTER = (1000, 5000)
MOST_CONFLICTS = 100_000
HINT = 512
ONES = (1 << HINT) - 1
#: Variables after which a solver is begun anew, so that its searches stay local.
SOLVER_VARIABLES = 2_000


@dataclass(frozen=True)
class Outcome:
    """``status`` is proved, refuted or unknown; ``pattern`` the refuting input bits, bool, shape (n_inputs,)."""

    status: str
    pattern: np.ndarray | None = None
    detail: str = ""


@numba.njit(cache=True)
def simulate(left, right, value):
    """Fill rows of ``value`` (variables, words) behind its first rows, which hold the constant and the inputs."""
    first = value.shape[0] - left.shape[0]
    for j in range(left.shape[0]):
        a, b = left[j], right[j]
        x, y = np.uint64(0) - np.uint64(a & 1), np.uint64(0) - np.uint64(b & 1)
        for w in range(value.shape[1]):
            value[first + j, w] = (value[a >> 1, w] ^ x) & (value[b >> 1, w] ^ y)


@numba.njit(cache=True)
def absorb(key, phase, value):
    """Mix the words of ``value``, complemented where ``phase`` is set, into the hash ``key`` of each variable."""
    for v in range(value.shape[0]):
        h, flip = key[v], np.uint64(0) - np.uint64(phase[v])
        for w in range(value.shape[1]):
            h = (h ^ value[v, w] ^ flip) * np.uint64(0x9E3779B97F4A7C15)
            h ^= h >> np.uint64(29)
        key[v] = h


@numba.njit(cache=True)
def regroup(key, active, head, before):
    """Group ``active``, which ascends, by key: ``head[v]`` is a group's first variable, ``before[v]`` the one before or -1."""
    size = 16
    while size < 2 * active.shape[0]:
        size *= 2
    slots = np.full(size, -1, np.int64)
    for v in active:
        slot = np.int64(key[v] >> np.uint64(16)) & (size - 1)
        while slots[slot] >= 0 and key[slots[slot]] != key[v]:
            slot = (slot + 1) & (size - 1)
        before[v] = slots[slot]
        head[v] = v if slots[slot] < 0 else head[slots[slot]]
        slots[slot] = v


class Simulator:
    """An and-inverter graph as arrays, evaluated 64 patterns at a time."""

    def __init__(self, aig: Aig):
        self.n_inputs, self.n_variables = aig.n_inputs, aig.n_variables
        self.left = np.array(aig.left, dtype=np.int64)
        self.right = np.array(aig.right, dtype=np.int64)

    def __call__(self, inputs: np.ndarray) -> np.ndarray:
        """Planes of the inputs, (n_inputs, words) uint64, to those of every variable, (n_variables, words)."""
        value = np.zeros((self.n_variables, inputs.shape[1]), dtype=np.uint64)
        value[1 : 1 + self.n_inputs] = inputs
        simulate(self.left, self.right, value)
        return value


def literal_planes(value: np.ndarray, literals: np.ndarray) -> np.ndarray:
    """The planes of literals, given those of the variables."""
    return value[literals >> 1] ^ (np.uint64(0) - (literals & 1).astype(np.uint64))[:, None]


def differing(value: np.ndarray, pairs: np.ndarray, samples: int | None = None) -> np.ndarray:
    """For each of the first ``samples`` patterns whether any pair of literals differs, bool."""
    planes = np.bitwise_or.reduce(literal_planes(value, pairs[:, 0]) ^ literal_planes(value, pairs[:, 1]), axis=0)
    return unpack(Planes(planes[None], 64 * len(planes) if samples is None else samples))[:, 0]


class Solver:
    """A SAT solver over the merged graph that sees a window of it: the fan-in of a question, highest levels first.

    What lies below the window is left free. So "equal" holds for the whole graph, and "different" only where the
    window reaches down to the inputs, or where simulation confirms it.
    """

    def __init__(self, n_inputs: int, left: list[int], right: list[int], level: list[int]):
        self.first, self.left, self.right, self.level = 1 + n_inputs, left, right, level
        self._sat, self.number, self.loaded = None, {}, set()

    def _begin(self) -> None:
        from pysat.solvers import Solver as Sat

        self.close()
        self._sat, self.number, self.loaded = Sat("minisat22"), {0: 1}, set()
        self._sat.add_clause([-1])

    def close(self) -> None:
        if self._sat is not None:
            self._sat.delete()

    def _number(self, literal: int) -> int:
        n = self.number.setdefault(literal >> 1, len(self.number) + 1)
        return -n if literal & 1 else n

    def _load(self, variables, size: int) -> bool:
        """Load up to ``size`` conjunctions above the window's lower edge; whether nothing was left out."""
        level, left, right, first = self.level, self.left, self.right, self.first
        heap = [(-level[v], v) for v in set(variables)]
        heapq.heapify(heap)
        seen = set(variables)
        while heap and size:
            v = heapq.heappop(heap)[1]
            if v < first:
                continue
            size -= 1
            a, b = left[v], right[v]
            if v not in self.loaded:
                self.loaded.add(v)
                n, x, y = self._number(2 * v), self._number(a), self._number(b)
                for clause in ([-n, x], [-n, y], [n, -x, -y]):
                    self._sat.add_clause(clause)
            for u in (a >> 1, b >> 1):
                if u not in seen:
                    seen.add(u)
                    heapq.heappush(heap, (-level[u], u))
        return all(v < first for _, v in heap)

    def differ(self, a: int, b: int, *, size: int, conflicts: int) -> tuple[bool | None, bool]:
        """Whether the literals can differ, None where ``conflicts`` did not suffice; whether the window is complete."""
        if self._sat is None or len(self.number) > SOLVER_VARIABLES:
            self._begin()
        x, y = self._number(a), self._number(b)
        complete = self._load((a >> 1, b >> 1), size)
        found = False
        for ask in ([x, -y], [-x, y]):
            self._sat.conf_budget(conflicts)
            answer = self._sat.solve_limited(assumptions=ask)
            if answer:
                return True, complete
            found = None if answer is None else found
        if found is False:
            self._sat.add_clause([x, -y])
            self._sat.add_clause([-x, y])
        return found, complete

    def pattern(self) -> np.ndarray:
        """The inputs of the difference that was found; those that play no part are false."""
        model = self._sat.get_model()
        bits = np.zeros(self.first - 1, dtype=bool)
        for v, n in self.number.items():
            if 0 < v < self.first:
                bits[v - 1] = n <= len(model) and model[n - 1] > 0
        return bits


class Sweep:
    """One proof; see the module's first lines.

    pairs     literals, shape (n, 2)
    patterns  planes of the inputs for the first simulation, (n_inputs, words) uint64
    deadline  of ``time.monotonic``
    free      variable -> its hint, an integer of ``HINT`` random bits, where it is not that of its operands
    """

    def __init__(self, aig: Aig, pairs, *, patterns: np.ndarray, deadline: float, free: dict | None = None, seed: int = 0):
        self.pairs = np.array([p for p in pairs if p[0] != p[1]], dtype=np.int64).reshape(-1, 2)
        self.simulator, self.deadline = Simulator(aig), deadline
        self.rng = np.random.default_rng(seed)
        n, self.n_inputs = aig.n_variables, aig.n_inputs
        self.left, self.right = [0] * (1 + self.n_inputs) + aig.left, [0] * (1 + self.n_inputs) + aig.right
        self.merged = list(range(0, 2 * n, 2))  # the literal that stands for each variable
        self.known: dict[tuple[int, int], int] = {}
        self.level = [0] * n
        self.free = free or {}
        self.hint = [0, *(int.from_bytes(self.rng.bytes(HINT // 8), "little") for _ in range(n - 1))]
        self.hinted: dict[int, int] = {}
        self.solver = Solver(self.n_inputs, self.left, self.right, self.level)
        self.counts = {"compared": 0, "merged": 0, "split": 0, "open": 0}
        value = self.simulator(patterns)
        self.refuting = self._refuting(value, patterns)
        self.phase = (value[:, 0] & np.uint64(1)).astype(np.uint8)
        self.key, self.head = np.full(n, 0x1234567, dtype=np.uint64), np.arange(n)
        self.before = np.full(n, -1)
        self.cone = self._cone()
        self.active = np.concatenate([np.arange(1 + self.n_inputs), self.cone])
        self._split(value)

    def _cone(self) -> np.ndarray:
        """The conjunctions that a pair depends on, ascending."""
        first = 1 + self.n_inputs
        used = bytearray(len(self.left))
        stack = (self.pairs.ravel() >> 1).tolist()
        while stack:
            v = stack.pop()
            if v >= first and not used[v]:
                used[v] = 1
                stack += (self.left[v] >> 1, self.right[v] >> 1)
        return np.flatnonzero(np.frombuffer(used, dtype=np.uint8))

    def _refuting(self, value, patterns) -> np.ndarray | None:
        """The input bits of the first pattern for which a pair differs, or None."""
        at = np.flatnonzero(differing(value, self.pairs))
        return unpack(Planes(patterns[:, at[0] // 64, None], 64))[at[0] % 64] if len(at) else None

    def _split(self, value) -> None:
        absorb(self.key, self.phase, value)
        regroup(self.key, self.active, self.head, self.before)
        heads = self.head[self.active]
        shared = np.zeros(len(self.head), dtype=bool)
        shared[heads[heads != self.active]] = True
        self.active = self.active[shared[heads]]

    def _learn(self, pattern: np.ndarray) -> None:
        """Simulate a counterexample and 63 neighbours, a few of its bits turned; split the groups by them."""
        turn = self.rng.random((self.n_inputs, 64)) < 2.0 ** -self.rng.integers(1, 8, 64)
        turn[:, 0] = False
        planes = pack((pattern[:, None] ^ turn).T).words
        value = self.simulator(planes)
        if self.refuting is None:
            self.refuting = self._refuting(value, planes)
        self._split(value)

    def _rewrite(self, v: int) -> int | None:
        """The literal that stands for ``v`` once its operands are merged, or None where its conjunction is new."""
        a, b = self.left[v], self.right[v]
        a, b = self._stands(a), self._stands(b)
        if a < b:
            a, b = b, a
        if b == 0 or a ^ b == 1:
            return 0
        if b == 1 or a == b:
            return a
        self.left[v], self.right[v] = a, b
        self.level[v] = 1 + max(self.level[a >> 1], self.level[b >> 1])
        u = self.known.setdefault((a, b), v)
        if u != v:
            return 2 * u
        x, y = self.hint[a >> 1], self.hint[b >> 1]
        own = (~x if a & 1 else x) & (~y if b & 1 else y) & ONES
        self.hint[v] = self.free.get(v, own)
        self.twin = self.hinted.setdefault(own ^ ONES if own & 1 else own, v)
        return None

    def _candidates(self, v: int, most: int) -> list[int]:
        """Unmerged members of the group of ``v`` before it: the one of equal hint, the first, then the nearest."""
        head, u = int(self.head[v]), int(self.before[v])
        hinted = self.twin != v and self.head[self.twin] == head
        found = [self.twin, head] if hinted else [head]
        while u != head and len(found) < most:
            if self.merged[u] == 2 * u and u != self.twin:
                found.append(u)
            u = int(self.before[u])
        return found

    def _merge(self, v: int, most: int, windows) -> None:
        """Compare ``v`` with its group, in small windows first, until it is merged, alone, or left open."""
        tried = set()
        while self.head[v] != v and self.refuting is None:
            candidates = self._candidates(v, most)
            todo = ((u, window) for window in windows for u in candidates if (u, window) not in tried)
            u, window = next(todo, (None, None))
            if u is None:
                self.counts["open"] += 1
                return
            tried.add((u, window))
            twin = 2 * u ^ int(self.phase[v] ^ self.phase[u])
            if self._equal(2 * v, twin, *window):
                self.merged[v] = twin
                self.counts["merged"] += 1
                return

    def _equal(self, a: int, b: int, size: int, conflicts: int) -> bool:
        """Whether the window shows the literals equal; a real counterexample splits the groups."""
        self.counts["compared"] += 1
        differ, complete = self.solver.differ(a, b, size=size, conflicts=conflicts)
        if differ and complete:
            self.counts["split"] += 1
            self._learn(self.solver.pattern())
        return differ is False

    def _pass(self, most: int, windows) -> bool:
        """Go over the graph once; whether it was finished before a refutation or the time limit."""
        self.known.clear()
        self.hinted.clear()
        self.counts["open"] = 0
        for serial, v in enumerate(self.cone.tolist()):
            if self.refuting is not None or (serial % 64 == 0 and time.monotonic() > self.deadline):
                return False
            if self.merged[v] != 2 * v:
                continue
            literal = self._rewrite(v)
            if literal is None:
                self._merge(v, most, windows)
            else:
                self.merged[v] = literal
        return self.refuting is None

    def _stands(self, literal: int) -> int:
        """The literal that stands for another; what was merged may have been merged further since."""
        while self.merged[literal >> 1] != literal & ~1:
            literal = self.merged[literal >> 1] ^ literal & 1
        return literal

    def _output(self, a: int, b: int, patient: bool) -> bool | None:
        """Whether a pair is equal, None where that stays open; a difference is kept in ``refuting``."""
        size, conflicts = OUTER
        while a != b and time.monotonic() < self.deadline:
            differ, complete = self.solver.differ(a, b, size=size, conflicts=conflicts)
            if differ is False:
                return True
            if differ and complete:
                self.refuting = self.solver.pattern()
                return False
            if differ is None and not patient:
                return None
            size, conflicts = (8 * size, conflicts) if differ else (size, min(2 * conflicts, MOST_CONFLICTS))
        return True if a == b else None

    def _outputs(self, patient: bool) -> Outcome:
        still_open = 0
        for a, b in self.pairs.tolist():
            equal = self._output(self._stands(a), self._stands(b), patient)
            if equal is False:
                return Outcome("refuted", self.refuting)
            still_open += equal is None
        if still_open:
            return Outcome("unknown", detail=f"{still_open} of {len(self.pairs)} pairs were not decided in time")
        return Outcome("proved")

    def run(self) -> Outcome:
        """Proved, refuted, or unknown when the deadline came first."""
        outcome = Outcome("unknown", detail="the time limit was reached")
        try:
            for effort in EFFORTS:
                if not self._pass(*effort):
                    break
                outcome = self._outputs(patient=effort is EFFORTS[-1])
                if outcome.status != "unknown":
                    return outcome
        finally:
            self.solver.close()
        return outcome if self.refuting is None else Outcome("refuted", self.refuting)
