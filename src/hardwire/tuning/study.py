"""The study that processes share: numbered points in an Optuna storage, each claimed by one process at a time.

Points are queued as waiting trials that carry their ``number`` and ``attempt``. A point whose process died is queued
again as its next attempt. Where two processes queue the same attempt at once, the trial that stands first in the
storage counts, and the other is never run; so nobody needs a lock around the queue, on any storage.
"""

import socket
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_args

from filelock import FileLock

from ..core.errors import FormatError, HardwireError, InputError, MissingToolError
from .journal import check_journal, check_study
from .locks import JournalLock, locked, take

JOURNAL, LOCKS, FILES = "journal.log", "locks", "files"
#: Seconds between signs of life in a database, and until a silent trial is taken for dead.
HEARTBEAT, SILENCE = 30, 120
#: A point that took its process down so often is given up.
ATTEMPTS = 10
Sampler = Literal["grid", "random", "tpe", "nsga2"]
SAMPLERS: tuple[Sampler, ...] = get_args(Sampler)
Parameters = dict[str, Any]


def optuna() -> ModuleType:
    """Import Optuna.

    Raises
    ------
    MissingToolError
        Where it is not installed.
    """
    try:
        import optuna
    except ImportError:
        raise MissingToolError("a sweep needs optuna, which is not installed; install hardwire[sweep]") from None
    return optuna


