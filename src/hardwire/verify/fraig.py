"""Fraiging: proofs that pairs of literals of one and-inverter graph are equal for every input.

Simulation groups the variables that may be equal. In topological order each variable is expressed by what was merged
before it; where that leaves a conjunction that is new, a SAT solver compares it with the earliest variable of its
group. Equal: it is merged. Different: the counterexample, and its neighbours, are simulated and split the groups. So
two circuits that share inner points are compared point by point and never as a whole.

Deep inside a population count most events are so rare that no simulation from the inputs meets them, and all such
variables fall into one group. A *hint* then says what to compare first: a simulation over the merged graph in which
chosen variables, the ends of population counts say, take random values of their own. Hints only order the questions.

References
----------
Kuehlmann and Krohm, "Equivalence checking using cuts and heaps", DAC 1997. Mishchenko, Chatterjee, Brayton and Een,
"Improvements to combinational equivalence checking", ICCAD 2006.
"""

import heapq
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pysat.solvers import Minisat22

from ..circuit.aig import Aig
from ..core.bits import Planes, pack, unpack
from .kernels import absorb, regroup, simulate

#: Conjunctions of a window, and the conflicts that a question in it may cost.
Window: TypeAlias = tuple[int, int]
#: Passes over the graph, each bolder: with how many members of its group a variable is compared, and the windows in
#: which it is tried.
EFFORTS: tuple[tuple[int, tuple[Window, ...]], ...] = (
    (2, ((40, 100), (400, 200))), (6, ((400, 1000), (3000, 1000))), (12, ((400, 1000), (10_000, 10_000))),
)
#: First window and conflicts of a comparison of two outputs; both grow until the clock says no.
OUTER = (1000, 5000)
MOST_CONFLICTS = 100_000
HINT = 512
ONES = (1 << HINT) - 1
#: Variables after which a solver is begun anew, so that its searches stay local.
SOLVER_VARIABLES = 2_000


@dataclass(frozen=True)
class Outcome:
    """What the proof of all pairs came to.

    Parameters
    ----------
    status, detail
        As of a ``Verdict``.
    pattern
        The refuting input bits, shape (n_inputs,).
    """

    status: Literal["proved", "refuted", "unknown"]
    pattern: NDArray[np.bool_] | None = None
    detail: str = ""


class Substitution(NamedTuple):
    """A variable over merged operands.

    ``literal`` stands for it where constants, equal operands or structural hashing give one. Else its conjunction is
    new, and ``hinted`` is the first variable of equal hint, itself where there is none before.
    """

    literal: int | None
    hinted: int


