"""Locks on files that the system gives back when their process ends, however it ends."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ..core.errors import InputError

#: Seconds that a write waits for other processes' writes.
PATIENCE = 60.0


def take(lock: FileLock, patience: float = 0.0) -> bool:
    """Acquire a lock that becomes free within ``patience`` seconds.

    Raises
    ------
    InputError
        Where the file cannot be locked.
    """
    path = Path(lock.lock_file)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=patience, poll_interval=0.01)
    except Timeout:
        return False
    except (OSError, NotImplementedError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path} cannot be locked ({reason}); choose a folder on another file system") from None
    return True


def wait_for(lock: FileLock) -> None:
    """Acquire a lock; InputError where another process keeps it too long."""
    if not take(lock, PATIENCE):
        raise InputError(
            f"{lock.lock_file} has been locked by another process for {PATIENCE:.0f} s; end that process")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock at ``path`` inside the block."""
    lock = FileLock(path)
    wait_for(lock)
    try:
        yield
    finally:
        lock.release()


class JournalLock:
    """Optuna's lock around a write to the journal; it also cuts off half a line that a killed process has left."""

    def __init__(self, journal: Path) -> None:
        self.journal = journal
        self._lock = FileLock(journal.with_name(journal.name + ".lock"))

    def acquire(self) -> bool:
        """Wait for the lock, take it, and mend the journal."""
        wait_for(self._lock)
        with open(self.journal, "rb+") as file:
            if file.seek(0, os.SEEK_END) and file.seek(-1, os.SEEK_END) is not None and file.read(1) != b"\n":
                file.seek(0)
                file.truncate(file.read().rfind(b"\n") + 1)
        return True

    def release(self) -> None:
        """Give the lock back."""
        self._lock.release()
