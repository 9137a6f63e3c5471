"""BLIF files (Berkeley Logic Interchange Format, 1992): tables as sums of products, combinational, read and written.

A comment line carries the words, as in `aiger.py`, so that a circuit that is written and read again has the same
inputs and outputs; other programs see one signal a bit, ``x0[3]``.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from os import PathLike
from pathlib import Path

from ...core.errors import FormatError, HardwireError, InputError
from ...core.files import read_text, write_text
from ...core.truth_tables import cofactors, ones, projection
from ..builder import CircuitBuilder
from ..circuit import FALSE, MAX_ARITY, TRUE, Circuit
from ..structure import bit_names
from .words import MARK, Interface, describe_words, generated_by, one_bit_words, restore_words, topological

#: Of one table: a product and the value, ``1`` or ``0``, that it gives.
Rows = list[tuple[str, str]]
#: Signal -> its operands and its rows.
Tables = dict[str, tuple[list[str], Rows]]


@lru_cache(maxsize=1 << 14)
def cover(table: int, k: int) -> tuple[str, ...]:
    """An irredundant sum of products of a table, one row a product: ``1-0`` is operand 0 and not operand 2.

    Minato and Morreale's recursion over the highest operand; the rows of table 0 are none.
    """
    return tuple(_cover(table, table, k)[0])


def _cover(must: int, may: int, k: int) -> tuple[list[str], int]:
    """Rows that cover all of ``must`` and nothing outside ``may``, and the table that they spell."""
    if must == 0:
        return [], 0
    full = ones(k)
    if may == full:
        return ["-" * k], full
    (must0, must1), (may0, may1) = cofactors(must, k, k - 1), cofactors(may, k, k - 1)
    rows0, table0 = _cover(must0 & ~may1, may0, k - 1)
    rows1, table1 = _cover(must1 & ~may0, may1, k - 1)
    both, shared = _cover(must0 & ~table0 | must1 & ~table1, may0 & may1, k - 1)
    rows = [r + "0" for r in rows0] + [r + "1" for r in rows1] + [r + "-" for r in both]
    return rows, table0 | shared | (table1 | shared) << (1 << (k - 1))


def write_blif(circuit: Circuit, path: str | PathLike[str]) -> Path:
    """Write ``circuit`` as BLIF, atomically; the path is returned. Macros and stages are not kept."""
    inputs, outputs = bit_names(circuit.inputs), bit_names(circuit.outputs)
    shared = set(inputs) & set(outputs)
    if shared:
        raise InputError(f"{min(shared)!r} is an input and an output of circuit {circuit.name!r}; "
                         f"rename one to write BLIF")
    nets = circuit.net_names()
    names = ["$false", "$true", *inputs, *("$" + name for name in nets[circuit.first_node :])]
    lines = [f"# {generated_by(circuit)}", f"# {MARK}{describe_words(circuit)}",
             f".model {re.sub(r'[^A-Za-z0-9_.-]+', '_', circuit.name) or 'top'}",
             *_wrapped(".inputs", inputs), *_wrapped(".outputs", outputs), ".names $false", ".names $true", "1"]
    rows = zip(names[circuit.first_node :], circuit.fanin.tolist(), circuit.table.tolist(), circuit.arity.tolist())
    for name, fanin, table, k in rows:
        lines.append(".names " + " ".join(names[f] for f in fanin[:k]) + " " + name)
        lines += [f"{row} 1" for row in cover(table, k)]
    for name, net in zip(outputs, circuit.output_nets.tolist()):
        lines += [f".names {names[net]} {name}", "1 1"]
    return write_text(path, "\n".join([*lines, ".end"]) + "\n")


def _wrapped(key: str, names: list[str]) -> list[str]:
    """One directive over as many lines as it needs, eight names a line."""
    rows = [" ".join(names[i : i + 8]) for i in range(0, len(names), 8)] or [""]
    lines = [f"{'' if i else key} {row}" for i, row in enumerate(rows)]
    return [*(line + " \\" for line in lines[:-1]), lines[-1]]


def read_blif(path: str | PathLike[str]) -> Circuit:
    """Read a combinational BLIF file of one model as tables of the stage ``network``.

    Tables of more than six operands become two-input gates.

    Raises
    ------
    FormatError
        Where the file has a latch or a subcircuit, or is truncated or damaged.
    """
    text = read_text(path)
    try:
        return _build(*_parse(text), _words(text))
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, HardwireError) as error:
        raise FormatError(f"{path} cannot be read as a BLIF file ({error}); write it anew") from None


def _words(text: str) -> Interface | None:
    comment = re.search(rf"^# {MARK}(\{{.*)$", text, re.MULTILINE)
    return restore_words(comment[1]) if comment else None


def _parse(text: str) -> tuple[str | None, list[str], list[str], Tables]:
    """Model name, inputs, outputs, and the table of each driven signal."""
    text = re.sub(r"#.*", "", text)
    lines = re.sub(r"\\[ \t]*\n", " ", text).split("\n")
    model: str | None = None
    ends: dict[str, list[str]] = {".inputs": [], ".outputs": []}
    given: set[str] = set()
    tables: Tables = {}
    rows: Rows | None = None
    for number, line in enumerate(lines, 1):
        key, *rest = line.split() or [""]
        if key == ".end":
            return model, ends[".inputs"], ends[".outputs"], tables
        if not key:
            continue
        if key == ".model" and model is None:
            model = rest[0] if rest else "top"
        elif key in ends:
            ends[key] += rest
            given.update(rest if key == ".inputs" else ())
        elif key == ".names":
            *operands, name = rest
            if name in tables or name in given:
                raise ValueError(f"signal {name[:40]!r} is driven twice")
            rows = []
            tables[name] = operands, rows
        elif key.startswith("."):
            raise ValueError(f"it has a {key[:40]!r} where only one combinational model of .names is read")
        elif rows is None:
            raise ValueError(f"logical line {number} is no directive")
        else:
            rows.append(("" if not rest else key, rest[0] if rest else key))
    raise ValueError("it has no .end: it is truncated")


def _build(
    model: str | None, inputs: list[str], outputs: list[str], tables: Tables, words: Interface | None
) -> Circuit:
    if words is None:
        words = Interface(model or "top", one_bit_words(inputs), one_bit_words(outputs))
    elif (sorted(bit_names(words.inputs)), sorted(bit_names(words.outputs))) != (sorted(inputs), sorted(outputs)):
        raise ValueError("its words and its signals differ")
    else:
        inputs, outputs = bit_names(words.inputs), bit_names(words.outputs)
    b = CircuitBuilder(words.name, labels=words.labels)
    nets = [net for w in words.inputs for net in b.input(w.name, w.width, offset=w.offset, step=w.step)]
    net = dict(zip(inputs, nets))
    if len(net) < len(nets):
        raise ValueError("an input is named twice")
    for name in topological(tables, lambda row: row[0], net):
        operands, rows = tables[name]
        net[name] = _table(b, [net[o] for o in operands], rows)
    place, missing = 0, next((name for name in outputs if name not in net), None)
    if missing is not None:
        raise ValueError(f"output {missing[:40]!r} is nowhere defined")
    for word in words.outputs:
        b.output(word.name, [net[name] for name in outputs[place : place + word.width]], offset=word.offset,
                 step=word.step)
        place += word.width
    return b.build()


def _table(b: CircuitBuilder, operands: list[int], rows: Rows) -> int:
    """The net of a sum of products."""
    k, values = len(operands), {value for _, value in rows}
    if not values <= {"0", "1"} or len(values) > 1 or any(len(r) != k or set(r) - set("01-") for r, _ in rows):
        raise ValueError(f"a table of {k} operands has a row that does not fit: {rows[0][0][:40]!r}")
    off = values == {"0"}
    if k > MAX_ARITY:
        total = _tree(b.or_, [_product(b, operands, row) for row, _ in rows], FALSE)
        return b.not_(total) if off else total
    table = _rows_table(tuple(dict(rows)), k) ^ (ones(k) if off else 0)
    if k == 0:
        return TRUE if table else FALSE
    return operands[0] if (k, table) == (1, 0b10) else b.node(table, *operands)


@lru_cache(maxsize=1 << 14)
def _rows_table(rows: tuple[str, ...], k: int) -> int:
    table = 0
    for row in rows:
        product = ones(k)
        for i, c in enumerate(row):
            if c != "-":
                product &= projection(i, k) if c == "1" else ~projection(i, k)
        table |= product
    return table


def _product(b: CircuitBuilder, operands: list[int], row: str) -> int:
    return _tree(b.and_, [net if c == "1" else b.not_(net) for net, c in zip(operands, row) if c != "-"], TRUE)


def _tree(gate: Callable[[int, int], int], nets: list[int], empty: int) -> int:
    while len(nets) > 1:
        nets = [gate(*nets[i : i + 2]) if i + 1 < len(nets) else nets[i] for i in range(0, len(nets), 2)]
    return nets[0] if nets else empty
