"""Arg-max of unsigned words in gates and in tables of six inputs; the lowest index wins a tie."""

from collections.abc import Callable, Sequence
from itertools import combinations, pairwise
from typing import Literal

from ...core.errors import InputError
from ...core.gates import TABLE
from ..builder import CircuitBuilder
from ..circuit import FALSE, TRUE
from .compressors import INPUTS, table
from .pairs import table_pairs
from .prefix import Timed, gate, greater_early
from .words import greater

#: Shapes of an arg-max; see ``argmax``.
ArgmaxStyle = Literal["staged", "serial", "one-hot", "tournament", "pairs", "triples", "table-pairs"]
#: A word and its index.
Entry = tuple[list[int], list[int]]
#: Words that ``"staged"`` at most compares one after the other before it eliminates.
STAGED = 4
#: Levels by which a bit of a ``"fast"`` count comes after the one below it.
SKEW = 3


def argmax(b: CircuitBuilder, words: Sequence[Sequence[int]], style: ArgmaxStyle = "staged") -> list[int]:
    """Index of the largest word, LSB first, ``max(1, (n - 1).bit_length())`` bits; the lowest index wins a tie.

    Parameters
    ----------
    b
        Takes the gates and the macro.
    words
        Unsigned, LSB first; shorter ones are extended by constants, which cost nothing.
    style
        ``"serial"``: the best so far against the next word. ``"one-hot"``: from the top bit on, a word that lacks it
        is out where another has it; the fewest gates. ``"staged"``: up to four words serially, then one-hot; the
        counters of the other words are then off the longest path, where a mapper that goes for delay recovers area.
        ``"tournament"``: a tree of comparisons whose left side has the largest power of two below ``n`` words, so that
        the index needs no adder. ``"pairs"``: every word against every other, for depth. ``"triples"``: tables of six
        inputs, the best of three words at a time. ``"table-pairs"``: every word against every other in tables of six
        inputs, for few levels of them.

    Raises
    ------
    InputError
        Without words, or for a word without bits.
    """
    if not words or not all(len(word) for word in words):
        raise InputError("an arg-max needs at least one word, and each word a bit")
    width = max(len(word) for word in words)
    padded = [[*word, *[FALSE] * (width - len(word))] for word in words]
    index = ARGMAXES[style](b, padded) or [FALSE]
    b.macro("argmax", [net for word in padded for net in word], index, len(padded))
    return index


def number(i: int, bits: int) -> list[int]:
    """A constant word."""
    return [TRUE if i >> j & 1 else FALSE for j in range(bits)]


def index_bits(words: Sequence[object]) -> int:
    """Bits that number so many words."""
    return (len(words) - 1).bit_length()


def _tournament(b: CircuitBuilder, words: list[list[int]]) -> list[int]:
    return _best(b, words, last=True)[1]


def _best(b: CircuitBuilder, words: list[list[int]], last: bool = False) -> Entry:
    """The largest of ``words``, unless it is the ``last`` one that is asked for, and its index."""
    if len(words) == 1:
        return words[0], []
    half = 1 << index_bits(words) - 1
    left, left_index = _best(b, words[:half])
    right, right_index = _best(b, words[half:])
    wins = greater(b, right, left)
    best = [] if last else [b.mux(wins, x, y) for x, y in zip(left, right, strict=True)]
    right_index = right_index + [FALSE] * (len(left_index) - len(right_index))
    return best, [*[b.mux(wins, x, y) for x, y in zip(left_index, right_index, strict=True)], wins]


def _serial(b: CircuitBuilder, words: list[list[int]]) -> list[int]:
    return _serially(b, words, index_bits(words), last=True)[1]


def _serially(b: CircuitBuilder, words: list[list[int]], bits: int, last: bool = False) -> Entry:
    """The largest of ``words``, unless it is the ``last`` one that is asked for, and its index of ``bits`` bits."""
    best, index = words[0], number(0, bits)
    for i, word in enumerate(words[1:], 1):
        wins = greater(b, word, best)
        index = [b.mux(wins, x, y) for x, y in zip(index, number(i, bits), strict=True)]
        if not last or i < len(words) - 1:
            best = [b.mux(wins, x, y) for x, y in zip(best, word, strict=True)]
    return best, index


def _one_hot(b: CircuitBuilder, words: list[list[int]]) -> list[int]:
    bits = index_bits(words)
    return _eliminate(b, [(word, number(i, bits)) for i, word in enumerate(words)])


