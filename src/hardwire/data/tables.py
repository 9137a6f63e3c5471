"""A user's own files: tables of text (.csv, .tsv) and NumPy archives (.npz)."""

import csv
import io
import math
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import FormatError, InputError
from .arrays import read_npz as read_npz_arrays
from .samples import REGRESS, Samples, Shape, Task, identifiers, index_labels, pixel_names

#: Name or number of a label column, or of several ones.
Label = str | int | Sequence[str | int] | None

DELIMITERS = ",;\t"
MISSING = frozenset(("", "?", "na", "n/a", "nan", "null"))
MAX_CATEGORIES = 256
#: A table may become so many values, or so many for each byte of its file.
MOST_VALUES, VALUES_A_BYTE = 1 << 24, 32
#: So many different cells, most of them numbers, make a column of numbers: what is none is then a mistake.
FEW_VALUES = 10


def read_table(path: str | os.PathLike[str], *, label: Label = None, task: Task = "classify") -> Samples:
    """Read a table of text, one sample a line, with or without a header.

    The delimiter is the one of comma, semicolon and tab that splits the first lines evenly. A column of texts becomes
    one 0/1 column for each text, ``column_text``.

    Parameters
    ----------
    path : path
        A file of UTF-8.
    label : str, int or list, optional
        The label column by name or number (from 0; negative from the end), by default the last one. For ``regress``
        and ``multilabel`` it may be a list, or names and numbers with commas between them.
    task : str
        ``classify``: the label column holds integers or texts; ``regress``: numbers; ``multilabel``: 0 and 1.

    Raises
    ------
    InputError
        Where a cell is missing, infinite or a text among numbers, with its line and column; where the table has no
        such column, or no two.
    FormatError
        Where the file is no text.
    """
    path = Path(path)
    rows, lines = _rows(path)
    if len(rows) < 2:
        raise InputError(f"{path} has a single line; give a line for each sample")
    first, *body = rows
    values = [{cell: _number(cell) for cell in set(cells)} for cells in zip(*body)]
    header = _has_header(first, values, label)
    names = first if header else [f"x{i}" for i in range(len(first))]
    cells = zip(*(body if header else rows))
    columns = [_Column(path, name, c, lines[header:], v) for name, c, v in zip(names, cells, values)]
    chosen = _label_columns(path, names, label, task)
    read = [column for i, column in enumerate(columns) if i not in chosen]
    _check_size(path, read)
    parts = [column.features() for column in read]
    if not parts:
        what = "a label column" if len(chosen) == 1 else "label columns"
        raise InputError(f"{path} has {what} only; add at least one column of features")
    x = np.stack([values for part in parts for _, values in part], axis=1).astype(np.float64, copy=False)
    y, classes = _outputs([columns[i] for i in chosen], task)
    features = identifiers(name for part in parts for name, _ in part)
    whole = np.all(x == np.floor(x)) and np.abs(x).max() < 2**53
    return Samples(x.astype(np.int64) if whole else x, y, classes, features, None, f"table {path.name}")


def _check_size(path: Path, columns: "Sequence[_Column]") -> None:
    """InputError where the columns' texts, a feature each, make far more values than the file has bytes."""
    features = sum(len(column.values) if column.texts else 1 for column in columns)
    samples = len(columns[0].cells) if columns else 0
    if features * samples > max(MOST_VALUES, VALUES_A_BYTE * path.stat().st_size):
        raise InputError(f"{path} would become {features:,} features of {samples:,} samples, one for each text of a "
                         f"column; leave columns of texts out, or number their texts")


