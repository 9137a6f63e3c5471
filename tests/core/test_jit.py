"""Kernels compiled by the house's decorators: what their cache on disk survives."""

import importlib.util
import os
import pickle
import shutil
import subprocess
import sys
import textwrap
import types
from pathlib import Path

import numba
import numpy as np
import pytest

from hardwire.core import jit as house


def kernel(name: str) -> str:
    """A module whose cached kernel has a type called ``name`` in its signature; the kernel stays on its line."""
    return textwrap.dedent(f"""
        import sys
        from typing import NamedTuple
        from hardwire.core.jit import jit

        class {name}(NamedTuple):
            a: int

        @jit
        def double(pair):
            return 2 * pair.a

        sys.stdout.write(str(double({name}(21))))
        """)


def test_a_cache_that_names_a_type_of_before_is_made_anew(tmp_path):
    module = tmp_path / "module.py"
    for name in ("Before", "After", "After"):
        module.write_text(kernel(name), encoding="utf-8")
        done = subprocess.run([sys.executable, module], capture_output=True, text=True, check=True,
                              env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "cache")})
        assert done.stdout == "42"
    assert list((tmp_path / "cache").rglob("*.nbi"))


@house.inner
def _square(x):
    return x * x


@house.inner_inlined
def _cube(x):
    return x * _square(x)


@house.jit
def _both(x):
    return _square(x) + _cube(x)


@pytest.mark.parametrize("x", [3, 0.5])
def test_inner_functions_are_called_by_kernels(x):
    assert _both(x) == x * x + x**3


def test_divisions_are_those_of_numpy():
    @house.inlined
    def divide(a, b):
        return a / b

    assert divide(1.0, 0.0) == np.inf


TWICE = "from hardwire.core.jit import jit\n\n@jit\ndef twice(x):\n    return 2 * x\n"


