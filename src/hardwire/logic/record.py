"""The record of a logic run: accuracy and cost of its circuit, what was proved, and how it was trained."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..circuit import Circuit, load_circuit
from ..circuit.engine.packed import PackedEngine
from ..core.errors import InputError
from ..cost.energy import logic_energy
from ..cost.gates import gate_kinds, stage_counts, total_gates
from ..data import Dataset, load_dataset
from ..data.datasets import confusion
from ..data.fingerprint import fingerprint_of
from ..runs.directory import OPTIMIZED, RAW, RunDirectory, kept_columns
from ..runs.environment import environment
from ..runs.experiment import Hardware
from ..runs.record import Metric, Record
from .model import Model, unpack
from .outputs import circuit_scores, outputs_of
from .settings import LogicSettings, preset
from .training.batches import EncodedSamples
from .training.evaluation import scores_of
from .training.tasks import TASKS
from .training.training import training_of
from .verified import verified

#: Task -> what the record calls its figure of merit.
METRICS: dict[str, Metric] = {"classify": "accuracy", "regress": "r2", "multilabel": "label accuracy"}
#: Samples of a measured call at least, and calls.
MEASURED, CALLS = 65_536, 7


def read_data(settings: LogicSettings, data_dir: str | Path | None = None,
              run: RunDirectory | None = None) -> Dataset:
    """Return the data set of the settings, always split alike; a table by the columns of ``run``."""
    return load_dataset(settings.dataset, seed=settings.seed, data_dir=data_dir, label=settings.label or None,
                        task=settings.task, **kept_columns(run))


def raw_circuit(directory: RunDirectory) -> Circuit:
    """Return the circuit that `hardwire lower` left in a run directory."""
    if not (directory / RAW).is_file():
        raise InputError(f"{directory.path} holds no {RAW}; {directory.way_to_circuit()}")
    return load_circuit(directory / RAW)


def best_circuit(directory: RunDirectory) -> Circuit:
    """Return the optimised circuit of a run directory, or the raw one where there is no other."""
    return load_circuit(directory / OPTIMIZED) if (directory / OPTIMIZED).is_file() else raw_circuit(directory)


def record(model: Model, dataset: Dataset, directory: RunDirectory) -> Record:
    """Return the record of a run that was lowered, with what later verbs noted in its directory."""
    raw, best, steps = raw_circuit(directory), best_circuit(directory), directory.steps()
    sound = best if best.digest in directory.known_circuits() else best.with_(macros=())  # these were not proved
    codes = model.encoder.codes(dataset.test.x)
    energy = [line for ledger in logic_energy(total_gates(best)) for line in ledger.to_json()]
    return Record.of({
        "hardware": "logic", "dataset": dataset.name, "seed": model.settings.seed,
        **_results(model, dataset, PackedEngine(sound)(codes)), "counts": stage_counts(raw, best),
        **verified(directory, raw, best),
        "time": {"train_s": model.seconds, "compile_s": model.compile_s,
                 **{f"{k}_s": v["seconds"] for k, v in steps.items()}, **measure(sound, codes)},
        "energy": energy, "environment": environment(), "curve": model.metrics, "best_step": model.best_step,
        "gate_kinds": {"raw": gate_kinds(raw), "optimized": gate_kinds(best)},
        "passes": steps.get("optimize", {}).get("passes", []), "digest": best.digest,
        **_inexact(steps.get("optimize", {})), **_flows(steps.get("flow", {}), best),
        "model": model.settings.model_dump(exclude={"dataset", "seed"}), "source": dataset.source,
    })


def _results(model: Model, dataset: Dataset, words: NDArray[Any]) -> dict[str, Any]:
    """Return ``accuracy``, and what belongs to the task: ``classes`` and ``confusion``, or ``outputs``.

    Parameters
    ----------
    model, dataset
        The run's.
    words
        The circuit's output words of the test samples (samples, words).
    """
    kind, y, names = model.settings.task, dataset.test.y, list(dataset.classes)
    task = TASKS[kind](len(names), dataset.train.y)
    test = EncodedSamples(model.encoder.encode(dataset.test.x), task.targets(y))
    relaxed = scores_of(model.network, test, (True,), np.arange(len(test)))[0]
    hard = circuit_scores(model, words)
    merits = task.merit(hard, y)
    accuracy = {"metric": METRICS[kind], "test_hard": merits.pop(""), "test_relaxed": task.merit(relaxed, y)[""],
                "validation": model.best["hard"], **{f"test_{name}": value for name, value in merits.items()}}
    if kind == "classify":
        return {"accuracy": accuracy, "classes": names, "confusion": confusion(y, words[:, 0], len(names))}
    if kind == "regress":
        accuracy["test_rmse"] = np.sqrt(((hard - y) ** 2).mean(axis=0)).tolist()
    each = [task.merit(hard[:, [i]], y[:, [i]])[""] for i in range(len(names))]
    outputs = [output | {"test_hard": merit} for output, merit in zip(outputs_of(model), each)]
    return {"accuracy": accuracy, "outputs": outputs}


def _inexact(noted: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``inexact``, what simplification on samples gave up, where it ran."""
    return {"inexact": noted["inexact"]} if "inexact" in noted else {}


def _flows(noted: Mapping[str, Any], circuit: Circuit) -> dict[str, Any]:
    """Return ``flows``, what outside tools made of this very circuit."""
    flows = {target: entry for target, entry in noted.get("flows", {}).items() if entry.get("digest") == circuit.digest}
    return {"flows": flows} if flows else {}


def measure(circuit: Circuit, samples: NDArray[Any]) -> dict[str, float]:
    """Return samples a second of the packed engine on one thread: the best and the median of some calls."""
    engine = PackedEngine(circuit)
    x = np.tile(samples, (-(-MEASURED // len(samples)), 1))[:MEASURED]
    engine(x)
    seconds = []
    for _ in range(CALLS):
        start = time.perf_counter()
        engine(x)
        seconds.append(time.perf_counter() - start)
    return {"samples_per_s": len(x) / float(np.min(seconds)),
            "samples_per_s_median": len(x) / float(np.median(seconds))}


def objectives(model: Model) -> tuple[float, float]:
    """Return the hard figure of merit on validation of the weights that were kept, and the network's gates."""
    return float(model.best["hard"]), int(model.network.gates)


def metric(settings: Mapping[str, Any]) -> Metric:
    """Return what the figure of merit of a task is; of settings that name no task, of classes."""
    return METRICS.get(str(settings.get("task")), "accuracy")


LOGIC = Hardware(
    "logic", LogicSettings, read_data, training_of, unpack, record, fingerprint_of, final=False, preset=preset,
    objectives=objectives,
    cost="gates of the network as trained", metric=metric, data_settings=("dataset", "seed", "label", "task"),
    read_again=read_data)
