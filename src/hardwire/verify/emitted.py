"""Emitted files as they stand on disk: whether they are unchanged, and whether each computes the circuit.

A file is read once: the bytes whose hash is taken are the bytes that are proved. C, WebAssembly and ONNX are run only
where they are, byte for byte, what this program writes for the circuit; nothing else that lies in a folder is executed.
"""

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path, PurePath
from types import ModuleType
from typing import Any

from ..backends.c import backend as c
from ..backends.onnx import backend as onnx
from ..backends.projects.backend import PROJECTS
from ..backends.wasm import backend as wasm
from ..circuit import Circuit
from ..circuit.formats.aiger import read_aiger
from ..circuit.formats.blif import read_blif
from ..core import programs
from ..core.bits import Codes
from ..core.errors import FormatError
from ..core.programs import Tool
from ..core.verdict import Status, Verdict
from .c import read_c, read_model
from .check import Check, run_check
from .equivalence import prove
from .readback import read_emitted
from .vectors import check_backend
from .vhdl import read_vhdl
from .wasm import read_wasm

#: ``(main file, circuit whose words it has) -> what it computes``.
Reader = Callable[[Path, Circuit], Circuit]


def _read_c_batch(path: Path, like: Circuit) -> Circuit:
    return read_c(path, like=like)


def _read_c_one(path: Path, like: Circuit) -> Circuit:
    return read_c(path, like=like, entry="one")


def _read_model(path: Path, like: Circuit) -> Circuit:
    return read_model(path, like=like)


def _read_verilog(path: Path, like: Circuit) -> Circuit:
    return read_emitted(path, like=like)


def _read_vhdl(path: Path, like: Circuit) -> Circuit:
    return read_vhdl(path, like=like)


def _read_wasm(path: Path, like: Circuit) -> Circuit:
    return read_wasm(path, like=like)


def _read_wasm_planes(path: Path, like: Circuit) -> Circuit:
    return read_wasm(path, like=like, entry="run")


def _read_wasm_i64(path: Path, like: Circuit) -> Circuit:
    return read_wasm(wasm.without_simd(path), like=like)


def _read_wasm_i64_planes(path: Path, like: Circuit) -> Circuit:
    return read_wasm(wasm.without_simd(path), like=like, entry="run")


def _read_blif(path: Path, like: Circuit) -> Circuit:
    return read_blif(path)


def _read_aiger(path: Path, like: Circuit) -> Circuit:
    return read_aiger(path)


#: Projects of layout tools, whose main file is the core in Verilog (`flows.asic.projects`).
LAYOUT = ("librelane", "openroad", "tinytapeout")
#: What is read of a main file alone, by what follows the file's name in the name of the check.
C: dict[str, Reader] = {"": _read_c_batch, ", one sample": _read_c_one}
WASM: dict[str, Reader] = {"": _read_wasm, ", planes": _read_wasm_planes}
#: Target -> what is read of its main file, and of what lies beside it.
READERS: dict[str, dict[str, Reader]] = {
    "c": C, "verilog": {"": _read_verilog}, "vhdl": {"": _read_vhdl},
    "wasm": WASM | {", without SIMD": _read_wasm_i64, ", without SIMD, planes": _read_wasm_i64_planes},
    **{target: {"": _read_verilog} for target in (*PROJECTS, *LAYOUT)}, "blif": {"": _read_blif},
    "aiger": {"": _read_aiger}, "onnx": {},
}
#: Target -> the outside program that its readers use.
TOOLS: dict[str, Tool] = {**dict.fromkeys(("verilog", *PROJECTS, *LAYOUT), programs.YOSYS), "vhdl": programs.GHDL}
#: Samples of the first calls of compiled C: odd tails, with and without 64 samples before them.
BATCHES = (1, 7, 8, 63, 64, 65, 100)
#: Ends the name of a header for microcontrollers, which lies beside ``NAME.c`` or is the main file of a kit.
MODEL = "_model.h"
#: How its compiled text is called.
MODEL_CALL: dict[str, Any] = {"entry": "model", "optimize": "-O0"}
#: Target that is executed -> back end.
EXECUTED: dict[str, ModuleType] = {"c": c, "onnx": onnx, "wasm": wasm}
#: Target -> what follows the file's name in the name of the check -> how it is run, and by which program.
CALLS: dict[str, dict[str, tuple[dict[str, Any], Tool | None]]] = {
    "c": {" compiled": ({"batches": BATCHES}, programs.CC),
          " compiled, one sample": ({"entry": "one", "optimize": "-O0"}, programs.CC)},
    "onnx": {" in onnxruntime": ({}, None)},
    "wasm": {" executed in wasmtime": ({"engine": "wasmtime"}, None),
             " executed in Node": ({"engine": "node"}, programs.NODE),
             " executed in Node, without SIMD": ({"engine": "node", "simd": False}, programs.NODE)},
}


