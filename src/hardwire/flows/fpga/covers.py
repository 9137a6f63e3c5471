"""Covers of a circuit by tables of k inputs, for few tables or for few on the longest path."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from ...circuit import STAGES, Circuit, CircuitBuilder
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
    alternatives
        ``{method, k: (cells, depth)}`` of all covers that were tried.
    """

    circuit: Circuit
    k: int
    method: str
    cells: int
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
        b.output(word.name, [moved[net] for net in nets])
    return b.build()


def _mapped(circuit: Circuit, k: int, objective: Objective) -> Circuit:
    return eliminate(map_to_luts(circuit, k=k, depth=objective != "area").with_(macros=()), k=k)


#: Ways to a cover; the macros are left out at last, as they keep nets that no table needs.
METHODS: dict[str, Callable[[Circuit, int, Objective], Circuit]] = {
    "technology mapping": _mapped,
    "technology mapping without macros": lambda circuit, k, objective: _mapped(circuit.with_(macros=()), k, objective),
    "full-adder tables": lambda circuit, k, objective: _mapped(counters_as_tables(circuit), k, objective),
    "own tables": lambda circuit, k, objective: eliminate(circuit.with_(macros=()), k=k),
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
    best: tuple[tuple[int, int], Circuit, int, str, int] | None = None
    alternatives: dict[str, tuple[int, int]] = {}
    widest = int(circuit.arity.max(initial=1))
    counts = any(macro.kind == "popcount" for macro in circuit.macros)
    for k in ks:
        for method, make in METHODS.items():
            if (method == "own tables" and not 2 < widest <= k) or (method == "full-adder tables" and not counts) or \
                    (method == "technology mapping without macros" and not circuit.macros):
                continue
            cover = make(circuit, k, objective)
            cells = cells_in(cover, cells_of)
            alternatives[f"{method}, k = {k}"] = (cells, cover.depth)
            price = (cells, cover.depth) if objective == "area" else (cover.depth, cells)
            if best is None or price < best[0]:
                best = price, cover, k, method, cells
    if best is None:  # the mapping is always tried
        raise ValueError("no size of tables was given")
    return Cover(*best[1:4], best[4], alternatives)


def cells_in(cover: Circuit, cells_of: Sequence[int]) -> int:
    """Cells that the tables that an output needs take."""
    first, arity = cover.first_node, cover.arity.tolist()
    return sum(cells_of[arity[net - first] - 1] for net in needed(cover) if net >= first)
