"""From a trained logic network to a proved circuit: what the verbs do to a run directory, one function each."""

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..circuit import Circuit, load_circuit, save_circuit
from ..circuit.arithmetic import HeadGoal
from ..core.errors import InputError
from ..core.names import identifier
from ..core.verdict import Verdict
from ..data import Dataset
from ..logic.lowering import lower
from ..logic.model import load_model, unpack
from ..logic.outputs import hard_outputs, outputs_of
from ..logic.record import LOGIC, best_circuit, raw_circuit
from ..passes import PassStatistics, optimize
from ..passes.substitution import SubstitutionReport, simplify_on
from ..runs.directory import EMIT, MODEL, OPTIMIZED, RAW, SIMPLIFIED, RunDirectory
from ..runs.experiment import data_of_run
from ..verify import verify_circuit
from ..verify.emitted import sha256
from .circuits import prove_pass, proved_in
from .emitted import emissions_of

#: Steps of a run that are about its circuit, and what a sentence calls what they left.
ABOUT = {"optimize": "the optimised circuit", "verify": "the verdicts", "flow": "the flows"}


def lower_run(path: str | Path, *, head: HeadGoal | None = None, overwrite: bool = False,
              progress: Callable[[str], None] | None = None) -> Circuit:
    """Freeze the run's network into ``circuit.net``; ``head`` as in ``lower``, by default for its price.

    A run that was lowered to the same circuit before keeps what later verbs made of it. Where they made something of
    another circuit, that goes only with ``overwrite``.

    Raises
    ------
    InputError
        The optimised circuit, the verdicts or the flows of another circuit would be lost.
    """
    directory, started = RunDirectory.existing(path), time.perf_counter()
    model = load_model(path)
    labels = model.dataset["classes"] if model.settings.task == "classify" else ()
    circuit = lower(model.network, model.encoder, name=identifier(model.dataset["name"], prefix="n"), labels=labels,
                    features=model.dataset["features"],
                    head=head or ("luts" if model.settings.unit == "luts" else "area"))
    say = progress or (lambda text: None)
    with directory.claim():
        steps = directory.readable_steps()
        if steps.get("lower", {}).get("digest") == circuit.digest:
            say(f"{path} is lowered already, to the same circuit")
            save_circuit(circuit, directory / RAW)  # the file may be gone
            directory.note_step("lower", lambda noted: noted | {"outputs": outputs_of(model)})
            return circuit
        made = {*steps, *(["optimize"] if (directory / OPTIMIZED).is_file() else [])}
        lost = [words for step, words in ABOUT.items() if step in made]
        if lost and not overwrite:
            raise InputError(f"{path} was lowered to another circuit, of which {' and '.join(lost)} would be lost; add "
                             "`--overwrite`, or lower a copy of the run")
        if lost:
            say(f"removed: {', '.join(lost)} of the circuit before")
        directory.forget_steps(keep=[EMIT])  # the files are still there
        for old in (OPTIMIZED, SIMPLIFIED):
            (directory / old).unlink(missing_ok=True)
        save_circuit(circuit, directory / RAW)
        directory.note_step("lower", {"seconds": time.perf_counter() - started, "digest": circuit.digest,
                                      "outputs": outputs_of(model)})
    return circuit


def optimize_run(path: str | Path, *, level: str | None = None, budget: float | None = None, prove_each: bool = False,
                 data_dir: str | Path | None = None, progress: Callable[[str], None] | None = None) -> Circuit:
    """Optimise the run's raw circuit into ``optimized.net``.

    With a ``budget`` the circuit is simplified on the run's training samples too, see ``simplify``: what the last
    passes started from is ``simplified.net`` then, and the step notes what was given up. The level is
    by default O2, of a run with a price in tables O1, which keeps them. With ``prove_each`` each pass is proved against
    its input, and nothing is written where one is wrong.
    """
    level = level or ("O1" if load_model(path).settings.unit == "luts" else "O2")
    directory, started = RunDirectory.existing(path), time.perf_counter()
    proof = prove_pass if prove_each else None
    with directory.claim():
        raw, inexact = proved_in(directory, raw_circuit(directory), directory / RAW, progress=progress), {}
        if budget is None:
            circuit, statistics = optimize(raw, level=level, prove=proof, progress=progress)
        else:
            data, differ = data_of_run(LOGIC, directory.read_model("logic"), directory, data_dir)
            if differ:
                raise InputError(differ)
            reference, circuit, statistics, report = simplify(raw, data, budget, level=level, prove_each=prove_each,
                                                              progress=progress)
            save_circuit(reference, directory / SIMPLIFIED)
            inexact = {"inexact": dataclasses.asdict(report), "reference": reference.digest}
        _say_void(directory, circuit, progress)
        save_circuit(circuit, directory / OPTIMIZED)
        passes = [dataclasses.asdict(s) for s in statistics]
        directory.note_step("optimize", {"level": level, "seconds": time.perf_counter() - started, "passes": passes,
                                         "digest": circuit.digest, "proved_each": prove_each, **inexact},
                            forget=[] if _verified(directory) == circuit.digest else ["verify"])
        if budget is None:
            (directory / SIMPLIFIED).unlink(missing_ok=True)
    return circuit


