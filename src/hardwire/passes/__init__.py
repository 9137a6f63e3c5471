"""Circuit -> Circuit, one file each, one table.

Every pass keeps the function of the outputs and of every net that a kept macro names, the words and the stages.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..circuit import Circuit
from ..core.errors import InputError
from ..cost import gate_cost
from .constant_propagation import fold
from .dead_nodes import sweep
from .functional_reduction import merge
from .mapping import lut_map
from .resubstitution import resubstitute
from .rewriting import rewrite
from .structural_hashing import share

__all__ = ["LEVELS", "PASSES", "Pass", "PassStatistics", "lut_map", "optimize"]

ROUNDS = 20


@dataclass(frozen=True)
class Pass:
    """A function Circuit -> Circuit; ``name=value`` in a list of passes sets its integer ``parameter``."""

    function: Callable[..., Circuit]
    parameter: str = ""

    @property
    def doc(self) -> str:
        return self.function.__doc__.strip().splitlines()[0]


@dataclass(frozen=True)
class PassStatistics:
    """What one run of a pass did: two-input gates (inverters count), depth in tables, seconds."""

    name: str
    gates_before: int
    gates_after: int
    depth_before: int
    depth_after: int
    seconds: float


PASSES = {
    "fold": Pass(fold),
    "share": Pass(share),
    "sweep": Pass(sweep),
    "merge": Pass(merge),
    "rewrite": Pass(rewrite),
    "resubstitute": Pass(resubstitute),
    "map": Pass(lut_map, "k"),
}

#: Level -> the passes that are repeated until none of them changes anything.
LEVELS = {
    "O0": (),
    "O1": ("fold", "share", "sweep"),
    "O2": ("fold", "share", "sweep", "merge", "rewrite", "resubstitute", "sweep"),
}


def optimize(circuit: Circuit, *, level: str = "O2", passes: Sequence[str] | None = None,
             progress: Callable[[str], None] | None = None) -> tuple[Circuit, list[PassStatistics]]:
    """The optimised circuit and what each pass did.

    A level repeats its passes until none of them changes anything, so that optimising twice changes nothing more.
    ``passes`` are run once instead, in the order given; ``"map=4"`` maps to tables of four inputs. The result does not
    depend on the run or on the number of threads. ``progress`` is called with a line after each pass. An unknown
    level or pass raises InputError.
    """
    if level not in LEVELS:
        raise InputError(f"level {level!r} is none of {', '.join(LEVELS)}")
    names = LEVELS[level] if passes is None else tuple(passes)
    functions = {name: _function(name) for name in names}
    turns = names if passes is not None else names * ROUNDS
    statistics: list[PassStatistics] = []
    gates, depth, unchanged = _gates(circuit), circuit.depth, 0
    for name in turns:
        if passes is None and unchanged == len(names):
            break
        start = time.perf_counter()
        after = functions[name](circuit)
        seconds = time.perf_counter() - start
        unchanged = unchanged + 1 if same(circuit, after) else 0
        before, circuit = (gates, depth), after
        gates, depth = (gates, depth) if unchanged else (_gates(circuit), circuit.depth)
        statistics.append(PassStatistics(name, before[0], gates, before[1], depth, seconds))
        if progress is not None:
            progress(f"{name}: {before[0]} -> {gates} gates, depth {before[1]} -> {depth}, {seconds:.2f} s")
    return circuit, statistics


def _function(name: str) -> Callable[[Circuit], Circuit]:
    base, given, value = name.partition("=")
    if base not in PASSES or (given and not (PASSES[base].parameter and value.isdecimal())):
        known = ", ".join(f"{n}={p.parameter.upper()}" if p.parameter else n for n, p in PASSES.items())
        raise InputError(f"pass {name!r} is none of {known}")
    function, parameter = PASSES[base].function, PASSES[base].parameter
    return (lambda circuit: function(circuit, **{parameter: int(value)})) if given else function


def _gates(circuit: Circuit) -> int:
    return int(gate_cost(circuit.table, circuit.arity).sum())


def same(a: Circuit, b: Circuit) -> bool:
    """Are two circuits of the same words one node for node?"""
    arrays = ("table", "arity", "stage", "output_nets", "fanin")
    return a is b or (a.macros == b.macros and all(np.array_equal(getattr(a, f), getattr(b, f)) for f in arrays))
