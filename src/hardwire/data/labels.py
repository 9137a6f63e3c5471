"""What is to be learnt from a table: its label columns, and their cells as classes, targets or labels."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import InputError
from .cells import Cells, Decimal, decimal_of, number
from .samples import REGRESS, Task, index_labels

#: Name or number of a label column, or of several ones.
Label = str | int | Sequence[str | int] | None


def outputs_of(columns: Sequence[Cells], task: Task, table: Decimal) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Return what is to be learnt of each sample, and the names of the classes, targets or labels.

    Raises
    ------
    InputError
        A cell is none of what the task asks for, or has no value.
    """
    for column in columns:
        if column.missing.any():
            at = int(np.argmax(column.missing))
            raise InputError(f"{column.place(at)}, column {column.name!r}, has no value "
                             f"({column.as_texts[at]!r}); fill it or remove the line")
    if task == "classify":
        return _classes(columns[0])
    values = [_targets(column, table) if task == "regress" else _switches(column) for column in columns]
    names = [" ".join(column.name.split()) for column in columns]
    twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if twice is not None:
        raise InputError(f"{columns[0].place(0).partition(' line ')[0]} has two label columns named {twice!r}; rename "
                         "one")
    return np.stack(values, axis=1), tuple(names)


def _classes(column: Cells) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """The cells as class indices, and the classes: integers by value or texts by alphabet."""
    what = column.place(0).partition(" line ")[0]
    numbers = column.numbers(".") if column.values is None else {}
    if column.values is None and None in numbers.values():
        return index_labels(np.array([" ".join(c.split()) for c in column.as_texts]), what)
    values = column.finite(column.as_numbers(numbers))
    if (values != np.floor(values)).any():
        broken = {column.as_texts[int(np.argmax(values != np.floor(values)))]}
        raise column.error(broken, "has a label that is no integer",
                           f"give integers or names or another label column, or {REGRESS}")
    return index_labels(values, what)


def _targets(column: Cells, table: Decimal) -> NDArray[np.float64]:
    """The cells as numbers to be predicted."""
    numbers = {} if column.values is not None else column.numbers(decimal_of(column, table))
    texts = {text for text, value in numbers.items() if value is None}
    if texts:
        raise column.error(texts, "has a target that is no number", "give a number or another label column")
    return column.finite(column.as_numbers(numbers))


def _switches(column: Cells) -> NDArray[np.float64]:
    """The cells as labels, 0 or 1."""
    values = column.as_numbers(column.numbers(".") if column.values is None else {})
    wrong = ~((values == 0) | (values == 1))
    if wrong.any():
        raise column.error({column.as_texts[int(np.argmax(wrong))]}, "has a label that is neither 0 nor 1",
                           "give 0 or 1 or another label column")
    return values


def parts_of(label: Label, names: Sequence[str]) -> Sequence[str | int | None]:
    """Return the columns that ``label`` asks for: a list's, a text's between its commas, or the one of that name."""
    if isinstance(label, str) and label not in names:
        return [part.strip() for part in label.split(",")]
    return [label] if label is None or isinstance(label, (str, int)) else list(label)


def is_named(label: Label, names: Sequence[str]) -> bool:
    """Whether ``label`` asks for a column by a name that is among ``names`` and no number."""
    return any(isinstance(part, str) and part in names and number(part) is None for part in parts_of(label, names))


def label_columns(what: str, names: Sequence[str], label: Label, task: Task) -> list[int]:
    """Return the places of the label columns, in the order asked for.

    Raises
    ------
    InputError
        There is no such column, or not as many as the task has.
    """
    parts = parts_of(label, names)
    chosen = [_label_column(what, names, part) for part in parts]
    if task == "classify" and len(chosen) != 1:
        raise InputError(f"{what}: label {label!r} asks for {len(chosen)} columns, but classes stand in one; name one, "
                         f"or set task to 'multilabel' or 'regress'")
    twice = next((part for i, part in enumerate(parts) if chosen[i] in chosen[:i]), None)
    if twice is not None or not chosen:
        which = "no column" if twice is None else f"column {twice!r} twice"
        raise InputError(f"{what}: label {label!r} names {which}; name each label column once")
    return chosen


def _label_column(what: str, names: Sequence[str], label: str | int | None) -> int:
    if label is None:
        return len(names) - 1
    if isinstance(label, str) and label in names:
        if names.count(label) > 1:
            raise InputError(f"{what} has {names.count(label)} columns named {label!r}; give the label column's number")
        return names.index(label)
    try:
        return range(len(names))[int(label)]
    except (ValueError, IndexError, TypeError):
        known = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
        raise InputError(f"{what} has no column {label!r}; choose from {known} or 0 to {len(names) - 1}") from None


def integer_names(names: Sequence[str]) -> bool:
    """Whether classes are named by integers."""
    return all(re.fullmatch("-?[0-9]+", name) for name in names)
