"""The circuit: a flat, topologically ordered array of look-up tables of one to six inputs.

A *net* is an integer. Net 0 is constant false, net 1 constant true; the bits of the input words follow in order,
least significant first; then one net for each node. A node's table is read least significant bit first, operand 0
being the least significant address bit. Samples go in and come out as codes: unsigned integers of shape
(samples, words).

*Macros* are facts about nets: "these nets are the population count of those". The nodes alone define the circuit;
a back end that has a better spelling of a macro (a comparison in C, a hand-written adder tree in Verilog) may use it
and leave out the nodes that then feed nothing. Since a pass keeps the function of every net that a macro names,
macros survive optimisation, and a proof of the emitted text proves them too.
"""

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from ..core.bits import unsigned
from ..core.errors import InputError
from ..core.gates import GATES, TABLE, support

STAGES = ("encoder", "network", "head")
FALSE, TRUE, FIRST = 0, 1, 2
MAX_ARITY = 6
#: kind -> what the outputs are of the inputs.
MACROS = {
    "ge": "outputs[0] = (inputs as an unsigned word, LSB first) >= value",
    "popcount": "outputs, LSB first = how many inputs are true",
    "argmax": "outputs, LSB first = index of the largest of value equally wide unsigned words; the lowest index wins a tie",
}


@dataclass(frozen=True)
class Word:
    """A named word of ``width`` bits (1 to 64).

    For an input, a physical value ``v`` becomes the code ``clip(floor((v - offset) / step), 0, 2^width - 1)``.
    """

    name: str
    width: int
    offset: float = 0.0
    step: float = 1.0


@dataclass(frozen=True)
class Macro:
    """A fact about nets; see ``MACROS``."""

    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    value: int = 0


