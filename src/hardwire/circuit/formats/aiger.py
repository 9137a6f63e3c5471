"""AIGER files (Biere, 2007 and 2011): and-inverter graphs, binary ``aig`` and ASCII ``aag``, read and written.

A literal is ``2 * variable + complement``. Variable 0 is the constant false, variables 1 to ``n_inputs`` are the
inputs, one variable for each conjunction follows. Complements are free, so a two-input table costs one conjunction,
XOR and XNOR three.

A comment line carries the words (names, widths, offsets, steps, labels), so that a circuit that is written and read
again has the same inputs and outputs; other programs see one symbol a bit, ``x0[3]``. A file without that line gives
words of one bit, named from its symbols, or ``i0``, ``o0`` and so on. Combinational files only.
"""

import json
import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from ...core.errors import FormatError, InputError
from ...core.files import write_bytes
from ...core.gates import TABLE
from ..check import check
from ..circuit import FALSE, FIRST, STAGES, TRUE, Circuit, Word, cofactors

MARK = "hardwire "


class Aig:
    """An and-inverter graph under construction; equal conjunctions are one variable (structural hashing)."""

    def __init__(self, n_inputs: int):
        self.n_inputs = n_inputs
        self.left: list[int] = []
        self.right: list[int] = []
        self._known: dict[tuple[int, int], int] = {}

    @property
    def n_variables(self) -> int:
        return 1 + self.n_inputs + len(self.left)

    def and_(self, a: int, b: int) -> int:
        """The literal of ``a and b``; constants, equal and opposite operands need no variable."""
        if a < b:
            a, b = b, a
        if b == 0 or a ^ b == 1:
            return 0
        if b == 1 or a == b:
            return a
        literal = self._known.get((a, b))
        if literal is None:
            literal = self._known[a, b] = 2 * self.n_variables
            self.left.append(a)
            self.right.append(b)
        return literal

    def xor(self, a: int, b: int) -> int:
        phase, a, b = (a ^ b) & 1, a & ~1, b & ~1
        return self.and_(self.and_(a, b ^ 1) ^ 1, self.and_(a ^ 1, b) ^ 1) ^ 1 ^ phase

    def mux(self, select: int, low: int, high: int) -> int:
        if low ^ high == 1:
            return self.xor(select, low)
        return self.and_(self.and_(select, high) ^ 1, self.and_(select ^ 1, low) ^ 1) ^ 1 if low != high else low

    def lut(self, table: int, operands: list[int]) -> int:
        """The literal of a truth table, LSB first, over 1 to 6 operands: Shannon's expansion down to two operands."""
        k = len(operands)
        if k == 2:
            return self._gate(table, *operands)
        if k == 1:
            return (0, operands[0] ^ 1, operands[0], 1)[table]
        low, high = _cofactors(table, k)
        rest = operands[:-1]
        return self.mux(operands[-1], self.lut(low, rest), self.lut(high, rest))

    def _gate(self, table: int, a: int, b: int) -> int:
        kind, x, y, z = _GATE[table]
        if kind == "and":
            return self.and_(a ^ x, b ^ y) ^ z
        return self.xor(a, b) ^ z if kind == "xor" else (0, a, b)[x] ^ z

    def embed(self, circuit: Circuit, inputs: list[int]) -> list[int]:
        """Add ``circuit`` over the literals ``inputs``, one for each input bit; the literals of all its nets."""
        net = [0, 1, *inputs]
        lut, gate = self.lut, self._gate
        for row, table, k in zip(circuit.fanin.tolist(), circuit.table.tolist(), circuit.arity.tolist()):
            net.append(gate(table, net[row[0]], net[row[1]]) if k == 2 else lut(table, [net[f] for f in row[:k]]))
        return net


