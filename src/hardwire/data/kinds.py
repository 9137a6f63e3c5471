"""Kinds of columns: how the cells of each become features. What is fitted is kept in ``columns.json``."""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Self, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from .cells import Cells, Decimal, decimal_of
from .dates import PARTS, Order, Part, parts_of

Values = NDArray[np.float64]
Texts = Annotated[list[str], Field(min_length=1)]


@dataclass
class Tally:
    """What was met in cells that training did not have, by column: how many cells, and of unseen texts which.

    Attributes
    ----------
    missing, outside
        Cells without a value; numbers and dates outside the range of training.
    unseen
        Texts that training did not have.
    """

    missing: Counter[str] = field(default_factory=Counter)
    outside: Counter[str] = field(default_factory=Counter)
    unseen: dict[str, Counter[str]] = field(default_factory=dict)

    def note(self, name: str, missing: NDArray[np.bool_], outside: NDArray[np.bool_] | None = None) -> None:
        """Count the cells of a column."""
        if missing.any():
            self.missing[name] += int(missing.sum())
        if outside is not None and outside.any():
            self.outside[name] += int(outside.sum())

    def note_unseen(self, name: str, texts: Counter[str]) -> None:
        """Count texts of a column that training did not have."""
        if texts:
            self.unseen.setdefault(name, Counter()).update(texts)


class Column(BaseModel):
    """Base of the kinds.

    Attributes
    ----------
    name
        In the table's words.
    missing
        Whether a bit tells that a cell has no value; training had such cells then.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)

    name: str
    missing: bool = False

    @property
    def names(self) -> list[str]:
        """Names of the features."""
        return self.own_names + [f"{self.name}_missing"] * self.missing

    @property
    def own_names(self) -> list[str]:
        """Names of the features but the bit of missing values."""
        return [self.name]

    def encode(self, cells: Cells, table: Decimal, tally: Tally) -> Values:
        """Return the features (samples, features) of a column's cells; count what is new in ``tally``."""
        values = self.values(cells, table, tally)
        return np.concatenate([values, cells.missing[:, None]], axis=1) if self.missing else values

    def values(self, cells: Cells, table: Decimal, tally: Tally) -> Values:
        """Return the features but the bit of missing values."""
        raise NotImplementedError

    def words(self) -> str:
        """Say what the column becomes."""
        raise NotImplementedError


class NumberColumn(Column):
    """A number, which stays one; a missing one becomes ``fill``, the median of training."""

    kind: Literal["number"] = "number"
    fill: float = 0.0
    low: float = 0.0
    high: float = 0.0
    decimal: Literal[".", ","] = "."

    def values(self, cells: Cells, table: Decimal, tally: Tally) -> Values:
        """See ``Column``."""
        mark = self.decimal if cells.decimal == "either" and self.decimal == "," else decimal_of(cells, table)
        if cells.values is None:
            numbers = cells.numbers(mark)
            texts = {cell for cell, value in numbers.items() if value is None}
            if texts:
                raise cells.error(texts, "has a text where training had numbers", "give a number, or leave it empty")
            values = cells.finite(cells.as_numbers(numbers))
        else:
            values = cells.finite(cells.values)
        gone = cells.missing
        tally.note(self.name, gone, (values < self.low) | (values > self.high))
        return np.where(gone, self.fill, values)[:, None]

    def words(self) -> str:
        """See ``Column``."""
        return f"number{self._filled(f'{self.fill:g}, the median')}"

    def _filled(self, by: str) -> str:
        return f", missing ones a bit of their own and {by}" if self.missing else ""


class CategoryColumn(Column):
    """One of several texts: a 0/1 feature each; ``other`` has one for every text that has none of its own."""

    kind: Literal["category"] = "category"
    categories: Texts
    other: bool = False

    @property
    def own_names(self) -> list[str]:
        """See ``Column``."""
        return [f"{self.name}_{text}" for text in [*self.categories, *["other"] * self.other]]

    def values(self, cells: Cells, table: Decimal, tally: Tally) -> Values:
        """See ``Column``."""
        count, gone = len(self.categories), cells.missing
        rank = {text: i for i, text in enumerate(self.categories)}
        index = np.fromiter((rank.get(text, count) for text in cells.as_texts), np.int64, len(cells))
        new = (index == count) & ~gone
        tally.note(self.name, gone)
        if not self.other and new.any():
            tally.note_unseen(self.name, Counter(cells.as_texts[i] for i in np.flatnonzero(new).tolist()))
        index[gone] = -1
        return np.asarray(index[:, None] == np.arange(count + self.other), dtype=np.float64)

    def words(self) -> str:
        """See ``Column``."""
        more = " and one for all others" if self.other else ""
        return f"{len(self.categories)} categories, a bit each{more}" + ", and one for missing" * self.missing


