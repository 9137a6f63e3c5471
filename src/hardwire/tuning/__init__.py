"""Sweeps: a grid or a search over settings, shared by any number of processes, and the front of accuracy against gates."""

import dataclasses
import json
import time
from contextlib import contextmanager
from pathlib import Path

from ..core.errors import FormatError, InputError
from ..core.files import read_text, write_text
from ..cost import stage_costs
from ..data import load_dataset
from ..logic.record import LOGIC, METRICS
from ..logic.settings import LogicSettings, preset
from ..report.front import mark_front, write_front
from ..report.summary import merit
from ..runs.experiment import train
from ..workflow.logic import lower_run, optimize_run
from .space import Space, parse_space, read_space, settings
from .study import ATTEMPTS, JOURNAL, LOCKS, SAMPLERS, FileLock, Study, open_storage, optuna, quiet

__all__ = ["Space", "parse_space", "read_space", "show", "sweep"]

#: What identifies a sweep, in its folder.
FACTS = "sweep.json"
#: Points of a search, unless told.
TRIALS = 30
GATES = {False: "gates of the network as trained", True: "gates of the network after the passes"}


def sweep(dataset, space: Space, out, *, trials: int | None = None, storage: str | None = None, name: str = "sweep",
          sampler: str | None = None, timeout: float | None = None, optimized: bool = False, data_dir=None, seed: int = 0,
          say=lambda text: None, progress=None) -> dict:
    """Train the points of ``space`` until none waits; the front, also written to ``out`` as JSON, SVG and HTML.

    The objectives are the hard figure of merit on the validation split, to be high, and the gates of the network, to be few; the
    test split is not touched. Each point is a run directory ``out/trial-NNNN``. Calls with the same ``out`` (or the same database)
    share the work and go on where killed ones were.

    trials     points of the study, over all calls; default: the whole grid, or 30 of a search
    storage    URL of a database; default: a journal in ``out``
    sampler    ``grid``, ``random``, ``tpe`` or ``nsga2``; default: the grid where the space has one, else ``tpe``
    timeout    begin no trial after so many seconds
    optimized  count gates after ``hardwire.passes.optimize`` of the lowered circuit
    seed       of the search; what ``random`` draws for a point depends on it and the point's number alone
    """
    sampler = _check(space, trials, sampler, timeout)
    out = Path(out)
    load_dataset(dataset, data_dir=data_dir, label=space.fixed.get("label") or None,
                 task=space.fixed.get("task", "classify"))  # a mistake here is one of every trial
    facts = {"dataset": str(dataset), "space": space.given, "sampler": sampler, "optimized": optimized}
    with FileLock(out / LOCKS / "files"):
        _settle(out, facts | {"name": name})
    with _opened(out, storage) as opened:
        study = Study(opened, name, out, seed=seed)
        study.settle(facts)
        queue = space.grid()[:trials] if sampler == "grid" else [{}] * (trials or TRIALS)
        base = preset(dataset).model_dump() | space.fixed
        _work(study, _Trainer(base, space, out, optimized, data_dir, progress), queue, sampler, timeout, say)
        front = _conclude(study, facts | {"name": name})
    failed = [t["error"] for t in front["trials"] if t["state"] == "failed"]
    if failed and len(failed) == len(front["trials"]):
        raise InputError(f"all {len(failed)} trials failed; the first: {failed[0]}")
    return front


def show(out, *, storage: str | None = None) -> dict:
    """The front as it stands, written to ``out`` anew."""
    out = Path(out)
    if not (out / FACTS).is_file():
        raise InputError(f"{out} holds no sweep; give the --out of an earlier one")
    if not storage and not (out / JOURNAL).is_file():
        raise InputError(f"{out} holds no {JOURNAL}, so its trials are in a database; name it with --storage")
    facts = _facts(out)
    with _opened(out, storage) as opened:
        return _conclude(Study(opened, facts["name"], out, create=False), facts)


def _check(space: Space, trials, sampler, timeout) -> str:
    """The sampler; or InputError for what cannot be."""
    optuna()
    sampler = sampler or ("grid" if space.countable else "tpe")
    if sampler not in SAMPLERS:
        raise InputError(f"sampler {sampler!r} is none of {', '.join(SAMPLERS)}")
    if trials is not None and trials < 1:
        raise InputError(f"trials = {trials} must be at least 1")
    if timeout is not None and not timeout > 0:
        raise InputError(f"timeout = {timeout} must be above 0 seconds")
    if sampler == "grid":
        space.grid()
    return sampler


@contextmanager
def _opened(out: Path, url: str | None):
    """The storage, inside the block; its failures there are one sentence."""
    with quiet() as module:
        storage = open_storage(out, url)
        try:
            yield storage
        except module.exceptions.StorageInternalError as error:
            raise InputError(f"the storage failed ({type(error.__cause__ or error).__name__}); check that its server runs and that no "
                             f"other program keeps it locked, then repeat the command") from None
        finally:
            storage.remove_session()