@contextmanager
def quiet() -> Iterator[ModuleType]:
    """Give Optuna, inside the block without its log lines and its notices about experimental parts."""
    module = optuna()
    before = module.logging.get_verbosity()
    module.logging.set_verbosity(module.logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", module.exceptions.ExperimentalWarning)
            yield module
    finally:
        module.logging.set_verbosity(before)


#: Errors of a database in which another process makes the same tables at this moment: the next try finds them made.
TABLE_RACES = ("OperationalError", "ProgrammingError", "IntegrityError")


def open_storage(out: Path, url: str | None) -> Any:
    """Open the journal in ``out``, or the database at ``url``, as a storage of Optuna.

    Raises
    ------
    InputError
        Where it cannot be opened or written.
    FormatError
        Where the journal is damaged.
    """
    with quiet() as module:
        if url:
            return _database(module, url)
        path = Path(out).resolve() / JOURNAL
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            check_journal(path)
            journal = module.storages.journal
            return journal.JournalStorage(journal.JournalFileBackend(str(path), lock_obj=JournalLock(path)))
        except OSError as error:
            raise InputError(f"cannot write {path}: {error.strerror}; choose a folder that can be written") from None
        except HardwireError:
            raise
        except Exception as error:  # operations that are right each alone may still not follow each other
            raise FormatError(f"{path} is damaged ({error}); restore it, or sweep into another folder") from None


def _database(module: ModuleType, url: str, tries: int = 6) -> Any:
    try:
        storage = module.storages.RDBStorage(url, heartbeat_interval=HEARTBEAT, grace_period=SILENCE)
        return module.storages.get_storage(storage)  # with the cache that a study would put in front of it
    except Exception as error:  # each driver has its own
        if tries > 1 and type(error).__name__ in TABLE_RACES:
            time.sleep(0.2)
            return _database(module, url, tries - 1)
        what = str(error).splitlines()[0]
        place = f"{url.partition('://')[0]}://{url.rpartition('@' if '@' in url else '://')[2]}"  # no password
        raise InputError(f"storage {place} cannot be opened ({type(error).__name__}: {what.replace(url, place)}); "
                         f"check the URL, its server and the driver") from None


class Study:
    """Points of one sweep.

    Parameters
    ----------
    storage : Optuna storage
        As ``open_storage`` gives it.
    name : str
        Of the study in the storage.
    out : path
        This process's folder; with a database others may have other ones.
    seed : int
        Of what the sampler draws.
    create : bool
        Make the study where there is none; else that is an InputError.
    """

    def __init__(self, storage: Any, name: str, out: Path, *, seed: int = 0, create: bool = True) -> None:
        self.storage, self.out, self.seed = storage, Path(out), seed
        self.module = optuna()
        directions = ["maximize", "minimize"]
        if create:
            self.study = self.module.create_study(storage=storage, study_name=name, directions=directions,
                                                  load_if_exists=True)
        else:
            try:
                self.study = self.module.load_study(storage=storage, study_name=name)
            except KeyError:
                raise InputError(f"the storage holds no study {name!r}; check --out, --storage and --name") from None
        self.id = storage.get_study_id_from_name(name)
        self.where = f"{socket.gethostname()}:{self.out.resolve()}"
        self.is_database = hasattr(storage, "record_heartbeat")
        self.state = self.module.trial.TrialState

    def define(self, definition: Parameters) -> None:
        """Note what the study is of; InputError where it is of something else already."""
        check_study(self.study.user_attrs, f"the storage of study {self.study.study_name!r}")
        before = self.study.user_attrs.get("sweep")
        if before is None:
            self.study.set_user_attr("sweep", definition)
        elif "hardware" not in before:  # there was no other
            before = before | {"hardware": "logic"}
        for key, value in (before or {}).items():
            if definition.get(key) != value:
                raise InputError(f"study {self.study.study_name!r} was begun with another {key}; use the same again, "
                                 f"or another --out (with a database, another --name)")

    def points(self) -> dict[int, Any]:
        """Map each number to the trial that counts: of the latest attempt the first in the storage."""
        trials: dict[int, Any] = {}
        for trial in self.storage.get_all_trials(self.id, deepcopy=False):
            number, attempt = trial.user_attrs.get("number"), trial.user_attrs.get("attempt")
            if number is not None:
                self._check(trial)
            if number is not None and (number not in trials or attempt > trials[number].user_attrs["attempt"]):
                trials[number] = trial
        return dict(sorted(trials.items()))

    def _check(self, trial: Any) -> None:
        """FormatError where a numbered trial lacks its attempt, or its notes are garbled."""
        where = f"the storage of study {self.study.study_name!r}"
        check_study(trial.user_attrs | trial.system_attrs, where)
        if trial.user_attrs.get("attempt") is None:
            raise FormatError(f"{where} holds a trial without an attempt; restore it, or sweep into another folder")

    def fill(self, grid: list[Parameters]) -> None:
        """Queue the points of ``grid`` that are missing, and those whose process died."""
        self._fail_dead()
        points = self.points()
        for number, params in enumerate(grid):
            if number not in points:
                self._queue(params, number, 0)
        for number, trial in points.items():
            if self._lost(trial):
                params = trial.system_attrs.get("fixed_params", {}) | trial.params
                self._queue(params, number, trial.user_attrs["attempt"] + 1)

    def _queue(self, params: Parameters, number: int, attempt: int) -> None:
        self.study.enqueue_trial(params, user_attrs={"number": number, "attempt": attempt})

    def waiting(self) -> bool:
        """Whether a point waits to be claimed."""
        return any(trial.state == self.state.WAITING for trial in self.points().values())

    def _lost(self, trial: Any) -> bool:
        return bool(trial.state == self.state.FAIL and "error" not in trial.user_attrs)

    def _fail_dead(self) -> None:
        """Mark trials of dead processes failed, without an error, which is what ``fill`` looks for."""
        if self.is_database:
            self.module.storages.fail_stale_trials(self.study)
        for number, trial in self.points().items():
            elsewhere = self.is_database and trial.user_attrs.get("where") != self.where
            if trial.state != self.state.RUNNING or elsewhere:
                continue
            lock = self._lock(number)
            if take(lock):  # its process is gone, unless it has just finished
                self._fail(trial._trial_id)
                lock.release()

    def _fail(self, trial_id: int) -> None:
        try:
            if self.storage.get_trial(trial_id).state == self.state.RUNNING:
                self.storage.set_trial_state_values(trial_id, state=self.state.FAIL)
        except self.module.exceptions.UpdateFinishedTrialError:
            pass

    def writing(self) -> AbstractContextManager[None]:
        """Lock the folder's own files, which processes share, inside the block."""
        return locked(self.out / LOCKS / FILES)

    def _lock(self, number: int) -> FileLock:
        return FileLock(self.out / LOCKS / f"{number:04d}")

    @contextmanager
    def claim(self, sampler: Sampler) -> Iterator[tuple[int, Any] | None]:
        """Give the next waiting point as (number, Optuna trial), this process's alone inside the block; or None."""
        for number, trial in self.points().items():
            if trial.state != self.state.WAITING:
                continue
            lock = self._lock(number)
            if not take(lock):
                continue
            try:
                if self._pop(trial._trial_id):
                    with self._alive(trial._trial_id):
                        yield number, self._trial(trial._trial_id, number, sampler)
                    return
            finally:
                lock.release()
        yield None

    def _pop(self, trial_id: int) -> bool:
        try:
            return bool(self.storage.set_trial_state_values(trial_id, state=self.state.RUNNING))
        except self.module.exceptions.UpdateFinishedTrialError:
            return False

    def _trial(self, trial_id: int, number: int, sampler: Sampler) -> Any:
        """What it draws depends on its number, not on which process draws it."""
        samplers, seed = self.module.samplers, (self.seed * 1_000_003 + number) % 2**32
        kinds = {"random": samplers.RandomSampler, "grid": samplers.RandomSampler, "tpe": samplers.TPESampler,
                 "nsga2": samplers.NSGAIISampler}
        self.study.sampler = kinds[sampler](seed=seed)
        return self.module.trial.Trial(self.study, trial_id)

    @contextmanager
    def _alive(self, trial_id: int) -> Iterator[None]:
        """Give signs of life while the block runs; whatever ends it, the trial does not stay running."""
        over = threading.Event()
        heartbeats = threading.Thread(target=self._send_heartbeats, args=(trial_id, over), daemon=True)
        if self.is_database:
            self.storage.record_heartbeat(trial_id)
            self.storage.set_trial_user_attr(trial_id, "where", self.where)
            heartbeats.start()
        try:
            yield
        finally:
            over.set()
            if self.is_database:
                heartbeats.join()
            self._fail(trial_id)

    def _send_heartbeats(self, trial_id: int, over: threading.Event) -> None:
        while not over.wait(HEARTBEAT):
            try:
                self.storage.record_heartbeat(trial_id)
            except Exception:  # a missed beat is made up for by the next
                continue

    def finish(self, trial: Any, accuracy: float, cost: float, attributes: Parameters) -> None:
        """Close a claimed trial with its objectives, and note ``attributes`` beside them."""
        for key, value in attributes.items():
            trial.set_user_attr(key, value)
        self.study.tell(trial, [accuracy, cost])

    def give_up(self, trial: Any, sentence: str) -> None:
        """Close a claimed trial that failed, with the reason."""
        trial.set_user_attr("error", sentence)
        self.study.tell(trial, state=self.state.FAIL)
