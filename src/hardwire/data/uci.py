"""Published tables: those of the UCI repository and of the collection PMLB, which keeps many of them in one form."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import FormatError
from .columns import Columns
from .fetch import Open, Source
from .kinds import AnyColumn, CategoryColumn, LeftOutColumn, NumberColumn
from .samples import Samples, Shape, identifiers, index_labels, pixel_names


@dataclass(frozen=True)
class Table:
    """How a published table is read.

    Attributes
    ----------
    train, test : str
        Names of its files; no test file: the source fixes no test split.
    columns : tuple of str
        Their names; none: the first line names them.
    label : str
        The label's column.
    categories : tuple of str, or "all"
        Columns of names, also where these look like numbers: a 0/1 feature ``column_text`` for each one in the
        training file.
    omit : tuple of str
        Columns left out.
    separator : str, optional
        Between cells; None: blanks.
    shape : (channels, height, width), optional
        Where the columns are pixels 0 to 255, which become uint8.
    size : (samples, columns), optional
        Of the training file, as its publisher states them.
    """

    train: str
    test: str = ""
    columns: tuple[str, ...] = ()
    label: str = "target"
    categories: tuple[str, ...] | str = ()
    omit: tuple[str, ...] = ()
    separator: str | None = ","
    shape: Shape | None = None
    size: tuple[int, int] | None = None


def table_reader(table: Table) -> Callable[[Source, Open], Samples]:
    """Make a reader of the table's files. A sample that has an unknown value, ``?``, is left out."""

    def read(source: Source, open_file: Open) -> Samples:
        files = [file for file in (table.train, table.test) if file]
        parts = [_columns(table, open_file(file), file) for file in files]
        labels = [_labels(part[table.label]) for part in parts]
        y, classes = index_labels(np.concatenate(labels), table.train)
        names, encoded = _features(table, parts, files)
        splits = list(zip(encoded, (y[: len(labels[0])], y[len(labels[0]) :])))
        return Samples(*splits[0], classes, names, table.shape, source.title, splits[1] if table.test else None,
                       _kinds(table, parts[0]))

    return read


def _columns(table: Table, content: bytes, file: str) -> dict[str, list[str]]:
    """The cells of each column, of the samples without unknown values."""
    try:
        lines = content.decode("ascii").splitlines()
    except UnicodeDecodeError:
        raise FormatError(f"{file} is no table of text; fetch the published file anew") from None
    rows = [(i, [cell.strip() for cell in line.split(table.separator)]) for i, line in enumerate(lines, 1)
            if line.strip() and not line.startswith("|")]
    names = table.columns or (rows.pop(0)[1] if rows else ())
    odd = next(((i, len(row)) for i, row in rows if len(row) != len(names)), None)
    if not rows or odd or table.label not in names:
        what = f"it has no samples with a {table.label!r}"
        what = f"line {odd[0]} has {odd[1]} columns, not {len(names)}" if odd else what
        raise FormatError(f"{file} is not the published table: {what}; fetch it anew")
    if table.size and file == table.train and (len(rows), len(names)) != table.size:
        raise FormatError(f"{file} has {len(rows)} samples of {len(names)} columns, not the published "
                          f"{table.size[0]} of {table.size[1]}; fetch it anew")
    known = [row for _, row in rows if "?" not in row]
    if not known:
        raise FormatError(f"{file} has samples with unknown values only; fetch the published file anew")
    return dict(zip(names, map(list, zip(*known))))


def _labels(cells: list[str]) -> NDArray[Any]:
    """Integers where all are, else texts; UCI ends those of Adult's test file with a full stop."""
    cells = [cell.rstrip(".") for cell in cells]
    whole = all(re.fullmatch("-?[0-9]{1,18}", cell) for cell in cells)
    return np.array(cells, dtype=np.int64 if whole else np.str_)


def _features(
    table: Table, parts: list[dict[str, list[str]]], files: list[str],
) -> tuple[tuple[str, ...], list[NDArray[Any]]]:
    """Names of the features, and their values (samples, features) of each file."""
    named: list[str] = []
    columns: list[list[NDArray[Any]]] = [[] for _ in parts]
    for name in parts[0]:
        if name == table.label or name in table.omit:
            continue
        if table.categories == "all" or name in table.categories:
            texts = _categories(parts[0][name])
            named += [f"{name}_{text}" for text in texts]
            for values, part in zip(columns, parts):
                values += list(np.array(part[name])[None, :] == np.array(texts)[:, None])
        else:
            named.append(name)
            for values, part, file in zip(columns, parts, files):
                values.append(_numbers(part[name], name, file))
    dtype = np.uint8 if table.shape else _dtype(columns)
    names = pixel_names(table.shape) if table.shape else identifiers(named)
    return names, [np.stack(values, axis=1).astype(dtype) for values in columns]


def _kinds(table: Table, part: dict[str, list[str]]) -> Columns:
    """What the columns become, so that other tables of the same columns can be read alike."""
    columns: list[AnyColumn] = []
    for name, cells in part.items():
        if name in table.omit:
            columns.append(LeftOutColumn(name=name, why="it is left out of this set"))
        elif table.categories == "all" or name in table.categories:
            columns.append(CategoryColumn(name=name, categories=_categories(cells)))
        elif name != table.label:
            values = np.array(cells, dtype=np.float64)
            columns.append(NumberColumn(name=name, fill=float(np.quantile(values, 0.5, method="lower")),
                                        low=float(values.min()), high=float(values.max())))
    return Columns(columns=columns, labels=[table.label])


def _categories(cells: list[str]) -> list[str]:
    """The different texts, numbers by value."""
    return sorted(set(cells), key=lambda t: (len(t) < 19 and t.isdigit() and int(t), t))


def _numbers(cells: list[str], name: str, file: str) -> NDArray[np.float64]:
    try:
        values = np.array(cells, dtype=np.float64)
    except ValueError:
        values = np.array([np.nan])
    if not np.isfinite(values).all():
        raise FormatError(f"{file} has a cell that is no number in column {name!r}; fetch the published file anew")
    return values


def _dtype(columns: list[list[NDArray[Any]]]) -> type[np.int64] | type[np.float64]:
    """int64 where every value is whole, as 7.0 is, else float64."""
    whole = all((v == np.floor(v)).all() for values in columns for v in values if v.dtype != bool)
    return np.int64 if whole else np.float64
