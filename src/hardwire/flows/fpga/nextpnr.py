"""nextpnr: place and route of a netlist, judged by its log and its report together.

A run counts as routed only where the log says so and the report, a file, holds a frequency: nextpnr prints a frequency
after placement too, which is an estimate.
"""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ...core import programs
from ...core.errors import ToolError
from ...core.programs import Tool
from .devices import Place, Target
from .netlist import STAGE

TOOLS: dict[Target, Tool] = {
    "ice40": programs.NEXTPNR_ICE40, "ecp5": programs.NEXTPNR_ECP5, "gowin": programs.NEXTPNR_GOWIN}
ROUTED, UNTIMED = "Routing complete", "No Fmax available"
LOG, REPORT = "nextpnr.log", "report.json"
#: The netlist as it was placed.
WRITTEN = "routed.json"
#: What each family's run leaves beside the report: option and file.
RESULTS: dict[Target, tuple[str, str]] = {
    "ice40": ("--asc", "routed.asc"), "ecp5": ("--textcfg", "routed.config"), "gowin": ("--write", WRITTEN)}
#: Seconds between two lines of progress.
PAUSE = 20.0


@dataclass(frozen=True)
class Routed:
    """A run that was routed.

    Attributes
    ----------
    asked, reached
        Megahertz; reached is None where nextpnr times nothing after routing, which it does not for Gowin.
    used, capacity
        Cells of each kind.
    critical_path
        Arcs ``{from, to, stage, logic_ns, routing_ns}`` between registers.
    seconds
        Wall time.
    """

    asked: float
    reached: float | None
    used: dict[str, int]
    capacity: dict[str, int]
    critical_path: list[dict[str, Any]]
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


@lru_cache(maxsize=8)
def version_of(target: Target) -> str:
    """The version that nextpnr prints.

    Raises
    ------
    MissingToolError, ToolError
        Where it is not there, fails, or prints none.
    """
    return _version(target, programs.require(TOOLS[target]))


def _version(target: Target, path: str) -> str:
    tool = TOOLS[target]
    said = programs.run_command(tool.title, [path, "--version"], package=tool.package, timeout=120)
    match = re.search(r"Version (?:nextpnr-)?([^\s)]+)", said)
    if match is None:
        raise ToolError(f"{tool.title} at {path} prints no version but {said.strip()[:80]!r}; install {tool.package}")
    return f"{tool.title} {match[1]}"


def route(place: Place, folder: Path, run: str, *, netlist: str, asked: float, seed: int, pins: str | None,
          timeout: float, progress: Callable[[str], None]) -> Routed:
    """Place and route ``netlist`` in ``folder``; log, report and result lie in its folder ``run``.

    Parameters
    ----------
    place
        Device and package.
    folder, run
        Where it works, and the name of the folder in it for what this run writes.
    netlist, pins
        Names of files in ``folder``.
    asked
        Megahertz.
    seed
        Of the placement.
    timeout
        Seconds.
    progress
        Told now and then of the last line of the log.

    Raises
    ------
    MissingToolError
        Without nextpnr.
    ToolError
        Where it failed, did not end in time, was not routed, or wrote no report that can be read.
    """
    target = place.device.target
    tool, (option, result) = TOOLS[target], RESULTS[target]
    (folder / run).mkdir(parents=True, exist_ok=True)
    files = {option: result, "--write": WRITTEN, "--report": REPORT}
    arguments = [*place.options, "--json", netlist,
                 *(part for name, file in files.items() for part in (name, f"{run}/{file}")),
                 "--log", f"{run}/{LOG}", "--freq", f"{asked:.2f}", "--seed", seed, "--timing-allow-fail",
                 *_pins(target, pins)]
    start = time.perf_counter()
    with _watched(folder / run / LOG, tool.title, progress):
        said = programs.run(tool, arguments, cwd=folder, timeout=timeout,
                            produces=[folder / run / file for file in files.values()])
    if ROUTED not in said:
        raise ToolError(f"{tool.title} ended without an error, but its log does not say {ROUTED!r}: the design is "
                        f"placed at most; see {folder / run / LOG}")
    reached, used, capacity, path = read_report(folder / run / REPORT, tool.title, timed=UNTIMED not in said)
    return Routed(asked, reached, used, capacity, path, time.perf_counter() - start)


def is_placed(folder: Path) -> bool:
    """Whether the log of a run that was not routed tells of a placement, whose frequency is an estimate."""
    try:
        return "Max frequency" in (folder / LOG).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


def _pins(target: Target, pins: str | None) -> list[str]:
    if target == "gowin":
        return ["--vopt", f"cst={pins}"] if pins else []
    option = {"ice40": "pcf", "ecp5": "lpf"}[target]
    return [*([f"--{option}", pins] if pins else []), f"--{option}-allow-unconstrained"]


def read_report(path: Path, title: str, *, timed: bool = True
                ) -> tuple[float | None, dict[str, int], dict[str, int], list[dict[str, Any]]]:
    """Frequency of the clock, cells used and available, and the critical path between registers.

    The frequency is None where the log says that there is none (not ``timed``), and the report agrees.

    Raises
    ------
    ToolError
        Where the file is no such report.
    """
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        clocks = report["fmax"]
        found = [float(clock["achieved"]) for clock in clocks.values()]
        reached = min(found) if found or timed else None
        cells = report["utilization"]
        used = {kind: int(count["used"]) for kind, count in cells.items()}
        capacity = {kind: int(count["available"]) for kind, count in cells.items()}
        path_ = _critical(report.get("critical_paths", []))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ToolError(f"{title} wrote a report that cannot be read, {path} ({error!r}); install another version"
                        ) from None
    if (reached is not None and not 0 < reached < 1e5) or not any(used.values()):
        raise ToolError(f"{title} reports {reached or 0:g} MHz with {sum(used.values())} cells in {path}, which cannot "
                        f"be; install another version")
    return reached, used, capacity, path_


def _critical(paths: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The longest path from a clock to a clock as arcs; a delay inside a cell counts to the arc that leaves it."""
    clocked = [p["path"] for p in paths if p["from"] == p["to"] and "<" not in p["from"]]
    if not clocked:
        return []
    arcs: list[dict[str, Any]] = []
    logic = 0.0
    for step in max(clocked, key=lambda path: sum(s["delay"] for s in path)):
        if step["type"] == "routing":
            to = step["to"]["cell"]
            arcs.append({"from": step["from"]["cell"], "to": to, "stage": stage_of(to), "logic_ns": logic,
                         "routing_ns": float(step["delay"])})
            logic = 0.0
        else:
            logic += float(step["delay"])
    if arcs:
        arcs[-1]["logic_ns"] += logic  # the setup of the register
    return [{**arc, **{key: round(arc[key], 4) for key in ("logic_ns", "routing_ns")}} for arc in arcs]


def stage_of(cell: str) -> str:
    """The stage of a cell by its name."""
    match = STAGE.search(cell)
    return match[1] if match else "wrapper"


@contextmanager
def _watched(log: Path, title: str, progress: Callable[[str], None]) -> Iterator[None]:
    """Tell of the last line of a log while the block runs."""
    done, start = threading.Event(), time.monotonic()

    def watch() -> None:
        while not done.wait(PAUSE):
            try:
                lines = log.read_bytes()[-4000:].decode(errors="replace").strip().splitlines()
            except OSError:
                lines = []
            last = re.sub(r"\s+", " ", lines[-1].removeprefix("Info:")).strip()[:100] if lines else "no log yet"
            progress(f"{title}: {time.monotonic() - start:.0f} s, {last}")

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(1)
