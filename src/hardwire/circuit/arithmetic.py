"""Word arithmetic in gates: comparison with a constant and with another word, population count, arg-max.

Each adds its gates to a builder and states the macro that they spell. The shapes of the trees here are repeated by the
hand-written Verilog primitives, so that a proof of equivalence finds the same inner points.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from ..core.errors import InputError
from ..core.gates import TABLE
from .builder import CircuitBuilder
from .circuit import FALSE, TRUE

#: Shapes of a population count and of an arg-max; see ``popcount`` and ``argmax``.
CountStyle = Literal["tree", "columns"]
ArgmaxStyle = Literal["tournament", "serial"]


def at_least(b: CircuitBuilder, word: list[int], value: int) -> int:
    """``word >= value`` for an unsigned word, LSB first; a gate for each bit above the lowest set bit of ``value``."""
    if value <= 0:
        return TRUE
    if value >= 1 << len(word):
        return FALSE
    result = _at_least(b, word, value)
    b.macro("ge", word, [result], value)
    return result


def _at_least(b: CircuitBuilder, word: list[int], value: int) -> int:
    """``at_least`` for a value of 1 to ``2^len(word) - 1``, without the macro."""
    low = (value & -value).bit_length() - 1
    result = word[low]
    for j in range(low + 1, len(word)):
        result = b.and_(word[j], result) if value >> j & 1 else b.or_(word[j], result)
    return result


def full_adder(b: CircuitBuilder, x: int, y: int, carry: int) -> tuple[int, int]:
    """Sum and carry; five gates, fewer where an operand is constant."""
    half = b.xor(x, y)
    return b.xor(half, carry), b.or_(b.and_(x, y), b.and_(half, carry))


def add(b: CircuitBuilder, x: list[int], y: list[int], carry: int = FALSE) -> list[int]:
    """``x + y + carry``, one bit wider than the wider operand."""
    total = []
    for j in range(max(len(x), len(y))):
        s, carry = full_adder(b, x[j] if j < len(x) else FALSE, y[j] if j < len(y) else FALSE, carry)
        total.append(s)
    return [*total, carry]


def difference(b: CircuitBuilder, x: Sequence[int], y: Sequence[int]) -> list[int]:
    """``x - y + 2^w`` for unsigned words, LSB first, ``w`` the wider one's bits: ``w + 1`` bits, five gates for each.

    That is ``x + ~y + 1``; the inversion of ``y`` is inside the gates.
    """
    carry, result = TRUE, []
    for j in range(max(len(x), len(y))):
        xj, yj = (word[j] if j < len(word) else FALSE for word in (x, y))
        same, more = b.gate(TABLE["XNOR"], xj, yj), b.gate(TABLE["A_AND_NOT_B"], xj, yj)
        result.append(b.xor(same, carry))
        carry = b.or_(more, b.and_(same, carry))
    return [*result, carry]


def exceeds(b: CircuitBuilder, biased: list[int], value: int) -> int:
    """``x - y >= value``, any integer, for ``biased = difference(x, y)``; a gate or less for each bit."""
    level = value + (1 << len(biased) - 1)
    if level <= 0:
        return TRUE
    return FALSE if level >= 1 << len(biased) else _at_least(b, biased, level)


def at_least_more(
    b: CircuitBuilder, comparisons: Iterable[tuple[tuple[int, ...], tuple[int, ...], int]]
) -> list[int]:
    """``x >= y + value`` for each ``(x, y, value)`` of ``comparisons``: two unsigned words and an integer.

    Comparisons of the same two words, in either order, share one difference: ``y - x >= v`` is ``not x - y >= 1 - v``.
    The result is no macro, so that passes may reshape the sums.
    """
    shared: dict[tuple[tuple[int, ...], tuple[int, ...]], list[int]] = {}
    result = []
    for x, y, value in comparisons:
        if x == y:
            result.append(TRUE if value <= 0 else FALSE)
        elif (y, x) in shared:
            result.append(b.not_(exceeds(b, shared[y, x], 1 - value)))
        else:
            if (x, y) not in shared:
                shared[x, y] = difference(b, x, y)
            result.append(exceeds(b, shared[x, y], value))
    return result


def popcount(b: CircuitBuilder, nets: Sequence[int], style: CountStyle = "tree") -> list[int]:
    """How many of ``nets`` are true, ``len(nets).bit_length()`` bits, LSB first; at most five gates an input.

    Parameters
    ----------
    b
        Takes the gates and the macro.
    nets
        What is counted; constants and repeats are allowed.
    style
        ``"tree"``: ripple adders in a tree, ``count(x[0:n]) = count(x[0:h]) + count(x[h:n-1]) + x[n-1]`` with
        ``h = (n - 1) // 2``, the last bit being the carry. ``"columns"``: full adders take three bits of a weight
        until one is left, a half adder only where two are left.
    """
    if not len(nets):
        raise InputError("a population count of no nets was asked for; give at least one")
    count = COUNTS[style](b, list(nets))
    b.macro("popcount", nets, count)
    return count


def _tree(b: CircuitBuilder, nets: list[int]) -> list[int]:
    n = len(nets)
    if n == 1:
        return nets
    if n == 2:
        return [b.xor(*nets), b.and_(*nets)]
    half = (n - 1) // 2
    return add(b, _tree(b, nets[:half]), _tree(b, nets[half:-1]), nets[-1])[: n.bit_length()]


def _columns(b: CircuitBuilder, nets: list[int]) -> list[int]:
    """``n - m`` full adders for ``n`` inputs and ``m`` bits, and a half adder for each zero in ``n``."""
    count, column = [], deque(nets)
    while column:
        carries: deque[int] = deque()
        while len(column) > 2:
            total, carry = full_adder(b, column.popleft(), column.popleft(), column.popleft())
            column.append(total)
            carries.append(carry)
        if len(column) == 2:
            x, y = column
            column = deque([b.xor(x, y)])
            carries.append(b.and_(x, y))
        count.append(column[0])
        column = carries
    return count


COUNTS: dict[CountStyle, Callable[[CircuitBuilder, list[int]], list[int]]] = {"tree": _tree, "columns": _columns}


def greater(b: CircuitBuilder, x: list[int], y: list[int]) -> int:
    """``x > y`` for unsigned words of one width, LSB first."""
    result = FALSE
    for xj, yj in zip(x, y):
        differ = b.xor(xj, yj)
        result = b.mux(differ, result, xj)
    return result


def argmax(b: CircuitBuilder, words: list[list[int]], style: ArgmaxStyle = "tournament") -> list[int]:
    """Index of the largest word, LSB first, ``max(1, (n - 1).bit_length())`` bits; the lowest index wins a tie.

    Parameters
    ----------
    b
        Takes the gates and the macro.
    words
        Unsigned, LSB first; shorter ones are extended by constants, which cost nothing.
    style
        ``"tournament"``: a tree of comparisons whose left side has the largest power of two below ``n`` words, so that
        the index needs no adder. ``"serial"``: the best so far against the next word; the counters of late words are
        then off the longest path, where a mapper for delay recovers area.
    """
    if not words or not all(words):
        raise InputError("an arg-max needs at least one word, and each word a bit")
    width = max(len(w) for w in words)
    words = [[*w, *[FALSE] * (width - len(w))] for w in words]
    index = ARGMAXES[style](b, words) or [FALSE]
    b.macro("argmax", [net for w in words for net in w], index, len(words))
    return index


def _tournament(b: CircuitBuilder, words: list[list[int]]) -> list[int]:
    return _best(b, words)[1]


def _best(b: CircuitBuilder, words: list[list[int]]) -> tuple[list[int], list[int]]:
    """The largest of ``words`` and its index."""
    n = len(words)
    if n == 1:
        return words[0], []
    half = 1 << (n - 1).bit_length() - 1
    left, left_index = _best(b, words[:half])
    right, right_index = _best(b, words[half:])
    wins = greater(b, right, left)
    best = [b.mux(wins, x, y) for x, y in zip(left, right)]
    right_index = right_index + [FALSE] * (len(left_index) - len(right_index))
    return best, [*[b.mux(wins, x, y) for x, y in zip(left_index, right_index)], wins]


def _serial(b: CircuitBuilder, words: list[list[int]]) -> list[int]:
    best, index = words[0], [FALSE] * (len(words) - 1).bit_length()
    for i, word in enumerate(words[1:], 1):
        wins = greater(b, word, best)
        index = [b.mux(wins, bit, TRUE if i >> j & 1 else FALSE) for j, bit in enumerate(index)]
        if i < len(words) - 1:
            best = [b.mux(wins, x, y) for x, y in zip(best, word)]
    return index


ARGMAXES: dict[ArgmaxStyle, Callable[[CircuitBuilder, list[list[int]]], list[int]]] = {
    "tournament": _tournament, "serial": _serial}
