"""Word arithmetic in gates: comparison with a constant and with another word, sums and differences."""

from collections.abc import Iterable, Sequence

from ...core.gates import TABLE
from ..builder import CircuitBuilder
from ..circuit import FALSE, TRUE
from ..structure import MAX_WIDTH


def at_least(b: CircuitBuilder, word: list[int], value: int) -> int:
    """``word >= value`` for an unsigned word, LSB first; a gate for each bit above the lowest set bit of ``value``.

    Stated as a macro up to 64 bits, which is as wide as targets compare numbers.
    """
    if value <= 0:
        return TRUE
    if value >= 1 << len(word):
        return FALSE
    result = _at_least(b, word, value)
    if len(word) <= MAX_WIDTH:
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


def greater(b: CircuitBuilder, x: Sequence[int], y: Sequence[int]) -> int:
    """``x > y`` for unsigned words of one width, LSB first; four gates a bit."""
    result = FALSE
    for xj, yj in zip(x, y, strict=True):
        more, no_less = b.gate(TABLE["A_AND_NOT_B"], xj, yj), b.gate(TABLE["A_OR_NOT_B"], xj, yj)
        result = b.or_(more, b.and_(no_less, result))
    return result
