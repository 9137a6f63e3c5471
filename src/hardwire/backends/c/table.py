"""A circuit as a short program of bytes, which a small interpreter in C executes: flash grows by 3 bytes a gate.

A net of the program is one bit of the state. Net 0 is false, net 1 true; each instruction adds the nets of its results
in order, so that no result names its place. Operands are distances back from the next net: 0 is the last result. An
instruction begins with a byte, its kind above and a nibble below:

======== ============================================================================================================
kind     what follows, and what it adds
======== ============================================================================================================
gate     the table of a gate of two inputs; the nibble's lowest three bits and a byte, or with 7 two bytes, are the
         distance of operand 0; bit 3 says that operand 1 is the last result, else a number is its distance
LEVEL    nibble: input words to skip, with 15 a number of more; a threshold, as wide as an input code: word >= threshold
BITS     nibble as of LEVEL; first bit, how many: bits of that input word
GE       width; a threshold, as wide as a number of the model; a word: word >= threshold
COUNT    nibble: bits of the count; how many operands; their distances, each from the one before: population count
ARGMAX   nibble: bits of the index; how many words; their width; words: index of the largest, the lowest wins a tie
OUT      width; a word: the next output code; adds no net
======== ============================================================================================================

A number is one byte below 128, or two: ``128 + ((byte & 127) << 8 | next)``. A word, least significant bit first, is
runs of neighbouring nets, each a distance of its first net and a length, until its width is reached. Constants wider
than a byte are little-endian.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from ...circuit import FALSE, TRUE, Circuit, Macro
from ...circuit.schedule import Node, schedule
from ...core.bits import unsigned
from ...core.errors import InputError
from ...core.gates import TABLE
from ...core.truth_tables import decompose

#: The tables that are no gate of two inputs are the other kinds.
OUT, GE, LEVEL, ARGMAX, BITS, COUNT = 0b0000, 0b0011, 0b0101, 0b1010, 0b1100, 0b1111
#: Nets that distances reach, and operands of one count.
MOST_NETS = 1 << 15
#: The first number of two bytes; the first distance of operand 0 that takes two bytes more; words skipped in a nibble.
TWO_BYTES, FAR, SKIPS = 128, 7 << 8, 15


@dataclass(frozen=True)
class TableProgram:
    """The bytes, how many bits the state has, and the bytes of a number that holds every count and word."""

    code: bytes
    nets: int
    number: int


def encode_table(circuit: Circuit) -> TableProgram:
    """The program of a circuit.

    Raises
    ------
    InputError
        Where it has more nets than distances reach.
    """
    return _Encoder(circuit).program()


def number(value: int) -> bytes:
    """A number of one or two bytes.

    Raises
    ------
    InputError
        Where it does not fit.
    """
    if value < TWO_BYTES:
        return bytes([value])
    if value >= TWO_BYTES + MOST_NETS:
        raise InputError(f"a table cannot say {value:,}, which its circuit needs; choose the variant code")
    return (value - TWO_BYTES | 1 << 15).to_bytes(2, "big")


@dataclass
class _Encoder:
    circuit: Circuit
    _code: bytearray = field(default_factory=bytearray)
    _place: dict[int, int] = field(default_factory=lambda: {FALSE: FALSE, TRUE: TRUE})
    _next: int = 2

    def program(self) -> TableProgram:
        circuit = self.circuit
        fitting = tuple(m for m in circuit.macros if m.kind != "argmax" or len(m.inputs) <= 64 * m.value)
        self._starts = [*accumulate(circuit.input_widths, initial=2)]
        self._word = {net: w for w, start in enumerate(self._starts[:-1])
                      for net in range(start, self._starts[w + 1])}
        items = schedule(circuit.with_(macros=fitting))
        self._bytes = unsigned(max([*circuit.output_widths, *map(_number_bits, items)])).itemsize
        levels = {(level, item.outputs[0]) for item in items if (level := self._level(item)) is not None}
        self._inputs(sorted(levels), items)
        done = {net for _, net in levels}
        for item in items:
            if item.outputs[0] not in done:
                self._item(item)
        for word, nets in circuit.output_words():
            self._code += bytes([OUT << 4]) + number(word.width) + self._runs(nets)
        return TableProgram(bytes(self._code), self._next, self._bytes)

    def _level(self, item: Node | Macro) -> tuple[int, int] | None:
        """The word and the threshold where an item compares a whole input word, its lowest bits aside."""
        if isinstance(item, Node) or item.kind != "ge" or item.inputs[0] not in self._word:
            return None
        word = self._word[item.inputs[0]]
        if item.inputs != (*range(item.inputs[0], self._starts[word + 1]),):
            return None
        return word, item.value << item.inputs[0] - self._starts[word]

    def _inputs(self, levels: Sequence[tuple[tuple[int, int], int]], items: Sequence[Node | Macro]) -> None:
        """What is read of the input words, in their order."""
        compared = {net for _, net in levels}
        read = {net for item in items if item.outputs[0] not in compared for net in item.inputs if net in self._word}
        read |= {net for net in self.circuit.output_nets.tolist() if net in self._word}
        at, rows = 0, [(self._word[net], -1, net) for net in read] + [(w, value, net) for (w, value), net in levels]
        size, taken = self.circuit.input_dtype.itemsize, set[int]()
        for word, value, net in sorted(rows):
            if net in taken:
                continue
            skip, at = word - at, word
            head = number(skip - SKIPS) if skip >= SKIPS else b""
            kind, nibble = (BITS if value < 0 else LEVEL), min(skip, SKIPS)
            self._code += bytes([kind << 4 | nibble]) + head
            if value >= 0:
                self._code += value.to_bytes(size, "little")
                self._add([net])
                continue
            end = net
            while end in read and end < self._starts[word + 1]:
                end += 1
            self._code += bytes([net - self._starts[word], end - net])
            self._add(range(net, end))
            taken |= {*range(net, end)}

    def _item(self, item: Node | Macro) -> None:
        if isinstance(item, Node):
            self._node(item)
        elif item.kind == "ge":
            self._code += bytes([GE << 4]) + number(len(item.inputs)) + item.value.to_bytes(self._bytes, "little")
            self._code += self._runs(item.inputs)
            self._add(item.outputs)
        elif item.kind == "popcount":
            places = sorted((self._place[net] for net in item.inputs), reverse=True)
            before = [self._next - 1, *places]
            self._code += bytes([COUNT << 4 | len(item.outputs)]) + number(len(places))
            self._code += b"".join(number(one - other) for one, other in zip(before, places))
            self._add(item.outputs)
        else:
            width = len(item.inputs) // item.value
            self._code += bytes([ARGMAX << 4 | len(item.outputs)]) + number(item.value) + number(width)
            for start in range(0, len(item.inputs), width):
                self._code += self._runs(item.inputs[start : start + width])
            self._add(item.outputs)

    def _node(self, node: Node) -> None:
        places = [self._place[net] for net in node.inputs]
        if not places:
            self._place[node.net] = TRUE if node.table else FALSE
        else:
            self._place[node.net] = decompose(node.table, places, self._gate)

    def _gate(self, table: int, a: int, b: int) -> int:
        """Add a gate; the operand that is farther away comes first. An inverter is the NAND of a net with itself."""
        if a == b:
            false, true = table & 1, table >> 3 & 1
            if (false, true) != (1, 0):
                return a if true > false else TRUE if true else FALSE
            table = TABLE["NAND"]
        if a > b:
            a, b, table = b, a, table & 0b1001 | table >> 1 & 0b0010 | table << 1 & 0b0100
        far, near = self._next - 1 - a, self._next - 1 - b
        head = table << 4 | (8 if not near else 0)
        first = bytes([head | far >> 8, far & 255]) if far < FAR else bytes([head | 7, far >> 8, far & 255])
        self._code += first + (number(near) if near else b"")
        self._next += 1
        self._check()
        return self._next - 1

    def _runs(self, nets: Iterable[int]) -> bytes:
        runs: list[list[int]] = []
        for place in (self._place[net] for net in nets):
            if runs and place == runs[-1][0] + runs[-1][1]:
                runs[-1][1] += 1
            else:
                runs.append([place, 1])
        return b"".join(number(self._next - 1 - place) + number(length) for place, length in runs)

    def _add(self, nets: Iterable[int]) -> None:
        for net in nets:
            self._place[net] = self._next
            self._next += 1
        self._check()

    def _check(self) -> None:
        if self._next > MOST_NETS:
            raise InputError(f"circuit {self.circuit.name!r} has more than {MOST_NETS:,} nets, which the distances of "
                             f"a table do not reach; choose the variant code")


def _number_bits(item: Node | Macro) -> int:
    """The bits of the numbers that an item makes or reads."""
    if isinstance(item, Node):
        return 1
    if item.kind == "ge":
        return len(item.inputs)
    return max(len(item.outputs), len(item.inputs) // item.value if item.kind == "argmax" else 0)
