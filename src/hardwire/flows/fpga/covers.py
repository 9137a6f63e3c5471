"""Covers of a circuit by tables of k inputs, for few tables or for few on the longest path."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from ...circuit import STAGES, Circuit, CircuitBuilder
from ...core.errors import InputError
from ...cost.liberty import MAJORITY, XOR3
from ...passes import eliminate, map_to_luts
from ..adders import with_columns
from ..netlist import needed

Objective = Literal["area", "depth", "delay"]


@dataclass(frozen=True, eq=False)
class Cover:
    """A circuit of tables that a family has.

    Attributes
    ----------
    circuit
        The tables; each operand of a table matters.
    k
        Inputs of a table at most.
    method
        How it was made.
    cells
        Cells that its tables take.
    reference
        The circuit that was covered: the given one, or the one whose counters are columns of full adders, which equals
        it where its macros hold (`adders.with_columns`).
    alternatives
        ``{method, k: (cells, depth)}`` of all covers that were tried.
    """

    circuit: Circuit
    k: int
    method: str
    cells: int
    reference: Circuit
    alternatives: dict[str, tuple[int, int]]


def counters_as_tables(circuit: Circuit) -> Circuit:
    """The circuit with its population counts as columns of full adders, each two tables of three inputs."""
    columns, adders = with_columns(circuit)
    table = {net: (value, adder.operands) for adder in adders if len(adder.operands) == 3
             for net, value in ((adder.sum, XOR3), (adder.carry, MAJORITY))}
    b = CircuitBuilder(columns.name, labels=columns.labels)
    inputs = [net for w in columns.inputs for net in b.input(w.name, w.width, offset=w.offset, step=w.step)]
    moved = [0, 1, *inputs]
    rows = zip(columns.fanin.tolist(), columns.table.tolist(), columns.arity.tolist(), columns.stage.tolist())
    for net, (fanin, own, k, stage) in enumerate(rows, columns.first_node):
        value, operands = table.get(net, (own, tuple(fanin[:k])))
        with b.stage(STAGES[stage]):
            moved.append(b.node(value, *(moved[f] for f in operands)))
    for word, nets in columns.output_words():
        b.output(word.name, [moved[net] for net in nets], offset=word.offset, step=word.step)
    return b.build()


@dataclass(frozen=True)
class _Method:
    """A way to a cover: what is covered, and whether technology mapping comes before elimination."""

    prepare: Callable[[Circuit], Circuit]
    mapped: bool = True


def _cover(circuit: Circuit, k: int, objective: Objective, *, mapped: bool) -> Circuit:
    """Tables of k inputs; macros are left out at last, as they keep nets that no table needs."""
    tables = map_to_luts(circuit, k=k, depth=objective != "area") if mapped else circuit
    return eliminate(tables.with_(macros=()), k=k)


METHODS: dict[str, _Method] = {
    "technology mapping": _Method(lambda circuit: circuit),
    "technology mapping without macros": _Method(lambda circuit: circuit.with_(macros=())),
    "full-adder tables": _Method(counters_as_tables),
    "own tables": _Method(lambda circuit: circuit, mapped=False),
}


def best_cover(circuit: Circuit, ks: Sequence[int], cells_of: Sequence[int], objective: Objective) -> Cover:
    """The cover of fewest cells, or for another objective the one of least depth.

    Parameters
    ----------
    circuit
        Any combinational circuit.
    ks
        Sizes of tables to try.
    cells_of
        Cells that a table of 1, 2, ... inputs takes.
    objective
        What is made small.
    """
    best: tuple[tuple[int, int], Cover] | None = None
    alternatives: dict[str, tuple[int, int]] = {}
    prepared = {name: method.prepare(circuit) for name, method in METHODS.items() if _useful(name, circuit)}
    for k in ks:
        for name, reference in prepared.items():
            if not METHODS[name].mapped and int(circuit.arity.max(initial=1)) > k:
                continue
            cover = _cover(reference, k, objective, mapped=METHODS[name].mapped)
            cells = cells_in(cover, cells_of)
            alternatives[f"{name}, k = {k}"] = (cells, cover.depth)
            price = (cells, cover.depth) if objective == "area" else (cover.depth, cells)
            if best is None or price < best[0]:
                best = price, Cover(cover, k, name, cells, reference, alternatives)
    if best is None:
        raise InputError("a cover needs sizes of tables; give at least one")
    return best[1]


def _useful(name: str, circuit: Circuit) -> bool:
    """Whether a method gives something of its own for a circuit."""
    if name == "full-adder tables":
        return any(macro.kind == "popcount" for macro in circuit.macros)
    if name == "own tables":
        return int(circuit.arity.max(initial=1)) > 2
    return name == "technology mapping" or bool(circuit.macros)


def cells_in(cover: Circuit, cells_of: Sequence[int]) -> int:
    """Cells that the tables that an output needs take."""
    first, arity = cover.first_node, cover.arity.tolist()
    return sum(cells_of[arity[net - first] - 1] for net in needed(cover) if net >= first)
