"""C expressions of the emitted text as programs for a stack; an expression is parsed once for each shape.

The *shape* of an expression has ``@`` in the place of each operand. A large text has few shapes.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

#: A decimal number. A leading zero would make it octal.
N = r"(?:0|[1-9][0-9]*)"
#: What an expression reads: a local variable, an element of an array, a number.
OPERAND = re.compile(rf"\bn{N}\b|\b(?:s|c|in)\[{N}\]|\bUINT(?:32|64)_C\({N}\)|\b{N}u?\b")
TYPES = ("bit", "number", "code_out", "unsigned", "uint32_t", "uint64_t")
TOKEN = re.compile(rf" *(\((?:{'|'.join(TYPES)})\)|<<|>>|>=|[@~()&^|])")
PREFIX = ("~", *(f"({name})" for name in TYPES))
#: How tightly an operator binds, as C has it.
LEVEL = {"|": 1, "^": 2, "&": 3, ">=": 4, "<<": 5, ">>": 5} | dict.fromkeys(PREFIX, 6)


class Expression(NamedTuple):
    """Operators and ``@`` for the next operand, each operator after what it takes; and the operands in order."""

    program: tuple[str, ...]
    operands: list[str]


class Expressions:
    """A parser that knows the shapes that it has met."""

    def __init__(self) -> None:
        self._programs: dict[str, tuple[str, ...] | None] = {}

    def parse(self, text: str) -> Expression | None:
        """The expression, None where the text is none."""
        shape = OPERAND.sub("@", text)
        if shape not in self._programs:
            self._programs[shape] = _program(shape)
        program, operands = self._programs[shape], OPERAND.findall(text)
        if program is None or "@" in text:
            return None
        return Expression(program, operands)


def _tokens(shape: str) -> Iterator[str]:
    place = 0
    while place < len(shape):
        token = TOKEN.match(shape, place)
        yield token[1] if token else ""
        place = token.end() if token else len(shape)


def _program(shape: str) -> tuple[str, ...] | None:
    """Operators after their operands; None for what is no expression."""
    program: list[str] = []
    waiting: list[str] = []
    operand_due = True
    for token in _tokens(shape):
        if operand_due and token == "@":
            program.append(token)
            operand_due = False
        elif operand_due and (token == "(" or token in PREFIX):
            waiting.append(token)
        elif not operand_due and token == ")" and "(" in waiting:
            while (last := waiting.pop()) != "(":
                program.append(last)
        elif not operand_due and token in LEVEL and token not in PREFIX:
            while waiting and waiting[-1] != "(" and LEVEL[waiting[-1]] >= LEVEL[token]:
                program.append(waiting.pop())
            waiting.append(token)
            operand_due = True
        else:
            return None
    return None if operand_due or "(" in waiting else (*program, *reversed(waiting))