class Simulator:
    """An and-inverter graph as arrays, evaluated 64 patterns at a time."""

    def __init__(self, aig: Aig) -> None:
        self.n_inputs, self.n_variables = aig.n_inputs, aig.n_variables
        self.left = np.array(aig.left, dtype=np.int64)
        self.right = np.array(aig.right, dtype=np.int64)

    def __call__(self, inputs: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Planes of the inputs, (n_inputs, words), to those of every variable, (n_variables, words)."""
        value = np.zeros((self.n_variables, inputs.shape[1]), dtype=np.uint64)
        value[1 : 1 + self.n_inputs] = inputs
        simulate(self.left, self.right, value)
        return value


def literal_planes(value: NDArray[np.uint64], literals: NDArray[np.int64]) -> NDArray[np.uint64]:
    """The planes of literals, given those of the variables."""
    planes: NDArray[np.uint64] = value[literals >> 1] ^ (np.uint64(0) - (literals & 1).astype(np.uint64))[:, None]
    return planes


def differing(value: NDArray[np.uint64], pairs: NDArray[np.int64], samples: int | None = None) -> NDArray[np.bool_]:
    """For each of the first ``samples`` patterns, whether any pair of literals differs."""
    planes = np.bitwise_or.reduce(literal_planes(value, pairs[:, 0]) ^ literal_planes(value, pairs[:, 1]), axis=0)
    return unpack(Planes(planes[None], 64 * len(planes) if samples is None else samples))[:, 0]


class Solver:
    """A SAT solver over the merged graph that sees a window of it: the fan-in of a question, highest levels first.

    What lies below the window is left free. So "equal" holds for the whole graph, and "different" only where the
    window reaches down to the inputs, or where simulation confirms it.
    """

    def __init__(self, n_inputs: int, left: list[int], right: list[int], level: list[int]) -> None:
        self.first, self.left, self.right, self.level = 1 + n_inputs, left, right, level
        self._begin()

    def _begin(self) -> None:
        """Begin with no clause but the constant's."""
        self._sat = Minisat22(bootstrap_with=[[-1]])
        self.number, self.loaded = {0: 1}, set[int]()

    def close(self) -> None:
        """Free the solver's memory."""
        self._sat.delete()

    def _number(self, literal: int) -> int:
        n = self.number.setdefault(literal >> 1, len(self.number) + 1)
        return -n if literal & 1 else n

    def _load(self, variables: Iterable[int], size: int) -> bool:
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
        if len(self.number) > SOLVER_VARIABLES:
            self.close()
            self._begin()
        x, y = self._number(a), self._number(b)
        complete = self._load((a >> 1, b >> 1), size)
        decided = True
        for assumptions in ([x, -y], [-x, y]):
            self._sat.conf_budget(conflicts)
            satisfiable = self._sat.solve_limited(assumptions=assumptions)
            if satisfiable:
                return True, complete
            decided &= satisfiable is not None
        if not decided:
            return None, complete
        self._sat.add_clause([x, -y])
        self._sat.add_clause([-x, y])
        return False, complete

    def pattern(self) -> NDArray[np.bool_]:
        """The inputs of the last difference; those that play no part are false."""
        model = self._sat.get_model()
        bits = np.zeros(self.first - 1, dtype=bool)
        for v, n in self.number.items():
            if 0 < v < self.first:
                bits[v - 1] = n <= len(model) and model[n - 1] > 0
        return bits


class Fraig:
    """One proof, see the module's first lines.

    Parameters
    ----------
    aig
        The graph of both sides.
    pairs
        Literals that are to be equal.
    patterns
        Planes of the inputs for the first simulation, shape (n_inputs, words).
    deadline
        Of ``time.monotonic``.
    hints
        ``{variable: HINT random bits}`` where a variable's hint is not that of its operands.
    seed
        Of the hints and of the neighbours of counterexamples.
    """

    def __init__(self, aig: Aig, pairs: Sequence[tuple[int, int]], *, patterns: NDArray[np.uint64], deadline: float,
                 hints: dict[int, int] | None = None, seed: int = 0) -> None:
        self.pairs = np.array([p for p in pairs if p[0] != p[1]], dtype=np.int64).reshape(-1, 2)
        self.simulator, self.deadline = Simulator(aig), deadline
        self.rng = np.random.default_rng(seed)
        n, self.n_inputs = aig.n_variables, aig.n_inputs
        self.left, self.right = [0] * (1 + self.n_inputs) + aig.left, [0] * (1 + self.n_inputs) + aig.right
        self.merged = list(range(0, 2 * n, 2))  # the literal that stands for each variable
        self.conjunctions: dict[tuple[int, int], int] = {}
        self.level = [0] * n
        self.hints = hints or {}
        self.hint = [0, *(int.from_bytes(self.rng.bytes(HINT // 8), "little") for _ in range(n - 1))]
        self.first_of_hint: dict[int, int] = {}
        self.solver = Solver(self.n_inputs, self.left, self.right, self.level)
        self.counts = {"compared": 0, "merged": 0, "split": 0, "open": 0}
        value = self.simulator(patterns)
        self.counterexample = self._counterexample(value, patterns)
        self.phase = (value[:, 0] & np.uint64(1)).astype(np.uint8)
        self.key, self.head = np.full(n, 0x1234567, dtype=np.uint64), np.arange(n)
        self.before = np.full(n, -1)
        self.cone = self._cone()
        self.active = np.concatenate([np.arange(1 + self.n_inputs), self.cone])
        self._split(value)

    def _cone(self) -> NDArray[np.int64]:
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

    def _counterexample(self, value: NDArray[np.uint64], patterns: NDArray[np.uint64]) -> NDArray[np.bool_] | None:
        """The input bits of the first pattern for which a pair differs, or None."""
        at = np.flatnonzero(differing(value, self.pairs))
        return unpack(Planes(patterns[:, at[0] // 64, None], 64))[at[0] % 64] if len(at) else None

    def _split(self, value: NDArray[np.uint64]) -> None:
        """Group anew by the values of one more simulation; a variable that is alone is no longer active."""
        absorb(self.key, self.phase, value)
        regroup(self.key, self.active, self.head, self.before)
        heads = self.head[self.active]
        shared = np.zeros(len(self.head), dtype=bool)
        shared[heads[heads != self.active]] = True
        self.active = self.active[shared[heads]]

    def _learn(self, pattern: NDArray[np.bool_]) -> None:
        """Simulate a counterexample and 63 neighbours, a few of its bits turned; split the groups by them."""
        turn = self.rng.random((self.n_inputs, 64)) < 2.0 ** -self.rng.integers(1, 8, 64)
        turn[:, 0] = False
        planes = pack((pattern[:, None] ^ turn).T).words
        value = self.simulator(planes)
        if self.counterexample is None:
            self.counterexample = self._counterexample(value, planes)
        self._split(value)

    def _substitute(self, v: int) -> Substitution:
        """Express ``v`` by what its operands were merged with."""
        a, b = self._representative(self.left[v]), self._representative(self.right[v])
        if a < b:
            a, b = b, a
        if b == 0 or a ^ b == 1:
            return Substitution(0, v)
        if b in (1, a):
            return Substitution(a, v)
        self.left[v], self.right[v] = a, b
        self.level[v] = 1 + max(self.level[a >> 1], self.level[b >> 1])
        u = self.conjunctions.setdefault((a, b), v)
        if u != v:
            return Substitution(2 * u, v)
        x, y = self.hint[a >> 1], self.hint[b >> 1]
        own = (~x if a & 1 else x) & (~y if b & 1 else y) & ONES
        self.hint[v] = self.hints.get(v, own)
        return Substitution(None, self.first_of_hint.setdefault(own ^ ONES if own & 1 else own, v))

    def _candidates(self, v: int, hinted: int, most: int) -> list[int]:
        """Unmerged members of the group of ``v`` before it: the one of equal hint, the first, then the nearest."""
        head, u = int(self.head[v]), int(self.before[v])
        candidates = [hinted, head] if hinted != v and self.head[hinted] == head else [head]
        while u != head and len(candidates) < most:
            if self.merged[u] == 2 * u and u != hinted:
                candidates.append(u)
            u = int(self.before[u])
        return candidates

    def _merge(self, v: int, hinted: int, most: int, windows: Sequence[Window]) -> None:
        """Compare ``v`` with its group, in small windows first, until it is merged, alone, or left open."""
        tried = set[tuple[int, Window]]()
        while self.head[v] != v and self.counterexample is None:
            candidates = self._candidates(v, hinted, most)
            question = next(((u, w) for w in windows for u in candidates if (u, w) not in tried), None)
            if question is None:
                self.counts["open"] += 1
                return
            tried.add(question)
            u, (size, conflicts) = question
            representative = 2 * u ^ int(self.phase[v] ^ self.phase[u])
            if self._equal(2 * v, representative, size, conflicts):
                self.merged[v] = representative
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

    def _pass(self, most: int, windows: Sequence[Window]) -> bool:
        """Go over the graph once; whether it was finished before a refutation or the time limit."""
        self.conjunctions.clear()
        self.first_of_hint.clear()
        self.counts["open"] = 0
        for serial, v in enumerate(self.cone.tolist()):
            if self.counterexample is not None or (serial % 64 == 0 and time.monotonic() > self.deadline):
                return False
            if self.merged[v] != 2 * v:
                continue
            literal, hinted = self._substitute(v)
            if literal is None:
                self._merge(v, hinted, most, windows)
            else:
                self.merged[v] = literal
        return self.counterexample is None

    def _representative(self, literal: int) -> int:
        """The literal that stands for another; what was merged may have been merged further since."""
        while self.merged[literal >> 1] != literal & ~1:
            literal = self.merged[literal >> 1] ^ literal & 1
        return literal

    def _output(self, a: int, b: int, patient: bool) -> bool | None:
        """Whether a pair is equal, None where that stays open; a difference is kept as ``counterexample``."""
        size, conflicts = OUTER
        while a != b and time.monotonic() < self.deadline:
            differ, complete = self.solver.differ(a, b, size=size, conflicts=conflicts)
            if differ is False:
                return True
            if differ and complete:
                self.counterexample = self.solver.pattern()
                return False
            if differ is None and not patient:
                return None
            size, conflicts = (8 * size, conflicts) if differ else (size, min(2 * conflicts, MOST_CONFLICTS))
        return True if a == b else None

    def _outputs(self, patient: bool) -> Outcome:
        still_open = 0
        for a, b in self.pairs.tolist():
            equal = self._output(self._representative(a), self._representative(b), patient)
            if equal is False:
                return Outcome("refuted", self.counterexample)
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
        return outcome if self.counterexample is None else Outcome("refuted", self.counterexample)
