"""Counting in tables of up to six inputs in few levels: which counters to take in each round.

In a round every bit that is there enters a counter at once or waits. A counter takes up to six bits of neighbouring
weights and gives their sum, a table for each of its bits. A beam search over the heights of the columns finds, for each
number of rounds, the fewest tables.
"""

import heapq
from collections.abc import Sequence
from functools import lru_cache
from itertools import count
from typing import NamedTuple

from ..builder import CircuitBuilder
from ..circuit import FALSE
from .compressors import INPUTS, table

#: Heights that are followed from one round to the next.
BEAM = 30
#: Choices that are followed from one column to the next.
PARTIAL = 120
#: Height of a column above which counters of one weight are taken without a choice.
PLAIN = 18
#: Rounds that are tried beyond the least that is found.
MORE = 3

#: Bits of each weight from the counter's own on, and the column of that weight.
Counter = tuple[int, tuple[int, ...]]


class Plan(NamedTuple):
    """Counters of each round, and how many tables they take."""

    tables: int
    rounds: tuple[tuple[Counter, ...], ...]


def counter_outputs(taken: Sequence[int], left: int) -> int:
    """How many tables a counter of ``taken`` bits of each weight needs where ``left`` weights are left."""
    return min(sum(n << j for j, n in enumerate(taken)).bit_length(), left)


@lru_cache(maxsize=1 << 10)
def plans(arrivals: tuple[int, ...], width: int) -> tuple[Plan | None, ...]:
    """For each number of rounds the plan of the fewest tables that was found; None where there is none.

    Parameters
    ----------
    arrivals
        How many bits arrive before each round.
    width
        Weights of the sum.
    """
    heights = (arrivals[0], *[0] * (width - 1))
    states: dict[tuple[int, ...], Plan] = {heights: Plan(0, ())}
    result: list[Plan | None] = []
    first = None
    for turn in count(1):
        done = [plan for state, plan in states.items() if max(state) <= 1] if turn >= len(arrivals) else []
        result.append(min(done, default=None))
        if done and first is None:
            first = turn
        if first is not None and turn >= first + MORE:
            return tuple(result)
        following: dict[tuple[int, ...], Plan] = {}
        for state, plan in states.items():
            for counters, out, tables in _round(state):
                more = arrivals[turn] if turn < len(arrivals) else 0
                new = (out[0] + more, *out[1:])
                known = following.get(new)
                if known is None or plan.tables + tables < known.tables:
                    following[new] = Plan(plan.tables + tables, (*plan.rounds, counters))
        states = _best(following)
    return ()


def _best(states: dict[tuple[int, ...], Plan]) -> dict[tuple[int, ...], Plan]:
    """Those that are nearest to the end, and those that will take the fewest tables."""
    def excess(item: tuple[tuple[int, ...], Plan]) -> int:
        return sum(h - 1 for h in item[0] if h > 1)

    early = heapq.nsmallest(BEAM, states.items(), key=lambda i: (max(i[0]), excess(i), i[1].tables, i[0]))
    small = heapq.nsmallest(BEAM, states.items(), key=lambda i: (i[1].tables + 1.1 * excess(i), i[0]))
    return dict(early + small)


def _round(heights: tuple[int, ...]) -> list[tuple[tuple[Counter, ...], tuple[int, ...], int]]:
    """Choices of one round: the counters, the heights after it, their tables."""
    width, plain = len(heights), max(heights) > PLAIN
    # bits that no counter has taken, bits after the round -> counters and their tables
    partial: dict[tuple[tuple[int, ...], tuple[int, ...]], tuple[int, tuple[Counter, ...]]] = {
        (heights, (0,) * width): (0, ())}
    for j in range(width):
        following: dict[tuple[tuple[int, ...], tuple[int, ...]], tuple[int, tuple[Counter, ...]]] = {}
        for (free, out), (tables, counters) in partial.items():
            full, rest = divmod(free[j], INPUTS)
            m = counter_outputs((INPUTS,), width - j)
            grown = [h + full * (j <= i < j + m) for i, h in enumerate(out)]
            own = (*counters, *[(j, (INPUTS,))] * full)
            for taken in ([(rest,) if rest > 2 else ()] if plain else _rests(free, j, rest)):
                size = counter_outputs(taken, width - j) if taken else 0
                left = rest - (taken[0] if taken else 0)
                after = tuple([h + (j <= i < j + size) + left * (i == j) for i, h in enumerate(grown)])
                still = tuple([h - (taken[i - j] if j < i < j + len(taken) else 0) for i, h in enumerate(free)])
                price = tables + full * m + size
                if price < following.get((still, after), (1 << 30,))[0]:
                    following[still, after] = price, (*own, (j, taken)) if taken else own
        partial = following if len(following) <= PARTIAL else dict(
            heapq.nsmallest(PARTIAL, following.items(), key=lambda i: (
                i[1][0] + 1.1 * sum(h - 1 for h in map(sum, zip(i[0][0][j + 1 :], i[0][1][j + 1 :])) if h > 1)
                + 1.1 * sum(h - 1 for h in i[0][1][: j + 1] if h > 1), i[0])))
    return [(counters, out, tables) for (_, out), (tables, counters) in partial.items()]