#: Suffix of a main file that is no circuit file -> its readers.
SUFFIXES: dict[str, dict[str, Reader]] = {
    ".c": C, ".v": {"": _read_verilog}, ".vhd": {"": _read_vhdl}, ".wasm": WASM}


def read_main(path: str | Path, *, like: Circuit) -> dict[str, Circuit]:
    """What the readers of a main file in C, Verilog, VHDL or WebAssembly make of it, by their names; else nothing."""
    path = Path(path)
    if path.name.endswith(MODEL):
        return {"": read_model(path, like=like)}
    return {what: reader(path, like) for what, reader in SUFFIXES.get(path.suffix, {}).items()}


@dataclass(frozen=True)
class EmittedFile:
    """A file, its path as an ``Emission`` has it, and the SHA-256 of its bytes."""

    path: str
    sha256: str


@dataclass(frozen=True)
class Emission:
    """What one ``emit`` wrote.

    Attributes
    ----------
    target, options
        What was asked for.
    circuit
        Digest of the circuit.
    version
        Of the program that wrote it.
    files
        The main one first; their paths are relative to ``folder`` or absolute.
    folder
        The run directory.
    """

    target: str
    options: Mapping[str, Any]
    circuit: str
    version: str
    files: tuple[EmittedFile, ...]
    folder: Path

    @property
    def main(self) -> str:
        """The path of the main file."""
        return self.files[0].path

    def to_json(self) -> dict[str, Any]:
        """Plain values for a record, without the folder that it lies in."""
        return {"target": self.target, "options": dict(self.options), "circuit": self.circuit, "version": self.version,
                "files": [asdict(file) for file in self.files]}

    @classmethod
    def of(cls, values: object, folder: Path) -> "Emission":
        """The emission that the record of ``folder`` holds.

        Raises
        ------
        FormatError
            Where it holds none.
        """
        said: Any = values
        try:
            files = tuple(EmittedFile(file["path"], file["sha256"]) for file in said["files"])
            emission = cls(said["target"], dict(said["options"]), said["circuit"], said["version"], files, folder)
            texts = (emission.circuit, emission.version, *(text for f in files for text in (f.path, f.sha256)))
            right = files and emission.target in READERS and all(isinstance(text, str) for text in texts)
        except (TypeError, ValueError, KeyError):
            right = False
        if not right or any(PurePath(file.path).name in ("", "..") for file in files):
            raise FormatError(f"the record of {folder} does not say what was emitted; emit the files anew")
        return emission


@dataclass(frozen=True)
class _OnDisk:
    """The bytes of an emission's files, None of one that is not there."""

    emission: Emission
    contents: Mapping[str, bytes | None]

    @classmethod
    def read(cls, emission: Emission) -> "_OnDisk":
        return cls(emission, {file.path: _content(emission.folder / file.path) for file in emission.files})

    @property
    def model(self) -> str | None:
        """The path of the header for microcontrollers, where there is one."""
        return next((path for path in self.contents if path.endswith(MODEL)), None)

    @contextmanager
    def copied(self, path: str | None = None) -> Iterator[Path]:
        """The path of a file, by default the main one, in a folder that holds these bytes and nothing else."""
        wanted = self.emission.main if path is None else path
        with tempfile.TemporaryDirectory(prefix="hardwire-") as folder:
            for file, content in self.contents.items():
                if content is not None:
                    (Path(folder) / PurePath(file).name).write_bytes(content)
            yield Path(folder) / PurePath(wanted).name

    def alteration(self) -> Verdict | None:
        """Refuted where a file has changed since it was emitted; no verdict on the circuit where one is missing.

        A file beside the run directory may have been taken elsewhere, which is no failure of the run.
        """
        changed = [file.path for file in self.emission.files
                   if (content := self.contents[file.path]) is not None and sha256(content) != file.sha256]
        if changed:
            verb = "have" if len(changed) > 1 else "has"
            return Verdict("refuted", detail=f"{', '.join(changed)} {verb} changed since emitted; emit anew",
                           method="hash")
        missing = [path for path, content in self.contents.items() if content is None]
        if missing:
            status: Status = "skipped" if all(PurePath(path).is_absolute() for path in missing) else "unknown"
            return Verdict(status, detail=f"{', '.join(missing)} cannot be read; emit anew", method="hash")
        return None


