"""Optimising a trained 48,000-gate MNIST network and proving the result. Goals: at most 120 s for both, and at least 60 % of the
raw gates of the network removed (a peer's simple passes leave 18,666 of 48,000).

    python benchmarks/optimize.py RUN      RUN: a lowered run directory of `hardwire train mnist`
"""

import argparse
import time
from pathlib import Path

from common import refuse, report

from hardwire.circuit import load_circuit
from hardwire.cost import stage_counts
from hardwire.passes import optimize
from hardwire.verify import prove


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    raw = load_circuit(parser.parse_args().run / "circuit.net")
    start = time.perf_counter()
    best, statistics = optimize(raw)
    optimised = time.perf_counter() - start
    start = time.perf_counter()
    verdict = prove(raw, best)
    proved = time.perf_counter() - start
    if verdict.status != "proved":
        refuse(f"the optimised circuit is {verdict}")
    counts = stage_counts(raw, best)
    removed = 1 - counts["network"]["gates_optimized"] / counts["network"]["gates_raw"]
    figures = {"optimize_s": optimised, "prove_s": proved, "removed": removed, "counts": counts, "method": verdict.method,
               "passes": [vars(s) for s in statistics], "runs": 1}
    report("optimize", "optimise and prove <= 120 s; >= 60 % of the network's gates removed",
           optimised + proved <= 120 and removed >= 0.6, figures)


if __name__ == "__main__":
    main()
