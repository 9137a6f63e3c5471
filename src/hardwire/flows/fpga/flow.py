"""A circuit to an FPGA: cover, registers, wrapper, synthesis, read-back, place and route, bitstream.

Every stage leaves its files in one folder and is repeated only where its inputs differ. Before the first one two gates
take the whole way, so that a tool that is broken is named at once.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...circuit import Circuit
from ...circuit.engine.packed import PackedEngine
from ...core import programs
from ...core.bits import Codes
from ...core.errors import InputError, ToolError
from ...core.files import write_text
from ...core.verdict import Verdict
from ...verify import prove, prove_macros
from ..stages import Stages, file_digest
from .bitstream import PACKERS, pack
from .covers import Cover, Objective, best_cover
from .devices import TARGETS, Place, Target, constraints, find_place
from .estimates import combinational, demand, first_clock, slower, too_large
from .netlist import core_verilog, read_inputs, top_verilog, wrapper_verilog
from .nextpnr import RESULTS, TOOLS, WRITTEN, Routed, is_placed, route
from .pipeline import DELAYS, Pipelined, pipeline
from .primitives import FAMILIES
from .readback import Netlist, read_netlist, read_routed
from .self_test import self_test
from .synthesis import NETLIST, commands, synthesise

Say = Callable[[str], None]
#: Tables between registers where nothing is said.
LEVELS: dict[Target, int] = {"ice40": 3, "ecp5": 2, "gowin": 3, "xilinx": 2}
#: Runs of place and route at most, each asked for more than the last one reached.
RUNS = 3
#: Of the folders of these runs. A name that the root has too, such as ``run``, would lead YoWASP's programs there.
ROUTE = "route"
#: Seconds for the proof of the netlist.
PROOF = 120.0


@dataclass
class FpgaResult:
    """What the flow measured; ``runs.record.Flow`` says what the entries are. Unknown is None."""

    target: str
    status: str
    device: str
    package: str
    verified: Verdict
    seconds: float = 0.0
    tools: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    cells: dict[str, int] | None = None
    capacity: dict[str, int] | None = None
    stages: dict[str, int] | None = None
    flip_flops: int | None = None
    clock_mhz: dict[str, float | None] | None = None
    latency: dict[str, float | None] | None = None
    throughput_per_s: float | None = None
    critical_path: list[dict[str, Any]] | None = None
    cover: dict[str, Any] | None = None
    runs: list[dict[str, Any]] | None = None
    netlists: dict[str, str] | None = None
    why: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The entry of ``flows`` in a record."""
        return {**vars(self), "verified": str(self.verified)}


def fpga_flow(  # noqa: PLR0913
    circuit: Circuit, target: str, *, folder: Path, device: str | None = None, clock: float | None = None,
    objective: Objective = "area", pipeline: int | None = None, seed: int = 1, samples: Codes | None = None,
    timeout: float = 900, fresh: bool = False, progress: Say = lambda text: None,
) -> FpgaResult:
    """Take a circuit to a device, and measure it.

    Parameters
    ----------
    circuit
        Any combinational circuit.
    target, device
        Family; board, or device with its package.
    folder
        For files and logs.
    clock
        Megahertz to ask for. Without it a frequency in reach is asked for, and then more. Without ``pipeline`` too,
        registers are placed for it.
    objective
        What the cover makes small.
    pipeline
        Levels of tables between registers, 0 for none.
    seed
        Of the placement.
    samples
        Codes to simulate the netlist on where the proof does not end.
    timeout
        Seconds for everything.
    fresh
        Repeat stages whose inputs are those of before.
    progress
        Called with a line before each long step.

    Raises
    ------
    InputError
        Where an option makes no sense.
    MissingToolError
        Where Yosys or nextpnr is not there.
    """
    chosen = next((t for t in TARGETS if t == target), None)
    if chosen is None:
        raise InputError(f"target {target!r} is none of {', '.join(TARGETS)}")
    if clock is not None and not 1 <= clock <= 2000:
        raise InputError(f"--clock {clock:g}: give 1 to 2000 MHz")
    if pipeline is not None and pipeline < 0:
        raise InputError(f"--pipeline {pipeline}: give 0 or more levels")
    flow = _Flow(circuit, find_place(chosen, device), Stages(folder, fresh=fresh), clock, objective, pipeline, seed,
                 samples, time.monotonic() + timeout, progress)
    return flow.run()