def _verified(directory: RunDirectory) -> str:
    """Return the digest of the circuit that the run's verdicts are of; empty without verdicts."""
    return str(directory.steps().get("verify", {}).get("digest", ""))


def _say_void(directory: RunDirectory, circuit: Circuit, progress: Callable[[str], None] | None) -> None:
    """Say that the verdicts which are here are of another circuit than ``circuit``."""
    if progress and _verified(directory) not in ("", circuit.digest):
        progress(f"the verdicts of `hardwire verify` were of another circuit and are void; run `hardwire verify "
                 f"{directory.path}` again")


def simplify(raw: Circuit, data: Dataset, budget: float, *, level: str = "O2", prove_each: bool = False,
             progress: Callable[[str], None] | None = None) -> tuple[Circuit, Circuit, list[PassStatistics],
                                                                     SubstitutionReport]:
    """Optimise, simplify on training samples within ``budget`` of the validation accuracy, and optimise again.

    Returns
    -------
    tuple
        The simplified circuit, which is another function than ``raw``; the same function after the last passes; what
        all passes did; and what the simplification cost.
    """
    proof = prove_pass if prove_each else None
    circuit, first = optimize(raw, level=level, prove=proof, progress=progress)
    x, held = _codes(circuit, data.train.x), _codes(circuit, data.validation.x)
    simplified, report = simplify_on(circuit, x, data.train.y, budget=budget, validation=(held, data.validation.y),
                                     progress=progress)
    circuit, second = optimize(simplified, level=level, prove=proof, progress=progress)
    return simplified, circuit, [*first, *second], report


def _codes(circuit: Circuit, x: NDArray[Any]) -> NDArray[np.unsignedinteger[Any]]:
    """Physical values as the circuit's codes; values outside a word saturate."""
    return circuit.codes(x.astype(np.float64))


def verify_run(path: str | Path, *, data_dir: str | Path | None = None, data: str | None = None,
               progress: Callable[[str], None] | None = None) -> dict[str, Verdict]:
    """Prove the run's optimised circuit equal to the raw one, and check every back end and every emitted file.

    An inexact circuit is proved equal to ``simplified.net``; that it is not the trained network is said in its place.
    Where the data are not those that the run was trained on, what needs them is left out and unknown; ``data`` names
    them where the run's own have moved.
    """
    directory = RunDirectory.existing(path)
    raw, best = raw_circuit(directory), best_circuit(directory)
    stored = directory.read_model("logic")
    model = unpack(stored, name=str(path))
    dataset, differ = data_of_run(LOGIC, stored, directory, data_dir, data)
    started = time.perf_counter()
    noted = directory.steps().get("optimize", {}) if (directory / OPTIMIZED).is_file() else {}
    inexact = noted.get("inexact")
    reference = load_circuit(directory / SIMPLIFIED) if inexact else raw
    unnoted = noted.get("digest", best.digest) != best.digest and (directory / SIMPLIFIED).is_file()
    if unnoted or noted.get("reference", reference.digest) != reference.digest:
        raise InputError(f"{path} was left while it was optimised; run `hardwire optimize {path}` again")
    verdicts = verify_circuit(best, against=reference if (directory / OPTIMIZED).is_file() else None,
                              network=None if inexact else hard_outputs(model),
                              samples=None if differ else model.encoder.codes(dataset.test.x),
                              emitted=emissions_of(directory), progress=progress)
    if "trained network" in verdicts:
        network = sha256((directory / MODEL).read_bytes())
        verdicts["trained network"] = dataclasses.replace(verdicts["trained network"], against=network)
    if (wrong := verdicts.get("optimized gates")) and wrong.status == "refuted":
        remedy = f"run `hardwire optimize {path} --prove-each`, which names the pass"
        verdicts["optimized gates"] = dataclasses.replace(wrong, detail=f"{wrong.detail}; {remedy}")
    if differ:
        verdicts = {"test samples": Verdict("unknown", detail=f"not simulated: {differ}")} | verdicts
    if inexact:
        why = (f"the circuit is inexact, `hardwire optimize --budget {inexact['budget']:g}`: {inexact['changed']} of "
               f"{inexact['samples']} training decisions are others")
        verdicts = {"trained network": Verdict("skipped", detail=why)} | verdicts
    directory.note_step("verify", {"seconds": time.perf_counter() - started, "digest": best.digest,
                                   "verdicts": {name: str(verdict) for name, verdict in verdicts.items()},
                                   "verified_by": {name: _bound(best, verdict) for name, verdict in verdicts.items()}})
    return verdicts


def _bound(circuit: Circuit, verdict: Verdict) -> dict[str, Any]:
    """What a verdict is bound to: both sides, the method, and the program with its version."""
    values = {"circuit": circuit.digest, "against": verdict.against, "method": verdict.method, "tool": verdict.tool,
              "version": verdict.version, "detail": verdict.detail}
    return {key: value for key, value in values.items() if value} | {"seconds": verdict.seconds}
