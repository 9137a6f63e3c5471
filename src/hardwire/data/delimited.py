"""Tables of text, .csv and .tsv: their separator, their header, and their rows, all at once or in blocks."""

import csv
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ..core.errors import FormatError, InputError
from .cells import Cells, is_missing, number

DELIMITERS = ",;\t|"
#: Characters and lines from which separator and header are told.
HEAD, HEAD_LINES = 1 << 20, 20
#: Rows of a block.
BLOCK = 50_000

_DECIMALS = re.compile(r"[+-]?\d*,\d+", re.ASCII)


@dataclass(frozen=True)
class Rows:
    """Some rows of a table: the cells of each, and the numbers of their lines."""

    path: Path
    rows: list[list[str]]
    lines: list[int]

    def columns(self, names: Sequence[str]) -> list[Cells]:
        """Return the columns, so named."""
        cells = list(zip(*self.rows)) or [()] * len(names)
        return [Cells(name, column, place=self.place) for name, column in zip(names, cells)]

    def place(self, sample: int) -> str:
        """Name a sample."""
        return f"{self.path} line {self.lines[sample]}"


def read_rows(path: Path) -> Rows:
    """Read every line that is not blank, with equally many cells in each.

    Raises
    ------
    InputError
        The file cannot be read, is empty, or has lines of several lengths.
    FormatError
        It is no text in UTF-8, or its quotes are wrong.
    """
    blocks = list(blocks_of(path))
    return Rows(path, [row for block in blocks for row in block.rows], [n for block in blocks for n in block.lines])


def blocks_of(path: Path, rows: int = BLOCK) -> Iterator[Rows]:
    """Yield the lines of a table in blocks of so many; errors as in ``read_rows``."""
    head = read_head(path)
    delimiter = "\t" if path.suffix.lower() == ".tsv" else delimiter_of(path, head)
    with path.open(encoding="utf-8-sig") as file:
        lines = _Lines(path, file)
        first: tuple[int, int] | None = None
        while (block := _block(path, lines, delimiter, rows)).rows:
            for row, line in zip(block.rows, block.lines):
                first = first or (len(row), line)
                if len(row) != first[0]:
                    raise InputError(f"{path} line {line} has {len(row)} columns where line {first[1]} has {first[0]}; "
                                     "give every line the same columns")
            yield block


class _Lines(Iterator[str]):
    """The lines of a file, counted; errors are sentences."""

    def __init__(self, path: Path, file: Iterator[str]) -> None:
        self.path, self.file, self.reader_line = path, file, 0

    def __next__(self) -> str:
        try:
            line = next(self.file)
        except UnicodeDecodeError:
            raise FormatError(f"{self.path} is not text in UTF-8; save it as UTF-8") from None
        if "\0" in line:
            raise FormatError(f"{self.path} holds zero bytes and is no table of text; save it as UTF-8")
        self.reader_line += 1
        return line


def _block(path: Path, lines: _Lines, delimiter: str, most: int) -> Rows:
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=delimiter != "\t")
    rows: list[list[str]] = []
    numbers: list[int] = []
    try:
        for row in reader:
            if len(row) > 1 or (row and row[0].strip()):
                rows.append([cell.strip() for cell in row])
                numbers.append(lines.reader_line)
                if len(rows) == most:
                    break
    except csv.Error as error:
        raise FormatError(f"{path} line {lines.reader_line} cannot be read ({error}); mend its quotes, or leave longer "
                          "cells out") from None
    return Rows(path, rows, numbers)


def read_head(path: str | os.PathLike[str]) -> str:
    """Return the first characters of a text file; errors as in ``read_rows``."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            text = file.read(HEAD)
    except UnicodeDecodeError:
        raise FormatError(f"{path} is not text in UTF-8; save it as UTF-8") from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; check the path") from None
    if "\0" in text:
        raise FormatError(f"{path} holds zero bytes and is no table of text; save it as UTF-8")
    if not text.strip():
        raise InputError(f"{path} is empty; give a line for each sample")
    return text


def delimiter_of(path: Path, text: str) -> str:
    """Return the separator that splits the first lines evenly into the most columns.

    Of those that do, one counts for less whose cells hold another of them, unless as a decimal comma: ``1,5;2,5`` has
    two columns. Where none splits them evenly, the first line decides.
    """
    head = [line for line in text.split("\n", 50)[:50] if line.strip()][:HEAD_LINES]
    split = {d: cells for d in DELIMITERS if (cells := _split(head, d))}
    wide = {d: cells for d, cells in split.items() if len(cells[0]) > 1}
    even = {d: cells for d, cells in wide.items() if len({len(row) for row in cells}) == 1}
    if not head or not wide:
        raise InputError(f"{path} has a single column; separate features and label by comma, semicolon, tab or |")
    if not even:
        return max(wide, key=lambda d: len(wide[d][0]))
    return max(even, key=lambda d: (_clean(even[d], set(even) - {d}), len(even[d][0])))


def _clean(rows: list[list[str]], others: set[str]) -> float:
    """Share of cells without another separator in them."""
    cells = [cell for row in rows for cell in row]
    dirty = sum(1 for cell in cells if any(d in cell for d in others) and not _DECIMALS.fullmatch(cell.strip()))
    return 1 - dirty / len(cells)


def _split(head: list[str], delimiter: str) -> list[list[str]]:
    """The cells of each line; none where a cell is longer than the csv module reads."""
    try:
        return list(csv.reader(head, delimiter=delimiter, skipinitialspace=True))
    except csv.Error:
        return []


def has_header(first: Sequence[str], columns: Sequence[Cells], named: bool) -> bool:
    """Return whether the first row names the columns.

    It does when it holds the label that is asked for (``named``), or when no cell of it is a number in a column whose
    other cells are all numbers, and one of those has a name; in a table of texts alone, when none of its cells appears
    again in its column.
    """
    if named:
        return True
    numeric = [cell for cell, column in zip(first, columns) if _all_numbers(column)]
    if numeric:
        return all(number(cell) is None for cell in numeric) and not all(map(is_missing, numeric))
    return not any(map(is_missing, first)) and all(cell not in column.distinct for cell, column in zip(first, columns))


def _all_numbers(column: Cells) -> bool:
    """Whether every value is a number, with a decimal point or comma."""
    return bool(column.distinct) and all(
        number(cell) is not None or _DECIMALS.fullmatch(cell) for cell in column.distinct)


def first_rows(path: Path, rows: int) -> Rows:
    """Return the first lines of a table."""
    return next(islice(blocks_of(path, rows), 1), Rows(path, [], []))