@dataclass
class _Flow:
    """One call of ``fpga_flow``."""

    circuit: Circuit
    place: Place
    stages: Stages
    clock: float | None
    objective: Objective
    levels: int | None
    seed: int
    samples: Codes | None
    deadline: float
    say: Say

    def run(self) -> FpgaResult:
        started, target = time.monotonic(), self.place.device.target
        result = FpgaResult(target, "", self.place.device.name, self.place.package,
                            Verdict("skipped", detail="no netlist was written"),
                            capacity=dict(self.place.device.capacity))
        if target in TOOLS:
            programs.require(TOOLS[target])
        try:
            self._run(result)
        except ToolError as error:
            result.status = f"failed: {error}"
        result.seconds = time.monotonic() - started
        return result

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return max(1.0, self.deadline - time.monotonic())

    def _run(self, result: FpgaResult) -> None:
        target = self.place.device.target
        result.tools = self_test(self.place, timeout=min(300.0, self.left), say=self.say)
        self.say(f"{target}: cover by tables, for {self.objective}")
        cover = self._cover()
        pipelined = self._pipelined(cover)
        result.cover = {"k": cover.k, "method": cover.method, "cells": cover.cells, "depth": cover.circuit.depth,
                        "alternatives": {name: list(pair) for name, pair in cover.alternatives.items()}}
        result.latency = {"cycles": max(1, pipelined.latency), "ns": None}
        result.cells = demand(target, cover, pipelined)
        elsewhere = {other: demand(other, cover, pipelined) for other in TARGETS
                     if other in TOOLS and other != target and cover.k in FAMILIES[other].k}
        if short := too_large(self.place, result.cells, elsewhere):
            result.status, result.why = "too large", short
            self.say(f"{target}: {short}")
            return
        inputs = read_inputs(cover.circuit)
        self._write(pipelined, len(inputs))
        netlist = self._synthesised(pipelined, inputs, result)
        result.stages, result.flip_flops = netlist.tables, netlist.flip_flops
        result.verified = self._verify(netlist, cover)
        if result.verified.status == "refuted":
            raise ToolError(f"the netlist that was synthesised is not circuit {self.circuit.name!r} "
                            f"({result.verified.detail}); install another version of pyosys")
        if target not in TOOLS:
            result.status, result.cells = "mapped", netlist.kinds
            return
        self._route(pipelined, result)
        if result.status == "routed":
            self._check_routed(netlist.circuit, pipelined, inputs, result)

    def _cover(self) -> Cover:
        family = FAMILIES[self.place.device.target]
        return best_cover(self.circuit, family.k, family.tables_of, self.objective)

    def _pipelined(self, cover: Cover) -> Pipelined:
        target, levels = self.place.device.target, self.levels
        if levels == 0:
            return combinational(cover.circuit)
        if levels is None and self.clock is not None:
            return pipeline(cover.circuit, period=1000 / self.clock, delays=slower(DELAYS[target], self.place))
        return pipeline(cover.circuit, levels=levels or LEVELS[target])

    def _write(self, pipelined: Pipelined, x: int) -> None:
        folder = self.stages.folder
        write_text(folder / "core.v", core_verilog(pipelined, FAMILIES[self.place.device.target]))
        write_text(folder / "top.v", top_verilog(max(1, x), len(pipelined.outputs)))
        write_text(folder / "wrapper.v", wrapper_verilog())
        if pins := constraints(self.place):
            write_text(folder / pins[0], pins[1])

    def _synthesised(self, pipelined: Pipelined, inputs: list[int], result: FpgaResult) -> Netlist:
        folder, target = self.stages.folder, self.place.device.target
        self.say(f"{target}: Yosys, {result.cells}")
        texts = {name: (folder / name).read_text(encoding="utf-8") for name in ("core.v", "top.v", "wrapper.v")}
        values = self.stages.run("synthesis", {"commands": commands(target), "tools": result.tools, **texts}, [NETLIST],
                                 lambda: {"version": synthesise(target, folder, timeout=self.left)})
        result.tools = result.tools | {"yosys": values["version"]}
        result.files |= {"netlist": NETLIST, "core": "core.v", "top": "top.v"}
        return read_netlist(folder / NETLIST, self.circuit, inputs, pipelined.latency)

    def _verify(self, netlist: Netlist, cover: Cover) -> Verdict:
        """A proof; where it does not end, a simulation on all samples."""
        self.say(f"{self.place.device.target}: the netlist against the circuit")
        samples = None if self.samples is None else hashlib.sha256(self.samples.tobytes()).hexdigest()
        digests = {"circuit": self.circuit.digest, "netlist": netlist.circuit.digest, "samples": samples}
        texts = self.stages.run("proof", digests, [],
                                lambda: {"verdict": str(self._compare(netlist.circuit, cover))})
        return Verdict.parse(texts["verdict"])

    def _compare(self, netlist: Circuit, cover: Cover) -> Verdict:
        seconds = min(PROOF, self.left / 3)
        if cover.method == "full-adder tables":  # its sums are exact where the circuit's macros hold
            verdict = prove_macros(self.circuit, timeout=seconds / 2)
            if verdict.status == "proved":
                verdict = prove(cover.reference, netlist, timeout=seconds)
        else:
            verdict = prove(self.circuit, netlist, timeout=seconds)
        if verdict.status != "unknown" or self.samples is None:
            return verdict
        wrong = int((PackedEngine(self.circuit)(self.samples) != PackedEngine(netlist)(self.samples)).any(axis=1).sum())
        if wrong:
            return Verdict("refuted", detail=f"{wrong} samples give another output")
        return Verdict("simulated", samples=len(self.samples), detail="samples")

    def _route(self, pipelined: Pipelined, result: FpgaResult) -> None:
        """Runs of nextpnr, each asked for more than the last one reached, and the best of them."""
        asked = self.clock or first_clock(self.place, pipelined)
        routed: list[tuple[str, Routed]] = []
        result.runs, why = [], ""
        for number in range(1, RUNS + 1):
            name = f"{ROUTE}{number}"
            try:
                done = self._one(name, asked, self.seed + number - 1, first=not routed, tools=result.tools)
            except ToolError as error:
                result.runs.append({"asked": asked, "seed": self.seed + number - 1, "failed": str(error)})
                asked = asked * 0.6
                if self.clock or routed or why or self.left < 30:
                    why = why or str(error)
                    break
                why = str(error)  # the first run had the most time
                self.say(f"{self.place.device.target}: {why}; asking for {asked:.0f} MHz")
                continue
            routed.append((name, done))
            result.runs.append({"asked": asked, "seed": self.seed + number - 1, "reached": done.reached,
                                "seconds": done.seconds})
            reached = "no frequency is known" if done.reached is None else f"{done.reached:.1f} MHz"
            self.say(f"{self.place.device.target}: routed in {done.seconds:.0f} s, {reached} where {asked:.1f} were "
                     f"asked for")
            if self.clock or done.reached is None or done.reached < asked or self.left < 2.5 * done.seconds:
                break
            asked = 1.1 * done.reached
        if not routed:
            if any(is_placed(self.stages.folder / f"{ROUTE}{number}") for number in range(1, len(result.runs) + 1)):
                result.status, result.why = "placed", why
                result.clock_mhz = {"asked": result.runs[0]["asked"], "reached": None}
                return
            raise ToolError(why)
        name, best = max(routed, key=lambda pair: pair[1].reached or 0.0)
        self._routed(name, best, result)

    def _check_routed(self, synthesised: Circuit, pipelined: Pipelined, inputs: list[int], result: FpgaResult) -> None:
        """The netlist that nextpnr wrote against the one that it read, which is proved or simulated already."""
        folder, name = self.stages.folder, result.files["placed_netlist"]
        routed = read_routed(folder / name, folder / NETLIST, self.circuit, inputs, pipelined.latency)
        verdict = prove(synthesised, routed.circuit, timeout=min(PROOF, self.left))
        if verdict.status == "refuted":
            result.verified = Verdict("refuted", detail=f"after routing, {verdict.detail}")
            raise ToolError(f"the netlist that was routed is not circuit {self.circuit.name!r} ({verdict.detail}); "
                            f"install another version of nextpnr")
        result.netlists = {"synthesised": str(result.verified), "routed": str(verdict)}
        if verdict.status != "proved":
            result.verified = verdict

    def _one(self, name: str, asked: float, seed: int, *, first: bool, tools: dict[str, str]) -> Routed:
        place, folder, target = self.place, self.stages.folder, self.place.device.target
        pins = constraints(place)
        self.say(f"{target}: {TOOLS[target].title}, {asked:.1f} MHz asked for, seed {seed}")
        seconds = self.left if self.clock or not first else max(1.0, 0.6 * self.left)
        inputs = {"netlist": file_digest(folder / NETLIST), "options": place.options, "asked": asked,
                  "seed": seed, "pins": pins, "tools": tools}
        files = [f"{name}/{RESULTS[target][1]}", f"{name}/{WRITTEN}", f"{name}/report.json"]
        values = self.stages.run(name, inputs, files, lambda: route(
            place, folder, name, netlist=NETLIST, asked=asked, seed=seed, pins=pins[0] if pins else None,
            timeout=seconds, progress=self.say).to_json())
        return Routed(**values)

    def _routed(self, name: str, best: Routed, result: FpgaResult) -> None:
        target = self.place.device.target
        result.status, result.cells, result.capacity = "routed", best.used, best.capacity
        result.clock_mhz = {"asked": best.asked, "reached": best.reached}
        cycles = int((result.latency or {}).get("cycles") or 1)
        if best.reached is None:
            result.why = "the frequency is unknown: nextpnr times no path of this device after routing"
        else:
            result.latency = {"cycles": cycles, "ns": cycles * 1000 / best.reached}
            result.throughput_per_s = best.reached * 1e6
        result.critical_path = best.critical_path
        result.files |= {"log": f"{name}/nextpnr.log", "report": f"{name}/report.json",
                         "routed": f"{name}/{RESULTS[target][1]}", "placed_netlist": f"{name}/{WRITTEN}"}
        if self.place.board is None:
            return
        try:
            packed = pack(self.place, self.stages.folder, name, timeout=self.left)
        except ToolError as error:
            self.say(f"{target}: no bitstream: {error}")
            return
        if packed is None:
            tool = PACKERS[target][0]
            self.say(f"{target}: no bitstream: {tool.title} was not found; install {tool.package}")
        else:
            result.files["bitstream"] = packed
