"""A killed run of each hardware resumes to the bits of one that was never killed; a second writer is refused."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from hardwire.core.errors import InputError
from hardwire.core.settings import Settings
from hardwire.crossbar import settings as crossbar
from hardwire.logic.settings import LogicSettings
from hardwire.runs.directory import RunDirectory
from hardwire.runs.experiment import train
from hardwire.spiking.settings import SpikingSettings
from hardwire.spiking.settings import preset as spiking_preset
from hardwire.workflow.hardwares import hardware_named

ONE_SIDED = SpikingSettings(dataset="digits", outputs=40, epochs=2, ltp=0.03, ltd=0.006, check_every=50, evaluate_every=400,
                            method="soft", prune=0.5, cells="digital", bits=4)
RUNS = {
    "logic": ("logic", LogicSettings(width=100, layers=2, levels=2, steps=500, batch=32, evaluate_every=50, noise=0.5)),
    "crossbar": ("crossbar", crossbar.preset("digits").changed(hidden=[12], epochs=3, samples=300, transfer_every=100,
                                                               variants=["hybrid", "float"])),
    "spiking": ("spiking", ONE_SIDED),
    "triplet": ("spiking", spiking_preset("digits", "triplet").changed(outputs=20, norm=20.0, steps=80,
                                                                     evaluate_every=300, check_every=50)),
}
#: Writes a checkpoint after every unit, so that a kill often meets one that is being written; the power stays on.
TRAIN = """
import os
import sys
from hardwire.crossbar import training
from hardwire.runs import experiment
from hardwire.workflow.hardwares import hardware_named
training.CHUNK = 70
experiment.CHECKPOINT_SECONDS = 0.0
os.fsync = lambda file: None
hardware = hardware_named(sys.argv[1])
print("ready", flush=True)
experiment.train(hardware, hardware.settings.load(sys.argv[2] + ".toml"), sys.argv[2], resume=True)
"""

needs_sigkill = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")


@pytest.fixture(scope="module", params=[*list(RUNS)[:2], *(pytest.param(name, marks=pytest.mark.slow) for name in list(RUNS)[2:])])
def undisturbed(request, tmp_path_factory) -> tuple[str, Settings, Path]:
    """A run that was not disturbed: hardware, settings, directory."""
    name, settings = RUNS[request.param]
    out = tmp_path_factory.mktemp(request.param) / "undisturbed"
    train(hardware_named(name), settings, out)
    return name, settings, out


def start(name: str, out: Path) -> subprocess.Popen:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, "-c", TRAIN, name, str(out)], stderr=subprocess.PIPE, stdout=subprocess.PIPE,
                            env=environment)


def kill_after(process: subprocess.Popen, out: Path, evaluations: int, delay: float) -> bool:
    """SIGKILL ``delay`` seconds after so many more evaluations were written; whether the process was still training."""
    before, limit = evaluations_of(out), time.monotonic() + 240
    while evaluations_of(out) < before + evaluations or not (out / "checkpoint.safetensors").exists():
        if process.poll() is not None:
            assert process.returncode == 0, process.stderr.read().decode()
            return False
        assert time.monotonic() < limit
        time.sleep(0.001)
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return process.returncode == -signal.SIGKILL


def evaluations_of(out: Path) -> int:
    return len((out / "metrics.jsonl").read_text().splitlines()) if (out / "metrics.jsonl").exists() else 0


def check_same_run(out: Path, other: Path) -> None:
    one, two = (RunDirectory(p).read_model() for p in (out, other))
    assert one.tensors.keys() == two.tensors.keys() and one.settings == two.settings
    assert all(np.array_equal(one.tensors[k], two.tensors[k], equal_nan=one.tensors[k].dtype.kind == "f") for k in one.tensors)
    curves = [[{k: v for k, v in json.loads(line).items() if k != "seconds"}
               for line in (p / "metrics.jsonl").read_text().splitlines()] for p in (out, other)]
    assert curves[0] == curves[1] and len(curves[0]) > 1
    left, due = ({p.name for p in folder.iterdir()} for folder in (out, other))
    assert left == due and left - {"calibration.json"} == {".lock", "config.toml", "metrics.jsonl", "model.safetensors"}


def kill_and_resume(tmp_path: Path, undisturbed, moments: list[tuple[int, float]]) -> None:
    name, settings, whole = undisturbed
    out = tmp_path / "run"
    (tmp_path / "run.toml").write_text(settings.to_toml())
    kills = sum(kill_after(start(name, out), out, evaluations, delay) for evaluations, delay in moments)
    assert kills >= 1
    process = start(name, out)
    said = process.communicate()[1].decode()
    assert process.returncode == 0, said
    check_same_run(out, whole)


@needs_sigkill
def test_killed_and_resumed_is_as_never_killed(tmp_path, undisturbed):
    kill_and_resume(tmp_path, undisturbed, [(1, 0.003)])


@needs_sigkill
@pytest.mark.slow
def test_killed_at_many_moments(tmp_path, undisturbed):
    kill_and_resume(tmp_path, undisturbed, [(1, 0.0), (1, 0.001), (1, 0.02), (1, 0.007), (0, 0.031), (0, 0.003)])


@pytest.mark.parametrize("name, settings", RUNS.values(), ids=RUNS)
def test_a_second_writer_is_refused(tmp_path, name, settings):
    with RunDirectory(tmp_path).claim(), pytest.raises(InputError) as refused:
        train(hardware_named(name), settings, tmp_path)
    assert f"{tmp_path} is being written by process {os.getpid()} on " in str(refused.value)
    assert "wait for it, or choose another folder" in str(refused.value) and not (tmp_path / "config.toml").exists()


@pytest.mark.slow
@needs_sigkill
def test_a_second_process_is_refused(tmp_path):
    name, settings = "logic", RUNS["logic"][1].changed(steps=100_000)
    (tmp_path / "run.toml").write_text(settings.to_toml())
    first = start(name, tmp_path / "run")
    limit = time.monotonic() + 120
    while not evaluations_of(tmp_path / "run") and time.monotonic() < limit:
        time.sleep(0.01)
    second = start(name, tmp_path / "run")
    said = second.communicate()[1].decode().splitlines()
    first.kill()
    first.communicate()
    assert second.returncode != 0 and f"is being written by process {first.pid} on " in said[-1]


@pytest.mark.parametrize("stage", ["write", "rename"])
@pytest.mark.parametrize("step", [1, 60, 101])
def test_a_stop_inside_any_checkpoint(tmp_path, monkeypatch, stage, step):
    """The same without chance: the process stops between the steps of writing checkpoint number ``step``."""
    from hardwire.core import files
    from hardwire.runs import experiment

    hardware, settings = hardware_named("logic"), LogicSettings(width=60, layers=2, levels=2, steps=120, evaluate_every=20, batch=32)
    seen = []

    def stop(source, target, do=os.replace):
        seen.append(str(target).endswith("checkpoint.safetensors"))
        if sum(seen) == step and seen[-1]:
            if stage == "rename":
                do(source, target)
            raise KeyboardInterrupt
        do(source, target)

    out = tmp_path / "run"
    monkeypatch.setattr(files.os, "replace", stop)
    monkeypatch.setattr(experiment, "CHECKPOINT_SECONDS", 0.0)
    with pytest.raises(KeyboardInterrupt):
        train(hardware, settings, out)
    monkeypatch.undo()
    train(hardware, settings, out, resume=True)
    train(hardware, settings, tmp_path / "whole")
    check_same_run(out, tmp_path / "whole")
