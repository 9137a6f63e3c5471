"""Two writers of one run directory: the second is refused or waits, and nothing that either wrote is lost."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from test_data_of_runs import TINY

from hardwire.cli.demo import DEMO, clear_demo
from hardwire.core.errors import InputError
from hardwire.logic import LogicSettings
from hardwire.logic.record import LOGIC
from hardwire.runs.directory import OPTIMIZED, RunDirectory
from hardwire.runs.experiment import train
from hardwire.spiking import contenders
from hardwire.spiking.settings import SpikingSettings
from hardwire.workflow import report
from hardwire.workflow.logic import lower_run, optimize_run, verify_run
from hardwire.workflow.report import report_run

REFUSED = rf"is being written by process {os.getpid()} on .*; wait for it, or choose another folder"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("two") / "run"
    train(LOGIC, LogicSettings(**TINY), out)
    lower_run(out)
    optimize_run(out)
    return out


@pytest.fixture
def out(made, tmp_path):
    return Path(shutil.copytree(made, tmp_path / "run"))


@pytest.mark.parametrize("verb", [lower_run, optimize_run], ids=["lower", "optimize"])
def test_a_second_writer_is_refused(out, verb):
    before = {p.name: p.read_bytes() for p in out.iterdir() if p.suffix}
    with RunDirectory(out).claim(), pytest.raises(InputError, match=REFUSED):
        verb(out)
    assert {p.name: p.read_bytes() for p in out.iterdir() if p.suffix} == before
    verb(out)


def test_optimising_keeps_others_out_till_it_ends(out):
    """Lowering in between would have made the circuit anew that it works on."""
    met = []

    def meanwhile(text):
        with pytest.raises(InputError, match=REFUSED):
            lower_run(out)
        met.append(text)

    optimize_run(out, progress=meanwhile)
    assert met and (out / OPTIMIZED).exists()


def test_a_report_waits(out, monkeypatch):
    directory, claimed, seconds = RunDirectory(out), threading.Event(), []

    def write():
        with directory.claim():
            claimed.set()
            time.sleep(0.3)
            seconds.append(time.monotonic())

    thread = threading.Thread(target=write)
    thread.start()
    claimed.wait()
    report_run(out)
    thread.join()
    assert (out / "report.json").stat().st_size and time.monotonic() > seconds[0]
    monkeypatch.setattr(report, "PATIENCE", 0.05)
    with RunDirectory(out).claim(), pytest.raises(InputError, match=REFUSED):
        report_run(out)


NOTE = """
import os, sys
os.fsync = lambda file: None
from hardwire.runs.directory import RunDirectory
for i in range(40):
    RunDirectory(sys.argv[1]).note_step(f"{sys.argv[2]}-{i}", {"seconds": 1.0})
"""


def test_no_note_is_lost(out):
    """Each reads all notes and writes them with its own."""
    started = [subprocess.Popen([sys.executable, "-c", NOTE, str(out), name]) for name in "ab"]
    assert [process.wait(120) for process in started] == [0, 0]
    assert {f"{name}-{i}" for name in "ab" for i in range(40)} | {"lower", "optimize"} == RunDirectory(out).steps().keys()


def test_verify_notes_beside_a_claim(out, monkeypatch):
    """What took minutes to prove is not lost because something else writes at this moment."""
    monkeypatch.setattr("hardwire.workflow.logic.verify_circuit", lambda circuit, **more: {})
    with RunDirectory(out).claim():
        verify_run(out)
    assert "verify" in RunDirectory(out).steps()


def test_an_optimisation_that_was_killed_before_its_note(out):
    before = (out / "steps.json").read_bytes()
    optimize_run(out, budget=0.05)
    (out / "steps.json").write_bytes(before)
    with pytest.raises(InputError, match="was left while it was optimised; run `hardwire optimize"):
        verify_run(out)


def test_a_demo_that_runs_is_not_emptied(tmp_path):
    (tmp_path / DEMO).touch()
    (tmp_path / "file").touch()
    with RunDirectory(tmp_path).claim(), pytest.raises(InputError, match=REFUSED):
        clear_demo(tmp_path)
    assert (tmp_path / "file").exists()
    clear_demo(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [DEMO]


ROW = {"validation": 0.5, "test": 0.5, "updates": 1, "pulses": 1,
       "readouts": {"validation": {}, "test": {"bayes": 0.5, "linear": 0.5}}}


def test_contenders_of_two_processes_are_all_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(contenders, "contender", lambda settings, dataset, whole: settings)
    monkeypatch.setattr(contenders, "figures", lambda settings, dataset: time.sleep(0.01) or dict(ROW))

    def run(first):
        contenders.run_contenders(SpikingSettings(seed=first), None, tmp_path, shares=[0.4, 0.6, 0.8], seeds=3)

    threads = [threading.Thread(target=run, args=(first,)) for first in (0, 100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = [json.loads(line) for line in (tmp_path / contenders.RESULTS).read_text().splitlines()]
    assert len({(r["method"], r["prune"], r["seed"]) for r in rows}) == len(rows) == 2 * 3 * (1 + 4 * 3)
