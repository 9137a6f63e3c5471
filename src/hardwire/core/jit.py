"""How the house compiles kernels with Numba: without the interpreter's lock, cached on disk, divisions as in NumPy.

A cached kernel is used again while its source file and the package's files that this one imports, directly or through
others, are what they were. Cache files are pickles, so they are read only in a folder that nobody else can write, and
each begins with a digest that is compared before; where others can write it, a folder in the user's cache is
taken. A cache that cannot be used costs one line of warning and the time of compilation.
"""

import hashlib
import logging
import os
import pickle
import re
import stat
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import numba
from numba import njit
from numba.core.caching import FunctionCache, IndexDataCacheFile
from numba.core.serialize import dumps
from platformdirs import user_cache_path

_dumps: Callable[[Any], bytes] = dumps
log = logging.getLogger(__name__)

_F = TypeVar("_F", bound=Callable[..., Any])
_OPTIONS = {"nogil": True, "error_model": "numpy"}
#: Without wrappers for Python and C, whose compilation takes a fifth of the time.
_INNER = _OPTIONS | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
#: First bytes of a cache file; a digest of the sources and one of the file follow, and the pickle.
MAGIC, DIGEST = b"hardwire kernel\n", 32
HEADER = len(MAGIC) + 2 * DIGEST
#: Folder of the package's folder.
ROOT = str(Path(__file__).resolve().parents[2])
#: Of a module's file, after its path.
ENDS = (".py", "/__init__.py")
_warned: list[str] = []
_IMPORT = re.compile(r"^[ \t]*from\s+(\.*)((?<=\.)[\w.]*|hardwire[\w.]*)\s+import\s+(\([^)]*\)|[^\n]*)", re.MULTILINE)


class Decorator(Protocol):
    """A decorator that compiles a function and keeps its type."""

    def __call__(self, function: _F, /) -> _F:
        """Return the compiled function."""
        ...


class CacheError(Exception):
    """A cache file that cannot be used; the sentence says why."""


class _CacheFiles(IndexDataCacheFile):
    """A kernel's index, from signatures to names of data files, and these files."""

    def load(self, key: Any) -> Any:
        """The compiled kernel of a signature, or None."""
        name = self._overloads().get(key)
        path = os.path.join(self._cache_path, name or "")
        found = self._read(path) if name else None
        if found is None:
            return None
        if found[0] != key:
            raise CacheError(f"{path} holds another kernel")
        return found[1]

    def save(self, key: Any, data: Any) -> None:
        """Write the data before the index that names it: a process may be killed in between."""
        try:
            overloads = self._overloads()
        except CacheError:
            overloads = {}
        names = (self._data_name_pattern.format(number=i) for i in range(1, len(overloads) + 2))
        name = overloads.get(key) or next(name for name in names if name not in overloads.values())
        self._write(os.path.join(self._cache_path, name), (key, data))
        self._write(self._index_path, overloads | {key: name})

    def _save_index(self, overloads: Any) -> None:
        self._write(self._index_path, overloads)

    def _overloads(self) -> dict[Any, str]:
        return self._read(self._index_path) or {}

    def _read(self, path: str) -> Any:
        """What was written under this name from the same sources, or None."""
        try:
            content = Path(path).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise CacheError(f"{path} cannot be read ({error.strerror})") from None
        if content[:1] == b"\x80":  # Numba's own form, as it was before
            return None
        magic, stamp, digest = (content[a:b] for a, b in pairwise((0, len(MAGIC), len(MAGIC) + DIGEST, HEADER)))
        body = memoryview(content)[HEADER:]
        if magic != MAGIC or digest != _digest(path, stamp, body):
            raise CacheError(f"{path} is damaged")
        if stamp != self._source_stamp:
            return None
        try:
            return pickle.loads(body)
        except Exception as error:  # anything, as for a type that is no more
            raise CacheError(f"{path} cannot be unpickled ({error!r})") from None

    def _write(self, path: str, value: Any) -> None:
        body = _dumps(value)
        with self._open_for_write(path) as file:
            file.write(MAGIC + self._source_stamp + _digest(path, self._source_stamp, body) + body)


def _digest(path: str, stamp: bytes, body: bytes | memoryview) -> bytes:
    digest = hashlib.sha256(os.path.basename(path).encode() + b"\n" + stamp)
    digest.update(body)
    return digest.digest()


