"""AIGER files (Biere, 2007 and 2011): and-inverter graphs, binary ``aig`` and ASCII ``aag``, read and written.

A comment line carries the words (names, widths, offsets, steps, labels), so that a circuit that is written and read
again has the same inputs and outputs; other programs see one symbol a bit, ``x0[3]``. A file without that line gives
words of one bit, named from its symbols, or ``i0``, ``o0`` and so on. Combinational files only.
"""

import re
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...core.errors import FormatError
from ...core.files import write_bytes
from ...core.gates import TABLE
from ...core.reading import read_bytes, whole
from ..aig import Aig
from ..check import check
from ..circuit import FALSE, FIRST, STAGES, TRUE, Circuit
from ..structure import bit_names
from .words import MARK, Interface, describe_words, generated_by, one_bit_words, restore_words, topological

#: Octets of a number in a binary file: 35 bits hold any literal that is read here.
OCTETS = 5
#: Inputs that a file may have however short it is; a binary file does not list them, and one that is used takes a byte.
FREE_INPUTS = 1 << 16
#: ``{"i": {position: name}, "o": {position: name}}``
Symbols = dict[str, dict[int, str]]


@dataclass(frozen=True, eq=False)
class AigerFile:
    """A file as it stands: inputs are variables 1 to ``n_inputs``, conjunction ``j`` is variable ``1 + n_inputs + j``.

    Attributes
    ----------
    n_inputs
        How many inputs there are.
    fanin
        Literals of the conjunctions, each of earlier variables, shape ``(n, 2)``.
    outputs
        Literals, shape ``(m,)``.
    symbols
        Names by position, of inputs (``"i"``) and outputs (``"o"``).
    words
        What a `hardwire` comment line says, or None.
    """

    n_inputs: int
    fanin: NDArray[np.int64]
    outputs: NDArray[np.int64]
    symbols: Symbols = field(default_factory=lambda: {"i": {}, "o": {}})
    words: Interface | None = None


def write_aiger(circuit: Circuit, path: str | PathLike[str], *, binary: bool = True) -> Path:
    """Write ``circuit`` as an and-inverter graph, atomically; the path is returned. Macros and stages are not kept."""
    aig = Aig(circuit.n_input_bits)
    net = aig.embed(circuit, list(range(2, 2 + 2 * circuit.n_input_bits, 2)))
    outputs = [net[n] for n in circuit.output_nets.tolist()]
    last, count = aig.n_variables - 1, len(aig.left)
    lines = [f"{'aig' if binary else 'aag'} {last} {aig.n_inputs} 0 {len(outputs)} {count}"]
    if not binary:
        lines += [str(2 * i) for i in range(1, 1 + aig.n_inputs)]
    lines += map(str, outputs)
    if binary:
        ands = _encode(aig)
    else:
        rows = enumerate(zip(aig.left, aig.right), 1 + aig.n_inputs)
        ands = "".join(f"{2 * v} {a} {b}\n" for v, (a, b) in rows).encode()
    tail = [f"i{i} {name}" for i, name in enumerate(bit_names(circuit.inputs))]
    tail += [f"o{i} {name}" for i, name in enumerate(bit_names(circuit.outputs))]
    tail += ["c", MARK + describe_words(circuit), generated_by(circuit)]
    return write_bytes(path, ("\n".join(lines) + "\n").encode() + ands + ("\n".join(tail) + "\n").encode())


def _encode(aig: Aig) -> bytes:
    """The binary section: of each conjunction the differences ``lhs - left`` and ``left - right``, 7 bits a byte."""
    left, right = np.array(aig.left, dtype=np.int64), np.array(aig.right, dtype=np.int64)
    own = 2 * np.arange(1 + aig.n_inputs, aig.n_variables)
    delta = np.stack([own - left, left - right], axis=1).ravel()
    octets = (delta[:, None] >> 7 * np.arange(OCTETS)) & 127
    more = (delta[:, None] >> 7 * np.arange(1, 1 + OCTETS)) > 0
    used = np.concatenate([np.ones((len(delta), 1), dtype=bool), more[:, :-1]], axis=1)
    return bytes((octets | more << 7).astype(np.uint8)[used])


