"""A pipelined cover as Verilog instances behind a wrapper, and the netlist that came of it read back as a circuit."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ...backends.common import source
from ...circuit import FALSE, FIRST, STAGES, TRUE, Circuit, CircuitBuilder
from ...circuit.formats.words import generated_by
from ...core.errors import ToolError
from ..netlist import needed
from .pipeline import Pipelined
from .primitives import FLIP_FLOPS, Family, function_of

TOP, CORE, WRAPPER = "top", "core", "shift_wrapper"
#: The stage in the name of a cell of the core; everything else is the wrapper's.
STAGE = re.compile(rf"(?:^|[./]){CORE}[./]({'|'.join(STAGES)})_\d")
#: A bit of a netlist, and what it is: a net of the circuit and the clocks after the inputs, none for constants.
Bit = int | str
Timed = tuple[int, int | None]


def read_inputs(cover: Circuit) -> list[int]:
    """The places among the circuit's input bits of those that an output depends on."""
    return [net - FIRST for net in sorted(needed(cover)) if net < cover.first_node]


def core_verilog(pipelined: Pipelined, family: Family) -> str:
    """Module ``core``: instances of tables and flip-flops, named by stage and net.

    ``x`` has the input bits that an output depends on, in the circuit's order, ``y`` the output bits.
    """
    cover, first, n = pipelined.cover, pipelined.cover.first_node, pipelined.cover.n_nets
    inputs = read_inputs(cover)
    name = {FALSE: "1'b0", TRUE: "1'b1", **{FIRST + bit: f"x[{i}]" for i, bit in enumerate(inputs)}}
    live = [net for net in sorted(needed(cover)) if net >= first]
    name |= {net: f"n{net}" for net in live} | {n + i: f"r{i}" for i in range(pipelined.flip_flops)}
    lines = [f"wire {name[signal]};" for signal in (*live, *range(n, n + pipelined.flip_flops))]
    columns = (pipelined.fan_in.tolist(), cover.table.tolist(), cover.arity.tolist(), cover.stage.tolist())
    rows = list(zip(*columns))
    for net in live:
        fanin, table, k, stage = rows[net - first]
        lines += family.table(table, [name[f] for f in fanin[:k]], name[net], f"{STAGES[stage]}_{net}")
    for i, signal in enumerate(pipelined.source.tolist()):
        root = signal
        while root >= n:
            root = int(pipelined.source[root - n])
        owner = f"{STAGES[rows[root - first][3]]}_{root}" if root >= first else f"input_{root - FIRST}"
        lines.append(family.register(name[signal], name[n + i], f"{owner}_r{i}"))
    outputs = pipelined.outputs.tolist()
    lines += [f"assign y[{j}] = {name[signal]};" for j, signal in enumerate(outputs)]
    body = "\n".join(f"  {line}" for line in lines)
    return f"""// {generated_by(cover)}
// x: the {len(inputs)} input bits that an output depends on, of {cover.n_input_bits}; y: {len(outputs)} output bits.
// latency {pipelined.latency} clocks, {pipelined.flip_flops} flip-flops.
module {CORE} (
  input wire clk,
  input wire [{max(1, len(inputs)) - 1}:0] x,
  output wire [{len(outputs) - 1}:0] y
);
{body}
endmodule
"""


def top_verilog(x: int, y: int) -> str:
    """Module ``top``: the core of ``x`` input and ``y`` output bits in a shift register, four pins."""
    return f"""module {TOP} (
  input wire clk,
  input wire shift,
  input wire din,
  output wire dout
);
  wire [{x - 1}:0] x;
  wire [{y - 1}:0] y;
  {WRAPPER} #(.X({x}), .Y({y})) wrapper (.clk(clk), .shift(shift), .din(din), .dout(dout), .core_x(x), .core_y(y));
  {CORE} {CORE} (.clk(clk), .x(x), .y(y));
endmodule
"""


def wrapper_verilog() -> str:
    """The wrapper's own text."""
    return source(f"verilog/wrappers/{WRAPPER}.v")


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


class _Cell(NamedTuple):
    """A driver of a bit: a table over operands, or a flip-flop, whose table is 0, of one."""

    table: int
    operands: tuple[Bit, ...]
    flip_flop: bool
    name: str


def read_netlist(path: Path, like: Circuit, inputs: Sequence[int], latency: int) -> Netlist:
    """Read a netlist in Yosys's JSON, the core's function and the number of flip-flops on each of its paths.

    Parameters
    ----------
    path
        A flat design, module ``top``, that has the nets ``core.x`` and ``core.y``.
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
    try:
        module = json.loads(path.read_text(encoding="utf-8"))["modules"][TOP]
        cells, nets = module["cells"], module["netnames"]
        x, y = nets[f"{CORE}.x"]["bits"], nets[f"{CORE}.y"]["bits"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ToolError(f"{path.name} is no netlist of {TOP} with the nets of its core ({error!r}); install another "
                        f"version of Yosys") from None
    drivers, tables, kinds = _drivers(cells)
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
        b.output(word.name, [known[bit][0] for bit in y[place : place + word.width]])
        place += word.width
    flip_flops = sum(count for kind, count in kinds.items() if kind in FLIP_FLOPS)
    return Netlist(b.build(), latency, tables, flip_flops, dict(sorted(kinds.items())))


def _drivers(cells: Mapping[str, Any]) -> tuple[dict[Bit, _Cell], dict[str, int], Counter[str]]:
    """What drives each bit, the tables of each stage, the cells of each kind."""
    drivers: dict[Bit, _Cell] = {}
    tables: dict[str, int] = dict.fromkeys((*STAGES, "wrapper"), 0)
    kinds: Counter[str] = Counter()
    for name, cell in cells.items():
        kind, pins = cell["type"], cell["connections"]
        kinds[kind] += 1
        if kind in FLIP_FLOPS:
            d, q = FLIP_FLOPS[kind]
            drivers[pins[q][0]] = _Cell(0, (pins[d][0],), True, name)
            continue
        function = function_of(kind, name, cell.get("parameters", {}), pins)
        if function is None:
            continue
        out, table, operands = function
        drivers[pins[out][0]] = _Cell(table, tuple(pins[pin][0] if pins.get(pin) else "0" for pin in operands), False,
                                      name)
        if "LUT" in kind:
            match = STAGE.search(name)
            tables[match[1] if match else "wrapper"] += 1
    return drivers, tables, kinds


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
