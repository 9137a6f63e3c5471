"""Verilog-2001: combinational or pipelined, with a test bench that checks itself.

One port for each input and output word. Comparisons become ``>=``; a count or an arg-max becomes an instance of a
hand-written primitive where one repeats the shape of its gates; everything else is one wire a gate. A pipelined circuit
has the gates alone, so that registers may stand inside a sum: a register after every N levels of logic and at the
outputs, none at the inputs, and every path as many registers long.
"""

import re
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from ...circuit import FALSE, FIRST, TRUE, Circuit, Macro
from ...circuit.arithmetic.shapes import shapes
from ...circuit.formats.words import generated_by
from ...circuit.schedule import Node, schedule
from ...circuit.simulate import simulate
from ...core import programs as tools
from ...core.bits import Codes, bits_to_codes, codes_to_bits
from ...core.errors import InputError, ToolError
from ...core.files import write_text
from ...core.names import identifier
from ..common import choose_name, description, lut, source

PRIMITIVES = ("popcount", "popcount_columns", "argmax", "pipeline_register")
#: Inputs of a count in columns that is written as its primitive; an event-driven simulator evaluates a whole bus again
#: for each bit that changes, so that larger ones are written as gates.
COLUMNS = 64
#: The primitive that repeats the shape of a macro's gates.
SHAPED = {("popcount", "tree"): "popcount", ("popcount", "columns"): "popcount_columns",
          ("argmax", "tournament"): "argmax"}
#: Verilog-2005 and what SystemVerilog adds, so that either kind of tool reads the text.
RESERVED = """
    accept_on alias always always_comb always_ff always_latch and assert assign assume automatic before begin bind
    bins binsof bit break buf bufif0 bufif1 byte case casex casez cell chandle checker class clocking cmos config
    const constraint context continue cover covergroup coverpoint cross deassign default defparam design disable dist
    do edge else end endcase endchecker endclass endclocking endconfig endfunction endgenerate endgroup endinterface
    endmodule endpackage endprimitive endprogram endproperty endsequence endspecify endtable endtask enum event
    eventually expect export extends extern final first_match for force foreach forever fork forkjoin function
    generate genvar global highz0 highz1 if iff ifnone ignore_bins illegal_bins implements implies import incdir
    include initial inout input inside instance int integer interconnect interface intersect join join_any join_none
    large let liblist library local localparam logic longint macromodule matches medium modport module nand negedge
    nettype new nexttime nmos nor noshowcancelled not notif0 notif1 null or output package packed parameter pmos
    posedge primitive priority program property protected pull0 pull1 pulldown pullup pulsestyle_ondetect
    pulsestyle_onevent pure rand randc randcase randsequence rcmos real realtime ref reg reject_on release repeat
    restrict return rnmos rpmos rtran rtranif0 rtranif1 s_always s_eventually s_nexttime s_until s_until_with scalared
    sequence shortint shortreal showcancelled signed small soft solve specify specparam static string strong strong0
    strong1 struct super supply0 supply1 sync_accept_on sync_reject_on table tagged task this throughout time
    timeprecision timeunit tran tranif0 tranif1 tri tri0 tri1 triand trior trireg type typedef union unique unique0
    unsigned until until_with untyped use uwire var vectored virtual void wait wait_order wand weak weak0 weak1 while
    wildcard wire with within wor xnor xor
"""
KEYWORDS = frozenset(RESERVED.split())


