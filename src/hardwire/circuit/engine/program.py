"""A circuit as a program of the packed engine: scheduled, ordered into runs of equal gates, rows allocated."""

import gc
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...core.truth_tables import decompose
from ..circuit import FALSE, TRUE, Circuit, Macro
from ..packing import Index, Packing, pack_in_chunks, split_sources
from ..schedule import Node
from . import kernels

#: Words of a chunk of packing.
CHUNK = 64


@dataclass(frozen=True)
class Program:
    """What the kernels run: steps over operand lists, all in row numbers.

    Attributes
    ----------
    rows
        How many rows of memory are needed.
    op, begin, end
        Operation of each step, and where its operands lie in the lists.
    a, b, out
        The lists: operands and results, see ``kernels.evaluate``.
    word, mask, threshold
        How the input is packed, see ``kernels.encode``.
    constants
        The rows of false and of true.
    outputs, first_bit
        The rows of the output bits, and where each word's bits begin.
    scratch
        Rows of an arg-max's best word so far.
    """

    rows: int
    op: Index
    begin: Index
    end: Index
    a: Index
    b: Index
    out: Index
    word: Index
    mask: NDArray[np.unsignedinteger[Any]]
    threshold: NDArray[np.unsignedinteger[Any]]
    constants: tuple[int, int]
    outputs: Index
    first_bit: Index
    scratch: int


class Gate(NamedTuple):
    """A two-input gate over nets; ``operation`` is a table of ``kernels.TABLES``."""

    operation: int
    a: int
    b: int
    net: int


class GateRun(NamedTuple):
    """A step of equal gates; a gate may read the results of those before it in the run."""

    operation: int
    gates: list[Gate]


class MacroStep(NamedTuple):
    """A step of one macro that has a kernel of its own, a population count or an arg-max of ``words`` words."""

    operation: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    words: int