@dataclass(frozen=True, eq=False)
class Circuit:
    """An immutable circuit of ``n`` nodes.

    fanin    (n, k) int32, k the largest arity; unused places hold net 0
    table    (n,) uint64 truth tables
    arity    (n,) uint8, 1 to 6
    stage    (n,) uint8, index into ``STAGES``
    output_nets  (sum of output widths,) int32
    labels   names of the classes, when the first output word is a class index
    """

    name: str
    inputs: tuple[Word, ...]
    fanin: np.ndarray
    table: np.ndarray
    arity: np.ndarray
    stage: np.ndarray
    outputs: tuple[Word, ...]
    output_nets: np.ndarray
    macros: tuple[Macro, ...] = ()
    labels: tuple[str, ...] = ()

    @property
    def n_nodes(self) -> int:
        return len(self.table)

    @cached_property
    def n_input_bits(self) -> int:
        return sum(w.width for w in self.inputs)

    @property
    def first_node(self) -> int:
        """The net of node 0."""
        return FIRST + self.n_input_bits

    @property
    def n_nets(self) -> int:
        return self.first_node + self.n_nodes

    @property
    def input_widths(self) -> list[int]:
        return [w.width for w in self.inputs]

    @property
    def output_widths(self) -> list[int]:
        return [w.width for w in self.outputs]

    @property
    def input_dtype(self) -> np.dtype:
        return unsigned(max(self.input_widths, default=1))

    @property
    def output_dtype(self) -> np.dtype:
        return unsigned(max(self.output_widths, default=1))

    @cached_property
    def level(self) -> np.ndarray:
        """Level of every net, int32: 0 for constants and inputs, else one more than the highest fan-in."""
        level = [0] * self.first_node
        for row, k in zip(self.fanin.tolist(), self.arity.tolist()):
            level.append(1 + max([level[net] for net in row[:k]]))
        return np.array(level, dtype=np.int32)

    @property
    def depth(self) -> int:
        """Tables on the longest path to an output."""
        return int(self.level[self.output_nets].max(initial=0))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the circuit's text; equal digests mean identical circuits."""
        from .formats.net import body

        return hashlib.sha256(body(self).encode()).hexdigest()

    def counts(self) -> dict:
        """``{stage: {"gates", "depth"}}`` where gates are two-input gates.

        A table of two operands is one gate, an inverter is one gate, a wire is none. A wider table counts the gates of
        its Shannon expansion, an upper bound. Depth is the number of gates that a stage adds to the longest path to it.
        """
        cost = gate_cost(self.table, self.arity)
        result, below = {}, 0
        for index, stage in enumerate(STAGES):
            mine = np.flatnonzero(self.stage == index)
            top = int(self.level[self.first_node + mine].max(initial=below))
            result[stage] = {"gates": int(cost[mine].sum()), "depth": max(0, top - below)}
            below = max(below, top)
        return result

    def codes(self, x) -> np.ndarray:
        """Check and convert samples of shape (samples, words) to this circuit's input codes.

        Unsigned integers are codes. Real values, and signed integers where a word has an ``offset`` or a ``step``, are
        physical values and saturate at the ends of the range. Any memory layout is accepted; the result is C-contiguous
        in ``input_dtype``.
        """
        x = np.asarray(x)
        if x.ndim != 2 or x.shape[1] != len(self.inputs):
            raise InputError(
                f"input has shape {x.shape}, but circuit {self.name!r} reads (samples, {len(self.inputs)}); "
                f"give one column for each input word"
            )
        if x.dtype == bool:
            x = x.astype(np.uint8)
        scaled = x.dtype.kind == "i" and any((w.offset, w.step) != (0, 1) for w in self.inputs)
        if scaled or np.issubdtype(x.dtype, np.floating):
            return self._quantise(x)
        if not np.issubdtype(x.dtype, np.integer):
            raise InputError(f"input has dtype {x.dtype}; give numbers")
        limit = np.array([(1 << w) - 1 for w in self.input_widths], dtype=np.uint64)
        if x.dtype != self.input_dtype or not np.all(limit == np.iinfo(self.input_dtype).max):
            bad = (x < 0) if x.dtype.kind == "i" else np.zeros(x.shape, dtype=bool)
            bad = bad | (x.astype(np.uint64) > limit)
            if bad.any():
                row, column = np.argwhere(bad)[0]
                word = self.inputs[column]
                raise InputError(
                    f"sample {row} has {x[row, column]} in input {word.name!r}, which holds 0 to {limit[column]}"
                )
        return np.ascontiguousarray(x, dtype=self.input_dtype)

    def _quantise(self, x: np.ndarray) -> np.ndarray:
        if not np.isfinite(x).all():
            row, column = np.argwhere(~np.isfinite(x))[0]
            raise InputError(f"sample {row} has {x[row, column]} in input {self.inputs[column].name!r}; remove or fill it")
        offset = np.array([w.offset for w in self.inputs])
        step = np.array([w.step for w in self.inputs])
        top = np.array([(1 << w) - 1 for w in self.input_widths], dtype=np.uint64)
        with np.errstate(over="ignore"):
            value = np.maximum(np.floor((x - offset) / step), 0)
        full = value >= top.astype(np.float64)  # set apart: float64 does not hold 2^64 - 1
        codes = np.where(full, top, np.where(full, 0, value).astype(np.uint64))
        return np.ascontiguousarray(codes, dtype=self.input_dtype)

    def net_names(self) -> list[str]:
        names = ["0", "1"]
        for word in self.inputs:
            names += [word.name] if word.width == 1 else [f"{word.name}[{j}]" for j in range(word.width)]
        return names + [f"n{net}" for net in range(self.first_node, self.n_nets)]

    def __str__(self) -> str:
        return format_circuit(self)

    def __repr__(self) -> str:
        return f"<Circuit {self.name!r}: {len(self.inputs)} inputs, {self.n_nodes} nodes, depth {self.depth}>"

    def with_(self, **changes) -> "Circuit":
        return replace(self, **changes)


def gate_cost(table: np.ndarray, arity: np.ndarray) -> np.ndarray:
    """Two-input gates of each table: 0 for wires and constants, 1 for inverters and gates, Shannon's bound above."""
    keys, inverse = np.unique(np.stack([table.astype(np.uint64), arity.astype(np.uint64)]), axis=1, return_inverse=True)
    cost = np.array([_table_cost(int(t), int(k)) for t, k in keys.T], dtype=np.int64)
    return cost[inverse.ravel()] if len(cost) else np.zeros(0, dtype=np.int64)


