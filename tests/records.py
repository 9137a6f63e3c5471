"""Records of the size that a real run leaves: ten classes, 10,000 samples, a 48,000-gate network."""

import copy

import numpy as np
import pytest

from hardwire.core.gates import GATES
from hardwire.cost.energy import logic_energy, mlp_energy


def minimal_record() -> dict:
    stage = {"gates_raw": 0, "gates_optimized": 0, "depth": 0}
    return {
        "hardware": "logic", "dataset": "digits", "seed": 0,
        "accuracy": {"test_hard": 0.9444, "test_relaxed": None, "validation": None},
        "counts": {name: dict(stage) for name in ("encoder", "network", "head")},
        "verified": {}, "time": {}, "energy": [],
        "environment": {"versions": {}, "machine": {}, "commit": None},
    }


def _stage(raw: int, optimized: int, depth: int, *, wires: int = 0, constants: int = 0) -> dict:
    """A stage's counts as ``stage_counts`` gives them."""
    return {"gates_raw": raw, "gates_optimized": optimized, "depth": depth, "nodes_raw": raw + wires + constants,
            "wires_raw": wires, "constants_raw": constants, "wires_optimized": 0, "constants_optimized": 0}


def full_record() -> dict:
    rng = np.random.default_rng(7)
    confusion = rng.poisson(3, (10, 10)) + np.diag(rng.integers(950, 1000, 10))
    steps = np.arange(0, 200_001, 5000)
    relaxed = 0.978 - 0.87 * np.exp(-steps / 12_000)
    hard = relaxed - 0.02 - 0.4 * np.exp(-steps / 9_000) * (steps < 60_000) + rng.normal(0, 0.002, len(steps))
    free = {"A": 5000, "B": 4000, "TRUE": 2000, "FALSE": 1000}  # wires and constants, which are no gates
    names = [gate.name for gate in GATES if gate.name not in free]
    raw = {name: int(n) for name, n in zip(names, rng.multinomial(48_000, rng.dirichlet(np.ones(12))))} | free
    kept = {name: raw[name] // 3 for name in names}
    record = minimal_record() | {
        "dataset": "mnist",
        "accuracy": {"test_hard": 0.9712, "test_relaxed": 0.9763, "validation": 0.9725},
        "counts": {"encoder": _stage(1568, 784, 3), "network": _stage(48_000, 17_312, 6, wires=9000, constants=3000),
                   "head": _stage(41_200, 39_870, 31)},
        "verified": {"optimised = frozen": "proved", "C = circuit": "simulated 10000", "Verilog = circuit": "proved",
                     "GPU = circuit": "skipped: no GPU on this machine"},
        "time": {"train_s": 5432.1, "samples_per_s": 1.234e6, "lower_s": 2.1, "optimize_s": 14.2, "verify_s": 35.0},
        "energy": [line for ledger in (*logic_energy(57_966), *mlp_energy(668_672)) for line in ledger.to_json()],
        "environment": {"versions": {"python": "3.11.7", "numpy": "2.4.6", "torch": "2.13.0"},
                        "machine": {"cpu": "Example CPU @ 2.50GHz", "cores": 2, "memory_bytes": 8 << 30},
                        "commit": "0123456789abcdef0123456789abcdef01234567", "date": "2026-11-20T12:00:00+00:00"},
        "classes": [str(i) for i in range(10)], "confusion": confusion.tolist(),
        "curve": [{"step": int(s), "relaxed": float(r), "hard": float(max(h, 0.05)), "loss": float(1 - r)}
                  for s, r, h in zip(steps, relaxed, hard)],
        "gate_kinds": {"raw": raw, "optimized": kept},
        "passes": [{"name": name, "gates_before": before, "gates_after": after, "depth_before": 40,
                    "depth_after": 40 - i, "seconds": 0.7 * i + 0.02}
                   for i, (name, before, after) in enumerate(
                       [("constant-propagation", 90_768, 81_204), ("dead-node-removal", 81_204, 66_010),
                        ("functional-reduction", 66_010, 61_733), ("cut-rewriting", 61_733, 57_966)])],
        "model": {"architecture": "6 x 8000", "wiring": "random", "parametrisation": "softmax 16", "tau": 10.0},
        "files": {"circuit": "circuit.net", "C": "emit/c/circuit.c"},
        "digest": "9f" * 32,
    }
    return record


@pytest.fixture
def regress(full) -> dict:
    """A run for two targets; its R2 is far below 0 at first."""
    for key in ("classes", "confusion"):
        del full[key]
    curve = [{"step": s, "relaxed": 0.99 - 300 / (s + 10) ** 2, "hard": 0.97 - 500 / (s + 10) ** 2}
             for s in range(0, 400, 20)]
    return full | {
        "accuracy": {"metric": "r2", "test_hard": 0.9312, "test_relaxed": 0.9401, "validation": -0.25,
                     "test_rmse": [15_740.26, 0.00123]},
        "outputs": [{"name": "price", "word": "value0", "test_hard": 0.95, "bias": 22_248, "scale": 427.545},
                    {"name": "rent", "word": "value1", "test_hard": 0.9124, "bias": -3.5e12, "scale": 1e-7}],
        "curve": curve}


@pytest.fixture
def multilabel(full) -> dict:
    for key in ("classes", "confusion"):
        del full[key]
    return full | {
        "accuracy": {"metric": "label accuracy", "test_hard": 0.9528, "test_exact": 0.8583, "test_relaxed": 0.9667,
                     "validation": None},
        "outputs": [{"name": f"label {c}", "word": f"label{i}", "test_hard": 0.9 + i / 100}
                    for i, c in enumerate("abcdefg")]}


@pytest.fixture
def crossbar() -> dict:
    """A run on crossbars with one variant beside float training."""
    return minimal_record() | {
        "hardware": "crossbar", "counts": {},
        "accuracy": {"test_hard": 0.9276, "test_relaxed": 0.9331, "validation": None},
        "verified": {"kernels against the reference": "skipped: a device of the user's own"},
        "time": {"train_s": 60.0, "hybrid steps": 4_881_234.0},
        "crossbar": {
            "names": {"hybrid": "2 PCM + 3T1C", "float": "float"}, "accuracy": {"hybrid": 0.9276, "float": 0.9331},
            "synapses": 2410, "shown": "test", "curves": {"hybrid": [{"epoch": 1, "shown": 0.9192}]},
            "counters": {"hybrid": {"pulses_up": 1_059_460, "resets": 0}},
            "fidelity": {"hybrid": {"requested": [-0.1, 0.0, 0.1], "obtained": [-0.09, 0.01, 0.1],
                                    "correlation": 0.977}},
            "histograms": {"G+": {"low": 0.0, "high": 10.0, "counts": [5, 3, 1]}},
            "assumed": {"unit": 40.0, "example_time": 1e-06},
            "reference": [{"what": "efficiency", "value": 28065, "unit": "GOP/s/W", "source": "a paper"}]}}


@pytest.fixture
def spiking() -> dict:
    """A spiking run on an array, softly pruned."""
    spikes = {"in": [[0, 1], [2, 3]], "out": [[1], [0]]}
    return minimal_record() | {
        "hardware": "spiking", "counts": {}, "verified": {"pulses = wear": "simulated 100 samples"},
        "spiking": {
            "readouts": [{"name": "assigned", "test": 0.9444, "validation": None},
                         {"name": "bayes", "test": 0.9508, "validation": 0.94}],
            "network": {"inputs": 4, "outputs": 2, "synapses": 8, "cells": "analog", "bits": 1, "cells_used": 8,
                        "cells_there": 524_288},
            "counts": {"ltp": 665.5, "ltd": 0.0},
            "pruning": {"method": "soft", "share": 0.5, "frozen": 0.49, "updates": 80, "updates_saved": 20},
            "contenders": [{"method": method, "prune": 0.4, "seeds": 2, "test": 0.9, "test_sd": 0.01,
                            "updates_saved": 0.2, "pulses_saved": -0.1} for method in ("soft", "zero")],
            "fields": {"shape": [2, 2], "classes": ["0", "1"], "images": ["00ff00ff", "ff00ff00"]},
            "wear": {"map": [[1, 2], [3, 4]], "inputs_a_block": 2, "outputs_a_block": 1, "most": 4, "mean": 2.5},
            "raster": {"steps": 4, "step_ms": 1.0, "inputs": 4, "outputs": 2, "before": spikes, "after": spikes}}}


@pytest.fixture
def minimal() -> dict:
    return minimal_record()


@pytest.fixture(scope="session")
def _full() -> dict:
    return full_record()


@pytest.fixture
def full(_full) -> dict:
    return copy.deepcopy(_full)


@pytest.fixture
def whole_crossbar(crossbar) -> dict:
    """A run on crossbars with everything that training leaves today."""
    data = crossbar["crossbar"]
    for name in ("hybrid", "float"):
        data["curves"][name] = [{"epoch": i, "shown": 0.9 + i / 100, "training": 0.8 + i / 50, "loss": 1 / i}
                                for i in (1, 2, 3)]
    part = {"rows": 5, "columns": 4, "rows_a_block": 2, "columns_a_block": 1}
    data |= {"sizes": [4, 4, 2], "maps": [
        {"layer": 1, "name": "weight", "low": -0.5, "high": 0.5, **part, "values": [[0, 64, 128, 255]] * 3},
        {"layer": 1, "name": "G+", "low": 0.5, "high": 14.0, **part, "values": [[0, 9, 99, 255]] * 3}]}
    return crossbar | {"classes": ["cat", "dog"], "confusion": [[8, 2], [1, 9]],
                       "time": {"train_s": 60.0, "compile_s": 28.5, "hybrid steps": 4_881_234.0}}


@pytest.fixture
def whole_spiking(spiking) -> dict:
    """A spiking run with everything that training leaves today: 2 pixels of 397 that were asked for, and a bias."""
    data = spiking["spiking"]
    data["network"] |= {"inputs": 3, "pixels": 2, "pixels_asked": 397, "bias": 1, "synapses": 6}
    data["array"] = {"low": -1.0, "high": 0.5, "rows": 3, "columns": 2, "rows_a_block": 1, "columns_a_block": 1,
                     "weights": [[0, 255], [9, 99], [3, 4]], "pruned": [[1, 0], [0, 1], [0, 0]]}
    data["activity"] = [{"samples": i, "spikes_per_sample": 30.0, "active": 0.4, "pruned": float(i > 30) / 2}
                        for i in range(10, 80, 10)]
    data["curve"] = [{"samples": i, "epoch": i / 60, "validation_assigned": 0.5 + i / 200, "validation_bayes": None,
                      "validation_linear": 0.6 + i / 200} for i in (30, 60)]
    return spiking | {"classes": ["cat", "dog"], "confusion": [[8, 2], [0, 0]],
                      "model": {"inputs": 397, "outputs": 2, "bias": True, "ltp": 0.06}}