def compile_program(circuit: Circuit) -> Program:
    """Schedule, order and allocate; linear in the circuit."""
    with _no_garbage_collection():
        items, packed = split_sources(circuit)
        packing = pack_in_chunks(circuit, packed, CHUNK)
        gates, macros, alias = _gates(circuit, items)
        steps = _order(gates, macros, {FALSE, TRUE, *packing.row})
        return _allocate(circuit, steps, alias, packing)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """A hundred thousand small tuples that all stay alive: looking through them for cycles takes half of the time."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


#: table -> (operation, operands exchanged); tables that are missing are wires and constants.
_CANONICAL = {t: (t, False) for t in kernels.TABLES} | {
    0b0100: (0b0010, True), 0b1101: (0b1011, True), 0b0011: (0b0101, True)}


def _gates(circuit: Circuit, items: Iterable[Node | Macro]) -> tuple[list[Gate], list[MacroStep], dict[int, int]]:
    """Scheduled items as gates of two operands and macros; wires become aliases of the net that they carry."""
    gates: list[Gate] = []
    macros: list[MacroStep] = []
    alias: dict[int, int] = {}
    fresh = circuit.n_nets

    def add(table: int, a: int, b: int, net: int) -> None:
        a, b = alias.get(a, a), alias.get(b, b)
        if a == b:
            table = (table & 1) * 0b0101 | (table >> 3 & 1) * 0b1010
        if table in _CANONICAL:
            operation, swap = _CANONICAL[table]
            gates.append(Gate(operation, b, a, net) if swap else Gate(operation, a, b, net))
        else:
            alias[net] = {0b0000: FALSE, 0b1111: TRUE, 0b1010: a, 0b1100: b}[table]

    def add_inner(table: int, a: int, b: int) -> int:
        nonlocal fresh
        fresh += 1
        add(table, a, b, fresh - 1)
        return fresh - 1

    for item in items:
        if isinstance(item, Macro):
            operation = kernels.POPCOUNT if item.kind == "popcount" else kernels.ARGMAX
            inputs = tuple(alias.get(n, n) for n in item.inputs)
            macros.append(MacroStep(operation, inputs, item.outputs, item.value))
        elif len(item.inputs) == 2:
            add(item.table, *item.inputs, item.net)
        elif item.inputs:
            result = decompose(item.table, item.inputs, add_inner)
            alias[item.net] = alias.get(result, result)
        else:
            alias[item.net] = TRUE if item.table else FALSE
    return gates, macros, alias


def _order(gates: list[Gate], macros: list[MacroStep], known: set[int]) -> list[GateRun | MacroStep]:
    """Steps such that equal gates follow each other.

    Of all gates whose operands are known, the most frequent operation goes next, with all that become ready by it.
    """
    waiting: dict[int, list[int]] = defaultdict(list)
    missing = [0] * (len(gates) + len(macros))
    ready: dict[int, list[int]] = defaultdict(list)
    operands = [{a, b} for _, a, b, _ in gates] + [set(m.inputs) for m in macros]
    kinds = [g.operation for g in gates] + [m.operation for m in macros]
    results = [(g.net,) for g in gates] + [m.outputs for m in macros]
    for index, nets in enumerate(operands):
        unknown = [n for n in nets if n not in known]
        missing[index] = len(unknown)
        for net in unknown:
            waiting[net].append(index)
        if not unknown:
            ready[kinds[index]].append(index)
    steps: list[GateRun | MacroStep] = []
    while any(ready.values()):
        kind = max(ready, key=lambda k: (k >= kernels.POPCOUNT and bool(ready[k]), len(ready[k]), -k))
        run = ready.pop(kind)
        place = 0
        while place < len(run):
            for net in results[run[place]]:
                for index in waiting.pop(net, ()):
                    missing[index] -= 1
                    if not missing[index]:
                        (run if kinds[index] == kind else ready[kinds[index]]).append(index)
            place += 1
        if kind >= kernels.POPCOUNT:
            steps += [macros[index - len(gates)] for index in run]
        else:
            steps.append(GateRun(kind, [gates[index] for index in run]))
    return steps


class _Rows:
    """Rows of memory for nets, the row freed last taken first."""

    def __init__(self, row: dict[int, int], free: list[int], count: int) -> None:
        self.row, self.free, self.count = row, free, count

    def take(self, net: int) -> int:
        if self.free:
            self.row[net] = self.free.pop()
        else:
            self.row[net], self.count = self.count, self.count + 1
        return self.row[net]


def _allocate(
    circuit: Circuit, steps: Sequence[GateRun | MacroStep], alias: dict[int, int], packing: Packing
) -> Program:
    """Operand lists in row numbers; a row is free again after the last use of its net."""
    output_nets = [alias.get(n, n) for n in circuit.output_nets.tolist()]
    last = _last_uses(steps, output_nets)
    packed = packing.mask.size
    row = {FALSE: packed, TRUE: packed + 1, **packing.row}
    free = sorted(set(range(packed)) - {r for net, r in packing.row.items() if net in last})
    rows, scratch, time = _Rows(row, free, packed + 2), 1, 0
    op, begin, end = list[int](), list[int](), list[int]()
    a, b, out = list[int](), list[int](), list[int]()

    def release(nets: Iterable[int], time: int) -> None:
        for net in set(nets):
            if last.get(net) == time and net > TRUE:
                free.append(row[net])

    for step in steps:
        op.append(step.operation)
        begin.append(len(a))
        if isinstance(step, GateRun):
            end.append(len(a) + len(step.gates))
            for _, x, y, net in step.gates:
                a.append(row[x])
                b.append(row[y])
                release((x, y), time)
                out.append(rows.take(net))
                time += 1
        else:
            _, inputs, outputs, words = step
            end.append(len(a) + len(inputs))
            targets = [rows.take(net) for net in outputs]  # before release: a kernel writes before it has read all
            size = max(len(inputs), len(outputs), 2)
            a += [row[net] for net in inputs] + [0] * (size - len(inputs))
            b += [len(outputs), words] + [0] * (size - 2)
            out += targets + [0] * (size - len(outputs))
            release(inputs, time)
            scratch = max(scratch, len(inputs) // words if step.operation == kernels.ARGMAX else 1)
            time += 1

    output_rows = [row[n] for n in output_nets]
    return Program(
        rows=rows.count, op=_index(op), begin=_index(begin), end=_index(end), a=_index(a), b=_index(b), out=_index(out),
        word=packing.word, mask=packing.mask, threshold=packing.threshold, constants=(row[FALSE], row[TRUE]),
        outputs=_index(output_rows), first_bit=_index(np.cumsum([0, *circuit.output_widths])), scratch=scratch,
    )


def _index(numbers: ArrayLike) -> Index:
    return np.array(numbers, dtype=np.int64)


def _last_uses(steps: Iterable[GateRun | MacroStep], output_nets: Iterable[int]) -> dict[int, int]:
    """The time of each net's last use; outputs are never released."""
    last: dict[int, int] = {}
    time = 0
    for step in steps:
        if isinstance(step, GateRun):
            for _, x, y, _ in step.gates:
                last[x] = last[y] = time
                time += 1
        else:
            last.update(dict.fromkeys(step.inputs, time))
            time += 1
    return last | dict.fromkeys(output_nets, -1)
