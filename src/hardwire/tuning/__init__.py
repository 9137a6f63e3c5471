"""Sweeps: a grid or a search over settings, shared by processes, and the front of accuracy against gates."""

import dataclasses
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..core.errors import FormatError, InputError
from ..core.files import read_text, write_text
from ..cost import stage_costs
from ..data import Dataset, load_dataset
from ..logic.model import Model
from ..logic.record import LOGIC, METRICS
from ..logic.settings import LogicSettings, preset
from ..report.front import mark_front, write_front
from ..report.summary import merit
from ..runs.experiment import train
from ..runs.progress import Listener
from ..workflow.logic import lower_run, optimize_run
from .locks import locked
from .space import Space, parse_space, read_space, settings
from .study import ATTEMPTS, FILES, JOURNAL, LOCKS, SAMPLERS, Sampler, Study, open_storage, optuna, quiet

__all__ = ["Space", "parse_space", "read_space", "show", "sweep"]

#: What identifies a sweep, in its folder.
DEFINITION = "sweep.json"
#: Points of a search, unless told.
TRIALS = 30
GATES = {False: "gates of the network as trained", True: "gates of the network after the passes"}


Say = Callable[[str], None]


def sweep(  # noqa: PLR0913
    dataset: str | Path, space: Space, out: str | Path, *, trials: int | None = None, storage: str | None = None,
    name: str = "sweep", sampler: Sampler | None = None, timeout: float | None = None, optimized: bool = False,
    data_dir: str | Path | None = None, seed: int = 0, say: Say = lambda text: None, progress: Listener | None = None,
) -> dict[str, Any]:
    """Train the points of ``space`` until none waits, and return the front.

    The objectives are the hard figure of merit on the validation split, to be high, and the gates of the network, to be
    few; the test split is not touched. Each point is a run directory ``out/trial-NNNN``; the front is also written to
    ``out`` as JSON, SVG and HTML. Calls with the same ``out`` (or the same database) share the work and go on where
    killed ones were.

    Parameters
    ----------
    dataset : str or path
        As ``load_dataset`` takes it.
    space : Space
        Which settings are fixed, listed or ranges.
    out : path
        Folder of the sweep.
    trials : int, optional
        Points of the study, over all calls; by default the whole grid, or 30 of a search.
    storage : str, optional
        URL of a database; by default a journal in ``out``.
    name : str
        Of the study in the storage.
    sampler : str, optional
        ``grid``, ``random``, ``tpe`` or ``nsga2``; by default the grid where the space has one, else ``tpe``.
    timeout : float, optional
        Begin no trial after so many seconds.
    optimized : bool
        Count gates after ``hardwire.passes.optimize`` of the lowered circuit.
    data_dir : path, optional
        Where data sets lie.
    seed : int
        Of the search; what ``random`` draws for a point depends on it and the point's number alone.
    say, progress : callable
        Called with each line of progress, and with each event of a training.

    Raises
    ------
    InputError
        Where an option, the space or the data cannot be used, or every trial failed.
    """
    sampler = _check(space, trials, sampler, timeout)
    out = Path(out)
    load_dataset(dataset, data_dir=data_dir, label=space.fixed.get("label") or None,
                 task=space.fixed.get("task", "classify"))  # a mistake here is one of every trial
    definition = {"dataset": str(dataset), "space": space.given, "sampler": sampler, "optimized": optimized}
    with locked(out / LOCKS / FILES):
        _define(out, definition | {"name": name})
    with _opened(out, storage) as opened:
        study = Study(opened, name, out, seed=seed)
        study.define(definition)
        queue = space.grid()[:trials] if sampler == "grid" else [{}] * (trials or TRIALS)
        base = preset(str(dataset)).model_dump() | space.fixed
        _work(study, _Trainer(base, space, out, optimized, data_dir, progress), queue, sampler, timeout, say)
        front = _conclude(study, definition | {"name": name})
    failed = [t["error"] for t in front["trials"] if t["state"] == "failed"]
    if failed and len(failed) == len(front["trials"]):
        raise InputError(f"all {len(failed)} trials failed; the first: {failed[0]}")
    return front


def show(out: str | Path, *, storage: str | None = None) -> dict[str, Any]:
    """Return the front as it stands, written to ``out`` anew.

    Raises
    ------
    InputError
        Where ``out`` holds no sweep, or its trials are in a database that ``storage`` does not name.
    """
    out = Path(out)
    if not (out / DEFINITION).is_file():
        raise InputError(f"{out} holds no sweep; give the --out of an earlier one")
    if not storage and not (out / JOURNAL).is_file():
        raise InputError(f"{out} holds no {JOURNAL}, so its trials are in a database; name it with --storage")
    definition = _definition(out)
    with _opened(out, storage) as opened:
        return _conclude(Study(opened, definition["name"], out, create=False), definition)


