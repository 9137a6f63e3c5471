"""Cells of FPGA families: tables and flip-flops written as instances, and read again as functions.

Instances of a vendor's primitives pass synthesis as they are, where anything else would be mapped again: a cover that
is remapped grows by a fifth to a third.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ...core.errors import ToolError
from ...core.truth_tables import ones
from .devices import Target


@dataclass(frozen=True)
class Family:
    """How a family spells tables and flip-flops.

    Attributes
    ----------
    k
        Inputs of its tables.
    table
        ``(table, operands, output, name)`` to lines of Verilog.
    register
        ``(d, q, name)`` to a line of Verilog, clocked by ``clk``.
    library
        Files of Yosys that declare the cells.
    techmap
        Files of Yosys that map what is left of the wrapper.
    flip_flops
        The kinds that ``dfflegalize`` may leave.
    tables_of
        Cells that tables of k = 1, 2, ... inputs take.
    """

    k: tuple[int, ...]
    table: Callable[[int, Sequence[str], str, str], list[str]]
    register: Callable[[str, str, str], str]
    library: tuple[str, ...]
    techmap: tuple[str, ...]
    flip_flops: str
    tables_of: tuple[int, ...]


def widened(table: int, k: int, width: int) -> int:
    """The table of ``width`` inputs whose inputs from ``k`` on do not matter."""
    for j in range(k, width):
        table |= table << (1 << j)
    return table


def _lut4(cell: str, parameter: str, pins: str, output: str) -> Callable[[int, Sequence[str], str, str], list[str]]:
    """Tables of up to four inputs as one kind of cell."""
    names = pins.split()

    def spell(table: int, operands: Sequence[str], out: str, name: str) -> list[str]:
        nets = [*operands, *["1'b0"] * (4 - len(operands))]
        ports = ", ".join(f".{pin}({net})" for pin, net in zip(names, nets))
        return [f"{cell} #(.{parameter}(16'h{widened(table, len(operands), 4):04x})) {name} "
                f"({ports}, .{output}({out}));"]

    return spell


def _lut(output: str) -> Callable[[int, Sequence[str], str, str], list[str]]:
    """Tables of k inputs as a cell ``LUTk``."""

    def spell(table: int, operands: Sequence[str], out: str, name: str) -> list[str]:
        k = len(operands)
        ports = ", ".join(f".I{i}({net})" for i, net in enumerate(operands))
        return [f"LUT{k} #(.INIT({1 << k}'h{table:x})) {name} ({ports}, .{output}({out}));"]

    return spell


_ECP5_LUT4 = _lut4("LUT4", "INIT", "A B C D", "Z")


def _ecp5_table(table: int, operands: Sequence[str], out: str, name: str) -> list[str]:
    """Up to four inputs a ``LUT4``; five two of them and a ``PFUMX``, six four, two and an ``L6MUX21``."""
    k = len(operands)
    if k <= 4:
        return _ECP5_LUT4(table, operands, out, name)
    low, high = table & ones(k - 1), table >> (1 << k - 1)
    lines = [f"wire {out}_0_, {out}_1_;"]
    for half, value in enumerate((low, high)):
        lines += _ecp5_table(value, operands[:-1], f"{out}_{half}_", f"{name}_{half}")
    if k == 5:
        mux = f"PFUMX {name} (.BLUT({out}_0_), .ALUT({out}_1_), .C0({operands[4]}), .Z({out}));"
    else:
        mux = f"L6MUX21 {name} (.D0({out}_0_), .D1({out}_1_), .SD({operands[5]}), .Z({out}));"
    return [*lines, mux]


FAMILIES: dict[Target, Family] = {
    "ice40": Family(
        (4,), _lut4("SB_LUT4", "LUT_INIT", "I0 I1 I2 I3", "O"),
        lambda d, q, name: f"SB_DFF {name} (.C(clk), .D({d}), .Q({q}));",
        ("+/ice40/cells_sim.v",), ("+/ice40/ff_map.v", "+/ice40/cells_map.v"),
        "-cell $_DFF_?_ 0 -cell $_DFFE_?P_ 0 -mince -1", (1, 1, 1, 1)),
    "ecp5": Family(
        (4, 5, 6), _ecp5_table,
        lambda d, q, name: f'TRELLIS_FF #(.GSR("DISABLED"), .CEMUX("1"), .CLKMUX("CLK"), .LSRMUX("LSR"), '
                           f'.REGSET("RESET")) {name} (.CLK(clk), .LSR(1\'b0), .DI({d}), .Q({q}));',
        ("+/ecp5/cells_sim.v", "+/ecp5/cells_bb.v"), ("+/lattice/cells_map_trellis.v",),
        "-cell $_DFF_?_ 01 -cell $_DFFE_??_ 01", (1, 1, 1, 1, 2, 4)),
    "gowin": Family(
        (4,), _lut("F"), lambda d, q, name: f"DFF {name} (.CLK(clk), .D({d}), .Q({q}));",
        ("+/gowin/cells_sim.v",), ("+/gowin/cells_map.v",),
        "-cell $_DFF_?_ 0 -cell $_DFFE_?P_ 0", (1, 1, 1, 1)),
    "xilinx": Family(
        (6,), _lut("O"),
        lambda d, q, name: f"FDRE #(.INIT(1'b0)) {name} (.C(clk), .CE(1'b1), .R(1'b0), .D({d}), .Q({q}));",
        ("+/xilinx/cells_sim.v",), (), "", (1, 1, 1, 1, 1, 1)),
}

#: The bit at each pin of a cell that is connected, and its parameters, as they stand in JSON.
Pins = Mapping[str, int | str]
Parameters = Mapping[str, str]


class Part(NamedTuple):
    """What a cell computes at one of its pins: a table over other pins, or what a flip-flop keeps of one.

    ``table`` is None for a flip-flop; ``counts`` is whether it is a table of the fabric.
    """

    output: str
    table: int | None
    operands: tuple[str, ...]
    counts: bool = False


def _number(parameters: Parameters, name: str, cell: str) -> int:
    text = str(parameters.get(name, "")).strip()
    if not text or set(text) - {"0", "1"}:
        raise ToolError(f"cell {cell} of the netlist has {name} {text[:40]!r}, which is no table; install another "
                        f"version of the tool")
    return int(text, 2)


#: Kind of a table -> parameter, input pins, output pin.
TABLES: dict[str, tuple[str, tuple[str, ...], str]] = {
    "SB_LUT4": ("LUT_INIT", ("I0", "I1", "I2", "I3"), "O"),
    "LUT4 of ecp5": ("INIT", ("A", "B", "C", "D"), "Z"),
    **{f"LUT{k} of gowin": ("INIT", tuple(f"I{i}" for i in range(k)), "F") for k in range(1, 5)},
    **{f"LUT{k} of xilinx": ("INIT", tuple(f"I{i}" for i in range(k)), "O") for k in range(1, 7)},
}
#: Kind of a multiplexer -> pins of its inputs for 0 and 1, of its select, of its output.
MULTIPLEXERS: dict[str, tuple[str, str, str, str]] = {
    "PFUMX": ("BLUT", "ALUT", "C0", "Z"), "L6MUX21": ("D0", "D1", "SD", "Z"),
    "MUXF7": ("I0", "I1", "S", "O"), "MUXF8": ("I0", "I1", "S", "O")}
MUX = 0b11001010  #: of operands low, high, select
#: Kind of a flip-flop that takes its input at every clock, or at every one that enables it -> input and output pin.
FLIP_FLOPS: dict[str, tuple[str, str]] = {
    "SB_DFF": ("D", "Q"), "SB_DFFE": ("D", "Q"), "TRELLIS_FF": ("DI", "Q"), "DFF": ("D", "Q"), "DFFE": ("D", "Q"),
    "FDRE": ("D", "Q")}


def cells_of(kind: str, name: str, parameters: Parameters, pins: Pins) -> list[Part]:
    """What a cell computes, after synthesis or after routing; nothing of a cell of another kind.

    Raises
    ------
    ToolError
        Where it has no table that can be read.
    """
    if kind in FLIP_FLOPS:
        d, q = FLIP_FLOPS[kind]
        return [Part(q, None, (d if d in pins else "M",))]
    if kind in MULTIPLEXERS:
        low, high, select, out = MULTIPLEXERS[kind]
        return [Part(out, MUX, (low, high, select))]
    if kind == "INV":
        return [Part("O", 0b01, ("I",))]
    if kind == "ICESTORM_LC":
        return _ice40_cell(name, parameters)
    if kind == "TRELLIS_COMB":
        return _ecp5_cell(name, parameters, pins)
    family = "ecp5" if "Z" in pins else "gowin" if "F" in pins else "xilinx"
    spelled = TABLES.get(kind) or TABLES.get(f"{kind} of {family}")
    if spelled is None:
        return []
    parameter, inputs, out = spelled
    return [Part(out, _number(parameters, parameter, name) & ones(len(inputs)), inputs, True)]


def _ice40_cell(name: str, parameters: Parameters) -> list[Part]:
    """A table, and behind it a flip-flop where the cell has one."""
    if _number(parameters, "CARRY_ENABLE", name):
        raise ToolError(f"cell {name} of the netlist has a carry, which is not read; report this")
    table, inputs = _number(parameters, "LUT_INIT", name) & ones(4), ("I0", "I1", "I2", "I3")
    if not _number(parameters, "DFF_ENABLE", name):
        return [Part("O", table, inputs, True)]
    return [Part("D", table, inputs, True), Part("O", None, ("D",))]


def _ecp5_cell(name: str, parameters: Parameters, pins: Pins) -> list[Part]:
    """A table, and the multiplexer of the slice that it is in: of two tables, or of two such multiplexers."""
    parts = [Part("F", _number(parameters, "INITVAL", name) & ones(4), ("A", "B", "C", "D"), True)]
    if "OFX" in pins:
        parts.append(Part("OFX", MUX, ("FXA", "FXB", "M") if "FXA" in pins else ("F", "F1", "M")))
    return parts
