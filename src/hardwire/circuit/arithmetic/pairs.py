"""Arg-max in tables of six inputs by comparing every word with every other: few levels.

A bit of the index is true where a word whose number has the bit exceeds all words whose numbers lack it: that takes
comparisons of those words alone, and no single winner is formed.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import combinations, pairwise

from ..builder import CircuitBuilder
from ..circuit import FALSE
from .compressors import INPUTS, table

#: Bits of both words that one table compares, and that it compares beside what is below them.
DIRECT, CARRIED = 3, 2


def table_pairs(b: CircuitBuilder, words: list[list[int]]) -> list[int]:
    """Index of the largest word, LSB first; the lowest index wins a tie."""
    n = len(words)
    arrival = [(j + 1) // 2 for j in range(len(words[0]))]
    # more[i, j]: word j exceeds the earlier word i
    more = {(i, j): greater_soon(b, arrival, words[j], words[i]) for i, j in combinations(range(n), 2)}
    return [_index_bit(b, more, [i for i in range(n) if i >> j & 1], [i for i in range(n) if not i >> j & 1])
            for j in range((n - 1).bit_length())]


def _index_bit(b: CircuitBuilder, more: dict[tuple[int, int], int], having: list[int], lacking: list[int]) -> int:
    """Whether the largest word is one of ``having``: one of them exceeds all of ``lacking``, or none of these does."""
    def beats(i: int, k: int) -> tuple[int, bool]:
        """A net and whether it is inverted: word ``i`` is taken before word ``k``."""
        return (more[k, i], False) if k < i else (more[i, k], True)

    ways = [[[beats(i, k) for k in others] for i in own] for own, others in ((having, lacking), (lacking, having))]
    chosen = min((0, 1), key=lambda w: sum(-(-len(term) // INPUTS) for term in ways[w]))
    return _any_of_all(b, ways[chosen], inverted=chosen == 1)


def _any_of_all(b: CircuitBuilder, terms: list[list[tuple[int, bool]]], *, inverted: bool) -> int:
    """The OR of the terms' ANDs in two levels of tables where six inputs of each allow it."""
    parts: list[list[int]] = []
    for term in terms:
        count = -(-len(term) // INPUTS)
        ends = [len(term) * i // count for i in range(count + 1)]
        parts.append([_all(b, term[s:e]) for s, e in pairwise(ends)])
    while sum(map(len, parts)) > INPUTS:
        if max(map(len, parts)) > 1:
            parts = [[_all(b, [(net, False) for net in part])] if len(part) > 1 else part for part in parts]
        else:
            nets = [part[0] for part in parts]
            count = -(-len(nets) // INPUTS)
            ends = [len(nets) * i // count for i in range(count + 1)]
            parts = [[_function(b, nets[s:e], any)] for s, e in pairwise(ends)]
    sizes = [len(part) for part in parts]

    def value(bits: Sequence[bool]) -> bool:
        rest = list(bits)
        return any([all([rest.pop(0) for _ in range(size)]) for size in sizes]) != inverted

    return _function(b, [net for part in parts for net in part], value)


def _all(b: CircuitBuilder, literals: Sequence[tuple[int, bool]]) -> int:
    return _function(b, [net for net, _ in literals],
                     lambda bits: all(bit != flip for bit, (_, flip) in zip(bits, literals, strict=True)))


def _function(b: CircuitBuilder, nets: Sequence[int], value: Callable[[Sequence[bool]], bool]) -> int:
    """A table of what ``value`` says of the operands' bits."""
    truth = sum(value([bool(i >> j & 1) for j in range(len(nets))]) << i for i in range(1 << len(nets)))
    return table(b, truth, tuple(nets))


def greater_soon(b: CircuitBuilder, arrival: Sequence[int], x: Sequence[int], y: Sequence[int]) -> int:
    """``x > y`` for words of one width, LSB first, whose bits arrive at these levels: the soonest, then fewest tables.

    The comparison of the lowest bits goes upwards through tables of two more bits of both words; or two tables say of
    up to three bits whether ``x`` is greater there, and whether it is equal, and a third one joins two of such places
    with what is below.
    """
    width = len(x)
    best: list[tuple[int, int, tuple[int, ...]]] = [(0, 0, ())]  # of the p lowest bits: level, tables, how
    for p in range(1, width + 1):
        choices: list[tuple[int, int, tuple[int, ...]]] = []
        for c in range(1, min(p, DIRECT) + 1):
            late = max(arrival[p - c : p])
            if c == p or c <= CARRIED:
                choices.append((1 + max(late, best[p - c][0]), 1 + best[p - c][1], (c,)))
        for c in range(1, min(p - 1, DIRECT) + 1):
            late = 1 + max(arrival[p - c : p])
            for d in range(0, min(p - c, DIRECT) + 1):
                low = p - c - d
                below = max(late, 1 + max(arrival[low : p - c], default=-1), best[low][0])
                if d == 1:
                    below = max(late, arrival[low], best[low][0])
                tables = best[low][1] + 3 + (2 if d > 1 else 0)
                if d or low:
                    choices.append((1 + below, tables, (c, d)))
        best.append(min(choices))
    return _compare(b, x, y, best, width)


def _compare(b: CircuitBuilder, x: Sequence[int], y: Sequence[int], best: list[tuple[int, int, tuple[int, ...]]],
             p: int) -> int:
    """``x > y`` of the ``p`` lowest bits, as ``best`` says."""
    if p == 0:
        return FALSE
    how = best[p][2]
    if len(how) == 1:
        c = how[0]
        below = [] if c == p else [_compare(b, x, y, best, p - c)]
        return _function(b, [*x[p - c : p], *y[p - c : p], *below], partial(_exceeds, size=c))
    c, d = how
    low = p - c - d
    places: list[int] = []
    kinds: list[str] = []
    for start, size in ((p - c, c), (low, d)):
        if size == 1 and start == low:
            places += [x[low], y[low]]
            kinds.append("bits")
        elif size:
            nets = [*x[start : start + size], *y[start : start + size]]
            places += [_function(b, nets, partial(of, size=size)) for of in (_exceeds, _equals)]
            kinds.append("place")
    if low:
        places.append(_compare(b, x, y, best, low))

    def joined(bits: Sequence[bool]) -> bool:
        rest = list(bits)
        for kind in kinds:
            first, second = rest.pop(0), rest.pop(0)
            greater, equal = (first, second) if kind == "place" else (first > second, first == second)
            if greater or not equal:
                return greater
        return bool(rest and rest[0])

    return _function(b, places, joined)


def _equals(bits: Sequence[bool], size: int) -> bool:
    """``x == y`` of the bits of x and of y."""
    return list(bits[:size]) == list(bits[size:])


def _exceeds(bits: Sequence[bool], size: int) -> bool:
    """``x > y``, or ``x >= y`` where what is below says so, of the bits of x, of y and of what is below."""
    for j in reversed(range(size)):
        if bits[j] != bits[size + j]:
            return bool(bits[j])
    return len(bits) > 2 * size and bool(bits[2 * size])
