"""The bytes of a table, executed symbolically: each instruction as the interpreter in C takes it."""

from dataclasses import dataclass, field

from ...backends.c.table import ARGMAX, BITS, COUNT, FAR, GE, LEVEL, OUT, SKIPS, TWO_BYTES
from ...circuit import Circuit
from ...circuit.aig import Aig
from ...core.errors import FormatError
from .heads import Heads


def read_table(code: bytes, like: Circuit, aig: Aig, heads: Heads, *, nets: int, number: int, file: str) -> list[int]:
    """The literals of the outputs of a table, their bits in order.

    Parameters
    ----------
    code
        The bytes.
    like
        The circuit whose words are read and written.
    aig, heads
        Where gates, counts and arg-maxes are built.
    nets
        Bits of the state.
    number
        Bytes of a number of the model.
    file
        What messages name.

    Raises
    ------
    FormatError
        Where the bytes end early or late, or an instruction reads or writes what is not there.
    """
    return _Reader(code, like, aig, heads, nets, number, file).outputs()


@dataclass
class _Reader:
    code: bytes
    like: Circuit
    aig: Aig
    heads: Heads
    nets: int
    number: int
    file: str
    _at: int = 0
    _word: int = 0
    _state: list[int] = field(default_factory=lambda: [0, 1])

    def outputs(self) -> list[int]:
        starts, words = 2, []
        for width in self.like.input_widths:
            words.append([*range(starts, starts + 2 * width, 2)])
            starts += 2 * width
        self._inputs, result = words, list[int]()
        for word in self.like.outputs:
            while (head := self._byte()) >> 4 != OUT:
                self._state += self._instruction(head >> 4, head & 15)
                self._require(len(self._state) <= self.nets, "its state has fewer bits than it has nets")
            bits = self._bits(self._count())
            self._require(not any(bits[word.width :]), f"output {word.name!r} has more bits than its word")
            result += (bits + [0] * word.width)[: word.width]
        self._require(self._at == len(self.code), "bytes follow the last output")
        return result

    def _instruction(self, kind: int, low: int) -> list[int]:
        """The literals that an instruction adds."""
        if kind in (LEVEL, BITS):
            return self._of_input(kind, low)
        if kind == GE:
            width = self._count()
            value = int.from_bytes(self._bytes(self.number), "little")
            return [self._at_least(self._bits(width), value)]
        if kind == COUNT:
            operands, at = [], len(self._state) - 1
            for _ in range(self._count()):
                at -= self._count()
                operands.append(self._net(at))
            self._require(0 < len(operands) < 1 << 8 * self.number, "a count may go further than its type")
            return (self.heads.popcount(operands) + [0] * low)[:low]
        if kind == ARGMAX:
            n, width = self._count(), self._count()
            self._require(n > 0 and width > 0, "an arg-max has no words")
            self._require((n - 1).bit_length() <= 8 * self.number, "an index may be larger than its type")
            return (self.heads.argmax([self._bits(width) for _ in range(n)]) + [0] * low)[:low]
        return [self._gate(kind, low)]

    def _gate(self, table: int, low: int) -> int:
        far = low & 7
        far = (self._byte() if far == FAR >> 8 else far) << 8 | self._byte()
        near = 0 if low & 8 else self._count()
        last = len(self._state) - 1
        a, b = self._net(last - far), self._net(last - near)
        terms = [self.aig.and_(a ^ 1 ^ (row & 1), b ^ 1 ^ row >> 1) for row in range(4) if table >> row & 1]
        if len(terms) > 2:  # the complement has one term
            row = next(row for row in range(4) if not table >> row & 1)
            return self.aig.and_(a ^ 1 ^ (row & 1), b ^ 1 ^ row >> 1) ^ 1
        result = 0
        for term in terms:
            result = self.aig.and_(result ^ 1, term ^ 1) ^ 1
        return result

    def _of_input(self, kind: int, low: int) -> list[int]:
        self._word += low if low < SKIPS else SKIPS + self._count()
        self._require(self._word < len(self._inputs), "it reads beyond the input words")
        word = self._inputs[self._word]
        if kind == LEVEL:
            value = int.from_bytes(self._bytes(self.like.input_dtype.itemsize), "little")
            return [self._at_least(word, value)]
        first, length = self._byte(), self._byte()
        size = 8 * self.like.input_dtype.itemsize
        self._require(first + length <= size, "it reads beyond the bits of an input code")
        return ([*word, *[0] * size][first : first + length])

    def _at_least(self, word: list[int], value: int) -> int:
        if value == 0 or value >> len(word):
            return int(value == 0)
        return self.heads.at_least(word, value)

    def _bits(self, width: int) -> list[int]:
        """A word in runs."""
        bits: list[int] = []
        last = len(self._state) - 1
        while len(bits) < width:
            first, length = last - self._count(), self._count()
            self._require(length > 0, "a run of no nets never ends")
            bits += [self._net(net) for net in range(first, first + length)]
        self._require(len(bits) <= 8 * self.number, "a word has more bits than its type")
        return bits

    def _net(self, net: int) -> int:
        self._require(0 <= net < len(self._state), "it reads a net that nothing has made")
        return self._state[net]

    def _count(self) -> int:
        byte = self._byte()
        return byte if byte < TWO_BYTES else TWO_BYTES + ((byte & 127) << 8 | self._byte())

    def _bytes(self, n: int) -> bytes:
        self._require(self._at + n <= len(self.code), "its bytes end before its outputs")
        self._at += n
        return self.code[self._at - n : self._at]

    def _byte(self) -> int:
        return self._bytes(1)[0]

    def _require(self, holds: bool, trouble: str) -> None:
        if not holds:
            raise FormatError(f"{self.file}, byte {self._at} of its table: {trouble}; emit the C again")
