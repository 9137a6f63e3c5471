"""A user's own tables: text (.csv, .tsv), Parquet and frames, to samples by the columns that are fitted to them."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import InputError
from .archives import read_npz
from .cells import Cells, Decimal, file_decimal
from .columns import Columns, check_size, fit_columns
from .delimited import has_header, read_rows
from .frames import cells_of_frame, read_parquet
from .labels import Label, is_named, label_columns, outputs_of
from .samples import Samples, Task

__all__ = ["Label", "Raw", "read_frame", "read_npz", "read_raw", "read_table", "samples_of"]

#: Targets or classes (samples,) to the rows of the training split.
TrainingRows = Callable[[NDArray[Any]], NDArray[np.int64]]


@dataclass(frozen=True)
class Raw:
    """A table before anything is fitted.

    Attributes
    ----------
    what : str
        Names it in errors.
    cells : list of Cells
        Its columns.
    header : bool
        Whether it names its columns.
    size : int
        Bytes of its file.
    source : str
        Where it comes from, one line.
    """

    what: str
    cells: list[Cells]
    header: bool
    size: int
    source: str

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        return [column.name for column in self.cells]


def read_table(
    path: str | os.PathLike[str], *, label: Label = None, task: Task = "classify", columns: Columns | None = None,
    training: TrainingRows | None = None, plain: bool = False,
) -> Samples:
    """Read a table of text or Parquet, one sample a line, with or without a header.

    The separator is the one of comma, semicolon, tab and | that splits the first lines evenly. What becomes of a
    column is told in ``data.columns``.

    Parameters
    ----------
    path : path
        A .csv or .tsv file of UTF-8, or a .parquet file.
    label : str, int or list, optional
        The label column by name or number (from 0; negative from the end), by default the last one. For ``regress``
        and ``multilabel`` it may be a list, or names and numbers with commas between them.
    task : str
        ``classify``: the label column holds integers or texts; ``regress``: numbers; ``multilabel``: 0 and 1.
    columns : Columns, optional
        What the columns became in training, in place of fitting them; a table without these columns is read anew.
    training : callable, optional
        Tells the training samples, on which columns are fitted; by default all.
    plain : bool
        See ``fit_columns``.

    Raises
    ------
    InputError
        Where a cell is infinite or a text among numbers, with its line and column; where the table has no such
        column, or no two.
    FormatError
        Where the file is no text.
    """
    return samples_of(read_raw(Path(path), label), label=label, task=task, columns=columns, training=training,
                      plain=plain)


def read_frame(frame: Any, *, label: Label = None, task: Task = "classify",
               training: TrainingRows | None = None) -> Samples:
    """Read a pandas DataFrame; arguments and errors are those of ``read_table``."""
    raw = Raw("the frame", cells_of_frame(frame), True, 0, "a frame")
    return samples_of(raw, label=label, task=task, training=training)


def read_raw(path: Path, label: Label = None) -> Raw:
    """Read the cells of a table of text or Parquet."""
    if path.suffix.lower() == ".parquet":
        return Raw(str(path), read_parquet(path), True, _size(path), f"table {path.name}")
    rows = read_rows(path)
    if len(rows.rows) < 2:
        raise InputError(f"{path} has a single line; give a line for each sample")
    first, names = rows.rows[0], [f"x{i}" for i in range(len(rows.rows[0]))]
    body = type(rows)(path, rows.rows[1:], rows.lines[1:])
    header = has_header(first, body.columns(names), is_named(label, first))
    cells = body.columns(first) if header else rows.columns(names)
    return Raw(str(path), cells, header, _size(path), f"table {path.name}")


def samples_of(
    raw: Raw, *, label: Label, task: Task, columns: Columns | None = None, training: TrainingRows | None = None,
    plain: bool = False,
) -> Samples:
    """Turn a table into samples; arguments and errors are those of ``read_table``."""
    chosen = label_columns(raw.what, raw.names, label, task)
    given = [column for i, column in enumerate(raw.cells) if i not in chosen]
    if not given:
        what = "a label column" if len(chosen) == 1 else "label columns"
        raise InputError(f"{raw.what} has {what} only; add at least one column of features")
    if not len(raw.cells[0]):
        raise InputError(f"{raw.what} has no samples; give a line for each")
    labels = [raw.cells[i] for i in chosen]
    table: Decimal = "." if plain else file_decimal(raw.cells)
    y, classes = outputs_of(labels, task, table)
    if columns is not None:
        try:
            places, _ = columns.places_of(raw.names if raw.header else None, len(raw.cells), raw.what)
            x = columns.encode([raw.cells[place] for place in places], table=table)
        except InputError:  # the table is another one; that of training is told by its fingerprint
            columns = None
    if columns is None:
        places = [] if raw.header else [*(i for i in range(len(raw.cells)) if i not in chosen), *chosen]
        columns = fit_columns(given, None if training is None else training(y), header=raw.header, places=places,
                              labels=[column.name for column in labels], plain=plain)
        used = [cells for cells, column in zip(given, columns.columns) if column.kind != "left out"]
        check_size(raw.what, columns, len(y), raw.size)
        x = columns.encode(used, table=table)
    if not x.size:  # every column is left out
        why = "; ".join(f"{column.name!r}: {column.words()}" for column in columns.columns[:3])
        raise InputError(f"{raw.what} has no column that says something of its samples ({why}); add one")
    whole = np.all(x == np.floor(x)) and np.abs(x).max() < 2**53
    return Samples(x.astype(np.int64) if whole else x, y, classes, columns.features, None, raw.source, columns=columns)


def _size(path: Path) -> int:
    return path.stat().st_size