def emit(
    circuit: Circuit, out_dir: str | PathLike[str], *, name: str | None = None, pipeline: int | None = None,
    vectors: ArrayLike | None = None,
) -> list[Path]:
    """Write ``NAME.v``, the primitives it uses, ``NAME_tb.v``, ``NAME_in.hex`` and ``NAME_out.hex``.

    Parameters
    ----------
    circuit, out_dir
        What to write, and the folder.
    name
        The circuit's unless given.
    pipeline
        Puts a register after every so many levels of logic and at the outputs; the module then has an input ``clk``
        and takes new inputs every clock.
    vectors
        Codes ``(samples, words)`` for the test bench, by default the corners and 64 random ones; the interpreter
        computes what is expected of them.

    Returns
    -------
    list[Path]
        The files, ``NAME.v`` first.

    Raises
    ------
    InputError
        Where ``out_dir`` cannot be written or an option makes no sense.
    """
    design = _design(circuit, name, pipeline)
    codes = default_vectors(circuit) if vectors is None else circuit.codes(vectors)
    if not len(codes):
        raise InputError("the test bench got no vectors; give at least one sample")
    folder, name = Path(out_dir), design.name
    return [
        write_text(folder / f"{name}.v", design.text),
        *(write_text(folder / f"{p}.v", source(f"verilog/{p}.v")) for p in PRIMITIVES if p in design.primitives),
        write_text(folder / f"{name}_tb.v", _bench(circuit, design, len(codes))),
        write_text(folder / f"{name}_in.hex", _hex(codes, circuit.input_widths)),
        write_text(folder / f"{name}_out.hex", _hex(simulate(circuit, codes), circuit.output_widths)),
    ]


def run(circuit: Circuit, codes: ArrayLike, *, pipeline: int | None = None) -> Codes:
    """Codes or physical values ``(samples, words)`` through Icarus Verilog to codes ``(samples, output words)``.

    Raises
    ------
    MissingToolError
        Without Icarus Verilog.
    ToolError
        Where an output is undefined.
    """
    codes = circuit.codes(codes)
    if not len(codes):
        return np.zeros((0, len(circuit.outputs)), dtype=circuit.output_dtype)
    design = _design(circuit, "circuit", pipeline)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        texts = {f"{p}.v": source(f"verilog/{p}.v") for p in design.primitives}
        texts |= {"circuit.v": design.text, "circuit_tb.v": _bench(circuit, design, len(codes))}
        for file, text in texts.items():
            write_text(folder / file, text)
        write_text(folder / "circuit_in.hex", _hex(codes, circuit.input_widths))
        tools.run(tools.IVERILOG, ["-g2005", "-Wall", "-o", "circuit.vvp", *texts], cwd=folder,
                  produces=[folder / "circuit.vvp"])
        tools.run(tools.VVP, ["-n", "circuit.vvp", "+dump=got.hex"], cwd=folder, produces=[folder / "got.hex"])
        return _parse((folder / "got.hex").read_text(), circuit, len(codes))


def default_vectors(circuit: Circuit, *, random: int = 64, seed: int = 0) -> Codes:
    """All zeros, all ones, each bit alternating, and ``random`` seeded codes; shape ``(samples, words)``."""
    rng = np.random.default_rng(seed)
    even = np.arange(circuit.n_input_bits) % 2 == 0
    corners = [np.zeros_like(even), np.ones_like(even), even, ~even]
    bits = np.vstack([*corners, rng.integers(0, 2, (random, circuit.n_input_bits)).astype(bool)])
    if not circuit.inputs:
        return np.zeros((1, 0), dtype=circuit.input_dtype)
    return bits_to_codes(bits, circuit.input_widths)


# ----------------------------------------------------------------------------------------------------------- the module


@dataclass(frozen=True)
class _Design:
    name: str
    text: str
    inputs: list[str]
    outputs: list[str]
    latency: int
    primitives: list[str]


def _design(circuit: Circuit, name: str | None, pipeline: int | None) -> _Design:
    if pipeline is not None and (isinstance(pipeline, bool) or not isinstance(pipeline, int) or pipeline < 1):
        raise InputError(f"pipeline {pipeline!r} is no number of levels; give 1 or more, or leave it out")
    if not circuit.outputs:
        raise InputError(f"circuit {circuit.name!r} has no outputs; add one before emitting Verilog")
    name = choose_name(circuit, name, avoid=KEYWORDS | set(PRIMITIVES))
    inputs, outputs = port_names(circuit, name)
    writer = _Writer(circuit, inputs)
    if pipeline is None:
        lines, results = _combinational(circuit, writer)
        latency = 0
        how = "combinational"
    else:
        latency, lines, results = _pipelined(circuit, writer, pipeline)
        how = f"a register after every {pipeline} levels of logic and at the outputs; inputs are not registered"
    place = 0
    for port, width in zip(outputs, circuit.output_widths):
        lines.append(f"assign {port} = {writer.concat(results[place : place + width])};")
        place += width
    text = _module(circuit, name, inputs, outputs, latency, how, lines)
    return _Design(name, text, inputs, outputs, latency, sorted(writer.primitives))


