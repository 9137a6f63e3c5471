"""The record of a run on crossbars: what ``report`` renders, and nothing that it would have to compute."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.blocks import block_means
from ..core.errors import InputError
from ..core.verdict import Verdict
from ..data.datasets import confusion
from ..runs.directory import RunDirectory
from ..runs.environment import environment
from ..runs.experiment import Hardware
from ..runs.record import Record
from .build import cell_of, periphery_of
from .cells import Hybrid, PcmPair, assumed
from .crossbar import Crossbar
from .ledger import REFERENCE, ledgers
from .network import Network
from .periphery import PERIPHERIES, Chip
from .settings import VARIANTS, CrossbarSettings, preset
from .training import CrossbarData, CrossbarModel, CrossbarTraining, load, read_data

#: Synapses of the fidelity plot, and intervals that it spans: two consecutive ones, as in Extended Data Fig. 2.
FIDELITY_SHAPE, FIDELITY_INTERVALS = (40, 10), 2
#: Standard deviation of the net pulses that the fidelity plot requests of a synapse in an interval; their portions.
REQUESTED, PORTIONS = {"hybrid": 64, "no-inversion": 64, "2pcm": 8}, 8
CHECKED = 20
BINS = 60
#: Blocks of a map at most in each direction.
BLOCKS = 48
#: Devices that a reading of one synapse reads.
DEVICES = {"hybrid": 4, "no-inversion": 4, "2pcm": 2}


def record(model: CrossbarModel, data: CrossbarData, directory: RunDirectory) -> Record:
    """Return the record of a finished run."""
    settings, networks, metrics = model.settings, model.networks, model.metrics
    first = settings.variants[0]
    network = networks[first]
    examples = settings.epochs * len(data.x)
    accuracy = {v: n.accuracy(data.test_x, data.test_y, seed=settings.epochs) for v, n in networks.items()}
    classes = network.scores(data.test_x, seed=settings.epochs).argmax(1)
    energy = ledgers(network.counters, examples, network.sizes, devices=DEVICES.get(first, 2))
    return Record.of({
        "hardware": "crossbar", "dataset": settings.dataset, "seed": settings.seed,
        "accuracy": {"test_hard": accuracy[first], "test_relaxed": accuracy.get("float"),
                     "validation": metrics[-len(networks)]["shown"] if settings.validation else None},
        "counts": {}, "verified": self_check(settings, first),
        "time": {"train_s": sum(model.seconds.values()), "compile_s": model.compile_s,
                 **{f"{v} training example_s": s / examples for v, s in model.seconds.items()}},
        "energy": [line for ledger in energy for line in ledger.to_json()], "environment": environment(),
        "classes": list(data.classes), "confusion": confusion(data.test_y, classes, len(data.classes)),
        "model": settings.model_dump(exclude={"dataset", "seed"}), "source": data.source,
        "crossbar": {
            "names": {v: VARIANTS[v] for v in settings.variants}, "synapses": network.synapses, "accuracy": accuracy,
            "shown": "validation" if settings.validation else "test",
            "curves": {v: [{k: m[k] for k in ("epoch", "shown", "training", "loss")}
                           for m in metrics if m["variant"] == v]
                       for v in settings.variants},
            "rates": [settings.rate(first, epoch) for epoch in range(settings.epochs)],
            "counters": {v: networks[v].counters for v in settings.variants},
            "fidelity": {v: fidelity(settings, v) for v in settings.variants if v in REQUESTED},
            "histograms": histograms(network), "maps": maps(network), "sizes": list(network.sizes),
            "assumed": assumed(network.layers[0].cell),
            "reference": [{"what": k, "value": v, "unit": unit, "source": source}
                          for k, (v, unit, source) in REFERENCE.items()],
        },
    })


def self_check(config: CrossbarSettings, variant: str) -> dict[str, Verdict]:
    """Verdicts: the kernels against their slow reference, ideal devices against backpropagation."""
    return {"kernels against the slow reference": _reference_check(config, variant),
            "ideal devices": _ideal_check(config)}


def _reference_check(config: CrossbarSettings, variant: str) -> Verdict:
    """A few synapses of the run's own cell and converters beside their slow reference."""
    rng = np.random.default_rng([config.seed, 8])
    fast = Crossbar(7, 5, cell_of(config, variant), ahead=periphery_of(config, variant),
                    back=periphery_of(config, variant), seed=config.seed, chip=Chip())
    fast.weights = 0.2 * rng.standard_normal((7, 5))
    slow = fast.reference()
    for _ in range(CHECKED):
        x, d = rng.random(7).astype(np.float32), (0.3 * rng.standard_normal(5)).astype(np.float32)
        agree = (np.allclose(fast.forward(x), slow.forward(x), atol=1e-3)
                 and np.allclose(fast.backward(d), slow.backward(d), atol=1e-3))
        fast.update(x, d, config.learning_rate)
        slow.update(x, d, config.learning_rate)
        if not (agree and np.allclose(fast.weights, slow.weights(), atol=1e-3)):
            return Verdict("refuted", detail="outputs or weights differ")
    return Verdict("simulated", samples=CHECKED, detail="training examples with every noise")


