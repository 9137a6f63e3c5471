"""What the back ends share: their row in the table, names, and a look-up table as an expression."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..circuit.circuit import Circuit, cofactors
from ..core.errors import InputError
from ..core.gates import expression


@dataclass(frozen=True)
class Backend:
    """``emit(circuit, out_dir, **options)`` writes files and returns their paths, the main one first.

    ``run(circuit, codes, **options)`` executes what ``emit`` writes, codes to codes; None where nothing here can.
    """

    title: str
    emit: Callable[..., list[Path]]
    run: Callable[..., np.ndarray] | None = None


def identifier(text: str, *, avoid=frozenset()) -> str:
    """``text`` as an identifier that is not in ``avoid``: other characters become, and clashes append, an underscore."""
    name = re.sub(r"[^A-Za-z0-9_]", "_", text) or "circuit"
    if name[0].isdigit():
        name = "_" + name
    while name in avoid:
        name += "_"
    return name


def source(name: str) -> str:
    """The text of a hand-written primitive, by its path in this folder."""
    return (Path(__file__).parent / name).read_text()


def lut(table: int, operands: list[str], *, false: str = "0", true: str = "~0") -> str:
    """A table of any number of operands as an expression over ``& | ^ ~``: Shannon's expansion down to gates.

    ``f = (x & f1) | (~x & f0)`` for the highest operand ``x``, or ``x ^ f0`` where ``f1 = ~f0``.
    """
    k = len(operands)
    full = (1 << (1 << k)) - 1
    if table in (0, full):
        return true if table else false
    if k == 1:
        return operands[0] if table == 0b10 else f"~{operands[0]}"
    if k == 2:
        return expression(table, *operands, true=true, false=false)
    *rest, x = operands
    low, high = cofactors(table, k, k - 1)
    ones = (1 << (1 << (k - 1))) - 1
    if low == high:
        return lut(low, rest)
    if {low, high} == {0, ones}:
        return x if high else f"~{x}"
    if low == high ^ ones:
        return f"{x} ^ {_term(low, rest)}"
    if 0 in (low, high):
        return f"~{x} & {_term(low, rest)}" if high == 0 else f"{x} & {_term(high, rest)}"
    if ones in (low, high):
        return f"{x} | {_term(low, rest)}" if high == ones else f"~{x} | {_term(high, rest)}"
    return f"({x} & {_term(high, rest)}) | (~{x} & {_term(low, rest)})"


def _term(table: int, operands: list[str]) -> str:
    text = lut(table, operands)
    return text if re.fullmatch(r"~?[\w\[\]>()]+", text) else f"({text})"


def word_runs(circuit: Circuit) -> list[tuple[str, int, float, float, int]]:
    """Input words, neighbours of one kind together: (names, width, offset, step, how many)."""
    runs: list[list] = []
    for word in circuit.inputs:
        kind = [word.width, word.offset, word.step]
        if runs and runs[-1][2:5] == kind:
            runs[-1][1] = word.name
            runs[-1][5] += 1
        else:
            runs.append([word.name, word.name, *kind, 1])
    return [(a if n == 1 else f"{a} .. {b}", w, o, s, n) for a, b, w, o, s, n in runs]


def description(circuit: Circuit) -> list[str]:
    """Lines for the head of an emitted file: words, counts, digest."""
    lines = [f"circuit {circuit.name}, digest {circuit.digest}"]
    for names, width, offset, step, count in word_runs(circuit):
        many = f"{count} words of " if count > 1 else ""
        lines.append(f"input  {names}: {many}{width} bits, code = floor((value - {offset:g}) / {step:g}), clipped")
    lines += [f"output {word.name}: {word.width} bits" for word in circuit.outputs]
    for stage, count in circuit.counts().items():
        lines.append(f"{stage}: {count['gates']} two-input gates, depth {count['depth']}")
    if circuit.labels:
        lines.append("classes: " + ", ".join(circuit.labels))
    return [" ".join(line.replace("*/", "* /").split()) for line in lines]


def choose_name(circuit: Circuit, name: str | None, *, avoid=frozenset()) -> str:
    """The name of the emitted files and entry points: ``name`` as it is, or the circuit's made an identifier."""
    if name is None:
        return identifier(circuit.name, avoid=avoid)
    if identifier(name, avoid=avoid) != name:
        raise InputError(f"name {name!r} is no identifier or is reserved; give letters, digits and underscores")
    return name
