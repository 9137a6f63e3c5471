"""The record of a spiking run: what ``report`` renders, and nothing that it would have to compute."""

import time
from importlib.util import find_spec
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ..core.blocks import block_means
from ..core.errors import InputError
from ..core.verdict import Verdict
from ..data import Dataset
from ..data.datasets import confusion
from ..data.fingerprint import fingerprint_of
from ..runs.directory import RunDirectory
from ..runs.environment import environment
from ..runs.experiment import Hardware
from ..runs.record import Record
from .contenders import RESULTS, read_results, summarise
from .kernels import reference
from .kernels.cells import AnalogCells, DigitalCells
from .ledger import ledgers, named
from .network import OneSidedNetwork
from .nir import export_nir
from .settings import SpikingSettings, preset
from .synapses import ARRAY_CELLS
from .training import Model, Network, SpikingTraining, load, read_data

#: Receptive fields that are shown, and blocks of the wear map at most in each direction.
FIELDS, BLOCKS = 50, 72
#: What the curve of evaluations holds.
CURVE = ("samples", "epoch", "validation_assigned", "validation_bayes", "validation_linear", "spikes_per_sample",
         "pruned", "updates")


def record(model: Model, dataset: Dataset, directory: RunDirectory) -> Record:
    """Return the record of a finished run, with the contenders beside it; export the network where NIR is installed."""
    s, network = model.settings, model.network
    model.respond(dataset.test.x[:1])  # compiles, where the model was only loaded
    started = time.perf_counter()
    counts = model.respond(dataset.test.x)
    seconds = time.perf_counter() - started
    test, last = model.readout.accuracy(counts, dataset.test.y), model.metrics[-1]
    votes, classes = model.readout.votes(counts), len(dataset.classes)
    tally, samples = named(network.tally), network.training_samples
    energy = ledgers(network)
    holds = Verdict("simulated", samples=samples, detail="samples")
    return Record.of({
        "hardware": "spiking", "dataset": dataset.name, "seed": s.seed,
        "accuracy": {"test_hard": test["assigned"], "test_relaxed": None,
                     "validation": last.get("validation_assigned")},
        "counts": {},
        "verified": {name: holds if right else Verdict("refuted") for name, right in network.checks().items()},
        "time": {"train_s": model.seconds, "compile_s": model.compile_s,
                 "training_samples_per_s": samples / max(model.seconds, 1e-9),
                 "samples_per_s": len(counts) / max(seconds, 1e-9)},
        "energy": [line for ledger in energy for line in ledger.to_json()], "environment": environment(),
        "classes": list(dataset.classes), "confusion": confusion(dataset.test.y, votes, classes),
        "model": s.model_dump(exclude={"dataset", "seed"}), "source": dataset.source, **_files(model, directory),
        "spiking": {
            "readouts": [{"name": name, "test": test[name], "validation": last.get(f"validation_{name}")}
                         for name in test],
            "network": _network(model), "counts": {k: v / samples for k, v in tally.items()},
            "curve": [{k: m.get(k) for k in CURVE} for m in model.metrics], "activity": model.activity,
            "contenders": summarise(read_results(directory / RESULTS)), "fields": fields(model),
            **({"raster": rasters(model, dataset.test.x[:1]), "pruning": pruning(model)} if s.rule == "one-sided"
               else {}),
            "array": array_map(network),
            **({"wear": wear(network)} if isinstance(network, OneSidedNetwork) and s.cells != "ideal" else {}),
        },
    })


def _files(model: Model, directory: RunDirectory) -> dict[str, dict[str, str]]:
    """Export the network to NIR, which knows the one-sided network only and has to be installed."""
    if model.settings.rule != "one-sided" or not find_spec("nir"):
        return {}
    return {"files": {"network in NIR": export_nir(model, directory / "network.nir").name}}


def _network(model: Model) -> dict[str, Any]:
    s, network = model.settings, model.network
    w = network.arrays()["w"]
    made = {"inputs": w.shape[0], "pixels": len(model.encoder.pixels), "pixels_asked": s.inputs,
            "bias": w.shape[0] - len(model.encoder.pixels), "outputs": w.shape[1], "synapses": w.size, "cells": s.cells}
    if s.cells == "ideal" or not isinstance(network, OneSidedNetwork):
        return made
    return made | {"bits": network.bits, "cells_used": network.cells_used, "cells_there": s.arrays * ARRAY_CELLS}


def pruning(model: Model) -> dict[str, Any]:
    """What pruning did: outputs it reached, share of all synapses, updates that it saved this very run."""
    network = cast(OneSidedNetwork, model.network)
    o, at = network.outputs, network.pruned_at
    saved = int((np.where(at < 0, 0, o.spikes - at) * o.frozen.sum(axis=0)).sum())
    return {"method": model.settings.method, "share": model.settings.prune, "outputs_pruned": int((at >= 0).sum()),
            "frozen": float(o.frozen.mean()), "updates": int(o.updates.sum()), "updates_saved": saved}


