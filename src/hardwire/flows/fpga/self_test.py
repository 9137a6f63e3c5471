"""Two gates on the whole way of a flow, once for each version of the tools: broken ones are named before a long run."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from ...circuit import Circuit, CircuitBuilder
from ...core import programs
from ...core.cache import keep, recall
from ...core.errors import ToolError
from ...verify import prove
from .. import yosys
from .devices import Place, constraints
from .netlist import core_verilog, read_inputs, top_verilog, wrapper_verilog
from .nextpnr import TOOLS, WRITTEN, route, version_of
from .pipeline import pipeline
from .primitives import FAMILIES
from .readback import read_netlist, read_routed
from .synthesis import NETLIST, synthesise

#: What a test of this process concluded, by its key.
_passed: dict[str, dict[str, str]] = {}
KIND, RUN = "self-tests", "route"


def two_gates() -> Circuit:
    """``y = not (a and b), z = a xor b``."""
    b = CircuitBuilder("two_gates")
    (x,), (y,) = b.input("a"), b.input("b")
    with b.stage("network"):
        b.output("y", [b.node(0b0111, x, y), b.node(0b0110, x, y)])
    return b.build()


def self_test(place: Place, *, timeout: float, say: Callable[[str], None] = lambda text: None) -> dict[str, str]:
    """Take two gates to the device, compare the netlist, and return the tools' versions.

    It is done once for each version and path of the tools and each device; the user's cache keeps that it passed.

    Raises
    ------
    MissingToolError
        Where a tool is not there.
    ToolError
        Where one fails, or the netlist is not the two gates.
    """
    target = place.device.target
    tools = {"yosys": yosys.self_test()}
    key: dict[str, object] = {"target": target, "options": place.options}
    if target in TOOLS:
        path = programs.require(TOOLS[target])
        tools["nextpnr"] = version_of(target)
        stat = Path(path).stat()
        key |= {"path": path, "size": stat.st_size, "time": stat.st_mtime_ns}
    key |= tools
    if str(key) in _passed or recall(KIND, key) == tools:
        _passed[str(key)] = tools
        return tools
    say(f"{target}: two gates on the way of the flow")
    with tempfile.TemporaryDirectory(prefix="hardwire-") as name:
        _run(place, Path(name), timeout)
    _passed[str(key)] = tools
    keep(KIND, key, tools)
    return tools


def _run(place: Place, folder: Path, timeout: float) -> None:
    circuit, target = two_gates(), place.device.target
    pipelined = pipeline(circuit, levels=1)
    for file, text in (("core.v", core_verilog(pipelined, FAMILIES[target])), ("top.v", top_verilog(2, 2)),
                       ("wrapper.v", wrapper_verilog())):
        (folder / file).write_text(text, encoding="utf-8")
    synthesise(target, folder, timeout=timeout)
    netlist = read_netlist(folder / NETLIST, circuit, read_inputs(circuit), pipelined.latency)
    if prove(circuit, netlist.circuit).status != "proved":
        raise ToolError(f"{yosys.TITLE} made another function of two gates; install another version of pyosys")
    if target in TOOLS:
        pins = constraints(place)
        if pins:
            (folder / pins[0]).write_text(pins[1], encoding="utf-8")
        route(place, folder, RUN, netlist=NETLIST, asked=10.0, seed=1, pins=pins[0] if pins else None,
              timeout=timeout, progress=lambda text: None)
        routed = read_routed(folder / RUN / WRITTEN, folder / NETLIST, circuit, read_inputs(circuit), pipelined.latency)
        if prove(circuit, routed.circuit).status != "proved":
            raise ToolError(f"{TOOLS[target].title} made another function of two gates; install another version")