def _ideal_check(config: CrossbarSettings) -> Verdict:
    """A network of ideal devices against float backpropagation spelled in NumPy."""
    sizes, rng = (9, 6, 4), np.random.default_rng([config.seed, 7])
    network = Network(sizes, cell_of(config, "float"), ahead=PERIPHERIES["ideal"], activation="tanh", seed=config.seed)
    one, two = network.weights
    x, y = rng.random((CHECKED, 9)), rng.integers(0, 4, CHECKED)
    network.train(x, y, 0.1)
    for sample, label in zip(np.float32(x).astype(float), y):
        hidden = np.append(np.tanh(np.append(sample, 1) @ one), 1)
        out = np.exp(hidden @ two)
        delta = out / out.sum() - np.eye(4)[label]
        below = (two @ delta)[:-1] * (1 - hidden[:-1] ** 2)
        one, two = one - 0.1 * np.outer(np.append(sample, 1), below), two - 0.1 * np.outer(hidden, delta)
    same = all(np.allclose(a, b, atol=1e-5) for a, b in zip(network.weights, (one, two)))
    if not same:
        return Verdict("refuted", detail="weights differ from float backpropagation")
    return Verdict("simulated", samples=CHECKED, detail="examples of float backpropagation")


def fidelity(config: CrossbarSettings, variant: str) -> dict[str, Any]:
    """Change of weight that was requested of synapses in two transfer intervals, and what they had after them.

    Each synapse gets up and down pulses in turn of which a normally distributed net number is left, as gradients leave
    it: about four times as many cancel each other. ``correlation`` is Pearson's.
    """
    cell, rng = cell_of(config, variant), np.random.default_rng([config.seed, 6])
    fast = Crossbar(*FIDELITY_SHAPE, cell, ahead=PERIPHERIES["ideal"], back=PERIPHERIES["ideal"], seed=config.seed,
                    chip=Chip())
    fast.weights = 0.1 * rng.standard_normal(FIDELITY_SHAPE)
    before, requested = fast.weights, np.zeros(FIDELITY_SHAPE)
    step = cell.step / cell.unit
    for _ in range(FIDELITY_INTERVALS):
        net = np.round(REQUESTED[variant] / PORTIONS * rng.standard_normal(FIDELITY_SHAPE)).astype(int)
        beside = np.round(2 * REQUESTED[variant] / PORTIONS * np.abs(rng.standard_normal(FIDELITY_SHAPE))).astype(int)
        for _ in range(PORTIONS):
            for counts in (beside, net, -beside):
                fast.pulses(counts)
        fast.transfer()
        requested += PORTIONS * net * step
    obtained = fast.weights - before
    return {"requested": requested.ravel().round(5).tolist(), "obtained": obtained.ravel().round(5).tolist(),
            "correlation": float(np.corrcoef(requested.ravel(), obtained.ravel())[0, 1])}


def histograms(network: Network) -> dict[str, dict[str, Any]]:
    """Counts of conductances (uS) and weights over all layers: ``{name: {low, high, counts}}``."""
    cell, states = network.layers[0].cell, [layer.state for layer in network.layers]
    values = {"weight": np.concatenate([w.ravel() for w in network.weights])}
    if isinstance(cell, Hybrid | PcmPair):
        values |= {f"G{sign}": np.concatenate([s.pair.g[..., side].ravel() for s in states])
                   for side, sign in enumerate("+-")}
    if not isinstance(cell, PcmPair):
        values["g"] = np.concatenate([s.reading.g.ravel() for s in states])
    return {name: _histogram(v) for name, v in values.items()}


def maps(network: Network) -> list[dict[str, Any]]:
    """What the crossings of each layer hold at the end, means over blocks of neighbours, as 0 to 255.

    [{layer, name, low, high, rows, columns, rows_a_block, columns_a_block, values}]: weights, where 0 stands in the
    middle, and conductances in uS; rows are inputs, the last one the bias.
    """
    cell, made = network.layers[0].cell, []
    for k, (layer, weights) in enumerate(zip(network.layers, network.weights), 1):
        held: dict[str, NDArray[Any]] = {"weight": weights}
        if isinstance(cell, Hybrid | PcmPair):
            held |= {"G+": layer.state.pair.g[..., 0], "G-": layer.state.pair.g[..., 1]}
        if not isinstance(cell, PcmPair):
            held["g"] = layer.state.reading.g
        for name, values in held.items():
            if values.shape == weights.shape:
                made.append({"layer": k, "name": name, **_map(values, signed=name == "weight")})
    return made


def _map(values: NDArray[Any], *, signed: bool) -> dict[str, Any]:
    blocks, high, wide = block_means(np.asarray(values, np.float64), BLOCKS)
    top = float(np.abs(blocks).max()) or 1.0
    low, top = (-top, top) if signed else (float(blocks.min()), float(blocks.max()))
    levels = np.rint(255 * (blocks - low) / ((top - low) or 1.0)).astype(int)
    return {"low": low, "high": top, "rows": values.shape[0], "columns": values.shape[1], "rows_a_block": high,
            "columns_a_block": wide, "values": levels.tolist()}


def _histogram(values: NDArray[Any]) -> dict[str, Any]:
    low, high = (float(v) for v in np.quantile(values, [0.0005, 0.9995]))
    if not low < high:
        low, high = low - 0.5, high + 0.5
    return {"low": low, "high": high, "counts": np.histogram(values, BINS, (low, high))[0].tolist()}


def objectives(model: CrossbarModel) -> tuple[float, float]:
    """Return the accuracy on validation after the last epoch, and the synapses, of the run's own (first) variant."""
    if not model.settings.validation:
        raise InputError("validation = 0 leaves no samples to judge the network by; give a share above 0, such as 0.1")
    first = model.settings.variants[0]
    return float(model.metrics[-len(model.networks)]["shown"]), model.networks[first].synapses


CROSSBAR = Hardware(
    "crossbar", CrossbarSettings, read_data, CrossbarTraining, load, record, lambda data: data.fingerprint,
    preset=preset, objectives=objectives,
    cost="synapses", data_settings=("dataset", "features", "seed", "samples", "validation"),
    read_again=read_data)