def sha256(content: bytes) -> str:
    """The SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes() if path.is_file() else None
    except OSError:
        return None


def emitted_checks(circuit: Circuit, emission: Emission, codes: Codes) -> dict[str, Check]:
    """The checks of what one ``emit`` wrote: text is proved; C, WebAssembly and ONNX are run on ``codes``."""
    disk, name = _OnDisk.read(emission), f"emitted {emission.main}"
    content = disk.contents[emission.main]
    against = "" if content is None else sha256(content)
    kit = emission.main.endswith(MODEL)
    readers = {} if kit else READERS[emission.target]
    checks = {name + what: Check(partial(_prove, circuit, disk, reader), against, TOOLS.get(emission.target))
              for what, reader in readers.items()}
    for what, (call, tool) in CALLS.get(emission.target, {}).items() if not kit else ():
        checks[name + what] = Check(partial(_simulate, circuit, disk, codes, call), against, tool)
    if (model := disk.model) is not None:
        content, what = disk.contents[model], "" if kit else ", model header"
        against = "" if content is None else sha256(content)
        checks[name + what] = Check(partial(_prove, circuit, disk, _read_model, model), against)
        checks[f"{name} compiled{what}"] = Check(partial(_simulate, circuit, disk, codes, MODEL_CALL, model), against,
                                                 programs.CC)
    return checks


def _prove(circuit: Circuit, disk: _OnDisk, reader: Reader, path: str | None = None) -> Verdict:
    altered = disk.alteration()
    if altered is None:
        return _of_another(circuit, disk.emission, _prove_text(circuit, disk, reader, path))
    if altered.status != "refuted" or disk.contents[disk.emission.main if path is None else path] is None:
        return altered
    text = run_check(lambda: _prove_text(circuit, disk, reader, path))
    if text.status == "refuted":
        return replace(text, detail=f"{altered.detail}: {text.detail}")
    return replace(altered, detail=altered.detail + "; the text still computes the circuit" * text.passed)


def _prove_text(circuit: Circuit, disk: _OnDisk, reader: Reader, path: str | None) -> Verdict:
    with disk.copied(path) as main:
        return prove(circuit, reader(main, circuit))


def _of_another(circuit: Circuit, emission: Emission, verdict: Verdict) -> Verdict:
    if verdict.status != "refuted" or emission.circuit == circuit.digest:
        return verdict
    return replace(verdict, detail=f"{verdict.detail}; it was emitted from circuit {emission.circuit[:16]}, and this "
                                   f"is {circuit.digest[:16]}: emit anew")


def _simulate(circuit: Circuit, disk: _OnDisk, codes: Codes, call: Mapping[str, Any], path: str | None = None
              ) -> Verdict:
    altered = disk.alteration()
    if altered is not None:
        return altered
    if disk.emission.circuit != circuit.digest:
        return Verdict("skipped", detail=f"{disk.emission.main} was emitted from another circuit; emit anew")
    with disk.copied(path) as main, tempfile.TemporaryDirectory(prefix="hardwire-") as folder:
        backend = EXECUTED[disk.emission.target]
        how = {key: value for key, value in disk.emission.options.items() if key in ("variant", "kit")}
        how["name"] = main.stem.removesuffix(MODEL.removesuffix(".h")) if path is not None else main.stem
        fresh = {path.name: path.read_bytes() for path in backend.emit(circuit, folder, **how)}
        if any(fresh.get(PurePath(path).name) != content for path, content in disk.contents.items()):
            return Verdict("skipped", detail=f"{disk.emission.main} is not what this version writes, and nothing else "
                                             "is run; emit anew")
        return check_backend(circuit, partial(backend.run, circuit, main=main, **call), codes)
