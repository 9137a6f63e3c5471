"""What carries out the methods of ``Circuit``: one function for each row of ``circuit.Operations``."""

from os import PathLike, fspath
from pathlib import Path
from typing import Any

from ..circuit import Circuit
from ..circuit.circuit import Level
from ..circuit.engine.packed import PackedEngine
from ..core.errors import InputError
from ..core.verdict import Verdict
from ..cost import stage_costs
from ..passes import optimize as run_passes
from ..verify.equivalence import prove as prove_equal
from .circuits import TARGETS, emit_circuit


def engine(circuit: Circuit) -> PackedEngine:
    """Return the packed engine of a circuit, on one thread."""
    return PackedEngine(circuit)


def emit(circuit: Circuit, target: str, out: str | PathLike[str], **options: Any) -> list[Path]:
    """Write a circuit for a target, see ``emit_circuit``."""
    if target not in TARGETS:
        raise InputError(f"target {target!r} is none of {', '.join(TARGETS)}")
    return emit_circuit(circuit, target, fspath(out), **options)


def prove(circuit: Circuit, other: Circuit, *, timeout: float) -> Verdict:
    """Compare two circuits, see ``hardwire.verify.prove``."""
    return prove_equal(circuit, other, timeout=timeout)


def optimize(circuit: Circuit, level: Level) -> Circuit:
    """Run the passes of a level, see ``hardwire.optimize``."""
    return run_passes(circuit, level=level)[0]


def costs(circuit: Circuit) -> dict[str, dict[str, int]]:
    """Count gates and depth of each stage, see ``hardwire.stage_costs``."""
    return {stage: {"gates": cost["gates"], "depth": cost["depth"]} for stage, cost in stage_costs(circuit).items()}
