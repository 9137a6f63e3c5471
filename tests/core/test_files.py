"""Files are written aside under names that nobody can guess, synchronised, and renamed; what was killed is cleaned."""

import fcntl
import os
import subprocess
import sys
import threading

import pytest

from hardwire.core import files
from hardwire.core.errors import InputError
from hardwire.core.files import remove_leftovers, write_bytes, write_text

PART = "model.0123456789abcdef.part"


def names(folder):
    return sorted(os.listdir(folder))


def test_a_planted_link_is_not_followed(tmp_path, monkeypatch):
    """Neither with the name of before, which was the process's number, nor where the random name is known."""
    victim, target = tmp_path / "victim", tmp_path / "folder" / "model"
    victim.write_text("precious")
    target.parent.mkdir()
    os.symlink(victim, target.with_name(f"model.{os.getpid()}.part"))
    write_bytes(target, b"content")
    assert target.read_bytes() == b"content" and victim.read_text() == "precious"
    monkeypatch.setattr(files.secrets, "token_hex", lambda size: "0123456789abcdef")
    os.symlink(victim, target.with_name(PART))
    with pytest.raises(InputError, match="cannot write"):
        write_bytes(target, b"other")
    assert victim.read_text() == "precious" and target.with_name(PART).is_symlink()


def test_a_link_in_the_target_s_place_is_replaced(tmp_path):
    (tmp_path / "victim").write_text("precious")
    os.symlink(tmp_path / "victim", tmp_path / "model")
    write_bytes(tmp_path / "model", b"content")
    assert (tmp_path / "victim").read_text() == "precious" and not (tmp_path / "model").is_symlink()


def test_names_are_random(tmp_path, monkeypatch):
    seen, real = [], os.replace
    monkeypatch.setattr(files.os, "replace", lambda a, b: (seen.append(a.name), real(a, b)))
    for _ in range(20):
        write_bytes(tmp_path / "model", b"x")
    assert len(set(seen)) == 20 and all(files.PART.search(name) for name in seen)


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_permissions_are_as_the_umask_says_and_are_kept(tmp_path, mask):
    before = os.umask(mask)
    try:
        write_bytes(tmp_path / "new", b"x")
        assert (tmp_path / "new").stat().st_mode & 0o777 == 0o666 & ~mask
        (tmp_path / "old").write_bytes(b"x")
        (tmp_path / "old").chmod(0o640)
        write_bytes(tmp_path / "old", b"y")
        assert (tmp_path / "old").stat().st_mode & 0o777 == 0o640
    finally:
        os.umask(before)


def test_the_file_is_synchronised_before_it_is_renamed_and_its_folders_after(tmp_path, monkeypatch):
    seen, real = [], os.replace

    def sync(file):
        seen.append("file" if os.path.isfile(f"/dev/fd/{file}") else os.path.basename(os.readlink(f"/proc/self/fd/{file}")))

    monkeypatch.setattr(files.os, "fsync", sync)
    monkeypatch.setattr(files.os, "replace", lambda a, b: (seen.append("rename"), real(a, b)))
    write_bytes(tmp_path / "one" / "two" / "model", b"x")
    assert seen == [tmp_path.name, "one", "file", "rename", "two"]
    seen.clear()
    write_text(tmp_path / "curve", "x", durable=False)
    assert seen == ["rename"]


def test_a_file_system_that_cannot_synchronise_folders(tmp_path, monkeypatch):
    def refuse(file):
        if os.path.isdir(f"/proc/self/fd/{file}"):
            raise OSError(22, "Invalid argument")

    monkeypatch.setattr(files.os, "fsync", refuse)
    assert write_bytes(tmp_path / "new" / "model", b"x").read_bytes() == b"x"


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, failing):
    write_bytes(tmp_path / "model", b"old")

    def full(*given):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, failing, full)
    with pytest.raises(InputError, match="No space left on device"):
        write_bytes(tmp_path / "model", b"new")
    monkeypatch.setattr(files.os, failing, lambda *given: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        write_bytes(tmp_path / "model", b"new")
    assert names(tmp_path) == ["model"] and (tmp_path / "model").read_bytes() == b"old"


@pytest.mark.parametrize("name", ["x" * 250, "é" * 120])
def test_a_name_of_any_length_that_the_system_takes(tmp_path, name):
    assert write_bytes(tmp_path / name, b"x").read_bytes() == b"x" and names(tmp_path) == [name]


def test_what_killed_processes_left_goes(tmp_path):
    code = ("import os, signal, sys; from hardwire.core import files; "
            "files.os.fsync = lambda file: os.kill(os.getpid(), signal.SIGKILL); files.write_bytes(sys.argv[1], b'x' * 999)")
    for name in ("model", "other"):
        assert subprocess.run([sys.executable, "-c", code, tmp_path / name], check=False).returncode == -9
    kept = ["model.part", "model.12345.part", "x0123456789abcdef.part"]
    for name in kept:
        (tmp_path / name).touch()
    assert len(names(tmp_path)) == 5
    write_bytes(tmp_path / "model", b"new")
    assert len(names(tmp_path)) == 5 and (tmp_path / "model").read_bytes() == b"new"
    remove_leftovers(tmp_path)
    assert names(tmp_path) == sorted(["model", *kept])


def test_a_file_that_another_process_writes_is_no_leftover(tmp_path):
    with open(tmp_path / PART, "wb") as writing:
        fcntl.flock(writing, fcntl.LOCK_EX)
        write_bytes(tmp_path / "model", b"new")
        remove_leftovers(tmp_path)
        assert names(tmp_path) == sorted([PART, "model"])
    remove_leftovers(tmp_path)
    assert names(tmp_path) == ["model"]


def test_links_and_pipes_are_no_leftovers(tmp_path):
    (tmp_path / "victim").write_text("precious")
    os.symlink(tmp_path / "victim", tmp_path / PART)
    os.mkfifo(tmp_path / "pipe.0123456789abcdef.part")
    before = names(tmp_path)
    remove_leftovers(tmp_path)
    assert names(tmp_path) == before


def test_many_writers_of_one_file(tmp_path):
    """Each cleans up for the others, and none loses what it is writing."""
    contents, errors = [bytes([i]) * 5000 for i in range(6)], []

    def write(content):
        try:
            for _ in range(60):
                write_bytes(tmp_path / "model", content)
        except InputError as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(c,)) for c in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors and names(tmp_path) == ["model"] and (tmp_path / "model").read_bytes() in contents
