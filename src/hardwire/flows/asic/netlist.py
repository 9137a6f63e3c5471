"""A mapped netlist read from BLIF, and written as structural Verilog with models of its cells, and SDC."""

import re
from collections.abc import Iterator, Mapping

from ...backends.common import choose_name, lut
from ...backends.verilog.ports import KEYWORDS
from ...circuit import TRUE, Circuit
from ...circuit.formats.words import topological
from ...core.errors import ToolError
from ...core.names import IDENTIFIER
from ...cost.cell_netlist import CellNetlist, cell_netlist
from ...cost.liberty import Cell
from ...cost.timing import Conditions
from ..netlist import Ports

#: Instance, its cell and the signal at each pin.
_Row = tuple[str, Cell, dict[str, str]]


def read_cells(blif: str, like: Circuit, ports: Ports, cells: Mapping[str, Cell]) -> CellNetlist:
    """The netlist of cells in BLIF that Yosys wrote.

    Parameters
    ----------
    blif, ports
        The text, and how the words of ``like`` appear in it.
    like
        The circuit that was mapped.
    cells
        The library's cells by name.

    Raises
    ------
    ToolError
        Where the ports differ, or something is no cell, no constant and no wire.
    """
    lines = [line.split() for line in re.sub(r"\\\n", " ", blif).split("\n") if line.strip() and line[0] != "#"]
    heads = {words[0]: words[1:] for words in lines if words[0] in (".inputs", ".outputs")}
    if (heads.get(".inputs", []), heads.get(".outputs", [])) != ports.bits():
        raise ToolError(f"the mapped netlist has other ports than circuit {like.name!r}; "
                        f"report this with the version of the tool")
    rows: dict[str, _Row] = {}
    driver: dict[str, str] = {}
    wires: dict[str, str] = {}
    constants: dict[str, int] = {}
    for words, following in zip(lines, [*lines[1:], [".end"]]):
        if words[0] in (".gate", ".subckt"):
            cell = cells.get(words[1])
            if cell is None:
                raise ToolError(f"the mapped netlist has a cell {words[1]!r} that the library does not have")
            pins = dict(pin.split("=", 1) for pin in words[2:])
            name = f"g{len(rows)}"
            rows[name] = name, cell, pins
            driver.update((pins[pin], name) for pin in cell.outputs if pin in pins)
        elif words[0] == ".names" and len(words) == 2:
            constants[words[1]] = int(following == ["1"])
        elif words[0] == ".names" and len(words) == 3 and following == ["1", "1"]:
            wires[words[2]] = words[1]
        elif words[0] == ".names":
            raise ToolError(f"the mapped netlist has a gate at {words[-1]!r} that is no cell: the mapping has failed")

    def root(signal: str) -> str:
        while signal in wires:
            signal = wires[signal]
        return signal

    rows = {name: (name, cell, {pin: root(signal) for pin, signal in pins.items()})
            for name, (_, cell, pins) in rows.items()}
    given = {*heads[".inputs"], *constants} if ".inputs" in heads else set(constants)

    def before(row: _Row) -> Iterator[str]:
        return (driver.get(row[2].get(pin, ""), row[2].get(pin, "")) for pin in row[1].inputs)

    try:
        order = topological(rows, before, given)
    except ValueError as error:
        raise ToolError(f"the mapped netlist cannot be read: {error}; report this with the version of the tool"
                        ) from None
    ends = [root(signal) for signal in heads.get(".outputs", [])]
    return cell_netlist(like, (rows[name] for name in order), heads.get(".inputs", []), ends, constants)


def module_name(circuit: Circuit) -> str:
    """The name of the module of a mapped netlist."""
    return choose_name(circuit, None, avoid=KEYWORDS)


def structural_verilog(netlist: CellNetlist, ports: Ports) -> str:
    """The netlist as a module of instances, one port a word; nets and instances are named by number."""
    circuit = netlist.circuit
    inputs, outputs = ports.bits()
    name = {0: "1'b0", 1: "1'b1"} | dict(enumerate(inputs, TRUE + 1))
    ends = []
    for bit, net in zip(outputs, circuit.output_nets.tolist()):
        if net in name:
            ends.append(f"  assign {bit} = {name[net]};")
        else:
            name[net] = bit  # the cell drives the port itself
    wires, lines = [], []
    for instance in netlist.instances:
        for net in instance.outputs:
            if net not in name:
                name[net] = f"n{net}"
                wires.append(f"  wire n{net};")
        pins = [*zip(instance.cell.inputs, instance.inputs), *zip(instance.cell.outputs, instance.outputs)]
        connected = ", ".join(f".{_escaped(pin)}({name[net]})" for pin, net in pins)
        lines.append(f"  {_escaped(instance.cell.name)} {instance.name} ({connected});")
    declared = [f"  input {_range(w)}{port}" for port, w in ports.inputs]
    declared += [f"  output {_range(w)}{port}" for port, w in ports.outputs]
    head = f"module {module_name(circuit)} (\n" + ",\n".join(declared) + "\n);"
    return "\n".join([f"// {circuit.name}: {len(netlist.instances)} cells.", head, *wires, *lines, *ends, "endmodule"]
                     ) + "\n"


def cell_models(netlist: CellNetlist, *, delay: int = 0) -> str:
    """Verilog of the cells of a netlist by their functions in the library.

    ``delay`` is in time units and transport: the value follows its operands by exactly so much.
    """
    used = {instance.cell.name: instance.cell for instance in netlist.instances}
    lines = ["`timescale 1ns/1ps"]
    for cell in used.values():
        pins = [*(f"input {_escaped(pin)}" for pin in cell.inputs),
                *(f"output {'reg ' * bool(delay)}{_escaped(pin)}" for pin in cell.outputs)]
        lines.append(f"module {_escaped(cell.name)} ({', '.join(pins)});")
        for pin, table in cell.tables.items():
            value = lut(table, [_escaped(name) for name in cell.inputs], false="1'b0", true="1'b1")
            lines.append(f"  always @* {_escaped(pin)} <= #{delay} {value};" if delay
                         else f"  assign {_escaped(pin)} = {value};")
        lines.append("endmodule")
    return "\n".join(lines) + "\n"


def sdc(conditions: Conditions, *, clock: float | None = None, max_delay: float | None = None,
        clock_port: str = "") -> str:
    """Constraints in SDC, in nanoseconds and picofarads.

    Parameters
    ----------
    conditions
        What stands around the netlist.
    clock
        Period in seconds. Inputs and outputs are registered outside by a clock of the port ``clock_port``, or by one
        that has no port.
    max_delay
        Seconds from any input to any output, in place of a clock.
    clock_port
        The port of the clock.
    """
    lines = ["set_units -time ns -capacitance pF"]
    if max_delay is not None:
        lines.append(f"set_max_delay {max_delay * 1e9:.6g} -from [all_inputs] -to [all_outputs]")
    if clock is not None:
        port = f" [get_ports {clock_port}]" if clock_port else ""
        lines.append(f"create_clock -name clk -period {clock * 1e9:.6g}{port}")
        lines += [f"set_{kind}_delay 0 -clock clk [all_{kind}s]" for kind in ("input", "output")]
    lines += [f"set_input_transition {conditions.input_slew * 1e9:.6g} [all_inputs]",
              f"set_load {conditions.output_load * 1e12:.6g} [all_outputs]"]
    return "\n".join(lines) + "\n"


def _range(width: int) -> str:
    return f"[{width - 1}:0] " if width > 1 else ""


def _escaped(name: str) -> str:
    return name if IDENTIFIER.match(name) and name not in KEYWORDS else f"\\{name} "