def _table_cost(table: int, k: int) -> int:
    mask = support(table, k)
    size = mask.bit_count()
    if size == 0:
        return 0
    if size == 1:
        i = mask.bit_length() - 1
        return int(not table >> (1 << i) & 1)  # false where its operand is true: an inverter
    if size == 2:
        return 1
    top = mask.bit_length() - 1
    low, high = cofactors(table, k, top)
    if low == high ^ ((1 << (1 << (k - 1))) - 1):  # f = x xor low
        return 1 + _table_cost(low, k - 1)
    parts = [_table_cost(t, k - 1) for t in (low, high)]
    constant = [t in (0, (1 << (1 << (k - 1))) - 1) for t in (low, high)]
    return sum(parts) + (1 if any(constant) else 3)


def cofactors(table: int, k: int, i: int) -> tuple[int, int]:
    """The tables over the other ``k - 1`` operands where operand ``i`` is 0, and where it is 1."""
    low = high = 0
    for m in range(1 << (k - 1)):
        address = (m & ((1 << i) - 1)) | (m >> i) << (i + 1)
        low |= (table >> address & 1) << m
        high |= (table >> (address | 1 << i) & 1) << m
    return low, high


def format_circuit(circuit: Circuit) -> str:
    """One line a net, operands by name, so that a circuit can be read whole and compared whole."""
    names = circuit.net_names()
    lines = [f"circuit {circuit.name}"]
    lines += [f"input {w.name}[{w.width}]" for w in circuit.inputs]
    rows = zip(circuit.fanin.tolist(), circuit.table.tolist(), circuit.arity.tolist(), circuit.stage.tolist())
    for net, (row, table, k, stage) in enumerate(rows, circuit.first_node):
        operands = ", ".join(names[f] for f in row[:k])
        if k == 2:
            what = GATES[table].name
        elif k == 1:
            what = {0: "FALSE", 1: "NOT", 2: "WIRE", 3: "TRUE"}[table]
        else:
            what = f"LUT{k}:{table:0{max(1, 1 << k >> 2)}x}"
        lines.append(f"{names[net]} = {what}({operands})  # {STAGES[stage]}")
    for macro in circuit.macros:
        ins, outs = (" ".join(names[n] for n in nets) for nets in (macro.inputs, macro.outputs))
        lines.append(f"fact {outs} = {macro.kind}({ins}; {macro.value})")
    place = 0
    for word in circuit.outputs:
        nets = circuit.output_nets[place : place + word.width]
        lines.append(f"output {word.name}[{word.width}] = " + " ".join(names[n] for n in nets))
        place += word.width
    return "\n".join(lines) + "\n"


