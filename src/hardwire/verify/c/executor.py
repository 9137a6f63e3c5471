"""What both entry points share: statements in order, functions called once, variables that end with their function."""

from typing import Generic, TypeVar

from ...circuit import Circuit
from ...circuit.aig import Aig
from .grammar import CText, Section, Statement
from .heads import Heads

Value = TypeVar("Value")


class Executor(Generic[Value]):
    """An interpreter of one entry point.

    A statement is executed by the method of its kind, with the names and numbers in it and its right side. ``values``
    are those of variables and array elements, by their text; ``words`` are the literals of the input words.
    """

    def __init__(self, text: CText, section: Section, like: Circuit, words: list[list[int]], aig: Aig,
                 heads: Heads) -> None:
        self.text, self.section, self.like, self.words, self.aig, self.heads = text, section, like, words, aig, heads
        self.values: dict[str, Value] = {}
        self.outputs: dict[int, list[int]] = {}
        self.line = 0
        self._called: set[str] = set()
        self._locals: list[str] = []

    def run(self) -> dict[int, list[int]]:
        """Execute every statement; the output words as literals, least significant bit first."""
        for statement in self.section.statements:
            self._execute(statement)
        self.line = self.section.end
        idle = sorted(self.section.parts.keys() - self._called)
        self._require(not idle, f"function {idle} is never called")
        return self.outputs

    def _execute(self, statement: Statement) -> None:
        self.line, kind, arguments = statement
        getattr(self, "_" + kind)(*arguments)

    def _require(self, condition: object, why: str) -> None:
        if not condition:
            raise self.text.error(self.line, why)

    def _unused(self) -> None:
        """``(void)in;`` keeps a compiler quiet."""

    def _call(self, name: str, arguments: str) -> None:
        part = self.section.parts.get(name)
        if part is None or arguments != part.parameters:
            raise self.text.error(self.line, f"function {name} with these arguments is not defined above")
        self._require(name not in self._called, f"function {name} is called twice")
        self._called.add(name)
        for statement in part.statements:
            self._execute(statement)
        for local in self._locals:
            del self.values[local]
        self._locals.clear()

    def _declare(self, name: str, value: Value) -> None:
        self._require(name not in self.values, f"{name} is defined twice")
        self.values[name] = value
        self._locals.append(name)

    def _read(self, name: str) -> Value:
        value = self.values.get(name)
        if value is None:
            raise self.text.error(self.line, f"{name} is read before it has a value")
        return value

    def _write(self, array: str, place: int, value: Value) -> None:
        self._require(place < self.section.sizes.get(array, 0), f"{array}[{place}] lies beyond the array")
        self.values[f"{array}[{place}]"] = value
