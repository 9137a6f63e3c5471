"""Emit a circuit for a target and run what was emitted; one file for each back end, one table of them."""

from . import c, verilog
from .common import Backend

BACKENDS = {"c": c.BACKEND, "verilog": verilog.BACKEND}

__all__ = ["BACKENDS", "Backend"]