def parse_aiger(path: str | PathLike[str]) -> AigerFile:
    """Read a file as it stands.

    Raises
    ------
    FormatError
        Where the file is damaged, sequential or foreign.
    """
    data = read_bytes(path)
    try:
        return _parse(data)
    except (ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
        raise FormatError(f"{path} cannot be read as an AIGER file ({error}); write it anew") from None


def _parse(data: bytes) -> AigerFile:
    head, place = _lines(data, 0, 1)
    kind, *numbers = head[0].split()
    if kind not in ("aig", "aag"):
        raise ValueError(f"it begins with {kind[:20]!r}, not with aig or aag")
    m, i, latches, o, a, *more = (whole(number, 0) for number in numbers)
    if latches or any(more):
        raise ValueError(f"it has {latches} latches and {sum(more)} properties, and only combinational files are read")
    if i + a > m or (kind == "aig" and m != i + a):
        raise ValueError(f"its header {head[0][:40]!r} does not add up")
    if 2 * (o + a + i * (kind == "aag")) > len(data) - place:
        raise ValueError("it ends early: its header declares more than it holds")
    if i > max(FREE_INPUTS, len(data)):
        raise ValueError(f"its header declares {i} inputs, more than its {len(data)} bytes can use")
    if kind == "aag":
        fanin, outputs, place = _ascii(data, place, m, i, o, a)
    else:
        lines, place = _lines(data, place, o)
        literals = [whole(line) for line in lines]
        if any(not 0 <= literal < 2 * (1 + m) for literal in literals):
            raise ValueError("an output names a variable that is not defined")
        outputs = np.array(literals, dtype=np.int64)
        fanin, place = _decode(data, place, i, a)
    symbols, words = _tail(data[place:].decode(), i, o)
    return AigerFile(i, fanin, outputs, symbols, words)


def _lines(data: bytes, place: int, n: int) -> tuple[list[str], int]:
    """The next ``n`` lines, and where they end."""
    lines = []
    for _ in range(n):
        end = data.find(b"\n", place)
        if end < 0:
            raise ValueError("it ends early")
        lines.append(data[place:end].decode())
        place = end + 1
    return lines, place


def _decode(data: bytes, place: int, n_inputs: int, n: int) -> tuple[NDArray[np.int64], int]:
    octets = np.frombuffer(data, dtype=np.uint8, offset=place, count=min(len(data) - place, 10 * n))
    ends = np.flatnonzero(octets < 128)[: 2 * n]
    if len(ends) < 2 * n:
        raise ValueError("it ends early")
    starts = np.concatenate([[0], ends[:-1] + 1]) if n else ends
    delta, length = np.zeros(2 * n, dtype=np.int64), ends - starts + 1
    if n and length.max() > OCTETS:
        raise ValueError(f"a conjunction's literal takes more than {7 * OCTETS} bits")
    for j in range(OCTETS):
        has = length > j
        delta[has] |= (octets[starts[has] + j].astype(np.int64) & 127) << 7 * j
    own = 2 * np.arange(1 + n_inputs, 1 + n_inputs + n)
    left = own - delta[0::2]
    fanin = np.stack([left, left - delta[1::2]], axis=1)
    if n and (fanin.min() < 0 or (delta[0::2] < 1).any()):
        raise ValueError("a conjunction reads a variable that does not come before it")
    return fanin, place + int(ends[-1]) + 1 if n else place


def _ascii(
    data: bytes, place: int, m: int, i: int, o: int, a: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Inputs, outputs and conjunctions, renumbered in topological order; the format lets them stand in any."""
    lines, place = _lines(data, place, i + o + a)
    inputs, outputs = [whole(x) for x in lines[:i]], [whole(x) for x in lines[i : i + o]]
    rows = {}
    for line in lines[i + o :]:
        own, x, y = map(int, line.split())
        rows[own] = x, y
    literals = [*inputs, *rows]
    if len(set(literals)) < i + a or any(x & 1 or not 2 <= x <= 2 * m + 1 for x in literals):
        raise ValueError("a variable is defined twice or is none of the header's")
    new = {0: 0, **{x: 2 * v for v, x in enumerate(inputs, 1)}}
    fanin: list[tuple[int, int]] = []
    for own in topological(rows, lambda row: (row[0] & ~1, row[1] & ~1), new):
        x, y = (new[z & ~1] | z & 1 for z in rows[own])
        new[own] = 2 * (1 + i + len(fanin))
        fanin.append((x, y))
    if not new.keys() >= {x & ~1 for x in outputs}:
        raise ValueError("an output names a variable that is not defined")
    outputs = [new[x & ~1] | x & 1 for x in outputs]
    return np.array(fanin, dtype=np.int64).reshape(-1, 2), np.array(outputs, dtype=np.int64), place


def _tail(text: str, i: int, o: int) -> tuple[Symbols, Interface | None]:
    symbols: Symbols = {"i": {}, "o": {}}
    words = None
    limit = {"i": i, "o": o}
    lines = iter(text.split("\n"))
    for line in lines:
        if not line or line == "c":
            break
        place, _, name = line.partition(" ")
        if place[0] not in limit or not name or not 0 <= (position := whole(place[1:])) < limit[place[0]]:
            raise ValueError(f"symbol line {line[:40]!r} names no input or output")
        symbols[place[0]][position] = name
    for line in lines:
        if line.startswith(MARK + "{"):
            words = restore_words(line.removeprefix(MARK))
            if (sum(w.width for w in words.inputs), sum(w.width for w in words.outputs)) != (i, o):
                raise ValueError("its words and its bits differ in number")
    return symbols, words


def read_aiger(path: str | PathLike[str]) -> Circuit:
    """Read a combinational AIGER file, either kind, as two-input gates of the stage ``network``.

    Raises
    ------
    FormatError
        Where the file has latches, or is truncated or damaged.
    """
    file = parse_aiger(path)
    words = file.words
    if words is None:
        names = {key: [file.symbols[key].get(j, f"{key}{j}") for j in range(n)]
                 for key, n in (("i", file.n_inputs), ("o", len(file.outputs)))}
        name = re.sub(r"\s+|[^ -~]", "_", Path(path).stem)
        words = Interface(name, one_bit_words(names["i"]), one_bit_words(names["o"]))
    return aig_circuit(file, words)


def aig_circuit(file: AigerFile, words: Interface) -> Circuit:
    """Conjunctions as two-input gates that absorb their operands' complements; inverters only at the outputs."""
    flip = file.fanin & 1
    table = np.array([TABLE["AND"], TABLE["B_AND_NOT_A"], TABLE["A_AND_NOT_B"], TABLE["NOR"]], dtype=np.uint64)
    net_of = np.arange(1, 2 + file.n_inputs + len(file.fanin))
    net_of[0] = FALSE
    output_nets = np.where(file.outputs == 1, TRUE, net_of[file.outputs >> 1])
    flipped = (file.outputs > 1) & (file.outputs & 1 == 1)
    inverted = np.unique(file.outputs[flipped])
    first = FIRST + file.n_inputs + len(file.fanin)
    output_nets[flipped] = first + np.searchsorted(inverted, file.outputs[flipped])
    nots = np.stack([net_of[inverted >> 1], np.zeros(len(inverted), dtype=np.int64)], axis=1)
    n = len(file.fanin) + len(inverted)
    circuit = Circuit(
        name=words.name, inputs=words.inputs, outputs=words.outputs, labels=words.labels,
        fanin=np.concatenate([net_of[file.fanin >> 1], nots]).astype(np.int32),
        table=np.concatenate([table[flip[:, 0] + 2 * flip[:, 1]], np.full(len(inverted), 0b01, dtype=np.uint64)]),
        arity=np.repeat(np.array([2, 1], dtype=np.uint8), [len(file.fanin), len(inverted)]),
        stage=np.full(n, STAGES.index("network"), dtype=np.uint8), output_nets=output_nets.astype(np.int32),
    )
    check(circuit)
    return circuit