def _settle(out: Path, facts: dict) -> None:
    """Note the sweep in its folder, or refuse a folder with another one, whose run directories would be mixed up with ours."""
    if not (out / FACTS).is_file():
        write_text(out / FACTS, json.dumps(facts, indent=1) + "\n")
    before, facts = _facts(out), json.loads(json.dumps(facts))
    if different := [k for k in facts if before.get(k) != facts[k]]:
        raise InputError(f"{out} holds a sweep of another {different[0]}; use the same again, or another --out")


def _facts(out: Path) -> dict:
    try:
        facts = json.loads(read_text(out / FACTS))
    except ValueError:
        facts = None
    if not isinstance(facts, dict) or not {"dataset", "space", "optimized", "name"} <= set(facts):
        raise FormatError(f"{out / FACTS} is damaged; restore it, or sweep into another folder")
    return facts


@dataclasses.dataclass
class _Trainer:
    """A point's settings to its run directory and objectives."""

    base: dict
    space: Space
    out: Path
    optimized: bool
    data_dir: object
    progress: object
    kept: tuple = (None, None)

    def folder(self, number: int) -> Path:
        return self.out / f"trial-{number:04d}"

    def dataset(self, config: LogicSettings):
        """The data set, kept from one trial to the next where it is the same."""
        key = (config.seed, config.label, config.task)
        if self.kept[0] != key:
            self.kept = key, LOGIC.read_data(config, self.data_dir)
        return self.kept[1]

    def __call__(self, number: int, chosen: dict) -> tuple[float, int]:
        """Hard figure of merit on validation and gates."""
        settings, folder = LogicSettings(**self.base | chosen), self.folder(number)
        model = train(LOGIC, settings, folder, data=self.dataset(settings), resume=True, listen=self.progress)
        return model.best["hard"], self.gates(folder, model)

    def gates(self, folder: Path, model) -> int:
        if not self.optimized:
            return model.network.gates
        lower_run(folder)
        return stage_costs(optimize_run(folder))["network"]["gates"]


def _work(study: Study, trainer: _Trainer, queue: list[dict], sampler: str, timeout: float | None, say) -> None:
    """Claim and train points until none waits or time is up."""
    started = time.monotonic()
    study.fill(queue)
    while timeout is None or time.monotonic() - started < timeout:
        with study.claim(sampler) as claimed:
            if claimed is not None:
                _train(study, trainer, *claimed, len(study.points()), say)
                continue
        study.fill([])  # processes may have died since
        if not study.waiting():
            return


def _train(study: Study, trainer: _Trainer, number: int, trial, total: int, say) -> None:
    chosen, started = trainer.space.suggest(trial), time.perf_counter()
    who = f"trial {number} of {total}"
    again = " (again)" if trial.user_attrs["attempt"] else ""
    say(f"{who}{again}: " + ", ".join(f"{k} = {v:.5g}" if isinstance(v, float) else f"{k} = {v}" for k, v in chosen.items()))
    try:
        if trial.user_attrs["attempt"] >= ATTEMPTS:
            raise InputError(f"the process was killed {ATTEMPTS} times while it ran this trial; use smaller settings")
        accuracy, gates = trainer(number, chosen)
    except (InputError, FormatError, MemoryError) as error:
        sentence = " ".join(str(error).split()) or "not enough memory"
        study.give_up(trial, sentence)
        say(f"{who} failed: {sentence}")
        return
    seconds = round(time.perf_counter() - started, 3)
    study.finish(trial, accuracy, gates, {"seconds": seconds, "run": str(trainer.folder(number))})
    say(f"{who}: validation hard {merit(accuracy, METRICS[(trainer.base | chosen)['task']])}, {gates:,} gates, {seconds:.0f} s")


def _conclude(study: Study, facts: dict) -> dict:
    """All points and which are on the front; written to the study's folder."""
    points = [_point(study, number, trial) for number, trial in study.points().items()]
    front = facts | {"metric": METRICS.get(str(facts["space"].get("task")), "accuracy"),
                     "objectives": {"accuracy": "hard figure of merit on the validation split, maximised",
                                    "gates": f"{GATES[facts['optimized']]}, minimised"}, "trials": mark_front(points)}
    with study.writing():
        write_front(front, study.out)
    return front


def _point(study: Study, number: int, trial) -> dict:
    state = {"COMPLETE": "finished", "RUNNING": "running", "WAITING": "waiting"}.get(trial.state.name, "stopped")
    facts = trial.user_attrs
    accuracy, gates = trial.values or (None, None)
    return {"number": number, "state": "failed" if "error" in facts else state,
            "settings": settings(trial.system_attrs.get("fixed_params", {}) | trial.params), "accuracy": accuracy,
            "gates": None if gates is None else int(gates), "seconds": facts.get("seconds"), "run": facts.get("run"),
            "error": facts.get("error")}
