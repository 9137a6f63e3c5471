"""From a circuit through outside tools to an FPGA or standard cells, and what they measured into the run's record."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, Protocol

from ..circuit import Circuit
from ..core.bits import Codes
from ..core.errors import FormatError, HardwireError, InputError
from ..core.files import write_text
from ..core.reading import parse_json, read_bytes
from ..data import load_dataset
from ..runs.directory import RunDirectory
from ..runs.experiment import data_of_run
from ..runs.record import NAME, Flow, Record
from .circuits import circuit_of
from .classify import load_samples
from .hardwares import hardware_named

Objective = Literal["area", "depth", "delay"]
Say = Callable[[str], None]
#: The step that a run directory notes, and the file beside a bare circuit's results.
FLOW, FILE = "flow", "flow.json"


class Result(Protocol):
    """What a flow returns."""

    def to_json(self) -> dict[str, Any]:
        """The entry of ``flows`` in a record."""


@dataclass(frozen=True)
class Request:
    """What is asked of a flow.

    Attributes
    ----------
    target
        A key of ``TARGETS``.
    argument
        What follows the colon of the target, a file.
    folder
        Where it works and leaves its files.
    device, clock, objective, pipeline, seed
        As ``flow_circuit`` takes them.
    samples
        Codes (samples, words) to simulate on.
    timeout
        Seconds.
    fresh
        Repeat every stage.
    progress
        Told of each step.
    """

    target: str
    argument: str
    folder: Path
    device: str | None
    clock: float | None
    objective: Objective
    pipeline: int | None
    seed: int
    samples: Codes | None
    timeout: float
    fresh: bool
    progress: Say


def _fpga(circuit: Circuit, request: Request) -> Result:
    if request.argument:
        raise InputError(f"target {request.target} takes no file; leave {request.argument!r} out")
    flow = import_module("hardwire.flows.fpga.flow")
    result: Result = flow.fpga_flow(
        circuit, request.target, folder=request.folder, device=request.device, clock=request.clock,
        objective=request.objective, pipeline=request.pipeline, seed=request.seed, samples=request.samples,
        timeout=request.timeout, fresh=request.fresh, progress=request.progress)
    return result


def _liberty(circuit: Circuit, request: Request, process: str | None = None) -> Result:
    if not request.argument:
        raise InputError("target liberty needs a library; give liberty:FILE")
    for name, value in (("device", request.device), ("pipeline", request.pipeline)):
        if value is not None:
            raise InputError(f"a cell library has no --{name}; leave it out")
    flow = import_module("hardwire.flows.asic.flow")
    result: Result = flow.asic_flow(
        circuit, request.argument, folder=request.folder, objective=request.objective, samples=request.samples,
        clock=request.clock, progress=request.progress, timeout=request.timeout, fresh=request.fresh,
        process=process)
    return result


def _qflow(circuit: Circuit, request: Request) -> Result:
    if request.argument:
        raise InputError(f"target {request.target} brings its library; leave {request.argument!r} out")
    library = import_module("hardwire.flows.asic.qflow").library_of(request.target)
    return _liberty(circuit, replace(request, argument=str(library)), process=request.target)


#: Target -> the flow that takes a circuit there.
TARGETS: dict[str, Callable[[Circuit, Request], Result]] = {
    "ice40": _fpga, "ecp5": _fpga, "gowin": _fpga, "xilinx": _fpga, "liberty": _liberty,
    "osu018": _qflow, "osu035": _qflow, "osu050": _qflow}


def flow_circuit(  # noqa: PLR0913
    path: str | Path, *, target: str, device: str | None = None, clock: float | None = None,
    objective: Objective = "area", pipeline: int | None = None, seed: int = 1, timeout: float = 900,
    dataset: str | None = None, samples: str | None = None, fresh: bool = False, data_dir: str | Path | None = None,
    progress: Say = lambda text: None,
) -> dict[str, Any]:
    """Take a circuit file, or the best circuit of a run directory, to a target.

    Files and logs lie in ``RUN/flow/TARGET`` or ``CIRCUIT.flow/TARGET``. A run directory notes the result, which its
    ``report.json`` then holds as ``flows``; of a bare circuit it is ``flow.json`` in that folder.

    Parameters
    ----------
    path
        Circuit file or run directory.
    target
        ``ice40``, ``ecp5``, ``gowin``, ``xilinx``, ``liberty:FILE``, or a process that qflow brings, ``osu018``.
    device
        Board, or device with its package.
    clock
        Megahertz to ask for; without it one in reach, which is raised.
    objective
        What the mapping makes small.
    pipeline
        Levels of tables between registers, 0 for none; without it the target's.
    seed
        Of place and route.
    timeout
        Seconds for the whole flow.
    dataset, samples
        A data set, or a .npy file, on whose samples the netlist is simulated where a proof does not end; by default
        the run's own test samples.
    fresh
        Repeat stages whose inputs are those of before.
    data_dir
        Where data sets lie.
    progress
        Called with a line before each long step.

    Returns
    -------
    dict
        The entry of ``flows``, see ``runs.record.Flow``; ``status`` tells of a flow that failed.

    Raises
    ------
    InputError
        Where the target, the device or an option is unknown or does not go together, or the data do not fit.
    MissingToolError
        Where a tool that the target needs is not there.
    """
    kind, _, argument = target.partition(":")
    if kind not in TARGETS:
        raise InputError(f"target {target!r} is none of {', '.join(TARGETS).replace('liberty', 'liberty:FILE')}")
    if dataset is not None and samples is not None:
        raise InputError("--dataset and --input both give samples; give one of them")
    if not timeout > 0:
        raise InputError(f"--timeout {timeout:g}: give seconds above 0")
    path = Path(path)
    circuit = circuit_of(path, progress=progress)
    codes = _samples(path, circuit, dataset, samples, data_dir, progress)
    name = kind if not argument else f"{kind}-{Path(argument).name.partition('.')[0]}"
    folder = folder_of(path) / name
    request = Request(kind, argument, folder, device, clock, objective, pipeline, seed, codes, timeout, fresh, progress)
    entry = TARGETS[kind](circuit, request).to_json() | {"digest": circuit.digest}
    _store(path, folder, name, Flow.model_validate_json(json.dumps(entry, default=str)).model_dump(
        mode="json", exclude_unset=True, by_alias=True), progress)
    return entry


def folder_of(path: Path) -> Path:
    """Where the flows of a run directory or of a circuit file work."""
    return path / "flow" if path.is_dir() else path.with_name(path.name + ".flow")


def stored_flows(path: str | Path, circuit: Circuit) -> dict[str, dict[str, Any]]:
    """The results of earlier flows of this very circuit, by the name of their folder.

    Raises
    ------
    FormatError
        Where a result is malformed.
    """
    results = {}
    for file in sorted(folder_of(Path(path)).glob(f"*/{FILE}")):
        try:
            entry = Flow.of(parse_json(read_bytes(file)))
        except ValueError as error:
            raise FormatError(f"{file} holds no result of a flow ({error}); run the flow again") from None
        if entry.digest == circuit.digest:
            results[file.parent.name] = entry.model_dump(mode="json", exclude_unset=True, by_alias=True)
    return results


def _samples(path: Path, circuit: Circuit, dataset: str | None, samples: str | None, data_dir: str | Path | None,
             progress: Say) -> Codes | None:
    """Codes of the samples that were named, else of the run's test samples where these can be had."""
    if samples is not None:
        return circuit.codes_of_values(load_samples(samples, circuit))
    if dataset is not None:
        return circuit.codes_of_values(load_dataset(dataset, data_dir=data_dir).test.x)
    if not (path.is_dir() and RunDirectory(path).finished):
        return None
    try:
        stored = RunDirectory(path).read_model()
        data, differ = data_of_run(hardware_named(stored.hardware), stored, RunDirectory(path), data_dir)
        if differ:
            raise InputError(differ)
        return circuit.codes_of_values(data.test.x)
    except HardwireError as error:
        progress(f"flow: without samples: {error}")
        return None


def _store(path: Path, folder: Path, name: str, entry: dict[str, Any], progress: Say) -> None:
    """Keep the entry: beside its files, in the run's notes, and in the record where there is one."""
    write_text(folder / FILE, json.dumps(entry, indent=2, ensure_ascii=False) + "\n")
    if not path.is_dir():
        return
    directory = RunDirectory(path)
    try:
        directory.note_step(FLOW, lambda before: {
            "seconds": entry["seconds"], "flows": {**(before.get("flows") or {}), name: entry}})
        if (path / NAME).is_file():
            record = Record.load(path).to_json()
            Record.of(record | {"flows": {**(record.get("flows") or {}), name: entry}}, name=str(path)).save(path)
    except HardwireError as error:
        progress(f"flow: the run does not note it: {error}")