class BooleanColumn(Column):
    """Yes or no in one 0/1 feature; a missing one becomes ``fill``, the more frequent of the two."""

    kind: Literal["boolean"] = "boolean"
    yes: str
    no: str
    fill: Annotated[int, Field(ge=0, le=1)] = 0

    @property
    def own_names(self) -> list[str]:
        """See ``Column``."""
        return [f"{self.name}_{self.yes}"]

    def values(self, cells: Cells, table: Decimal, tally: Tally) -> Values:
        """See ``Column``."""
        value = {self.yes: 1, self.no: 0, **{t: i for t, i in zip(BOOLEAN_OF.get(self.yes, ()), (1, 0))}}
        lower = {text: value.get(text.lower()) for text in cells.distinct}
        new = {text for text, is_yes in lower.items() if is_yes is None}
        tally.note(self.name, cells.missing)
        tally.note_unseen(self.name, Counter(text for text in cells.as_texts if text in new) if new else Counter())
        found = (lower.get(text) for text in cells.as_texts)
        return np.fromiter((self.fill if v is None else v for v in found), np.float64, len(cells))[:, None]

    def words(self) -> str:
        """See ``Column``."""
        filled = self.yes if self.fill else self.no
        return f"{self.yes} or {self.no}, one bit" + f", missing ones a bit of their own and {filled}" * self.missing


class OrdinalColumn(Column):
    """A text of a scale: its rank; a missing or unseen one becomes ``fill``, the middle rank of training."""

    kind: Literal["ordinal"] = "ordinal"
    categories: Texts
    fill: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.fill >= len(self.categories):
            raise ValueError("fill is no rank")
        return self

    def values(self, cells: Cells, table: Decimal, tally: Tally) -> Values:
        """See ``Column``."""
        rank = {text.lower(): i for i, text in enumerate(self.categories)}
        ranks = {text: rank.get(text.lower()) for text in cells.distinct}
        new = {text for text, place in ranks.items() if place is None}
        tally.note(self.name, cells.missing)
        tally.note_unseen(self.name, Counter(text for text in cells.as_texts if text in new) if new else Counter())
        found = (ranks.get(text) for text in cells.as_texts)
        return np.fromiter((self.fill if v is None else v for v in found), np.float64, len(cells))[:, None]

    def words(self) -> str:
        """See ``Column``."""
        filled = f", missing ones a bit of their own and {self.categories[self.fill]}" if self.missing else ""
        return f"{len(self.categories)} ranks from {self.categories[0]} to {self.categories[-1]}{filled}"


class DateColumn(Column):
    """A date: the numbers among ``PARTS`` that vary; of a missing one they are those of ``fill``."""

    kind: Literal["date"] = "date"
    order: Order
    parts: Annotated[list[Part], Field(min_length=1, max_length=5)]
    fill: Annotated[list[Annotated[int, Field(ge=0, le=9999)]], Field(min_length=1, max_length=5)]
    low: list[int]
    high: list[int]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not len(self.parts) == len(self.fill) == len(self.low) == len(self.high):
            raise ValueError("parts, fill, low and high have other lengths")
        return self

    @property
    def own_names(self) -> list[str]:
        """See ``Column``."""
        return [f"{self.name}_{part}" for part in self.parts]

    def values(self, cells: Cells, table: Decimal, tally: Tally) -> Values:
        """See ``Column``."""
        parts = np.array([PARTS.index(part) for part in self.parts])
        known = {text: parts_of(text, self.order) for text in cells.distinct}
        wrong = {text for text, date in known.items() if date is None}
        if wrong:
            first = {"year": "2024-12-31", "day": "31.12.2024", "month": "12/31/2024"}[self.order]
            raise cells.error(wrong, "has no date", f"write it as {first}, or leave it empty")
        numbers = {text: [cast(tuple[int | None, ...], date)[i] or 0 for i in parts] for text, date in known.items()}
        rows = [numbers.get(text, self.fill) for text in cells.as_texts]
        values = np.array(rows, dtype=np.float64).reshape(len(rows), len(parts))
        outside = (values < np.array(self.low)) | (values > np.array(self.high))
        tally.note(self.name, cells.missing, np.asarray(outside.any(axis=1)))
        return values

    def words(self) -> str:
        """See ``Column``."""
        shown = dict(zip(self.parts, self.fill))
        filled = ", ".join(f"{part} {value}" for part, value in shown.items())
        more = f", missing ones a bit of their own and {filled}" if self.missing else ""
        return f"date, {self.order} first: {', '.join(self.parts)}{more}"


