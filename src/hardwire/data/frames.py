"""Typed tables: Parquet files, read by PyArrow, and frames of pandas, to columns of cells."""

import os
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import numpy as np

from ..core.errors import FormatError, InputError, MissingToolError
from .cells import Cells, number_text

#: A Parquet file may hold so many cells, or so many for each of its bytes.
MOST_CELLS, CELLS_A_BYTE = 1 << 26, 256
#: Rows of a block.
BLOCK = 50_000


def read_parquet(path: str | os.PathLike[str]) -> list[Cells]:
    """Return the columns of a Parquet file.

    Raises
    ------
    MissingToolError
        PyArrow is not installed.
    InputError
        The file cannot be read, or a column is of a type that is neither number, text nor date.
    FormatError
        It is no Parquet file, or damaged.
    """
    blocks = list(parquet_blocks(path, 1 << 30))
    return blocks[0] if blocks else []


def parquet_blocks(path: str | os.PathLike[str], rows: int = BLOCK) -> Iterator[list[Cells]]:
    """Yield the columns of a Parquet file in blocks of so many rows, or one block without rows."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise MissingToolError(f"{path} is read by PyArrow, which is not installed: install pyarrow, or save the table "
                               "as .csv") from None
    try:
        with open(path, "rb") as source:
            file = parquet.ParquetFile(source)
            told = file.metadata.num_rows * file.metadata.num_columns
            if told > max(MOST_CELLS, CELLS_A_BYTE * os.path.getsize(path)):
                raise FormatError(f"{path} tells of {told:,} cells, far more than its length; write it anew")
            start = 0
            if rows >= 1 << 30 or not file.metadata.num_rows:
                yield _cells_of_arrow(file.read(), path, 0)
                return
            for batch in file.iter_batches(rows):
                yield _cells_of_arrow(batch, path, start)
                start += batch.num_rows
    except OSError as error:
        if error.strerror is None:  # PyArrow's own
            raise FormatError(f"{path} is no Parquet file, or damaged ({_short(error)}); write it anew") from None
        raise InputError(f"cannot read {path}: {error.strerror}; check the path") from None
    except (pyarrow.ArrowException, ValueError, TypeError, KeyError, OverflowError) as error:
        raise FormatError(f"{path} is no Parquet file, or damaged ({_short(error)}); write it anew") from None


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _cells_of_arrow(table: Any, path: str | os.PathLike[str], start: int) -> list[Cells]:
    """The columns of a table or batch of PyArrow whose first row is row ``start`` of the file."""
    from pyarrow import types

    def place(sample: int) -> str:
        return f"{path} row {start + sample + 1}"

    columns = []
    for name, column in zip(table.schema.names, table.columns):
        kind = column.type
        if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
            values = np.array([np.nan if v is None else float(v) for v in column.to_pylist()]) if (
                types.is_decimal(kind) or column.null_count) else column.to_numpy()
            columns.append(Cells(name, None, np.asarray(values, dtype=np.float64), place=place))
        elif types.is_dictionary(kind) and types.is_string(kind.value_type) and kind.ordered:
            order = tuple(map(str, (column.chunk(0) if hasattr(column, "chunk") else column).dictionary.to_pylist()))
            columns.append(Cells(name, texts_of(column.to_pylist()), order=order, place=place))
        elif (types.is_boolean(kind) or types.is_string(kind) or types.is_large_string(kind) or types.is_null(kind)
              or types.is_temporal(kind) or types.is_dictionary(kind)):
            columns.append(Cells(name, texts_of(column.to_pylist()), place=place))
        else:
            raise InputError(f"{path}: column {name!r} has type {kind}; give numbers, texts or dates, or leave it out")
    return columns


def cells_of_frame(frame: Any) -> list[Cells]:
    """Return the columns of a pandas DataFrame, whose index is left out.

    Raises
    ------
    InputError
        It is none, or a column's type is neither number, text nor date.
    """
    if not hasattr(frame, "columns") or not hasattr(frame, "iloc"):
        raise InputError(f"a {type(frame).__name__} is no DataFrame; give one of pandas")
    return [_cells_of_series(str(name), frame.iloc[:, i]) for i, name in enumerate(frame.columns)]


def _cells_of_series(name: str, series: Any) -> Cells:
    kind = series.dtype
    if getattr(kind, "kind", "O") in "iuf":
        return Cells(name, None, series.to_numpy(dtype=np.float64, na_value=np.nan), place="row {}".format)
    categories = getattr(kind, "categories", None)
    if categories is not None:
        order = tuple(texts_of(categories.tolist())) if kind.ordered else ()
        return Cells(name, texts_of(series.tolist()), order=order, place="row {}".format)
    if getattr(kind, "kind", "O") in "mc":
        raise InputError(f"column {name!r} has type {kind}; give numbers, texts or dates, or leave it out")
    return Cells(name, texts_of(series.tolist()), place="row {}".format)


def texts_of(values: list[Any]) -> list[str]:
    """Return values of any type as the cells of a table would have them; what is no value becomes empty."""
    return [_text(value) for value in values]


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    if value is None or str(value) in ("<NA>", "NaT", "nan"):
        return ""
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, int | float | np.integer | np.floating):
        return number_text(float(value))
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S") if value.time() != datetime.min.time() else value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return str(value).strip()


