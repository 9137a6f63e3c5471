"""A circuit as levels of ANDs and XORs of literals, each level two operations on whole arrays.

A *literal* is ``2 row + negated``; row 0 is constant 0, the input bits that are read follow, then the gates. Every gate
of two inputs is an AND or an XOR of literals, itself negated or not, so that inverters cost nothing.
"""

from dataclasses import dataclass

from ...circuit import FIRST, TRUE, Circuit
from ...circuit.schedule import Node, schedule
from ...core.gates import TRUTH
from ...core.truth_tables import decompose

Pair = tuple[int, int]


@dataclass(frozen=True)
class Level:
    """Gates whose operands are ready, as pairs of literals; those of ``xors`` are not negated."""

    ands: list[Pair]
    xors: list[Pair]


@dataclass(frozen=True)
class Program:
    """What computes a circuit.

    Attributes
    ----------
    bits
        ``(input word, bit)`` of rows 1, 2, ...
    levels
        The next rows, level by level: the ANDs, then the XORs.
    outputs
        A literal for each bit of the output words.
    """

    bits: list[tuple[int, int]]
    levels: list[Level]
    outputs: list[int]


class _Builder:
    """Gates with their levels; equal gates are one."""

    def __init__(self, inputs: int) -> None:
        self.level = [0] * (1 + inputs)
        self.gates: list[tuple[bool, Pair]] = []
        self.known: dict[tuple[bool, Pair], int] = {}

    def gate(self, table: int, a: int, b: int) -> int:
        """A literal for a table of two literals, LSB first and ``a`` the low address bit."""
        if a >> 1 == b >> 1:
            low, high = (0, 3) if a == b else (2, 1)  # the addresses that there are
            return self._unary(table >> low & 1, table >> high & 1, a)
        values = [int(v) for v in TRUTH[table]]
        ones = sum(values)
        if ones == 2 and values[0] == values[3]:
            return self._add(True, a & ~1, b & ~1) ^ (a ^ b) & 1 ^ values[0]
        if ones in (1, 3):
            odd = values.index(int(ones == 1))  # the one address that differs
            return self._add(False, a ^ 1 ^ odd & 1, b ^ 1 ^ odd >> 1) ^ int(ones == 3)
        return self._unary(values[0], values[1], a) if values[0] == values[2] else self._unary(values[0], values[2], b)

    @staticmethod
    def _unary(low: int, high: int, a: int) -> int:
        return low if low == high else a ^ low

    def _add(self, xor: bool, a: int, b: int) -> int:
        key = (xor, (min(a, b), max(a, b)))
        if key not in self.known:
            self.known[key] = 2 * len(self.level)
            self.level.append(1 + max(self.level[a >> 1], self.level[b >> 1]))
            self.gates.append(key)
        return self.known[key]


def program_of(circuit: Circuit) -> Program:
    """The levels that compute the outputs."""
    items = [item for item in schedule(circuit, macros=()) if isinstance(item, Node)]
    read = {net for item in items for net in item.inputs} | set(circuit.output_nets.tolist())
    places = [(word, bit) for word, width in enumerate(circuit.input_widths) for bit in range(width)]
    used = [net for net in range(FIRST, circuit.first_node) if net in read]
    builder, literal = _Builder(len(used)), {0: 0, TRUE: 1} | {net: 2 * i for i, net in enumerate(used, 1)}
    for item in items:
        if item.inputs:
            literal[item.net] = decompose(item.table, [literal[net] for net in item.inputs], builder.gate)
        else:
            literal[item.net] = item.table & 1
    outputs = [literal[net] for net in circuit.output_nets.tolist()]
    return _in_levels(builder, [places[net - FIRST] for net in used], outputs)


def _in_levels(builder: _Builder, bits: list[tuple[int, int]], outputs: list[int]) -> Program:
    first = 1 + len(bits)
    order = sorted(range(len(builder.gates)), key=lambda i: (builder.level[first + i], builder.gates[i][0], i))
    row = {i: i for i in range(first)} | {first + old: first + new for new, old in enumerate(order)}
    levels = [Level([], []) for _ in range(max(builder.level))]
    for old in order:
        xor, (a, b) = builder.gates[old]
        pair = 2 * row[a >> 1] + (a & 1), 2 * row[b >> 1] + (b & 1)
        level = levels[builder.level[first + old] - 1]
        (level.xors if xor else level.ands).append(pair)
    return Program(bits, levels, [2 * row[literal >> 1] + (literal & 1) for literal in outputs])