def _staged(b: CircuitBuilder, words: list[list[int]]) -> list[int]:
    if len(words) < 4 or len(words[0]) == 1:  # a tree has fewer gates then
        return _tournament(b, words)
    bits, n = index_bits(words), max(1, min(STAGED, len(words) // 2 - 1))
    rest = [(word, number(i, bits)) for i, word in enumerate(words[n:], n)]
    return _eliminate(b, [_serially(b, words[:n], bits), *rest])


def _eliminate(b: CircuitBuilder, entries: list[Entry]) -> list[int]:
    """The index of the first of the largest words: bit after bit from the top, who lacks what another has is out."""
    alive = [TRUE] * len(entries)
    for j in range(len(entries[0][0]) - 1, -1, -1):
        having = [b.and_(a, word[j]) for a, (word, _) in zip(alive, entries, strict=True)]
        none = b.not_(_any(b, having))
        alive = [b.or_(has, b.and_(a, none)) for has, a in zip(having, alive, strict=True)]
    index = entries[-1][1]
    for a, (_, own) in zip(alive[-2::-1], entries[-2::-1], strict=True):
        index = [b.mux(a, x, y) for x, y in zip(index, own, strict=True)]
    return index


def _any(b: CircuitBuilder, nets: list[int]) -> int:
    while len(nets) > 1:
        nets = [b.or_(x, y) for x, y in zip(nets[::2], nets[1::2])] + nets[len(nets) - len(nets) % 2 :]
    return nets[0]


def _pairs(b: CircuitBuilder, words: list[list[int]]) -> list[int]:
    """A bit of the index is true where a word whose number has it beats all words whose numbers lack it."""
    n = len(words)
    timed = [[(SKEW * j, net) for j, net in enumerate(word)] for word in words]
    more = {(i, j): greater_early(b, timed[j], timed[i]) for i, j in combinations(range(n), 2)}

    def best_of(having: list[int], lacking: list[int]) -> int:
        best = []
        for i in having:
            won, lost = [more[k, i] for k in lacking if k < i], [more[i, k] for k in lacking if k > i]
            first = _join(b, won, "AND") if won else (0, TRUE)
            best.append(gate(b, TABLE["A_AND_NOT_B"], first, _join(b, lost, "OR")) if lost else first)
        return _join(b, best, "OR")[1]

    return [best_of([i for i in range(n) if i >> j & 1], [i for i in range(n) if not i >> j & 1])
            for j in range(index_bits(words))]


def _join(b: CircuitBuilder, nets: list[Timed], name: str) -> Timed:
    """One gate over all, the earliest first."""
    while len(nets) > 1:
        x, y, *rest = sorted(nets)
        nets = [gate(b, TABLE[name], x, y), *rest]
    return nets[0]


def _triples(b: CircuitBuilder, words: list[list[int]]) -> list[int]:
    bits = index_bits(words)
    return _best_of_three(b, [(word, number(i, bits)) for i, word in enumerate(words)], last=True)[1]


#: Over three values and whether the second exceeds the first, the third the first, the third the second: the largest's.
CHOICE = {
    2: sum(1 << i for i in range(8) if i >> (1 if i >> 2 & 1 else 0) & 1),
    3: sum(1 << i for i in range(64)
           if i >> ((2 if i >> 5 & 1 else 1) if i >> 3 & 1 else 2 if i >> 4 & 1 else 0) & 1),
}


def _best_of_three(b: CircuitBuilder, entries: list[Entry], last: bool = False) -> Entry:
    """The largest word, unless it is the ``last`` one that is asked for, and its index, by tables of six inputs."""
    n = len(entries)
    if n == 1:
        return entries[0]
    cuts = sorted({0, n - 2 * (n // 3) if n > 2 else 1, n - n // 3, n})
    parts = [_best_of_three(b, entries[i:j]) for i, j in pairwise(cuts)]
    exceeds = [greater_in_tables(b, parts[j][0], parts[i][0]) for i, j in ((0, 1), (0, 2), (1, 2)) if j < len(parts)]

    def choose(*values: int) -> int:
        return table(b, CHOICE[len(parts)], (*values, *exceeds))

    index = [choose(*bits) for bits in zip(*(own for _, own in parts), strict=True)]
    return [] if last else [choose(*bits) for bits in zip(*(word for word, _ in parts), strict=True)], index


def greater_in_tables(b: CircuitBuilder, x: Sequence[int], y: Sequence[int]) -> int:
    """``x > y`` by tables of six inputs: three bits of both words, then two bits of both and what is below them."""
    result, low, step = FALSE, 0, INPUTS // 2
    while low < len(x):
        below = (result,) * bool(low)
        xs, ys = tuple(x[low : low + step]), tuple(y[low : low + step])
        result = table(b, _greater_table(len(xs), bool(low)), (*xs, *ys, *below))
        low, step = low + step, INPUTS // 2 - 1
    return result


def _greater_table(bits: int, carried: bool) -> int:
    """``x > y``, or ``x >= y`` where the last operand is true, for words of ``bits`` bits: operands x, y, the last."""
    size = 1 << bits
    return sum(1 << i for i in range(size * size << carried) if i % size + (i >> 2 * bits) > i // size % size)


ARGMAXES: dict[ArgmaxStyle, Callable[[CircuitBuilder, list[list[int]]], list[int]]] = {
    "staged": _staged, "serial": _serial, "one-hot": _one_hot, "tournament": _tournament, "pairs": _pairs,
    "triples": _triples, "table-pairs": table_pairs}
