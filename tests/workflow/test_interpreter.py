"""`hardwire train` whole on the GPU's kernels, by Triton's interpreter: killed, resumed, and the CPU's curve."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from test_resume import kill_after, needs_sigkill

from hardwire.logic.settings import LogicSettings
from hardwire.runs.directory import RunDirectory

pytestmark = [pytest.mark.slow, needs_sigkill, pytest.mark.skipif(not find_spec("triton"), reason="triton is not installed")]

DENSE = LogicSettings(width=40, layers=2, levels=1, steps=8, evaluate_every=2, batch=16, learning_rate=0.05)
CONVOLUTIONAL = DENSE.changed(channels=[4], receptive_fields=[3], paddings=[0], channel_groups=[1], tree_depth=2, width=20, layers=1)
COMMAND = """
import sys
from hardwire.cli import main
from hardwire.runs import experiment
experiment.CHECKPOINT_SECONDS = 0.0
sys.exit(main(sys.argv[1:]))
"""


def command(settings: LogicSettings, out: Path, device: str) -> list[str]:
    path = out.with_suffix(".toml")
    path.write_text(settings.to_toml())
    return [sys.executable, "-c", COMMAND, "train", "digits", "--model", str(path), "--device", device, "--threads", "1",
            "--out", str(out), "--resume"]


def curve(out: Path) -> list[dict]:
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("settings", [DENSE, CONVOLUTIONAL], ids=["dense", "convolutional"])
def test_a_run_through_the_interpreter(settings, tmp_path):
    environment = {k: v for k, v in os.environ.items() if k != "TRITON_INTERPRET"}
    out, cpu = tmp_path / "interpreter", tmp_path / "cpu"
    process = subprocess.Popen(command(settings, out, "triton-interpreter"), stderr=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
    assert kill_after(process, out, 1, 0.05) and not RunDirectory(out).finished
    subprocess.run(command(settings, out, "triton-interpreter"), check=True, env=environment, capture_output=True)
    subprocess.run(command(settings, cpu, "cpu"), check=True, env=environment, capture_output=True)
    ours, theirs = curve(out), curve(cpu)
    assert [m["step"] for m in ours] == [m["step"] for m in theirs] == [2, 4, 6, 8]
    assert [m["loss"] for m in ours] == pytest.approx([m["loss"] for m in theirs], rel=1e-4, abs=1e-4)
    assert [m["hard"] for m in ours] == pytest.approx([m["hard"] for m in theirs], abs=0.015)
    assert [m["relaxed"] for m in ours] == pytest.approx([m["relaxed"] for m in theirs], abs=0.015)


def test_a_checkpoint_goes_from_one_device_to_another(tmp_path):
    out = tmp_path / "run"
    process = subprocess.Popen(command(DENSE, out, "triton-interpreter"), stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    assert kill_after(process, out, 2, 0.0)
    before = curve(out)
    subprocess.run(command(DENSE, out, "cpu"), check=True, capture_output=True)
    after = curve(out)  # the last evaluation before the kill may not be in a checkpoint, and is done again
    assert [m["step"] for m in after] == [2, 4, 6, 8] and RunDirectory(out).finished and len(before) >= 2
    assert [m["loss"] for m in before] == pytest.approx([m["loss"] for m in after[: len(before)]], rel=1e-4, abs=1e-4)
