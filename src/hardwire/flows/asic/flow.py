"""A circuit to a mapped netlist of standard cells: area, delay and energy per inference, by us and by outside tools."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ...circuit import Circuit
from ...circuit.engine.packed import PackedEngine
from ...core.bits import Codes
from ...core.errors import InputError, MissingToolError, ToolError
from ...core.files import read_text, write_text
from ...core.verdict import Verdict
from ...cost.activity import Activity, independent, switching
from ...cost.cell_netlist import CellNetlist
from ...cost.liberty import Library, read_liberty
from ...cost.nldm import Model, read_model
from ...cost.power import PowerModel
from ...cost.timing import Conditions, Timing, node_delays, static_timing
from ...verify import prove
from ..mapping import MappedNetlist, MappedScore, Objective, map_netlist
from ..netlist import Ports, read_netlist
from ..stages import Stages, file_digest
from ..yosys import self_test
from . import simulation
from .conventions import opensta_power
from .netlist import cell_models, module_name, read_cells, sdc, structural_verilog
from .opensta import StaReport, opensta
from .qflow import Layout, layout

Say = Callable[[str], None]
NETLIST, MODELS, CONSTRAINTS, BLIF, LOG = "netlist.v", "cells.v", "netlist.sdc", "mapped.blif", "yosys.log"
#: Seconds of a step of the simulation with the library's delays.
STEP = 10e-12
#: The model of activity that needs no samples.
VECTORLESS = "vectorless"
#: Toggles of every net in a period, for the comparison with OpenSTA.
UNIFORM = 0.5


@dataclass(frozen=True)
class AsicResult:
    """What a circuit takes in a cell library; figures that are not known are None.

    Attributes
    ----------
    status
        ``mapped``, ``routed``, or ``failed: why``.
    tools
        Name and version of each outside tool that took part.
    verified
        How the mapped netlist was compared with the circuit.
    seconds
        Wall time.
    files
        What it is -> name in the flow's folder.
    library
        The library's name.
    ge, area_um2, cells
        Gate equivalents, area in the library's unit, and cells by kind.
    delay_ps
        ``own``, ``abc``, ``opensta``.
    critical_path
        Steps of our own path.
    energy_pj
        Picojoules per inference: all that toggles cost, by model of activity, and ``leakage`` over ``period_ps``.
    energy_terms
        The same, term by term.
    activity
        Toggles per inference and cell output by model, and how many transitions were simulated.
    leakage_w, period_ps
        Watts, and the time between two inferences.
    opensta
        Its delay and power beside ours, or why there is none.
    conditions
        What stands around the netlist.
    simulation
        Of the written netlist in Icarus Verilog.
    layout
        Of a netlist that qflow placed and routed. Delay and energy are those before it, without wires.
    target
        ``liberty``, or the process of qflow.

    Notes
    -----
    ``opensta`` has the power of every net toggling ``activity`` times in a period: ``power_w`` by OpenSTA,
    ``own_power_w`` by us, and ``own_power_alike_w`` by us with its conventions (`conventions.py`).
    """

    status: str
    verified: Verdict
    seconds: float
    library: str
    tools: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    ge: float | None = None
    area_um2: float | None = None
    cells: dict[str, int] | None = None
    delay_ps: dict[str, float | None] | None = None
    critical_path: list[dict[str, Any]] | None = None
    energy_pj: dict[str, float | None] | None = None
    energy_terms: dict[str, dict[str, float]] | None = None
    activity: dict[str, Any] | None = None
    leakage_w: float | None = None
    period_ps: float | None = None
    opensta: dict[str, Any] | None = None
    conditions: dict[str, float] | None = None
    simulation: Verdict | None = None
    layout: Layout | None = None
    target: str = "liberty"

    def to_json(self) -> dict[str, Any]:
        """The entry of ``flows`` in a record; verdicts are text."""
        entry = asdict(self)
        if self.layout is None:
            del entry["layout"]
        else:
            entry["layout"]["verified"] = str(self.layout.verified)
        return entry | {"verified": str(self.verified),
                        "simulation": None if self.simulation is None else str(self.simulation)}


def asic_flow(circuit: Circuit, library: str | PathLike[str] | Library, *,  # noqa: PLR0913
              folder: str | PathLike[str],
              objective: str = "area", samples: ArrayLike | None = None, clock: float | None = None,
              progress: Say = lambda text: None, timeout: float = 1800, conditions: Conditions | None = None,
              vectors: int = simulation.VECTORS, fresh: bool = False, process: str | None = None) -> AsicResult:
    """Map a circuit to a library, time it, count its toggles and its energy, and write the netlist.

    Parameters
    ----------
    circuit
        Any combinational circuit.
    library
        A Liberty file with tables (NLDM), or a library that was read from one.
    folder
        Where netlist, constraints, models of the cells, reports and logs are written.
    objective
        ``area`` or ``delay``.
    samples
        Codes or physical values (samples, words) in their order. The netlist is simulated on all of them and its
        toggles are counted; without samples it is proved equal, and energy is vectorless alone.
    clock
        Megahertz at which inferences follow each other; without it, one follows the other at once.
    progress
        Called with a line before each long step.
    timeout
        Seconds for the whole flow.
    conditions
        Input slew, output load, wire load.
    vectors
        How many samples Icarus Verilog simulates.
    fresh
        Map anew also where circuit, library, objective, samples and Yosys are those of the netlist in ``folder``.
    process
        The process of qflow that the library is of, such as ``osu018``; the netlist is then placed and routed.

    Returns
    -------
    AsicResult
        Its ``status`` tells of a mapping that failed. Of OpenSTA and Icarus Verilog, which are not needed, the result
        says where they are absent or failed.

    Raises
    ------
    InputError
        Where an option makes no sense, or the library's tables cannot be read.
    MissingToolError
        Without ``pyosys``.
    """
    if objective not in ("area", "delay"):
        raise InputError(f"objective {objective!r} is none of a cell library; choose area or delay")
    if clock is not None and not 0 < clock < 1e6:
        raise InputError(f"a clock of {clock} MHz is none; give megahertz above 0")
    chosen: Objective = "area" if objective == "area" else "delay"
    start = time.perf_counter()
    end, stages = start + timeout, Stages(Path(folder), fresh=fresh)
    cells = library if isinstance(library, Library) else read_liberty(library)
    codes = None if samples is None else circuit.codes(samples)
    progress(f"asic: mapping to {cells.name}, least {objective}")
    try:
        mapped = _mapped(circuit, cells, chosen, codes, stages, timeout)
        netlist = read_cells(mapped.blif, circuit, mapped.ports, cells.cells)
        same = prove(mapped.circuit, netlist.circuit, timeout=60)
        if same.status != "proved":
            raise ToolError(f"the netlist of cells is not the one that was compared: {same}; report this")
    except ToolError as error:
        return AsicResult(f"failed: {error}", Verdict("unknown", detail="there is no netlist"),
                          time.perf_counter() - start, cells.name)
    result = _measured(circuit, mapped, netlist, codes, stages.folder, conditions or Conditions(), clock, vectors,
                       progress, start, end)
    if process is None:
        return result
    progress("asic: placing and routing by qflow")
    try:
        made = layout(netlist, mapped.ports, stages.folder / "qflow", process,
                      timeout=max(1.0, end - time.perf_counter()))
    except ToolError as error:
        return replace(result, status=f"failed: {error}", seconds=time.perf_counter() - start, target=process)
    return replace(result, status="routed", target=process, layout=made,
                   seconds=time.perf_counter() - start, tools=result.tools | {"qrouter": made.router},
                   files=result.files | {"layout": f"qflow/{made.file}"})


def _mapped(circuit: Circuit, library: Library, objective: Objective, codes: Codes | None,
            stages: Stages, timeout: float) -> MappedNetlist:
    """The mapped netlist: that of an earlier run with the same inputs, where its files are what they were."""

    def make() -> dict[str, Any]:
        mapped = map_netlist(circuit, library, objective=objective, samples=codes, timeout=timeout,
                             proof_timeout=min(120, timeout / 4))
        write_text(stages.folder / BLIF, mapped.blif)
        write_text(stages.folder / LOG, mapped.log)
        return asdict(mapped.score) | {"verified": str(mapped.score.verified)}

    inputs = {"circuit": circuit.digest, "library": file_digest(Path(library.path)), "objective": objective,
              "samples": None if codes is None else hashlib.sha256(codes.tobytes()).hexdigest(), "yosys": self_test()}
    values = stages.run("mapping", inputs, [BLIF, LOG], make)
    score = MappedScore(**values | {"verified": Verdict.parse(values["verified"])})
    ports = Ports(circuit)
    return MappedNetlist(score, read_text(stages.folder / BLIF), ports,
                         read_netlist(stages.folder / BLIF, circuit, ports, library.cells), library,
                         read_text(stages.folder / LOG))


def _measured(circuit: Circuit, mapped: MappedNetlist, netlist: CellNetlist, codes: Codes | None,  # noqa: PLR0913, PLR0917
              folder: Path, conditions: Conditions, clock: float | None, vectors: int, progress: Say, start: float,
              end: float) -> AsicResult:
    score, name = mapped.score, module_name(circuit)
    progress("asic: timing and activity")
    model = read_model(mapped.library.path, netlist.kinds())
    timing = static_timing(netlist, model, conditions)
    period = 1e-6 / clock if clock else max(timing.delay, 1e-12)
    power, blind = PowerModel(netlist, model, timing, codes), PowerModel(netlist, model, timing)
    activities = _activities(netlist, model, timing, codes)
    energies = {key: (blind if key == VECTORLESS else power).energy(a) for key, a in activities.items()}
    for file, text in ((NETLIST, structural_verilog(netlist, mapped.ports)),
                       (MODELS, cell_models(netlist)), (CONSTRAINTS, sdc(conditions, clock=period))):
        write_text(folder / file, text)
    files = {"netlist": NETLIST, "netlist in BLIF": BLIF, "models of cells": MODELS, "constraints": CONSTRAINTS,
             "log of Yosys": LOG}
    tools = {"Yosys": score.version}
    progress("asic: OpenSTA")
    said, report = _compared(folder, name, mapped.library.path, period, end, blind)
    if report is not None:
        tools["OpenSTA"] = f"OpenSTA {report.version}"
        files |= {"path by OpenSTA": "opensta_path.txt", "power by OpenSTA": "opensta_power.txt"}
    progress("asic: Icarus Verilog on the mapped netlist")
    simulated = _simulated(circuit, mapped, codes, vectors, folder, name, end)
    if (version := simulation.version()) is not None:
        tools["Icarus Verilog"] = f"Icarus Verilog {version}"
    leakage = next(iter(energies.values())).leakage_w
    energy: dict[str, float | None] = {key: e.dynamic * 1e12 for key, e in energies.items()}
    return AsicResult(
        "mapped", score.verified, time.perf_counter() - start, mapped.library.name, tools, files, score.ge, score.area,
        score.cells, {"own": timing.delay * 1e12, "abc": score.delay_ps,
                      "opensta": report.delay * 1e12 if report else None},
        path_json(timing),
        energy | {"leakage": leakage * period * 1e12},
        {key: e.to_json() for key, e in energies.items()},
        {key: activity.mean(netlist.circuit) for key, activity in activities.items()} | {
            "transitions": len(codes) - 1 if codes is not None else 0},
        leakage, period * 1e12, said, asdict(conditions), simulated)


def _activities(netlist: CellNetlist, model: Model, timing: Timing, codes: Codes | None) -> dict[str, Activity]:
    """Toggles by every model: on the samples in their order, shuffled, and without samples."""
    circuit, result = netlist.circuit, dict[str, Activity]()
    if codes is not None and len(codes) > 1:
        steps = np.maximum(1, np.rint(node_delays(netlist, model, timing) / STEP)).astype(np.int64)
        shuffled = codes[np.random.default_rng(0).permutation(len(codes))]
        result = {"zero_delay": switching(circuit, codes), "unit_delay": switching(circuit, codes, delay="unit"),
                  "library_delay": switching(circuit, codes, delay=steps),
                  "shuffled_zero_delay": switching(circuit, shuffled),
                  "shuffled_unit_delay": switching(circuit, shuffled, delay="unit")}
    return result | {VECTORLESS: independent(circuit)}


def _compared(folder: Path, name: str, library: str, period: float, end: float, power: PowerModel
              ) -> tuple[dict[str, Any], StaReport | None]:
    """OpenSTA's figures beside ours, or why there are none."""
    try:
        report = opensta(folder, verilog=NETLIST, top=name, constraints=CONSTRAINTS, library=library, period=period,
                         activity=UNIFORM, timeout=max(1.0, end - time.perf_counter()))
    except MissingToolError as error:
        return {"status": f"absent: {error}"}, None
    except ToolError as error:
        return {"status": f"failed: {error}"}, None
    circuit = power.netlist.circuit
    uniform = Activity(np.full(circuit.n_nets, UNIFORM), np.full(circuit.n_nets, 0.5), 0, "uniform")
    own = power.energy(uniform)
    alike = opensta_power(power.netlist, power.model, power.timing, UNIFORM, period)
    return {
        "status": "run", "delay_ps": report.delay * 1e12, "activity": UNIFORM, "period_ps": period * 1e12,
        "seconds": report.seconds, "power_w": report.power._asdict(),
        "own_power_w": {"internal": own.internal / period, "switching": own.nets / period, "leakage": own.leakage_w},
        "own_power_alike_w": alike._asdict()}, report


def _simulated(circuit: Circuit, mapped: MappedNetlist, codes: Codes | None, vectors: int, folder: Path, name: str,
               end: float) -> Verdict:
    if codes is None or not len(codes) or vectors < 1:
        return Verdict("skipped", detail="there are no samples")
    first = codes[:vectors]
    return simulation.check_verilog(circuit, PackedEngine(circuit)(first), [NETLIST, MODELS], name, mapped.ports, first,
                                    folder, timeout=max(1.0, end - time.perf_counter()))


def path_json(timing: Timing) -> list[dict[str, Any]]:
    """The critical path as arcs between output pins, with the delay of each in nanoseconds; wires have none."""
    names = [f"{step.instance}/{step.to_pin}" if step.instance else step.to_pin for step in timing.path]
    return [{"from": before, "to": after, "stage": None, "cell": step.cell, "edge": step.edge,
             "logic_ns": step.delay * 1e9, "routing_ns": None}
            for before, after, step in zip(names, names[1:], timing.path[1:])]
