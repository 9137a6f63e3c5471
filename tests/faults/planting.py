"""Faults planted on purpose, one at a time: in a circuit, and in the program of the packed engine."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from hardwire.circuit import Circuit, CircuitBuilder
from hardwire.circuit.arithmetic import at_least
from hardwire.circuit.engine.kernels import ARGMAX, POPCOUNT, TABLES
from hardwire.circuit.engine.program import Program

Rng = np.random.Generator


def _changed(array: np.ndarray, place: int | tuple[int, ...], value: int) -> np.ndarray:
    array = array.copy()
    array[place] = value
    return array


def table_bit(circuit: Circuit, rng: Rng) -> Circuit:
    node = int(rng.integers(circuit.n_nodes))
    bit = int(rng.integers(1 << int(circuit.arity[node])))
    return circuit.with_(table=_changed(circuit.table, node, int(circuit.table[node]) ^ 1 << bit))


def other_table(circuit: Circuit, rng: Rng) -> Circuit:
    node = int(rng.integers(circuit.n_nodes))
    table = int(rng.integers((1 << (1 << int(circuit.arity[node]))) - 1, dtype=np.uint64, endpoint=True))
    return circuit.with_(table=_changed(circuit.table, node, table))


def operand(circuit: Circuit, rng: Rng) -> Circuit:
    node = int(rng.integers(circuit.n_nodes))
    place = int(rng.integers(int(circuit.arity[node])))
    return circuit.with_(fanin=_changed(circuit.fanin, (node, place), int(rng.integers(circuit.first_node + node))))


def near_operand(circuit: Circuit, rng: Rng) -> Circuit:
    node = int(rng.integers(circuit.n_nodes))
    place = int(rng.integers(int(circuit.arity[node])))
    net = int(np.clip(circuit.fanin[node, place] + rng.choice([-1, 1]), 0, circuit.first_node + node - 1))
    return circuit.with_(fanin=_changed(circuit.fanin, (node, place), net))


def exchanged_tables(circuit: Circuit, rng: Rng) -> Circuit:
    i = int(rng.integers(circuit.n_nodes))
    j = int(rng.choice(np.flatnonzero(circuit.arity == circuit.arity[i])))
    return circuit.with_(table=_changed(_changed(circuit.table, i, int(circuit.table[j])), j, int(circuit.table[i])))


def output_net(circuit: Circuit, rng: Rng) -> Circuit:
    place = int(rng.integers(len(circuit.output_nets)))
    return circuit.with_(output_nets=_changed(circuit.output_nets, place, int(rng.integers(circuit.n_nets))))


def exchanged_outputs(circuit: Circuit, rng: Rng) -> Circuit:
    i, j = (int(x) for x in rng.integers(len(circuit.output_nets), size=2))
    nets = circuit.output_nets.copy()
    nets[[i, j]] = nets[[j, i]]
    return circuit.with_(output_nets=nets)


def threshold(circuit: Circuit, rng: Rng) -> Circuit:
    """A comparator's gates are replaced by those of a threshold that is one more or one less."""
    macros = [m for m in circuit.macros if m.kind == "ge" and m.outputs[0] >= circuit.first_node]
    if not macros:
        return table_bit(circuit, rng)
    macro = macros[int(rng.integers(len(macros)))]
    b = CircuitBuilder(circuit.name, labels=circuit.labels)
    net = [0, 1, *(n for w in circuit.inputs for n in b.input(w.name, w.width, offset=w.offset, step=w.step))]
    for own, row in enumerate(range(circuit.n_nodes), circuit.first_node):
        if own == macro.outputs[0]:
            net.append(at_least(b, [net[n] for n in macro.inputs], macro.value + int(rng.choice([-1, 1]))))
        else:
            operands = circuit.fanin[row, : circuit.arity[row]].tolist()
            net.append(b.node(int(circuit.table[row]), *[net[n] for n in operands]))
    for word, nets in circuit.output_words():
        b.output(word.name, [net[n] for n in nets])
    return b.build()


CIRCUIT_FAULTS: tuple[Callable[[Circuit, Rng], Circuit], ...] = (
    table_bit, other_table, operand, near_operand, exchanged_tables, output_net, exchanged_outputs, threshold)


def plant_in_circuit(circuit: Circuit, serial: int, seed: int) -> tuple[str, Circuit]:
    """The fault's kind, and the circuit with the fault and without macros: these speak of the nets before it."""
    fault = CIRCUIT_FAULTS[serial % len(CIRCUIT_FAULTS)]
    return fault.__name__, fault(circuit.with_(), np.random.default_rng((seed, serial))).with_(macros=())


def _gate_places(program: Program) -> np.ndarray:
    """Where the lists hold operands of gates."""
    runs = [np.arange(b, e) for op, b, e in zip(program.op, program.begin, program.end) if op in TABLES]
    return np.concatenate([np.zeros(0, dtype=np.int64), *runs])


