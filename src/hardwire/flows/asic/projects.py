"""Projects of layout tools around a core in Verilog: LibreLane, OpenROAD-flow-scripts, Tiny Tapeout.

The files come from templates, whose fields are spelled ``@{name}``. None of these tools is needed to write them, and
none was run on them here; the Tiny Tapeout wrapper is simulated by this project's tests.
"""

import json
import math
import tempfile
from os import PathLike
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from ...backends.common import Backend, choose_name
from ...backends.verilog import backend as verilog
from ...backends.verilog.backend import default_vectors
from ...backends.verilog.ports import KEYWORDS, port_names
from ...circuit import FIRST, Circuit
from ...circuit.formats.words import generated_by
from ...circuit.simulate import simulate
from ...circuit.structure import bit_names
from ...core.bits import codes_to_bits
from ...core.errors import InputError
from ...core.files import read_text, write_text
from ...cost.gates import total_gates
from ...cost.timing import Conditions
from ..netlist import needed
from .netlist import sdc

TEMPLATES = Path(__file__).parent / "templates"
#: The clock to reach, in MHz, unless another is asked for.
CLOCK = 20.0
#: Sizes of a Tiny Tapeout project in tiles; square micrometres of one tile; share of it that cells fill.
TILES = {1: "1x1", 2: "1x2", 4: "2x2", 6: "3x2", 8: "4x2", 12: "6x2", 16: "8x2"}
TILE, DENSITY = 167.0 * 108.0, 0.6
#: Square micrometres in sky130 hd: a two-input gate or inverter of our circuits once mapped (3.7 for least area, 4.5
#: for least delay), and a bit of the shift register (flip-flop and multiplexer).
GATE, BIT = 4.5, 31.3
#: Samples of the Tiny Tapeout test, and most bytes of outputs that its pins select.
SAMPLES, SELECTED = 20, 64


class _Fields(Template):
    """A template whose fields are spelled ``@{name}``, since Make has its own use for the dollar."""

    delimiter = "@"


def emit_librelane(circuit: Circuit, out_dir: str | PathLike[str], *, name: str | None = None,
                   pipeline: int | None = None, clock: float | None = None) -> list[Path]:
    """Write a core in Verilog, ``config.json`` for LibreLane and constraints.

    Parameters
    ----------
    circuit, out_dir, name, pipeline
        As of the Verilog back end.
    clock
        The clock to reach, in MHz, by default 20. A combinational core is to settle within its period.

    Raises
    ------
    InputError
        Where ``out_dir`` cannot be written or an option makes no sense.
    """
    paths, fields = _core(circuit, Path(out_dir), name, pipeline, clock)
    return [*paths, _write(Path(out_dir) / "config.json", "librelane.json", fields)]


def emit_openroad(circuit: Circuit, out_dir: str | PathLike[str], *, name: str | None = None,
                  pipeline: int | None = None, clock: float | None = None) -> list[Path]:
    """Write a core in Verilog, ``config.mk`` for OpenROAD-flow-scripts and constraints, as `emit_librelane`."""
    paths, fields = _core(circuit, Path(out_dir), name, pipeline, clock)
    return [*paths, _write(Path(out_dir) / "config.mk", "openroad.mk", fields)]


