"""A fourth hardware in one file: a threshold that is learned by counting mistakes."""

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from hardwire.core.settings import Settings
from hardwire.core.verdict import Verdict
from hardwire.runs.checkpoint import Stored
from hardwire.runs.environment import environment
from hardwire.runs.experiment import Hardware, Training, train
from hardwire.runs.record import Record


class ToySettings(Settings):
    """Settings of the toy."""

    PLACES = frozenset({"device"})

    seed: int = 0
    samples: Annotated[int, Field(ge=1)] = 400
    epochs: Annotated[int, Field(ge=1)] = 5
    rate: Annotated[float, Field(gt=0)] = 0.05
    pause: float = 0.0
    device: str = "cpu"


@dataclass
class Toy:
    """A trained threshold."""

    settings: ToySettings
    threshold: float
    metrics: list
    seconds: float


def read_data(settings: ToySettings, data_dir: Path | None) -> tuple:
    rng = np.random.default_rng(settings.seed)
    x = rng.random(settings.samples)
    return x, x > 0.625


class ToyTraining(Training):
    unit = "sample"

    def __init__(self, settings: ToySettings, data: tuple):
        self.settings, (self.x, self.y) = settings, data
        self.total = settings.epochs * len(self.x)
        self.threshold, self.rng = np.zeros(1), np.random.default_rng(settings.seed)

    def advance(self):
        i = self.rng.integers(len(self.x))
        noise = self.settings.rate * self.rng.random()
        self.threshold += noise * ((self.x[i] > self.threshold) * 1.0 - self.y[i])
        self.position += 1
        time.sleep(self.settings.pause)
        if self.position % len(self.x) == 0:
            return {"sample": self.position, "accuracy": float(((self.x > self.threshold) == self.y).mean())}
        return None

    def state(self):
        return {"threshold": self.threshold.copy()}, {"rng": self.rng.bit_generator.state}

    def restore(self, tensors, values):
        self.threshold = tensors["threshold"].copy()
        self.rng.bit_generator.state = values["rng"]

    def finish(self):
        return self.state()


def load(stored: Stored) -> Toy:
    run = stored.values["run"]
    return Toy(ToySettings.from_toml(stored.settings), float(stored.tensors["threshold"][0]), run["metrics"], run["seconds"])


def record(model: Toy, data: tuple, directory) -> Record:
    x, y = data
    accuracy = float(((x > model.threshold) == y).mean())
    return Record.of({
        "hardware": "toy", "dataset": "halves", "seed": model.settings.seed,
        "accuracy": {"test_hard": accuracy, "test_relaxed": None, "validation": None}, "counts": {},
        "verified": {"threshold": Verdict("simulated", samples=len(x))}, "time": {"train_s": model.seconds}, "energy": [],
        "environment": environment(), "model": model.settings.model_dump(),
    })


TOY = Hardware("toy", ToySettings, read_data, ToyTraining, load, record)

if __name__ == "__main__":
    import os

    import hardwire.runs.experiment

    os.fsync = lambda file: None  # the power stays on
    hardwire.runs.experiment.CHECKPOINT_SECONDS = 0.0
    train(TOY, ToySettings(pause=0.002, samples=100), sys.argv[1], resume=True)
