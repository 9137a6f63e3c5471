"""Signals: a verb ends with one sentence and its exit code, and so do the outside programs that it runs."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from hardwire.circuit import CircuitBuilder, save_circuit
from hardwire.core.errors import ToolError
from hardwire.core.programs import run_command

TOOL = "#!/bin/sh\nsleep 60 &\necho $! $$ >> {pids}\nwait\n"


def ended(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def wait_until(true, seconds=30.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.02)


#: The command line with SIGINT as in the foreground: in the background a shell has it ignored.
IN_FRONT = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from hardwire.cli import main
sys.exit(main())
"""


@pytest.mark.parametrize("name, code, word", [("SIGTERM", 143, "terminated"), pytest.param("SIGINT", 130, "interrupted", marks=pytest.mark.slow)])
def test_a_verb_and_its_tools_end(tmp_path, name, code, word):
    b = CircuitBuilder("small")
    b.output("y", b.node(0b1000, *b.input("x", 2)))
    circuit, pids, tool = save_circuit(b.build(), tmp_path / "small.net"), tmp_path / "pids", tmp_path / "tool"
    tool.write_text(TOOL.format(pids=pids))
    tool.chmod(0o755)
    fakes = dict.fromkeys(("HARDWIRE_CC", "HARDWIRE_IVERILOG", "HARDWIRE_YOSYS"), str(tool))
    with subprocess.Popen([sys.executable, "-c", IN_FRONT, "verify", circuit], stderr=subprocess.PIPE, text=True,
                          stdout=subprocess.DEVNULL, env=os.environ | fakes) as process:
        try:
            wait_until(lambda: pids.is_file() and pids.read_text().strip(), 120)  # kernels may have to be compiled
        except AssertionError:
            process.kill()
            raise
        process.send_signal(getattr(signal, name))
        start = time.monotonic()
        said = process.stderr.read().splitlines()
    assert (process.returncode, said[-1]) == (code, f"hardwire: {word}")
    assert time.monotonic() - start < 20 and not any("Traceback" in line for line in said)
    wait_until(lambda: all(ended(int(pid)) for pid in pids.read_text().split()))


@pytest.fixture
def heard():
    """SIGINT as in the foreground."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("number, code, word", [(signal.SIGTERM, 143, "terminated"), (signal.SIGINT, 130, "interrupted")])
def test_a_signal_is_an_exception_of_the_main_thread(ask, monkeypatch, heard, number, code, word):
    before = signal.getsignal(number)
    monkeypatch.setattr("hardwire.workflow.circuits.circuit_of", lambda path, **_: signal.raise_signal(number))
    assert ask("show", "x.net", code=code) == ("", f"hardwire: {word}\n")
    assert signal.getsignal(number) is before
    assert not [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer) and not thread.finished.is_set()]
    with pytest.raises(ToolError, match="exit code 1"):  # programs may run again
        run_command("False", ["false"], package="x")


def test_an_ignored_signal_stays_ignored(ask, monkeypatch):
    def interrupt(path, **_):
        signal.raise_signal(signal.SIGINT)
        raise OSError(28, "nothing happened")

    monkeypatch.setattr("hardwire.workflow.circuits.circuit_of", interrupt)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert "nothing happened" in ask("show", "x.net", code=2)[1]
    finally:
        signal.signal(signal.SIGINT, before)


#: A verb whose thread goes on, as a proof does.
STUBBORN = """
import os, signal, sys, time
from concurrent.futures import ThreadPoolExecutor
from hardwire.cli import app
app.GRACE = 0.3
def work(path, **_):
    with ThreadPoolExecutor() as pool:
        pool.submit(time.sleep, 30)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(30)
import hardwire.workflow.circuits
hardwire.workflow.circuits.circuit_of = work
sys.argv = ["hardwire", "show", "x.net"]
sys.exit(app.main())
"""


def test_a_thread_that_goes_on_does_not_hold_a_verb_up():
    start = time.monotonic()
    done = subprocess.run([sys.executable, "-c", STUBBORN], stderr=subprocess.PIPE, text=True, timeout=25)
    assert (done.returncode, done.stderr) == (143, "hardwire: terminated\n") and time.monotonic() - start < 25
