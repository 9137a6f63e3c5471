"""Emit a circuit for a target and run what was emitted: one folder for each target, one row for each in the table."""

from .c import backend as c
from .common import Backend
from .onnx import backend as onnx
from .projects import backend as projects
from .verilog import backend as verilog
from .verilog.wrappers import emit_core_or_wrapped
from .vhdl import backend as vhdl
from .wasm import backend as wasm_backend

#: Target -> back end.
BACKENDS: dict[str, Backend] = {
    "c": Backend("C99", c.emit, c.run, ("variant", "kit")),
    "verilog": Backend("Verilog-2001", emit_core_or_wrapped, verilog.run,
                       ("pipeline", "bus", "register_inputs", "wrapper", "bus_width", "divider")),
    "vhdl": Backend("VHDL-93", vhdl.emit, options=("pipeline", "register_inputs")),
    "wasm": Backend("WebAssembly", wasm_backend.emit, wasm_backend.run),
    "onnx": Backend("ONNX", onnx.emit, onnx.run),
    **projects.ROWS,
}

__all__ = ["BACKENDS", "Backend"]
