"""Energy: the ledger that every hardware fills in.

Every figure that leaves this module is a *model estimate*: a count times a cited constant of ``constants.py``.
"""

from dataclasses import dataclass, field
from math import isfinite
from typing import TypedDict

import numpy as np
from numpy.typing import ArrayLike

from ..core.errors import InputError
from .constants import CONSTANTS, MARKS, Constant

__all__ = [
    "CONSTANTS", "MARKS", "Constant", "Entry", "Ledger", "Line", "logic_energy", "mlp_energy", "switching_activity",
]

MODEL = "model estimate"


class Entry(TypedDict):
    """A line of a ledger in ``report["energy"]``; energies in joules."""

    ledger: str
    per: str
    comparison: bool
    item: str
    count: float
    unit_j: float
    total_j: float
    model: str
    source: str
    mark: str


@dataclass(frozen=True)
class Line:
    """``count`` things of ``constant.joules`` each."""

    item: str
    count: float
    constant: Constant

    @property
    def total(self) -> float:
        """Joules of the line."""
        return self.count * self.constant.joules


@dataclass
class Ledger:
    """One model of one thing's energy: lines that are summed. Two models of the same thing are two ledgers.

    ``per`` says what one total is spent on; ``comparison`` marks a ledger of something that the run did not make,
    such as the perceptron network that a user would otherwise pick.
    """

    name: str
    per: str = "inference"
    comparison: bool = False
    lines: list[Line] = field(default_factory=list)

    def add(self, item: str, count: float, constant: Constant) -> Line:
        """Enter ``count`` of ``item``.

        Raises
        ------
        InputError
            Where the count is negative or not finite.
        """
        count = count.item() if isinstance(count, np.generic) else count
        if isinstance(count, bool) or not isinstance(count, int | float) or not isfinite(count) or count < 0:
            raise InputError(f"ledger {self.name!r}: {item} has count {count!r}; give a number that is not negative")
        line = Line(item, count, constant)
        self.lines.append(line)
        return line

    def total(self) -> float:
        """Joules of all lines."""
        return float(sum(line.total for line in self.lines))

    def to_json(self) -> list[Entry]:
        """One dictionary a line, for ``report["energy"]``; lists of several ledgers are joined with ``+``."""
        return [self._line(line) for line in self.lines]

    def _line(self, line: Line) -> Entry:
        constant = line.constant
        return {
            "ledger": self.name, "per": self.per, "comparison": self.comparison,
            "item": line.item, "count": line.count, "unit_j": constant.joules, "total_j": line.total,
            "model": f"{MODEL}: {constant.name}, {constant.value:g} {constant.unit}",
            "source": constant.source, "mark": constant.mark,
        }


def switching_activity(ones: ArrayLike) -> float:
    """Mean output transitions per gate and sample, ``mean(2 p (1 - p))``, samples being independent.

    Parameters
    ----------
    ones
        Probability of true of each gate's output, shape ``(gates,)``, each from 0 to 1.
    """
    p = np.asarray(ones, dtype=np.float64)
    if p.size == 0 or not ((p >= 0) & (p <= 1)).all():
        raise InputError("signal probabilities must be from 0 to 1, and at least one; give the share of true per gate")
    return float(np.mean(2 * p * (1 - p)))


def logic_energy(gates: int, *, activity: float = 0.5) -> list[Ledger]:
    """Three model estimates of a logic circuit's energy per inference; they are alternatives, never summed.

    ``gates * activity`` transitions at NanGate45's and at sky130's energy, both without wires, clock, glitches or
    leakage; and ``gates`` at sky130's figure after layout, which has its own assumed activity of 0.7, not rescaled.
    ``activity`` is the output transitions per gate and inference; 0.5 is what independent fair bits make.
    """
    gates = _count(gates, "gates")
    if not (isfinite(activity) and activity >= 0):
        raise InputError(f"activity is {activity}; give output transitions per gate and inference, such as 0.5")
    ledgers = []
    for key, title in (("nangate45", "NanGate45"), ("sky130", "sky130")):
        ledgers.append(Ledger(f"{title}, no wires, activity {activity:g}"))
        ledgers[-1].add(f"transitions, {gates:,} gates x activity {activity:g}", gates * activity, CONSTANTS[key])
    ledgers.append(Ledger("sky130 after layout, activity 0.7"))
    ledgers[-1].add("gates", gates, CONSTANTS["sky130_layout"])
    return ledgers


def mlp_energy(macs: int, *, weights: int | None = None) -> list[Ledger]:
    """What a perceptron network of ``macs`` multiply-accumulates would spend per inference, for comparison.

    Arithmetic alone in fp32 and in int8, and fp32 with each 32-bit weight read once from DRAM. ``weights`` is by
    default ``macs``: a fully connected network, one sample at a time. Accuracies are not matched, so a ratio to a
    circuit's energy says which of the three it is against.
    """
    macs = _count(macs, "macs")
    weights = macs if weights is None else _count(weights, "weights")
    names = ("fp32 arithmetic", "int8 arithmetic", "fp32 arithmetic and weights from DRAM")
    fp32, int8, dram = (Ledger(f"perceptron network, {name}", comparison=True) for name in names)
    for ledger, key in ((fp32, "fp32_mac"), (int8, "int8_mac"), (dram, "fp32_mac")):
        ledger.add("multiply-accumulates", macs, CONSTANTS[key])
    dram.add("weights read", weights, CONSTANTS["dram_word"])
    return [fp32, int8, dram]


def _count(value: object, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
        raise InputError(f"{name} is {value!r}; give a whole number that is not negative")
    return int(value)
