"""A netlist of library cells: a circuit with one node for each output pin, and the cells that the nodes belong to.

Everything that works on a circuit (proof, simulation, counting of toggles) works on such a netlist; timing and energy
read its cells beside.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from ..circuit import Circuit, CircuitBuilder
from ..circuit.circuit import MAX_ARITY
from ..core.errors import InputError
from .liberty import Cell


@dataclass(frozen=True)
class Instance:
    """A cell in a netlist; nets are those of the netlist's circuit.

    Attributes
    ----------
    name, cell
        Its name, and the library's cell.
    inputs
        The net at each input pin, in the cell's order.
    first
        The net of its first output pin; those of the others follow in the cell's order.
    """

    name: str
    cell: Cell
    inputs: tuple[int, ...]
    first: int

    @property
    def outputs(self) -> range:
        """The net at each output pin, in the cell's order; one that nothing reads is a node too."""
        return range(self.first, self.first + len(self.cell.outputs))


@dataclass(frozen=True)
class CellNetlist:
    """A mapped netlist.

    Attributes
    ----------
    circuit
        Words, and a node for each output pin of each instance, in the order of ``instances``.
    instances
        The cells, in topological order.
    """

    circuit: Circuit
    instances: tuple[Instance, ...]

    @cached_property
    def readers(self) -> list[list[tuple[int, int]]]:
        """For each net the pins that read it: the number of the instance and of its input pin."""
        readers: list[list[tuple[int, int]]] = [[] for _ in range(self.circuit.n_nets)]
        for number, instance in enumerate(self.instances):
            for pin, net in enumerate(instance.inputs):
                readers[net].append((number, pin))
        return readers

    @property
    def area(self) -> float:
        """The sum of the cells' areas, in the library's unit."""
        return sum(instance.cell.area for instance in self.instances)

    def kinds(self) -> dict[str, int]:
        """How many instances of each cell there are."""
        counts: dict[str, int] = {}
        for instance in self.instances:
            counts[instance.cell.name] = counts.get(instance.cell.name, 0) + 1
        return dict(sorted(counts.items()))


def cell_netlist(like: Circuit, cells: Iterable[tuple[str, Cell, Mapping[str, str]]], inputs: Iterable[str],
                 outputs: Iterable[str], constants: Mapping[str, int]) -> CellNetlist:
    """A netlist out of cells in topological order.

    Parameters
    ----------
    like
        A circuit of the same words.
    cells
        Of each its name, the cell, and the signal at each pin; outputs may be left open.
    inputs, outputs
        The signal of each input bit and each output bit.
    constants
        Signals that are constant false or true, 0 or 1.

    Raises
    ------
    InputError
        Where a cell is not combinational, has more than six inputs, or an input is open.
    """
    b = CircuitBuilder(like.name, labels=like.labels)
    nets = [net for w in like.inputs for net in b.input(w.name, w.width, offset=w.offset, step=w.step)]
    net_of = dict(constants) | dict(zip(inputs, nets, strict=True))
    instances = []
    for name, cell, pins in cells:
        if not cell.combinational or len(cell.inputs) > MAX_ARITY:
            raise InputError(f"cell {cell.name!r} is not combinational or has more than {MAX_ARITY} inputs; "
                             f"map to a library without it")
        try:
            operands = tuple(net_of[pins[pin]] for pin in cell.inputs)
        except KeyError as error:
            raise InputError(f"instance {name!r} of cell {cell.name!r} has nothing at {error}; correct the netlist"
                             ) from None
        driven = [b.node(cell.tables[pin], *operands) for pin in cell.outputs]
        net_of.update((pins[pin], net) for pin, net in zip(cell.outputs, driven) if pin in pins)
        instances.append(Instance(name, cell, operands, driven[0]))
    ends = iter([net_of[signal] for signal in outputs])
    for word in like.outputs:
        b.output(word.name, [next(ends) for _ in range(word.width)], offset=word.offset, step=word.step)
    return CellNetlist(b.build(), tuple(instances))
