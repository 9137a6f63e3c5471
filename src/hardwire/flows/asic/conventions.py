"""Power of a mapped netlist as OpenSTA of 2019 (2.0) counts it, to compare our figures with its report term by term.

What it does otherwise than `cost.power`, as its own trace shows (``sta::set_debug power 2``):

- switching: a pin that reads a net has the larger of its capacitances for a rising and a falling edge;
- internal, outputs: for every table of the pin it adds rising *and* falling energy, times a *duty*, as if the input of
  that table had caused every toggle of the output alone. The duty is 1 where the output is that input or its inverse;
  where the function's outermost operation has the input as an operand, the probability that the rest lets it through;
  else one half. So a toggle is counted about as often as there are inputs: the factor of 2 to 3;
- internal, inputs: rising and falling energy times the probability of ``when``, or one half;
- leakage: the cell's own figure, not that of its states;
- the slew of an output's table is that of the input's edge of the same direction, also where the cell inverts.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from ...cost.cell_netlist import CellNetlist
from ...cost.liberty import Cell, function_table
from ...cost.nldm import InternalPower, Model
from ...cost.power import mean_energy
from ...cost.timing import Timing

_TOKEN = re.compile(r"[!^&*+|'()]|[\w.\[\]$-]+")


class Watts(NamedTuple):
    """Power by term."""

    internal: float
    switching: float
    leakage: float


def opensta_power(netlist: CellNetlist, model: Model, timing: Timing, activity: float, period: float) -> Watts:
    """Power where every net toggles ``activity`` times in ``period`` seconds and is true half of the time."""
    loads, slews = timing.load.max(axis=1).tolist(), timing.slew.tolist()
    internal = switching = leakage = 0.0
    for instance in netlist.instances:
        cell, found = instance.cell, model.cells[instance.cell.name]
        leakage += found.leakage
        for pin, net in zip(cell.outputs, instance.outputs):
            switching += loads[net] * model.voltage**2 / 2
            for power in found.powers.get(pin, ()):
                slew = slews[instance.inputs[cell.inputs.index(power.related)]] if power.related else [0.0, 0.0]
                internal += _both(power, slew, loads[net]) * _output_duty(cell, pin, power)
        for pin, net in zip(cell.inputs, instance.inputs):
            for power in found.powers.get(pin, ()):
                internal += _both(power, slews[net], 0.0) * (_probability(cell, power.when) if power.when else 0.5)
    rate = activity / period
    return Watts(internal * rate, switching * rate, leakage)


def _both(power: InternalPower, slew: list[float], load: float) -> float:
    return 2 * mean_energy(power, slew, slew, load)


def _output_duty(cell: Cell, pin: str, power: InternalPower) -> float:
    if power.when:
        return _probability(cell, power.when)
    function = next(p.function for p in cell.pins if p.name == pin)
    operation, operands = _outermost(function)
    if operation == "" and operands == (power.related,):
        return 1.0
    for operand, rest in (operands, operands[::-1]) if len(operands) == 2 else ():
        if _outermost(operand) == ("", (power.related,)):
            share = _probability(cell, rest)
            return share if operation == "&" else 1 - share
    return 0.5


def _probability(cell: Cell, text: str) -> float:
    """The share of the states of a cell's inputs for which a function of its pins is true."""
    return function_table(text, cell.inputs, cell.name, dict(cell.tables)).bit_count() / (1 << len(cell.inputs))


@lru_cache(maxsize=1 << 12)
def _outermost(text: str) -> tuple[str, tuple[str, ...]]:
    """The outermost operation of a function, ``& | ^`` or none, and its operands; inversions around it are left out."""
    tokens = _tokens(text)
    while tokens:
        depth, last = 0, dict[str, int]()
        for place, token in enumerate(tokens):
            depth += {"(": 1, ")": -1}.get(token, 0)
            if depth == 0 and token in ("|", "&", "^"):
                last[token] = place
        for operation in ("|", "&", "^"):  # the one that binds least
            if operation in last:
                place = last[operation]
                return operation, (" ".join(tokens[:place]), " ".join(tokens[place + 1 :]))
        if tokens[0] == "!":
            tokens = tokens[1:]
        elif tokens[-1] == "'":
            tokens = tokens[:-1]
        elif tokens[0] == "(":
            tokens = tokens[1:-1]
        else:
            break
    return "", tuple(tokens)


def _tokens(text: str) -> list[str]:
    """The tokens of a function, ``&`` where two operands stand side by side."""
    tokens: list[str] = []
    for token in _TOKEN.findall(text):
        token = {"+": "|", "*": "&"}.get(token, token)
        if tokens and tokens[-1] not in ("!", "&", "|", "^", "(") and token not in ("&", "|", "^", ")", "'"):
            tokens.append("&")
        tokens.append(token)
    return tokens