def emit_tinytapeout(circuit: Circuit, out_dir: str | PathLike[str], *, name: str | None = None,
                     clock: float | None = None, author: str = "") -> list[Path]:
    """Write a Tiny Tapeout project: ``src/`` with wrapper and core, ``info.yaml``, ``docs/info.md``, ``test/``.

    The sample is shifted in by bytes, of the bits alone that the circuit reads; the answer is read by bytes.

    Parameters
    ----------
    circuit, out_dir, name
        As of the Verilog back end.
    clock
        Of the pins, in MHz, by default 20; a core that needs longer is read some clocks later.
    author
        For ``info.yaml``.

    Raises
    ------
    InputError
        Where the circuit does not fit the largest project, has too many outputs, or ``out_dir`` cannot be written.
    """
    area = tile_area(circuit)
    tiles = next((n for n in TILES if area <= n * TILE * DENSITY), None)
    if tiles is None:
        raise InputError(f"circuit {circuit.name!r} takes about {area:,.0f} um2 with its shift register, and the "
                         f"largest Tiny Tapeout project has {max(TILES) * TILE * DENSITY:,.0f}; give a smaller circuit")
    outputs = sum(circuit.output_widths)
    if outputs > 8 * SELECTED:
        raise InputError(f"circuit {circuit.name!r} has {outputs} output bits; Tiny Tapeout's pins select one of "
                         f"{SELECTED} bytes; give one of fewer outputs")
    folder, read = Path(out_dir), used_bits(circuit)
    core = choose_name(circuit, name, avoid=KEYWORDS)
    paths = _verilog(circuit, folder / "src", core, None)
    files, count = -(-outputs // 8), -(-len(read) // 8)
    names = bit_names(circuit.inputs)
    fields = _common(circuit, core, clock) | {
        "top": f"tt_um_hardwire_{core.lower()}", "bits": len(read), "bytes": count, "outputs": outputs,
        "count_width": count.bit_length(), "padded_outputs": 8 * files, "core": _instance(circuit, core, read),
        "shifted": "ui_in" if count == 1 else "{ui_in, bits[8*BYTES-1:8]}",
        "selected": "y" if files == 1 else f"y[8*uio_in[{(files - 1).bit_length() + 1}:2] +: 8]",
        "title": _plain(f"Hardwire {circuit.name}"), "author": _plain(author), "gates": total_gates(circuit),
        "tiles": TILES[tiles], "area": f"{area:,.0f}", "density": f"{DENSITY:.0%}".rstrip("%"),
        "clock_hz": round(_clock(clock) * 1e6),
        "labels": "\nClasses: " + _plain(", ".join(circuit.labels)) + ".\n" if circuit.labels else "",
        "yaml_pins": _pins()}
    sources = [f"{fields['top']}.v", *(p.name for p in paths)]
    fields |= {"yaml_sources": "\n".join(f'    - "{file}"' for file in sources),
               "make_test_sources": " ".join(f"$(SRC_DIR)/{file}" for file in sources)}
    for file, template in ((f"src/{fields['top']}.v", "tinytapeout.v"), ("info.yaml", "tinytapeout_info.yaml"),
                           ("src/config.json", "tinytapeout_config.json"), ("docs/info.md", "tinytapeout_info.md"),
                           ("test/test.py", "tinytapeout_test.py.in"), ("test/Makefile", "tinytapeout_makefile")):
        paths.append(_write(folder / file, template, fields))
    layout = {"bits": [names[i] for i in read], "bytes": count, "outputs": bit_names(circuit.outputs)}
    paths.append(write_text(folder / "layout.json", json.dumps(layout, indent=1) + "\n"))
    paths.append(write_text(folder / "test" / "vectors.json", json.dumps(_vectors(circuit, read)) + "\n"))
    return paths


#: Target -> what writes it.
PROJECTS = {"librelane": emit_librelane, "openroad": emit_openroad, "tinytapeout": emit_tinytapeout}
#: The same as rows of the table of back ends.
ROWS: dict[str, Backend] = {
    "librelane": Backend("LibreLane", emit_librelane, options=("pipeline", "clock")),
    "openroad": Backend("OpenROAD-flow-scripts", emit_openroad, options=("pipeline", "clock")),
    "tinytapeout": Backend("Tiny Tapeout", emit_tinytapeout, options=("clock",))}


def used_bits(circuit: Circuit) -> list[int]:
    """The input bits that an output depends on, counted from the first word's lowest; one where there are none."""
    live = needed(circuit)
    return [net - FIRST for net in range(FIRST, circuit.first_node) if net in live] or [0]


def tile_area(circuit: Circuit) -> float:
    """Square micrometres in sky130 hd of a circuit and the shift register before it, estimated from their numbers."""
    return GATE * total_gates(circuit) + BIT * len(used_bits(circuit))


def _core(circuit: Circuit, folder: Path, name: str | None, pipeline: int | None, clock: float | None
          ) -> tuple[list[Path], dict[str, Any]]:
    """The core's sources and constraints, and the fields of a template."""
    core = choose_name(circuit, name, avoid=KEYWORDS)
    paths = _verilog(circuit, folder, core, pipeline)
    fields = _common(circuit, core, clock)
    port = "clk" if pipeline else ""
    paths.append(write_text(folder / f"{core}.sdc", sdc(Conditions(), clock=1e-6 / _clock(clock), clock_port=port)))
    sources = [p.name for p in paths if p.suffix == ".v"]
    return paths, fields | {
        "json_clock_port": json.dumps(port or None),
        "json_sources": ", ".join(json.dumps(f"dir::{file}") for file in sources),
        "make_sources": " ".join(f"$({core}_FOLDER){file}" for file in sources)}


def _verilog(circuit: Circuit, folder: Path, core: str, pipeline: int | None) -> list[Path]:
    """Write the core as the Verilog back end does, the core first; without its bench and vectors."""
    with tempfile.TemporaryDirectory(prefix="hardwire-") as temporary:
        paths = verilog.emit(circuit, temporary, name=core, pipeline=pipeline)
        sources = [p for p in paths if p.suffix == ".v" and p.name != f"{core}_tb.v"]
        return [write_text(folder / p.name, read_text(p)) for p in sources]


def _common(circuit: Circuit, core: str, clock: float | None) -> dict[str, Any]:
    return {"generated": _plain(generated_by(circuit)), "name": core, "dollar": "$",
            "period": f"{1000 / _clock(clock):.6g}"}


def _clock(clock: float | None) -> float:
    clock = CLOCK if clock is None else clock
    if not (math.isfinite(clock) and clock > 0):
        raise InputError(f"clock {clock:g} is no frequency; give MHz above 0")
    return clock


def _instance(circuit: Circuit, core: str, read: list[int]) -> str:
    """The core with its words out of the shift register's bits, zero where they are not read."""
    place = {bit: f"bits[{i}]" for i, bit in enumerate(read)}
    inputs, outputs = port_names(circuit, core)
    pins, bit = [], 0
    for name, width in zip(inputs, circuit.input_widths):
        values = ", ".join(place.get(bit + j, "1'b0") for j in reversed(range(width)))
        pins.append(f".{name}({{{values}}})")
        bit += width
    bit = 0
    for name, width in zip(outputs, circuit.output_widths):
        pins.append(f".{name}(y[{bit + width - 1}:{bit}])")
        bit += width
    lines = [f"  {core} core (", ",\n".join(f"    {pin}" for pin in pins), "  );"]
    if bit % 8:
        lines.append(f"  assign y[{-(-bit // 8) * 8 - 1}:{bit}] = 0;")
    return "\n".join(lines)


def _vectors(circuit: Circuit, read: list[int]) -> list[dict[str, list[int]]]:
    """Samples as bytes at the pins, and the bytes that are expected."""
    codes = default_vectors(circuit, random=SAMPLES - 4)
    rows = codes_to_bits(codes, circuit.input_widths)[:, read]
    answers = codes_to_bits(simulate(circuit, codes), circuit.output_widths)
    ins, outs = (np.packbits(bits, axis=1, bitorder="little").tolist() for bits in (rows, answers))
    return [{"bytes": sent, "outputs": expected} for sent, expected in zip(ins, outs)]


def _pins() -> str:
    names = [*((f"ui[{i}]", f"data bit {i}") for i in range(8)), *((f"uo[{i}]", f"output bit {i}") for i in range(8)),
             ("uio[0]", "write (input)"), ("uio[1]", "full (output)"),
             *((f"uio[{i}]", f"output byte, bit {i - 2} (input)") for i in range(2, 8))]
    return "\n".join(f'  {pin}: "{what}"' for pin, what in names)


def _plain(text: str) -> str:
    """Text that stands between quotation marks in YAML."""
    return "".join(c if c.isprintable() and c not in '"\\' else " " for c in text)[:200]


def _write(path: Path, template: str, fields: dict[str, Any]) -> Path:
    return write_text(path, _Fields(read_text(TEMPLATES / template)).substitute(fields))
