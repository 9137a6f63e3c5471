"""Counting in tables of up to six inputs in few levels: which counters to take in each round.

In a round every bit that is there enters a counter at once or waits. A counter takes up to six bits of neighbouring
weights and gives their sum, a table for each of its bits. A beam search follows the heights of the columns. As with
other counts the shape depends on the number of nets alone, so that a proof can repeat it.
"""

import heapq
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from ..builder import CircuitBuilder
from ..circuit import FALSE
from .compressors import INPUTS, table

#: Heights that are followed from one round to the next.
BEAM = 30
#: Choices that are followed from one column to the next.
PARTIAL = 60
#: Height of a column above which counters of one weight are taken without a choice.
PLAIN = 18

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
def plan_rounds(n: int) -> Plan:
    """Counters that sum ``n`` bits in the fewest rounds that are found, and then in the fewest tables."""
    states = {(n, *[0] * (n.bit_length() - 1)): Plan(0, ())}
    while not (done := [plan for heights, plan in states.items() if max(heights) <= 1]):
        following: dict[tuple[int, ...], Plan] = {}
        for heights, plan in states.items():
            for counters, after, tables in _round(heights):
                known = following.get(after)
                if known is None or plan.tables + tables < known.tables:
                    following[after] = Plan(plan.tables + tables, (*plan.rounds, counters))
        states = _best(following)
    return min(done)


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


def compress_early(b: CircuitBuilder, nets: list[int]) -> list[int]:
    """How many of ``nets`` are true, in few levels of tables; the first nets enter first."""
    counted = [net for net in nets if net != FALSE]
    width = len(nets).bit_length()
    columns: list[list[int]] = [counted, *([] for _ in range(width))]
    left = len(counted).bit_length()
    for counters in plan_rounds(len(counted)).rounds if counted else ():
        made: list[tuple[int, int]] = []
        for j, taken in counters:
            operands = tuple([columns[j + i].pop(0) for i, n in enumerate(taken) for _ in range(n)])
            truths = _sum_tables(taken, counter_outputs(taken, left - j))
            made += [(j + i, table(b, truth, operands)) for i, truth in enumerate(truths)]
        for j, net in made:
            columns[j].append(net)
    return [column[0] if column else FALSE for column in columns[:width]]


@lru_cache(maxsize=1 << 10)
def _sum_tables(taken: tuple[int, ...], m: int) -> tuple[int, ...]:
    """The ``m`` lowest bits of the sum of so many bits of each weight, as tables."""
    weights = [j for j, n in enumerate(taken) for _ in range(n)]
    sums = [sum((i >> p & 1) << j for p, j in enumerate(weights)) for i in range(1 << len(weights))]
    return tuple(sum((s >> j & 1) << i for i, s in enumerate(sums)) for j in range(m))
