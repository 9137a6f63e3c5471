"""THE gate table: the sixteen two-input Boolean functions, one row each.

A gate is its truth table, an integer read least significant bit first: bit ``a + 2 b`` is the gate's value at
operands ``a`` and ``b``. So A = 0b1010, B = 0b1100, AND = 0b1000, OR = 0b1110, XOR = 0b0110. The same convention
holds for tables of any number of inputs: operand 0 is the least significant address bit.

Everything else about a gate is derived: its polynomial, its expression in C or Verilog, its documentation.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Gate(NamedTuple):
    """A row of the table."""

    name: str
    table: int


GATES = tuple(
    Gate(name, table)
    for table, name in enumerate((
        "FALSE", "NOR", "A_AND_NOT_B", "NOT_B", "B_AND_NOT_A", "NOT_A", "XOR", "NAND",
        "AND", "XNOR", "A", "A_OR_NOT_B", "B", "B_OR_NOT_A", "OR", "TRUE",
    ))
)

#: Table by name: ``TABLE["AND"] == 0b1000``.
TABLE = {gate.name: gate.table for gate in GATES}

#: Truth tables as rows: ``TRUTH[g, a + 2 b]`` is gate ``g``'s value, shape (16, 4), float64.
TRUTH = np.array([[(gate.table >> i) & 1 for i in range(4)] for gate in GATES], dtype=np.float64)


def mobius(k: int) -> NDArray[np.float64]:
    """The matrix that turns table values into multilinear coefficients, shape ``(2^k, 2^k)``.

    Notes
    -----
    With values ``p`` indexed by address, ``c = mobius(k) @ p`` gives ``f(x) = sum_S c_S prod_{i in S} x_i`` where
    bit ``i`` of ``S`` says that operand ``i`` takes part; ``c_S = sum_{T subset S} (-1)^{|S|-|T|} p_T``.
    """
    step = np.array([[1, 0], [-1, 1]])
    matrix = np.ones((1, 1))
    for _ in range(k):
        matrix = np.kron(step, matrix)
    return matrix


#: Multilinear coefficients ``(c0, ca, cb, cab)`` of each gate: ``y = c0 + ca a + cb b + cab ab``, shape (16, 4).
COEFFICIENTS = TRUTH @ mobius(2).T


def swap_operands(table: int) -> int:
    """The table of ``g(b, a)``: addresses 1 and 2 exchanged. Tools that number gates MSB-first differ by this."""
    return (table & 0b1001) | ((table & 0b0010) << 1) | ((table & 0b0100) >> 1)


def expression(table: int, a: str, b: str, *, true: str = "~0", false: str = "0") -> str:
    """A two-input table as an expression over ``& | ^ ~``, which C, Verilog and WGSL share."""
    if table in (TABLE["FALSE"], TABLE["TRUE"]):
        return true if table else false
    if table in (TABLE["A"], TABLE["B"]):
        return a if table == TABLE["A"] else b
    if table in (TABLE["NOT_A"], TABLE["NOT_B"]):
        return f"~{a}" if table == TABLE["NOT_A"] else f"~{b}"
    if table in (TABLE["XOR"], TABLE["XNOR"]):
        return f"{a} ^ {b}" if table == TABLE["XOR"] else f"~({a} ^ {b})"
    ones = [i for i in range(4) if table >> i & 1]
    if len(ones) == 1:  # one minterm: a conjunction of literals
        return _conjunction(ones[0], a, b)
    zero = next(i for i in range(4) if not table >> i & 1)  # one maxterm: a disjunction of literals
    left = f"~{a}" if zero & 1 else a
    right = f"~{b}" if zero & 2 else b
    return f"~({a} & {b})" if zero == 3 else f"{left} | {right}"


def _conjunction(address: int, a: str, b: str) -> str:
    if address == 0:
        return f"~({a} | {b})"
    return f"{a if address & 1 else '~' + a} & {b if address & 2 else '~' + b}"
