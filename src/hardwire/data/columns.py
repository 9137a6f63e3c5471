"""How the cells of a table become features: fitted on the training split, kept with the run, used to predict.

Rules, in this order, for a column that is no label:

- without values: left out;
- numbers: a number. Whole numbers that all differ, in a column named like an id (``id``, ``CustomerID``, ``index``,
  ``row_number``), are left out;
- yes and no, true and false: one bit;
- texts of a known scale (low, medium, high; months; 20-29, 30-39, 40+), or an ordered type: a rank;
- dates: year, month, day, weekday and hour, those that vary;
- texts that all differ, or more than ``MOST_CATEGORIES`` of which most differ: left out;
- other texts: a bit for each of up to ``MOST_CATEGORIES``; of more, for the ``MOST_CATEGORIES - 1`` most frequent of
  training, and one for all others.

A column that lacks values in training has a bit for these. What is told by the form of cells is told by all of the
file; categories, fill values and ranges are those of the training split alone.
"""

import difflib
import json
import os
import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..core.errors import FormatError, InputError
from ..core.files import read_text, write_text
from ..core.names import is_text
from ..core.reading import parse_json
from .cells import Cells, Decimal, decimal_of, file_decimal, number
from .dates import PARTS, order_of, parts_of
from .kinds import (
    AnyColumn,
    BooleanColumn,
    CategoryColumn,
    DateColumn,
    LeftOutColumn,
    NumberColumn,
    OrdinalColumn,
    Tally,
    booleans_of,
    scale_of,
    shown,
)
from .names import identifiers

#: Name of the file in a run directory.
COLUMNS = "columns.json"
#: Features of a column of texts at most, but for that of missing values; of tables read by the rules of before.
MOST_CATEGORIES, MOST_PLAIN = 64, 256
#: So many different cells, most of them numbers, make a column of numbers: what is none is then a mistake.
FEW_VALUES = 10
#: Values that tell an id: fewer may differ by chance.
MANY_NUMBERS, MANY_TEXTS = 10, 20
#: A table may become so many values, or so many for each byte of its file.
MOST_VALUES, VALUES_A_BYTE = 1 << 24, 32

_ID = re.compile(r"(?:.*[\W_\d])?(?:id|ids|idx|index|key|uuid|guid|rowid|row|nr|num|no|number|serial|pk)(?:[\W_\d].*)?|"
                 r"unnamed: 0|", re.IGNORECASE)
_CAMEL_ID = re.compile(r".*[a-z](?:Id|ID|Index|Key|No|Nr|Number)")


