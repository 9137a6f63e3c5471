"""Liberty files: the cells of a standard-cell library, their areas and their functions.

Read here are names, areas, pins, functions and whether a cell holds state. Tables of delay and power are read by
`nldm.py`, of the cells of one netlist.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations, product
from os import PathLike
from pathlib import Path

from ..core.errors import FormatError, InputError
from ..core.reading import read_bytes, unpack
from ..core.truth_tables import flip, ones, permute, projection, support
from .liberty_groups import Group, parse

#: Groups whose content no figure here needs; they are nine tenths of a library.
SKIPPED = frozenset({"timing", "internal_power", "leakage_power", "lu_table_template", "power_lut_template",
                     "receiver_capacitance", "ccsn_first_stage", "ccsn_last_stage", "dynamic_current"})
#: Groups that make a cell sequential.
STATE = frozenset({"ff", "latch", "ff_bank", "latch_bank", "statetable", "clock_gating_integrated_cell"})
#: Operands of the widest function that is read as a table.
WIDEST = 12
#: Levels of parentheses of the deepest function.
DEPTH = 50
#: Areas are below this and above its inverse, so that sums and quotients of them are finite.
FARTHEST = 1e30
#: Characters of the longest name of a cell or a pin.
LONGEST = 200

AND2, NAND2, XOR2, XOR3, MAJORITY = 0b1000, 0b0111, 0b0110, 0b10010110, 0b11101000

#: Names of cells and pins stand in the text that other programs read.
_NAME = re.compile(r"[\w.\[\]<>:/$+-]+\Z", re.ASCII)


@dataclass(frozen=True)
class Pin:
    """A pin of a cell; ``function`` is the text of the file, empty where there is none."""

    name: str
    direction: str
    function: str = ""


@dataclass(frozen=True)
class Cell:
    """A cell of a library.

    Attributes
    ----------
    name
        As in the file.
    area
        In the library's unit, mostly square micrometres.
    pins
        In the order of the file; power pins are not among them.
    sequential
        Whether it holds state.
    usable
        Whether the library lets a mapper choose it (no ``dont_use``).
    """

    name: str
    area: float
    pins: tuple[Pin, ...]
    sequential: bool = False
    usable: bool = True

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the input pins."""
        return tuple(pin.name for pin in self.pins if pin.direction == "input")

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the output pins."""
        return tuple(pin.name for pin in self.pins if pin.direction == "output")

    @cached_property
    def tables(self) -> Mapping[str, int]:
        """The truth table over ``inputs`` of each output pin; of a sequential cell none.

        Raises
        ------
        FormatError
            Where a function cannot be read or names a pin that is no input.
        """
        if self.sequential or len(self.inputs) > WIDEST:
            return {}
        inputs = self.inputs
        return {pin.name: function_table(pin.function, inputs, self.name)
                for pin in self.pins if pin.direction == "output" and pin.function}

    @property
    def combinational(self) -> bool:
        """Whether every output is a function of the inputs."""
        return bool(self.outputs) and len(self.tables) == len(self.outputs)


@dataclass(frozen=True)
class Adder:
    """A full-adder or half-adder cell with the output pins of its sum and of its carry."""

    cell: Cell
    sum: str
    carry: str


@dataclass(frozen=True)
class Library:
    """The cells of a Liberty file by name."""

    name: str
    cells: Mapping[str, Cell]
    path: str = ""

    @cached_property
    def nand2(self) -> Cell:
        """The smallest two-input NAND, whose area is one gate equivalent (GE).

        Raises
        ------
        InputError
            Where the library has none.
        """
        cell = self.smallest(NAND2, 2)
        if cell is None:
            raise InputError(f"library {self.name!r} has no two-input NAND, whose area is the unit of gate "
                             f"equivalents; give a library of standard cells")
        return cell

    @cached_property
    def full_adder(self) -> Adder | None:
        """The smallest cell that gives the sum and the carry of three bits, or None."""
        return self._adder(3, XOR3, MAJORITY)

    @cached_property
    def half_adder(self) -> Adder | None:
        """The smallest cell that gives the sum and the carry of two bits, or None."""
        return self._adder(2, XOR2, AND2)

    @cached_property
    def gate_areas(self) -> tuple[float, ...]:
        """The least area of each two-input gate by one cell with inverters at its pins, in the order of the gate table.

        Wires and constants have area 0. An exclusive-or that no cell spells is four NANDs.

        Raises
        ------
        InputError
            Where the library has no NAND.
        """
        nand, cell = self.nand2.area, self.smallest(0b01, 1)
        inverter = cell.area if cell else nand
        cells = {table: spelled.area for table in range(16) if (spelled := self.smallest(table, 2))}
        areas = [0.0] * 16
        for table in range(16):
            size = support(table, 2).bit_count()
            if size == 2:
                direct = [cells[other] + inverter * count for other, count in _spellings(table) if other in cells]
                areas[table] = min(direct, default=4 * nand + inverter * (table != XOR2))
            elif size and not table >> 0b11:
                areas[table] = inverter
        return tuple(areas)

    def smallest(self, table: int, k: int) -> Cell | None:
        """The smallest usable cell of one output that spells a table of ``k`` operands, in any order of its pins."""
        wanted = _orders(table, k)
        cells = [cell for cell in self._candidates(k) if len(cell.outputs) == 1
                 and next(iter(cell.tables.values())) in wanted]
        return min(cells, key=lambda cell: cell.area, default=None)

    def gate_equivalents(self, area: float) -> float:
        """An area in areas of the smallest two-input NAND."""
        return area / self.nand2.area

    def _adder(self, k: int, total: int, carry: int) -> Adder | None:
        found = []
        for cell in self._candidates(k):
            pins = {table: name for name, table in cell.tables.items()}
            if len(cell.outputs) == 2 and set(pins) == {total, carry}:
                found.append(Adder(cell, pins[total], pins[carry]))
        return min(found, key=lambda adder: adder.cell.area, default=None)

    def _candidates(self, k: int) -> Iterator[Cell]:
        return (c for c in self.cells.values() if c.usable and c.area > 0 and len(c.inputs) == k and c.combinational)


def _orders(table: int, k: int) -> set[int]:
    """The tables of the same function with its operands in any order."""
    return {permute(table, k, order) for order in permutations(range(k))}


def _spellings(table: int) -> Iterator[tuple[int, int]]:
    """Two-input tables that give ``table`` with inverters at pins, and how many inverters that takes."""
    for a, b, out in product((0, 1), repeat=3):
        other = flip(table, 2, 0) if a else table
        other = flip(other, 2, 1) if b else other
        yield other ^ (ones(2) if out else 0), a + b + out


def read_liberty(path: str | PathLike[str]) -> Library:
    """Read a Liberty file, also one packed as ``.gz`` or ``.xz``.

    Raises
    ------
    FormatError
        Where the file is no Liberty file, is truncated or holds a cell without an area.
    InputError
        Where it cannot be read.
    """
    text = liberty_text(path)
    try:
        return _library(parse(text, lambda kind, name: kind in SKIPPED), str(path))
    except ValueError as error:
        raise FormatError(f"{path} cannot be read as a Liberty file: {error}; check the file") from None


def liberty_text(path: str | PathLike[str]) -> str:
    """The text of a Liberty file, unpacked where its name ends in ``.gz`` or ``.xz``.

    Raises
    ------
    FormatError
        Where the packed file is damaged or unpacks to too much, or the text is not UTF-8.
    InputError
        Where it cannot be read.
    """
    kind = Path(path).suffix
    content = read_bytes(path)
    try:
        if kind in (".gz", ".xz"):
            content = unpack(content, ".gz" if kind == ".gz" else ".xz")
        return content.decode("utf-8")
    except ValueError as error:
        raise FormatError(f"{path} is damaged or no Liberty file ({error}); check the path") from None


def _library(group: Group, path: str) -> Library:
    if group.kind != "library":
        raise ValueError(f"it begins with {group.kind[:40]!r}, not with a library")
    cells = {}
    for part in group.groups:
        if part.kind == "cell":
            cell = _cell(part)
            cells[cell.name] = cell
    if not cells:
        raise ValueError("it has no cell")
    if not group.names[0].isprintable():
        raise ValueError(f"the library's name {group.names[0][:40]!r} cannot be printed")
    return Library(group.names[0], cells, path)


def _cell(group: Group) -> Cell:
    name = _plain_name(group.names[0], "cell")
    try:
        area = float(group.values["area"])
    except (KeyError, ValueError):
        raise ValueError(f"cell {name!r} has no area") from None
    if not (area == 0 or 1 / FARTHEST < area < FARTHEST):
        raise ValueError(f"cell {name!r} has the area {area}")
    parts = [part for part in group.groups if part.kind == "pin"]
    # a bus is no function of single pins: such a cell is known by its name and area alone
    parts += [pin for bus in group.groups if bus.kind in ("bus", "bundle") for pin in bus.groups if pin.kind == "pin"]
    pins = tuple(Pin(_plain_name(pin, "pin"), part.values.get("direction", ""), _driven(part))
                 for part in parts for pin in part.names)
    state = any(part.kind in STATE for part in group.groups) or "clock_gating_integrated_cell" in group.values
    return Cell(name, area, pins, state, group.values.get("dont_use", "false") != "true")


def _plain_name(name: str, what: str) -> str:
    if len(name) > LONGEST or not _NAME.match(name):
        raise ValueError(f"the name {name[:40]!r} of a {what} has other signs than letters, digits and _ . [ ] < > : / "
                         f"$ + -, or more than {LONGEST}")
    return name


def _driven(pin: Group) -> str:
    """The function of a pin; of one that can be high-impedance none, as it is not always driven."""
    return "" if "three_state" in pin.values else pin.values.get("function", "")


# ------------------------------------------------------------------------------------------------------------ functions


_TOKEN = re.compile(r"\s*([()!'^&*+|]|[\w.\[\]$-]+)")


def function_table(text: str, inputs: Iterable[str], cell: str, also: Mapping[str, int] | None = None) -> int:
    """The table of a Liberty function: ``!`` and ``'`` invert, then ``^``, then ``& *`` or a space, then ``+ |``.

    Parameters
    ----------
    text, inputs, cell
        The function, the pins that are its operands, and the cell's name for the error.
    also
        Tables over ``inputs`` of other names that may stand in the text.

    Raises
    ------
    FormatError
        Where the function cannot be read or names another pin.
    """
    names = list(inputs)
    k, tokens, place = len(names), list[str](), 0
    text = text.rstrip()
    while place < len(text):
        token = _TOKEN.match(text, place)
        if token is None:
            raise FormatError(f"cell {cell!r} has the function {text[:80]!r}, which cannot be read; "
                              f"correct the library")
        tokens.append(token[1])
        place = token.end()
    values = {**(also or {}), **{name: projection(i, k) for i, name in enumerate(names)}}
    try:
        return _Function(tokens, values, ones(k)).table()
    except (ValueError, KeyError, IndexError):
        raise FormatError(f"cell {cell!r} has the function {text[:80]!r}, which is none of its inputs "
                          f"{', '.join(names)}; correct the library") from None


class _Function:
    """A function's tokens, read once from the first to the last."""

    def __init__(self, tokens: list[str], pins: Mapping[str, int], full: int) -> None:
        self.tokens, self.place, self.depth, self.full = [*tokens, ""], 0, 0, full
        self.values = {**pins, "0": 0, "1": full}

    def table(self) -> int:
        table = self._or()
        if self._next():
            raise ValueError
        return table

    def _next(self) -> str:
        return self.tokens[self.place]

    def _or(self) -> int:
        left = self._and()
        while self._next() in ("+", "|"):
            self.place += 1
            left |= self._and()
        return left

    def _and(self) -> int:
        left = self._xor()
        while self._next() not in ("", ")", "+", "|"):
            self.place += self._next() in ("&", "*")
            left &= self._xor()
        return left

    def _xor(self) -> int:
        left = self._literal()
        while self._next() == "^":
            self.place += 1
            left ^= self._literal()
        return left

    def _literal(self) -> int:
        inverted = 0
        while self._next() == "!":
            self.place, inverted = self.place + 1, inverted ^ self.full
        first, self.place = self._next(), self.place + 1
        value = self._nested() if first == "(" else self.values[first]
        while self._next() == "'":
            self.place, inverted = self.place + 1, inverted ^ self.full
        return value ^ inverted

    def _nested(self) -> int:
        self.depth += 1
        if self.depth > DEPTH:
            raise ValueError
        value = self._or()
        if self._next() != ")":
            raise ValueError
        self.place, self.depth = self.place + 1, self.depth - 1
        return value
