"""Files that are written for a target, and the note of them that a run directory keeps."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .. import __version__
from ..circuit import Circuit
from ..core.errors import HardwireError
from ..runs.directory import EMIT, RunDirectory
from ..verify.emitted import Emission, EmittedFile, sha256
from .circuits import circuit_of, emit_circuit


def emit_path(path: str | Path, target: str, out: str | Path, *, pipeline: int = 0,
              progress: Callable[[str], None] | None = None) -> list[Path]:
    """Write the circuit at ``path`` for ``target`` into folder ``out`` and return the files.

    A run directory notes them, with their hashes, so that ``verify`` reads exactly these files; where it cannot be
    written, ``progress`` is told.
    """
    started, circuit = time.perf_counter(), circuit_of(path, progress=progress)
    files = emit_circuit(circuit, target, out, pipeline=pipeline)
    if Path(path).is_dir():
        directory = RunDirectory(path)
        options = {"pipeline": pipeline} if pipeline else {}
        try:
            _note(directory, _emission(circuit, target, options, files, directory), time.perf_counter() - started)
        except HardwireError as error:
            if progress:
                progress(f"emit: `verify` will not know these files: {error}")
    return files


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


def _emission(circuit: Circuit, target: str, options: dict[str, int], files: list[Path], directory: RunDirectory
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