class LeftOutColumn(Column):
    """A column that is no feature; ``why`` says why."""

    kind: Literal["left out"] = "left out"
    why: str

    @property
    def own_names(self) -> list[str]:
        """See ``Column``."""
        return []

    def values(self, cells: Cells, table: Decimal, tally: Tally) -> Values:
        """See ``Column``."""
        return np.zeros((len(cells), 0))

    def words(self) -> str:
        """See ``Column``."""
        return self.why


AnyColumn = Annotated[
    NumberColumn | CategoryColumn | BooleanColumn | OrdinalColumn | DateColumn | LeftOutColumn,
    Field(discriminator="kind")]

#: Texts for yes and no, in lower case.
BOOLEANS = (("yes", "no"), ("true", "false"), ("y", "n"), ("t", "f"), ("on", "off"))
BOOLEAN_OF = {yes: (yes, no) for yes, no in BOOLEANS}
#: Scales, in lower case, from low to high.
SCALES = (
    ("very low", "low", "medium", "high", "very high"), ("low", "moderate", "high", "very high"),
    ("very low", "low", "average", "high", "very high"), ("low", "mid", "high"),
    ("xxs", "xs", "s", "m", "l", "xl", "xxl", "xxxl"), ("tiny", "small", "medium", "large", "huge"),
    ("never", "rarely", "sometimes", "often", "always"), ("never", "seldom", "sometimes", "often", "usually", "always"),
    ("very poor", "poor", "fair", "good", "very good", "excellent"), ("bad", "average", "good", "excellent"),
    ("strongly disagree", "disagree", "neutral", "agree", "strongly agree"), ("none", "mild", "moderate", "severe"),
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
     "december"),
    ("mon", "tue", "wed", "thu", "fri", "sat", "sun"),
    ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
)

_BETWEEN = re.compile(r"(\d+(?:\.\d+)?)\s*(?:-|–|to|\.\.)\s*(\d+(?:\.\d+)?)", re.ASCII)
_BELOW = re.compile(r"(?:<|<=|≤|under |below )\s*(\d+(?:\.\d+)?)", re.ASCII)
_ABOVE = re.compile(r"(?:(?:>|>=|≥|over |above )\s*(\d+(?:\.\d+)?)|(\d+(?:\.\d+)?)\s*\+)", re.ASCII)


def scale_of(texts: list[str]) -> list[str] | None:
    """Return texts in order where they are of one scale: a known one, or ranges of numbers such as 20-29 and 30+."""
    if len(texts) < 2:
        return None
    lower = {text.lower(): text for text in texts}
    if len(lower) == len(texts):
        for scale in SCALES:
            if lower.keys() <= set(scale):
                return [lower[text] for text in scale if text in lower]
    bounds = [_lower_bound(text) for text in texts]
    ranges = any(_BETWEEN.fullmatch(text) for text in texts)
    known = [bound for bound in bounds if bound is not None]
    if not ranges or len(known) < len(texts) or len(set(known)) < len(texts):
        return None
    return [text for _, text in sorted(zip(known, texts))]


def _lower_bound(text: str) -> tuple[float, int] | None:
    if match := _BETWEEN.fullmatch(text):
        return float(match[1]), 1
    if _BELOW.fullmatch(text.lower()):
        return float("-inf"), 0
    if match := _ABOVE.fullmatch(text.lower()):
        return float(match[1] or match[2]), 2
    return None


def booleans_of(texts: list[str]) -> tuple[str, str] | None:
    """Return the words for yes and no, in lower case, where the texts are these two."""
    lower = {text.lower() for text in texts}
    return next(((yes, no) for yes, no in BOOLEANS if lower == {yes, no}), None)


def shown(texts: Any, most: int = 5) -> str:
    """Word some texts, quoted, with commas between; of many the first ones."""
    listed = list(texts)
    return ", ".join(repr(str(t)[:60]) for t in listed[:most]) + (f" and {len(listed) - most} more"
                                                                 if len(listed) > most else "")