def port_names(circuit: Circuit, name: str) -> tuple[list[str], list[str]]:
    """Port names, inputs then outputs: no keywords, none twice, none of the form of an inner net or instance."""
    taken = {*KEYWORDS, *PRIMITIVES, name, "clk", "LATENCY"}
    names = []
    for word in (*circuit.inputs, *circuit.outputs):
        port = word.name + "_" * bool(re.fullmatch(r"[nwrm]\d+", word.name))
        names.append(identifier(port, avoid=taken))
        taken.add(names[-1])
    return names[: len(circuit.inputs)], names[len(circuit.inputs) :]


class _Writer:
    """Names of nets, and words put together from them."""

    def __init__(self, circuit: Circuit, inputs: list[str]) -> None:
        self.primitives: set[str] = set()
        self.bit = {FALSE: "1'b0", TRUE: "1'b1"}
        self.origin: dict[int, tuple[str, int]] = {}
        self.word: dict[tuple[int, ...], str] = {}
        net = FIRST
        for port, width in zip(inputs, circuit.input_widths):
            self.define(port, range(net, net + width))
            net += width

    def define(self, name: str, nets: Iterable[int]) -> None:
        """The word ``name`` holds ``nets``, least significant bit first."""
        nets = tuple(nets)
        self.bit.update((net, f"{name}[{j}]" if len(nets) > 1 else name) for j, net in enumerate(nets))
        self.origin.update((net, (name, j)) for j, net in enumerate(nets))
        self.word[nets] = name

    def value(self, nets: Iterable[int]) -> str:
        """A word by its name, as a slice of another, or put together."""
        nets = tuple(nets)
        if nets in self.word:
            return self.word[nets]
        name, low = self.origin.get(nets[0], ("", 0))
        if len(nets) > 1 and [self.origin.get(net) for net in nets] == [(name, low + j) for j in range(len(nets))]:
            return f"{name}[{low + len(nets) - 1}:{low}]"
        return self.concat([self.bit[net] for net in nets])

    def concat(self, bits: list[str]) -> str:
        """A word from the texts of its bits, which are given least significant first."""
        if len(bits) == 1:
            return bits[0]
        bits = bits[::-1]
        rows = [", ".join(bits[i : i + 10]) for i in range(0, len(bits), 10)]
        return "{" + ",\n      ".join(rows) + "}"


def _gate(node: Node, operand: Callable[[int], str]) -> str:
    return lut(node.table, [operand(net) for net in node.inputs], false="1'b0", true="1'b1")


def _primitive(macro: Macro, shape: str | None) -> str | None:
    """The module that a macro becomes an instance of, or None where its gates are written."""
    if shape == "columns" and len(macro.inputs) > COLUMNS:
        return None
    return SHAPED.get((macro.kind, shape or ""))


def _combinational(circuit: Circuit, writer: _Writer) -> tuple[list[str], list[str]]:
    lines: list[str] = []
    modules = {macro: _primitive(macro, shape) for macro, shape in shapes(circuit).items()}
    plain = circuit.with_(macros=tuple(m for m in circuit.macros if m.kind == "ge" or modules[m]))
    for item in schedule(plain, slim=False):  # the shapes of the circuit's own gates, so that a proof is quick
        if isinstance(item, Node):
            lines.append(f"wire n{item.net} = {_gate(item, writer.bit.__getitem__)};")
            writer.bit[item.net] = f"n{item.net}"
        elif item.kind == "ge":
            lines.append(_compare(item, writer))
        else:
            lines += _instance(item, modules[item] or item.kind, writer)
    return lines, [writer.bit[net] for net in circuit.output_nets.tolist()]


