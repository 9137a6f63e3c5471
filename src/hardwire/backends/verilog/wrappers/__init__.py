"""Wrappers: what stands between a core and the pins or buses of a device, in hand-written Verilog-2001."""

from .wrappers import WRAPPERS, Kind, emit_core_or_wrapped, emit_wrapped, wrap

__all__ = ["WRAPPERS", "Kind", "emit_core_or_wrapped", "emit_wrapped", "wrap"]
