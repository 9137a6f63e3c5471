"""Population counts in gates and in tables of six inputs."""

import heapq
from collections import deque
from collections.abc import Callable, Sequence
from itertools import count
from typing import Literal

from ...core.errors import InputError
from ..builder import CircuitBuilder
from ..circuit import FALSE
from .compressors import compress
from .prefix import sum_of_rows
from .rounds import compress_early
from .words import add, full_adder

#: Shapes of a population count; see ``popcount``.
CountStyle = Literal["columns", "tree", "fast", "compressors", "early"]


def popcount(b: CircuitBuilder, nets: Sequence[int], style: CountStyle = "columns") -> list[int]:
    """How many of ``nets`` are true, ``len(nets).bit_length()`` bits, LSB first.

    Parameters
    ----------
    b
        Takes the gates and the macro.
    nets
        What is counted; constants and repeats are allowed.
    style
        ``"columns"``, for area: full adders take three bits of one weight until two or one are left, a half adder takes
        two. ``"tree"``: ripple adders in a tree, ``count(x[0:n]) = count(x[0:h]) + count(x[h:n-1]) + x[n-1]`` with
        ``h = (n - 1) // 2``, the last bit being the carry. ``"fast"``, for depth: full adders take the earliest bits,
        a prefix adder ends. ``"compressors"``: tables of up to six inputs; see ``compressors.compress``.
        ``"early"``: tables of up to six inputs in few levels; see ``rounds.compress_early``.


    Raises
    ------
    InputError
        Without nets.

    Notes
    -----
    The shape of columns and trees depends on the number of nets alone, not on which are constant: a circuit and its
    folded form have the same inner points. Whoever wants fewer gates leaves constants out.
    """
    if not len(nets):
        raise InputError("a population count of no nets was asked for; give at least one")
    total = COUNTS[style](b, list(nets))
    b.macro("popcount", nets, total)
    return total


def _tree(b: CircuitBuilder, nets: list[int]) -> list[int]:
    n = len(nets)
    if n == 1:
        return nets
    if n == 2:
        return [b.xor(*nets), b.and_(*nets)]
    half = (n - 1) // 2
    return add(b, _tree(b, nets[:half]), _tree(b, nets[half:-1]), nets[-1])[: n.bit_length()]


def _columns(b: CircuitBuilder, nets: list[int]) -> list[int]:
    """``n - m`` full adders for ``n`` inputs and ``m`` bits, and a half adder for each zero in ``n``.

    The hand-written Verilog primitive takes the bits in the same order.
    """
    total, column = [], deque(nets)
    while column:
        carries: deque[int] = deque()
        while len(column) > 2:
            low, carry = full_adder(b, column.popleft(), column.popleft(), column.popleft())
            column.append(low)
            carries.append(carry)
        if len(column) == 2:
            x, y = column
            column = deque([b.xor(x, y)])
            carries.append(b.and_(x, y))
        total.append(column[0])
        column = carries
    return total


def _fast(b: CircuitBuilder, nets: list[int]) -> list[int]:
    """Two rows by full adders whose last operand is the latest of the three, then their sum.

    From the last operand a sum is one level away and a carry two, from the others two and three.
    """
    width, serial = len(nets).bit_length(), count(1)
    columns: list[list[tuple[int, int, int]]] = [[] for _ in range(width + 1)]
    columns[0] = [(0, next(serial), net) for net in nets if net != FALSE]
    for j in range(width):
        column = columns[j]
        heapq.heapify(column)
        while len(column) > 2:
            (_, _, x), (second, _, y), (third, _, z) = (heapq.heappop(column) for _ in range(3))
            total, carry = full_adder(b, x, y, z)
            heapq.heappush(column, (max(second + 2, third + 1), next(serial), total))
            columns[j + 1].append((max(second + 3, third + 2), next(serial), carry))
    rows = [[(level, net) for level, _, net in column] for column in columns[:width]]
    return [net for _, net in sum_of_rows(b, rows)]


COUNTS: dict[CountStyle, Callable[[CircuitBuilder, list[int]], list[int]]] = {
    "columns": _columns, "tree": _tree, "fast": _fast, "compressors": compress,
    "early": compress_early}
