"""A pipelined cover as Verilog: instances named by stage and net, behind a wrapper of four pins."""

import re

from ...backends.common import source
from ...circuit import FALSE, FIRST, STAGES, TRUE, Circuit
from ...circuit.formats.words import generated_by
from ..netlist import needed
from .pipeline import Pipelined
from .primitives import Family

TOP, CORE, WRAPPER = "top", "core", "shift_wrapper"
#: The stage in the name of a cell of the core; everything else is the wrapper's.
STAGE = re.compile(rf"(?:^|[./]){CORE}[./]({'|'.join(STAGES)})_\d")


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
