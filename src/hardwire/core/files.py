"""Files read and written whole: text is UTF-8, a file is written aside and renamed, every failure is one sentence.

What ``write_bytes`` has written is on the disk when it returns: the file is synchronised before it is renamed and its
folder after, so that a loss of power leaves the file of before or the new one, whole.
"""

import errno
import os
import re
import secrets
import stat
import sys
from pathlib import Path

from .errors import FormatError, InputError
from .reading import read_bytes

if sys.platform != "win32":
    import fcntl

#: What a file is called while it is written: its name, which may be cut, a random number, and this ending.
PART = re.compile(r"\.[0-9a-f]{16}\.part$")
#: Bytes of the name that are kept, so that no file system finds the whole too long.
KEPT = 180


def write_text(path: str | os.PathLike[str], text: str, *, durable: bool = True) -> Path:
    """Write text as ``write_bytes`` does."""
    return write_bytes(path, text.encode(errors="backslashreplace"), durable=durable)


def write_bytes(path: str | os.PathLike[str], content: bytes, *, durable: bool = True) -> Path:
    """Write beside the target, synchronise and rename, so that nobody ever meets half a file.

    A file that is there keeps its permissions. What killed processes left of the same file is removed.

    Parameters
    ----------
    path : str or path
        The target; its folders are made.
    content : bytes
        The whole file.
    durable : bool
        Synchronise. Without it a loss of power may leave an empty file, as of a curve that a checkpoint has too.

    Raises
    ------
    InputError
        Where the file cannot be written.
    """
    path = Path(path)
    part = None
    try:
        make_folder(path.parent)
        remove_leftovers(path.parent, _begin(path.name))
        part, file = _open_aside(path)
        with os.fdopen(file, "wb") as stream:
            _keep_mode(file, path)
            stream.write(content)
            stream.flush()
            if durable:
                os.fsync(file)
            os.replace(part, path)
        if durable:
            _sync_folder(path.parent)
    except BaseException as error:
        if part is not None:
            part.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        raise InputError(f"cannot write {path}: {error.strerror}; choose a folder that can be written") from None
    return path


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, and synchronise where each was made."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync_folder(folder.parent)


def remove_leftovers(folder: str | os.PathLike[str], begin: str = "") -> None:
    """Remove what killed processes left half written in a folder, of files whose names begin so.

    A process that is writing holds a lock on its file, which ends with the process; such a file is left alone.
    """
    if sys.platform == "win32":  # no such locks
        return
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if entry.name.startswith(begin) and PART.search(entry.name)]
    for name in names:
        path = Path(folder, name)
        try:
            file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:  # a link, another user's, or gone
            continue
        try:
            if stat.S_ISREG(os.fstat(file).st_mode) and _locked(file, wait=False):
                path.unlink(missing_ok=True)
        except OSError:
            continue
        finally:
            os.close(file)


def _begin(name: str) -> str:
    """The part of a file's name that the name of its temporary begins with."""
    return os.fsdecode(os.fsencode(name)[:KEPT])


def _open_aside(path: Path) -> tuple[Path, int]:
    """Create a file of a random name beside ``path``, and lock it against ``remove_leftovers``."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    while True:
        part = path.with_name(f"{_begin(path.name)}.{secrets.token_hex(8)}.part")
        file = os.open(part, flags, 0o666)
        try:
            _locked(file, wait=True)
            if os.fstat(file).st_nlink:
                return part, file
        except BaseException:
            os.close(file)
            part.unlink(missing_ok=True)
            raise
        os.close(file)  # another process took it for a leftover before it was locked


def _locked(file: int, *, wait: bool) -> bool:
    """Lock an open file as long as it is open; whether it is locked now. Some file systems have no locks."""
    if sys.platform != "win32":
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except OSError:
            return False
        return True
    return False


def _keep_mode(file: int, path: Path) -> None:
    """Give a new file the permissions of the one that it replaces."""
    try:
        before = os.stat(path, follow_symlinks=False)
    except FileNotFoundError:
        return
    if stat.S_ISREG(before.st_mode) and hasattr(os, "fchmod"):
        try:
            os.fchmod(file, stat.S_IMODE(before.st_mode) & 0o777)
        except OSError:  # a file system without permissions
            return


def _sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    if sys.platform == "win32":  # a folder cannot be opened
        return
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):  # a file system that cannot
            raise
    finally:
        os.close(file)


def read_text(path: str | os.PathLike[str]) -> str:
    """Read a file of UTF-8 text.

    Raises
    ------
    FormatError
        Where the file is not UTF-8.
    InputError
        Where it cannot be read.
    """
    try:
        text = read_bytes(path).decode("utf-8")
    except UnicodeDecodeError:
        raise FormatError(f"{path} is not a text file; check the path") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")
