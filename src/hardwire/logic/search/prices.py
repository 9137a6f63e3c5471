"""Price models of the search: what gates, tables, encoder bits and output bits cost in the unit of a target.

A search moves thousands of gates a minute and cannot map each trial, so it prices by averages over mapped circuits.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ...core.gates import TABLE
from ..settings import Unit

_FREE = {TABLE[name] for name in ("FALSE", "TRUE", "A", "B", "NOT_A", "NOT_B")}
_PARITY = {TABLE["XOR"], TABLE["XNOR"]}


@dataclass(frozen=True)
class Prices:
    """What a search pays.

    Attributes
    ----------
    fan_in
        Most operands of a node: 2, or 6 for tables.
    gate, parity
        Price of a two-input gate of the AND kind, and of XOR and XNOR; wires, constants and inverters are free.
    table
        Price of a table of more operands.
    slot
        Price of the counter of one output bit and its share of the arg-max.
    inputs
        (inputs,) price of each encoded bit, or empty where all are wires.
    """

    fan_in: int
    gate: float
    parity: float
    table: float
    slot: float
    inputs: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))

    @property
    def smallest(self) -> float:
        """The least that a node costs."""
        return self.gate if self.fan_in == 2 else self.table

    def arrays(self, inputs: int) -> tuple[NDArray[np.float32], ...]:
        """Return the fields of ``arrays.Price`` for a network of so many input bits."""
        gates = [0.0 if t in _FREE else self.parity if t in _PARITY else self.gate for t in range(16)]
        gates = gates if self.fan_in == 2 else []
        tables = [0.0, 0.0] + [self.table] * 5
        bits = self.inputs if len(self.inputs) else np.zeros(inputs)
        return (np.array(gates, np.float32), np.array(tables, np.float32), np.asarray(bits, np.float32),
                np.array([self.slot], np.float32))


#: Unit -> average prices: of sky130 hd by the board's script with carry-save counters and a serial arg-max; of five
#: gates an adder; of one table an output bit with 6:3 counters.
PRICES: dict[Unit, Prices] = {
    "ge": Prices(2, 1.2, 2.4, 0.0, 8.2),
    "gates": Prices(2, 1.0, 1.0, 0.0, 5.5),
    "luts": Prices(6, 1.0, 1.0, 1.0, 1.1),
}
