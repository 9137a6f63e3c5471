"""Circuit -> Circuit, one file each, one table.

Every pass keeps the function of the outputs and of every net that a kept macro names, the words and the stages.
"""

import inspect
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from ..circuit import Circuit
from ..core.errors import InputError, WrongPassError
from ..core.verdict import Verdict
from ..cost import NodeCounts, node_counts
from .constant_propagation import propagate_constants
from .dead_nodes import remove_dead_nodes
from .dont_cares import simplify_with_dont_cares
from .elimination import eliminate
from .functional_reduction import reduce_functionally
from .mapping import map_to_luts
from .resubstitution import resubstitute
from .rewriting import rewrite
from .structural_hashing import hash_structurally

__all__ = ["LEVELS", "PASSES", "Pass", "PassStatistics", "eliminate", "map_to_luts", "optimize"]

ROUNDS = 20


@dataclass(frozen=True)
class Pass:
    """A function Circuit -> Circuit; ``name=value`` in a list of passes sets its integer ``parameter``."""

    function: Callable[..., Circuit]
    parameter: str = ""

    @property
    def doc(self) -> str:
        """What the pass does, in one line."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]


@dataclass(frozen=True)
class PassStatistics:
    """What one run of a pass did: two-input gates (inverters count), wires, constants, depth in tables, seconds."""

    name: str
    gates_before: int
    gates_after: int
    depth_before: int
    depth_after: int
    seconds: float
    wires_before: int = 0
    wires_after: int = 0
    constants_before: int = 0
    constants_after: int = 0


PASSES = {
    "constant-propagation": Pass(propagate_constants),
    "structural-hashing": Pass(hash_structurally),
    "dead-node-removal": Pass(remove_dead_nodes),
    "functional-reduction": Pass(reduce_functionally),
    "cut-rewriting": Pass(rewrite),
    "resubstitution": Pass(resubstitute),
    "dont-care-simplification": Pass(simplify_with_dont_cares),
    "technology-mapping": Pass(map_to_luts, "k"),
    "node-elimination": Pass(eliminate, "k"),
}

_CLEANING = ("constant-propagation", "structural-hashing", "dead-node-removal")
#: Level -> the passes that are repeated until none of them changes anything.
LEVELS: dict[str, tuple[str, ...]] = {
    "O0": (),
    "O1": _CLEANING,
    "O2": (*_CLEANING, "functional-reduction", "cut-rewriting", "resubstitution", "dead-node-removal"),
}


def optimize(circuit: Circuit, *, level: str = "O2", passes: Sequence[str] | None = None,
             prove: Callable[[Circuit, Circuit], Verdict] | None = None,
             progress: Callable[[str], None] | None = None) -> tuple[Circuit, list[PassStatistics]]:
    """Run passes over a circuit.

    Parameters
    ----------
    circuit
        The circuit to optimise.
    level
        One of ``LEVELS``: its passes are repeated until none of them changes anything, so that optimising twice changes
        nothing more.
    passes
        Names from ``PASSES`` that are run once instead, in the order given; ``"technology-mapping=4"`` maps to tables
        of four inputs.
    prove
        Called with the input and the result of each pass that changed something, such as ``hardwire.verify.prove``.
    progress
        Called with a line after each pass.

    Returns
    -------
    Circuit
        It does not depend on the run or on the number of threads.
    list of PassStatistics
        What each pass did.

    Raises
    ------
    InputError
        For an unknown level or pass.
    WrongPassError
        Where ``prove`` refutes the result of a pass or leaves it unknown; the error names the pass.
    """
    if level not in LEVELS:
        raise InputError(f"level {level!r} is none of {', '.join(LEVELS)}")
    names = LEVELS[level] if passes is None else tuple(passes)
    functions = {name: _function(name) for name in names}
    turns = names if passes is not None else names * ROUNDS
    statistics: list[PassStatistics] = []
    nodes, depth, unchanged = node_counts(circuit), circuit.depth, 0
    for name in turns:
        if passes is None and unchanged == len(names):
            break
        start = time.perf_counter()
        after = functions[name](circuit)
        seconds = time.perf_counter() - start
        unchanged = unchanged + 1 if same(circuit, after) else 0
        if prove is not None and not unchanged:
            _hold(name, prove(circuit, after))
        before, below, circuit = nodes, depth, after
        nodes, depth = (nodes, depth) if unchanged else (node_counts(circuit), circuit.depth)
        statistics.append(PassStatistics(
            name, before.gates, nodes.gates, below, depth, seconds, before.wires, nodes.wires, before.constants,
            nodes.constants))
        if progress is not None:
            progress(f"{name}: {before.gates} -> {nodes.gates} gates{_beside(before, nodes)}, "
                     f"depth {below} -> {depth}, {seconds:.2f} s")
    return circuit, statistics


def _beside(before: NodeCounts, after: NodeCounts) -> str:
    """Word the wires and constants that there were, which are no gates."""
    changes = (("wires", before.wires, after.wires), ("constants", before.constants, after.constants))
    return "".join(f", {was} -> {now} {what}" for what, was, now in changes if was or now)


def _hold(name: str, verdict: Verdict) -> None:
    if verdict.status != "proved":
        what = "gives another function" if verdict.status == "refuted" else "is not proved to keep the function"
        ones = ", ".join(f"{word} = {code}" for word, code in (verdict.counterexample or {}).items() if code)
        where = f" where {ones or 'every input is 0'}" * (verdict.counterexample is not None)
        raise WrongPassError(f"pass {name} {what}{where} ({verdict.detail or verdict}), and the optimisation is "
                             f"refused; please report this with the circuit")


def _function(name: str) -> Callable[[Circuit], Circuit]:
    base, given, value = name.partition("=")
    if base not in PASSES or (given and not (PASSES[base].parameter and value.isdecimal())):
        known = ", ".join(f"{n}={p.parameter.upper()}" if p.parameter else n for n, p in PASSES.items())
        raise InputError(f"pass {name!r} is none of {known}")
    function, parameter = PASSES[base].function, PASSES[base].parameter
    return partial(function, **{parameter: int(value)}) if given else function


def same(a: Circuit, b: Circuit) -> bool:
    """Whether two circuits of the same words are one, node for node."""
    arrays = ("table", "arity", "stage", "output_nets", "fanin")
    return a is b or (a.macros == b.macros and all(np.array_equal(getattr(a, f), getattr(b, f)) for f in arrays))