def _gate_row(table: int) -> tuple:
    """How a two-input table is spelled: ``("and", x, y, z)`` is ``z ^ ((a ^ x) & (b ^ y))``, and so on."""
    wires = {TABLE["FALSE"]: (0, 0), TABLE["TRUE"]: (0, 1), TABLE["A"]: (1, 0), TABLE["NOT_A"]: (1, 1),
             TABLE["B"]: (2, 0), TABLE["NOT_B"]: (2, 1)}
    if table in wires:
        return "wire", wires[table][0], 0, wires[table][1]
    if table in (TABLE["XOR"], TABLE["XNOR"]):
        return "xor", 0, 0, int(table == TABLE["XNOR"])
    z = int(table.bit_count() == 3)
    minterm = (table ^ 0b1111 * z).bit_length() - 1
    return "and", 1 - (minterm & 1), 1 - (minterm >> 1), z


_GATE = [_gate_row(table) for table in range(16)]


@lru_cache(maxsize=1 << 14)
def _cofactors(table: int, k: int) -> tuple[int, int]:
    return cofactors(table, k, k - 1)


@dataclass(frozen=True, eq=False)
class AigerFile:
    """A file as it stands: inputs are variables 1 to ``n_inputs``, conjunction ``j`` is variable ``1 + n_inputs + j``.

    fanin    (n, 2) int64 literals of the conjunctions, each of earlier variables
    outputs  (m,) int64 literals
    symbols  {"i": {position: name}, "o": {position: name}}
    words    what a `hardwire` comment line says, or None
    """

    n_inputs: int
    fanin: np.ndarray
    outputs: np.ndarray
    symbols: dict = field(default_factory=lambda: {"i": {}, "o": {}})
    words: dict | None = None


def describe_words(circuit: Circuit) -> str:
    """Name, words and labels of a circuit as one line of JSON, for the comments of foreign formats."""
    return json.dumps({
        "name": circuit.name, "labels": circuit.labels,
        "inputs": [(w.name, w.width, w.offset, w.step) for w in circuit.inputs],
        "outputs": [(w.name, w.width) for w in circuit.outputs],
    })


def restore_words(line: str) -> dict:
    """The words of ``describe_words``; ValueError, TypeError or KeyError where the line is not such a one."""
    said = json.loads(line)
    return {
        "name": str(said["name"]), "labels": tuple(map(str, said["labels"])),
        "inputs": tuple(Word(str(n), int(w), float(o), float(s)) for n, w, o, s in said["inputs"]),
        "outputs": tuple(Word(str(n), int(w)) for n, w in said["outputs"]),
    }


def bit_names(words) -> list[str]:
    """One name for each bit: ``x0[3]``, or ``x0`` for a word of one bit."""
    return [w.name if w.width == 1 else f"{w.name}[{j}]" for w in words for j in range(w.width)]


def one_bit_words(names: list[str]) -> tuple[Word, ...]:
    """A word of one bit for each name, made an identifier and unique: ``x[3]`` becomes ``x_3``."""
    taken, words = set(), []
    for name in names:
        name = re.sub(r"\W+", "_", name, flags=re.ASCII).rstrip("_") or "_"
        name = f"_{name}" if name[0].isdigit() else name
        unique, serial = name, 1
        while unique in taken:
            unique, serial = f"{name}_{serial}", serial + 1
        taken.add(unique)
        words.append(Word(unique, 1))
    return tuple(words)


def write_aiger(circuit: Circuit, path, *, binary: bool = True) -> Path:
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
    tail += ["c", MARK + describe_words(circuit)]
    return write_bytes(path, ("\n".join(lines) + "\n").encode() + ands + ("\n".join(tail) + "\n").encode())


def _encode(aig: Aig) -> bytes:
    """The binary section: for each conjunction the differences ``lhs - left`` and ``left - right``, seven bits a byte."""
    left, right = np.array(aig.left, dtype=np.int64), np.array(aig.right, dtype=np.int64)
    own = 2 * np.arange(1 + aig.n_inputs, aig.n_variables)
    delta = np.stack([own - left, left - right], axis=1).ravel()
    octets = (delta[:, None] >> 7 * np.arange(5)) & 127
    more = (delta[:, None] >> 7 * np.arange(1, 6)) > 0
    used = np.concatenate([np.ones((len(delta), 1), dtype=bool), more[:, :-1]], axis=1)
    return (octets | more << 7).astype(np.uint8)[used].tobytes()


