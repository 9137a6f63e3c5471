"""The study that processes share: numbered points in an Optuna storage, each claimed by one process at a time.

Points are queued as waiting trials that carry their ``number`` and ``attempt``. A point whose process died is queued again as its
next attempt. Where two processes queue the same attempt at once, the trial that stands first in the storage counts, and the other
is never run; so nobody needs a lock around the queue, on any storage.
"""

import os
import socket
import threading
import time
import warnings
from contextlib import contextmanager
from pathlib import Path

from ..core.errors import FormatError, InputError, MissingToolError

try:
    import fcntl
except ImportError:  # pragma: no cover
    fcntl = None
    import msvcrt

JOURNAL, LOCKS = "journal.log", "locks"
#: Seconds between signs of life in a database, and until a silent trial is taken for dead.
HEARTBEAT, SILENCE = 30, 120
#: Seconds that a write waits for other processes' writes.
PATIENCE = 60.0
#: A point that took its process down so often is given up.
ATTEMPTS = 10
SAMPLERS = ("grid", "random", "tpe", "nsga2")


def optuna():
    """The module, or MissingToolError."""
    try:
        import optuna
    except ImportError:
        raise MissingToolError("a sweep needs optuna, which is not installed; install hardwire[sweep]") from None
    return optuna


@contextmanager
def quiet():
    """Without Optuna's log lines and its notices about experimental parts."""
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
MET = ("OperationalError", "ProgrammingError", "IntegrityError")


class FileLock:
    """A lock on a file that the system gives back when its process ends, however it ends."""

    def __init__(self, path: Path):
        self.path, self.file = Path(path), None

    def take(self) -> bool:
        """Take it if it is free."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = open(self.path, "ab")  # noqa: SIM115
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB) if fcntl else msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except (BlockingIOError, PermissionError):
            file.close()
            return False
        except OSError as error:
            file.close()
            raise InputError(f"{self.path} cannot be locked ({error.strerror}); choose a folder on another file system") from None
        self.file = file
        return True

    def acquire(self) -> bool:
        """Wait until it is free and take it."""
        last = time.monotonic() + PATIENCE
        while not self.take():
            if time.monotonic() > last:
                raise InputError(f"{self.path} has been locked by another process for {PATIENCE:.0f} s; end that process")
            time.sleep(0.01)
        return True

    def release(self) -> None:
        self.file.close()

    def __enter__(self):
        self.acquire()

    def __exit__(self, *error):
        self.release()


class JournalLock(FileLock):
    """Optuna's lock around a write to the journal; it also cuts off half a line that a killed process has left."""

    def __init__(self, journal: Path):
        super().__init__(journal.with_name(journal.name + ".lock"))
        self.journal = journal

    def acquire(self) -> bool:
        super().acquire()
        self.mend()
        return True

    def mend(self) -> None:
        with open(self.journal, "rb+") as file:
            if file.seek(0, os.SEEK_END) and file.seek(-1, os.SEEK_END) is not None and file.read(1) != b"\n":
                file.seek(0)
                file.truncate(file.read().rfind(b"\n") + 1)


def open_storage(out: Path, url: str | None):
    """The journal in ``out``, or the database at ``url``."""
    with quiet() as module:
        if url:
            return _database(module, url)
        path = Path(out).resolve() / JOURNAL
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            journal = module.storages.journal
            return journal.JournalStorage(journal.JournalFileBackend(str(path), lock_obj=JournalLock(path)))
        except OSError as error:
            raise InputError(f"cannot write {path}: {error.strerror}; choose a folder that can be written") from None
        except (ValueError, KeyError, TypeError) as error:
            raise FormatError(f"{path} is damaged ({error}); restore it, or sweep into another folder") from None


def _database(module, url: str, tries: int = 6):
    try:
        storage = module.storages.RDBStorage(url, heartbeat_interval=HEARTBEAT, grace_period=SILENCE)
        return module.storages.get_storage(storage)  # with the cache that a study would put in front of it
    except Exception as error:  # each driver has its own
        if tries > 1 and type(error).__name__ in MET:
            time.sleep(0.2)
            return _database(module, url, tries - 1)
        what, place = str(error).splitlines()[0], f"{url.partition('://')[0]}://{url.rpartition('@' if '@' in url else '://')[2]}"
        raise InputError(f"storage {place} cannot be opened ({type(error).__name__}: {what.replace(url, place)}); check the URL, its "
                         f"server and the driver") from None


