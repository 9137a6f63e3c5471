import os
import time

import pytest

from hardwire.core import programs as tools
from hardwire.core.errors import MissingToolError, ToolError
from hardwire.core.programs import Tool, find, require, run

FAKE = Tool("Fake", "HARDWIRE_FAKE", ("fake-tool", "fake-too"), "the package fake", "fake-wheel")


def script(folder, name, text="echo ok"):
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def places(tmp_path, monkeypatch):
    """An empty PATH but for the shell's, and an empty folder beside Python."""
    wheel, on_path = tmp_path / "wheel", tmp_path / "path"
    wheel.mkdir()
    on_path.mkdir()
    monkeypatch.delenv(FAKE.variable, raising=False)
    monkeypatch.setattr(tools.sys, "executable", str(wheel / "python"))
    monkeypatch.setattr(tools.sysconfig, "get_path", lambda name: str(wheel))
    monkeypatch.setenv("PATH", os.pathsep.join([str(on_path), os.environ["PATH"]]))
    return tmp_path


def test_variable_before_path_before_wheel(places, monkeypatch):
    wheel = script(places / "wheel", "fake-wheel")
    assert find(FAKE) == wheel
    second = script(places / "path", "fake-too")
    assert find(FAKE) == second
    first = script(places / "path", "fake-tool")
    assert find(FAKE) == first
    given = script(places / "other", "mine")
    monkeypatch.setenv(FAKE.variable, given)
    assert find(FAKE) == given == require(FAKE)


def test_a_variable_that_names_nothing_is_an_error_not_a_fallback(places, monkeypatch):
    script(places / "path", "fake-tool")
    monkeypatch.setenv(FAKE.variable, str(places / "nowhere"))
    with pytest.raises(MissingToolError, match=r"HARDWIRE_FAKE names .*nowhere.*; correct or unset it"):
        find(FAKE)


def test_a_missing_tool_names_its_package(places):
    assert find(FAKE) is None
    with pytest.raises(MissingToolError, match="Fake was not found: install the package fake, or set HARDWIRE_FAKE"):
        run(FAKE, [])


def test_output_and_error_come_back_together(places):
    script(places / "path", "fake-tool", 'echo "$1"; echo "$2" >&2')
    assert run(FAKE, ["a b", 3]) == "a b\n3\n"


def test_exit_code(places):
    script(places / "path", "fake-tool", "echo one; echo two; echo three; echo four; exit 3")
    with pytest.raises(ToolError, match=r"Fake ended with exit code 3; it said: two \| three \| four$"):
        run(FAKE, [])


@pytest.mark.parametrize("text", ["true", ": > out", "mkdir out"])
def test_a_product_that_is_missing_or_empty(places, text):
    script(places / "path", "fake-tool", text)
    with pytest.raises(ToolError, match=r"Fake wrote no .*out"):
        run(FAKE, [], cwd=places, produces=[places / "out"])


def test_a_product_of_an_earlier_run_does_not_count(places):
    (places / "out").write_text("old")
    script(places / "path", "fake-tool", "true")
    with pytest.raises(ToolError, match="wrote no"):
        run(FAKE, [], produces=[places / "out"])


def test_a_product_that_is_there(places):
    script(places / "path", "fake-tool", "echo new > out")
    run(FAKE, [], cwd=places, produces=[places / "out"])
    assert (places / "out").read_text() == "new\n"


@pytest.mark.parametrize("text", ["exec sleep 20", "sleep 20; true"])
def test_timeout_ends_the_program_and_what_it_started(places, text):
    script(places / "path", "fake-tool", text)
    start = time.monotonic()
    with pytest.raises(ToolError, match=r"Fake did not finish within 0\.2 s"):
        run(FAKE, [], timeout=0.2)
    assert time.monotonic() - start < 5


def test_a_file_that_is_no_program(places, monkeypatch):
    path = places / "broken"
    path.write_bytes(b"\x7fELF nothing")
    path.chmod(0o755)
    monkeypatch.setenv(FAKE.variable, str(path))
    with pytest.raises(ToolError, match=r"Fake at .*broken cannot be run"):
        run(FAKE, [])


def test_output_that_is_no_text(places):
    script(places / "path", "fake-tool", r"printf '\377\376ok'")
    assert run(FAKE, []).endswith("ok")