@dataclass
class CircuitBuilder:
    """Builds a circuit net by net. ``node`` adds exactly what it is given; ``gate`` folds constants and wires."""

    name: str = "circuit"
    labels: tuple[str, ...] = ()
    _inputs: list[Word] = field(default_factory=list)
    _outputs: list[Word] = field(default_factory=list)
    _output_nets: list[int] = field(default_factory=list)
    _macros: list[Macro] = field(default_factory=list)
    _rows: list[tuple[int, ...]] = field(default_factory=list)
    _tables: list[int] = field(default_factory=list)
    _stages: list[int] = field(default_factory=list)
    _stage: int = 1
    _input_bits: int = 0

    @property
    def _next(self) -> int:
        return FIRST + self._input_bits + len(self._rows)

    def input(self, name: str, width: int = 1, *, offset: float = 0.0, step: float = 1.0) -> list[int]:
        """Add an input word; its nets, least significant bit first. All inputs come before the first node."""
        if self._rows:
            raise InputError(f"input {name!r} comes after a node; add every input first")
        if not 1 <= width <= 64:
            raise InputError(f"input {name!r} has {width} bits; a word has 1 to 64")
        start = self._next
        self._inputs.append(Word(name, width, float(offset), float(step)))
        self._input_bits += width
        return list(range(start, start + width))

    @contextmanager
    def stage(self, name: str):
        """Nodes added inside belong to this stage."""
        if name not in STAGES:
            raise InputError(f"stage {name!r} is none of {', '.join(STAGES)}")
        before, self._stage = self._stage, STAGES.index(name)
        try:
            yield self
        finally:
            self._stage = before

    def node(self, table: int, *fanin: int) -> int:
        """Add exactly this node, also a wire or a constant one."""
        if not 1 <= len(fanin) <= MAX_ARITY:
            raise InputError(f"a node has 1 to {MAX_ARITY} operands, not {len(fanin)}")
        if not all(0 <= net < self._next for net in fanin):
            raise InputError(f"node {self._next} reads net {max(fanin)}, which does not come before it")
        if not 0 <= table < 1 << (1 << len(fanin)):
            raise InputError(f"table {table:#x} does not fit {len(fanin)} operands")
        self._rows.append(tuple(int(f) for f in fanin))
        self._tables.append(int(table))
        self._stages.append(self._stage)
        return self._next - 1

    def gate(self, table: int, a: int, b: int) -> int:
        """A two-input gate, folded where an operand is constant or both are one net."""
        t = [table >> i & 1 for i in range(4)]
        if a == b:
            t = [t[0], t[3], t[0], t[3]]
        if a <= TRUE:
            t = [t[a], t[a], t[a + 2], t[a + 2]]
        if b <= TRUE:
            t = [t[2 * b], t[2 * b + 1], t[2 * b], t[2 * b + 1]]
        table = sum(bit << i for i, bit in enumerate(t))
        if table in (TABLE["FALSE"], TABLE["TRUE"]):
            return TRUE if table else FALSE
        if table in (TABLE["A"], TABLE["B"]):
            return a if table == TABLE["A"] else b
        if table in (TABLE["NOT_A"], TABLE["NOT_B"]):
            return self.node(0b01, a if table == TABLE["NOT_A"] else b)
        return self.node(table, a, b)

    def not_(self, a: int) -> int:
        return self.gate(TABLE["NOT_A"], a, FALSE)

    def and_(self, a: int, b: int) -> int:
        return self.gate(TABLE["AND"], a, b)

    def or_(self, a: int, b: int) -> int:
        return self.gate(TABLE["OR"], a, b)

    def xor(self, a: int, b: int) -> int:
        return self.gate(TABLE["XOR"], a, b)

    def mux(self, select: int, low: int, high: int) -> int:
        """``high`` where ``select`` is true, else ``low``; three gates."""
        if low == high:
            return low
        return self.or_(self.gate(TABLE["A_AND_NOT_B"], low, select), self.and_(high, select))

    def macro(self, kind: str, inputs, outputs, value: int = 0) -> None:
        """State a fact about nets; see ``MACROS``."""
        if kind not in MACROS:
            raise InputError(f"macro {kind!r} is none of {', '.join(MACROS)}")
        self._macros.append(Macro(kind, tuple(map(int, inputs)), tuple(map(int, outputs)), int(value)))

    def output(self, name: str, nets) -> None:
        """Add an output word over ``nets``, least significant bit first."""
        nets = [int(n) for n in ([nets] if np.isscalar(nets) else nets)]
        if not 1 <= len(nets) <= 64:
            raise InputError(f"output {name!r} has {len(nets)} bits; a word has 1 to 64")
        self._outputs.append(Word(name, len(nets)))
        self._output_nets += nets

    def build(self) -> Circuit:
        """The finished circuit, checked."""
        from .check import check

        k = max((len(r) for r in self._rows), default=2)
        circuit = Circuit(
            name=self.name,
            inputs=tuple(self._inputs),
            fanin=np.array([r + (0,) * (k - len(r)) for r in self._rows], dtype=np.int32).reshape(-1, k),
            table=np.array(self._tables, dtype=np.uint64),
            arity=np.array([len(r) for r in self._rows], dtype=np.uint8),
            stage=np.array(self._stages, dtype=np.uint8),
            outputs=tuple(self._outputs),
            output_nets=np.array(self._output_nets, dtype=np.int32),
            macros=tuple(self._macros),
            labels=tuple(self.labels),
        )
        check(circuit)
        return circuit
