"""Training: one loop, readable in one sitting, and the files it leaves so that a killed run goes on where it was."""

import dataclasses
import math
import time
from collections.abc import Callable

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from ..data import Dataset
from ..data.encoders import Encoder
from ..errors import InputError
from . import checkpoint, cpu
from .config import Config
from .layers import LogicNetwork
from .models import build_encoder, build_network


@dataclasses.dataclass
class Result:
    """A trained run. ``network`` holds the weights with the best frozen accuracy on validation, reached at ``best_step``.

    ``metrics`` has one entry for each evaluation: step, loss, relaxed and hard validation accuracy, seconds.
    """

    network: LogicNetwork
    encoder: Encoder
    config: Config
    metrics: list[dict]
    best_step: int
    seconds: float


class Samples:
    """Encoded samples, kept as packed bits; ``batch`` unpacks rows to float32 (samples, bits)."""

    def __init__(self, bits: np.ndarray, y: np.ndarray):
        self.n_bits = bits.shape[1]
        self.packed = np.packbits(bits, axis=1)
        self.y = torch.from_numpy(np.ascontiguousarray(y, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.packed)

    def batch(self, rows) -> tuple[torch.Tensor, torch.Tensor]:
        bits = np.unpackbits(self.packed[rows], axis=1, count=self.n_bits)
        return torch.from_numpy(bits).float(), self.y[rows]


class Order:
    """Rows of the batch at a step: a new permutation each epoch, a function of seed and step alone."""

    def __init__(self, samples: int, batch: int, seed: int):
        self.samples, self.batch, self.seed = samples, min(batch, samples), seed
        self.epoch, self.rows = -1, np.empty(0)

    def __call__(self, step: int) -> np.ndarray:
        per_epoch = self.samples // self.batch
        epoch, place = divmod(step, per_epoch)
        if epoch != self.epoch:
            self.epoch, self.rows = epoch, np.random.default_rng([self.seed, 2, epoch]).permutation(self.samples)
        return self.rows[place * self.batch : (place + 1) * self.batch]


def one_cycle(step: int, config: Config) -> float:
    """Learning rate at ``step``: linear rise over the warm-up, then half a cosine down to zero."""
    rise = max(1, round(config.warmup * config.steps))
    if step < rise:
        return config.learning_rate * (step + 1) / rise
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, config.steps - rise)))


@torch.no_grad()
def predict(network: LogicNetwork, samples: Samples, *, batch: int = 2048) -> np.ndarray:
    """Class of each sample, in the network's present mode; the lowest class wins a tie."""
    found = [network(samples.batch(slice(i, i + batch))[0]).argmax(1) for i in range(0, len(samples), batch)]
    return torch.cat(found).numpy()


def accuracy(network: LogicNetwork, samples: Samples, *, hard: bool) -> float:
    """Share of samples classified rightly by the frozen (``hard``) or the relaxed network."""
    before = network.training
    network.train(not hard)
    right = float((predict(network, samples) == samples.y.numpy()).mean())
    network.train(before)
    return right


@cpu.own_threads()
def train(config: Config, dataset: Dataset, *, out=None, resume: bool = False,
          progress: Callable[[dict], None] | None = None, checkpoint_seconds: float = 20.0) -> Result:
    """Train a logic network on ``dataset``; select the weights on its validation split; the test split is not touched.

    out       run directory: ``config.toml``, ``metrics.jsonl``, ``checkpoint.safetensors`` while running and
              ``model.safetensors`` at the end. Without it nothing is written.
    resume    go on from ``out``'s checkpoint; the weights become those of a run that was never stopped
    progress  called after each evaluation with its metrics and ``seconds_left``
    """
    started = time.perf_counter()
    encoder = build_encoder(config, dataset.train.x)
    bits = encoder.encode(dataset.train.x)
    network = build_network(config, bits, classes=len(dataset.classes), shape=dataset.shape, levels=encoder.levels)
    training, validation = Samples(bits, dataset.train.y), Samples(encoder.encode(dataset.validation.x), dataset.validation.y)
    del bits  # eight times the size of the packed ones that training reads
    optimizer = torch.optim.AdamW(network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, fused=True)
    order = Order(len(training), config.batch, config.seed)
    run = checkpoint.Run(out, config, network, optimizer, resume=resume)
    state, saved = run.state, time.perf_counter()
    first, before = state.step, state.seconds

    for step in range(state.step, config.steps):
        x, y = training.batch(order(step))
        optimizer.param_groups[0]["lr"] = one_cycle(step, config)
        optimizer.zero_grad()
        loss = cross_entropy(network(x), y)
        total = loss + config.gate_penalty * network.gate_cost() if config.gate_penalty else loss
        total.backward()
        optimizer.step()
        state.step, state.seconds = step + 1, before + time.perf_counter() - started
        if (step + 1) % config.evaluate_every == 0 or step + 1 == config.steps:
            if not math.isfinite(loss.item()):
                raise InputError(f"the loss is {loss.item()} at step {step + 1}; lower learning_rate")
            entry = {"step": step + 1, "loss": round(loss.item(), 6), "relaxed": accuracy(network, validation, hard=False),
                     "hard": accuracy(network, validation, hard=True), "seconds": round(state.seconds, 3)}
            run.record(entry)
            if progress:
                pace = (time.perf_counter() - started) / (step + 1 - first)
                progress(entry | {"steps": config.steps, "seconds_left": pace * (config.steps - step - 1)})
        if out is not None and time.perf_counter() - saved > checkpoint_seconds:
            run.save()
            saved = time.perf_counter()

    network.load_state_dict(state.best)
    network.eval()
    run.finish(encoder, dataset)
    return Result(network, encoder, config, state.metrics, state.best_step, state.seconds)
