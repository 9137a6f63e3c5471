"""The entry point for one sample, executed with the bits of each variable as far as they are known.

A ``bit`` has eight bits or more, as the machine likes, and the gates define its lowest one alone: an inversion sets all
others. So a value is its lowest bits as literals, and whether all higher ones are zero.
"""

import re
from typing import NamedTuple

from ...circuit import Circuit
from ...circuit.aig import Aig
from .executor import Executor
from .expressions import Expression
from .grammar import CText
from .heads import Heads

#: Bits of ``int``, the sign aside, and of ``unsigned`` that every machine has.
INT, UNSIGNED = 15, 16


class Number(NamedTuple):
    """An integer: its lowest bits, whether all higher ones are zero, and how many bits its type has at least."""

    bits: tuple[int, ...]
    exact: bool
    size: int = INT

    @property
    def constant(self) -> int | None:
        """Its value, None where it is not known or depends on the input."""
        if not self.exact or max(self.bits) > 1:
            return None
        return sum(bit << j for j, bit in enumerate(self.bits))

    def converted(self, width: int, size: int, *, fixed: bool = True) -> "Number":
        """In an unsigned type of ``width`` bits, or of at least so many where the width is not ``fixed``."""
        longer = len(self.bits) > width
        exact = (not longer and self.exact) or (fixed and len(self.bits) >= width)
        return Number(self.bits[:width] if longer else self.bits, exact, size)