def _check(space: Space, trials: int | None, sampler: Sampler | None, timeout: float | None) -> Sampler:
    """Return the sampler; InputError for what cannot be."""
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
def _opened(out: Path, url: str | None) -> Iterator[Any]:
    """Give the storage inside the block; its failures there are one sentence."""
    with quiet() as module:
        storage = open_storage(out, url)
        try:
            yield storage
        except module.exceptions.StorageInternalError as error:
            raise InputError(f"the storage failed ({type(error.__cause__ or error).__name__}); check that its server "
                             f"runs and that no other program keeps it locked, then repeat the command") from None
        finally:
            storage.remove_session()


def _define(out: Path, definition: dict[str, Any]) -> None:
    """Note the sweep in its folder; InputError where it holds another one, whose run directories would be mixed up."""
    if not (out / DEFINITION).is_file():
        write_text(out / DEFINITION, json.dumps(definition, indent=1) + "\n")
    before, definition = _definition(out), json.loads(json.dumps(definition))
    if different := [k for k in definition if before.get(k) != definition[k]]:
        raise InputError(f"{out} holds a sweep of another {different[0]}; use the same again, or another --out")


def _definition(out: Path) -> dict[str, Any]:
    try:
        definition = json.loads(read_text(out / DEFINITION))
    except ValueError:
        definition = None
    if not isinstance(definition, dict) or not {"dataset", "space", "optimized", "name"} <= set(definition):
        raise FormatError(f"{out / DEFINITION} is damaged; restore it, or sweep into another folder")
    return definition


@dataclasses.dataclass
class _Trainer:
    """A point's settings to its run directory and objectives."""

    base: dict[str, Any]
    space: Space
    out: Path
    optimized: bool
    data_dir: str | Path | None
    progress: Listener | None
    key: tuple[int, str, str] | None = None
    data: Dataset | None = None

    def folder(self, number: int) -> Path:
        """Run directory of a point."""
        return self.out / f"trial-{number:04d}"

    def dataset(self, chosen: LogicSettings) -> Dataset:
        """Return the data set, kept from one trial to the next where it is the same."""
        key = (chosen.seed, chosen.label, chosen.task)
        if self.data is None or self.key != key:
            self.key, self.data = key, LOGIC.read_data(chosen, None if self.data_dir is None else Path(self.data_dir))
        return self.data

    def __call__(self, number: int, chosen: dict[str, Any]) -> tuple[float, int]:
        """Train a point: hard figure of merit on validation, and gates."""
        whole, folder = LogicSettings(**self.base | chosen), self.folder(number)
        model = train(LOGIC, whole, folder, data=self.dataset(whole), resume=True, listen=self.progress)
        return float(model.best["hard"]), self.gates(folder, model)

    def gates(self, folder: Path, model: Model) -> int:
        """Count the network's gates, after the passes where that is asked for."""
        if not self.optimized:
            return int(model.network.gates)
        lower_run(folder)
        return stage_costs(optimize_run(folder))["network"]["gates"]


def _work(
    study: Study, trainer: _Trainer, queue: list[dict[str, Any]], sampler: Sampler, timeout: float | None, say: Say,
) -> None:
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


def _train(study: Study, trainer: _Trainer, number: int, trial: Any, total: int, say: Say) -> None:
    chosen, started = trainer.space.suggest(trial), time.perf_counter()
    who = f"trial {number} of {total}"
    again = " (again)" if trial.user_attrs["attempt"] else ""
    words = (f"{k} = {v:.5g}" if isinstance(v, float) else f"{k} = {v}" for k, v in chosen.items())
    say(f"{who}{again}: {', '.join(words)}")
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
    reached = merit(accuracy, METRICS[(trainer.base | chosen)["task"]])
    say(f"{who}: validation hard {reached}, {gates:,} gates, {seconds:.0f} s")


def _conclude(study: Study, definition: dict[str, Any]) -> dict[str, Any]:
    """Return all points and which are on the front; written to the study's folder."""
    points = [_point(study, number, trial) for number, trial in study.points().items()]
    front = definition | {
        "metric": METRICS.get(str(definition["space"].get("task")), "accuracy"),
        "objectives": {"accuracy": "hard figure of merit on the validation split, maximised",
                       "gates": f"{GATES[definition['optimized']]}, minimised"},
        "trials": mark_front(points)}
    with study.writing():
        write_front(front, study.out)
    return front


def _point(study: Study, number: int, trial: Any) -> dict[str, Any]:
    state = {"COMPLETE": "finished", "RUNNING": "running", "WAITING": "waiting"}.get(trial.state.name, "stopped")
    attributes = trial.user_attrs
    accuracy, gates = trial.values or (None, None)
    return {"number": number, "state": "failed" if "error" in attributes else state,
            "settings": settings(trial.system_attrs.get("fixed_params", {}) | trial.params), "accuracy": accuracy,
            "gates": None if gates is None else int(gates),
            **{name: attributes.get(name) for name in ("seconds", "run", "error")}}