def parse_aiger(path) -> AigerFile:
    """Read a file as it stands; a damaged, sequential or foreign one raises FormatError."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; check the path") from None
    try:
        return _parse(data)
    except (ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
        raise FormatError(f"{path} cannot be read as an AIGER file ({error}); write it anew") from None


def _parse(data: bytes) -> AigerFile:
    head, place = _lines(data, 0, 1)
    kind, *numbers = head[0].split()
    if kind not in ("aig", "aag"):
        raise ValueError(f"it begins with {kind[:20]!r}, not with aig or aag")
    m, i, latches, o, a, *more = map(int, numbers)
    if latches or any(more):
        raise ValueError(f"it has {latches} latches and {sum(more)} properties, and only combinational files are read")
    if min(m, i, o, a) < 0 or i + a > m or (kind == "aig" and m != i + a):
        raise ValueError(f"its header {head[0]!r} does not add up")
    if kind == "aag":
        fanin, outputs, place = _ascii(data, place, m, i, o, a)
    else:
        lines, place = _lines(data, place, o)
        outputs = np.array(lines, dtype=np.int64)
        fanin, place = _decode(data, place, i, a)
    if len(outputs) and not (outputs.min() >= 0 and outputs.max() < 2 * (1 + i + a)):
        raise ValueError("an output names a variable that is not defined")
    symbols, words = _tail(data[place:].decode(), i, o)
    return AigerFile(i, fanin, outputs, symbols, words)


def _lines(data: bytes, place: int, n: int) -> tuple[list[str], int]:
    lines = []
    for _ in range(n):
        end = data.find(b"\n", place)
        if end < 0:
            raise ValueError("it ends early")
        lines.append(data[place:end].decode())
        place = end + 1
    return lines, place


def _decode(data: bytes, place: int, n_inputs: int, n: int) -> tuple[np.ndarray, int]:
    octets = np.frombuffer(data, dtype=np.uint8, offset=place, count=min(len(data) - place, 10 * n))
    ends = np.flatnonzero(octets < 128)[: 2 * n]
    if len(ends) < 2 * n:
        raise ValueError("it ends early")
    starts = np.concatenate([[0], ends[:-1] + 1]) if n else ends
    delta, length = np.zeros(2 * n, dtype=np.int64), ends - starts + 1
    if n and length.max() > 5:
        raise ValueError("a conjunction's literal takes more than 35 bits")
    for j in range(5):
        has = length > j
        delta[has] |= (octets[starts[has] + j].astype(np.int64) & 127) << 7 * j
    own = 2 * np.arange(1 + n_inputs, 1 + n_inputs + n)
    left = own - delta[0::2]
    fanin = np.stack([left, left - delta[1::2]], axis=1)
    if n and (fanin.min() < 0 or (delta[0::2] < 1).any()):
        raise ValueError("a conjunction reads a variable that does not come before it")
    return fanin, place + int(ends[-1]) + 1 if n else place


def _ascii(data: bytes, place: int, m: int, i: int, o: int, a: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Inputs, outputs and conjunctions, renumbered in topological order; the format lets them stand in any."""
    lines, place = _lines(data, place, i + o + a)
    inputs, outputs = [int(x) for x in lines[:i]], [int(x) for x in lines[i : i + o]]
    rows = {}
    for line in lines[i + o :]:
        own, x, y = map(int, line.split())
        rows[own] = x, y
    literals = [*inputs, *rows]
    if len(set(literals)) < i + a or any(x & 1 or not 2 <= x <= 2 * m + 1 for x in literals):
        raise ValueError("a variable is defined twice or is none of the header's")
    new = {0: 0, **{x: 2 * v for v, x in enumerate(inputs, 1)}}
    fanin = []
    for own in topological(rows, lambda row: (row[0] & ~1, row[1] & ~1), new):
        x, y = (new[z & ~1] | z & 1 for z in rows[own])
        new[own] = 2 * (1 + i + len(fanin))
        fanin.append((x, y))
    outputs = [new[x & ~1] | x & 1 for x in outputs]
    return np.array(fanin, dtype=np.int64).reshape(-1, 2), np.array(outputs, dtype=np.int64), place


