"""MNIST in six-input tables: one layer with learned wires, trained, selected on validation, tested once, counted.

``out`` keeps a run directory for each seed; a seed that is finished there is not trained again. The count is that of a
cover that keeps every trained table: a node of the network is one table, unless it is a wire, a constant or the same as
another; the head is covered by ``map_to_luts``. The encoder's one threshold is the top bit of a pixel, a wire.
"""

from pathlib import Path

import numpy as np
import torch

from hardwire import load_dataset
from hardwire.circuit import STAGES, Circuit, CircuitBuilder
from hardwire.circuit.arithmetic import argmax, popcount
from hardwire.logic import load_model
from hardwire.logic.model import Model
from hardwire.logic.record import LOGIC, raw_circuit
from hardwire.logic.zoo import published
from hardwire.passes import optimize
from hardwire.passes.mapping import map_to_luts
from hardwire.runs.directory import RunDirectory
from hardwire.runs.experiment import train

from .accuracy import tested
from .framework import Figures, RefusedError, Say, listener


def figures(say: Say, *, model: str, out: str, seeds: list[int] | None = None) -> Figures:
    """Train what is missing in ``out``, test and count every seed; RefusedError where the encoder is not wires."""
    each, data = [], load_dataset("mnist", seed=0)
    for seed in [0] if seeds is None else seeds:
        run = Path(out) / f"{model}-{seed}"
        train(LOGIC, published(model, "mnist").changed(seed=seed), run, data=data, resume=run.exists(),
              listen=listener(say))
        trained = load_model(run)
        each.append(tested(run, data) | {"tables": tables(trained, raw_circuit(RunDirectory(run)))})
        say(f"{run}: {each[-1]}")
    return {"hard": float(np.mean([e["hard"] for e in each])), "tables": max(e["tables"]["whole"] for e in each),
            "validation": float(np.mean([e["validation"] for e in each])), "runs": each,
            "slowest_s": max(e["train_s"] for e in each), "threads": torch.get_num_threads()}


def tables(model: Model, raw: Circuit) -> dict[str, int]:
    """Six-input tables of each stage and of the whole."""
    if any((t & -t) != t for t in model.encoder.thresholds.ravel().tolist()):
        raise RefusedError("a threshold is no power of two, so that the encoder is more than wires")
    own, _ = optimize(raw, passes=("constant-propagation", "structural-hashing", "dead-node-removal"))
    network = int(((own.stage == STAGES.index("network")) & (own.arity > 1)).sum())
    features = model.network.members[-1].out_features
    head = len(map_to_luts(_head(features, model.network.head.groups)).table)
    return {"encoder": 0, "network": network, "head": head, "whole": network + head}


def _head(features: int, classes: int) -> Circuit:
    """Counts and arg-max of a layer's outputs alone."""
    builder = CircuitBuilder("head")
    nets = [builder.input(f"y{i}")[0] for i in range(features)]
    size = features // classes
    with builder.stage("head"):
        counts = [popcount(builder, nets[c * size : (c + 1) * size]) for c in range(classes)]
        builder.output("class_index", argmax(builder, counts))
    return builder.build()