class Single(Executor[Number]):
    """An interpreter of ``NAME_one``."""

    def __init__(self, text: CText, like: Circuit, words: list[list[int]], aig: Aig, heads: Heads) -> None:
        super().__init__(text, text.one, like, words, aig, heads)
        self._counts: dict[int, list[int]] = {}
        self._arrays: dict[str, tuple[int, dict[int, Number]]] = {}
        size = max(INT, text.bits["code_in"])
        self.values |= {f"in[{w}]": Number(tuple(word), True, size) for w, word in enumerate(words)}

    def _define(self, name: str, expression: Expression) -> None:
        self._declare(name, self._value(expression).converted(8, INT, fixed=False))

    def _slot(self, slot: int, expression: Expression) -> None:
        self._write("s", slot, self._value(expression).converted(8, INT))

    def _output(self, word: int, expression: Expression) -> None:
        value = self._value(expression).converted(self.text.bits["code_out"], UNSIGNED)
        self._require(word < len(self.like.outputs), "this writes beyond the output words")
        self._require(value.exact, "higher bits of this word are not defined")
        self.outputs[word] = list(value.bits)

    def _set(self, cell: int, expression: Expression) -> None:
        """A count begins with its first bit."""
        self._write("c", cell, Number((self._addend(expression),), True))
        self._counts[cell] = [self.values.pop(f"c[{cell}]").bits[0]]

    def _add(self, cell: int, expression: Expression) -> None:
        addend = self._addend(expression)
        self._require(cell in self._counts and f"c[{cell}]" not in self.values, f"c[{cell}] is no count that has begun")
        self._counts[cell].append(addend)
        self._require(len(self._counts[cell]) < 1 << self._number(), f"c[{cell}] may count further than its type")

    def _addend(self, expression: Expression) -> int:
        value = self._value(expression)
        self._require(value.exact and len(value.bits) == 1, "what is counted is more than one bit")
        return value.bits[0]

    def _number(self) -> int:
        self._require("number" in self.text.bits, "type number is not defined")
        return self.text.bits["number"]

    def _array(self, name: str, size: int) -> None:
        self._require(name not in self._arrays, f"{name} is defined twice")
        self._arrays[name] = self._number() and size, {}

    def _element(self, name: str, place: int, expression: Expression) -> None:
        size, elements = self._arrays.get(name, (0, {}))
        self._require(place < size, f"{name}[{place}] lies beyond the array")
        elements[place] = self._value(expression).converted(self._number(), INT)

    def _largest(self, cell: int, name: str, n: int) -> None:
        self._require("largest" in self.text.helpers, "function largest is not defined above")
        _, elements = self._arrays.get(name, (0, {}))
        self._require(1 <= n <= len(elements) and all(i in elements and elements[i].exact for i in range(n)),
                      f"{name} has no {n} elements with a value")
        words = [elements[i].bits for i in range(n)]
        index = Number(tuple(self.heads.argmax(words)), True)
        self._counts.pop(cell, None)
        self._write("c", cell, index.converted(self._number(), max(INT, self._number())))

    def _call(self, name: str, arguments: str) -> None:
        super()._call(name, arguments)
        self._arrays.clear()

    def _read(self, name: str) -> Number:
        if name not in self.values:
            if name[:2] == "c[" and int(name[2:-1]) in self._counts:
                count = self.heads.popcount(self._counts[int(name[2:-1])])
                self.values[name] = Number(tuple(count), True, max(INT, self._number()))
            elif "[" not in name and name[0] != "n":
                self.values[name] = self._constant(name)
        return super()._read(name)

    def _constant(self, text: str) -> Number:
        value, size = int(re.sub(r"UINT\d+_C|\D", "", text)), UNSIGNED if text[-1] == "u" else INT
        if text[0] == "U":
            size = int(text[4:6])
            self._require(value < 1 << size, f"{text} is too large for its type")
        self._require(value < 1 << 64, f"{text} is too large")
        bits = tuple(value >> j & 1 for j in range(max(1, value.bit_length())))
        return Number(bits, True, max(size, len(bits)))

    def _value(self, expression: Expression) -> Number:
        stack: list[Number] = []
        values, operands = self.values, iter(expression.operands)
        for symbol in expression.program:
            if symbol == "@":
                operand = next(operands)
                stack.append(values[operand] if operand in values else self._read(operand))
            elif symbol == "~":
                value = stack.pop()
                stack.append(Number(tuple([bit ^ 1 for bit in value.bits]), False, value.size))
            elif symbol[0] == "(":
                stack.append(self._cast(symbol, stack.pop()))
            else:
                b, a = stack.pop(), stack.pop()
                stack.append(self._bitwise(symbol, a, b) if symbol in ("&", "|", "^") else self._with(symbol, a, b))
        return stack[0]

    def _cast(self, symbol: str, value: Number) -> Number:
        if symbol == "(bit)":
            return value.converted(8, INT, fixed=False)
        if symbol == "(unsigned)":
            return value.converted(UNSIGNED, UNSIGNED, fixed=False)
        if symbol == "(number)":
            width = self._number()
        else:
            width = {"(code_out)": self.text.bits["code_out"], "(uint32_t)": 32, "(uint64_t)": 64}[symbol]
        return value.converted(width, max(INT, width))

    def _bitwise(self, symbol: str, a: Number, b: Number) -> Number:
        """Where one operand ends, its higher bits are zero or unknown."""
        short, long = (a, b) if len(a.bits) <= len(b.bits) else (b, a)
        if symbol == "&":
            bits = [self.aig.and_(x, y) for x, y in zip(short.bits, long.bits)]
        elif symbol == "|":
            bits = [self.aig.and_(x ^ 1, y ^ 1) ^ 1 for x, y in zip(short.bits, long.bits)]
        else:
            bits = [self.aig.xor(x, y) for x, y in zip(short.bits, long.bits)]
        size, n = max(a.size, b.size), len(short.bits)
        if symbol == "&":
            return Number(tuple(bits), short.exact or (long.exact and len(long.bits) == n), size)
        if short.exact:
            return Number((*bits, *long.bits[n:]), long.exact, size)
        return Number(tuple(bits), False, size)

    def _with(self, symbol: str, a: Number, b: Number) -> Number:
        """A shift by a constant, or a comparison with one."""
        constant = b.constant
        if constant is None or not a.exact:
            raise self.text.error(self.line, f"{symbol} needs a number of which every bit is defined, and a constant")
        if symbol == ">=":
            result = 1 if constant == 0 else 0 if constant >> len(a.bits) else self.heads.at_least(a.bits, constant)
            return Number((result,), True)
        self._require(constant < a.size, f"{symbol} {constant} shifts further than the type is wide")
        if symbol == ">>":
            return Number(a.bits[constant:] or (0,), True, a.size)
        self._require(len(a.bits) + constant <= a.size, f"<< {constant} shifts bits out of the type")
        return Number((*[0] * constant, *a.bits), True, a.size)
