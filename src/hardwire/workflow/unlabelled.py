"""New samples for a trained network: a file, frame or array, read in blocks by the columns that the run keeps."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import InputError
from ..data.archives import features_of
from ..data.arrays import read_npy, read_npz
from ..data.cells import Cells, Decimal, file_decimal
from ..data.columns import Columns, ImageRule, same_label
from ..data.delimited import Rows, blocks_of
from ..data.folders import is_picture, pictures_in, read_pictures
from ..data.frames import cells_of_frame, parquet_blocks
from ..data.kinds import AnyColumn, BooleanColumn, DateColumn, NumberColumn, OrdinalColumn, Tally, shown
from ..data.samples import Shape

#: Values of a block.
BLOCK_VALUES, BLOCK_ROWS = 1 << 22, 50_000
TEXT, PARQUET = (".csv", ".tsv"), ".parquet"


@dataclass
class Block:
    """Some samples: features (samples, features); their labels, one list for each output, where they stand there."""

    x: NDArray[Any]
    labels: list[list[str]] = field(default_factory=list)
    files: list[str] = field(default_factory=list)


@dataclass
class Met:
    """What was met in reading: cells that training did not have, and columns that were ignored."""

    tally: Tally = field(default_factory=Tally)
    ignored: list[str] = field(default_factory=list)

    def lines(self, columns: Columns | None) -> list[str]:
        """Say it, a line for each column."""
        lines = [f"ignored, as training had no such columns: {shown(self.ignored)}"] if self.ignored else []
        known = {column.name: column for column in columns.used} if columns else {}
        for name, count in self.tally.missing.items():
            column = known[name]
            filled = f"count as {_filled(column)}, as training lacked none"
            lines.append(f"column {name!r}: {_cells(count)} without a value, which "
                         f"{'have a bit of their own' if column.missing else filled}")
        for name, texts in self.tally.unseen.items():
            said = ", ".join(f"{text[:60]!r} x {count:,}" for text, count in texts.most_common(3))
            more = f" and {len(texts) - 3} more" if len(texts) > 3 else ""
            lines.append(f"column {name!r}: {_cells(texts.total())} with texts that training did not have "
                         f"({said}{more}), which {_UNSEEN[known[name].kind]}")
        for name, count in self.tally.outside.items():
            column = known[name]
            ends = f" {column.low:g} to {column.high:g}" if column.kind == "number" else ""
            lines.append(f"column {name!r}: {_cells(count)} outside the trained range{ends}, which count as its ends")
        return lines


def _cells(count: int) -> str:
    return f"{count:,} cell{'s' * (count > 1)}"


def _filled(column: AnyColumn) -> str:
    """What a cell without a value counts as."""
    if isinstance(column, NumberColumn):
        return f"{column.fill:g}"
    if isinstance(column, OrdinalColumn):
        return column.categories[column.fill]
    if isinstance(column, DateColumn):
        return ", ".join(f"{part} {value}" for part, value in zip(column.parts, column.fill))
    return (column.yes if column.fill else column.no) if isinstance(column, BooleanColumn) else "none of the categories"


#: Kind of a column -> what an unseen text counts as.
_UNSEEN = {"category": "are none of the categories", "boolean": "count as the more frequent of the two",
           "ordinal": "count as the middle rank"}


def blocks(source: Any, columns: Columns, shape: Shape | None, features: int, met: Met) -> Iterator[Block]:
    """Yield new samples in blocks, at least one, in the features of training.

    Parameters
    ----------
    source
        A path: a table, .npy, .npz, a picture or a folder of pictures; or a DataFrame, or an array.
    columns
        Those of the run.
    shape, features
        Of a sample of training.
    met
        Takes what was met.

    Raises
    ------
    InputError
        The file lacks what the network reads.
    FormatError
        The file is damaged.
    """
    rows = max(1, min(BLOCK_ROWS, BLOCK_VALUES // max(1, features)))
    if isinstance(source, str | os.PathLike):
        yield from _file_blocks(Path(source), columns, shape, features, rows, met)
    elif hasattr(source, "iloc"):
        cells = cells_of_frame(source)
        yield from _table_blocks(iter([cells]), [c.name for c in cells], columns, "the frame", met)
    else:
        yield from _array_blocks("the array", np.asarray(source), None, shape, features, rows)


def _file_blocks(path: Path, columns: Columns, shape: Shape | None, features: int, rows: int,
                 met: Met) -> Iterator[Block]:
    suffix = path.suffix.lower()
    if not path.exists():
        raise InputError(f"{path} does not exist; check the path")
    if is_picture(path):
        yield from _picture_blocks(path, columns.images, shape, rows)
    elif columns.images is not None and suffix in (*TEXT, PARQUET):
        raise InputError(f"{path} is a table, but the network was trained on pictures; give a folder of these, or "
                         ".npz")
    elif suffix == PARQUET:
        parts = parquet_blocks(path, rows)
        first = next(parts)
        yield from _table_blocks(chain([first], parts), [c.name for c in first], columns, str(path), met)
    elif suffix in TEXT:
        yield from _text_blocks(path, columns, rows, met)
    elif suffix == ".npz":
        arrays = read_npz(path, ("x",), ("y",))
        yield from _array_blocks(str(path), arrays["x"], arrays.get("y"), shape, features, rows)
    elif suffix == ".npy":
        yield from _array_blocks(str(path), read_npy(path), None, shape, features, rows)
    else:
        raise InputError(f"{path} is neither .csv, .tsv, .parquet, .npz nor .npy, nor a folder of pictures; give one "
                         "of these")


def _text_blocks(path: Path, columns: Columns, rows: int, met: Met) -> Iterator[Block]:
    parts = blocks_of(path, rows)
    first = next(parts, Rows(path, [], []))
    names: list[str] | None = None
    width = len(first.rows[0]) if first.rows else 0
    if columns.header and first.rows:
        names, first = first.rows[0], Rows(path, first.rows[1:], first.lines[1:])
    if not first.rows:
        raise InputError(f"{path} has no samples; give a line for each" + " below the header" * columns.header)
    called = names if names is not None else [f"x{i}" for i in range(width)]
    cells = (block.columns(called) for block in chain([first], parts))
    yield from _table_blocks(cells, names, columns, str(path), met, width)


def _table_blocks(parts: Iterator[list[Cells]], names: list[str] | None, columns: Columns, what: str, met: Met,
                  width: int = 0) -> Iterator[Block]:
    used, labels = columns.places_of(names, width, what)
    met.ignored = columns.extras(names) if names is not None else []
    table: Decimal | None = None
    for cells in parts:
        chosen = [cells[place] for place in used]
        table = file_decimal(chosen) if table in (None, ".") else table
        x = columns.encode(chosen, met.tally, table=table)
        yield Block(x, [[same_label(cell) for cell in cells[place].as_texts] for place in labels])


def _array_blocks(what: str, x: NDArray[Any], y: NDArray[Any] | None, shape: Shape | None, features: int,
                  rows: int) -> Iterator[Block]:
    one = (x.ndim == 1 and len(x) == features) or (shape is not None and x.shape in (shape, shape[1:]))
    flat, given = features_of(what, "x", x[None] if one else x)
    if shape is not None and given is not None and given != shape:
        raise InputError(f"{what} has images of {_sizes(given)}, but the network was trained on {_sizes(shape)}; give "
                         "the same")
    if flat.shape[1] != features:
        raise InputError(f"{what} has {flat.shape[1]} features a sample where the network reads {features}; give the "
                         "same, in the order of training")
    if y is not None and (len(y) != len(flat) or y.ndim > 2):
        raise InputError(f"{what} has labels y of shape {y.shape} for {len(flat)} samples; give one for each, or none")
    labels = [] if y is None else [[same_label(v) for v in column] for column in np.reshape(y, (len(y), -1)).T.tolist()]
    for start in range(0, len(flat), rows):
        yield Block(flat[start : start + rows], [column[start : start + rows] for column in labels])


def _picture_blocks(path: Path, rule: ImageRule | None, shape: Shape | None, rows: int) -> Iterator[Block]:
    if rule is None and shape is not None and shape[0] in (1, 3):
        rule = ImageRule.model_validate({"channels": shape[0], "height": shape[1], "width": shape[2]})
    if rule is None:
        raise InputError(f"{path} holds pictures, but the network was trained on none; give a table or an array")
    files = pictures_in(path)
    if not files:
        raise InputError(f"folder {path} holds no pictures; give .png, .jpg or others")
    named = [str(file.relative_to(path)) if path.is_dir() else file.name for file in files]
    for start in range(0, len(files), rows):
        some = slice(start, start + rows)
        yield Block(read_pictures(files[some], rule), files=named[some])


def _sizes(shape: Shape) -> str:
    channels, height, width = shape
    return f"{height} x {width} pixels" + (f" of {channels} channels" if channels > 1 else "")

