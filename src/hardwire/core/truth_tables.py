"""Truth tables of any number of inputs, as Python integers.

A table of ``k`` operands has ``2^k`` bits, least significant first: bit ``sum_i x_i 2^i`` is the function's value at
operands ``x_0 ... x_(k-1)``, as in the gate table. Every function here is pure. ``decompose`` is the only place that
takes a wide table apart into two-input gates.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from .gates import TABLE

Operand = TypeVar("Operand")

#: Number of operands whose table fills one 64-bit word.
WORD_OPERANDS = 6
CACHE = 1 << 16


def ones(k: int) -> int:
    """The table of ``k`` operands that is true everywhere."""
    return (1 << (1 << k)) - 1


@lru_cache(maxsize=CACHE)
def projection(i: int, k: int) -> int:
    """The table of ``k`` operands that equals operand ``i``."""
    return ones(k) // ((1 << (1 << i)) + 1) << (1 << i)


def packed_projections(k: int) -> NDArray[np.uint64]:
    """The tables of ``k`` operands packed into words, shape ``(k, max(1, 2^k / 64))``; shorter tables repeat."""
    words = np.arange(max(1, (1 << k) // 64), dtype=np.uint64)
    rows = np.empty((k, len(words)), dtype=np.uint64)
    for i in range(k):
        if i < WORD_OPERANDS:
            rows[i] = projection(i, WORD_OPERANDS)
        else:
            rows[i] = np.uint64(0) - (words >> np.uint64(i - WORD_OPERANDS) & np.uint64(1))
    return rows


def depends(table: int, k: int, i: int) -> bool:
    """Whether a table of ``k`` operands depends on operand ``i``."""
    return bool((table ^ table >> (1 << i)) & (ones(k) ^ projection(i, k)))


def support(table: int, k: int) -> int:
    """The operands that a table of ``k`` operands depends on, as a bit mask."""
    return sum(1 << i for i in range(k) if depends(table, k, i))


def cofactors(table: int, k: int, i: int) -> tuple[int, int]:
    """The tables over the other ``k - 1`` operands where operand ``i`` is 0, and where it is 1."""
    size, low, high = 1 << i, 0, 0
    run = (1 << size) - 1
    for block in range(1 << (k - 1 - i)):
        low |= (table >> (2 * block * size) & run) << (block * size)
        high |= (table >> ((2 * block + 1) * size) & run) << (block * size)
    return low, high


@lru_cache(maxsize=CACHE)
def shrink(table: int, k: int) -> tuple[int, tuple[int, ...]]:
    """The table over the operands that it depends on, and those operands, ascending."""
    kept = tuple(i for i in range(k) if depends(table, k, i))
    for i in reversed(range(k)):
        if i not in kept:
            table, k = cofactors(table, k, i)[0], k - 1
    return table, kept


@lru_cache(maxsize=CACHE)
def restrict(table: int, values: tuple[int | None, ...]) -> tuple[int, tuple[int, ...]]:
    """Fix operands to 0 or 1 (None: free); the table over the free ones that matter, and these, ascending."""
    free = list(range(len(values)))
    for i in reversed(range(len(values))):
        fixed = values[i]
        if fixed is not None:
            table = cofactors(table, len(free), i)[fixed]
            del free[i]
    table, kept = shrink(table, len(free))
    return table, tuple(free[i] for i in kept)


def flip(table: int, k: int, i: int) -> int:
    """The table of the function whose operand ``i`` is inverted."""
    high, shift = projection(i, k), 1 << i
    return (table & high) >> shift | (table << shift) & high


def compose(table: int, operands: Sequence[int], k: int) -> int:
    """The table of ``table(operands[0], operands[1], ...)``, each operand a table of the same ``k`` operands."""
    full = ones(k)
    values = [full if table >> m & 1 else 0 for m in range(1 << len(operands))]
    for x in operands:
        values = [low & ~x | high & x for low, high in zip(values[::2], values[1::2], strict=True)]
    return values[0]


def permute(table: int, k: int, order: Sequence[int]) -> int:
    """The table whose operand ``j`` is operand ``order[j]`` of ``table``, as ``numpy.transpose`` orders axes."""
    place = {old: new for new, old in enumerate(order)}
    return compose(table, [projection(place[i], k) for i in range(k)], k)


def decompose(table: int, operands: Sequence[Operand], gate: Callable[[int, Operand, Operand], Operand]) -> Operand:
    """Build a table of at least one operand from two-input gates, by Shannon's expansion.

    Parameters
    ----------
    table, operands
        The function, and what its operands are to the caller: nets, literals, texts, arrays.
    gate
        ``gate(table, a, b)`` adds a two-input gate and returns its result. Both operands matter, with two exceptions:
        an inverter is ``NOT_A`` of ``(a, a)``, and a constant, which only the whole table can be, is ``FALSE`` or
        ``TRUE`` of an operand with itself. A wire is the operand itself.

    Notes
    -----
    With ``f0`` and ``f1`` the cofactors of the last operand ``x`` that matters, ``f = x f1 + ~x f0``: three gates,
    one where a cofactor is constant, and ``x ^ f0`` where ``f1 = ~f0``. Equal parts are not shared.
    """
    steps, result = _steps(table, len(operands))
    values = list(operands)
    for step_table, a, b in steps:
        values.append(gate(step_table, values[a], values[b]))
    return values[result]


@lru_cache(maxsize=CACHE)
def _steps(table: int, k: int) -> tuple[tuple[tuple[int, int, int], ...], int]:
    """Gates ``(table, a, b)`` and the result's place; place ``i < k`` is operand ``i``, ``k + i`` is gate ``i``."""
    steps: list[tuple[int, int, int]] = []

    def add(gate_table: int, a: int, b: int) -> int:
        steps.append((gate_table, a, b))
        return k + len(steps) - 1

    result = _expand(table, tuple(range(k)), add)
    return tuple(steps), result