def fields(model: Model) -> dict[str, Any]:
    """Receptive fields of the busiest outputs of each class: weights as grey levels 0 to 255, in the samples' shape.

    {shape: [height, width], classes: [class of each], images: [grey levels in hexadecimal]}; pixels that are no input
    are 0.
    """
    w, shape = model.network.arrays()["w"], model.dataset["shape"]
    low, high = (-1, 1) if model.settings.rule == "one-sided" else (0, float(w.max()) or 1.0)
    pixels, classes = model.encoder.pixels, model.dataset["classes"]
    side = list(shape[1:]) if shape and shape[0] == 1 else [1, int(pixels.max()) + 1]
    spikes = model.network.outputs.spikes if isinstance(model.network, OneSidedNetwork) else w.sum(axis=0)
    order = np.argsort(-spikes, kind="stable")
    each = max(1, FIELDS // len(classes))
    chosen = [k for c in range(len(classes)) for k in order[model.readout.assigned[order] == c][:each]]
    images = np.zeros((len(chosen), side[0] * side[1]), np.uint8)
    images[:, pixels] = np.rint((w[: len(pixels), chosen].T - low) / (high - low) * 255).clip(0, 255)
    return {"shape": side, "classes": [classes[model.readout.assigned[k]] for k in chosen],
            "images": [image.tobytes().hex() for image in images]}


def rasters(model: Model, x: NDArray[Any]) -> dict[str, Any]:
    """All spikes of one sample, shown to the network as it was before training and as it is, see ``spikes_of``."""
    s, net = model.settings, cast(OneSidedNetwork, model.network)
    fresh = OneSidedNetwork(s, len(model.encoder.pixels), net.training_samples)
    return {"steps": s.steps, "step_ms": s.step_ms, "inputs": len(model.encoder.pixels), "outputs": s.outputs,
            "before": spikes_of(fresh, model.encoder(x)), "after": spikes_of(net, model.encoder(x))}


def spikes_of(network: OneSidedNetwork, x: NDArray[np.uint8]) -> dict[str, list[list[int]]]:
    """Every spike while samples ``x`` are shown without learning, by the reference: {in, out: [steps, numbers]}."""
    record: list[tuple[Any, ...]] = []
    counts = np.zeros((len(x), network.settings.outputs), np.uint16)
    reference.run_chunk(x, network.chance, 0, np.uint64(network.settings.seed), network.cells, network.outputs,
                        network.timing, network.neuron(1.0), network.rule(1.0), False, counts,
                        np.zeros_like(network.tally), record)
    return {kind: [[t for _, t, k, _ in record if k == kind], [int(i) for _, _, k, i in record if k == kind]]
            for kind in ("in", "out")}


def array_map(network: Network) -> dict[str, Any]:
    """The array as it is drawn: weights of blocks of synapses, of the lowest 0 to the highest 255, and pruned shares.

    {low, high, rows, columns, rows_a_block, columns_a_block, weights, pruned}: lists (rows, columns) of blocks.
    """
    arrays = network.arrays()
    w = arrays["w"]
    low, high = float(w.min()), float(w.max())
    means, tall, wide = block_means((w - low) / ((high - low) or 1.0), BLOCKS)
    made = {"low": low, "high": high, "rows": w.shape[0], "columns": w.shape[1], "rows_a_block": tall,
            "columns_a_block": wide, "weights": np.rint(255 * means).astype(int).tolist()}
    frozen = arrays.get("frozen")
    return made | ({"pruned": np.round(block_means(frozen, BLOCKS)[0], 2).tolist()} if frozen is not None else {})


def wear(network: OneSidedNetwork) -> dict[str, Any]:
    """Pulses that cells had: means over blocks of neighbouring synapses, (inputs, outputs), and the largest."""
    each = cast(DigitalCells | AnalogCells, network.cells).wear
    blocks, high, wide = block_means(each.sum(axis=2, dtype=np.float64), BLOCKS)
    return {"map": np.round(blocks, 2).tolist(), "inputs_a_block": high, "outputs_a_block": wide,
            "most": int(each.max()), "mean": float(each.mean()), "by_cell": each.mean(axis=(0, 1)).tolist()}


def objectives(model: Model) -> tuple[float, float]:
    """Return the accuracy on validation at the end of training, and the synapses that are not pruned."""
    if model.settings.method == "zero-after":
        raise InputError("method zero-after prunes after the last evaluation, so that no accuracy on validation is the "
                         "pruned network's; choose soft, zero or random")
    accuracy = model.metrics[-1].get("validation_assigned")
    if accuracy is None:
        raise InputError("validation = 0 leaves no samples to judge the network by; give a share above 0, such as 0.1")
    arrays = model.network.arrays()
    pruned = int(arrays["frozen"].sum()) if "frozen" in arrays else 0
    return float(accuracy), arrays["w"].size - pruned


SPIKING = Hardware(
    "spiking", SpikingSettings, read_data, SpikingTraining, load, record, fingerprint_of, preset=preset,
    objectives=objectives,
    cost="synapses that are not pruned", data_settings=("dataset", "seed", "validation"), read_again=read_data)
