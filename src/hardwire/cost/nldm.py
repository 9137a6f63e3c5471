"""A library's non-linear delay model (NLDM): tables of delay, slew and power of cells, capacitances, leakage.

Everything is in seconds, farads, joules, watts and volts. Energies are those that the library calls internal: without
the half of ``C V^2`` that a transition of the load costs.
"""

import math
import re
from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, NamedTuple

from ..core.errors import FormatError
from .liberty import liberty_text
from .liberty_groups import Group, parse

Sense = Literal["positive_unate", "negative_unate", "non_unate"]

_SI = {"": 1.0, "k": 1e3, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12, "f": 1e-15, "a": 1e-18}
_UNIT = re.compile(r"\s*([\d.eE+-]*)\s*([munpfak]?)(?:s|v|w|f|sec)\s*", re.IGNORECASE)
#: Names of a table's variables for the input's slew and for the output's load.
_SLEW = {"input_net_transition", "input_transition_time"}
_LOAD = {"total_output_net_capacitance"}
#: Values of ``timing_type`` that are paths through a combinational cell.
_THROUGH = {"", "combinational", "combinational_rise", "combinational_fall"}
#: Numbers of the largest table.
_LARGEST = 10_000


@dataclass(frozen=True)
class Surface:
    """A table over the input's slew and the output's load, bilinear between its points.

    Outside, the outermost patch goes on. An axis of one point is none: the table does not depend on it.
    """

    slews: tuple[float, ...]
    loads: tuple[float, ...]
    values: tuple[tuple[float, ...], ...]

    def __call__(self, slew: float, load: float) -> float:
        """The value at a slew in seconds and a load in farads."""
        i, u = _place(self.slews, slew)
        j, v = _place(self.loads, load)
        low = self.values[i]
        high = self.values[i + 1] if u else low
        if not v:
            return low[j] + u * (high[j] - low[j])
        a = low[j] + v * (low[j + 1] - low[j])
        return a + u * (high[j] + v * (high[j + 1] - high[j]) - a)


def _place(axis: tuple[float, ...], x: float) -> tuple[int, float]:
    """The segment of an axis where ``x`` lies, or the nearest, and how far along it."""
    if len(axis) == 1:
        return 0, 0.0
    i = min(max(bisect_right(axis, x) - 1, 0), len(axis) - 2)
    return i, (x - axis[i]) / (axis[i + 1] - axis[i])


class Edge(NamedTuple):
    """The delay to one edge of an output and the slew of that edge."""

    delay: Surface
    slew: Surface


@dataclass(frozen=True)
class Arc:
    """A path from an input pin to an output pin; ``rise`` and ``fall`` are edges of the output."""

    related: str
    sense: Sense
    when: str
    rise: Edge | None
    fall: Edge | None


@dataclass(frozen=True)
class InternalPower:
    """Energy of a transition of a pin; ``related`` is the input that causes it, empty for an input's own."""

    related: str
    when: str
    rise: Surface | None
    fall: Surface | None


@dataclass(frozen=True)
class CellModel:
    """Timing and power of a cell.

    Attributes
    ----------
    capacitance
        Of each pin, for a rising and for a falling edge.
    arcs, powers
        By output pin; by pin.
    leakage
        Watts, where no condition is known.
    leakages
        Watts by condition.
    """

    name: str
    capacitance: Mapping[str, tuple[float, float]]
    arcs: Mapping[str, tuple[Arc, ...]]
    powers: Mapping[str, tuple[InternalPower, ...]]
    leakage: float
    leakages: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Model:
    """The models of some cells of a library, and its supply voltage."""

    library: str
    voltage: float
    cells: Mapping[str, CellModel]


def read_model(path: str, cells: Collection[str]) -> Model:
    """Read the models of ``cells`` from a Liberty file, also one packed as ``.gz`` or ``.xz``.

    Raises
    ------
    FormatError
        Where the file is no Liberty file, lacks a cell, has a table that cannot be read, or no supply voltage.
    InputError
        Where it cannot be read.
    """
    text, wanted = liberty_text(path), set(cells)
    try:
        group = parse(text, lambda kind, name: kind == "cell" and name not in wanted)
        library = _Reader(group)
        models = {part.names[0]: library.cell(part) for part in group.of("cell")}
        lacking = sorted(wanted - set(models))
        if lacking:
            raise ValueError(f"it has no cell {lacking[0]!r}")
        return Model(group.names[0], library.voltage, models)
    except (ValueError, KeyError, IndexError, OverflowError) as error:
        raise FormatError(f"the tables of {path} cannot be read: {error}; check the file") from None


