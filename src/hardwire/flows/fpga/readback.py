"""Netlists read back as circuits: the one that Yosys wrote, and the one that nextpnr placed and routed.

Flip-flops are wires, and counted: each path from an input of the core to an output passes as many as the latency says.
The wrapper is left out; it ends at the nets ``core.x`` and ``core.y``.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ...circuit import FALSE, STAGES, TRUE, Circuit, CircuitBuilder
from ...core.errors import ToolError
from .netlist import CORE, STAGE, TOP
from .primitives import cells_of

#: A bit of a netlist, and what it is: a net of the circuit and the clocks after the inputs, none for constants.
Bit = int | str
Timed = tuple[int, int | None]


@dataclass(frozen=True, eq=False)
class Netlist:
    """What was read of a netlist.

    Attributes
    ----------
    circuit
        The function of the core, its flip-flops being wires.
    latency
        Clocks from each input bit to each output bit that depends on one.
    tables
        Tables of each stage, and of the wrapper.
    flip_flops
        Of the core and of the wrapper together.
    kinds
        Cells of each kind.
    """

    circuit: Circuit
    latency: int
    tables: dict[str, int]
    flip_flops: int
    kinds: dict[str, int]


def read_netlist(path: Path, like: Circuit, inputs: Sequence[int], latency: int) -> Netlist:
    """Read the netlist that Yosys wrote, and the number of flip-flops on each of its paths.

    Parameters
    ----------
    path
        A flat design, module ``top``, as JSON.
    like
        The circuit whose words it has.
    inputs
        The input bits of ``core.x``.
    latency
        Clocks that each path is to take.

    Raises
    ------
    ToolError
        Where the file is no such netlist, has a cell of unknown function inside the core, mixes samples of different
        clocks, or has another latency.
    """
    module = _module(path)
    return _read(module, _bits(module, "x", path), _bits(module, "y", path), like, inputs, latency)


def read_routed(path: Path, synthesised: Path, like: Circuit, inputs: Sequence[int], latency: int) -> Netlist:
    """Read the netlist that nextpnr wrote after routing of the one at ``synthesised``.

    nextpnr keeps one of the names that a net has; ``synthesised`` has them all.

    Raises
    ------
    ToolError
        As ``read_netlist``, and where a net of the core's ports has none of its names.
    """
    module, before = _module(path), _module(synthesised)
    names: dict[Bit, list[str]] = {}
    for name, bit in _named(before):
        names.setdefault(bit, []).append(name)
    now = dict(_named(module))

    def moved(bit: Bit) -> Bit:
        if isinstance(bit, str):
            return bit
        found = next((now[name] for name in names.get(bit, ()) if name in now), None)
        if found is None:
            raise ToolError(f"{path.name} has no net {names.get(bit, ['without a name'])[0]}; install another version "
                            f"of nextpnr")
        return found

    x, y = ([moved(bit) for bit in _bits(before, port, synthesised)] for port in "xy")
    return _read(module, x, y, like, inputs, latency)


def _module(path: Path) -> dict[str, Any]:
    try:
        module = json.loads(path.read_text(encoding="utf-8"))["modules"][TOP]
        if isinstance(module["cells"], dict) and isinstance(module["netnames"], dict):
            return dict(module)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise ToolError(f"{path.name} is no netlist of module {TOP}; install another version of the tool that wrote it")


def _bits(module: Mapping[str, Any], port: str, path: Path) -> list[Bit]:
    net = module["netnames"].get(f"{CORE}.{port}")
    if net is None:
        raise ToolError(f"{path.name} has no net {CORE}.{port}; install another version of the tool that wrote it")
    return list(net["bits"])


def _named(module: Mapping[str, Any]) -> Iterator[tuple[str, Bit]]:
    """Each name of a single bit, ``n7`` or ``x[3]``, with its bit."""
    for name, net in module["netnames"].items():
        bits = net["bits"]
        yield from [(name, bits[0])] if len(bits) == 1 else ((f"{name}[{i}]", bit) for i, bit in enumerate(bits))
        if len(bits) == 1:
            yield f"{name}[0]", bits[0]


def _read(module: Mapping[str, Any], x: Sequence[Bit], y: Sequence[Bit], like: Circuit, inputs: Sequence[int],
          latency: int) -> Netlist:
    drivers, tables, kinds, flip_flops = _drivers(module["cells"])
    b = CircuitBuilder(like.name, labels=like.labels)
    bits = [net for w in like.inputs for net in b.input(w.name, w.width, offset=w.offset, step=w.step)]
    known: dict[Bit, Timed] = {"0": (FALSE, None), "1": (TRUE, None)}
    known |= {bit: (bits[place], 0) for bit, place in zip(x, inputs)}
    _define(y, drivers, known, b)
    late = {known[bit][1] for bit in y} - {None, latency}
    if late:
        raise ToolError(f"an output of the netlist comes after {late.pop()} clocks where {latency} are due; report "
                        f"this")
    place = 0
    for word in like.outputs:
        b.output(word.name, [known[bit][0] for bit in y[place : place + word.width]], offset=word.offset,
                 step=word.step)
        place += word.width
    return Netlist(b.build(), latency, tables, flip_flops, dict(sorted(kinds.items())))


class _Cell(NamedTuple):
    """A driver of a bit: a table over operands, or a flip-flop, whose table is 0, of one."""

    table: int
    operands: tuple[Bit, ...]
    flip_flop: bool
    name: str


def _drivers(cells: Mapping[str, Any]) -> tuple[dict[Bit, _Cell], dict[str, int], Counter[str], int]:
    """What drives each bit, the tables of each stage, the cells of each kind, the flip-flops."""
    drivers: dict[Bit, _Cell] = {}
    tables: dict[str, int] = dict.fromkeys((*STAGES, "wrapper"), 0)
    kinds: Counter[str] = Counter()
    flip_flops = 0
    for name, cell in cells.items():
        kind, pins = cell["type"], {pin: bits[0] for pin, bits in cell["connections"].items() if bits}
        if kind.startswith("$"):  # notes of Yosys
            continue
        kinds[kind] += 1
        for part in cells_of(kind, name, cell.get("parameters", {}), pins):
            operands = tuple(pins.get(pin, "0") for pin in part.operands)
            flip_flop = part.table is None
            # a part whose output leaves the cell nowhere, but through another part, has a name of its own
            pins.setdefault(part.output, f"{name}.{part.output}")
            drivers[pins[part.output]] = _Cell(part.table or 0, operands, flip_flop, name)
            flip_flops += flip_flop
            if part.counts:
                match = STAGE.search(name)
                tables[match[1] if match else "wrapper"] += 1
    return drivers, tables, kinds, flip_flops


def _define(ends: Sequence[Bit], drivers: Mapping[Bit, _Cell], known: dict[Bit, Timed], b: CircuitBuilder) -> None:
    """Add the cone of ``ends`` to the circuit."""
    is_open: set[Bit] = set()
    stack = list(ends)
    while stack:
        bit = stack[-1]
        if bit in known:
            stack.pop()
            continue
        cell = drivers.get(bit)
        if cell is None:
            raise ToolError(f"bit {bit} of the netlist's core has no table and no flip-flop behind it; report this")
        waiting = [operand for operand in cell.operands if operand not in known]
        if waiting:
            if bit in is_open:
                raise ToolError(f"cell {cell.name} of the netlist depends on itself; report this")
            is_open.add(bit)
            stack += waiting
            continue
        stack.pop()
        known[bit] = _value(cell, [known[operand] for operand in cell.operands], b)


def _value(cell: _Cell, operands: Sequence[Timed], b: CircuitBuilder) -> Timed:
    clocks = {clock for net, clock in operands if clock is not None}
    if len(clocks) > 1:
        raise ToolError(f"cell {cell.name} of the netlist mixes samples of {len(clocks)} clocks ({sorted(clocks)}); "
                        f"report this")
    clock = clocks.pop() if clocks else None
    if cell.flip_flop:
        return operands[0][0], None if clock is None else clock + 1
    return b.node(cell.table, *(net for net, _ in operands)), clock
