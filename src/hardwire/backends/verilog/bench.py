"""A test bench that checks itself, its vectors, and the outputs that it dumps."""

import re
from collections.abc import Sequence

import numpy as np

from ...circuit import Circuit
from ...circuit.formats.words import generated_by
from ...core.bits import Codes, bits_to_codes, codes_to_bits
from ...core.errors import ToolError
from .module import Design
from .ports import CLOCK, ENABLE, places


def bench(circuit: Circuit, design: Design, count: int) -> str:
    """The text of ``NAME_tb.v`` for ``count`` vectors."""
    name, latency = design.name, design.latency
    width_in, width_out = max(1, circuit.n_input_bits), sum(circuit.output_widths)
    ports = [f".{CLOCK}({CLOCK})"] * bool(latency) + [f".{ENABLE}({ENABLE})"] * design.enabled
    for side, vector in ((design.ports.inputs, "x"), (design.ports.outputs, "y")):
        widths = [port.width for port in side]
        ports += [f".{port.name}({vector}[{high}:{low}])" for port, (high, low) in zip(side, places(widths))]
    enable = _STALL if design.enabled else ""
    return f"""// {generated_by(circuit)}.
// Drives {name} with {name}_in.hex and compares with {name}_out.hex; in this folder:
//   $ iverilog -g2005 -o {name}.vvp *.v && vvp -n {name}.vvp
//   $ verilator --binary --timing --top-module {name}_tb *.v && obj_dir/V{name}_tb
// Prints PASSED, or FAILED and ends with an exit code other than 0; a vector that could not be read is a failure.
// +dump=FILE writes the outputs to FILE instead of comparing them.
`default_nettype none
module {name}_tb;
  localparam VECTORS = {count};
  localparam LATENCY = {latency};
  reg [{width_in - 1}:0] x, held;
  reg [{width_out - 1}:0] expected;
  wire [{width_out - 1}:0] y;
  reg clk, ce;
  reg [8*256-1:0] file;
  reg readable;
  integer i, got, inputs, outputs, errors, dump, vectors;  // vectors: how many could be read

  {name} dut (
    {f",{chr(10)}    ".join(ports)}
  );

  task check(input integer vector);
    begin
      readable = vector < vectors;
      if (dump == 0 && readable) begin
        got = (outputs == 0) ? 0 : $fscanf(outputs, "%h", expected);
        readable = got == 1 && (^expected) !== 1'bx;
      end
      if (dump != 0)
        $fdisplay(dump, "%h", y);
      else if (!readable || y !== expected)
        errors = errors + 1;
      if (dump == 0 && !readable && errors <= 10)
        $display("vector %0d could not be read", vector);
      else if (dump == 0 && readable && y !== expected && errors <= 10)
        $display("vector %0d: got %h, expected %h", vector, y, expected);
    end
  endtask

  initial begin
    clk = 0;
    ce = 1;
    errors = 0;
    dump = 0;
    vectors = 0;
    outputs = 0;
    inputs = $fopen("{name}_in.hex", "r");
    if ($value$plusargs("dump=%s", file))
      dump = $fopen(file, "w");
    else
      outputs = $fopen("{name}_out.hex", "r");
    for (i = 0; i < VECTORS + LATENCY; i = i + 1) begin
      if (i < VECTORS && vectors == i && inputs != 0) begin
        got = $fscanf(inputs, "%h", held);
        if (got == 1 && (^held) !== 1'bx)
          vectors = i + 1;
        x = held;
      end
      #1;
{enable}      if (i >= LATENCY)
        check(i - LATENCY);
      clk = 1;
      #1;
      clk = 0;
    end
    if (dump != 0)
      $fclose(dump);
    else if (errors == 0)
      $display("PASSED %0d vectors", VECTORS);
    else begin
      $display("FAILED %0d of %0d vectors", errors, VECTORS);
      $fatal(1, "the outputs are not those that were expected");
    end
    $finish;
  end
endmodule
`default_nettype wire
"""


#: A clock without enable, at which the inputs are others: nothing may move.
_STALL = """      if (i % 3 == 1) begin
        held = x;
        x = ~x;
        ce = 0;
        #1 clk = 1;
        #1 clk = 0;
        x = held;
        ce = 1;
        #1;
      end
"""


def hex_lines(codes: Codes, widths: Sequence[int]) -> str:
    """One line a sample: all words side by side, the first one least significant."""
    bits = codes_to_bits(codes, widths)
    digits = max(1, -(-bits.shape[1] // 4))
    padded = np.zeros((len(bits), 8 * -(-max(1, bits.shape[1]) // 8)), dtype=np.uint8)
    padded[:, : bits.shape[1]] = bits
    octets = np.packbits(padded[:, ::-1], axis=1)
    return "".join(row.tobytes().hex()[-digits:] + "\n" for row in octets)


def parse_dump(text: str, circuit: Circuit, count: int) -> Codes:
    """Codes (samples, output words) from the rows that the bench dumped.

    Raises
    ------
    ToolError
        Where rows are missing or have undefined bits.
    """
    rows = text.split()
    if len(rows) != count or not all(re.fullmatch(r"[0-9a-f]+", row) for row in rows):
        raise ToolError(f"simulation of circuit {circuit.name!r} gave {len(rows)} of {count} rows or undefined bits")
    width = sum(circuit.output_widths)
    size = -(-width // 8)
    octets = np.frombuffer(b"".join(int(row, 16).to_bytes(size, "little") for row in rows), dtype=np.uint8)
    bits = np.unpackbits(octets.reshape(count, size), axis=1, bitorder="little", count=width)
    return bits_to_codes(bits, circuit.output_widths)
