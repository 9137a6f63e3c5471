"""Static timing of a mapped netlist by its library's tables (NLDM): the latest arrival at the outputs and its path.

Every input changes at time 0 with a stated slew; every output drives a stated load. At each pin the latest arrival and
the largest slew of a rising and of a falling edge are kept, each over all arcs, whatever their ``when``: the worst
case, as OpenSTA's ``max`` analysis has it. The load of a net is the capacitance of the pins that read it, for either
edge apart, and a stated capacitance of its wire; wires have no delay of their own.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..core.errors import InputError
from .cell_netlist import CellNetlist
from .nldm import Arc, CellModel, Model

EdgeName = Literal["rise", "fall"]
EDGES: tuple[EdgeName, EdgeName] = ("rise", "fall")
#: For the sense of an arc: pairs of the input's edge and the output's.
_PAIRS = {"positive_unate": ((0, 0), (1, 1)), "negative_unate": ((1, 0), (0, 1)),
          "non_unate": ((0, 0), (1, 0), (0, 1), (1, 1))}


@dataclass(frozen=True)
class Conditions:
    """What stands around a netlist.

    Attributes
    ----------
    input_slew
        Seconds, of every input's edges.
    output_load
        Farads at every output.
    wire_load
        Farads of the wire of each net for each pin that reads it; 0 is without wires.
    """

    input_slew: float = 50e-12
    output_load: float = 10e-15
    wire_load: float = 0.0


class Step(NamedTuple):
    """A pin on a path: an input (``cell`` empty), or an output pin of an instance.

    ``arrival`` and ``delay`` in seconds, ``slew`` in seconds, ``load`` in farads; ``net`` is the circuit's.
    """

    instance: str
    cell: str
    from_pin: str
    to_pin: str
    edge: EdgeName
    net: int
    delay: float
    arrival: float
    slew: float
    load: float


@dataclass(frozen=True)
class Timing:
    """The result of `static_timing`; arrays have one row a net, columns for its rising and its falling edge.

    Attributes
    ----------
    delay
        Seconds from the inputs to the latest output.
    path
        The latest path, from an input to an output.
    arrival, slew, load
        Seconds, seconds, farads; the arrival of an edge that cannot be is minus infinity.
    conditions
        What stood around the netlist.
    """

    delay: float
    path: tuple[Step, ...]
    arrival: NDArray[np.float64]
    slew: NDArray[np.float64]
    load: NDArray[np.float64]
    conditions: Conditions


def net_loads(netlist: CellNetlist, model: Model, conditions: Conditions) -> NDArray[np.float64]:
    """The load of each net in farads, for a rising and for a falling edge, shape ``(nets, 2)``."""
    load = np.zeros((netlist.circuit.n_nets, 2))
    for instance in netlist.instances:
        capacitance = model.cells[instance.cell.name].capacitance
        for pin, net in zip(instance.cell.inputs, instance.inputs):
            load[net] += capacitance[pin]
            load[net] += conditions.wire_load
    np.add.at(load, netlist.circuit.output_nets, conditions.output_load + conditions.wire_load)
    return load


def static_timing(netlist: CellNetlist, model: Model, conditions: Conditions | None = None) -> Timing:
    """Time a netlist.

    Raises
    ------
    InputError
        Where a cell has no arc to an output that something reads.
    """
    conditions = conditions or Conditions()
    circuit = netlist.circuit
    load = net_loads(netlist, model, conditions)
    arrival = np.full((circuit.n_nets, 2), -np.inf)
    slew = np.zeros((circuit.n_nets, 2))
    arrival[2 : circuit.first_node], slew[2 : circuit.first_node] = 0.0, conditions.input_slew
    origin: dict[tuple[int, int], tuple[int, int, int, float]] = {}  # net, edge -> instance, pin, its edge, delay
    at, sl, lo = arrival.tolist(), slew.tolist(), load.tolist()
    for number, instance in enumerate(netlist.instances):
        arcs = _arcs(model.cells[instance.cell.name], instance.cell.inputs)
        for pin, net in zip(instance.cell.outputs, instance.outputs):
            if not arcs.get(pin):
                if netlist.readers[net] or net in circuit.output_nets:
                    raise InputError(f"cell {instance.cell.name!r} of library {model.library!r} has no delay table of "
                                     f"pin {pin!r}; give a library with tables (NLDM)")
                continue
            for place, arc in arcs[pin]:
                source = instance.inputs[place]
                for edge_in, edge_out in _PAIRS[arc.sense]:
                    tables = (arc.rise, arc.fall)[edge_out]
                    if tables is None or at[source][edge_in] == -np.inf:
                        continue
                    sl_in, load_out = sl[source][edge_in], lo[net][edge_out]
                    delay = tables.delay(sl_in, load_out)
                    when = at[source][edge_in] + delay
                    if when > at[net][edge_out]:
                        at[net][edge_out] = when
                        origin[net, edge_out] = number, place, edge_in, delay
                    sl[net][edge_out] = max(sl[net][edge_out], tables.slew(sl_in, load_out))
    ends = [(at[net][edge], net, edge) for net in set(circuit.output_nets.tolist()) for edge in (0, 1)]
    latest, net, edge = max(ends, default=(0.0, 0, 0))
    path: list[Step] = []
    if latest > -np.inf and ends:
        path = _path(netlist, origin, net, edge, at, sl, lo)
    return Timing(max(latest, 0.0), tuple(path), np.array(at), np.array(sl), load, conditions)


def node_delays(netlist: CellNetlist, model: Model, timing: Timing) -> NDArray[np.float64]:
    """A delay for each node of the netlist's circuit in seconds: the mean over the arcs and edges of its output."""
    slew, load = timing.slew.tolist(), timing.load.tolist()
    delays = []
    for instance in netlist.instances:
        arcs = _arcs(model.cells[instance.cell.name], instance.cell.inputs)
        for pin, net in zip(instance.cell.outputs, instance.outputs):
            found = [tables.delay(slew[instance.inputs[place]][before], load[net][after])
                     for place, arc in arcs.get(pin, ()) for before, after in _PAIRS[arc.sense]
                     if (tables := (arc.rise, arc.fall)[after]) is not None]
            delays.append(sum(found) / len(found) if found else 0.0)
    return np.array(delays)


def _arcs(model: CellModel, inputs: tuple[str, ...]) -> dict[str, list[tuple[int, Arc]]]:
    """The arcs to each output pin with the place of the input pin that each begins at."""
    return {pin: [(inputs.index(arc.related), arc) for arc in arcs if arc.related in inputs]
            for pin, arcs in model.arcs.items()}


def _path(netlist: CellNetlist, origin: dict[tuple[int, int], tuple[int, int, int, float]], net: int, edge: int,
          arrival: list[list[float]], slew: list[list[float]], load: list[list[float]]) -> list[Step]:
    """The path that made the latest arrival at an edge of a net, from its input on."""
    steps = []
    while (net, edge) in origin:
        number, place, before, delay = origin[net, edge]
        instance = netlist.instances[number]
        cell = instance.cell
        steps.append(Step(instance.name, cell.name, cell.inputs[place], cell.outputs[net - instance.first], EDGES[edge],
                          net, delay, arrival[net][edge], slew[net][edge], load[net][edge]))
        net, edge = instance.inputs[place], before
    steps.append(Step("", "", "", netlist.circuit.net_names()[net], EDGES[edge], net, 0.0, arrival[net][edge],
                      slew[net][edge], load[net][edge]))
    return steps[::-1]
