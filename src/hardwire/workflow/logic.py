"""From a trained logic network to a proved circuit: what the verbs do to a run directory, one function each."""

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

from ..circuit import Circuit, save_circuit
from ..core.names import identifier
from ..core.verdict import Verdict
from ..logic.lowering import lower
from ..logic.model import load_model
from ..logic.outputs import hard_outputs, outputs_of
from ..logic.record import best_circuit, raw_circuit, read_data
from ..passes import optimize
from ..runs.directory import OPTIMIZED, RAW, STEPS, RunDirectory
from ..verify.checks import verify_circuit


def lower_run(path: str | Path) -> Circuit:
    """Freeze the run's network into ``circuit.net``."""
    directory, started = RunDirectory.existing(path), time.perf_counter()
    model = load_model(path)
    labels = model.dataset["classes"] if model.settings.task == "classify" else ()
    circuit = lower(model.network, model.encoder, name=identifier(model.dataset["name"], prefix="n"), labels=labels,
                    features=model.dataset["features"])
    for old in (OPTIMIZED, STEPS):
        (directory / old).unlink(missing_ok=True)
    save_circuit(circuit, directory / RAW)
    directory.note_step("lower", {"seconds": time.perf_counter() - started, "outputs": outputs_of(model)})
    return circuit


def optimize_run(path: str | Path, *, level: str = "O2", progress: Callable[[str], None] | None = None) -> Circuit:
    """Optimise the run's raw circuit into ``optimized.net``."""
    directory, started = RunDirectory.existing(path), time.perf_counter()
    circuit, statistics = optimize(raw_circuit(directory), level=level, progress=progress)
    save_circuit(circuit, directory / OPTIMIZED)
    passes = [dataclasses.asdict(s) for s in statistics]
    directory.note_step("optimize", {"level": level, "seconds": time.perf_counter() - started, "passes": passes},
                        forget=["verify"])
    return circuit


def verify_run(path: str | Path, *, data_dir: str | Path | None = None,
               progress: Callable[[str], None] | None = None) -> dict[str, Verdict]:
    """Prove the run's optimised circuit equal to the raw one, and check every back end."""
    directory = RunDirectory.existing(path)
    raw, best = raw_circuit(directory), best_circuit(directory)
    model = load_model(path)
    dataset = read_data(model.settings, data_dir)
    started = time.perf_counter()
    verdicts = verify_circuit(best, against=raw if (directory / OPTIMIZED).is_file() else None,
                              network=hard_outputs(model), samples=model.encoder.codes(dataset.test.x),
                              progress=progress)
    directory.note_step("verify", {"seconds": time.perf_counter() - started, "digest": best.digest,
                                   "verdicts": {name: str(verdict) for name, verdict in verdicts.items()}})
    return verdicts