class _Column:
    """The cells of one column, the number that each different one is; for messages the file, the name and the lines."""

    def __init__(
        self, path: Path, name: str, cells: tuple[str, ...], lines: list[int], values: Mapping[str, float | None],
    ) -> None:
        self.path, self.name, self.cells, self.lines = path, name, cells, lines
        self.values = {**values, cells[0]: _number(cells[0])}
        self.texts = sorted(cell for cell, value in self.values.items() if value is None)
        gone = {c for c in self.values if c.lower() in MISSING}
        if gone:
            raise self.error(gone, "has no value", "fill it or remove the line")

    def error(self, cells: set[str], what: str, remedy: str) -> InputError:
        """About the first cell that is one of ``cells``."""
        at = next(i for i, cell in enumerate(self.cells) if cell in cells)
        place = f"{self.path} line {self.lines[at]}, column {self.name!r}"
        return InputError(f"{place}, {what} ({self.cells[at]!r}); {remedy}")

    def numbers(self) -> NDArray[np.float64] | None:
        """The cells as float64, or None where one is no number."""
        if self.texts:
            return None
        endless = {cell for cell, value in self.values.items() if value is not None and not math.isfinite(value)}
        if endless:
            raise self.error(endless, "has a number that is not finite", "mend it or remove the line")
        return np.array([self.values[cell] for cell in self.cells], dtype=np.float64)

    def features(self) -> list[tuple[str, NDArray[np.float64] | NDArray[np.bool_]]]:
        """Name and values of the feature, or of one 0/1 feature for each text."""
        values = self.numbers()
        if values is not None:
            return [(self.name, values)]
        if len(self.values) > FEW_VALUES and 2 * len(self.texts) < len(self.values):
            raise self.error(set(self.texts), "has a text among numbers", "give a number")
        if len(self.values) > MAX_CATEGORIES:
            raise self.error(set(self.texts), f"is one of {len(self.values)} different texts, more than "
                             f"{MAX_CATEGORIES}", "remove the column or give numbers")
        rank = {text: i for i, text in enumerate(sorted(self.values))}
        index = np.array([rank[cell] for cell in self.cells])
        return [(f"{self.name}_{text}", index == i) for text, i in rank.items()]

    def classes(self) -> tuple[NDArray[np.int64], tuple[str, ...]]:
        """The cells as class indices, and the classes: integers by value or texts by alphabet."""
        values = self.numbers()
        if values is None:
            return index_labels(np.array([" ".join(c.split()) for c in self.cells]), str(self.path))
        broken = {cell for cell, value in self.values.items() if value is not None and not value.is_integer()}
        if broken:
            raise self.error(broken, "has a label that is no integer",
                             f"give integers or names or another label column, or {REGRESS}")
        return index_labels(values, str(self.path))

    def targets(self) -> NDArray[np.float64]:
        """The cells as numbers to be predicted."""
        values = self.numbers()
        if values is None:
            raise self.error(set(self.texts), "has a target that is no number", "give a number or another label column")
        return values

    def switches(self) -> NDArray[np.float64]:
        """The cells as labels, 0 or 1."""
        wrong = {cell for cell, value in self.values.items() if value not in (0, 1)}
        if wrong:
            raise self.error(wrong, "has a label that is neither 0 nor 1", "give 0 or 1 or another label column")
        return np.array([self.values[cell] for cell in self.cells], dtype=np.float64)


def _outputs(columns: list[_Column], task: Task) -> tuple[NDArray[Any], tuple[str, ...]]:
    """What is to be learnt of each sample, and the names of the classes, targets or labels."""
    if task == "classify":
        return columns[0].classes()
    values = [column.targets() if task == "regress" else column.switches() for column in columns]
    names = [" ".join(column.name.split()) for column in columns]
    twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if twice is not None:
        raise InputError(f"{columns[0].path} has two label columns named {twice!r}; rename one")
    return np.stack(values, axis=1), tuple(names)


def _number(cell: str) -> float | None:
    if "_" in cell:  # Python reads 1_2 as 12
        return None
    try:
        return float(cell)
    except ValueError:
        return None


