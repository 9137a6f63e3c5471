"""A mapped netlist in Icarus Verilog, with models of its cells from their functions in the library."""

import re
import tempfile
import time
from itertools import accumulate
from pathlib import Path

import numpy as np

from ...circuit import Circuit, CircuitBuilder
from ...core.bits import Codes, bits_to_codes, codes_to_bits
from ...core.errors import HardwireError, MissingToolError, ToolError
from ...core.files import write_text
from ...core.programs import IVERILOG, VVP, find, run
from ...core.verdict import Verdict
from ..netlist import Ports

#: Vectors that are simulated unless more are asked for: an event-driven simulator takes a second for some.
VECTORS = 32


def simulate_verilog(sources: list[str], top: str, like: Circuit, ports: Ports, codes: Codes, folder: Path, *,
                     timeout: float = 300) -> Codes:
    """Outputs of a module for codes ``(samples, words)``, one vector after the other.

    Parameters
    ----------
    sources
        Files in ``folder``.
    top, like, ports
        The module, a circuit of its words, and how they appear.
    codes
        The vectors.
    folder
        Where the bench, the vectors and the outputs are written.
    timeout
        Seconds for compilation and for simulation.

    Raises
    ------
    MissingToolError
        Without Icarus Verilog.
    ToolError
        Where it fails, or an output is undefined.
    """
    bits = codes_to_bits(codes, like.input_widths)
    lines = "".join("".join("1" if bit else "0" for bit in row[::-1]) + "\n" for row in bits)
    write_text(folder / "vectors.txt", lines, durable=False)
    write_text(folder / "bench.v", _bench(top, like, ports, len(codes)), durable=False)
    run(IVERILOG, ["-g2005", "-o", "bench.vvp", "bench.v", *sources], cwd=folder, timeout=timeout,
        produces=[folder / "bench.vvp"])
    run(VVP, ["-n", "bench.vvp"], cwd=folder, timeout=timeout, produces=[folder / "outputs.txt"])
    rows = (folder / "outputs.txt").read_text().split()
    if len(rows) != len(codes) or not all(re.fullmatch("[01]+", row) for row in rows):
        raise ToolError(f"{VVP.title} gave {len(rows)} of {len(codes)} vectors of module {top!r}, or undefined bits; "
                        f"see outputs.txt")
    found = np.array([[digit == "1" for digit in row[::-1]] for row in rows], dtype=bool)
    return bits_to_codes(found, like.output_widths)


def check_verilog(circuit: Circuit, expected: Codes, sources: list[str], top: str, ports: Ports, codes: Codes,
                  folder: Path, *, timeout: float = 300) -> Verdict:
    """Whether a module gives the expected codes; ``skipped`` without Icarus Verilog, ``unknown`` where it fails."""
    start = time.perf_counter()
    try:
        self_test()
        found = simulate_verilog(sources, top, circuit, ports, codes, folder, timeout=timeout)
    except MissingToolError as error:
        return Verdict("skipped", detail=str(error))
    except HardwireError as error:
        return Verdict("unknown", detail=str(error), seconds=time.perf_counter() - start, tool=IVERILOG.title)
    wrong = int((found != expected).any(axis=1).sum())
    return Verdict("refuted" if wrong else "simulated", samples=len(codes), seconds=time.perf_counter() - start,
                   detail=f"{wrong} vectors give another output" if wrong else "vectors in Icarus Verilog",
                   method="simulation of the netlist", tool=IVERILOG.title)


def self_test() -> None:
    """Simulate a NAND and an exclusive-or, each an instance of a model, on all four vectors.

    Raises
    ------
    MissingToolError
        Without Icarus Verilog.
    ToolError
        Where an output is another.
    """
    b = CircuitBuilder("pair")
    (x, y) = b.input("x", 2)
    b.output("z", [b.gate(0b0111, x, y), b.xor(x, y)])
    circuit = b.build()
    text = """module NAND (input A, input B, output Y); assign Y = ~(A & B); endmodule
module pair (input [1:0] x, output [1:0] z);
  NAND g0 (.A(x[0]), .B(x[1]), .Y(z[0]));
  assign z[1] = x[0] ^ x[1];
endmodule
"""
    codes = np.arange(4, dtype=np.uint8)[:, None]
    with tempfile.TemporaryDirectory(prefix="hardwire-") as name:
        write_text(Path(name) / "pair.v", text, durable=False)
        found = simulate_verilog(["pair.v"], "pair", circuit, Ports(circuit), codes, Path(name), timeout=60)
    if found[:, 0].tolist() != [1, 3, 3, 0]:
        raise ToolError(f"{IVERILOG.title} gives two gates the outputs {found[:, 0].tolist()}, and not [1, 3, 3, 0]; "
                        f"install another version")


def version() -> str | None:
    """The version of Icarus Verilog, or None without it."""
    if find(IVERILOG) is None:
        return None
    match = re.search(r"version (\S+)", run(IVERILOG, ["-V"], timeout=60))
    return match[1] if match else "unknown"


def _bench(top: str, like: Circuit, ports: Ports, count: int) -> str:
    """A bench that reads ``vectors.txt`` and writes ``outputs.txt``, the first word in the lowest bits."""
    ends = (ports.inputs, "x", "input"), (ports.outputs, "y", "output")
    pins = []
    for words, vector, _ in ends:
        start = [0, *accumulate(width for _, width in words)]
        pins += [f".{name}({vector}[{low + width - 1}:{low}])" for (name, width), low in zip(words, start)]
    return f"""`timescale 1ns/1ps
module bench;
  reg [{max(1, like.n_input_bits) - 1}:0] x, vectors [0:{count - 1}];
  wire [{sum(like.output_widths) - 1}:0] y;
  integer i, file;
  {top} dut ({", ".join(pins)});
  initial begin
    $readmemb("vectors.txt", vectors);
    file = $fopen("outputs.txt", "w");
    for (i = 0; i < {count}; i = i + 1) begin
      x = vectors[i];
      #100000;
      $fdisplay(file, "%b", y);
    end
    $fclose(file);
    $finish;
  end
endmodule
"""