class _KernelCache(FunctionCache):
    """Numba's cache of one kernel that works around what it cannot use and says so once."""

    def __init__(self, function: Callable[..., Any]) -> None:
        parent: Any = super()  # Numba has no types
        parent.__init__(function)
        source = function.__code__.co_filename
        files = self._cache_file
        files.__class__ = _CacheFiles  # Numba makes it itself
        own = repr((numba.__version__, files._source_stamp)).encode()
        files._source_stamp = hashlib.sha256(own + imported_digest(source)).digest()
        if not private(self._cache_path, source):
            self._cache_path = own_folder(source)
            made: Any = _CacheFiles
            self._cache_file = made(self._cache_path, self._impl.filename_base, files._source_stamp)
            if not private(self._cache_path, source):
                raise CacheError(f"others may write {self._cache_path}")

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The compiled kernel, or None where it is to be compiled."""
        parent: Any = super()
        try:
            return parent.load_overload(sig, target_context)
        except Exception as error:  # Numba's, where it makes no kernel of what it reads
            what = str(error) if isinstance(error, CacheError) else f"{self._cache_file._index_path} ({error!r})"
            _warn(f"{what}; the kernel is compiled anew")
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Write the compiled kernel."""
        parent: Any = super()
        try:
            parent.save_overload(sig, data)
        except OSError as error:
            _warn(f"{self._cache_path} cannot be written ({error.strerror}); each process compiles its kernels")


def _warn(sentence: str) -> None:
    """Log the first trouble with the cache; the next ones are of the same kind, often one for each kernel."""
    if not _warned:
        _warned.append(sentence)
        log.warning("hardwire: cache of compiled kernels: %s", sentence)


@cache
def own_folder(source: str) -> str:
    """A folder of this user alone for the kernels of sources that lie where others may write."""
    place = hashlib.sha256(os.path.dirname(os.path.abspath(source)).encode()).hexdigest()[:16]
    folder = user_cache_path("hardwire") / "kernels" / place
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CacheError(f"{folder} cannot be made ({error.strerror})") from None
    return str(folder)


@cache
def private(folder: str, source: str) -> bool:
    """Whether nobody can write in a folder who could not as well write the source that is compiled.

    Its owner must be this user, root or the source's owner, and no others may write it; a group may if it has the
    owner's name, which is the user's own group.
    """
    if not hasattr(os, "geteuid"):  # pragma: no cover
        return True
    found = os.stat(folder)
    if found.st_uid not in (os.geteuid(), 0, os.stat(source).st_uid) or found.st_mode & stat.S_IWOTH:
        return False
    return not found.st_mode & stat.S_IWGRP or _own_group(found.st_uid, found.st_gid)


def _own_group(user: int, group: int) -> bool:
    import grp  # of POSIX alone
    import pwd

    try:
        return pwd.getpwuid(user).pw_name == grp.getgrgid(group).gr_name
    except KeyError:
        return False


@cache
def imported_digest(source: str) -> bytes:
    """SHA-256 over the package's files that a source file imports, directly or through others."""
    files, new = set[str](), {os.path.abspath(source)}
    while new:
        files |= new
        new = {target for file in new for target in _imports(file)} - files
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(f"{os.path.basename(file)} {len(_read(file))}\n".encode() + _read(file))
    return digest.digest()


@cache
def _read(file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError:  # a source that is no file, as in a notebook
        return b""


@cache
def _imports(file: str) -> set[str]:
    """The modules of the same package that a file's ``from`` lines name."""
    targets = set[str]()
    for dots, name, names in _IMPORT.findall(_read(file).decode(errors="replace")):
        place = file if dots else ROOT
        for _ in dots:
            place = os.path.dirname(place)
        place = os.path.join(place, *filter(None, name.split(".")))
        if os.path.isfile(f"{place}.py"):
            targets.add(f"{place}.py")
            continue
        inside = [os.path.join(place, part) for part in re.findall(r"\w+", re.sub(r"#.*", "", names))]
        targets.update(filter(os.path.isfile, [f"{part}{end}" for part in [place, *inside] for end in ENDS]))
    return targets


def _compiler(**options: Any) -> Decorator:
    def compiled(function: _F, /) -> _F:
        dispatcher = njit(**options)(function)
        if dispatcher is function:  # NUMBA_DISABLE_JIT
            return function
        try:
            dispatcher._cache = _KernelCache(function)
        except (CacheError, RuntimeError) as error:  # Numba's, where no folder can be written
            _warn(f"{error}; each process compiles its kernels")
        return cast(_F, dispatcher)

    return compiled


#: For functions that Python calls.
jit: Decorator = _compiler(**_OPTIONS)
#: For functions that kernels alone call. A call from Python would end the process; ``.py_func`` is the plain function.
inner: Decorator = _compiler(**_INNER)
#: For the innermost functions: a call would cost more than their work, and pass vectors through memory.
inlined: Decorator = _compiler(**_OPTIONS, forceinline=True)
#: The same for functions that kernels alone call.
inner_inlined: Decorator = _compiler(**_INNER, forceinline=True)