class ImageRule(BaseModel):
    """How pictures become samples: their size and channels, and whether pictures of other sizes are resized."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    height: Annotated[int, Field(ge=1, le=4096)]
    width: Annotated[int, Field(ge=1, le=4096)]
    channels: Literal[1, 3]
    resized: bool = False


class Columns(BaseModel):
    """What the columns of a table become, in the table's order; or the rule of a folder of pictures.

    Attributes
    ----------
    header
        Whether the first line of the table named its columns; else they are x0, x1, ... by place.
    labels
        Names of the label columns, in the order of the outputs.
    places
        Of a table without header: the place of each column, and then of each label.
    columns
        One for each column that is no label.
    images
        The rule of pictures; then there are no columns.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)

    format: Literal["hardwire columns"] = "hardwire columns"
    version: Literal[1] = 1
    header: bool = True
    labels: list[str] = []
    places: list[Annotated[int, Field(ge=0)]] = []
    columns: list[AnyColumn] = []
    images: ImageRule | None = None

    @property
    def used(self) -> list[AnyColumn]:
        """The columns that become features."""
        return [column for column in self.columns if not isinstance(column, LeftOutColumn)]

    @property
    def features(self) -> tuple[str, ...]:
        """Unique names of the features, in order."""
        return identifiers(name for column in self.columns for name in column.names)

    def encode(self, cells: Sequence[Cells], tally: Tally | None = None, *,
               table: Decimal = ".") -> NDArray[np.float64]:
        """Return the features (samples, features) of cells that are given in the order of ``used``.

        Parameters
        ----------
        cells
            One for each used column.
        tally
            Takes what training did not have.
        table
            The mark of decimals of the whole table.

        Raises
        ------
        InputError
            A cell is no number or date where training had these.
        """
        tally = Tally() if tally is None else tally
        parts = [column.encode(given, table, tally) for column, given in zip(self.used, cells, strict=True)]
        return np.concatenate(parts, axis=1) if parts else np.zeros((0, 0))

    def notes(self) -> list[str]:
        """Say what was read, in a few lines."""
        if self.images:
            rule = self.images
            colour = "colour" if rule.channels == 3 else "grey"
            how = "resized to" if rule.resized else "of"
            return [f"pictures {how} {rule.width} x {rule.height} pixels, {colour}"]
        kinds = Counter(column.kind for column in self.used)
        what = ", ".join(f"{count} {PLURALS[kind] if count > 1 else kind}" for kind, count in kinds.items())
        lines = [f"columns: {len(self.used)} of {len(self.columns)} are used ({what}): {len(self.features)} features"]
        for column in self.columns:
            if isinstance(column, LeftOutColumn):
                lines.append(f"left out: {column.name!r}, {column.why}")
            elif column.missing or column.kind not in ("number", "boolean"):
                lines.append(f"{column.name!r}: {column.words()}")
        return lines if len(lines) <= MOST_LINES else [*lines[: MOST_LINES - 1],
                                                       f"and {len(lines) - MOST_LINES + 1} more, see {COLUMNS}"]

    def places_of(self, names: Sequence[str] | None, width: int, what: str) -> tuple[list[int], list[int]]:
        """Find the used columns and the labels in another table.

        Parameters
        ----------
        names
            Of the table's columns; None where it has none.
        width
            How many columns it has.
        what
            The table in errors.

        Returns
        -------
        tuple
            The place of each used column, and of each label; no labels where one is absent.

        Raises
        ------
        InputError
            A column is absent, or stands there twice.
        """
        if names is None:
            return self._numbered(width, what)
        wanted = [column.name for column in self.used]
        known = {*wanted, *self.labels, *(column.name for column in self.columns)}
        spare = [name for name in names if name not in known]
        if lacking := [name for name in wanted if name not in names]:
            if len(lacking) == len(wanted):
                raise InputError(f"{what} has none of the columns that the network reads; give a first line with "
                                 f"{shown(wanted)}")
            near = [(name, *difflib.get_close_matches(name.lower(), [s.lower() for s in spare], 1, 0.7))
                    for name in lacking]
            hints = [f"{next(s for s in spare if s.lower() == pair[1])!r} is near {pair[0]!r}"
                     for pair in near if len(pair) > 1]
            remedy = f"{'; '.join(hints[:3])}: rename it" if hints else "add it, empty cells where it is not known"
            raise InputError(f"{what} lacks the column{'s' * (len(lacking) > 1)} {shown(lacking)}; {remedy}")
        twice = next((name for name in wanted if names.count(name) != wanted.count(name)), None)
        if twice is not None:
            raise InputError(f"{what} has {names.count(twice)} columns named {twice!r}, training had "
                             f"{wanted.count(twice)}; rename or remove one")
        return _nth_places(wanted, names), _nth_places(self.labels, names) if set(self.labels) <= set(names) else []

    def extras(self, names: Sequence[str]) -> list[str]:
        """Return the columns of another table that training had not."""
        known = {*self.labels, *(column.name for column in self.columns)}
        return [name for name in names if name not in known]

    def _numbered(self, width: int, what: str) -> tuple[list[int], list[int]]:
        """Places in a table without header: all columns, or those that are no labels."""
        labels, places = self.places[len(self.columns) :], self.places[: len(self.columns)]
        used = [place for place, column in zip(places, self.columns) if not isinstance(column, LeftOutColumn)]
        if width == len(self.places):
            return used, labels
        if width != len(places):
            raise InputError(f"{what} has {width} columns where training had {len(places)} and {len(labels)} of "
                             "labels; give the same, with or without the labels")
        rank = {place: i for i, place in enumerate(sorted(places))}
        return [rank[place] for place in used], []


#: Lines that ``notes`` gives at most.
MOST_LINES = 12
PLURALS = {"number": "numbers", "category": "of categories", "boolean": "booleans", "ordinal": "ordinals",
           "date": "dates"}


def _nth_places(wanted: Sequence[str], names: Sequence[str]) -> list[int]:
    """The place of each wanted name; of equal ones the first, the second, ..."""
    places: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        places.setdefault(name, []).append(place)
    return [places[name].pop(0) if len(places[name]) > 1 else places[name][0] for name in wanted]


