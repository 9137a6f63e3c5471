"""Optimising a trained network of 48,000 nodes and proving the result; a peer's simple passes leave 18,666 of 48,000.

Some of the nodes are wires and constants as soon as they are frozen: ``removed`` is the share of the gates among them,
``removed_nodes`` that of all nodes, which is what the peer's figure counts.

``run`` is a lowered run directory of ``hardwire train mnist``.
"""

import time
from pathlib import Path

from hardwire.circuit import load_circuit
from hardwire.cost import stage_counts
from hardwire.passes import optimize
from hardwire.verify import prove

from .framework import Figures, RefusedError, Say


def figures(say: Say, *, run: str) -> Figures:
    """Optimise and prove once; RefusedError where the proof does not succeed."""
    raw = load_circuit(Path(run) / "circuit.net")
    start = time.perf_counter()
    best, statistics = optimize(raw, progress=say)
    optimised = time.perf_counter() - start
    say("prove")
    start = time.perf_counter()
    verdict = prove(raw, best)
    proved = time.perf_counter() - start
    if verdict.status != "proved":
        raise RefusedError(f"the optimised circuit is {verdict}")
    counts = stage_counts(raw, best)
    network = counts["network"]
    removed, nodes = (1 - network["gates_optimized"] / network[key] for key in ("gates_raw", "nodes_raw"))
    return {"optimize_s": optimised, "prove_s": proved, "optimize_and_prove_s": optimised + proved, "removed": removed,
            "removed_nodes": nodes, "counts": counts, "method": verdict.method,
            "passes": [vars(s) for s in statistics], "runs": 1}
