"""The one training shell, by a toy hardware: train, refuse, resume after SIGKILL, report and render."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from toy import TOY, Toy, ToySettings, ToyTraining, read_data

from hardwire.core.errors import FormatError, InputError
from hardwire.report import format_text, write_html
from hardwire.runs.directory import RunDirectory
from hardwire.runs.experiment import run, train
from hardwire.runs.record import Record

SETTINGS = ToySettings()


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("toy") / "run"
    events = []
    return train(TOY, SETTINGS, out, listen=events.append), out, events


def test_what_a_run_leaves(finished):
    model, out, _ = finished
    assert {p.name for p in out.iterdir()} == {"config.toml", "metrics.jsonl", "model.safetensors", ".lock"}
    assert ToySettings.load(out / "config.toml") == SETTINGS
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert lines == model.metrics and [m["sample"] for m in lines] == [400, 800, 1200, 1600, 2000]
    assert model.seconds > 0 and 0.5 < model.threshold < 0.75


def test_progress_is_told(finished):
    events = [e for e in finished[2] if e.figures]
    assert [e.position for e in events] == [400, 800, 1200, 1600, 2000]
    assert events[-1].total == 2000 and events[-1].seconds_left == 0 and events[0].unit == "sample"


def test_a_finished_run_is_refused_or_loaded(finished):
    model, out, _ = finished
    with pytest.raises(InputError, match="already holds a finished run of 2,000 samples; `--resume` reads it, another `--out` or `--overwrite` begins"):
        train(TOY, SETTINGS, out)
    assert train(TOY, SETTINGS, out, resume=True) == model
    assert train(TOY, SETTINGS.changed(device="elsewhere"), out, resume=True) == model
    with pytest.raises(InputError, match="was started with other settings: seed is 0 there and 1 now; leave them out"):
        train(TOY, SETTINGS.changed(seed=1), out, resume=True)


def test_an_unfinished_run_is_refused_without_resume(tmp_path):
    _stop_after(tmp_path, 700)
    with pytest.raises(InputError, match="already holds an interrupted run at sample 700 of 2,000; `--resume` goes on with it, another `--out` or"):
        train(TOY, SETTINGS, tmp_path)
    with pytest.raises(InputError, match=r"other settings: rate is 0\.05 there and 0\.1 now"):
        train(TOY, SETTINGS.changed(rate=0.1), tmp_path, resume=True)
    with pytest.raises(InputError, match="holds an interrupted run at sample 700 of 2,000; finish it with `--resume`"):
        RunDirectory(tmp_path).read_model()


def test_a_stopped_run_ends_like_one_that_was_not(tmp_path, finished):
    _stop_after(tmp_path, 700)
    model = train(TOY, SETTINGS, tmp_path, resume=True)
    assert model.threshold == finished[0].threshold
    assert [m["accuracy"] for m in model.metrics] == [m["accuracy"] for m in finished[0].metrics]


class Stop(Exception):
    pass


def _stop_after(out, position):
    training = ToyTraining(SETTINGS, read_data(SETTINGS, None))
    advance = training.advance

    def stopping():
        if training.position >= position:
            raise Stop
        return advance()

    training.advance = stopping
    with pytest.raises(Stop):
        run("toy", SETTINGS, training, out=out, checkpoint_seconds=0)


@pytest.mark.parametrize("kills", [3])
def test_resume_after_sigkill(tmp_path, kills):
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    command = [sys.executable, str(Path(__file__).with_name("toy.py"))]
    for _ in range(kills):
        process = subprocess.Popen([*command, str(killed)])
        before = (killed / "checkpoint.safetensors").stat().st_mtime_ns if (killed / "checkpoint.safetensors").exists() else 0
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            path = killed / "checkpoint.safetensors"
            if path.exists() and path.stat().st_mtime_ns > before:
                break
            time.sleep(0.01)
        time.sleep(0.1)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    subprocess.run([*command, str(killed)], check=True)
    subprocess.run([*command, str(whole)], check=True)
    a, b = (RunDirectory(p).read_model("toy") for p in (killed, whole))
    assert a.tensors["threshold"].tobytes() == b.tensors["threshold"].tobytes() and a.settings == b.settings
    assert not list(killed.glob("checkpoint*"))


def test_a_second_writer_is_refused(tmp_path):
    with RunDirectory(tmp_path).claim(), pytest.raises(InputError, match=rf"is being written by process {os.getpid()} on "):
        train(TOY, SETTINGS, tmp_path)
    assert isinstance(train(TOY, SETTINGS, tmp_path), Toy)


def test_another_hardware_is_refused(finished):
    with pytest.raises(InputError, match="is of hardware toy; give the directory of a logic run"):
        RunDirectory(finished[1]).read_model("logic")


@pytest.mark.parametrize("place", [9, 200, -1])
def test_an_altered_model_is_refused(finished, tmp_path, place):
    content = bytearray((finished[1] / "model.safetensors").read_bytes())
    content[place] ^= 1
    (tmp_path / "model.safetensors").write_bytes(content)
    with pytest.raises(FormatError, match=r"model\.safetensors"):
        RunDirectory(tmp_path).read_model()


def test_a_run_directory_of_before_is_refused(tmp_path):
    from safetensors.numpy import save_file

    save_file({}, tmp_path / "model.safetensors", {"kind": "model", "version": "1", "config": ""})
    with pytest.raises(FormatError, match="is no model of this program's version; train the network anew"):
        RunDirectory(tmp_path).read_model("logic")


def test_a_run_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="choose a folder that can be written"):
        train(TOY, SETTINGS, tmp_path / "file" / "run")


def test_without_a_directory():
    outcome = run("toy", SETTINGS, ToyTraining(SETTINGS, read_data(SETTINGS, None)))
    assert len(outcome.metrics) == 5
    with pytest.raises(InputError, match="resume needs a run directory"):
        run("toy", SETTINGS, ToyTraining(SETTINGS, read_data(SETTINGS, None)), resume=True)


def test_the_toy_reports_and_renders(finished):
    model, out, _ = finished
    record = TOY.record(model, read_data(SETTINGS, None), RunDirectory(out))
    record.save(out)
    assert Record.load(out) == record and record.verified["threshold"].passed
    assert "toy" in format_text(record.to_json(), folder=out)
    write_html(record.to_json(), out / "report.html")
    assert "halves" in (out / "report.html").read_text()
    for name in ("report.json", "report.html"):
        (out / name).unlink()


class Compiling(ToyTraining):
    """A toy whose first step would take a tenth of a second for compiling, unless it was prepared."""

    prepared = 0

    def prepare(self):
        time.sleep(0.3)
        self.prepared += 1


def test_compiling_is_no_training(tmp_path):
    """The clock starts when the kernels are there; what they took is kept, and adds up when a run is resumed."""
    data = read_data(SETTINGS, None)
    training = Compiling(SETTINGS, data)
    outcome = run("toy", SETTINGS, training, out=tmp_path / "run")
    kept = outcome.stored.values["run"]
    assert training.prepared == 1 and kept["compile_s"] >= 0.3
    assert outcome.seconds == kept["seconds"] and outcome.seconds < kept["compile_s"] + 10
    slow = run("toy", SETTINGS, ToyTraining(SETTINGS, data)).seconds
    assert outcome.seconds < slow + 0.25, "the clock ran while kernels were compiled"

    class Killed(Compiling):
        def advance(self):
            if self.position == 1000:
                raise KeyboardInterrupt
            return super().advance()

    with pytest.raises(KeyboardInterrupt):
        run("toy", SETTINGS, Killed(SETTINGS, data), out=tmp_path / "killed", checkpoint_seconds=0)
    resumed = run("toy", SETTINGS, Compiling(SETTINGS, data), out=tmp_path / "killed", resume=True)
    assert resumed.stored.values["run"]["compile_s"] >= 0.6
    assert resumed.stored.tensors["threshold"] == outcome.stored.tensors["threshold"]
    again = Compiling(SETTINGS, data)
    run("toy", SETTINGS, again, out=tmp_path / "killed", resume=True)
    assert again.prepared == 0  # a finished run is only read