def save_columns(path: str | os.PathLike[str], columns: Columns) -> None:
    """Write columns as JSON, aside and renamed."""
    write_text(path, columns_text(columns))


def columns_text(columns: Columns) -> str:
    """Return columns as JSON."""
    return json.dumps(columns.model_dump(), indent=1) + "\n"


def kept_texts(columns: Columns | None) -> dict[str, str]:
    """Return what a run keeps of its columns: name of file and text; nothing where there are none."""
    return {} if columns is None else {COLUMNS: columns_text(columns)}


def load_columns(path: str | os.PathLike[str]) -> Columns:
    """Read what ``save_columns`` wrote.

    Raises
    ------
    InputError
        The file cannot be read.
    FormatError
        It is none of columns, or is damaged.
    """
    remedy = "restore it, or train the network anew"
    try:
        return Columns.model_validate(parse_json(read_text(path)))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))[:100]
        raise FormatError(f"{path} lacks or garbles {place or 'its values'} ({first['msg'][:100]}); "
                          f"{remedy}") from None
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path} holds no columns ({error}); {remedy}") from None


def fit_columns(cells: Sequence[Cells], rows: NDArray[np.int64] | None = None, *, labels: Sequence[str] = (),
                header: bool = True, places: Sequence[int] = (), plain: bool = False) -> Columns:
    """Fit columns to a table.

    Parameters
    ----------
    cells
        Those of each column that is no label.
    rows
        The training samples; by default all.
    labels, header, places
        See ``Columns``.
    plain
        Numbers, and a bit for each text of all samples: the rules of before there were kinds, by which earlier runs
        are read.

    Raises
    ------
    InputError
        A column cannot be read, or none is left.
    """
    table: Decimal = "." if plain else file_decimal(cells)
    fitted: list[AnyColumn] = []
    for column in cells:
        rows_of = np.arange(len(column)) if rows is None else rows
        if not is_text(column.name):
            raise InputError(f"column {column.name!r} has half of a surrogate pair in its name; rename it")
        fitted.append(_plain(column) if plain else _fit(column, rows_of, table))
    return Columns(columns=fitted, labels=list(labels), header=header, places=list(places))


def _plain(cells: Cells) -> AnyColumn:
    gone = {cell for cell in set(cells.as_texts) if cell not in set(cells.distinct)}
    if gone:
        raise cells.error(gone, "has no value", "fill it or remove the line")
    numbers = cells.numbers(".")
    texts = [text for text, value in numbers.items() if value is None]
    if not texts:
        cells.finite(cells.as_numbers(numbers))
        return NumberColumn(name=cells.name)
    _check_numbers(cells, texts)
    if len(cells.distinct) > MOST_PLAIN:
        raise cells.error(texts, f"is one of {len(cells.distinct)} different texts, more than {MOST_PLAIN}",
                          "remove the column or give numbers")
    return CategoryColumn(name=cells.name, categories=cells.distinct)


