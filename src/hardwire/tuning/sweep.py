"""A sweep of any hardware: its points are trained, and the front of accuracy against cost is written."""

import dataclasses
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..core.errors import FormatError, HardwireError, InputError
from ..core.files import read_text, write_text
from ..core.reading import parse_json
from ..core.settings import Settings
from ..cost import stage_costs
from ..report.front import mark_front, write_front
from ..report.summary import merit
from ..runs.experiment import train
from ..runs.paths import is_path, same_value
from ..runs.progress import Listener
from ..workflow.hardwares import AnyHardware, hardware_named
from .locks import locked
from .space import Space, restored
from .study import ATTEMPTS, FILES, JOURNAL, LOCKS, SAMPLERS, Sampler, Study, open_storage, optuna, quiet

#: What identifies a sweep, in its folder.
DEFINITION = "sweep.json"
#: Points of a search, unless told.
TRIALS = 30
#: What the cost of a logic network counts with ``optimized``.
OPTIMIZED_GATES = "gates of the network after the passes"
#: Share kept for validation where a preset keeps none: there must be samples to choose by that are not the test's.
VALIDATION = 0.1
#: What a sweep is of whose definition does not say so: there was no other.
FIRST_HARDWARE = {"hardware": "logic"}


Say = Callable[[str], None]


def sweep(  # noqa: PLR0913
    dataset: str | Path, space: Space, out: str | Path, *, trials: int | None = None, storage: str | None = None,
    name: str = "sweep", sampler: Sampler | None = None, timeout: float | None = None, optimized: bool = False,
    data_dir: str | Path | None = None, seed: int = 0, say: Say = lambda text: None, progress: Listener | None = None,
    hardware: str = "logic",
) -> dict[str, Any]:
    """Train the points of ``space`` until none waits, and return the front.

    The objectives are the hard figure of merit on the validation split, to be high, and the hardware's cost, to be low:
    gates of a logic network, synapses of a crossbar's, synapses that are not pruned of a spiking one. The test split is
    not touched; where a hardware's preset keeps no samples for validation, a tenth is kept. Each point is a run
    directory ``out/trial-NNNN``; the front is also written to ``out`` as JSON, SVG and HTML. Calls with the same
    ``out`` (or the same database) share the work and go on where killed ones were.

    Parameters
    ----------
    dataset : str or path
        As the hardware takes it.
    space : Space
        Which of the hardware's settings are fixed, listed or ranges.
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
        Of logic: count gates after ``hardwire.passes.optimize`` of the lowered circuit.
    data_dir : path, optional
        Where data sets lie.
    seed : int
        Of the search; what ``random`` draws for a point depends on it and the point's number alone.
    say, progress : callable
        Called with each line of progress, and with each event of a training.
    hardware : str
        ``logic``, ``crossbar`` or ``spiking``.

    Raises
    ------
    InputError
        Where an option, the space or the data cannot be used, or every trial failed.
    """
    row = hardware_named(hardware)
    sampler = _check(space, trials, sampler, timeout)
    _check_hardware(row, space, optimized)
    out = Path(out)
    place = os.path.abspath(dataset) if is_path(str(dataset)) and os.path.exists(dataset) else str(dataset)
    trainer = _Trainer(row, _base(row, place, space), space, out, optimized, data_dir, progress)
    trainer.check_data()
    definition = {"hardware": hardware, "dataset": _as_begun(out, place), "space": space.given, "sampler": sampler,
                  "optimized": optimized}
    with locked(out / LOCKS / FILES):
        _define(out, definition | {"name": name})
    with _opened(out, storage) as opened:
        study = Study(opened, name, out, seed=seed)
        study.define(definition)
        queue = space.grid()[:trials] if sampler == "grid" else [{}] * (trials or TRIALS)
        _work(study, trainer, queue, sampler, timeout, say)
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


def _check_hardware(row: AnyHardware, space: Space, optimized: bool) -> None:
    """Raise InputError where the hardware cannot be swept over this space."""
    if not row.cost:
        raise InputError(f"hardware {row.name!r} names no objectives to search by; give its row preset, objectives and "
                         f"cost")
    if space.settings is not row.settings:
        raise InputError(f"the space is of {space.settings.__name__}, but hardware {row.name!r} has "
                         f"{row.settings.__name__}; give parse_space or read_space that class")
    if optimized and row.name != "logic":
        raise InputError(f"optimized counts gates after the passes, which hardware {row.name!r} has not; leave it out")
    if "validation" in space.ranges:
        shares = [space.ranges["validation"].low]
    else:
        shares = [space.fixed.get("validation", 1), *space.choices.get("validation", [])]
    if min(shares) <= 0:
        raise InputError("validation = 0 leaves no samples to judge a trial by; give shares above 0, or leave "
                         f"validation out: it is {VALIDATION} then, unless the preset has another")


def _base(row: AnyHardware, dataset: str, space: Space) -> dict[str, Any]:
    """Return the settings that a trial's own are put on: the preset, a validation split, what the space fixes."""
    preset: dict[str, Any] = row.preset(dataset).model_dump()
    split = {"validation": VALIDATION} if preset.get("validation") == 0 else {}
    return preset | split | space.fixed


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


def _as_begun(out: Path, dataset: str) -> str:
    """Return the data set as the sweep in ``out`` names it, where both name the same file."""
    before = str(_definition(out)["dataset"]) if (out / DEFINITION).is_file() else dataset
    return before if same_value(before, dataset) else dataset


def _define(out: Path, definition: dict[str, Any]) -> None:
    """Note the sweep in its folder; InputError where it holds another one, whose run directories would be mixed up."""
    if not (out / DEFINITION).is_file():
        write_text(out / DEFINITION, json.dumps(definition, indent=1) + "\n")
    before, definition = _definition(out), json.loads(json.dumps(definition))
    if different := [k for k in definition if before.get(k) != definition[k]]:
        raise InputError(f"{out} holds a sweep of another {different[0]}; use the same again, or another --out")


