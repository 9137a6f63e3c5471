"""The entry point for 64 samples, executed with one literal for the 64 bits of a variable.

Every operation is lane-wise: bit ``i`` of a result depends on bits ``i`` of its operands alone. ``load`` and ``store``
move the samples into the lanes and out of them.
"""

from collections.abc import Sequence

from ...circuit import Circuit
from ...circuit.aig import Aig
from .executor import Executor
from .expressions import Expression
from .grammar import CText
from .heads import Heads


class Batch(Executor[int]):
    """An interpreter of ``wide``; a value is the literal of each lane."""

    def __init__(self, text: CText, like: Circuit, words: list[list[int]], aig: Aig, heads: Heads) -> None:
        super().__init__(text, text.batch, like, words, aig, heads)
        self.values |= {"0": 0, "UINT64_C(0)": 0}
        self._scratch: dict[int, int] = {}
        self._moved = 0

    def _define(self, name: str, expression: Expression) -> None:
        self._declare(name, self._value(expression))

    def _slot(self, slot: int, expression: Expression) -> None:
        self._write("s", slot, self._value(expression))

    def _value(self, expression: Expression) -> int:
        stack: list[int] = []
        values, conjunction, operands = self.values, self.aig.and_, iter(expression.operands)
        for symbol in expression.program:
            if symbol == "@":
                operand = next(operands)
                stack.append(values[operand] if operand in values else self._read(operand))
            elif symbol == "~":
                stack[-1] ^= 1
            elif symbol in ("&", "|", "^"):
                b, a = stack.pop(), stack.pop()
                stack.append(conjunction(a, b) if symbol == "&" else self.aig.xor(a, b) if symbol == "^"
                             else conjunction(a ^ 1, b ^ 1) ^ 1)
            else:
                self._require(False, f"{symbol} is no operation of 64 lanes alike")
        return stack[0]

    def _helper(self, *names: str) -> None:
        for name in names:
            self._require(name in self.text.helpers, f"function {name} is not defined above")

    def _slots(self, begin: int, n: int) -> list[int]:
        """Slots that the index table names. Emitted text uses each of its numbers once."""
        self._require(begin + n <= len(self.text.index), "this reads beyond the table of slots")
        self._moved += n
        self._require(self._moved <= len(self.text.index), "the table of slots is used more than once")
        return self.text.index[begin : begin + n]

    def _planes(self, first: int, n: int) -> list[int]:
        self._require(first + n <= self.section.sizes["x"], "this reads beyond the array x")
        planes = [self._scratch.get(i, -1) for i in range(first, first + n)]
        self._require(-1 not in planes, "this reads an element of x that has no value")
        return planes

    def _put(self, planes: Sequence[int], first: int = 0) -> None:
        self._require(first + len(planes) <= self.section.sizes["x"], "this writes beyond the array x")
        self._scratch.update(enumerate(planes, first))

    def _gather(self, begin: int, n: int) -> None:
        self._helper("gather")
        self._put([self._read(f"s[{slot}]") for slot in self._slots(begin, n)])

    def _scatter(self, first: int, begin: int, n: int) -> None:
        self._helper("scatter")
        for slot, literal in zip(self._slots(begin, n), self._planes(first, n), strict=True):
            self._write("s", slot, literal)

    def _popcount(self, n: int) -> None:
        """The count's planes replace the first ones of x; the others are then carries, which nothing may read."""
        self._helper("popcount")
        self._require(n >= 1, "a population count needs a plane")
        count = self.heads.popcount(self._planes(0, n))
        self._scratch.clear()
        self._put(count)

    def _argmax(self, n: int, width: int, first: int, bits: int) -> None:
        """Behind the words lies their index; what remains of the words nothing may read."""
        self._helper("argmax")
        self._require(n >= 1 and width >= 1, "an arg-max needs a word and a plane")
        self._require(first >= n * width, "the index of an arg-max overwrites its words")
        self._require(first + bits <= self.section.sizes["x"], "this writes beyond the array x")
        planes = self._planes(0, n * width)
        index = self.heads.argmax([planes[i : i + width] for i in range(0, n * width, width)])
        self._scratch.clear()
        self._put([*index, *[0] * bits][:bits], first)

    def _load(self, count: int, first: int, stride: int, width: int, place: int, step: int) -> None:
        self._helper("transpose8", "load")
        words = self.words
        self._require(stride == len(words), "a sample has another number of input words")
        self._require(first + count <= len(words), "this reads beyond the input words")
        self._require(1 <= width <= self.text.bits["code_in"], "a word has no bit or more than its type")
        for w in range(count):
            word = [*words[first + w], *[0] * width]
            for j in range(width):
                self._write("s", place + step * w + j, word[j])

    def _store(self, count: int, begin: int, step: int, n: int, width: int, first: int, stride: int) -> None:
        self._helper("transpose8", "store")
        outputs = len(self.like.outputs)
        self._require(stride == outputs, "a sample has another number of output words")
        self._require(first + count <= outputs, "this writes beyond the output words")
        self._require(1 <= width <= self.text.bits["code_out"], "a word has no bit or more than its type")
        for w in range(count):
            self._gather(begin + step * w, n)
            self.outputs[first + w] = self._planes(0, width)
