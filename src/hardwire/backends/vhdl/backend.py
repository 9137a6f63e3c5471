"""VHDL-93: a packed core of gates and registers, with a test bench that checks itself.

The entity has the ports of a packed core in Verilog, the same names of nets and the same registers, and the vectors are
the same files. Counts and comparisons are written gate by gate.
"""

import re
from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path

from ...circuit import FALSE, FIRST, STAGES, TRUE, Circuit
from ...circuit.formats.words import generated_by
from ...circuit.schedule import Node, schedule
from ...circuit.simulate import simulate
from ...core.errors import InputError
from ...core.files import write_text
from ...core.names import identifier
from ..common import choose_name, description, lut, source
from ..verilog.backend import default_vectors
from ..verilog.bench import hex_lines
from ..verilog.netnames import NetNames
from ..verilog.pipeline import pipelined
from ..verilog.ports import CLOCK, ENABLE, INPUT, OUTPUT

#: Reserved words of VHDL-2008, and names that the text uses.
RESERVED = """
    abs access after alias all and architecture array assert assume assume_guarantee attribute begin block body
    buffer bus case component configuration constant context cover default disconnect downto else elsif end entity
    exit fairness file for force function generate generic group guarded if impure in inertial inout is label
    library linkage literal loop map mod nand new next nor not null of on open or others out package parameter port
    postponed procedure process property protected pure range record register reject release rem report restrict
    restrict_guarantee return rol ror select sequence severity shared signal sla sll sra srl strong subtype then to
    transport type unaffected units until use variable vmode vprop vunit wait when while with xnor xor bench ieee
    rtl std work
"""
KEYWORDS = frozenset(RESERVED.split()) | {CLOCK, ENABLE, INPUT, OUTPUT}
#: Operators of `core.gates` -> those of VHDL; a back end writes brackets around whatever is inside another operator.
OPERATORS = {" & ": " and ", " | ": " or ", " ^ ": " xor ", "~": "not "}


def emit(circuit: Circuit, out_dir: str | PathLike[str], *, name: str | None = None, pipeline: int | None = None,
         register_inputs: bool = False) -> list[Path]:
    """Write ``NAME.vhd``, ``NAME_tb.vhd``, ``NAME_in.hex`` and ``NAME_out.hex``.

    Parameters
    ----------
    circuit, out_dir, name, pipeline, register_inputs
        As of the Verilog back end with a packed bus. A name of the circuit loses the underscores that VHDL forbids.

    Returns
    -------
    list[Path]
        The files, ``NAME.vhd`` first.

    Raises
    ------
    InputError
        Where ``out_dir`` cannot be written or an option makes no sense.
    """
    if not circuit.outputs:
        raise InputError(f"circuit {circuit.name!r} has no outputs; add one before emitting VHDL")
    name, codes = _entity_name(circuit, name), default_vectors(circuit)
    latency, text = _core(circuit, name, pipeline, register_inputs)
    folder = Path(out_dir)
    return [
        write_text(folder / f"{name}.vhd", text),
        write_text(folder / f"{name}_tb.vhd", _bench(circuit, name, latency, len(codes))),
        write_text(folder / f"{name}_in.hex", hex_lines(codes, circuit.input_widths)),
        write_text(folder / f"{name}_out.hex", hex_lines(simulate(circuit, codes), circuit.output_widths)),
    ]


def _entity_name(circuit: Circuit, name: str | None) -> str:
    """A basic identifier of VHDL, which has single underscores and none at its ends; a given one as it is."""
    chosen = choose_name(circuit, name)
    plain = re.sub("_+", "_", chosen).strip("_")
    plain = plain if re.match("[A-Za-z]", plain) else identifier(f"circuit_{plain}".rstrip("_"))
    plain += "_core" * (plain.lower() in KEYWORDS)
    if name is not None and plain != name:
        raise InputError(f"name {name!r} is no name of an entity; give letters, digits and single underscores")
    return plain


