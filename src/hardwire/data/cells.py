"""The cells of a table as a file or a frame gives them, before anything is fitted: columns of texts or of numbers."""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..core.errors import InputError

#: What stands in a cell without a value, in lower case.
MISSING = frozenset(("", "?", "na", "n/a", "nan", "null"))
#: The mark of decimals; ``either`` where 1,234 may be read in two ways.
Decimal = Literal[".", ",", "either"]

_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?", re.ASCII)
#: So many thousands, with decimals or not, in which no comma or point has two meanings.
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:(?:[,'’   ]\d{3}){2,}(?:\.\d+)?|(?:[.'’   ]\d{3}){2,}(?:,\d+)?|"
                        r"(?:,\d{3})+\.\d+|(?:\.\d{3})+,\d+|(?:['’   ]\d{3})+(?:[.,]\d+)?)", re.ASCII)
_AMBIGUOUS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)


def number(cell: str, decimal: Decimal = ".") -> float | None:
    """Return the number in a cell, whose decimals follow ``decimal``; None where there is none."""
    if "_" in cell:  # Python reads 1_2 as 12
        return None
    if decimal == "," and "," in cell:
        if not _COMMA.fullmatch(cell):
            return None
        cell = cell.replace(",", ".")
    try:
        return float(cell)
    except ValueError:
        return None


def is_missing(cell: str) -> bool:
    """Whether a cell has no value."""
    return cell.lower() in MISSING


def number_text(value: float) -> str:
    """Return a number as a table would have it: whole ones without decimals."""
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)


@dataclass(frozen=True)
class Cells:
    """One column.

    Attributes
    ----------
    name : str
        In the file's words.
    texts : sequence of str, optional
        As they stand; a cell without a value is one of ``MISSING``.
    values : array (samples,) of float64, optional
        Of a column whose type is a number: NaN where there is no value. Then there are no texts.
    order : tuple of str
        The texts in order, where the column's type orders them.
    place : callable
        Names a sample in an error: ``t.csv line 3``.
    """

    name: str
    texts: Sequence[str] | None
    values: NDArray[np.float64] | None = None
    order: tuple[str, ...] = ()
    place: Callable[[int], str] = "sample {}".format

    def __len__(self) -> int:
        return len(self.as_texts) if self.values is None else len(self.values)

    @cached_property
    def as_texts(self) -> Sequence[str]:
        """The cells as texts; an empty one where there is no value."""
        if self.texts is not None:
            return self.texts
        if self.values is None:
            return ()
        texts = {v: number_text(v) for v in np.unique(self.values[~np.isnan(self.values)]).tolist()}
        return [texts.get(v, "") for v in self.values.tolist()]

    @cached_property
    def distinct(self) -> list[str]:
        """The different texts that are values, in order."""
        return sorted(cell for cell in set(self.as_texts) if not is_missing(cell))

    @cached_property
    def missing(self) -> NDArray[np.bool_]:
        """Which samples have no value."""
        if self.values is not None:
            return np.isnan(self.values)
        gone = {cell for cell in set(self.as_texts) if is_missing(cell)}
        return np.fromiter((cell in gone for cell in self.as_texts), bool, len(self.as_texts))

    @cached_property
    def decimal(self) -> Decimal:
        """The mark of decimals, as far as this column tells it.

        Raises
        ------
        InputError
            Where numbers have marks of thousands, or points beside commas.
        """
        if self.values is not None:
            return "."
        plain = [cell for cell in self.distinct if number(cell) is not None]
        commas = [cell for cell in self.distinct if _COMMA.fullmatch(cell)]
        thousands = [cell for cell in self.distinct if _THOUSANDS.fullmatch(cell)]
        if thousands and len(plain) + len(set(commas) | set(thousands)) == len(self.distinct):
            raise self.error(thousands, "has a number with marks of thousands", "write it without them")
        if not commas or len(plain) + len(commas) < len(self.distinct):
            return "."
        if any("." in cell for cell in plain):
            raise self.error(commas, "has a comma in a number where other numbers of the column have points",
                             "write all of them alike")
        return "either" if all(_AMBIGUOUS.fullmatch(cell) for cell in commas) else ","

    def numbers(self, decimal: Decimal) -> dict[str, float | None]:
        """Return the number that each different text is, or None."""
        return {cell: number(cell, decimal) for cell in self.distinct}

    def as_numbers(self, numbers: dict[str, float | None]) -> NDArray[np.float64]:
        """Return the cells as float64, NaN where there is no value; ``numbers`` gives each different text's."""
        if self.values is not None:
            return self.values
        cells = {cell: np.nan if value is None else value for cell, value in numbers.items()}
        nan = float("nan")
        return np.fromiter((cells.get(cell, nan) for cell in self.as_texts), np.float64, len(self.as_texts))

    def error(self, cells: Collection[str], what: str, remedy: str) -> InputError:
        """Return an error about the first cell that is one of ``cells``."""
        at = next((i for i, cell in enumerate(self.as_texts) if cell in cells), 0)
        return InputError(f"{self.place(at)}, column {self.name!r}, {what} ({self.as_texts[at][:80]!r}); {remedy}")

    def finite(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return ``values`` of the cells; InputError where one is infinite."""
        endless = np.isinf(values)
        if endless.any():
            at = int(np.argmax(endless))
            raise InputError(f"{self.place(at)}, column {self.name!r}, has a number that is not finite "
                             f"({self.as_texts[at][:80]!r}); mend it or remove the line")
        return values


def file_decimal(columns: Iterable[Cells], names: Collection[str] | None = None) -> Decimal:
    """Return the mark of decimals of a whole table: a comma where a column has one that can be nothing else."""
    marks = {column.decimal for column in columns if names is None or column.name in names}
    return "," if "," in marks else "."


def decimal_of(column: Cells, table: Decimal) -> Decimal:
    """Return a column's mark of decimals, that of its ``table`` where it may be read in two ways.

    Raises
    ------
    InputError
        Where the table tells no more.
    """
    if column.decimal != "either":
        return column.decimal
    if table == ",":
        return ","
    cells = [cell for cell in column.distinct if "," in cell]
    raise column.error(cells, "has a number that may have decimals or thousands",
                       "write it with a point, or without the mark")
