"""Circuit files: `.net`, the project's own text format, read and written; docs/circuit.md specifies it."""

import hashlib
from os import PathLike
from pathlib import Path
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from ...core.errors import FormatError
from ...core.files import read_text, write_text
from ...core.reading import declared, whole
from ..check import check
from ..circuit import MAX_ARITY, Circuit, Macro, MacroKind, Word
from ..text import canonical_text

VERSION = 1
MAGIC = "hardwire-net"
Integer = TypeVar("Integer", bound=np.integer)


def save_circuit(circuit: Circuit, path: str | PathLike[str]) -> Path:
    """Write ``circuit`` as a `.net` file, atomically; the path is returned."""
    return write_text(path, f"{MAGIC} {VERSION}\n{canonical_text(circuit)}digest {circuit.digest}\n")


def load_circuit(path: str | PathLike[str]) -> Circuit:
    """Read a `.net` file, its macros as it states them; ``hardwire.load_circuit`` proves them too.

    Raises
    ------
    FormatError
        Where the file is truncated, altered, foreign or of another version.
    """
    text = read_text(path)
    head, _, rest = text.partition("\n")
    magic, _, version = head.partition(" ")
    if magic != MAGIC:
        raise FormatError(f"{path} is not a {MAGIC} file; give a circuit that `hardwire lower` wrote")
    if version != str(VERSION):
        raise FormatError(f"{path} has format version {version}, this program reads {VERSION}; "
                          f"write it anew with `hardwire lower`")
    content, keyword, digest = rest.rpartition("digest ")
    if not keyword or hashlib.sha256(content.encode()).hexdigest() != digest.strip():
        raise FormatError(f"{path} is truncated or altered: its digest does not match; "
                          f"write it anew with `hardwire lower`")
    try:
        circuit = _parse(content.split("\n")[:-1])
    except (ValueError, IndexError, OverflowError) as error:
        raise FormatError(
            f"{path} cannot be read as a circuit ({error}); write it anew with `hardwire lower`") from None
    check(circuit)
    return circuit


def _parse(lines: list[str]) -> Circuit:
    names, labels, nodes = list[str](), list[str](), list[str]()
    inputs, outputs, nets, macros = list[Word](), list[Word](), list[int](), list[Macro]()
    place = 0
    while place < len(lines):
        key, _, rest = lines[place].partition(" ")
        place += 1
        if key == "name":
            names.append(rest)
        elif key == "label":
            labels.append(rest)
        elif key == "input":
            word, width, offset, step = rest.split()
            inputs.append(Word(word, whole(width), float(offset), float(step)))
        elif key == "nodes":
            count = declared(rest, len(lines) - place, "nodes")
            nodes += lines[place : place + count]
            place += count
        elif key == "macro":
            left, right = rest.split(" : ")
            kind, value, *ins = left.split()
            kind = cast(MacroKind, kind)  # `check` refuses another
            macros.append(Macro(kind, tuple(map(int, ins)), tuple(map(int, right.split())), whole(value)))
        elif key == "output":
            left, colon, right = rest.partition(" : ")
            word, *bits = left.split()
            offset, step = right.split() if colon else ("0.0", "1.0")
            outputs.append(Word(word, len(bits), float(offset), float(step)))
            nets += map(int, bits)
        else:
            raise ValueError(f"line {place + 1} begins with {key[:40]!r}")
    if len(names) != 1:
        raise ValueError(f"it has {len(names)} names")
    arity, table, stage, fanin = _parse_nodes(nodes)
    return Circuit(
        name=names[0], inputs=tuple(inputs), fanin=fanin, table=table, arity=arity, stage=stage,
        outputs=tuple(outputs), output_nets=_narrow(nets, np.int32), macros=tuple(macros), labels=tuple(labels),
    )


def _narrow(values: list[int], dtype: type[Integer]) -> NDArray[Integer]:
    """Return integers as an array of ``dtype``; OverflowError where one does not fit, which an old NumPy would wrap."""
    limits = np.iinfo(dtype)
    if values and not (limits.min <= min(values) and max(values) <= limits.max):
        raise OverflowError(f"a number is not within {limits.min} and {limits.max}")
    return np.array(values, dtype=dtype)


def _parse_nodes(
    lines: list[str],
) -> tuple[NDArray[np.uint8], NDArray[np.uint64], NDArray[np.uint8], NDArray[np.int32]]:
    """Node lines as arity, table, stage and fan-in; parsing those of one arity together is ten times as fast."""
    arity = np.array([line.count(" ") - 1 for line in lines], dtype=np.int64)
    if len(lines) and not -1 < arity.min() <= arity.max() <= MAX_ARITY:
        raise ValueError(f"a node has no 1 to {MAX_ARITY} operands")
    table, stage = np.zeros(len(lines), dtype=np.uint64), np.zeros(len(lines), dtype=np.uint8)
    fanin = np.zeros((len(lines), max(2, int(arity.max(initial=2)))), dtype=np.int32)
    for k in sorted(set(arity.tolist())):
        where = np.flatnonzero(arity == k)
        items = " ".join(lines if len(where) == len(lines) else [lines[i] for i in where.tolist()]).split(" ")
        stage[where] = _narrow(list(map(int, items[:: k + 2])), np.uint8)
        value = {text: int(text, 16) for text in set(items[1 :: k + 2])}
        table[where] = _narrow(list(map(value.__getitem__, items[1 :: k + 2])), np.uint64)
        for j in range(k):
            fanin[where, j] = _narrow(list(map(int, items[2 + j :: k + 2])), np.int32)
    return arity.astype(np.uint8), table, stage, fanin
