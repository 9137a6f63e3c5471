"""Counting in tables of up to six inputs: parallel counters, and which of them to take.

A counter takes ``a`` bits of one weight and ``c`` bits of twice the weight, six bits at most, and gives their sum,
``a + 2 c < 8``, in three tables: (6, 0) and (5, 1) remove three bits by three tables, which no other does. Sums modulo
the highest weight are enough, so counters at the top leave out tables that are always false.

References
----------
Parandeh-Afshar, Brisk, Ienne, "Efficient synthesis of compressor trees on FPGAs", ASP-DAC 2008.
"""

import heapq
from functools import cache, lru_cache
from itertools import count

from ...core.truth_tables import restrict
from ..builder import CircuitBuilder
from ..circuit import FALSE, TRUE

INPUTS = 6
#: Counters ``(a, c)``: by falling use.
COUNTERS = tuple((a, c) for a in range(6, 1, -1) for c in range(INPUTS - a + 1) if a + 2 * c < 8)
FULL = ((6, 0), (5, 1))
TOP = tuple((a, c) for a in range(6, 1, -1) for c in range(INPUTS - a + 1))
#: Bits of a column above which (6, 0) is taken without a search.
SEARCHED = 20
#: Bits of a column above which no counter of fewer than six bits is tried.
LAST = 8


def table(b: CircuitBuilder, truth: int, nets: tuple[int, ...]) -> int:
    """A node over the operands that are no constants; a wire or a constant is no node."""
    truth, kept = restrict(truth, tuple(net if net <= TRUE else None for net in nets))
    if not kept:
        return TRUE if truth else FALSE
    return nets[kept[0]] if len(kept) == 1 and truth == 0b10 else b.node(truth, *(nets[i] for i in kept))


@cache
def counter_tables(a: int, c: int, m: int) -> tuple[int, ...]:
    """The ``m`` lowest bits of the sum of ``a`` bits and twice ``c`` bits, as tables of ``a + c`` operands."""
    sums = [(i & (1 << a) - 1).bit_count() + 2 * (i >> a).bit_count() for i in range(1 << a + c)]
    return tuple(sum((s >> j & 1) << i for i, s in enumerate(sums)) for j in range(m))


def outputs(a: int, c: int, left: int) -> int:
    """How many tables a counter needs where ``left`` weights are left, its own the lowest."""
    return min((a + 2 * c).bit_length(), left)


@lru_cache(maxsize=1 << 20)
def plan(h: int, h1: int, h2: int, left: int) -> tuple[int, tuple[int, int] | None]:
    """The fewest tables that sum columns of ``h``, ``h1`` and ``h2`` bits, and the first counter to take.

    ``left`` is how many weights the sum has; the counter is None where the lowest column is done.
    """
    if h <= 1:
        return (0, None) if left <= 1 or h1 + h2 == 0 else (plan(h1, h2, 0, left - 1)[0], None)
    if h > SEARCHED:
        many, m = -(-(h - SEARCHED) // 5), outputs(6, 0, left)
        return many * m + plan(h - 5 * many, h1 + many * (m > 1), h2 + many * (m > 2), left)[0], (6, 0)
    kinds = TOP if left <= 2 else FULL if h > LAST else COUNTERS
    best: tuple[int, tuple[int, int] | None] = (1 << 30, None)
    for a, c in kinds:
        if a <= h and c <= h1 and (left > 1 or c == 0):
            m = outputs(a, c, left)
            rest = plan(h - a + 1, h1 - c + (m > 1), h2 + (m > 2), left)[0]
            best = min(best, (m + rest, (a, c)), key=lambda choice: choice[0])
    return best


def compress(b: CircuitBuilder, nets: list[int]) -> list[int]:
    """How many of ``nets`` are true, by tables of up to six inputs; the earliest bits enter first."""
    width, serial = len(nets).bit_length(), count()
    columns: list[list[tuple[int, int, int]]] = [[] for _ in range(width + 2)]
    columns[0] = [(0, next(serial), net) for net in nets if net != FALSE]
    for j in range(width):
        heapq.heapify(columns[j])
        heapq.heapify(columns[j + 1])
        while len(columns[j]) > 1:
            _, kind = plan(len(columns[j]), len(columns[j + 1]), len(columns[j + 2]), width - j)
            a, c = kind or (2, 0)
            taken = [heapq.heappop(columns[j + (i >= a)]) for i in range(a + c)]
            level = 1 + max(t for t, _, _ in taken)
            operands = tuple(net for _, _, net in taken)
            for i, truth in enumerate(counter_tables(a, c, outputs(a, c, width - j))):
                heapq.heappush(columns[j + i], (level, next(serial), table(b, truth, operands)))
    return [column[0][-1] if column else FALSE for column in columns[:width]]
