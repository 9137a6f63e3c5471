"""A circuit's words in files that know single bits only, and the order of what such files define."""

import json
import re
from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from ...core.names import identifiers
from ...core.reading import parse_json
from ..circuit import Circuit, Word
from ..structure import MAX_WIDTH

#: Begins the comment that carries the words.
MARK = "hardwire "
#: Characters of a signal's name that its word keeps.
KEPT = 100

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
    ValueError, TypeError, KeyError, OverflowError
        Where the line is not such a one.
    """
    said = parse_json(line)
    return Interface(
        name=_text(said["name"]), labels=tuple(map(_text, said["labels"])),
        inputs=tuple(_word(n, w, float(o), float(s)) for n, w, o, s in said["inputs"]),
        outputs=tuple(_word(n, w) for n, w in said["outputs"]),
    )


def _word(name: Any, width: Any, offset: float = 0.0, step: float = 1.0) -> Word:
    """A word whose width is within limits, as its bits are counted and named before the circuit is checked."""
    if type(width) is not int or not 1 <= width <= MAX_WIDTH:
        raise ValueError(f"a word has {str(width)[:20]} bits, and not 1 to {MAX_WIDTH}")
    return Word(_text(name), width, offset, step)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a name or a label is {str(value)[:20]}, and no text")
    return value


def one_bit_words(names: Iterable[str]) -> tuple[Word, ...]:
    """A word of one bit for each name, made an identifier and unique: ``x[3]`` becomes ``x_3``."""
    return tuple(Word(name, 1) for name in identifiers(re.sub(r"[^A-Za-z0-9]+\Z", "", name[:KEPT]) for name in names))


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
                raise ValueError(f"{str(missing)[:40]!r} is read and nowhere defined")
            if not waiting:
                is_open[key] = False
                order.append(stack.pop())
            elif is_open.get(key):
                raise ValueError(f"{str(key)[:40]!r} depends on itself")
            else:
                is_open[key] = True
                stack += waiting
    return order