def _rests(free: tuple[int, ...], j: int, rest: int) -> list[tuple[int, ...]]:
    """What one more counter may take of the ``rest`` of column ``j`` and of the two after it."""
    choices: list[tuple[int, ...]] = [()]
    if rest:
        following = [free[i] % INPUTS if i < len(free) else 0 for i in (j + 1, j + 2)]
        for c in {0, min(following[0], INPUTS - rest), min(following[0], max(0, (7 - rest) // 2))}:
            for d in {0, min(following[1], INPUTS - rest - c)} if c else {0}:
                taken = (rest, c, d)
                if sum(taken) > 2 or (rest == 2 and c == 0):
                    choices.append(taken[:1] if c == 0 else taken[:2] if d == 0 else taken)
    return choices


def earliest(level: Sequence[int], nets: Sequence[int]) -> int:
    """The level at which the count of ``nets`` may be there, the nets being so at ``level``."""
    arrivals, begin = _arrivals(level, nets)
    found = plans(arrivals, len(nets).bit_length())
    return begin + next(i for i, plan in enumerate(found) if plan is not None)


def _arrivals(level: Sequence[int], nets: Sequence[int]) -> tuple[tuple[int, ...], int]:
    """How many nets, constants left out, come with each level, and the first of these."""
    times = [level[net] for net in nets if net != FALSE]
    begin = min(times, default=0)
    return tuple(times.count(t) for t in range(begin, max(times, default=0) + 1)), begin


def compress_early(b: CircuitBuilder, nets: list[int], latest: int | None = None) -> list[int]:
    """How many of ``nets`` are true, in few levels of tables; ``latest`` allows more levels and fewer tables.

    Parameters
    ----------
    b
        Takes the tables.
    nets
        What is counted; their levels in ``b`` are when they arrive.
    latest
        The level by which the count may be there; the least that is found unless given.
    """
    width, level = len(nets).bit_length(), b.levels()
    counted = [net for net in nets if net != FALSE]
    arrivals, begin = _arrivals(level, counted)
    found = [(begin + i, plan) for i, plan in enumerate(plans(arrivals, width)) if plan is not None]
    chosen = min([plan for end, plan in found if latest is not None and end <= latest], default=found[0][1])
    columns: list[list[int]] = [[] for _ in range(width + 3)]
    waiting = [[net for net in counted if level[net] == begin + turn] for turn in range(len(arrivals))]
    columns[0] += waiting[0]
    for turn, counters in enumerate(chosen.rounds, 1):
        made: list[tuple[int, int]] = []
        for j, taken in counters:
            operands = tuple(columns[j + i].pop(0) for i, n in enumerate(taken) for _ in range(n))
            for i, truth in enumerate(_sum_tables(taken, counter_outputs(taken, width - j))):
                made.append((j + i, table(b, truth, operands)))
        for j, net in made:
            columns[j].append(net)
        columns[0] += waiting[turn] if turn < len(waiting) else []
    return [column[0] if column else FALSE for column in columns[:width]]


@lru_cache(maxsize=1 << 10)
def _sum_tables(taken: tuple[int, ...], m: int) -> tuple[int, ...]:
    """The ``m`` lowest bits of the sum of so many bits of each weight, as tables."""
    weights = [j for j, n in enumerate(taken) for _ in range(n)]
    sums = [sum((i >> p & 1) << j for p, j in enumerate(weights)) for i in range(1 << len(weights))]
    return tuple(sum((s >> j & 1) << i for i, s in enumerate(sums)) for j in range(m))