def _fit(cells: Cells, rows: NDArray[np.int64], table: Decimal) -> AnyColumn:
    name, missing = cells.name, bool(cells.missing[rows].any())
    if cells.missing[rows].all():
        return LeftOutColumn(name=name, why="it has no values" if cells.missing.all() else
                             "it has no values in the training samples")
    if cells.values is not None:
        return _fit_numbers(cells, cells.finite(cells.values), rows, ".")
    mark = decimal_of(cells, table)
    numbers = cells.numbers(mark)
    texts = [text for text, value in numbers.items() if value is None]
    if not texts:
        return _fit_numbers(cells, cells.finite(cells.as_numbers(numbers)), rows, "," if mark == "," else ".")
    if not all(map(is_text, texts)):
        raise InputError(f"column {name!r} has a text with half of a surrogate pair; remove it")
    known = Counter(cells.as_texts[i] for i in rows.tolist())
    for text in [text for text in known if text not in numbers]:
        del known[text]
    if pair := booleans_of(cells.distinct):
        yes = sum(count for text, count in known.items() if text.lower() == pair[0])
        return BooleanColumn(name=name, missing=missing, yes=pair[0], no=pair[1], fill=int(2 * yes > known.total()))
    if scale := list(cells.order) or scale_of(cells.distinct):
        ranks = sorted(i for i, text in enumerate(scale) for _ in range(known[text]))
        return OrdinalColumn(name=name, missing=missing, categories=scale, fill=ranks[(len(ranks) - 1) // 2])
    if dates := _fit_dates(cells, rows, missing):
        return dates
    _check_numbers(cells, texts)
    if why := _like_an_id(cells):
        return LeftOutColumn(name=name, why=why)
    if len(known) <= MOST_CATEGORIES:
        return CategoryColumn(name=name, missing=missing, categories=sorted(known))
    frequent = sorted(known, key=lambda text: (-known[text], text))[: MOST_CATEGORIES - 1]
    return CategoryColumn(name=name, missing=missing, categories=sorted(frequent), other=True)


def _fit_numbers(cells: Cells, values: NDArray[np.float64], rows: NDArray[np.int64],
                 mark: Literal[".", ","]) -> AnyColumn:
    name, given = cells.name, values[~np.isnan(values)]
    named = bool(_ID.fullmatch(name.strip()) or _CAMEL_ID.fullmatch(name.strip()))
    whole = len(given) >= MANY_NUMBERS and bool((given == np.floor(given)).all())
    if named and whole and len(np.unique(given)) == len(given):
        why = "whole numbers that all differ under the name of an id; rename it to keep it"
        return LeftOutColumn(name=name, why=why)
    known = values[rows]
    missing, known = bool(np.isnan(known).any()), known[~np.isnan(known)]
    return NumberColumn(name=name, missing=missing, fill=float(np.quantile(known, 0.5, method="lower")),
                        low=float(known.min()), high=float(known.max()), decimal=mark)


def _fit_dates(cells: Cells, rows: NDArray[np.int64], missing: bool) -> DateColumn | None:
    """Return the column where its texts are dates; InputError where most are."""
    texts = cells.distinct
    forms = [text for text in texts if parts_of(text, "year") or parts_of(text, "day") or parts_of(text, "month")]
    ordered = order_of(forms) if 2 * len(forms) > len(texts) else None
    if ordered is None:
        return None
    order = ordered[0]
    others = {text for text in texts if parts_of(text, order) is None}
    if others and len(texts) <= FEW_VALUES:
        return None
    if others:
        raise cells.error(others, "has a text among dates", "give a date, or leave it empty")
    dates: dict[str, tuple[int | None, ...]] = {text: parts_of(text, order) or () for text in texts}
    with_hours = any(date[4] is not None for date in dates.values())
    given = rows[~cells.missing[rows]].tolist()
    known = np.array([[part or 0 for part in dates[cells.as_texts[i]][: 4 + with_hours]] for i in given], np.int64)
    vary = np.flatnonzero(known.min(axis=0) < known.max(axis=0))
    vary = vary if len(vary) else np.array([0])
    middle = np.quantile(known[:, vary], 0.5, axis=0, method="lower").astype(np.int64)
    return DateColumn(name=cells.name, missing=missing, order=order, parts=[PARTS[i] for i in vary.tolist()],
                      fill=middle.tolist(), low=known[:, vary].min(axis=0).tolist(),
                      high=known[:, vary].max(axis=0).tolist())


def _check_numbers(cells: Cells, texts: Collection[str]) -> None:
    """InputError where a few texts stand among many numbers."""
    if len(cells.distinct) > FEW_VALUES and 2 * len(texts) < len(cells.distinct):
        raise cells.error(set(texts), "has a text among numbers", "give a number, or leave it empty")


def _like_an_id(cells: Cells) -> str:
    """Say why a column of texts tells samples apart instead of describing them; empty where it does not."""
    given, different = int((~cells.missing).sum()), len(cells.distinct)
    if given >= MANY_TEXTS and different == given:
        return "its texts all differ, as those of an id"
    if different > MOST_CATEGORIES and 2 * different > given:
        return f"it has {different:,} different texts in {given:,} cells"
    return ""


def check_size(what: str, columns: Columns, samples: int, size: int) -> None:
    """InputError where a file of ``size`` bytes would become far more values than it has bytes."""
    features = sum(len(column.names) for column in columns.columns)
    if features * samples > max(MOST_VALUES, VALUES_A_BYTE * size):
        raise InputError(f"{what} would become {features:,} features of {samples:,} samples, one for each text of a "
                         f"column; leave columns of texts out, or number their texts")


def same_label(cell: Any) -> str:
    """Return a label as the name of its class: numbers without decimals, texts with single blanks."""
    value = number(str(cell))
    return str(int(value)) if value is not None and value.is_integer() else " ".join(str(cell).split())
