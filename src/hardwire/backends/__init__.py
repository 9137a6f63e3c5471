"""Emit a circuit for a target and run what was emitted; one file for each back end, one table of them."""

from .c import backend as c
from .common import Backend
from .verilog import backend as verilog

BACKENDS = {"c": c.BACKEND, "verilog": verilog.BACKEND}

__all__ = ["BACKENDS", "Backend"]
