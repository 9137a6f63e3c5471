"""Files that are written for a target, and the note of them that a run directory keeps."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .. import __version__
from ..backends import BACKENDS
from ..backends.verilog.pipeline import cut_at_registers, pipelined
from ..circuit import Circuit
from ..core.errors import HardwireError
from ..flows.luts import stage_tables
from ..flows.netlist import needed
from ..runs.directory import EMIT, RunDirectory
from ..verify.emitted import Emission, EmittedFile, sha256
from .circuits import circuit_of, emit_circuit


class Figures(NamedTuple):
    """What a core in Verilog takes.

    Attributes
    ----------
    latency
        Clocks from its inputs to its outputs, 0 without registers.
    flip_flops
        How many there are.
    tables
        Tables of up to six inputs of each stage of the circuit, by our own mapping of the logic between the registers.
    """

    latency: int
    flip_flops: int
    tables: dict[str, int]


def emit_path(path: str | Path, target: str, out: str | Path, *, progress: Callable[[str], None] | None = None,
              **options: Any) -> list[Path]:
    """Write the circuit at ``path`` for ``target`` into folder ``out`` and return the files.

    A run directory notes them, with their hashes, so that ``verify`` reads exactly these files; where it cannot be
    written, ``progress`` is told. Options are those of ``emit_circuit``.
    """
    return _emit(path, target, out, progress, options)[1]


def emit_with_figures(path: str | Path, target: str, out: str | Path, *, progress: Callable[[str], None] | None = None,
                      **options: Any) -> tuple[list[Path], Figures | None]:
    """Write as ``emit_path`` does, and say what a core in Verilog takes; None of another target."""
    circuit, files = _emit(path, target, out, progress, options)
    if target not in BACKENDS or not BACKENDS[target].pipeline:
        return files, None
    if progress:
        progress("emit: tables of six inputs")
    return files, figures_of(circuit, pipeline=options.get("pipeline") or None,
                             register_inputs=bool(options.get("register_inputs")))


def figures_of(circuit: Circuit, *, pipeline: int | None = None, register_inputs: bool = False) -> Figures:
    """What the core takes that the Verilog back end writes with these options."""
    if pipeline is None:
        used = sum(net < circuit.first_node for net in needed(circuit)) if register_inputs else 0
        return Figures(int(register_inputs), used, stage_tables(circuit))
    registers = pipelined(circuit, pipeline, register_inputs=register_inputs)
    return Figures(registers.latency, registers.flip_flops, stage_tables(cut_at_registers(circuit, registers)))


def _emit(path: str | Path, target: str, out: str | Path, progress: Callable[[str], None] | None,
          options: dict[str, Any]) -> tuple[Circuit, list[Path]]:
    started, circuit = time.perf_counter(), circuit_of(path, progress=progress)
    files = emit_circuit(circuit, target, out, **options)
    if Path(path).is_dir():
        directory = RunDirectory(path)
        given = {name: value for name, value in options.items() if value}
        try:
            _note(directory, _emission(circuit, target, given, files, directory), time.perf_counter() - started)
        except HardwireError as error:
            if progress:
                progress(f"emit: `verify` will not know these files: {error}")
    return circuit, files


def emissions_of(directory: RunDirectory) -> list[Emission]:
    """What was emitted from a run directory, as it noted.

    Raises
    ------
    FormatError
        Where the note cannot be read.
    """
    return _emissions(directory.steps().get(EMIT, {}), directory)


def _emissions(step: Mapping[str, Any], directory: RunDirectory) -> list[Emission]:
    noted = step.get("emitted", [])
    return [Emission.of(values, directory.path) for values in (noted if isinstance(noted, list) else [noted])]


def _emission(circuit: Circuit, target: str, options: dict[str, Any], files: list[Path], directory: RunDirectory
              ) -> Emission:
    noted = tuple(EmittedFile(_place(path, directory.path), sha256(path.read_bytes())) for path in files)
    return Emission(target, options, circuit.digest, __version__, noted, directory.path)


def _place(path: Path, folder: Path) -> str:
    path, folder = path.resolve(), folder.resolve()
    return (path.relative_to(folder) if path.is_relative_to(folder) else path).as_posix()


def _note(directory: RunDirectory, emission: Emission, seconds: float) -> None:
    """Keep the emission, in the place of what was emitted to the same main file before."""

    def values(before: Mapping[str, Any]) -> dict[str, Any]:
        others = [other for other in _emissions(before, directory) if other.main != emission.main]
        return {"seconds": seconds, "emitted": [other.to_json() for other in (*others, emission)]}

    directory.note_step(EMIT, values)
