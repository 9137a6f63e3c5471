import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

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


#: Starts a child that sleeps beside it, names both, and sleeps.
FAMILY = "sleep 60 & echo $! > child; echo $$ > tool; wait"


def alive(pid):
    """Whether a process runs; one that has ended and that nobody has waited for does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def pids(folder):
    """Numbers of the tool and of its child, once both are written."""
    wait_until(lambda: all((folder / name).is_file() and (folder / name).read_text().strip() for name in ("child", "tool")))
    return [int((folder / name).read_text()) for name in ("child", "tool")]


def wait_until(true, seconds=10):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.01)


def test_timeout_kills_the_whole_group(places):
    script(places / "path", "fake-tool", FAMILY)
    with pytest.raises(ToolError, match="did not finish"):
        run(FAKE, [], cwd=places, timeout=0.3)
    both = pids(places)
    wait_until(lambda: not any(map(alive, both)))


def test_a_child_that_outlives_its_tool_is_killed_and_not_waited_for(places):
    script(places / "path", "fake-tool", "sleep 60 & echo $! > child; echo $$ > tool; echo done")
    start = time.monotonic()
    assert run(FAKE, [], cwd=places) == "done\n"
    assert time.monotonic() - start < 5
    wait_until(lambda: not any(map(alive, pids(places))))


def test_a_tool_that_closes_its_output_is_waited_for(places):
    script(places / "path", "fake-tool", "echo early; exec >&- 2>&-; sleep 0.2; echo x > out")
    assert run(FAKE, [], cwd=places, produces=[places / "out"]) == "early\n"
    script(places / "path", "fake-tool", "exec >&- 2>&-; sleep 60")
    with pytest.raises(ToolError, match="did not finish"):
        run(FAKE, [], timeout=0.2)


def test_long_output_keeps_its_ends(places, monkeypatch):
    monkeypatch.setattr(tools, "KEPT", 10_000)
    script(places / "path", "fake-tool", "echo first; yes no | head -c 999999; echo last")
    said = run(FAKE, [])
    assert said.startswith("first\nno\n") and said.endswith("no\nlast\n") and len(said) < 100_000
    left = int(said.partition("\n... ")[2].partition(" bytes are left out")[0])
    assert len(said) - len(f"\n... {left} bytes are left out here ...\n") + left == 1_000_010


def test_endless_output_ends_the_tool(places, monkeypatch):
    monkeypatch.setattr(tools, "FLOOD", 5 << 20)
    script(places / "path", "fake-tool", "echo $$ > tool; yes & echo $! > child; wait")
    start = time.monotonic()
    with pytest.raises(ToolError, match=r"^Fake wrote more than 5 MiB of output and was ended; it began: y$"):
        run(FAKE, [], cwd=places)
    assert time.monotonic() - start < 10
    both = pids(places)
    wait_until(lambda: not any(map(alive, both)))


def test_a_long_line_is_cut_in_the_message(places):
    script(places / "path", "fake-tool", "yes | tr -d '\\n' | head -c 100000; exit 1")
    with pytest.raises(ToolError) as info:
        run(FAKE, [])
    assert len(str(info.value)) < 1000


def test_a_product_that_cannot_be_removed(places):
    (places / "out").mkdir()
    script(places / "path", "fake-tool", "true")
    with pytest.raises(ToolError, match=r"^Fake is to write .*out, which cannot be removed first"):
        run(FAKE, [], produces=[places / "out"])


def test_end_all_ends_the_tools_of_other_threads_and_starts_no_other(places):
    script(places / "path", "fake-tool", FAMILY)
    with ThreadPoolExecutor(1) as pool:
        first, second = (pool.submit(run, FAKE, [], cwd=places) for _ in range(2))
        both = pids(places)
        tools.end_all()
        try:
            for done, says in ((first, "was ended with the command"), (second, "was not started")):
                with pytest.raises(ToolError, match=says):
                    done.result(10)
        finally:
            tools.allow()
    wait_until(lambda: not any(map(alive, both)))
    script(places / "path", "fake-tool", "echo again")
    assert run(FAKE, []) == "again\n"


#: Runs the tool in a thread and ends as the last word says.
OWNER = """
import os, signal, sys, threading, time
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # where the tests run in the background they are ignored
signal.signal(signal.SIGINT, signal.default_int_handler)
from hardwire.core.programs import run_command
thread = threading.Thread(target=run_command, args=("Fake", ["./tool.sh"]), kwargs={"package": "x"}, daemon=True)
thread.start()
while not (os.path.exists("tool") and open("tool").read()):
    time.sleep(0.01)
{end}
time.sleep(60)
"""


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="groups of processes are of POSIX")
@pytest.mark.parametrize("end", ["sys.exit(0)", "raise ValueError", "os._exit(1)", "SIGTERM", "SIGINT", "SIGKILL", "SIGSEGV", "SIGHUP"])
def test_no_tool_outlives_this_process(tmp_path, end):
    script(tmp_path, "tool.sh", FAMILY)
    owner = subprocess.Popen([sys.executable, "-c", OWNER.replace("{end}", "" if end.startswith("SIG") else end)], cwd=tmp_path,
                             stderr=subprocess.DEVNULL)
    both = pids(tmp_path)
    if end.startswith("SIG"):
        owner.send_signal(getattr(signal, end))
    owner.wait(10)
    wait_until(lambda: not any(map(alive, both)))


def test_every_process_of_the_package_is_started_here():
    root = Path(tools.__file__).parents[1]
    starts = re.compile(r"\b(subprocess|multiprocessing|os\.(system|popen|exec\w*|spawn\w*|posix_spawn\w*|fork)|ProcessPoolExecutor)\b")
    found = {str(p.relative_to(root)) for p in root.rglob("*.py") if starts.search(p.read_text(encoding="utf-8"))}
    assert found == {"core/programs.py"}
