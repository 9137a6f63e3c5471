"""Verilog-2001: combinational or pipelined, one port a word or one packed bus, with a test bench that checks itself.

Comparisons become ``>=``; a count or an arg-max becomes an instance of a hand-written primitive where one repeats the
shape of its gates; everything else is one wire a gate. A pipelined circuit has the gates alone, so that registers may
stand inside a sum: a register after every N levels of logic and at the outputs, at the inputs where it is asked for,
and every path as many registers long. No register has a reset; those of a packed core have a clock enable.
"""

import tempfile
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from ...circuit import Circuit
from ...circuit.simulate import simulate
from ...core import programs as tools
from ...core.bits import Codes, bits_to_codes
from ...core.errors import InputError
from ...core.files import write_text
from ..common import source
from .bench import bench, hex_lines, parse_dump
from .module import Design, design_of
from .parameters import include_file
from .ports import PRIMITIVES, Bus

__all__ = ["PRIMITIVES", "default_vectors", "design_of", "emit", "emit_design", "run"]


def emit(
    circuit: Circuit, out_dir: str | PathLike[str], *, name: str | None = None, pipeline: int | None = None,
    bus: Bus = "named", register_inputs: bool = False, vectors: ArrayLike | None = None,
) -> list[Path]:
    """Write ``NAME.v``, its primitives, ``NAME_parameters.vh``, ``NAME_tb.v``, ``NAME_in.hex`` and ``NAME_out.hex``.

    Parameters
    ----------
    circuit, out_dir
        What to write, and the folder.
    name
        The circuit's unless given.
    pipeline
        Puts a register after every so many levels of logic and at the outputs; the module then has an input ``clk``
        and takes new inputs every clock.
    bus
        ``named``: one port a word. ``packed``: ``x`` has all input words, the first one in the lowest bits, ``y`` all
        output words; where there are registers, ``ce`` enables the clock.
    register_inputs
        Put a register at the inputs too; without ``pipeline`` it is the only one.
    vectors
        Codes ``(samples, words)`` for the test bench, by default the corners and 64 random ones; the interpreter
        computes what is expected of them.

    Returns
    -------
    list[Path]
        The files, ``NAME.v`` first.

    Raises
    ------
    InputError
        Where ``out_dir`` cannot be written or an option makes no sense.
    """
    design = design_of(circuit, name, pipeline=pipeline, bus=bus, register_inputs=register_inputs)
    return emit_design(circuit, design, out_dir, vectors=vectors)


def emit_design(circuit: Circuit, design: Design, out_dir: str | PathLike[str], *, vectors: ArrayLike | None = None
                ) -> list[Path]:
    """Write a design of a circuit as ``emit`` does."""
    codes = default_vectors(circuit) if vectors is None else circuit.codes(vectors)
    if not len(codes):
        raise InputError("the test bench got no vectors; give at least one sample")
    folder, name = Path(out_dir), design.name
    return [
        write_text(folder / f"{name}.v", design.text),
        *(write_text(folder / f"{p}.v", source(f"verilog/{p}.v")) for p in PRIMITIVES if p in design.primitives),
        write_text(folder / f"{name}_parameters.vh", include_file(circuit, design)),
        write_text(folder / f"{name}_tb.v", bench(circuit, design, len(codes))),
        write_text(folder / f"{name}_in.hex", hex_lines(codes, circuit.input_widths)),
        write_text(folder / f"{name}_out.hex", hex_lines(simulate(circuit, codes), circuit.output_widths)),
    ]


def run(circuit: Circuit, codes: ArrayLike, *, pipeline: int | None = None, bus: Bus = "named",
        register_inputs: bool = False) -> Codes:
    """Codes or physical values ``(samples, words)`` through Icarus Verilog to codes ``(samples, output words)``.

    Raises
    ------
    MissingToolError
        Without Icarus Verilog.
    ToolError
        Where an output is undefined.
    """
    codes = circuit.codes(codes)
    if not len(codes):
        return np.zeros((0, len(circuit.outputs)), dtype=circuit.output_dtype)
    design = design_of(circuit, "circuit", pipeline=pipeline, bus=bus, register_inputs=register_inputs)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        texts = {f"{p}.v": source(f"verilog/{p}.v") for p in design.primitives}
        texts |= {"circuit.v": design.text, "circuit_tb.v": bench(circuit, design, len(codes))}
        for file, text in texts.items():
            write_text(folder / file, text)
        write_text(folder / "circuit_in.hex", hex_lines(codes, circuit.input_widths))
        tools.run(tools.IVERILOG, ["-g2005", "-Wall", "-o", "circuit.vvp", *texts], cwd=folder,
                  produces=[folder / "circuit.vvp"])
        tools.run(tools.VVP, ["-n", "circuit.vvp", "+dump=got.hex"], cwd=folder, produces=[folder / "got.hex"])
        return parse_dump((folder / "got.hex").read_text(), circuit, len(codes))


def default_vectors(circuit: Circuit, *, random: int = 64, seed: int = 0) -> Codes:
    """All zeros, all ones, each bit alternating, and ``random`` seeded codes; shape ``(samples, words)``."""
    rng = np.random.default_rng(seed)
    even = np.arange(circuit.n_input_bits) % 2 == 0
    corners = [np.zeros_like(even), np.ones_like(even), even, ~even]
    bits = np.vstack([*corners, rng.integers(0, 2, (random, circuit.n_input_bits)).astype(bool)])
    if not circuit.inputs:
        return np.zeros((1, 0), dtype=circuit.input_dtype)
    return bits_to_codes(bits, circuit.input_widths)
