"""Ports of an emitted module: one for each word, or one packed bus in and one out."""

import re
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal, get_args

from ...circuit import Circuit
from ...core.errors import InputError
from ...core.names import identifier

#: ``named``: one port a word. ``packed``: ``x`` and ``y``, the first word in the lowest bits; ``ce`` beside ``clk``.
Bus = Literal["named", "packed"]
PRIMITIVES = ("popcount", "popcount_columns", "argmax", "pipeline_register")
#: Ports of a packed core.
CLOCK, ENABLE, INPUT, OUTPUT = "clk", "ce", "x", "y"
#: Names of inner nets, words, registers and instances; no port of a word is called so.
INNER = re.compile(r"[nwrm]\d+|r\d+_\w+|m\d+_\w+|(encoder|network|head)\d+_(c\d+_)?[nwm]\d+(_unused)?")
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


@dataclass(frozen=True)
class Port:
    """A port that carries words: its name, its width, and whether it is declared with a range though it has one bit."""

    name: str
    width: int
    ranged: bool = False

    @property
    def declared(self) -> str:
        """Its range and name, as a declaration has them."""
        return f"[{self.width - 1}:0] {self.name}" if self.ranged or self.width > 1 else self.name


@dataclass(frozen=True)
class Ports:
    """The ports of a circuit's module.

    Attributes
    ----------
    bus
        How words become ports.
    inputs, outputs
        Those that carry words. A packed bus of a circuit without inputs has one bit, which nothing reads.
    """

    bus: Bus
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]

    def declarations(self, clocked: bool) -> list[str]:
        """Every port, in order; ``clk`` and, of a packed core, ``ce`` only where there are registers."""
        clock = [CLOCK, *[ENABLE] * (self.bus == "packed")] if clocked else []
        return [*(f"input wire {name}" for name in clock), *(f"input wire {port.declared}" for port in self.inputs),
                *(f"output wire {port.declared}" for port in self.outputs)]

    def head(self, name: str, clocked: bool) -> str:
        """The line ``module NAME`` with every port."""
        return f"module {name} (\n  " + ",\n  ".join(self.declarations(clocked)) + "\n);\n"

    def bits(self) -> tuple[list[str], list[str]]:
        """The name of each input bit and of each output bit, as Yosys writes them."""
        ins, outs = ([f"{p.name}[{j}]" if p.width > 1 else p.name for p in ports for j in range(p.width)]
                     for ports in (self.inputs, self.outputs))
        return ins, outs


def ports_of(circuit: Circuit, name: str, bus: Bus) -> Ports:
    """The ports of module ``name``.

    Raises
    ------
    InputError
        Where ``bus`` is none of the two.
    """
    if bus not in get_args(Bus):
        raise InputError(f"bus {bus!r} is unknown; choose {' or '.join(get_args(Bus))}")
    if bus == "packed":
        widths = max(1, circuit.n_input_bits), sum(circuit.output_widths)
        return Ports(bus, (Port(INPUT, widths[0], True),), (Port(OUTPUT, widths[1], True),))
    inputs, outputs = port_names(circuit, name)
    return Ports(bus, tuple(map(Port, inputs, circuit.input_widths)), tuple(map(Port, outputs, circuit.output_widths)))


def port_names(circuit: Circuit, name: str) -> tuple[list[str], list[str]]:
    """A name for each word, inputs then outputs: no keywords, none twice, none of the form of an inner net."""
    taken = {*KEYWORDS, *PRIMITIVES, name, CLOCK, "LATENCY"}
    names = []
    for word in (*circuit.inputs, *circuit.outputs):
        port = word.name + "_" * bool(INNER.fullmatch(word.name))
        names.append(identifier(port, avoid=taken))
        taken.add(names[-1])
    return names[: len(circuit.inputs)], names[len(circuit.inputs) :]


def places(widths: list[int]) -> list[tuple[int, int]]:
    """Highest and lowest bit of each word in a packed bus, the first word lowest."""
    return [(end - 1, end - width) for width, end in zip(widths, accumulate(widths))]


def bit_range(width: int) -> str:
    """The range of a declaration, empty for one bit."""
    return f"[{width - 1}:0] " if width > 1 else ""
