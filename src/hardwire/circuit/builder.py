"""Build a circuit net by net."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from ..core.errors import InputError
from ..core.gates import TABLE
from ..core.truth_tables import restrict
from .check import check
from .circuit import FALSE, FIRST, MACROS, MAX_ARITY, STAGES, TRUE, Circuit, Macro, MacroKind, Stage, Word

WIRE = 0b10


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
    def stage(self, name: Stage) -> Iterator["CircuitBuilder"]:
        """Nodes added inside belong to this stage."""
        if name not in STAGES:
            raise InputError(f"stage {name!r} is none of {', '.join(STAGES)}")
        before, self._stage = self._stage, STAGES.index(name)
        try:
            yield self
        finally:
            self._stage = before

    def levels(self) -> list[int]:
        """How many nodes lie on the longest path to each net so far; 0 for constants and inputs."""
        levels = [0] * (FIRST + self._input_bits)
        for fanin in self._rows:
            levels.append(1 + max(levels[net] for net in fanin))
        return levels

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
        nets: tuple[int, ...] = (a,) if a == b else (a, b)
        if a == b:
            table = table & 1 | table >> 2 & 2
        table, kept = restrict(table, tuple([net if net <= TRUE else None for net in nets]))
        nets = tuple([nets[i] for i in kept])
        if not nets:
            return TRUE if table else FALSE
        return nets[0] if len(nets) == 1 and table == WIRE else self.node(table, *nets)

    def not_(self, a: int) -> int:
        """``not a``."""
        return self.gate(TABLE["NOT_A"], a, FALSE)

    def and_(self, a: int, b: int) -> int:
        """``a and b``."""
        return self.gate(TABLE["AND"], a, b)

    def or_(self, a: int, b: int) -> int:
        """``a or b``."""
        return self.gate(TABLE["OR"], a, b)

    def xor(self, a: int, b: int) -> int:
        """``a xor b``."""
        return self.gate(TABLE["XOR"], a, b)

    def mux(self, select: int, low: int, high: int) -> int:
        """``high`` where ``select`` is true, else ``low``; three gates."""
        if low == high:
            return low
        return self.or_(self.gate(TABLE["A_AND_NOT_B"], low, select), self.and_(high, select))

    def macro(self, kind: MacroKind, inputs: Iterable[int], outputs: Iterable[int], value: int = 0) -> None:
        """State what nets are of others; ``MACROS`` lists the kinds."""
        if kind not in MACROS:
            raise InputError(f"macro {kind!r} is none of {', '.join(MACROS)}")
        self._macros.append(Macro(kind, tuple(map(int, inputs)), tuple(map(int, outputs)), int(value)))

    def output(self, name: str, nets: int | Iterable[int], *, offset: float = 0.0, step: float = 1.0) -> None:
        """Add an output word over ``nets``, least significant bit first; its value is ``offset + step code``."""
        nets = [int(n) for n in (nets if isinstance(nets, Iterable) else [nets])]
        if not 1 <= len(nets) <= 64:
            raise InputError(f"output {name!r} has {len(nets)} bits; a word has 1 to 64")
        self._outputs.append(Word(name, len(nets), float(offset), float(step)))
        self._output_nets += nets

    def build(self) -> Circuit:
        """The finished circuit, checked."""
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
