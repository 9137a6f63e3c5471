"""Training that is stopped at an evaluation or killed again and again."""

import multiprocessing
import time

import numpy as np

from hardwire.logic import train
from hardwire.runs.directory import CHECKPOINT


class Stop(Exception):
    pass


def stop_at(step):
    """A listener that stops training at the evaluation of ``step``."""

    def listen(event):
        if event.figures and event.position == step:
            raise Stop

    return listen


def killed_and_resumed(settings, dataset, out, *, kills, seconds):
    """SIGKILL while every step writes a checkpoint, up to ``seconds`` after one; returns how often it came in time.

    Each process resumes where the last one was, until the training is finished or was killed ``kills`` times.
    """
    rng, count = np.random.default_rng(0), 0
    fork = multiprocessing.get_context("fork")
    while count < kills and not (out / "model.safetensors").exists():
        child = fork.Process(target=train, args=(settings, dataset),
                             kwargs={"out": out, "resume": True, "checkpoint_seconds": 0})
        child.start()
        before, until = _written(out), time.monotonic() + 30
        while child.is_alive() and _written(out) == before and time.monotonic() < until:
            time.sleep(0.001)
        time.sleep(rng.uniform(0, seconds))
        count += child.is_alive()
        child.kill()
        child.join()
    return count


def _written(out):
    """When the checkpoint was written."""
    path = out / CHECKPOINT
    return path.stat().st_mtime_ns if path.exists() else None


def without_seconds(metrics):
    return [{k: v for k, v in m.items() if k != "seconds"} for m in metrics]
