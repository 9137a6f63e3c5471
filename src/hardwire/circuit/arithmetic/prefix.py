"""Sums and comparisons of the least depth: prefix trees chosen by the arrival of each bit.

A bit with its arrival is a pair ``(level, net)``. Neighbouring places join by ``(g, p) = (g1 or p1 g0, p1 p0)``: a
place generates a carry, or propagates one from below. Each bracketing of the places is tried, by dynamic programming,
so that the result is the earliest of all trees; words are short.

References
----------
Oklobdzija, Villeger, Liu, "A method for speed optimized partial product reduction and generation of fast parallel
multipliers using an algorithmic approach", IEEE Transactions on Computers 45, 1996.
"""

from collections.abc import Sequence
from functools import cache

from ...core.gates import TABLE
from ..builder import CircuitBuilder
from ..circuit import FALSE, TRUE

#: Level and net.
Timed = tuple[int, int]
#: Generate and propagate.
Place = tuple[Timed, Timed]


def gate(b: CircuitBuilder, table: int, x: Timed, y: Timed) -> Timed:
    """A two-input gate with its level; a constant, a wire and an inverted constant keep that of the operand."""
    net = b.gate(table, x[1], y[1])
    for operand in (x, y):
        if net == operand[1]:
            return operand
    return (0, net) if net <= TRUE else (max(t for t, n in (x, y) if n > TRUE) + 1, net)


def carries(b: CircuitBuilder, places: Sequence[Place], wanted: Sequence[int]) -> dict[int, Timed]:
    """The carry out of places ``0 .. j`` for each ``j`` of ``wanted``, every one as early as can be."""

    @cache
    def level(i: int, j: int) -> tuple[int, int, int]:
        """Levels of generate and propagate of places ``i .. j``, and the first place of the upper part."""
        if i == j:
            return places[i][0][0], places[i][1][0], i
        joins = ((level(i, k - 1), level(k, j), k) for k in range(i + 1, j + 1))
        return min((max(high[0] + 1, max(high[1], low[0]) + 2), max(high[1], low[1]) + 1, k) for low, high, k in joins)

    @cache
    def generate(i: int, j: int) -> Timed:
        if i == j:
            return places[i][0]
        k = level(i, j)[2]
        below = gate(b, TABLE["AND"], propagate(k, j), generate(i, k - 1))
        return gate(b, TABLE["OR"], generate(k, j), below)

    @cache
    def propagate(i: int, j: int) -> Timed:
        if i == j:
            return places[i][1]
        k = level(i, j)[2]
        return gate(b, TABLE["AND"], propagate(k, j), propagate(i, k - 1))

    return {j: generate(0, j) for j in wanted}


def sum_of_rows(b: CircuitBuilder, columns: Sequence[Sequence[Timed]]) -> list[Timed]:
    """The sum of columns of one or two bits, or none, LSB first, without the last carry."""
    pairs = [(*column, *[(0, FALSE)] * (2 - len(column))) for column in columns]
    halves = [gate(b, TABLE["XOR"], x, y) for x, y in pairs]
    places = [(gate(b, TABLE["AND"], x, y), half) for (x, y), half in zip(pairs, halves, strict=True)]
    carry = carries(b, places, range(len(places) - 1))
    return halves[:1] + [gate(b, TABLE["XOR"], half, carry[j]) for j, half in enumerate(halves[1:])]


def greater_early(b: CircuitBuilder, x: Sequence[Timed], y: Sequence[Timed]) -> Timed:
    """``x > y`` for unsigned words of one width, LSB first."""
    places = [(gate(b, TABLE["A_AND_NOT_B"], s, t), gate(b, TABLE["A_OR_NOT_B"], s, t))
              for s, t in zip(x, y, strict=True)]
    return carries(b, places, [len(places) - 1])[len(places) - 1]
