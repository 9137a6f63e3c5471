"""The packed engine on a network of 48,000 gates, one core: evaluation alone, from pixels, in a new process.

``run`` is a run directory of ``hardwire train mnist``, lowered and optimised. Without it the network has the same
size and is not trained, so that passes leave more of its gates; rates may be compared with those of the same circuit
only.
"""

import copy
import dataclasses
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from hardwire import lower, optimize, save_circuit, stage_costs
from hardwire.circuit import Circuit, load_circuit
from hardwire.circuit.engine import kernels
from hardwire.circuit.engine.packed import PackedEngine
from hardwire.circuit.simulate import simulate
from hardwire.data import fit_encoder
from hardwire.logic import LogicSettings
from hardwire.logic.network.build import build_network

from .framework import Figures, RefusedError, Say, repeat

PIXELS = 784
FIRST = """
import time; start = time.perf_counter()
import sys, numpy as np
from hardwire.circuit import load_circuit
from hardwire.circuit.engine.packed import PackedEngine
PackedEngine(load_circuit(sys.argv[1]))(np.zeros((1, int(sys.argv[2])), np.uint8))
print(time.perf_counter() - start)
"""


def without_macros(engine: PackedEngine) -> PackedEngine:
    """The same engine, whose program has the gate runs only."""
    runs = engine.program.op < kernels.POPCOUNT
    steps = {name: getattr(engine.program, name)[runs] for name in ("op", "begin", "end")}
    other = copy.copy(engine)
    other.program = dataclasses.replace(engine.program, **steps)
    return other


def untrained() -> Circuit:
    """Lower and optimise a network of 6 x 8,000 gates on 784 pixels as it is before training."""
    settings = LogicSettings(layers=6, width=8000, wiring="random", noise=1.0, init="random", levels=1)
    x = np.random.default_rng(0).integers(0, 256, (1000, PIXELS), dtype=np.uint8)
    encoder = fit_encoder("uniform", x, levels=1)
    network = build_network(settings, encoder.encode(x), classes=10, shape=(1, 28, 28)).eval()
    return optimize(lower(network, encoder, name="untrained"))[0]


def figures(say: Say, *, run: str = "", samples: int = 65_536, runs: int = 15) -> Figures:
    """Measure the engine; RefusedError where it differs from the interpreter."""
    if not run:
        say("lower and optimise an untrained network; --set run=DIR takes a trained one")
    circuit = load_circuit(Path(run) / "optimized.net") if run else untrained()
    engine = PackedEngine(circuit)
    x = np.random.default_rng(0).integers(0, 256, (samples, len(circuit.inputs)), dtype=np.uint8)
    if not np.array_equal(engine(x[:777]), simulate(circuit, x[:777])):
        raise RefusedError("the packed engine differs from the interpreter")
    buffers, blocks, only_gates = engine._buffers(), samples // kernels.BLOCK, without_macros(engine)

    def evaluate(engine: PackedEngine) -> None:
        for _ in range(blocks):
            engine._evaluate(buffers)

    say(f"time {samples} samples")
    whole, gates, evaluation = repeat(lambda: engine(x), lambda: evaluate(only_gates), lambda: evaluate(engine),
                                      runs=runs)
    say("time fresh processes")
    fresh = first_answers(circuit)
    live = stage_costs(circuit)["network"]["gates"]
    return {
        "network_gates_live": live, "trained": bool(run), "samples": samples, "threads": 1, "whole_call": whole,
        "gates_alone": gates, "gates_counts_and_argmax": evaluation,
        "images_per_s": samples / whole["min_s"], "images_per_s_median": samples / whole["median_s"],
        "gate_evaluations_per_s": live * blocks * kernels.BLOCK / gates["min_s"],
        "gate_evaluations_per_s_median": live * blocks * kernels.BLOCK / gates["median_s"],
        "with_counts_and_argmax_in_the_time": live * blocks * kernels.BLOCK / evaluation["min_s"],
        "load_to_first_answer_s": min(fresh), "load_to_first_answer_s_median": statistics.median(fresh),
        "note": "only the network's gates are counted; population counts and arg-max are kernels of their own, timed "
                "apart",
    }


def first_answers(circuit: Circuit) -> list[float]:
    """Time five fresh processes from their start to their first answer, in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        path = save_circuit(circuit, Path(folder) / "circuit.net")
        command = [sys.executable, "-c", FIRST, str(path), str(len(circuit.inputs))]
        return [float(subprocess.run(command, check=True, capture_output=True, text=True).stdout) for _ in range(5)]