def _expand(table: int, places: tuple[int, ...], add: Callable[[int, int, int], int]) -> int:
    table, kept = shrink(table, len(places))
    k = len(kept)
    if k == 0:
        return add(TABLE["TRUE"] if table else TABLE["FALSE"], places[0], places[0])
    places = tuple(places[i] for i in kept)
    if k == 1:
        return places[0] if table == 0b10 else add(TABLE["NOT_A"], places[0], places[0])
    if k == 2:
        return add(table, *places)
    *rest, x = places
    others, full = tuple(rest), ones(k - 1)
    low, high = cofactors(table, k, k - 1)
    if low == high ^ full:
        return add(TABLE["XOR"], x, _expand(low, others, add))
    if low in (0, full):
        return add(TABLE["AND"] if low == 0 else TABLE["B_OR_NOT_A"], x, _expand(high, others, add))
    if high in (0, full):
        return add(TABLE["B_AND_NOT_A"] if high == 0 else TABLE["OR"], x, _expand(low, others, add))
    keep, take = _expand(low, others, add), _expand(high, others, add)
    keep, take = add(TABLE["B_AND_NOT_A"], x, keep), add(TABLE["AND"], x, take)
    return add(TABLE["OR"], take, keep)


def evaluate(table: int, operands: Sequence[NDArray[np.uint64]]) -> NDArray[np.uint64]:
    """Evaluate a table of at least one operand on packed operands of equal shape, bit by bit.

    The result may be one of ``operands`` itself where the function is a wire.
    """
    return decompose(table, operands, evaluate_gate)


def evaluate_gate(table: int, a: NDArray[np.uint64], b: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Evaluate a two-input gate on packed operands of equal shape, bit by bit."""
    if table in (TABLE["XOR"], TABLE["XNOR"]):
        return a ^ b if table == TABLE["XOR"] else ~(a ^ b)
    if table in (TABLE["A"], TABLE["NOT_A"]):
        return a.copy() if table == TABLE["A"] else ~a
    if table in (TABLE["B"], TABLE["NOT_B"]):
        return b.copy() if table == TABLE["B"] else ~b
    if table in (TABLE["FALSE"], TABLE["TRUE"]):
        return np.full_like(a, np.uint64(2**64 - 1) if table else np.uint64(0))
    if table.bit_count() == 1:  # one address is true: a conjunction of literals
        one = table.bit_length() - 1
        return (a if one & 1 else ~a) & (b if one & 2 else ~b)
    zero = (table ^ 0b1111).bit_length() - 1
    return (~a if zero & 1 else a) | (~b if zero & 2 else b)