def topological(rows: dict, operands, known) -> list:
    """The keys of ``rows`` in an order where ``operands(row)`` are in ``known`` or come first; ValueError on a loop."""
    order, state = [], {}
    for root in rows:
        stack = [root]
        while stack:
            key = stack[-1]
            if state.get(key) == "done":
                stack.pop()
                continue
            waiting = [f for f in operands(rows[key]) if f not in known and state.get(f) != "done"]
            missing = next((f for f in waiting if f not in rows), None)
            if missing is not None:
                raise ValueError(f"{missing!r} is read and nowhere defined")
            if not waiting:
                state[key] = "done"
                order.append(stack.pop())
            elif state.get(key) == "open":
                raise ValueError(f"{key!r} depends on itself")
            else:
                state[key] = "open"
                stack += waiting
    return order


def _tail(text: str, i: int, o: int) -> tuple[dict, dict | None]:
    symbols, words = {"i": {}, "o": {}}, None
    limit = {"i": i, "o": o}
    lines = iter(text.split("\n"))
    for line in lines:
        if not line or line == "c":
            break
        place, _, name = line.partition(" ")
        if place[0] not in limit or not int(place[1:]) < limit[place[0]] or not name:
            raise ValueError(f"symbol line {line[:40]!r} names no input or output")
        symbols[place[0]][int(place[1:])] = name
    for line in lines:
        if line.startswith(MARK + "{"):
            words = restore_words(line.removeprefix(MARK))
            if (sum(w.width for w in words["inputs"]), sum(w.width for w in words["outputs"])) != (i, o):
                raise ValueError("its words and its bits differ in number")
    return symbols, words


def read_aiger(path) -> Circuit:
    """Read a combinational AIGER file, either kind, as two-input gates of the stage ``network``.

    A latch, a truncated or a damaged file raises FormatError.
    """
    file = parse_aiger(path)
    words = file.words
    if words is None:
        names = {key: [file.symbols[key].get(j, f"{key}{j}") for j in range(n)]
                 for key, n in (("i", file.n_inputs), ("o", len(file.outputs)))}
        words = {"name": re.sub(r"\s+", "_", Path(path).stem), "labels": (),
                 "inputs": one_bit_words(names["i"]), "outputs": one_bit_words(names["o"])}
    return aig_circuit(file, words)


def aig_circuit(file: AigerFile, words: dict) -> Circuit:
    """Conjunctions as two-input gates that absorb their operands' complements; inverters only at the outputs."""
    inputs = words["inputs"]
    flip = file.fanin & 1
    table = np.array([TABLE["AND"], TABLE["B_AND_NOT_A"], TABLE["A_AND_NOT_B"], TABLE["NOR"]], dtype=np.uint64)
    net_of = np.arange(1, 2 + file.n_inputs + len(file.fanin))
    net_of[0] = FALSE
    output_nets = np.where(file.outputs == 1, TRUE, net_of[file.outputs >> 1])
    inverted = np.unique(file.outputs[(file.outputs > 1) & (file.outputs & 1 == 1)])
    first = FIRST + file.n_inputs + len(file.fanin)
    for serial, literal in enumerate(inverted.tolist()):
        output_nets[file.outputs == literal] = first + serial
    nots = np.stack([net_of[inverted >> 1], np.zeros(len(inverted), dtype=np.int64)], axis=1)
    n = len(file.fanin) + len(inverted)
    circuit = Circuit(
        name=words["name"], inputs=inputs, outputs=words["outputs"], labels=words["labels"],
        fanin=np.concatenate([net_of[file.fanin >> 1], nots]).astype(np.int32),
        table=np.concatenate([table[flip[:, 0] + 2 * flip[:, 1]], np.full(len(inverted), 0b01, dtype=np.uint64)]),
        arity=np.repeat(np.array([2, 1], dtype=np.uint8), [len(file.fanin), len(inverted)]),
        stage=np.full(n, STAGES.index("network"), dtype=np.uint8), output_nets=output_nets.astype(np.int32),
    )
    check(circuit)
    return circuit