@pytest.fixture
def load(tmp_path, monkeypatch, caplog):
    """``load()`` imports ``module.py`` of a folder anew, with its cache in another one, as a new process would."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(house, "_warned", [])
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)

    def call(text=TWICE):
        for memory in (house.private, house.own_folder, house.imported_digest, house._read, house._imports):
            memory.cache_clear()
        house._warned.clear()
        caplog.clear()
        path = tmp_path / "module.py"
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
        spec = importlib.util.spec_from_file_location("module", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return call


def hits(kernel):
    return sum(kernel.stats.cache_hits.values())


def files(tmp_path, ending):
    return sorted((tmp_path / "cache").rglob(f"*.{ending}"))


def test_a_sound_cache_is_used_without_a_word(load, caplog):
    for n, x in ((0, 21), (1, 21), (0, 1.5), (1, 1.5)):  # a second signature is kept beside the first
        kernel = load().twice
        assert kernel(x) == 2 * x and hits(kernel) == n and not caplog.messages


def damaged(content: bytes):
    """A cache file as a crash, a bad disk or a stranger may leave it."""
    yield b""
    yield from (content[:n] for n in (40, len(content) - 1))
    yield b"garbage" * 100
    for at in (20, 60, len(content) // 2):
        yield content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


@pytest.mark.parametrize("ending", ["nbi", "nbc"])
def test_a_damaged_file_is_said_and_made_anew(load, caplog, tmp_path, ending):
    load().twice(21)
    (path,) = files(tmp_path, ending)
    sound = path.read_bytes()
    for wrong in damaged(sound):
        path.write_bytes(wrong)
        kernel = load().twice
        assert kernel(21) == 42 and hits(kernel) == 0
        assert len(caplog.messages) == 1 and "is damaged; the kernel is compiled anew" in caplog.messages[0], wrong[:20]
        assert str(path) in caplog.messages[0] and "\n" not in caplog.messages[0]
        kernel = load().twice
        assert kernel(21) == 42 and hits(kernel) == 1 and not caplog.messages


def test_a_file_of_another_kernel_is_refused(load, caplog, tmp_path):
    text = TWICE + "\n@jit\ndef thrice(x):\n    return 3 * x\n"
    module = load(text)
    assert (module.twice(21), module.thrice(21)) == (42, 63)
    for ending in ("nbc", "nbi"):
        thrice, twice = files(tmp_path, ending)
        assert "thrice" in thrice.name and "twice" in twice.name
        twice.write_bytes(thrice.read_bytes())
        assert load(text).twice(21) == 42 and "is damaged" in caplog.messages[0]


def test_the_data_of_another_signature_are_refused(load, caplog, tmp_path):
    module = load()
    module.twice(21), module.twice(1.5)
    first, second = files(tmp_path, "nbc")
    files_of = module.twice._cache._cache_file
    key, data = files_of._read(str(second))
    files_of._write(str(first), (key, data))  # as when two processes chose one name
    assert load().twice(21) == 42 and "holds another kernel" in caplog.messages[0]


def test_a_process_killed_between_two_writes_leaves_no_old_code(load, tmp_path):
    load().twice(21)
    old = files(tmp_path, "nbc")[0].read_bytes()
    text = TWICE.replace("2 * x", "3 * x") + "\n"  # another size too: a file system's clock is coarse
    load(text).twice(21)
    files(tmp_path, "nbc")[0].write_bytes(old)  # the index is of the new source
    assert load(text).twice(21) == 63


def test_what_cannot_be_unpickled_is_said_and_made_anew(load, caplog, tmp_path):
    class Gone:
        pass

    module = load()
    module.twice(21)
    cache_file = module.twice._cache._cache_file
    Gone.__qualname__, Gone.__module__ = "Gone", "module_that_is_gone"
    gone = types.ModuleType("module_that_is_gone")
    gone.Gone = Gone
    sys.modules["module_that_is_gone"] = gone
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(house, "_dumps", pickle.dumps)
        cache_file._write(cache_file._index_path, {Gone(): "x"})
    del sys.modules["module_that_is_gone"]
    assert load().twice(21) == 42
    assert len(caplog.messages) == 1 and "module_that_is_gone" in caplog.messages[0]
    assert hits(load().twice) == 0 and not caplog.messages


def test_numbas_own_files_are_made_anew(load, caplog, tmp_path):
    load().twice(21)
    (index,) = files(tmp_path, "nbi")
    index.write_bytes(pickle.dumps(numba.__version__, protocol=-1) + pickle.dumps((b"stamp", {})))
    assert load().twice(21) == 42 and not caplog.messages


def test_a_folder_that_others_may_write_is_not_read(load, caplog, tmp_path):
    load().twice(21)
    (folder,) = (tmp_path / "cache").iterdir()
    for mode, known in ((0o777, 0), (0o757, 1)):  # the user's own folder is taken, and used again
        folder.chmod(mode)
        kernel = load().twice
        assert kernel(21) == 42 and hits(kernel) == known and not caplog.messages
    (own,) = (tmp_path / "home").rglob("kernels/*")
    assert own.stat().st_mode & 0o777 == 0o700
    own.chmod(0o777)
    kernel = load().twice
    assert kernel(21) == 42 and hits(kernel) == 0
    assert len(caplog.messages) == 1 and f"others may write {own}" in caplog.messages[0]
    folder.chmod(0o700)
    kernel = load().twice
    assert kernel(21) == 42 and hits(kernel) == 1


def test_a_folder_of_another_user_is_not_private(tmp_path, monkeypatch):
    source = tmp_path / "source.py"
    source.write_text("")
    folder = tmp_path / "cache"
    folder.mkdir()
    found = {str(folder): (1234, 0o755), str(source): (os.geteuid(), 0o644)}
    monkeypatch.setattr(house.os, "stat", lambda p: types.SimpleNamespace(st_uid=found[str(p)][0], st_mode=found[str(p)][1], st_gid=77))
    check = house.private.__wrapped__
    assert not check(str(folder), str(source))
    found[str(source)] = (1234, 0o644)  # who owns the source may as well write that
    assert check(str(folder), str(source))
    found[str(folder)] = (1234, 0o775)
    assert not check(str(folder), str(source))
    monkeypatch.setattr(house, "_own_group", lambda user, group: (user, group) == (1234, 77))
    assert check(str(folder), str(source))


def test_no_folder_for_the_cache(load, caplog, monkeypatch):
    monkeypatch.setattr(house.FunctionCache, "__init__", refuse(RuntimeError("cannot cache function 'twice': no locator available")))
    assert load().twice(21) == 42
    assert len(caplog.messages) == 1 and "no locator" in caplog.messages[0] and "each process compiles" in caplog.messages[0]


def refuse(error):
    def call(*_, **__):
        raise error

    return call


def test_a_full_disk(load, caplog, monkeypatch, tmp_path):
    module = load()
    monkeypatch.setattr(house._CacheFiles, "_open_for_write", refuse(OSError(28, "No space left on device")))
    assert (module.twice(21), module.twice(1.5)) == (42, 3.0)
    assert len(caplog.messages) == 1 and "cannot be written (No space left on device)" in caplog.messages[0]
    assert not files(tmp_path, "nb*")


def test_a_folder_that_has_gone_is_made_again(load, caplog, tmp_path):
    load().twice(21)
    module = load()
    shutil.rmtree(tmp_path / "cache")
    assert module.twice(21) == 42 and not caplog.messages
    assert hits(load().twice) == 0 and files(tmp_path, "nbi")


CALLER = "from .inner.called import called\nfrom . import constants\nfrom hardwire.core.jit import jit\n\n@jit\ndef caller(x):\n    return called(x) + constants.N\n"
CALLED = "from hardwire.core.jit import inner\n\n@inner\ndef called(x):\n    return {} * x\n"


def test_changes_in_other_files_are_noticed(load, tmp_path, monkeypatch):
    """The kernel that is called and a constant lie in other files than the one that is cached."""
    load()
    package = tmp_path / "package"
    (package / "inner").mkdir(parents=True)
    (package / "inner" / "__init__.py").write_text("")
    (package / "__init__.py").write_text("")
    (package / "caller.py").write_text(CALLER)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # Python itself misses changes within a second
    for factor, constant, value, cached in ((2, 0, 20, 0), (2, 0, 20, 1), (3, 0, 30, 0), (3, 5, 35, 0), (3, 5, 35, 1)):
        (package / "inner" / "called.py").write_text(CALLED.format(factor))
        (package / "constants.py").write_text(f"N = {constant}\n")
        for name in [name for name in sys.modules if name.split(".")[0] == "package"]:
            del sys.modules[name]
        load()  # forgets what was read
        caller = importlib.import_module("package.caller").caller
        assert (caller(10), hits(caller)) == (value, cached)


def test_imports_are_followed_through_the_package():
    search = Path(house.ROOT) / "hardwire" / "logic" / "search"
    found = {os.path.relpath(path, search) for path in house._imports(str(search / "kernels" / "commit.py"))}
    assert {"arrays.py", "kernels/area.py", "kernels/cone.py", "../../core/simd.py"} <= found
