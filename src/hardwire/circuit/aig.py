"""An and-inverter graph under construction: conjunctions of literals, structurally hashed.

A literal is ``2 * variable + complement``. Variable 0 is the constant false, variables 1 to ``n_inputs`` are the
inputs, one variable for each conjunction follows. Complements are free, so a two-input table costs one conjunction,
XOR and XNOR three.
"""

from typing import Literal

from ..core.gates import TABLE
from ..core.truth_tables import decompose
from .circuit import Circuit


class Aig:
    """A graph over ``n_inputs`` inputs, at first without conjunctions.

    Attributes
    ----------
    left, right
        The literals of each conjunction, ``left >= right``; both are of earlier variables.
    """

    def __init__(self, n_inputs: int) -> None:
        self.n_inputs = n_inputs
        self.left: list[int] = []
        self.right: list[int] = []
        self._literal: dict[tuple[int, int], int] = {}

    def copy(self) -> "Aig":
        """Another graph that starts with the same conjunctions."""
        other = Aig(self.n_inputs)
        other.left, other.right, other._literal = self.left[:], self.right[:], self._literal.copy()
        return other

    @property
    def n_variables(self) -> int:
        """How many variables there are, the constant among them."""
        return 1 + self.n_inputs + len(self.left)

    def and_(self, a: int, b: int) -> int:
        """The literal of ``a and b``; constants, equal and opposite operands need no variable."""
        if a < b:
            a, b = b, a
        if b == 0 or a ^ b == 1:
            return 0
        if b in (1, a):
            return a
        literal = self._literal.get((a, b))
        if literal is None:
            literal = self._literal[a, b] = 2 * self.n_variables
            self.left.append(a)
            self.right.append(b)
        return literal

    def xor(self, a: int, b: int) -> int:
        """The literal of ``a xor b``."""
        phase, a, b = (a ^ b) & 1, a & ~1, b & ~1
        return self.and_(self.and_(a, b ^ 1) ^ 1, self.and_(a ^ 1, b) ^ 1) ^ 1 ^ phase

    def gate(self, table: int, a: int, b: int) -> int:
        """The literal of a two-input gate."""
        kind, x, y, z = _SPELLING[table]
        if kind == "and":
            return self.and_(a ^ x, b ^ y) ^ z
        return self.xor(a, b) ^ z if kind == "xor" else (0, a, b)[x] ^ z

    def lut(self, table: int, operands: list[int]) -> int:
        """The literal of a truth table over one operand or more."""
        return decompose(table, operands, self.gate)

    def embed(self, circuit: Circuit, inputs: list[int]) -> list[int]:
        """Add ``circuit`` over the literals ``inputs``, one for each input bit; the literals of all its nets."""
        net = [0, 1, *inputs]
        lut, gate = self.lut, self.gate
        for row, table, k in zip(circuit.fanin.tolist(), circuit.table.tolist(), circuit.arity.tolist()):
            net.append(gate(table, net[row[0]], net[row[1]]) if k == 2 else lut(table, [net[f] for f in row[:k]]))
        return net


Spelling = tuple[Literal["and", "xor", "wire"], int, int, int]


def _spelling(table: int) -> Spelling:
    """How conjunctions spell a gate: ``("and", x, y, z)`` is ``z ^ ((a ^ x) & (b ^ y))``, and so on."""
    wires = {TABLE["FALSE"]: (0, 0), TABLE["TRUE"]: (0, 1), TABLE["A"]: (1, 0), TABLE["NOT_A"]: (1, 1),
             TABLE["B"]: (2, 0), TABLE["NOT_B"]: (2, 1)}
    if table in wires:
        return "wire", wires[table][0], 0, wires[table][1]
    if table in (TABLE["XOR"], TABLE["XNOR"]):
        return "xor", 0, 0, int(table == TABLE["XNOR"])
    z = int(table.bit_count() == 3)
    minterm = (table ^ 0b1111 * z).bit_length() - 1
    return "and", 1 - (minterm & 1), 1 - (minterm >> 1), z


_SPELLING = [_spelling(table) for table in range(16)]
