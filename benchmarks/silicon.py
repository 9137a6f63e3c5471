"""MNIST placed and routed on an FPGA: searched circuits of tables, a head of few levels, a register at every level.

``run`` and ``small`` are run directories or circuits, as `cheapest_mnist_1400_luts` and `cheapest_mnist_700_luts` leave
them. Each circuit's head is built anew for few levels of tables; its macros are proved, and it is compared with the
circuit that was searched on all images. The flow maps nothing again, proves the netlist that Yosys wrote, and one run
of nextpnr for each seed gives the clock: the fastest run is the result, all are kept.
"""

from pathlib import Path
from typing import Any

import numpy as np

from hardwire import load_dataset
from hardwire.circuit import Circuit, CircuitBuilder, load_circuit
from hardwire.circuit.arithmetic import HEADS, HeadGoal, argmax, popcounts, with_head
from hardwire.circuit.engine.packed import PackedEngine
from hardwire.core.bits import bits_to_codes
from hardwire.cost import stage_costs
from hardwire.data import Dataset
from hardwire.flows.fpga.flow import fpga_flow
from hardwire.flows.luts import lut_score
from hardwire.logic.record import best_circuit
from hardwire.passes import optimize
from hardwire.runs.directory import RunDirectory
from hardwire.verify import prove

from .framework import Figures, RefusedError, Say

#: Classes and bits of a class of the head that is built for few levels.
CLASSES, BITS = 10, 800


def figures(say: Say, *, run: str, small: str, out: str, clock: float = 220.0, small_clock: float = 220.0,
            seeds: list[int] | None = None) -> Figures:
    """Route both circuits; RefusedError where one differs from what was searched, or its netlist is not proved."""
    data, seeds = load_dataset("mnist", seed=0), [1] if seeds is None else seeds
    return {"routed": _routed(say, Path(run), Path(out) / "routed", data, clock, seeds),
            "small": _routed(say, Path(small), Path(out) / "small", data, small_clock, seeds[:1]),
            "head_8000": {goal: _head(goal) for goal in HEADS}}


def _routed(say: Say, path: Path, out: Path, data: Dataset, clock: float, seeds: list[int]) -> Figures:
    searched = best_circuit(RunDirectory(path)) if path.is_dir() else load_circuit(path)
    circuit, _ = optimize(with_head(searched, "lut-depth"), level="O1")
    macros = prove(circuit, circuit, macros=True)
    if macros.status != "proved":
        raise RefusedError(f"{path}: the macros of the new head are {macros}")
    images = 0
    for split in (data.train, data.validation, data.test):
        codes = circuit.codes(split.x.reshape(len(split.x), -1))
        if (PackedEngine(searched)(codes) != PackedEngine(circuit.with_(macros=()))(codes)).any():
            raise RefusedError(f"{path}: the circuit with another head classifies images differently")
        images += len(codes)
    codes = circuit.codes(data.test.x.reshape(len(data.test.x), -1))
    score = lut_score(circuit, codes, data.test.y)
    say(f"{path}: {score.luts} tables, {score.depth} levels, {score.accuracy} on test images")
    each = [_flow(say, circuit, out / str(seed), clock, seed) for seed in seeds]
    best = max(each, key=lambda flow: flow["clock_mhz"]["reached"])
    return {"hard": score.accuracy, "tables": score.luts, "tables_by_stage": score.stages, "levels": score.depth,
            "tables_before": int(lut_score(searched, codes, data.test.y).luts), "macros": str(macros),
            "same_as_searched_on_images": images, "reached_mhz": best["clock_mhz"]["reached"],
            "latency_ns": best["latency"]["ns"], "latency_clocks": best["latency"]["cycles"], "flow": best,
            "reached_mhz_by_seed": {str(s): flow["clock_mhz"]["reached"] for s, flow in zip(seeds, each, strict=True)}}


def _flow(say: Say, circuit: Circuit, folder: Path, clock: float, seed: int) -> dict[str, Any]:
    flow = fpga_flow(circuit, "ecp5", folder=folder, device="25k", clock=clock, objective="depth", pipeline=1,
                     seed=seed, timeout=1200, progress=say).to_json()
    if flow["status"] != "routed" or not str(flow["verified"]).startswith("proved"):
        raise RefusedError(f"{folder}: {flow['status']}, netlist {flow['verified']}")
    return {key: value for key, value in flow.items() if key not in ("files", "runs")}


def _head(goal: HeadGoal) -> Figures:
    """Levels, nodes and two-input gates of a head of 8,000 bits, compared with numpy on counts near to each other."""
    builder = CircuitBuilder("head")
    nets = [builder.input(f"y{i}")[0] for i in range(CLASSES * BITS)]
    count_style, argmax_style = HEADS[goal]
    with builder.stage("head"):
        counts = popcounts(builder, [nets[i : i + BITS] for i in range(0, len(nets), BITS)], count_style)
        builder.output("class_index", argmax(builder, counts, argmax_style))
    circuit, rng = builder.build(), np.random.default_rng(0)
    bits = rng.random((2000, CLASSES, BITS)) < 0.49 + 0.02 * rng.random((2000, CLASSES, 1))
    codes = bits_to_codes(bits.reshape(2000, -1), circuit.input_widths)
    if not np.array_equal(PackedEngine(circuit.with_(macros=()))(codes)[:, 0], bits.sum(2).argmax(1)):
        raise RefusedError(f"the head for {goal} is no arg-max of counts")
    gates = stage_costs(circuit)["head"]["gates"]
    return {"levels": circuit.depth, "nodes": circuit.n_nodes, "node_inputs": int(circuit.arity.max()), "gates": gates}