def _rows(path: Path) -> tuple[list[list[str]], list[int]]:
    """The cells of every line that is not blank, equally many in each, and its line number."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise FormatError(f"{path} is not text in UTF-8; save it as UTF-8") from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; check the path") from None
    if "\0" in text:
        raise FormatError(f"{path} holds zero bytes and is no table of text; save it as UTF-8")
    if not text.strip():
        raise InputError(f"{path} is empty; give a line for each sample")
    delimiter = "\t" if path.suffix.lower() == ".tsv" else _delimiter(path, text)
    rows, lines = _split(path, text, delimiter)
    odd = next((i for i, row in enumerate(rows) if len(row) != len(rows[0])), None)
    if odd is not None:
        raise InputError(f"{path} line {lines[odd]} has {len(rows[odd])} columns where line {lines[0]} has "
                         f"{len(rows[0])}; give every line the same columns")
    return rows, lines


def _split(path: Path, text: str, delimiter: str) -> tuple[list[list[str]], list[int]]:
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=delimiter != "\t")
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        for row in reader:
            if len(row) > 1 or (row and row[0].strip()):
                rows.append([cell.strip() for cell in row])
                lines.append(reader.line_num)
    except csv.Error as error:
        raise FormatError(f"{path} line {reader.line_num} cannot be read ({error}); mend its quotes, or "
                          f"leave longer cells out") from None
    return rows, lines


def _delimiter(path: Path, text: str) -> str:
    """The delimiter that splits the first lines into the most columns, equally many in each; else the first line."""
    head = [line for line in text.split("\n", 50)[:50] if line.strip()][:20]
    counts = {d: n for d in DELIMITERS if (n := _columns(head, d))}
    even = {d: n[0] for d, n in counts.items() if n[0] > 1 and len(set(n)) == 1}
    best = even or {d: n[0] for d, n in counts.items() if n[0] > 1}
    if not head or not best:
        raise InputError(f"{path} has a single column; separate features and label by comma, semicolon or tab")
    return max(best, key=best.__getitem__)


def _columns(head: list[str], delimiter: str) -> list[int]:
    """How many cells each line has; none where a cell is longer than the csv module reads."""
    try:
        return [len(row) for row in csv.reader(head, delimiter=delimiter, skipinitialspace=True)]
    except csv.Error:
        return []


def _has_header(first: list[str], values: list[dict[str, float | None]], label: Label) -> bool:
    """Whether the first row names the columns.

    It does when it holds ``label``, or when no cell of it is a number or missing in a column whose other cells are
    all numbers; in a table of texts alone, when none of its cells appears again in its column.
    """
    if any(isinstance(part, str) and part in first and _number(part) is None for part in _parts(label, first)):
        return True
    if any(cell.lower() in MISSING for cell in first):
        return False
    numeric = [cell for cell, column in zip(first, values) if None not in column.values()]
    if numeric:
        return all(_number(cell) is None for cell in numeric)
    return all(cell not in column for cell, column in zip(first, values))


def _parts(label: Label, names: list[str]) -> Sequence[str | int | None]:
    """The columns that ``label`` asks for: a list's, a text's between its commas, or the one of that very name."""
    if isinstance(label, str) and label not in names:
        return [part.strip() for part in label.split(",")]
    return [label] if label is None or isinstance(label, (str, int)) else list(label)


def _label_columns(path: Path, names: list[str], label: Label, task: Task) -> list[int]:
    """Places of the label columns, in the order asked for."""
    parts = _parts(label, names)
    chosen = [_label_column(path, names, part) for part in parts]
    if task == "classify" and len(chosen) != 1:
        raise InputError(f"{path}: label {label!r} asks for {len(chosen)} columns, but classes stand in one; name one, "
                         f"or set task to 'multilabel' or 'regress'")
    twice = next((part for i, part in enumerate(parts) if chosen[i] in chosen[:i]), None)
    if twice is not None or not chosen:
        which = "no column" if twice is None else f"column {twice!r} twice"
        raise InputError(f"{path}: label {label!r} names {which}; name each label column once")
    return chosen


def _label_column(path: Path, names: list[str], label: str | int | None) -> int:
    if label is None:
        return len(names) - 1
    if isinstance(label, str) and label in names:
        if names.count(label) > 1:
            raise InputError(f"{path} has {names.count(label)} columns named {label!r}; give the label column's number")
        return names.index(label)
    try:
        return range(len(names))[int(label)]
    except (ValueError, IndexError, TypeError):
        known = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
        raise InputError(f"{path} has no column {label!r}; choose from {known} or 0 to {len(names) - 1}") from None


def read_npz(path: str | os.PathLike[str], *, task: Task = "classify") -> Samples:
    """Read an archive of arrays: ``x``, ``y`` and, if wanted, ``x_test``, ``y_test`` and ``classes``.

    ``x`` is (n, ...): (n, height, width) and (n, channels, height, width) are images; every ``x`` is flattened.
    ``y`` (n,) holds integers or texts; with ``classes``, the names of the classes in order, integers from 0. For task
    ``regress`` it holds numbers, for ``multilabel`` 0 and 1, (n,) or (n, outputs), and ``classes`` names the outputs.

    Raises
    ------
    InputError
        Where an array is missing or cannot be used.
    FormatError
        Where the file is no archive of plain arrays.
    """
    path = Path(path)
    arrays = read_npz_arrays(path, ("x", "y"), ("x_test", "y_test", "classes"))
    if ("x_test" in arrays) != ("y_test" in arrays):
        raise InputError(f"{path} has only one of x_test and y_test; give both or none")
    x, shape = _features(path, "x", arrays["x"])
    features = pixel_names(shape) if shape else tuple(f"x{i}" for i in range(x.shape[1]))
    read = _labels if task == "classify" else _targets
    y = read(path, "y", arrays["y"], len(x), task)
    test_x, test_y = None, y[:0]
    if "x_test" in arrays:
        test_x, _ = _features(path, "x_test", arrays["x_test"])
        test_y = read(path, "y_test", arrays["y_test"], len(test_x), task)
        if arrays["x"].shape[1:] != arrays["x_test"].shape[1:] or x.dtype != test_x.dtype:
            raise InputError(f"{path}: x is {arrays['x'].shape} {x.dtype} and x_test is {arrays['x_test'].shape} "
                             f"{test_x.dtype}; give both the same features")
    index, classes = (_classes if task == "classify" else _named)(path, y, test_y, arrays.get("classes"))
    test = None if test_x is None else (test_x, index[len(y):])
    return Samples(x, index[: len(y)], classes, features, shape, f"archive {path.name}", test)


def _features(path: Path, name: str, x: NDArray[Any]) -> tuple[NDArray[Any], Shape | None]:
    """Flattened features in uint8, int64 or float64, and the image's shape."""
    if x.ndim < 2 or 0 in x.shape:
        raise InputError(f"{path}: {name} has shape {x.shape}; give (samples, features) or images, none of them empty")
    if x.ndim == 4 and x.shape[3] in (1, 3, 4) and x.shape[1] > 4:
        raise InputError(f"{path}: {name} has shape {x.shape}, its channels last; give {name}.transpose(0, 3, 1, 2)")
    shape: Shape | None = {3: (1, *x.shape[1:]), 4: x.shape[1:]}.get(x.ndim)
    flat = np.ascontiguousarray(x).reshape(len(x), -1)
    if flat.dtype in (np.bool_, np.uint8):
        return flat.astype(np.uint8), shape
    if flat.dtype.kind in "ui" and flat.dtype != np.uint64:
        return flat.astype(np.int64), shape
    if flat.dtype.kind not in "uif":
        raise InputError(f"{path}: {name} has type {x.dtype}; give real numbers")
    if not np.isfinite(flat).all():
        row, column = np.argwhere(~np.isfinite(flat))[0]
        raise InputError(f"{path}: {name} has {flat[row, column]} at sample {row}, feature {column}; remove or fill it")
    return flat.astype(np.float64), shape


