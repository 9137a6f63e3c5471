"""A circuit as trees of the four operations that vectors of bits have: and, or, xor, and-not.

A net is kept as it is or inverted, whichever one operation gives: a gate that is a conjunction of literals is ``and``,
``and-not`` or, inverted, ``or`` of what is kept; an XNOR is an inverted ``xor``. So every two-input gate is one
operation, and an inverter is none.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from ...circuit import FALSE, TRUE, Macro
from ...circuit.schedule import Node
from ...core.gates import TABLE
from ...core.truth_tables import decompose, flip, restrict

Operation = Literal["and", "andnot", "or", "xor"]
#: Operations of a tree; a longer one is cut, so that functions keep their bound.
LONGEST = 32


class Gate(NamedTuple):
    """One operation on nets as they are kept."""

    net: int
    operation: Operation
    a: int
    b: int


class Tree(NamedTuple):
    """A net as operations on nets that are kept; each operation comes after its operands, a net is an int."""

    net: int
    program: tuple[int | Operation, ...]

    @property
    def inputs(self) -> list[int]:
        """The nets that it reads, once for each time."""
        return [x for x in self.program if isinstance(x, int)]

    @property
    def outputs(self) -> tuple[int]:
        """The one net that it computes."""
        return (self.net,)


class Count(NamedTuple):
    """How many of literals are true; the number's planes are nets, least significant first."""

    literals: tuple[int, ...]
    outputs: tuple[int, ...]

    @property
    def inputs(self) -> list[int]:
        """The nets that it reads."""
        return [literal >> 1 for literal in self.literals]


class Gates:
    """Gates under construction; ``literal`` is ``2 * net + inverted`` of each net, 0 and 1 the constants."""

    def __init__(self, sources: Iterable[int], fresh: int) -> None:
        self.items: list[Gate | Count] = []
        self.literal = {FALSE: 0, TRUE: 1} | {net: 2 * net for net in sources}
        self._fresh = fresh
        self._known: dict[tuple[Operation, int, int], int] = {}

    def add(self, item: Node | Macro) -> None:
        """Add a scheduled node or population count, whose operands have literals."""
        literals = [self.literal[net] for net in item.inputs]
        if isinstance(item, Macro):
            self.items.append(Count(tuple(literals), item.outputs))
            self.literal |= {net: 2 * net for net in item.outputs}
        elif literals:
            self.literal[item.net] = decompose(item.table, literals, self._gate)
        else:
            self.literal[item.net] = 1 if item.table else 0

    def _gate(self, table: int, a: int, b: int) -> int:
        """The literal of a two-input table over two literals."""
        for place, literal in enumerate((a, b)):
            if literal & 1:
                table = flip(table, 2, place)
        a, b = a >> 1, b >> 1
        if a == b and a:
            table, b = table & 1 | (table >> 3) << 1 | (table & 1 | (table >> 3) << 1) << 2, 0
        table, kept = restrict(table, (None if a else 0, None if b else 0))
        nets = [(a, b)[i] for i in kept]
        if len(nets) < 2:
            return 2 * nets[0] + (table & 1) if nets else table
        if table in (TABLE["XOR"], TABLE["XNOR"]):
            return self._new("xor", *nets) + (table == TABLE["XNOR"])
        inverted = int(table.bit_count() == 3)
        minterm = (table ^ 0b1111 * inverted).bit_length() - 1
        if minterm == 0b11:
            return self._new("and", a, b) + inverted
        if minterm == 0:
            return self._new("or", a, b) + 1 - inverted
        return self._new("andnot", *((a, b) if minterm == 0b01 else (b, a))) + inverted

    def _new(self, operation: Operation, a: int, b: int) -> int:
        if operation != "andnot" and a > b:
            a, b = b, a
        key = operation, a, b
        if key not in self._known:
            self._known[key] = self._fresh
            self.items.append(Gate(self._fresh, *key))
            self._fresh += 1
        return 2 * self._known[key]


def grow(items: Sequence[Gate | Count], kept: Iterable[int]) -> list[Tree | Count]:
    """The gates that ``kept`` nets need, as trees: a net that one gate alone reads lies inside of that gate's tree."""
    roots = {*kept, *(net for item in items if isinstance(item, Count) for net in item.inputs)}
    needed = set(roots)
    readers: Counter[int] = Counter()
    for item in reversed(items):
        if isinstance(item, Gate) and item.net in needed:
            needed |= {item.a, item.b}
            readers.update((item.a, item.b))
    inner: dict[int, tuple[int | Operation, ...]] = {}
    trees: list[Tree | Count] = []
    for item in items:
        if isinstance(item, Count):
            trees.append(item)
            continue
        net, operation, a, b = item
        if net not in needed:
            continue
        program = (*inner.pop(a, (a,)), *inner.pop(b, (b,)), operation)
        if readers[net] == 1 and net not in roots and len(program) < LONGEST:
            inner[net] = program
        else:
            trees.append(Tree(net, program))
    return trees


def gates_of(items: Iterable[Node | Macro], sources: Iterable[int], fresh: int) -> Gates:
    """The gates of scheduled nodes over ``sources``; nets from ``fresh`` on are theirs."""
    gates = Gates(sources, fresh)
    for item in items:
        gates.add(item)
    return gates
