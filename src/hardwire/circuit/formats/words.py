"""A circuit's words in files that know single bits only, and the order of what such files define."""

import json
import re
from collections.abc import Callable, Container, Iterable, Mapping
from typing import NamedTuple, TypeVar

from ...core.names import identifiers
from ..circuit import Circuit, Word

#: Begins the comment that carries the words.
MARK = "hardwire "

Key = TypeVar("Key")
Row = TypeVar("Row")


class Interface(NamedTuple):
    """What a file of single bits cannot say of a circuit."""

    name: str
    inputs: tuple[Word, ...]
    outputs: tuple[Word, ...]
    labels: tuple[str, ...] = ()


def describe_words(circuit: Circuit) -> str:
    """Name, words and labels of a circuit as one line of JSON, for the comments of foreign formats."""
    return json.dumps({
        "name": circuit.name, "labels": circuit.labels,
        "inputs": [(w.name, w.width, w.offset, w.step) for w in circuit.inputs],
        "outputs": [(w.name, w.width) for w in circuit.outputs],
    })


def restore_words(line: str) -> Interface:
    """The words of ``describe_words``.

    Raises
    ------
    ValueError, TypeError, KeyError
        Where the line is not such a one.
    """
    said = json.loads(line)
    return Interface(
        name=str(said["name"]), labels=tuple(map(str, said["labels"])),
        inputs=tuple(Word(str(n), int(w), float(o), float(s)) for n, w, o, s in said["inputs"]),
        outputs=tuple(Word(str(n), int(w)) for n, w in said["outputs"]),
    )


def one_bit_words(names: Iterable[str]) -> tuple[Word, ...]:
    """A word of one bit for each name, made an identifier and unique: ``x[3]`` becomes ``x_3``."""
    return tuple(Word(name, 1) for name in identifiers(re.sub(r"[^A-Za-z0-9]+\Z", "", name) for name in names))


def topological(
    rows: Mapping[Key, Row], operands: Callable[[Row], Iterable[Key]], defined: Container[Key]
) -> list[Key]:
    """The keys of ``rows`` in an order where what ``operands(row)`` names is in ``defined`` or comes first.

    Raises
    ------
    ValueError
        Where a row reads itself, over others or not, or something that nothing defines.
    """
    order: list[Key] = []
    is_open: dict[Key, bool] = {}  # False once a key is in the order
    for root in rows:
        stack = [root]
        while stack:
            key = stack[-1]
            if is_open.get(key) is False:
                stack.pop()
                continue
            waiting = [f for f in operands(rows[key]) if f not in defined and is_open.get(f) is not False]
            missing = next((f for f in waiting if f not in rows), None)
            if missing is not None:
                raise ValueError(f"{missing!r} is read and nowhere defined")
            if not waiting:
                is_open[key] = False
                order.append(stack.pop())
            elif is_open.get(key):
                raise ValueError(f"{key!r} depends on itself")
            else:
                is_open[key] = True
                stack += waiting
    return order