def _labels(path: Path, name: str, y: NDArray[Any], samples: int, task: Task) -> NDArray[Any]:
    if y.ndim != 1:
        more = ", or set task to 'regress' or 'multilabel'" if y.ndim == 2 else ""
        raise InputError(f"{path}: {name} has shape {y.shape}; give one label for each sample, ({samples},){more}")
    if len(y) != samples:
        raise InputError(f"{path}: {name} has {len(y)} labels for {samples} samples; give one for each")
    return y


def _targets(path: Path, name: str, y: NDArray[Any], samples: int, task: Task) -> NDArray[np.float64]:
    """Targets or labels (samples, outputs) float64."""
    y = y[:, None] if y.ndim == 1 else y
    if y.ndim != 2 or len(y) != samples or not y.shape[1]:
        raise InputError(
            f"{path}: {name} has shape {y.shape} for {samples} samples; give ({samples},) or ({samples}, outputs)")
    if y.dtype.kind not in "buif":
        raise InputError(f"{path}: {name} has type {y.dtype}; give numbers for task {task!r}")
    right = np.isfinite(y) if task == "regress" else (y == 0) | (y == 1)
    if not right.all():
        row, column = np.argwhere(~right)[0]
        remedy = "remove or fill it" if task == "regress" else "give 0 or 1 for each label"
        raise InputError(f"{path}: {name} has {y[row, column]} at sample {row}, output {column}; {remedy}")
    return y.astype(np.float64)


def _named(
    path: Path, y: NDArray[Any], y_test: NDArray[Any], names: NDArray[Any] | None,
) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Targets or labels of both splits together, and their names."""
    outputs = y.shape[1]
    if y_test.shape[1] != outputs:
        raise InputError(f"{path}: y has {outputs} outputs and y_test {y_test.shape[1]}; give both the same")
    if names is None:
        return np.concatenate([y, y_test]), ("y",) if outputs == 1 else tuple(f"y{i}" for i in range(outputs))
    if names.shape != (outputs,):
        raise InputError(f"{path}: classes has shape {names.shape} and names the outputs of y, which has {outputs}; "
                         f"give a name for each or leave classes out")
    return np.concatenate([y, y_test]), tuple(" ".join(str(name).split()) for name in names.tolist())


def _classes(
    path: Path, y: NDArray[Any], y_test: NDArray[Any], names: NDArray[Any] | None,
) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Class indices of both splits together, and the names of the classes."""
    if (y.dtype.kind == "U") != (y_test.dtype.kind == "U"):
        raise InputError(f"{path}: y has type {y.dtype} and y_test {y_test.dtype}; give both the same labels")
    index, classes = index_labels(np.concatenate([y, y_test]), str(path))
    if names is None:
        return index, classes
    values = np.array([int(c) if re.fullmatch("[0-9]{1,18}", c) else -1 for c in classes])
    if names.ndim != 1 or values.min() < 0 or values.max() >= len(names):
        raise InputError(f"{path}: y is not 0 to {names.size - 1} as its {names.size} classes ask; mend y or classes")
    return values[index], tuple(map(str, names.tolist()))