def _compare(macro: Macro, writer: _Writer) -> str:
    net = macro.outputs[0]
    line = f"wire n{net} = {writer.value(macro.inputs)} >= {len(macro.inputs)}'d{macro.value};"
    writer.bit[net] = f"n{net}"
    return line


def _instance(macro: Macro, module: str, writer: _Writer) -> list[str]:
    n, m, word = len(macro.inputs), len(macro.outputs), f"w{macro.outputs[0]}"
    name = f"m{macro.outputs[0]}"
    if macro.kind == "popcount":
        head, tail = f"{module} #(.N({n}), .M({m}))", f".count({word})"
        x = writer.value(macro.inputs)
    else:
        width = n // macro.value
        head, tail = f"{module} #(.N({macro.value}), .W({width}), .K({m}))", f".best(), .index({word})"
        words = [writer.value(macro.inputs[k : k + width]) for k in range(0, n, width)]
        x = writer.concat(words)
    writer.primitives.add(module)
    writer.define(word, macro.outputs)
    return [f"wire {_range(m)}{word};", f"{head} {name} (.x({x}), {tail});"]


def _range(width: int) -> str:
    return f"[{width - 1}:0] " if width > 1 else ""


def _pipelined(circuit: Circuit, writer: _Writer, levels: int) -> tuple[int, list[str], list[str]]:
    """Stage ``s`` holds levels ``s * levels + 1 .. (s + 1) * levels``; register ``s`` is between s-1 and s."""
    items = [item for item in schedule(circuit, macros=()) if isinstance(item, Node)]
    level = dict.fromkeys(range(circuit.first_node), 0)
    for node in items:
        level[node.net] = 1 + max((level[net] for net in node.inputs), default=0)
    results = circuit.output_nets.tolist()
    latency = max(1, -(-max(level[net] for net in results) // levels))
    stage = {net: max(0, depth - 1) // levels for net, depth in level.items()}
    last = dict.fromkeys((net for net in results if net > TRUE), latency)
    for node in items:
        for net in node.inputs:
            last[net] = max(last.get(net, 0), stage[node.net])
    crossing: list[list[int]] = [[] for _ in range(latency + 1)]
    for net, end in last.items():
        for s in range(stage[net] + 1, end + 1):
            crossing[s].append(net)
    logic: list[list[Node]] = [[] for _ in range(latency)]
    for node in items:
        logic[stage[node.net]].append(node)
    lines: list[str] = []
    for s in range(latency):
        for node in logic[s]:
            lines.append(f"wire n{node.net} = {_gate(node, writer.bit.__getitem__)};")
            writer.bit[node.net] = f"n{node.net}"
        lines += _register(s + 1, crossing[s + 1], writer)
    return latency, lines, [writer.bit[net] for net in results]


def _register(s: int, nets: list[int], writer: _Writer) -> list[str]:
    if not nets:
        return []
    width = len(nets)
    lines = [f"wire {_range(width)}r{s};",
             f"pipeline_register #(.W({width})) m{s} (.clk(clk), .d({writer.value(nets)}), .q(r{s}));"]
    writer.primitives.add("pipeline_register")
    writer.define(f"r{s}", nets)
    return lines


def _module(
    circuit: Circuit, name: str, inputs: list[str], outputs: list[str], latency: int, how: str, lines: list[str]
) -> str:
    notes = "\n".join(f"// {line}" for line in description(circuit))
    ports = ["input wire clk"] * bool(latency)
    ports += [f"input wire {_range(w)}{port}" for port, w in zip(inputs, circuit.input_widths)]
    ports += [f"output wire {_range(w)}{port}" for port, w in zip(outputs, circuit.output_widths)]
    body = "\n".join(f"  {line}" for line in lines)
    return f"""// {generated_by(circuit)}.
//
{notes}
//
// {how}; latency {latency} clocks.
`default_nettype none
module {name} (
  {f",{chr(10)}  ".join(ports)}
);
  localparam LATENCY = {latency};
{body}
endmodule
`default_nettype wire
"""


# ------------------------------------------------------------------------------------------------------- the test bench


def _bench(circuit: Circuit, design: _Design, count: int) -> str:
    name, latency = design.name, design.latency
    width_in, width_out = max(1, circuit.n_input_bits), sum(circuit.output_widths)
    ports = [".clk(clk)"] * bool(latency)
    ends = (design.inputs, "x", circuit.input_widths), (design.outputs, "y", circuit.output_widths)
    for names, vector, widths in ends:
        start = [0, *accumulate(widths)]
        ports += [f".{p}({vector}[{s + w - 1}:{s}])" for p, s, w in zip(names, start, widths)]
    return f"""// {generated_by(circuit)}.
// Drives {name} with {name}_in.hex and compares with {name}_out.hex.
//   iverilog -g2005 -o {name}.vvp *.v && vvp -n {name}.vvp      (in this folder)
// Prints PASSED, or FAILED and ends with an exit code other than 0; a vector that could not be read is a failure.
// +dump=FILE writes the outputs to FILE instead of comparing them.
`default_nettype none
module {name}_tb;
  localparam VECTORS = {count};
  localparam LATENCY = {latency};
  reg [{width_in - 1}:0] x, in_vectors [0:VECTORS-1];
  reg [{width_out - 1}:0] out_vectors [0:VECTORS-1];
  wire [{width_out - 1}:0] y;
  reg clk;
  reg [8*256-1:0] file;
  integer i, errors, dump;

  {name} dut (
    {f",{chr(10)}    ".join(ports)}
  );

  task check(input integer vector);
    if (dump != 0)
      $fdisplay(dump, "%h", y);
    else if ((^in_vectors[vector]) === 1'bx || (^out_vectors[vector]) === 1'bx) begin
      errors = errors + 1;
      if (errors <= 10)
        $display("vector %0d could not be read", vector);
    end
    else if (y !== out_vectors[vector]) begin
      errors = errors + 1;
      if (errors <= 10)
        $display("vector %0d: got %h, expected %h", vector, y, out_vectors[vector]);
    end
  endtask

  initial begin
    clk = 0;
    errors = 0;
    dump = 0;
    $readmemh("{name}_in.hex", in_vectors);
    if ($value$plusargs("dump=%s", file))
      dump = $fopen(file, "w");
    else
      $readmemh("{name}_out.hex", out_vectors);
    for (i = 0; i < VECTORS + LATENCY; i = i + 1) begin
      if (i < VECTORS)
        x = in_vectors[i];
      #1;
      if (i >= LATENCY)
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


def _hex(codes: Codes, widths: Sequence[int]) -> str:
    """One line a sample: all words side by side, the first one least significant."""
    bits = codes_to_bits(codes, widths)
    digits = max(1, -(-bits.shape[1] // 4))
    padded = np.zeros((len(bits), 8 * -(-max(1, bits.shape[1]) // 8)), dtype=np.uint8)
    padded[:, : bits.shape[1]] = bits
    octets = np.packbits(padded[:, ::-1], axis=1)
    return "".join(row.tobytes().hex()[-digits:] + "\n" for row in octets)


def _parse(text: str, circuit: Circuit, count: int) -> Codes:
    rows = text.split()
    if len(rows) != count or not all(re.fullmatch(r"[0-9a-f]+", row) for row in rows):
        raise ToolError(f"simulation of circuit {circuit.name!r} gave {len(rows)} of {count} rows or undefined bits")
    width = sum(circuit.output_widths)
    size = -(-width // 8)
    octets = np.frombuffer(b"".join(int(row, 16).to_bytes(size, "little") for row in rows), dtype=np.uint8)
    bits = np.unpackbits(octets.reshape(count, size), axis=1, bitorder="little", count=width)
    return bits_to_codes(bits, circuit.output_widths)
