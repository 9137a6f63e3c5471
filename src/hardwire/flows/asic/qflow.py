"""Placement and routing of a mapped netlist by qflow, with the open osu libraries that Debian packages.

qflow's own synthesis is left out: the netlist that was proved is the one that GrayWolf places and qrouter routes.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ...core.errors import InputError, MissingToolError, ToolError
from ...core.files import write_text
from ...core.programs import QFLOW, run
from ...core.verdict import Verdict
from ...cost.cell_netlist import CellNetlist
from ...verify import prove
from ..netlist import Ports
from .netlist import read_cells

#: Where Debian puts the processes.
PROCESSES = Path("/usr/share/qflow/tech")
TOP = "top"
#: Share of the rows that cells take before routing. Denser, qrouter leaves nets of our circuits open.
DENSITY = 0.55
#: The length of a database unit of a DEF file, in its own words: so many in a micrometre.
_UNITS = re.compile(r"UNITS DISTANCE MICRONS (\d+)")
_AREA = re.compile(r"DIEAREA \( (-?\d+) (-?\d+) \) \( (-?\d+) (-?\d+) \)")
_FINAL = re.compile(r"Final: (?:Failed net routes: (\d+)|No failed routes)")
_CELL = re.compile(r"^\s*- (\S+) (\S+) \+ PLACED", re.MULTILINE)
_NET = re.compile(r"^\s*- (\S+)([^;]*);", re.MULTILINE)
_PIN = re.compile(r"\( (\S+) (\S+) \)")
_VERSION = re.compile(r"Qrouter.*version (\S+)")


@dataclass(frozen=True)
class Layout:
    """A placed and routed netlist.

    Attributes
    ----------
    area_um2
        Of the die: cells, fillers and pins.
    nets
        How many were routed.
    cells
        Instances in the layout, without fillers.
    file
        The routed layout, a DEF file in the flow's folder.
    verified
        How its cells and nets, as they stand in that file, were compared with the netlist.
    router
        qrouter and its version.
    """

    area_um2: float
    nets: int
    cells: int
    file: str
    verified: Verdict
    router: str


def library_of(process: str) -> Path:
    """The Liberty file of a process, such as ``osu018``.

    Raises
    ------
    MissingToolError
        Where the process is not installed.
    """
    path = PROCESSES / process / f"{process}_stdcells.lib"
    if not path.is_file():
        raise MissingToolError(f"process {process} was not found at {path}; install the Debian package "
                               f"qflow-tech-{process}")
    return path


def layout(netlist: CellNetlist, ports: Ports, folder: Path, process: str, *, density: float = DENSITY,
           timeout: float = 1800) -> Layout:
    """Place and route a netlist.

    Parameters
    ----------
    netlist, ports
        Cells of the process's library, and how the words of the circuit appear.
    folder
        Where qflow works.
    process
        ``osu018``, ``osu035`` or ``osu050``.
    density
        Share of the rows that cells take, from 0 to 1.
    timeout
        Seconds.

    Raises
    ------
    InputError
        For an impossible density.
    MissingToolError
        Without qflow.
    ToolError
        Where a net is not routed, the layout has not every cell, or qflow fails.
    """
    if not 0.05 <= density <= 1:
        raise InputError(f"a density of {density:g} was asked for; give a share of the rows, from 0.05 to 1")
    routed = folder / "layout" / f"{TOP}.def"
    for name in ("layout", "log", "synthesis", "source"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    write_text(folder / "synthesis" / f"{TOP}.blif", blif_of_cells(netlist, ports))
    write_text(folder / "source" / f"{TOP}.v", f"module {TOP}; endmodule  // qflow asks for a source; it is not read\n")
    write_text(folder / "synthesis" / f"{TOP}_powerground", 'set vddnet="vdd"\nset gndnet="gnd"\n')
    write_text(folder / "project_vars.sh", f"set initial_density = {density:g}\n")
    said = run(QFLOW, ["place", "route", "-T", process, TOP], cwd=folder, timeout=timeout, produces=[routed])
    log = folder / "log" / "route.log"
    return read_layout(routed, log.read_text(errors="replace") if log.is_file() else said, netlist, ports, folder)


def read_layout(path: Path, log: str, netlist: CellNetlist, ports: Ports, folder: Path) -> Layout:
    """What stands in a routed DEF file, checked against the netlist and the router's last word.

    Raises
    ------
    ToolError
        Where a net is open, or the cells and nets are not the netlist's.
    """
    final = _FINAL.findall(log)
    if not final:
        raise ToolError("qrouter did not say that it has ended; give it longer, or a lower density")
    if final[-1]:
        raise ToolError(f"qrouter left {final[-1]} nets open; give a lower density")
    text = path.read_text(errors="replace")
    units, die = _UNITS.search(text), _AREA.search(text)
    if not units or not die:
        raise ToolError(f"{path} has no units or no die area; install another version of qflow")
    nets = [(name, _PIN.findall(rest.partition("+")[0]), "+ ROUTED" in rest)
            for name, rest in _NET.findall(_section(text, "NETS"))]
    unwired = [name for name, pins, wired in nets if len(pins) > 1 and not wired]
    if unwired:
        raise ToolError(f"{len(unwired)} nets of the layout have no wire, the first is {unwired[0]!r}; "
                        f"give a lower density")
    kinds = {name: kind for name, kind in _CELL.findall(_section(text, "COMPONENTS")) if not kind.startswith("FILL")}
    library = {instance.cell.name: instance.cell for instance in netlist.instances}
    laid = read_cells(_blif(kinds, nets, ports), netlist.circuit, ports, library)
    verdict = prove(netlist.circuit, laid.circuit)
    if verdict.status != "proved":
        raise ToolError(f"the cells and nets of the layout are not the netlist's: {verdict}; report this with the "
                        f"version of qflow")
    left, bottom, right, top = (int(value) / int(units[1]) for value in die.groups())
    version = _VERSION.search(log)
    wired = sum(len(pins) > 1 for _, pins, _ in nets)
    return Layout((right - left) * (top - bottom), wired, len(kinds), str(path.relative_to(folder)), verdict,
                  f"qrouter {version[1]}" if version else "qrouter")


def _blif(kinds: Mapping[str, str], nets: Iterable[tuple[str, list[tuple[str, str]], bool]], ports: Ports) -> str:
    """The connections of a layout as BLIF; a port's net has the port's name."""
    pins: dict[str, list[str]] = {name: [] for name in kinds}
    wires = []
    for net, ends, _ in nets:
        for instance, pin in ends:
            if instance == "PIN":
                wires += [(net, pin)] if pin != net else []
            elif instance in pins:
                pins[instance].append(f"{pin}={net}")
    outputs = set(ports.bits()[1])
    names = [f".names {a} {b}\n1 1" if b in outputs else f".names {b} {a}\n1 1" for a, b in wires]
    gates = [f".gate {kinds[name]} {' '.join(joined)}" for name, joined in pins.items()]
    return _model(ports, [*gates, *names])


def _section(text: str, name: str) -> str:
    match = re.search(rf"^{name} \d+ ;$(.*?)^END {name}$", text, re.MULTILINE | re.DOTALL)
    return match[1] if match else ""


def blif_of_cells(netlist: CellNetlist, ports: Ports) -> str:
    """The netlist as BLIF of instances, nets named by number, ports by their bits."""
    circuit = netlist.circuit
    inputs, outputs = ports.bits()
    name = dict(enumerate(inputs, 2))
    for bit, net in zip(outputs, circuit.output_nets.tolist()):
        if net in name or net < 2:
            raise ToolError(f"output {bit} of circuit {circuit.name!r} is a constant, an input or another output, "
                            f"which qflow cannot place; leave it out")
        name[net] = bit
    lines = []
    for instance in netlist.instances:
        pins = [*zip(instance.cell.inputs, instance.inputs), *zip(instance.cell.outputs, instance.outputs)]
        joined = " ".join(f"{pin}={name.setdefault(net, f'n{net}')}" for pin, net in pins)
        lines.append(f".gate {instance.cell.name} {joined}")
    return _model(ports, lines)


def _model(ports: Ports, lines: Iterable[str]) -> str:
    """BLIF of lines that connect the ports."""
    inputs, outputs = ports.bits()
    heads = [f".model {TOP}", " ".join([".inputs", *inputs]), " ".join([".outputs", *outputs])]
    return "\n".join([*heads, *lines, ".end"]) + "\n"
