"""Input vectors that cover a circuit by construction, for the check of what runs.

Covered are each comparator's threshold and the codes beside it; each input bit toggled alone; each entry of each node's
table that an input reaches; each count of 2^k - 1 and 2^k, none and all of a population count; ties of an arg-max at
the top, and words that are one off a tie. What random vectors do not reach, SAT looks for. Beyond that, each net is to
be seen at an output where it is false and where it is true, and each comparator at its threshold: by simulation alone,
in circuits of up to some ten thousand nodes.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ..circuit import FIRST, Circuit, Macro
from ..circuit.aig import Aig
from ..core.bits import WORD, Planes, bits_to_codes, pack, unpack
from .fraig import Solver, Window
from .kernels import observe, tabulate
from .vectors import Codes, vectors

#: Random vectors of a round, and rounds without a new entry after which simulation stops.
ROUND, PATIENCE, ROUNDS = 1024, 3, 24
#: Windows in which SAT asks for an entry or a goal, and how many conjunctions all windows hold together at most.
WINDOWS: tuple[Window, ...] = ((60, 100), (1000, 500), (8000, 1000))
WORK = 600_000
#: Entries, and goals, that SAT is asked for at most.
ENTRIES, GOALS = 4000, 200
#: Contexts in which a comparator is to be seen at an output, in how many of them it is then kept, and how many vectors
#: there may be of all comparators before each keeps but the two codes at its threshold, in one context.
CONTEXTS, SEEN, MANY = 2048, 2, 6000
#: Steps of the simulations in which each net is inverted, one for each later node, and nets between two looks at the
#: clock.
STEPS, NETS = 300_000_000, 256
#: Variants of the nearest vectors that are tried for counts and ties, and how often.
VARIANTS, CLIMBS = 2048, 24
#: Pairs of words of an arg-max that are tied at most, and bits of the words whose difference is taken.
PAIRS, WIDEST = 300, 62
#: Nets times vectors of random simulation, and again of variants, in a large circuit; and rounds that are always made.
EFFORT, LEAST = 1_000_000_000, 4
#: Vectors modulo the block of the packed engine and of the emitted C: the last block is never full.
TAIL, BLOCK = 357, 512


@dataclass(frozen=True)
class Goal:
    """A state of a macro's ends that a vector is to reach.

    For a population count ``first`` is the count; for an arg-max word ``first`` is ``more`` above word ``second`` and
    no other word is above both. An arg-max with equal ``first`` and ``second`` is to have all words equal.
    """

    macro: Macro
    first: int
    second: int = 0
    more: int = 0


def coverage_vectors(circuit: Circuit, *, seed: int = 0, timeout: float = 60.0, limit: int = 20_000,
                     samples: Codes | None = None) -> Codes:
    """Vectors that cover ``circuit``; see the module's first lines.

    Parameters
    ----------
    circuit
        What is to be covered.
    seed
        Of the contexts in which a word or a bit is changed.
    timeout
        Seconds after which no more is looked for. The work is bounded besides, so that on a machine that is not far
        slower the same vectors come out each time.
    limit
        Vectors at most, as far as bits are toggled around random vectors: those that cover something are all kept.
    samples
        Codes that occur, beside random ones as contexts; faults are seen there that are hidden at random.

    Returns
    -------
    Codes
        Shape (vectors, input words). Their number is no multiple of 64.
    """
    rng, deadline = np.random.default_rng(seed), time.monotonic() + timeout
    contexts = vectors(circuit, CONTEXTS, seed + 50)
    if samples is not None and len(samples):
        contexts[::2] = samples[rng.integers(len(samples), size=len(contexts[::2]))]
    comparators = _comparators(circuit)
    near = np.concatenate([*_thresholds(circuit, comparators, rng), *_toggles(circuit, _ends(circuit))])
    cover = _Cover(circuit, deadline)
    for start in range(0, len(near), ROUND):
        cover.simulate(near[start : start + ROUND])
    seen = list(_seen_thresholds(cover, comparators, contexts))
    cover.simulate_randomly(seed)
    climb = _Climb(cover, rng)
    climb.run()
    _Search(cover, climb, rng).run()
    kept = np.concatenate([near, *seen, *cover.kept, *climb.reached()])
    kept = np.concatenate([kept, *_observed(cover, [*np.array_split(kept, -(-len(kept) // ROUND)), contexts])])
    bases = max(0, (limit - len(kept)) // max(1, circuit.n_input_bits))
    around = _toggles(circuit, contexts[-min(bases, 2) :] if bases else near[:0])
    return odd_tail(circuit, np.concatenate([*around, kept]), seed)


def odd_tail(circuit: Circuit, codes: Codes, seed: int = 0) -> Codes:
    """``codes`` behind so many random vectors that the last block and the last word are not full."""
    return np.concatenate([vectors(circuit, (TAIL - len(codes)) % BLOCK, seed + 1), codes])


def _ends(circuit: Circuit) -> Codes:
    """All zero, and all one."""
    top = [(1 << width) - 1 for width in circuit.input_widths]
    return np.array([[0] * len(top), top], dtype=circuit.input_dtype)


def _toggles(circuit: Circuit, bases: Codes) -> Iterator[Codes]:
    """Each base, and each base with each input bit inverted alone."""
    word = np.repeat(np.arange(len(circuit.inputs)), circuit.input_widths)
    bit = np.concatenate([np.arange(w) for w in circuit.input_widths]) if len(word) else word
    for base in bases:
        rows = np.repeat(base[None], 1 + len(word), axis=0)
        rows[1 + np.arange(len(word)), word] ^= np.left_shift(circuit.input_dtype.type(1), bit.astype(rows.dtype))
        yield rows


@dataclass(frozen=True)
class Comparator:
    """A comparator of bits of one input word with a constant: the last code below it, and the first that reaches it."""

    word: int
    below: int
    reached: int

    def codes(self, width: int) -> list[int]:
        """Both, the next one, and all that differ from one of the two in one bit."""
        near = {self.reached + 1} | {code ^ bit for code in (self.below, self.reached)
                                     for bit in (0, *(1 << i for i in range(width)))}
        return sorted(code for code in near if code < 1 << width)


def _comparators(circuit: Circuit) -> list[Comparator]:
    word_of = np.repeat(np.arange(len(circuit.inputs)), circuit.input_widths).tolist()
    first = FIRST + np.concatenate([[0], np.cumsum(circuit.input_widths)]).astype(np.int64)
    found: dict[Comparator, None] = {}
    for macro in circuit.macros:
        low, n = macro.inputs[0], len(macro.inputs)
        if macro.kind != "ge" or macro.inputs != tuple(range(low, low + n)) or not FIRST <= low < circuit.first_node:
            continue
        word = word_of[low - FIRST]
        code = macro.value << low - int(first[word])
        if 0 < code < 1 << circuit.inputs[word].width:
            found[Comparator(word, code - 1, code)] = None
    return list(found)


def _thresholds(circuit: Circuit, comparators: list[Comparator], rng: np.random.Generator) -> Iterator[Codes]:
    """The codes at each comparator's threshold.

    Once with every other word at 0, at its end, and random; then all words at once, each at a code of its own.
    """
    if not comparators:
        return
    pairs = [(c.word, code) for c in comparators for code in (c.below, c.reached, c.reached + 1)
             if code < 1 << circuit.inputs[c.word].width]
    word, code = np.array([w for w, _ in pairs]), np.array([c for _, c in pairs], dtype=circuit.input_dtype)
    for rows in (*np.repeat(_ends(circuit)[:, None], len(pairs), axis=1), vectors(circuit, len(pairs) + 2, 1)[2:]):
        rows[np.arange(len(pairs)), word] = code
        yield rows
    codes: dict[int, set[int]] = {}
    for c in comparators:
        codes.setdefault(c.word, set()).update(c.codes(circuit.inputs[c.word].width))
    most = 4 * max(map(len, codes.values()))
    rows = vectors(circuit, most + 2, 2)[2:]
    for w, values in codes.items():
        order = np.concatenate([rng.permutation(len(values)) for _ in range(-(-most // len(values)))])[:most]
        rows[:, w] = np.array(sorted(values), dtype=circuit.input_dtype)[order]
    yield rows


def _seen_thresholds(cover: "_Cover", comparators: list[Comparator], contexts: Codes) -> Iterator[Codes]:
    """Contexts in which an output changes at a comparator's threshold, with the codes beside it."""
    circuit = cover.circuit
    full = sum(SEEN * len(c.codes(circuit.inputs[c.word].width)) for c in comparators) <= MANY
    most = max(WORD, 2 * STEPS // max(1, len(comparators) * circuit.n_nets))
    for serial, c in enumerate(comparators):
        if time.monotonic() > cover.deadline or not circuit.outputs:
            return
        rows = np.repeat(np.roll(contexts, -serial, axis=0)[:most], 2, axis=0)
        rows[::2, c.word], rows[1::2, c.word] = c.below, c.reached
        ends = unpack(Planes(cover.simulate(rows)[circuit.output_nets], len(rows)))
        seen = 2 * np.flatnonzero((ends[::2] != ends[1::2]).any(axis=1))[: SEEN if full else 1]
        codes = c.codes(circuit.inputs[c.word].width) if full else [c.below, c.reached]
        chosen = np.repeat(rows[seen], len(codes), axis=0)
        chosen[:, c.word] = np.tile(np.array(codes, dtype=rows.dtype), len(seen))
        yield chosen


def _observed(cover: "_Cover", batches: list[Codes]) -> Iterator[Codes]:
    """Vectors of ``batches``, then random ones, that first show a net's inversion at an output, from 0 or from 1.

    All but the last of ``batches`` are vectors that are there already, of which none is to be repeated.
    """
    circuit = cover.circuit
    seen = np.zeros((2, circuit.n_nets), dtype=np.bool_)
    rounds = STEPS // max(1, circuit.n_nodes * circuit.n_nets)
    for serial in range(min(rounds, len(batches) + ROUNDS)):
        codes = batches[serial] if serial < len(batches) else vectors(circuit, ROUND, serial)
        value = cover.simulate(codes)
        live = pack(np.ones((len(codes), 1), dtype=np.bool_)).words[0]
        first = np.zeros(len(live), dtype=np.uint64)
        for begin in range(FIRST, circuit.n_nets, NETS):
            if time.monotonic() > cover.deadline:
                return
            nets = range(begin, min(begin + NETS, circuit.n_nets))
            observe(circuit.fanin, circuit.table, circuit.arity, circuit.output_nets, nets.start, nets.stop, live,
                    value, seen, first)
        if serial >= len(batches) - 1:
            yield codes[unpack(Planes(first[None], len(codes)))[:, 0]]


def _rounds(circuit: Circuit, size: int, most: int) -> int:
    """Rounds of ``size`` vectors, at most ``most``, fewer in a large circuit."""
    return min(most, max(LEAST, EFFORT // (size * circuit.n_nets)))


class _Cover:
    """The entries of tables that vectors have reached, and the vectors that reached one first."""

    def __init__(self, circuit: Circuit, deadline: float) -> None:
        self.circuit, self.deadline = circuit, deadline
        self.reached = np.zeros(circuit.n_nodes, dtype=np.uint64)
        self.kept: list[Codes] = []
        used = np.flatnonzero(self._cone()[FIRST : circuit.first_node])
        self.inputs = FIRST + used
        self.word = np.repeat(np.arange(len(circuit.inputs)), circuit.input_widths)[used]
        self.bit = (used - np.cumsum([0, *circuit.input_widths])[self.word]).astype(np.uint64)

    def _cone(self) -> NDArray[np.bool_]:
        """Whether the outputs depend on each net."""
        used = np.zeros(self.circuit.n_nets, dtype=bool)
        used[self.circuit.output_nets] = True
        first, fanin = self.circuit.first_node, self.circuit.fanin.tolist()
        for row in range(self.circuit.n_nodes - 1, -1, -1):
            if used[first + row]:
                used[fanin[row]] = True
        return used

    def simulate(self, codes: Codes) -> NDArray[np.uint64]:
        """The planes of all nets in the cone of the outputs; a vector that reaches a new entry is kept."""
        c = self.circuit
        planes = pack(codes[:, self.word].astype(np.uint64, copy=False) >> self.bit & np.uint64(1))
        value = np.zeros((c.n_nets, planes.words.shape[1]), dtype=np.uint64)
        value[1] = ~np.uint64(0)
        value[self.inputs] = planes.words
        first = np.zeros(planes.words.shape[1], dtype=np.uint64)
        live = np.full(len(first), ~np.uint64(0))
        if planes.samples % WORD:
            live[-1] = np.uint64((1 << planes.samples % WORD) - 1)
        tabulate(c.fanin, c.table, c.arity, live, value, self.reached, first)
        chosen = unpack(Planes(first[None], planes.samples))[:, 0]
        if chosen.any():
            self.kept.append(codes[chosen])
        return value

    def simulate_randomly(self, seed: int) -> None:
        """Random vectors of many densities, until rounds bring nothing new."""
        idle = 0
        for serial in range(_rounds(self.circuit, ROUND, ROUNDS)):
            before = len(self.kept)
            self.simulate(vectors(self.circuit, ROUND, seed + 100 + serial))
            idle = 0 if len(self.kept) > before else idle + 1
            if idle == PATIENCE or time.monotonic() > self.deadline:
                return

    def missing(self) -> list[tuple[int, int]]:
        """``(node, entry)`` of what no vector has reached yet, in the cone of the outputs."""
        size = np.left_shift(np.int64(1), self.circuit.arity.astype(np.int64))
        every = ~np.uint64(0) >> (64 - size).astype(np.uint64)
        open_rows = np.flatnonzero(self._cone()[self.circuit.first_node :] & (self.reached != every))
        return [(row, m) for row in open_rows.tolist() for m in range(int(size[row]))
                if not int(self.reached[row]) >> m & 1]


class _Climb:
    """Vectors for the goals of all macros, by variants of those that came nearest."""

    def __init__(self, cover: _Cover, rng: np.random.Generator) -> None:
        self.cover, self.rng = cover, rng
        self.goals = [goal for macro in cover.circuit.macros for goal in _goals(macro)]
        self.distance = np.full(len(self.goals), np.inf)
        self.best = np.zeros((len(self.goals), len(cover.circuit.inputs)), dtype=cover.circuit.input_dtype)
        self.fresh = vectors(cover.circuit, VARIANTS, int(rng.integers(1 << 30)))

    def run(self) -> None:
        """Improve until all are reached or the rounds are over."""
        if not self.goals:
            return
        self.try_codes(self.fresh)
        for _ in range(_rounds(self.cover.circuit, VARIANTS, CLIMBS)):
            if not self.distance.any() or time.monotonic() > self.cover.deadline:
                return
            self.try_codes(self._variants())

    def try_codes(self, codes: Codes) -> None:
        """Note the vectors of ``codes`` that come nearer to a goal than any before."""
        value = self.cover.simulate(codes)
        place = 0
        for macro in dict.fromkeys(goal.macro for goal in self.goals):
            goals = [g for g in self.goals[place:] if g.macro == macro]
            for serial, distance in enumerate(_distances(macro, goals, value, len(codes)), place):
                at = int(distance.argmin())
                if distance[at] < self.distance[serial]:
                    self.distance[serial], self.best[serial] = distance[at], codes[at]
            place += len(goals)

    def _variants(self) -> Codes:
        """Words of the nearest vectors replaced by random codes or by those of another goal's nearest vector."""
        rng = self.rng
        still = np.flatnonzero(self.distance)
        rows = self.best[rng.choice(still, VARIANTS)]
        other = self.best[rng.integers(len(self.best), size=VARIANTS)]
        fresh = self.fresh[rng.permutation(VARIANTS)]
        chance = 2.0 ** -rng.integers(1, 10, (VARIANTS, 1))
        change = rng.random(rows.shape) < chance
        source = np.where(rng.random((VARIANTS, 1)) < 0.5, other, fresh)
        return np.where(change, source, rows)

    def reached(self) -> Iterator[Codes]:
        """The vectors of the goals that are reached; of others the nearest, which is a corner too."""
        yield self.best[np.isfinite(self.distance)]


def _goals(macro: Macro) -> Iterator[Goal]:
    n = len(macro.inputs)
    if macro.kind == "popcount":
        powers = [1 << k for k in range(n.bit_length())]
        yield from (Goal(macro, count) for count in sorted({0, n, *powers, *(p - 1 for p in powers)}) if count <= n)
    elif macro.kind == "argmax" and macro.value > 1 and n // macro.value <= WIDEST:
        yield Goal(macro, 0, 0)
        pairs = list(combinations(range(macro.value), 2))
        step = -(-len(pairs) // PAIRS)
        yield from (Goal(macro, i, j, more) for i, j in pairs[::step] for more in (-1, 0, 1))


def _number(value: NDArray[np.uint64], nets: Iterable[int], samples: int) -> NDArray[np.int64]:
    """The word whose bits, LSB first, are ``nets``, in each sample."""
    total = np.zeros(samples, dtype=np.int64)
    for j, row in enumerate(unpack(Planes(value[list(nets)], samples)).T):
        total += row.astype(np.int64) << j
    return total


def _distances(macro: Macro, goals: list[Goal], value: NDArray[np.uint64],
               samples: int) -> Iterator[NDArray[np.float64]]:
    """How far each sample is from each goal of one macro, 0 where it is reached."""
    if macro.kind == "popcount":
        count = unpack(Planes(value[list(macro.inputs)], samples)).sum(axis=1)
        yield from (np.abs(count - goal.first).astype(np.float64) for goal in goals)
        return
    width = len(macro.inputs) // macro.value
    words = np.stack([_number(value, macro.inputs[i : i + width], samples)
                      for i in range(0, len(macro.inputs), width)]).astype(np.float64)
    order = np.sort(words, axis=0)
    for goal in goals:
        i, j = goal.first, goal.second
        if i == j:
            yield order[-1] - order[0]
            continue
        higher = np.maximum(words[i], words[j])
        yield np.abs(words[i] - words[j] - goal.more) + (order[-1] - higher)


class _Search:
    """SAT for what simulation did not reach: entries of tables first, then goals."""

    def __init__(self, cover: _Cover, climb: _Climb, rng: np.random.Generator) -> None:
        self.cover, self.climb, self.rng, self.work = cover, climb, rng, WORK

    def run(self) -> None:
        """Ask for each, in the smallest window first."""
        circuit = self.cover.circuit
        aig = Aig(circuit.n_input_bits)
        net = aig.embed(circuit, list(range(2, 2 + 2 * circuit.n_input_bits, 2)))
        missing, rows, arity = self.cover.missing(), circuit.fanin.tolist(), circuit.arity.tolist()
        entries = {(row, m): _all(aig, [net[f] ^ 1 ^ (m >> i & 1) for i, f in enumerate(rows[row][: arity[row]])])
                   for row, m in missing[:ENTRIES]}
        still = np.flatnonzero(self.climb.distance).tolist()
        goals = {serial: _literal(aig, net, self.climb.goals[serial]) for serial in still[:GOALS]}
        solver = _solver(aig)
        try:
            for (row, m), literal in entries.items():
                if not int(self.cover.reached[row]) >> m & 1:
                    self._ask(solver, literal)
            for serial, literal in goals.items():
                if self.climb.distance[serial]:
                    self._ask(solver, literal)
        finally:
            solver.close()

    def _ask(self, solver: Solver, literal: int) -> None:
        """Look for an input that makes ``literal`` true; simulate it and some neighbours."""
        for size, conflicts in WINDOWS if literal else ():
            self.work -= size
            if self.work < 0 or time.monotonic() > self.cover.deadline:
                return
            differ, complete = solver.differ(literal, 0, size=size, conflicts=conflicts)
            if differ is False:
                return
            if differ and complete:
                self._take(solver.pattern())
                return

    def _take(self, pattern: NDArray[np.bool_]) -> None:
        turn = self.rng.random((WORD, len(pattern))) < 2.0 ** -self.rng.integers(1, 8, WORD)[:, None]
        turn[0] = False
        circuit = self.cover.circuit
        codes = bits_to_codes(pattern ^ turn, circuit.input_widths).astype(circuit.input_dtype, copy=False)
        if self.climb.goals:
            self.climb.try_codes(codes)
        else:
            self.cover.simulate(codes)


def _solver(aig: Aig) -> Solver:
    first = 1 + aig.n_inputs
    left, right, level = [0] * first + aig.left, [0] * first + aig.right, [0] * first
    for a, b in zip(aig.left, aig.right):
        level.append(1 + max(level[a >> 1], level[b >> 1]))
    return Solver(aig.n_inputs, left, right, level)


def _all(aig: Aig, literals: Iterable[int]) -> int:
    result = 1
    for literal in literals:
        result = aig.and_(result, literal)
    return result


def _literal(aig: Aig, net: list[int], goal: Goal) -> int:
    """True where the goal is reached."""
    macro = goal.macro
    if macro.kind == "popcount":
        return _all(aig, [net[n] ^ 1 ^ (goal.first >> j & 1) for j, n in enumerate(macro.outputs)])
    width = len(macro.inputs) // macro.value
    words = [[net[n] for n in macro.inputs[i : i + width]] for i in range(0, len(macro.inputs), width)]
    if goal.first == goal.second:
        return _all(aig, [aig.xor(x, y) ^ 1 for word in words[1:] for x, y in zip(words[0], word, strict=True)])
    high, low = (goal.first, goal.second) if goal.more >= 0 else (goal.second, goal.first)
    level, carry = list[int](), int(goal.more != 0)
    for x in words[low]:
        level.append(aig.xor(x, carry))
        carry = aig.and_(x, carry)
    same = [aig.xor(x, y) ^ 1 for x, y in zip(level, words[high], strict=True)]
    return _all(aig, [carry ^ 1, *same, *(_greater(aig, word, words[high]) ^ 1 for word in words)])


def _greater(aig: Aig, x: list[int], y: list[int]) -> int:
    result = 0
    for a, b in zip(x, y, strict=True):
        kept = aig.and_(aig.and_(a ^ 1, b) ^ 1, result)
        result = aig.and_(aig.and_(a, b ^ 1) ^ 1, kept ^ 1) ^ 1
    return result