@dataclass
class _Reader:
    """A library's units and templates of tables, with which its cells are read."""

    group: Group
    time: float = field(init=False)
    farad: float = field(init=False)
    volt: float = field(init=False)
    watt: float = field(init=False)
    voltage: float = field(init=False)
    templates: dict[str, Group] = field(init=False)

    def __post_init__(self) -> None:
        values = self.group.values
        self.time = _unit(values.get("time_unit", "1ns"))
        self.volt = _unit(values.get("voltage_unit", "1V"))
        self.watt = _unit(values.get("leakage_power_unit", "1nW"))
        number, _, unit = self.group.lists.get("capacitive_load_unit", "1,pf").partition(",")
        self.farad = float(number) * _unit("1" + unit.strip().strip('"'))
        kinds = ("lu_table_template", "power_lut_template")
        self.templates = {part.names[0]: part for part in self.group.of(*kinds)}
        named = values.get("default_operating_conditions")
        conditions = [p for p in self.group.of("operating_conditions") if named is None or p.names[0] == named]
        text = next((p.values["voltage"] for p in conditions if "voltage" in p.values), values.get("nom_voltage"))
        if text is None:
            raise ValueError("it has no supply voltage")
        self.voltage = _number(text) * self.volt

    def cell(self, group: Group) -> CellModel:
        """The model of a cell."""
        pins = [(name, part) for part in group.of("pin") for name in part.names]
        leakages = [(p.values.get("when", ""), _number(p.values["value"]) * self.watt)
                    for p in group.of("leakage_power") if "value" in p.values]
        conditional = tuple((when, watts) for when, watts in leakages if when)
        plain = sum(watts for when, watts in leakages if not when)
        if "cell_leakage_power" in group.values:
            plain = _number(group.values["cell_leakage_power"]) * self.watt
        elif not plain and conditional:
            plain = sum(watts for _, watts in conditional) / len(conditional)
        return CellModel(
            group.names[0], {name: self._capacitance(part) for name, part in pins},
            {name: tuple(self._arcs(part)) for name, part in pins if part.values.get("direction") == "output"},
            {name: tuple(self._powers(part)) for name, part in pins}, plain, conditional)

    def _capacitance(self, pin: Group) -> tuple[float, float]:
        both = pin.values.get("capacitance", self.group.values.get("default_input_pin_cap", "0"))
        if pin.values.get("direction") != "input":
            both = pin.values.get("capacitance", "0")
        rise, fall = (_number(pin.values.get(f"{edge}_capacitance", both)) * self.farad for edge in ("rise", "fall"))
        return rise, fall

    def _arcs(self, pin: Group) -> Iterator[Arc]:
        for part in pin.of("timing"):
            kind = part.values.get("timing_type", "")
            if kind not in _THROUGH:
                continue
            tables = {name: self._first(part, name)
                      for name in ("cell_rise", "cell_fall", "rise_transition", "fall_transition")}
            edges = [Edge(delay, slew) if (delay := tables[f"cell_{edge}"]) and (slew := tables[f"{edge}_transition"])
                     else None for edge in ("rise", "fall")]
            rise, fall = (None if kind == f"combinational_{other}" else edge
                          for edge, other in zip(edges, ("fall", "rise")))
            for related in part.values.get("related_pin", "").split():
                yield Arc(related, _sense(part.values.get("timing_sense", "non_unate")), part.values.get("when", ""),
                          rise, fall)

    def _powers(self, pin: Group) -> Iterator[InternalPower]:
        for part in pin.of("internal_power"):
            both = self._first(part, "power", energy=True)
            rise, fall = (self._first(part, f"{edge}_power", energy=True) or both for edge in ("rise", "fall"))
            for related in part.values.get("related_pin", "").split() or [""]:
                yield InternalPower(related, part.values.get("when", ""), rise, fall)

    def _first(self, group: Group, kind: str, *, energy: bool = False) -> Surface | None:
        found = group.of(kind)
        return self._surface(found[0], energy) if found else None

    def _surface(self, group: Group, energy: bool) -> Surface:
        """A table in our units, slews along its first axis."""
        numbers = _numbers(group.lists["values"])
        template = self.templates.get(group.names[0])
        names = [template.values.get(f"variable_{i}", "") for i in (1, 2, 3)] if template else ["", "", ""]
        axes = []
        for i in (1, 2):
            text = group.lists.get(f"index_{i}") or (template.lists.get(f"index_{i}") if template else None)
            axes.append(_numbers(text) if text is not None and names[i - 1] else [0.0])
        if names[2] or len(axes[0]) * len(axes[1]) != len(numbers):
            raise ValueError(f"a table {group.kind!r} has {len(numbers)} values on "
                             f"{len(axes[0])} x {len(axes[1])} points")
        rows = [numbers[i : i + len(axes[1])] for i in range(0, len(numbers), len(axes[1]))]
        if names[0] in _LOAD or names[1] in _SLEW:
            axes, rows, names = axes[::-1], [list(row) for row in zip(*rows)], [names[1], names[0]]
        if names[0] not in {"", *_SLEW} or names[1] not in {"", *_LOAD}:
            raise ValueError(f"a table {group.kind!r} is over {names[0] or 'nothing'} and {names[1] or 'nothing'}")
        if any(b <= a for axis in axes for a, b in pairwise(axis)):
            raise ValueError(f"the axes of a table {group.kind!r} do not rise")
        scale = self.farad * self.volt**2 if energy else self.time
        return Surface(tuple(x * self.time for x in axes[0]), tuple(x * self.farad for x in axes[1]),
                       tuple(tuple(x * scale for x in row) for row in rows))


def _sense(text: str) -> Sense:
    if text == "positive_unate":
        return "positive_unate"
    return "negative_unate" if text == "negative_unate" else "non_unate"


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]!r} is no number")
    return value


def _numbers(text: str) -> list[float]:
    parts = text.replace('"', " ").replace(",", " ").split()
    if not 0 < len(parts) <= _LARGEST:
        raise ValueError(f"a list of numbers has {len(parts)}")
    return [_number(part) for part in parts]


def _unit(text: str) -> float:
    match = _UNIT.fullmatch(text)
    if match is None:
        raise ValueError(f"the unit {text[:40]!r} is not known")
    return float(match[1] or 1) * _SI[match[2].lower()]
