"""A folder in the layout of npm: the modules with and without SIMD, JavaScript around them, types, and a self-test."""

import base64
import json
import re
import tempfile
from importlib.util import find_spec
from os import PathLike
from pathlib import Path
from string import Template
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from ...circuit import Circuit, Word
from ...circuit.formats.words import generated_by
from ...circuit.simulate import simulate
from ...core import programs as tools
from ...core.bits import Codes
from ...core.errors import InputError
from ...core.files import write_bytes, write_text
from ..common import choose_name, source
from ..verilog.backend import default_vectors
from .binary import Module, assemble
from .engines import in_wasmtime
from .writer import module

Engine = Literal["wasmtime", "node"]
#: Bytes of the vectors of the self-test, about.
VECTORS = 1 << 14
#: A class of JavaScript for codes of so many bytes.
ARRAYS = {1: "Uint8Array", 2: "Uint16Array", 4: "Uint32Array", 8: "BigUint64Array"}
#: Names of emitted files, their field aside, and their templates.
TEMPLATES = {"@{name}.js": "module.js", "@{name}.d.ts": "module.d.ts", "package.json": "package.json",
             "README.md": "README.md", "test.mjs": "test.mjs"}


class _Fields(Template):
    """A template whose fields are spelled ``@{name}``, since JavaScript has its own use for the dollar."""

    delimiter = "@"


def emit(circuit: Circuit, out_dir: str | PathLike[str], *, name: str | None = None) -> list[Path]:
    """Write ``NAME.wasm``, ``NAME_i64.wasm``, ``NAME.js``, ``NAME.d.ts`` and files of the package; return their paths.

    The others are ``package.json``, ``README.md`` and ``test.mjs``; ``docs/wasm.md`` says what they offer. ``name`` is
    the circuit's unless given.

    Raises
    ------
    InputError
        Where ``out_dir`` cannot be written or holds another package, or the circuit has no outputs.
    """
    name, folder = choose_name(circuit, name), Path(out_dir)
    modules = {f"{name}.wasm": module(circuit), f"{name}_i64.wasm": module(circuit, simd=False)}
    fields = _fields(circuit, name)
    texts = {_Fields(file).substitute(fields): _filled(template, fields) for file, template in TEMPLATES.items()}
    foreign = next((file for file in texts if _is_foreign(folder / file)), None)
    if foreign is not None:
        raise InputError(f"{folder / foreign} is no file of hardwire's; give an empty folder")
    return [*(write_bytes(folder / file, content) for file, content in modules.items()),
            *(write_text(folder / file, text) for file, text in texts.items())]


def run(circuit: Circuit, codes: ArrayLike, *, engine: Engine | None = None, simd: bool = True,
        main: str | PathLike[str] | None = None) -> Codes:
    """Codes or physical values ``(samples, words)`` through the emitted module to codes ``(samples, output words)``.

    Parameters
    ----------
    circuit, codes
        What to run, and on what.
    engine
        ``node`` goes through the emitted JavaScript; by default wasmtime where it is installed, else Node.
    simd
        Which of the two modules.
    main
        A ``NAME.wasm`` of this circuit that was emitted before, the other files beside it; without it one is emitted.

    Raises
    ------
    MissingToolError
        Without the engine.
    """
    codes = circuit.codes(codes)
    if engine is None:
        engine = "wasmtime" if find_spec("wasmtime") else "node"
    if engine == "wasmtime":
        content = module(circuit, simd=simd) if main is None else _of_kind(Path(main), simd).read_bytes()
        return in_wasmtime(circuit, content)(codes)
    with tempfile.TemporaryDirectory(prefix="hardwire-") as temporary:
        folder = Path(temporary)
        main = emit(circuit, folder / "package", name="circuit")[0] if main is None else Path(main)
        script = write_text(folder / "run.mjs", _filled("run.mjs", _fields(circuit, main.stem)))
        given, result = write_bytes(folder / "in", codes.tobytes()), folder / "out"
        files = [main.with_suffix(".js"), _of_kind(main, simd)]
        tools.run(tools.NODE, [script, *(file.resolve() for file in files), given, len(codes), result])
        out = np.frombuffer(result.read_bytes(), circuit.output_dtype)
        return out.reshape(len(codes), len(circuit.outputs)).copy()


