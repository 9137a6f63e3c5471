"""Energy of a mapped netlist per inference, from toggles and the library's tables, term by term.

One toggle of a net costs ``C V^2 / 2``: a full cycle takes ``C V^2`` from the supply, half of it at either edge. One
toggle of a pin costs the mean of the rising and the falling internal energy, since rises and falls alternate; these
tables are what the cell takes beyond ``C V^2 / 2``, and may be negative at one edge. An output's table is chosen by the
input that causes the toggle: inputs weigh by their own toggles times the probability that the output depends on them.
A condition (``when``) weighs by the share of samples for which it holds. Leakage is a power: it is multiplied by the
time between two inferences.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..circuit.circuit import FIRST
from ..core.truth_tables import cofactors, compose, ones, projection
from .activity import Activity, input_states
from .cell_netlist import CellNetlist, Instance
from .liberty import Cell, function_table
from .nldm import CellModel, InternalPower, Model, Surface
from .timing import Timing


@dataclass(frozen=True)
class Energy:
    """Joules per inference of each term, and watts of leakage.

    Attributes
    ----------
    nets
        ``C V^2 / 2`` of the nets that cells drive: pins, stated wires and output loads.
    inputs
        The same of the input nets, which what stands before the circuit drives. Not in ``switching`` or ``dynamic``.
    outputs
        Internal energy of toggles of output pins.
    pins
        Internal energy of toggles of input pins.
    leakage_w
        Watts.
    activity
        Toggles per inference and cell output.
    """

    nets: float
    inputs: float
    outputs: float
    pins: float
    leakage_w: float
    activity: float

    @property
    def internal(self) -> float:
        """Internal energy of output and input pins."""
        return self.outputs + self.pins

    @property
    def dynamic(self) -> float:
        """All that toggles cost but the input nets."""
        return self.nets + self.internal

    def total(self, period: float) -> float:
        """Joules per inference with the leakage of ``period`` seconds."""
        return self.dynamic + self.leakage_w * period

    def to_json(self) -> dict[str, float]:
        """Picojoules of each term, nanowatts of leakage."""
        terms = {"nets": self.nets, "inputs": self.inputs, "internal_outputs": self.outputs,
                 "internal_inputs": self.pins, "dynamic": self.dynamic}
        return {f"{name}_pj": value * 1e12 for name, value in terms.items()} | {
            "leakage_nw": self.leakage_w * 1e9, "activity": self.activity}


class PowerModel:
    """What a toggle of each net and pin of a netlist costs, with loads and slews from its timing.

    Parameters
    ----------
    netlist, model, timing
        The netlist, the models of its cells, and its timing.
    x
        Samples whose states weigh conditions and leakage; without them every state of a cell's inputs weighs alike.
    """

    def __init__(self, netlist: CellNetlist, model: Model, timing: Timing, x: ArrayLike | None = None) -> None:
        self.netlist, self.model, self.timing = netlist, model, timing
        sizes = np.array([len(i.inputs) for i in netlist.instances], np.int64)
        operands = np.zeros((len(sizes), 6), np.int32)
        for row, instance in zip(operands, netlist.instances):
            row[: len(instance.inputs)] = instance.inputs
        if x is None:
            inside = np.arange(64)[None, :] < (1 << sizes)[:, None]
            self.states = inside / (1 << sizes)[:, None]
        else:
            self.states = input_states(netlist.circuit, x, operands, sizes)

    def energy(self, activity: Activity) -> Energy:
        """The energy of an inference for given toggles."""
        circuit, rates = self.netlist.circuit, activity.toggles.tolist()
        load = self.timing.load.mean(axis=1)
        half = load * self.model.voltage**2 / 2 * activity.toggles
        outputs = pins = leakage = 0.0
        slews, loads = self.timing.slew.tolist(), load.tolist()
        for instance, states in zip(self.netlist.instances, self.states):
            cell, found = instance.cell, self.model.cells[instance.cell.name]
            leakage += _leakage(cell, found, states)
            for pin, net in zip(cell.outputs, instance.outputs):
                if rates[net] and found.powers.get(pin):
                    outputs += rates[net] * _output(instance, found, pin, states, slews, loads[net], rates)
            for pin, net in zip(cell.inputs, instance.inputs):
                for power in found.powers.get(pin, ()) if rates[net] else ():
                    share = _share(cell, power.when, states)
                    pins += rates[net] * share * mean_energy(power, slews[net], slews[net], 0.0)
        first = circuit.first_node
        return Energy(float(half[first:].sum()), float(half[FIRST:first].sum()), outputs, pins, leakage,
                      activity.mean(circuit))


def _output(instance: Instance, found: CellModel, pin: str, states: NDArray[np.float64],
            slews: list[list[float]], load: float, rates: list[float]) -> float:
    """The internal energy of a toggle of an output pin."""
    cell, table = instance.cell, instance.cell.tables[pin]
    energies, weights, spare = [], [], []
    for power in found.powers[pin]:
        share = _share(cell, power.when, states)
        spare.append(share)
        if power.related not in cell.inputs:
            energies.append(mean_energy(power, [0.0, 0.0], [0.0, 0.0], load))
            weights.append(share)
            continue
        related = cell.inputs.index(power.related)
        source = instance.inputs[related]
        (up, up_too), (down, down_too) = _edges(table, len(cell.inputs), related)
        slew = slews[source]
        energies.append(mean_energy(power, [slew[up], slew[down]], [slew[up_too], slew[down_too]], load))
        matters = _weighed(_difference(table, len(cell.inputs), related), len(cell.inputs), states)
        weights.append(rates[source] * matters * share)
    if sum(weights) <= 0:
        weights = spare if sum(spare) > 0 else [1.0] * len(energies)
    return sum(energy * weight for energy, weight in zip(energies, weights)) / sum(weights)


def mean_energy(power: InternalPower, first: Sequence[float], second: Sequence[float], load: float) -> float:
    """The mean energy of a rise and a fall, each over the two slews that may cause it."""
    found = [_two(surface, first[edge], second[edge], load)
             for edge, surface in enumerate((power.rise, power.fall)) if surface is not None]
    return sum(found) / len(found) if found else 0.0


def _two(surface: Surface, a: float, b: float, load: float) -> float:
    return surface(a, load) if a == b else (surface(a, load) + surface(b, load)) / 2


@lru_cache(maxsize=1 << 12)
def _edges(table: int, k: int, i: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """The edges of operand ``i`` (0 rising) that can make the function rise, and fall: one twice, or both."""
    low, high = cofactors(table, k, i)
    up, down = high & ~low, low & ~high  # the function rises with the operand; against it
    if up and down:
        return (0, 1), (1, 0)
    return ((1, 1), (0, 0)) if down else ((0, 0), (1, 1))


@lru_cache(maxsize=1 << 12)
def _difference(table: int, k: int, i: int) -> int:
    """The states of all operands for which the function depends on operand ``i``."""
    low, high = cofactors(table, k, i)
    others = [projection(j, k) for j in range(k) if j != i]
    return compose(low ^ high, others, k) if others else ones(k) * bool(low ^ high)


def _weighed(table: int, k: int, states: NDArray[np.float64]) -> float:
    """The share of samples in the states where a table is true."""
    return float(states[_members(table, k)].sum())


@lru_cache(maxsize=1 << 12)
def _members(table: int, k: int) -> NDArray[np.int64]:
    return np.array([m for m in range(1 << k) if table >> m & 1], np.int64)


def _share(cell: Cell, when: str, states: NDArray[np.float64]) -> float:
    """The share of samples for which a condition on a cell's pins holds."""
    if not when:
        return 1.0
    table = _condition(when, cell.name, cell.inputs, tuple(cell.tables.items()))
    return _weighed(table, len(cell.inputs), states)


@lru_cache(maxsize=1 << 12)
def _condition(when: str, cell: str, inputs: tuple[str, ...], outputs: tuple[tuple[str, int], ...]) -> int:
    return function_table(when, inputs, cell, dict(outputs))


def _leakage(cell: Cell, found: CellModel, states: NDArray[np.float64]) -> float:
    """Watts of a cell in its states; those without a condition of their own have the cell's figure."""
    known = left = 0.0
    for when, watts in found.leakages:
        share = _share(cell, when, states)
        known, left = known + share * watts, left + share
    return known + max(0.0, 1.0 - left) * found.leakage
