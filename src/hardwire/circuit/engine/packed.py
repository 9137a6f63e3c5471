"""The fast engine: 512 samples at a time, one bit each, with no compile step for a circuit.

Gates are put in an order in which long runs of equal gates follow each other; a run is one tight loop over wide words.
Rows of memory are reused as soon as their value is dead. Comparisons of an input word with a constant happen while the
input is packed; population counts and the arg-max have kernels of their own (the circuit's macros say where they are).
"""

import gc
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ...core.errors import InputError
from ...core.threads import run_jobs, workspace
from ..circuit import FALSE, FIRST, TRUE, Circuit, Macro, cofactors
from ..schedule import schedule
from . import kernels

LANES = kernels.LANES


@dataclass(frozen=True)
class Program:
    """What the kernels run: steps over operand lists, all in row numbers."""

    rows: int
    op: np.ndarray
    begin: np.ndarray
    end: np.ndarray
    a: np.ndarray
    b: np.ndarray
    out: np.ndarray
    word: np.ndarray
    mask: np.ndarray
    threshold: np.ndarray
    constants: tuple[int, int]
    outputs: np.ndarray
    first_bit: np.ndarray
    scratch: int


class PackedEngine:
    """Runs a circuit on many samples: ``engine(x)`` for codes (samples, input words) of any batch size and memory layout.

    ``threads`` share the blocks; the answer does not depend on it.
    """

    def __init__(self, circuit: Circuit, *, threads: int = 1):
        if threads < 1:
            raise InputError(f"threads is {threads}; use at least 1")
        self.circuit, self.threads = circuit, threads
        self.program = compile_program(circuit)

    def __call__(self, x) -> np.ndarray:
        """Codes (samples, output words), as ``simulate`` gives them."""
        x = self.circuit.codes(x)
        out = np.empty((len(x), len(self.circuit.outputs)), self.circuit.output_dtype)
        starts = range(0, len(x), kernels.BLOCK)
        per_job = max(1, -(-len(starts) // (4 * self.threads)))

        def work(job):
            buffers = self._buffers()
            for start in starts[job * per_job : (job + 1) * per_job]:
                self._encode(x, start, buffers)
                self._evaluate(buffers)
                kernels.decode(buffers.memory, self.program.outputs, self.program.first_bit, start, out)

        run_jobs(work, -(-len(starts) // per_job), self.threads)
        return out

    def _buffers(self) -> "Buffers":
        p, dtype = self.program, self.circuit.input_dtype
        memory, best, turned = workspace(np.uint64, p.rows * LANES, p.scratch * LANES, 64)
        for row, value in zip(p.constants, (0, 2**64 - 1)):
            memory[row * LANES : (row + 1) * LANES] = value
        staged = np.empty(64 * (len(self.circuit.inputs) + 63), dtype)
        return Buffers(memory, best, staged, np.empty(8 * 64, np.uint8), turned)

    def _encode(self, x, start, buffers):
        p, b = self.program, buffers
        kernels.encode(x, start, p.word, p.mask, p.threshold, b.staged, b.octets, b.turned, b.memory)

    def _evaluate(self, buffers):
        p = self.program
        kernels.evaluate(buffers.memory, p.op, p.begin, p.end, p.a, p.b, p.out, buffers.best)


class Buffers(NamedTuple):
    """One thread's memory: the rows, the arg-max's best word so far, and what packing works with."""

    memory: np.ndarray
    best: np.ndarray
    staged: np.ndarray
    octets: np.ndarray
    turned: np.ndarray


def compile_program(circuit: Circuit) -> Program:
    """Schedule, order and allocate; linear in the circuit."""
    with _no_garbage_collection():
        items, wanted = _split_sources(circuit)
        sources, source_row = _chunks(circuit, wanted)
        gates, tasks, alias = _gates(circuit, items)
        order = _order(gates, tasks, source_row, alias)
        return _allocate(circuit, order, alias, source_row, sources)


@contextmanager
def _no_garbage_collection():
    """A hundred thousand small tuples that all stay alive: looking through them for cycles takes half of the time."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def _split_sources(circuit: Circuit):
    """Scheduled items, and the bits that packing makes: ``net -> (word, mask, threshold)``.

    Those are comparisons of an input word with a constant, and single input bits.
    """
    word_of = np.repeat(np.arange(len(circuit.inputs)), circuit.input_widths)
    first = FIRST + np.concatenate([[0], np.cumsum(circuit.input_widths)]).astype(np.int64)
    kept = tuple(m for m in circuit.macros if m.kind != "ge" or _comparison(m, word_of, first))
    wanted, rest, used = {}, [], set(circuit.output_nets.tolist())
    for item in schedule(circuit.with_(macros=kept)):
        if isinstance(item, Macro) and item.kind == "ge":
            wanted[item.outputs[0]] = _comparison(item, word_of, first)
        else:
            rest.append(item)
            used.update(item.inputs)
    for net in sorted(n for n in used if FIRST <= n < circuit.first_node):
        word = int(word_of[net - FIRST])
        bit = 1 << (net - int(first[word]))
        wanted[net] = (word, bit, bit)
    return rest, wanted


def _comparison(item: Macro, word_of, first):
    """(word, mask, threshold) if the macro compares the upper bits of one input word, else None."""
    low, n = item.inputs[0], len(item.inputs)
    if not FIRST <= low < FIRST + len(word_of):
        return None
    word = int(word_of[low - FIRST])
    if item.inputs != tuple(range(low, low + n)) or low + n != first[word + 1]:
        return None
    shift = low - int(first[word])
    return word, (1 << n + shift) - 1, item.value << shift


def _chunks(circuit: Circuit, wanted):
    """Lay the wanted bits out in chunks of 64 neighbouring words, the p-th bit of each word in the p-th run of chunks.

    Gives each chunk's first word, mask and threshold, and the row of each bit.
    """
    plane: dict[int, list] = defaultdict(list)
    count: dict[int, int] = defaultdict(int)
    for net, (word, bits, value) in wanted.items():
        plane[count[word]].append((word, net, bits, value))
        count[word] += 1
    first, source_row, bits_of = [], {}, {}
    for p in sorted(plane):
        end = -1
        for word, net, bits, value in sorted(plane[p]):
            if word >= end:
                first.append(word)
                end = word + 64
            row = source_row[net] = 64 * (len(first) - 1) + word - first[-1]
            bits_of[row] = bits, value
    mask = np.zeros((len(first), 64), circuit.input_dtype)
    threshold = np.ones((len(first), 64), circuit.input_dtype)
    for row, (bits, value) in bits_of.items():
        mask[divmod(row, 64)], threshold[divmod(row, 64)] = bits, value
    return (np.array(first, dtype=np.int64), mask, threshold), source_row


#: table -> (operation, operands exchanged); tables that are missing are wires and constants.
_CANONICAL = {t: (t, False) for t in kernels.TABLES} | {0b0100: (0b0010, True), 0b1101: (0b1011, True), 0b0011: (0b0101, True)}


def _gates(circuit: Circuit, items):
    """Scheduled items as gates ``(operation, a, b, net)`` of two operands and tasks (macros); wires become aliases."""
    gates, tasks, alias = [], [], {}
    fresh = circuit.n_nets

    def emit(table, a, b, net):
        a, b = alias.get(a, a), alias.get(b, b)
        if a == b:
            table = (table & 1) * 0b0101 | (table >> 3 & 1) * 0b1010
        if table in _CANONICAL:
            operation, swap = _CANONICAL[table]
            gates.append((operation, b, a, net) if swap else (operation, a, b, net))
        else:
            alias[net] = {0b0000: FALSE, 0b1111: TRUE, 0b1010: a, 0b1100: b}[table]

    def expand(table, operands, net):
        """Shannon's expansion of a wide table, on its last operand."""
        nonlocal fresh
        k = len(operands)
        if k <= 2:
            operands = (FALSE, FALSE, *operands)[-2:]
            emit((table, (table & 1) * 0b0011 | (table >> 1 & 1) * 0b1100, table * 0b1111)[2 - k], *operands, net)
            return
        low, high, keep, take = fresh, fresh + 1, fresh + 2, fresh + 3
        fresh += 4
        for half, part in zip(cofactors(table, k, k - 1), (low, high)):
            expand(half, operands[:-1], part)
        emit(0b0010, low, operands[-1], keep)
        emit(0b1000, high, operands[-1], take)
        emit(0b1110, keep, take, net)

    for item in items:
        if isinstance(item, Macro):
            kind = kernels.POPCOUNT if item.kind == "popcount" else kernels.ARGMAX
            inputs = tuple(alias.get(n, n) for n in item.inputs)
            tasks.append((kind, inputs, item.outputs, item.value))
        else:
            expand(item.table, item.inputs, item.net)
    return gates, tasks, alias


def _order(gates, tasks, source_row, alias):
    """Steps ``(operation, members)`` such that equal gates follow each other: of all gates whose operands are known,
    the most frequent operation goes next, with all that become ready by it."""
    known = {FALSE, TRUE, *source_row}
    waiting: dict[int, list[int]] = defaultdict(list)
    missing = [0] * (len(gates) + len(tasks))
    ready: dict[int, list[int]] = defaultdict(list)
    operands = [set(g[1:3]) for g in gates] + [set(t[1]) for t in tasks]
    kinds = [g[0] for g in gates] + [t[0] for t in tasks]
    results = [(g[3],) for g in gates] + [t[2] for t in tasks]
    for index, nets in enumerate(operands):
        unknown = [n for n in nets if n not in known]
        missing[index] = len(unknown)
        for net in unknown:
            waiting[net].append(index)
        if not unknown:
            ready[kinds[index]].append(index)
    steps = []
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
            steps += [tasks[index - len(gates)] for index in run]
        else:
            steps.append((kind, [gates[index] for index in run]))
    return steps


def _allocate(circuit: Circuit, steps, alias, source_row, sources) -> Program:
    """Rows for every net, the row freed last taken first; operand lists in row numbers."""
    output_nets = [alias.get(n, n) for n in circuit.output_nets.tolist()]
    last = _last_uses(steps, output_nets)
    n_sources = sources[1].size
    row = {FALSE: n_sources, TRUE: n_sources + 1, **source_row}
    free = sorted(set(range(n_sources)) - {r for net, r in source_row.items() if net in last})
    rows, scratch, time = n_sources + 2, 1, 0
    op, begin, end, a, b, out = [], [], [], [], [], []

    def release(nets, time):
        for net in set(nets):
            if last.get(net) == time and net > TRUE:
                free.append(row[net])

    def take(net):
        nonlocal rows
        if free:
            row[net] = free.pop()
        else:
            row[net], rows = rows, rows + 1
        return row[net]

    for step in steps:
        op.append(step[0])
        begin.append(len(a))
        if len(step) == 2:
            for _, x, y, net in step[1]:
                a.append(row[x])
                b.append(row[y])
                release((x, y), time)
                out.append(take(net))
                time += 1
        else:
            kind, inputs, outputs, words = step
            targets = [take(net) for net in outputs]  # while the inputs are still held: a kernel writes before it has read all
            size = max(len(inputs), len(outputs), 2)
            a += [row[net] for net in inputs] + [0] * (size - len(inputs))
            b += [len(outputs), words] + [0] * (size - 2)
            out += targets + [0] * (size - len(outputs))
            release(inputs, time)
            scratch = max(scratch, len(inputs) // words if kind == kernels.ARGMAX else 1)
            time += 1
        end.append(begin[-1] + (len(step[1])))

    first_bit = np.concatenate([[0], np.cumsum(circuit.output_widths)])
    lists = [np.array(v, dtype=np.int64) for v in (op, begin, end, a, b, out)]
    return Program(rows, *lists, *sources, (row[FALSE], row[TRUE]),
                   np.array([row[n] for n in output_nets], dtype=np.int64), first_bit.astype(np.int64), scratch)


def _last_uses(steps, output_nets) -> dict[int, int]:
    """net -> time of its last use; outputs are never released."""
    last, time = {}, 0
    for step in steps:
        for _, x, y, _ in step[1] if len(step) == 2 else ():
            last[x] = last[y] = time
            time += 1
        if len(step) > 2:
            last.update(dict.fromkeys(step[1], time))
            time += 1
    return last | dict.fromkeys(output_nets, -1)