def _is_foreign(path: Path) -> bool:
    """Whether a file is there that nobody wants to lose: another project's package or text."""
    try:
        return b"hardwire" not in path.read_bytes()
    except OSError:  # nothing there, or nothing that can be read: writing says what is wrong
        return False


def without_simd(main: Path) -> Path:
    """Return where the module for engines without SIMD lies, beside ``NAME.wasm``."""
    return main.with_name(f"{main.stem}_i64.wasm")


def _of_kind(main: Path, simd: bool) -> Path:
    return main if simd else without_simd(main)


def _filled(template: str, fields: dict[str, Any]) -> str:
    return _Fields(source(f"wasm/templates/{template}")).substitute(fields)


def _fields(circuit: Circuit, name: str) -> dict[str, Any]:
    size = circuit.input_dtype.itemsize * max(1, len(circuit.inputs))
    vectors = default_vectors(circuit, random=max(8, min(60, VECTORS // size)))
    words, expected = (base64.b64encode(np.ascontiguousarray(x, x.dtype.newbyteorder("<")).tobytes()).decode()
                       for x in (vectors, simulate(circuit, vectors)))
    classes = bool(circuit.labels) and circuit.outputs[0].name == "class_index"
    array = ARRAYS[circuit.input_dtype.itemsize]
    return {
        "generated": generated_by(circuit), "name": name, "circuit": _text(circuit.name),
        "digest": _text(circuit.digest), "labels": _text(circuit.labels), "inputs": _words(circuit.inputs),
        "outputs": _words(circuit.outputs),
        "input_array": array, "output_array": ARRAYS[circuit.output_dtype.itemsize],
        "number": "bigint" if array.startswith("Big") else "number", "classes": _text(classes),
        "probe": _text([*_probe()]), "prediction": _prediction(circuit, classes), "package": _text(_package(name)),
        "description": _text(f"The circuit {circuit.name}: logic gates in WebAssembly. {generated_by(circuit)}"),
        "shape": f"{len(circuit.inputs)} numbers in, "
                 f"{f'one of {len(circuit.labels)} classes' if classes else f'{len(circuit.outputs)} values'} out",
        "example": f"new Array({len(circuit.inputs)}).fill(0)", "vectors": len(vectors), "words": words,
        "expected": expected,
    }


def _text(value: object) -> str:
    """Return a value as JSON, which is JavaScript too; what a name says ends neither a string nor a script."""
    return json.dumps(value).replace("<", "\\u003c")


def _words(words: tuple[Word, ...]) -> str:
    rows = [_text({"name": w.name, "width": w.width, "offset": w.offset, "step": w.step}) for w in words]
    return "[\n  " + ",\n  ".join(rows) + ",\n]" if rows else "[]"


def _prediction(circuit: Circuit, classes: bool) -> str:
    """The type of what ``predict`` says of a sample."""
    label = " | ".join(map(_text, dict.fromkeys(circuit.labels))) if classes else ""
    if len(circuit.outputs) == 1:
        return label or "number"
    fields = [f"{_text(w.name)}: number" for w in circuit.outputs] + ([f"label: {label}"] if label else [])
    return "{ " + "; ".join(dict.fromkeys(fields)) + " }"


def _package(name: str) -> str:
    """A name of a package: lower case, and no underscore first."""
    return re.sub("^_+", "", name.lower()) or "circuit"


def _probe() -> bytes:
    """A module that only engines with SIMD take."""
    return Module([assemble("probe", {}, {}, f"i32.const 0 v128.const {32 * '0'} v128.store")], memory=1).encode()
