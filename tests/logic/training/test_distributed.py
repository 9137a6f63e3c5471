"""Two processes, really started, train as one does."""

import json
import multiprocessing
import os
import socket
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from interruptions import Stop, stop_at

from hardwire.core.errors import InputError
from hardwire.logic import LogicSettings, load_model, train
from hardwire.logic.training.distributed import Ranks, check_batch

CONFIG = LogicSettings(width=100, layers=3, levels=2, steps=40, evaluate_every=1, batch=50, gate_penalty=0.05, accumulate=2,
                augment="crop", learn_tau=True)


def train_job(job, digits) -> dict:
    try:
        result = train(LogicSettings(**job["config"]), digits, out=job.get("out"), resume=job.get("resume", False),
                       progress=stop_at(job.get("stop")), checkpoint_seconds=0)
    except InputError as error:
        return {"error": str(error)}
    weights = {k: v.flatten().tolist() for k, v in result.network.state_dict().items()}
    return {"metrics": result.metrics, "best_step": result.best_step, "weights": weights}


def worker(rank, world, port, folder, jobs, digits):
    os.environ.update(RANK=str(rank), WORLD_SIZE=str(world), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    torch.set_num_threads(1)
    with open(os.devnull, "w") as nowhere:  # gloo's complaint of a peer that is gone
        os.dup2(nowhere.fileno(), 2)
    try:
        found = [train_job(job, digits) for job in jobs]
    except Stop:
        os._exit(9)
    (folder / f"found{rank}").write_text(json.dumps(found))
    os._exit(0)


def start(folder, jobs, digits, world=2):
    """Run ``jobs`` in ``world`` processes; what each found, or its exit code where it ended early."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    fork = multiprocessing.get_context("fork")
    children = [fork.Process(target=worker, args=(r, world, port, folder, jobs, digits)) for r in range(world)]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*multi-threaded.*", DeprecationWarning)
        for child in children:
            child.start()
    for child in children:
        child.join(120)
        child.kill()
    paths = [folder / f"found{r}" for r in range(world)]
    return [json.loads(p.read_text()) if p.exists() else c.exitcode for p, c in zip(paths, children)]


@pytest.fixture(scope="module")
def settings():
    return CONFIG.model_dump()


@pytest.fixture(scope="module")
def one(digits):
    return train(CONFIG, digits)


@pytest.fixture(scope="module")
def two(settings, digits, tmp_path_factory):
    """Two processes: a run with a folder, the same without, a Gumbel run, and two mistakes."""
    folder = tmp_path_factory.mktemp("two")
    jobs = [{"config": settings, "out": str(folder / "run")}, {"config": settings},
            {"config": settings | {"estimator": "gumbel", "steps": 20}},
            {"config": settings, "out": str(folder / "run")}, {"config": settings | {"batch": 1}}]
    return folder, start(folder, jobs, digits)


def curve(metrics, key="loss"):
    return np.array([m[key] for m in metrics])


def test_the_loss_curve_is_that_of_one_process(two, one):
    for found in two[1]:
        assert len(found[0]["metrics"]) == 40
        assert np.abs(curve(found[0]["metrics"]) - curve(one.metrics)).max() < 1e-5
        assert np.abs(curve(found[0]["metrics"], "hard") - curve(one.metrics, "hard")).max() < 0.03


def test_all_ranks_and_all_runs_hold_the_same_bits(two):
    (a, b, *_), (c, d, *_) = two[1]
    assert a["weights"] == b["weights"] == c["weights"] == d["weights"] and a["best_step"] == c["best_step"]


def test_noise_is_the_same_on_all_ranks(two, digits):
    alone = train(CONFIG.changed(estimator="gumbel", steps=20), digits)
    assert two[1][0][2]["weights"] == two[1][1][2]["weights"]
    assert np.abs(curve(two[1][0][2]["metrics"]) - curve(alone.metrics)).max() < 1e-4


def test_mistakes_are_told_on_every_rank(two):
    for found in two[1]:
        assert "already holds a finished run" in found[3]["error"]
        assert "a batch of 1 samples cannot be shared by 2 processes" in found[4]["error"]


def test_the_run_directory_is_written_once(two):
    folder, found = two
    assert sorted(p.name for p in (folder / "run").iterdir()) == [".lock", "calibration.json", "config.toml", "metrics.jsonl", "model.safetensors"]
    weights = load_model(folder / "run").network.state_dict()
    assert {k: v.flatten().tolist() for k, v in weights.items()} == found[0][0]["weights"]


def test_a_run_that_is_stopped_resumes_to_the_same(two, settings, digits, tmp_path):
    """Rank 0 ends at step 17; its fellow notices."""
    job = {"config": settings, "out": str(tmp_path / "run")}
    code, other = start(tmp_path, [job | {"stop": 17}], digits)
    assert code == 9 and isinstance(other, int) and other != 0
    (found,), (again,) = start(tmp_path, [job | {"resume": True}], digits)
    assert found["weights"] == again["weights"] == two[1][0][0]["weights"]
    assert np.array_equal(curve(found["metrics"]), curve(two[1][0][0]["metrics"]))


@pytest.mark.slow
def test_torchrun_and_the_command_line(tmp_path):
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", "0", "--rdzv-backend", "c10d",
               "--rdzv-endpoint", "127.0.0.1:0", "-m", "hardwire", "train", "digits", "--out", str(tmp_path / "run"), "--steps", "20",
               "--width", "60", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout)["best"]["step"] == 20 and done.stderr.count('"position": 20,') == 1
    assert (tmp_path / "run" / "model.safetensors").exists()


def test_one_process_alone():
    alone, x = Ranks(), torch.ones(3)
    alone.add([x, None])
    assert alone.first and x.tolist() == [1, 1, 1] and alone.on_first(lambda: 5) == 5
    assert alone.share(np.arange(4)).tolist() == [0, 1, 2, 3] and alone.join(np.arange(2)).tolist() == [0, 1]
    assert [Ranks(r, 3).share(np.arange(5)).tolist() for r in range(3)] == [[0, 1], [2, 3], [4]]
    with pytest.raises(InputError, match="start fewer, or raise batch"):
        check_batch(2, 3)