def _macro_steps(program: Program) -> np.ndarray:
    return np.flatnonzero(program.op >= POPCOUNT)


def row(field: str) -> Callable[[Program, Rng], Program]:
    """Another row among the operands or the results of gates."""

    def plant(program: Program, rng: Rng) -> Program:
        places = _gate_places(program)
        if not len(places):
            return program
        place = int(rng.choice(places))
        return replace(program, **{field: _changed(getattr(program, field), place, int(rng.integers(program.rows)))})

    return plant


def macro_row(program: Program, rng: Rng) -> Program:
    """Another row among the operands or the results of a count or an arg-max, or two of its operands exchanged."""
    steps = _macro_steps(program)
    if not len(steps):
        return row("a")(program, rng)
    step = int(rng.choice(steps))
    begin, end = int(program.begin[step]), int(program.end[step])
    kind = int(rng.integers(3))
    if kind == 2:
        i, j = (int(x) for x in rng.integers(begin, end, size=2))
        return replace(program, a=_changed(_changed(program.a, i, int(program.a[j])), j, int(program.a[i])))
    place = int(rng.integers(begin, end) if kind else rng.integers(begin, begin + int(program.b[begin])))
    field = "a" if kind else "out"
    return replace(program, **{field: _changed(getattr(program, field), place, int(rng.integers(program.rows)))})


def macro_size(program: Program, rng: Rng) -> Program:
    """How many results a count has, or how many words an arg-max."""
    steps = _macro_steps(program)
    if not len(steps):
        return operation(program, rng)
    step = int(rng.choice(steps))
    place = int(program.begin[step]) + int(program.op[step] == ARGMAX and rng.random() < 0.7)
    return replace(program, b=_changed(program.b, place, max(0, int(program.b[place] + rng.choice([-1, 1])))))


def operation(program: Program, rng: Rng) -> Program:
    place = int(rng.integers(len(program.op)))
    return replace(program, op=_changed(program.op, place, int(rng.choice([*TABLES, POPCOUNT, ARGMAX]))))


def bound(field: str) -> Callable[[Program, Rng], Program]:
    """A step begins or ends elsewhere."""

    def plant(program: Program, rng: Rng) -> Program:
        array, place = getattr(program, field), int(rng.integers(len(program.op)))
        return replace(program, **{field: _changed(array, place, max(0, int(array[place] + rng.choice([-2, -1, 1, 2]))))})

    return plant


def packing(field: str) -> Callable[[Program, Rng], Program]:
    """A bit of a mask or of a threshold that is in use, or a threshold one more or less."""

    def plant(program: Program, rng: Rng) -> Program:
        array, places = getattr(program, field), np.argwhere(program.mask)
        if not len(places):
            return program
        place = tuple(int(x) for x in rng.choice(places))
        width = max(1, int(program.mask[place]).bit_length())
        value = int(array[place])
        value = value ^ 1 << int(rng.integers(width)) if rng.random() < 0.5 else value + int(rng.choice([-1, 1]))
        return replace(program, **{field: _changed(array, place, value % (1 << 8 * array.itemsize))})

    return plant


def chunk(program: Program, rng: Rng) -> Program:
    if not len(program.word):
        return program
    place = int(rng.integers(len(program.word)))
    return replace(program, word=_changed(program.word, place, max(0, int(program.word[place] + rng.choice([-1, 1])))))


def output_row(program: Program, rng: Rng) -> Program:
    place = int(rng.integers(len(program.outputs)))
    return replace(program, outputs=_changed(program.outputs, place, int(rng.integers(program.rows))))


def first_bit(program: Program, rng: Rng) -> Program:
    place = int(rng.integers(len(program.first_bit)))
    return replace(program, first_bit=_changed(program.first_bit, place,
                                               max(0, int(program.first_bit[place] + rng.choice([-1, 1])))))


def sizes(program: Program, rng: Rng) -> Program:
    """Constants exchanged, or memory that is too small."""
    kind = int(rng.integers(3))
    if kind == 0:
        return replace(program, constants=program.constants[::-1])
    return replace(program, rows=program.rows - 1) if kind == 1 else replace(program, scratch=program.scratch - 1)


PROGRAM_FAULTS: tuple[tuple[str, Callable[[Program, Rng], Program]], ...] = (
    ("operand a", row("a")), ("operand b", row("b")), ("result", row("out")), ("operation", operation),
    ("row of a macro", macro_row), ("size of a macro", macro_size), ("begin", bound("begin")), ("end", bound("end")),
    ("mask", packing("mask")), ("threshold", packing("threshold")), ("chunk", chunk), ("output row", output_row),
    ("first bit", first_bit), ("sizes", sizes),
)


def plant_in_program(program: Program, serial: int, seed: int) -> tuple[str, Program]:
    """The fault's kind, and the program with the fault."""
    kind, fault = PROGRAM_FAULTS[serial % len(PROGRAM_FAULTS)]
    return kind, fault(program, np.random.default_rng((seed, serial)))