def _definition(out: Path) -> dict[str, Any]:
    try:
        definition = parse_json(read_text(out / DEFINITION))
    except ValueError:
        definition = None
    kinds = {"dataset": str, "space": dict, "optimized": bool, "name": str}
    if not isinstance(definition, dict) or any(type(definition.get(k)) is not kind for k, kind in kinds.items()) or (
            not isinstance(definition.get("hardware", ""), str)):
        raise FormatError(f"{out / DEFINITION} is damaged; restore it, or sweep into another folder")
    return FIRST_HARDWARE | definition


@dataclasses.dataclass
class _Trainer:
    """A point's settings to its run directory and objectives."""

    row: AnyHardware
    base: dict[str, Any]
    space: Space
    out: Path
    optimized: bool
    data_dir: str | Path | None
    progress: Listener | None
    key: list[Any] | None = None
    data: Any = None

    def folder(self, number: int) -> Path:
        """Run directory of a point."""
        return self.out / f"trial-{number:04d}"

    def check_data(self) -> None:
        """Read the samples before any trial: a mistake there is one of every trial."""
        try:
            whole = self.row.settings(**self.base)
        except InputError:  # the fixed settings need what trials add; those that do not fit fail with their sentence
            return
        self.samples(whole)

    def samples(self, chosen: Settings) -> Any:
        """Return the samples, kept from one trial to the next where they are the same."""
        values = chosen.model_dump()
        key = [values[name] for name in self.row.data_settings or values]
        if self.key != key:
            self.data = self.row.read_data(chosen, None if self.data_dir is None else Path(self.data_dir))
            self.key = key
        return self.data

    def __call__(self, number: int, chosen: dict[str, Any]) -> tuple[float, float]:
        """Train a point: hard figure of merit on validation, and cost."""
        whole, folder = self.row.settings(**self.base | chosen), self.folder(number)
        model = train(self.row, whole, folder, data=self.samples(whole), resume=True, listen=self.progress,
                      data_dir=None if self.data_dir is None else Path(self.data_dir))
        merit, cost = self.row.objectives(model)
        return merit, _optimized_gates(folder) if self.optimized else cost


def _optimized_gates(folder: Path) -> int:
    """Count the gates of a logic run's network after the passes."""
    from ..workflow.logic import lower_run, optimize_run  # brings torch, which other hardwares do without

    lower_run(folder)
    return stage_costs(optimize_run(folder))["network"]["gates"]


def _unit(cost: str) -> str:
    """Return the unit of a cost, which names it in a trial: the first word."""
    return cost.split(maxsplit=1)[0]


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
    chosen, started = _suggest(trainer.space, trial), time.perf_counter()
    who = f"trial {number} of {total}"
    again = " (again)" if trial.user_attrs["attempt"] else ""
    words = (f"{k} = {v:.5g}" if isinstance(v, float) else f"{k} = {v}" for k, v in chosen.items())
    say(f"{who}{again}: {', '.join(words)}")
    try:
        if trial.user_attrs["attempt"] >= ATTEMPTS:
            raise InputError(f"the process was killed {ATTEMPTS} times while it ran this trial; use smaller settings")
        accuracy, cost = trainer(number, chosen)
    except (InputError, FormatError, MemoryError) as error:
        sentence = " ".join(str(error).split()) or "not enough memory"
        study.give_up(trial, sentence)
        say(f"{who} failed: {sentence}")
        return
    seconds = round(time.perf_counter() - started, 3)
    study.finish(trial, accuracy, cost, {"seconds": seconds, "run": str(trainer.folder(number))})
    reached = merit(accuracy, trainer.row.metric(trainer.base | chosen))
    say(f"{who}: validation hard {reached}, {cost:,} {_unit(trainer.row.cost)}, {seconds:.0f} s")


def _suggest(space: Space, trial: Any) -> dict[str, Any]:
    """Return the settings of a trial; FormatError where the study's earlier trials leave a sampler no way."""
    try:
        return space.suggest(trial)
    except HardwireError:
        raise
    except Exception as error:  # samplers read what earlier trials noted; garbled, it makes them raise anything
        raise FormatError(f"the study's trials contradict the space ({error}); restore the study, or sweep into "
                          "another folder") from None


def _conclude(study: Study, definition: dict[str, Any]) -> dict[str, Any]:
    """Return all points and which are on the front; written to the study's folder."""
    row = hardware_named(definition["hardware"])
    cost = OPTIMIZED_GATES if definition["optimized"] else row.cost
    unit = _unit(cost)
    points = [_point(row.settings, unit, number, trial) for number, trial in study.points().items()]
    front = definition | {
        "metric": row.metric(definition["space"]),
        "objectives": {"accuracy": "hard figure of merit on the validation split, maximised",
                       unit: f"{cost}, minimised"},
        "trials": mark_front(points, unit)}
    with study.writing():
        write_front(front, study.out)
    return front


def _point(settings: type[Settings], unit: str, number: int, trial: Any) -> dict[str, Any]:
    state = {"COMPLETE": "finished", "RUNNING": "running", "WAITING": "waiting"}.get(trial.state.name, "stopped")
    attributes = trial.user_attrs
    accuracy, cost = trial.values or (None, None)
    return {"number": number, "state": "failed" if "error" in attributes else state,
            "settings": restored(settings, trial.system_attrs.get("fixed_params", {}) | trial.params),
            "accuracy": accuracy, unit: int(cost) if cost is not None and cost == int(cost) else cost,
            **{name: attributes.get(name) for name in ("seconds", "run", "error")}}