def _core(circuit: Circuit, name: str, pipeline: int | None, register_inputs: bool) -> tuple[int, str]:
    """The latency, and the text of the package and the entity."""
    writer = _Writer(circuit)
    if pipeline is None:
        nodes = [item for item in schedule(circuit, macros=()) if isinstance(item, Node)]
        read = {net for node in nodes for net in node.inputs} | set(circuit.output_nets.tolist())
        first = [net for net in range(FIRST, circuit.first_node) if net in read] if register_inputs else []
        logic, registers, latency = [nodes], [first, []], int(register_inputs)
    else:
        stages = pipelined(circuit, pipeline, register_inputs=register_inputs)
        logic, registers, latency = stages.logic, stages.registers, stages.latency
    for s, nodes in enumerate(logic):
        writer.registers(s, registers[s])
        writer.gates(nodes)
    writer.registers(len(logic), registers[-1])
    result = [writer.bit[net] for net in circuit.output_nets.tolist()]
    ends = [f"{OUTPUT}({k}) <= {bit};" for k, bit in enumerate(result)]
    clock = [f"{CLOCK} : in std_logic", f"{ENABLE} : in std_logic"] if latency else []
    ports = [*clock, f"{INPUT} : in std_logic_vector({max(1, circuit.n_input_bits) - 1} downto 0)",
             f"{OUTPUT} : out std_logic_vector({len(result) - 1} downto 0)"]
    head = "\n".join(f"-- {line}".rstrip() for line in (f"{generated_by(circuit)}.", "", *description(circuit)))
    reset = ("-- No reset: what the registers held at power-up has left after the latency; what surrounds this entity\n"
             "-- resets its own valid bits.\n") * bool(latency)
    declared = "\n".join(f"  {line}" for line in writer.declared)
    body = "\n".join(f"  {line}".rstrip() for line in [*writer.lines, *ends])
    return latency, f"""{head}
--
-- Latency {latency} clocks. The first word lies in the lowest bits of {INPUT} and of {OUTPUT}.
{reset}library ieee;
use ieee.std_logic_1164.all;

entity {name} is
  port (
    {f";{chr(10)}    ".join(ports)}
  );
end entity {name};

architecture rtl of {name} is
{declared}
begin
{body}
end architecture rtl;
"""


class _Writer:
    """Names of nets, and the declarations and statements so far."""

    def __init__(self, circuit: Circuit) -> None:
        self.names = NetNames(circuit)
        self.bit = {FALSE: "'0'", TRUE: "'1'"}
        self.bit.update((net, f"{INPUT}({net - FIRST})") for net in range(FIRST, circuit.first_node))
        self.declared: list[str] = []
        self.lines: list[str] = []

    def gates(self, nodes: Sequence[Node]) -> None:
        """A signal for each gate, by stage of the circuit."""
        names = {node.net: self.names.name(node.net) for node in nodes}
        self.bit.update(names)
        rows = list(names.values())
        self.declared += [f"signal {', '.join(rows[i : i + 6])} : std_logic;" for i in range(0, len(rows), 6)]
        for stage, title in enumerate(STAGES):
            part = [node for node in nodes if self.names.stage[node.net] == stage]
            self.lines += ["", f"-- {title}: {len(part)} nets"] if part else []
            for node in part:
                text = lut(node.table, [self.bit[net] for net in node.inputs], false="'0'", true="'1'")
                self.lines.append(f"{self.bit[node.net]} <= {_translated(text)};")

    def registers(self, s: int, nets: Sequence[int]) -> None:
        """The registers in front of a stage, a word for the inputs and for each stage and class of the circuit."""
        parts: dict[str, list[int]] = {}
        for net in nets:
            parts.setdefault(self.names.place(net), []).append(net)
        inner = []
        for place, part in parts.items():
            word = f"r{s}_{place}"
            self.declared.append(f"signal {word} : std_logic_vector({len(part) - 1} downto 0);")
            inner += [f"{word}({k}) <= {self.bit[net]};" for k, net in enumerate(part)]
            self.bit.update((net, f"{word}({k})") for k, net in enumerate(part))
        if nets:
            self.lines += ["", f"-- register {s}: {len(nets)} flip-flops", f"process ({CLOCK}) begin",
                           f"  if rising_edge({CLOCK}) then", f"    if {ENABLE} = '1' then", *_indented(inner),
                           "    end if;", "  end if;", "end process;"]


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"      {line}" for line in lines]


def _translated(text: str) -> str:
    for ours, theirs in OPERATORS.items():
        text = text.replace(ours, theirs)
    return text


def _bench(circuit: Circuit, name: str, latency: int, count: int) -> str:
    fields = {
        "generated": generated_by(circuit), "name": name, "latency": latency, "vectors": count,
        "high_x": max(1, circuit.n_input_bits) - 1, "high_y": sum(circuit.output_widths) - 1,
        "clock": f"{CLOCK} => {CLOCK}, {ENABLE} => {ENABLE}, " * bool(latency),
    }
    text = source("vhdl/bench.vhd")
    for field, value in fields.items():
        text = text.replace(f"@{{{field}}}", str(value))
    return text