class Study:
    """Points of one sweep. ``out`` is this process's folder; with a database others may have other ones."""

    def __init__(self, storage, name: str, out: Path, *, seed: int = 0, create: bool = True):
        self.storage, self.out, self.seed = storage, Path(out), seed
        self.module = optuna()
        directions = ["maximize", "minimize"]
        if create:
            self.study = self.module.create_study(storage=storage, study_name=name, directions=directions, load_if_exists=True)
        else:
            try:
                self.study = self.module.load_study(storage=storage, study_name=name)
            except KeyError:
                raise InputError(f"the storage holds no study {name!r}; check --out, --storage and --name") from None
        self.id = storage.get_study_id_from_name(name)
        self.where = f"{socket.gethostname()}:{self.out.resolve()}"
        self.is_database = hasattr(storage, "record_heartbeat")
        self.state = self.module.trial.TrialState

    def settle(self, facts: dict) -> None:
        """Note what the study is of, or refuse when it is of something else."""
        before = self.study.user_attrs.get("sweep")
        if before is None:
            self.study.set_user_attr("sweep", facts)
        for key, value in (before or {}).items():
            if facts.get(key) != value:
                raise InputError(f"study {self.study.study_name!r} was begun with another {key}; use the same again, or another "
                                 f"--out (with a database, another --name)")

    def points(self) -> dict:
        """Number -> the trial that counts: of the latest attempt the first in the storage."""
        found: dict = {}
        for trial in self.storage.get_all_trials(self.id, deepcopy=False):
            number = trial.user_attrs.get("number")
            if number is not None and (number not in found or trial.user_attrs["attempt"] > found[number].user_attrs["attempt"]):
                found[number] = trial
        return dict(sorted(found.items()))

    def fill(self, grid: list[dict]) -> None:
        """Queue the points of ``grid`` that are missing, and those whose process died."""
        self._bury()
        points = self.points()
        for number, params in enumerate(grid):
            if number not in points:
                self._queue(params, number, 0)
        for number, trial in points.items():
            if self._lost(trial):
                params = trial.system_attrs.get("fixed_params", {}) | trial.params
                self._queue(params, number, trial.user_attrs["attempt"] + 1)

    def _queue(self, params: dict, number: int, attempt: int) -> None:
        self.study.enqueue_trial(params, user_attrs={"number": number, "attempt": attempt})

    def waiting(self) -> bool:
        return any(trial.state == self.state.WAITING for trial in self.points().values())

    def _lost(self, trial) -> bool:
        return trial.state == self.state.FAIL and "error" not in trial.user_attrs

    def _bury(self) -> None:
        """Mark trials of dead processes failed, without an error, which is what ``fill`` looks for."""
        if self.is_database:
            self.module.storages.fail_stale_trials(self.study)
        for number, trial in self.points().items():
            if trial.state != self.state.RUNNING or (self.is_database and trial.user_attrs.get("where") != self.where):
                continue
            lock = self._lock(number)
            if lock.take():  # its process is gone, unless it has just finished
                self._fail(trial._trial_id)
                lock.release()

    def _fail(self, trial_id: int) -> None:
        try:
            if self.storage.get_trial(trial_id).state == self.state.RUNNING:
                self.storage.set_trial_state_values(trial_id, state=self.state.FAIL)
        except self.module.exceptions.UpdateFinishedTrialError:
            pass

    def writing(self) -> FileLock:
        """Held while the folder's own files are written, which processes share."""
        return FileLock(self.out / LOCKS / "files")

    def _lock(self, number: int) -> FileLock:
        return FileLock(self.out / LOCKS / f"{number:04d}")

    @contextmanager
    def claim(self, sampler: str):
        """The next waiting point as (number, Optuna trial), this process's alone inside the block; or None."""
        for number, trial in self.points().items():
            if trial.state != self.state.WAITING:
                continue
            lock = self._lock(number)
            if not lock.take():
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
            return self.storage.set_trial_state_values(trial_id, state=self.state.RUNNING)
        except self.module.exceptions.UpdateFinishedTrialError:
            return False

    def _trial(self, trial_id: int, number: int, sampler: str):
        """What it draws depends on its number, not on which process draws it."""
        samplers, seed = self.module.samplers, (self.seed * 1_000_003 + number) % 2**32
        kinds = {"random": samplers.RandomSampler, "grid": samplers.RandomSampler, "tpe": samplers.TPESampler,
                 "nsga2": samplers.NSGAIISampler}
        self.study.sampler = kinds[sampler](seed=seed)
        return self.module.trial.Trial(self.study, trial_id)

    @contextmanager
    def _alive(self, trial_id: int):
        """Give signs of life while the block runs; whatever ends it, the trial does not stay running."""
        over = threading.Event()
        beats = threading.Thread(target=self._beat, args=(trial_id, over), daemon=True)
        if self.is_database:
            self.storage.record_heartbeat(trial_id)
            self.storage.set_trial_user_attr(trial_id, "where", self.where)
            beats.start()
        try:
            yield
        finally:
            over.set()
            if self.is_database:
                beats.join()
            self._fail(trial_id)

    def _beat(self, trial_id: int, over: threading.Event) -> None:
        while not over.wait(HEARTBEAT):
            try:
                self.storage.record_heartbeat(trial_id)
            except Exception:  # a missed beat is made up for by the next
                continue

    def finish(self, trial, accuracy: float, gates: int, facts: dict) -> None:
        for key, value in facts.items():
            trial.set_user_attr(key, value)
        self.study.tell(trial, [accuracy, gates])

    def give_up(self, trial, sentence: str) -> None:
        trial.set_user_attr("error", sentence)
        self.study.tell(trial, state=self.state.FAIL)
