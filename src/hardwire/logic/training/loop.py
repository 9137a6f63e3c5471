"""Training: one loop, readable in one sitting, and the files it leaves so that a killed run goes on where it was."""

import dataclasses
import math
import time
from collections.abc import Callable

import numpy as np
import torch

from ...core.errors import InputError
from ...data import Dataset
from ...data.encoders import Encoder
from ..kernels import cpu
from ..kernels.reference import cross_entropy
from ..network.build import build_encoder, build_network
from ..network.heads import Head, build_head
from ..network.network import LogicNetwork
from ..network.phase import Schedule
from ..settings import LogicSettings
from . import checkpoint
from .augment import Augmentation
from .batches import Order, Samples
from .distributed import Ranks, check_batch, ranks
from .tasks import TASKS, Classify
from .teacher import Teacher

#: Learning rate of the head's own parameters (temperature, scale, bias), as a share of that of the gates.
HEAD_RATE = 0.1
#: Elements of an unpacked batch of an evaluation: 32 MB.
EVALUATED = 1 << 23


@dataclasses.dataclass
class Result:
    """A trained run. ``network`` holds the weights with the best frozen figure of merit on validation, reached at ``best_step``.

    ``metrics`` has one entry for each evaluation: step, loss, relaxed and hard figure of merit on validation, seconds.
    """

    network: torch.nn.Module
    encoder: Encoder
    config: LogicSettings
    metrics: list[dict]
    best_step: int
    seconds: float


def one_cycle(step: int, config: LogicSettings) -> float:
    """Learning rate at ``step``: linear rise over the warm-up, then half a cosine down to zero; or constant."""
    if config.schedule == "constant":
        return config.learning_rate
    rise = max(1, round(config.warmup * config.steps))
    if step < rise:
        return config.learning_rate * (step + 1) / rise
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, config.steps - rise)))


def predict(network, samples: Samples, *, batch: int = 2048) -> np.ndarray:
    """Class of each sample, in the network's present mode; the lowest class wins a tie."""
    return scores_of(network, samples, (network.training,), np.arange(len(samples)), batch)[0].argmax(1)


def accuracy(network, samples: Samples, *, hard: bool) -> float:
    """Share of samples classified rightly by the frozen (``hard``) or the relaxed network."""
    scores = scores_of(network, samples, (not hard,), np.arange(len(samples)))[0]
    return Classify.merit(scores, samples.y.numpy())[""]


def evaluate(network, samples: Samples, task, group: Ranks = Ranks()) -> dict:  # noqa: B008
    """``relaxed`` and ``hard`` figure of merit of the task, and its further ones as ``hard_...``; shared out over the processes."""
    relaxed, hard = (group.join(s) for s in scores_of(network, samples, (True, False), group.share(np.arange(len(samples)))))
    y = samples.y.numpy()
    found = {"relaxed": task.merit(relaxed, y)[""]}
    return found | {f"hard_{k}" if k else "hard": v for k, v in task.merit(hard, y).items()}


@torch.no_grad()
def scores_of(network, samples: Samples, modes, rows: np.ndarray, batch: int = 2048) -> list[np.ndarray]:
    """Scores of ``rows`` for each mode (training or not), every batch unpacked once."""
    before, found = network.training, [[] for _ in modes]
    batch = max(128, min(batch, EVALUATED // samples.n_bits))
    for i in range(0, max(1, len(rows)), batch):
        x = samples.batch(rows[i : i + batch])[0].to(_device(network))
        for mode, part in zip(modes, found):
            part.append(network.train(mode)(x).cpu().numpy())
    network.train(before)
    return [np.concatenate(part) for part in found]


def _device(network) -> torch.device:
    return next(iter(network.parameters())).device


def parameter_groups(network, config: LogicSettings) -> list[dict]:
    """Parameters with their ``share`` of the learning rate: the head's own, learned wiring (``choice``), all others."""
    head = getattr(network, "head", None)
    own = {id(p) for p in head.parameters()} if isinstance(head, Head) else set()
    groups: dict[tuple[float, float], list] = {}
    for name, p in network.named_parameters():
        share = config.routing_rate / config.learning_rate if config.routing_rate and name.endswith("choice") else 1.0
        key = (HEAD_RATE, 0.0) if id(p) in own else (share, config.weight_decay)
        groups.setdefault(key, []).append(p)
    return [{"params": ps, "share": share, "weight_decay": decay} for (share, decay), ps in groups.items()]


def build(config: LogicSettings, bits: np.ndarray, y: np.ndarray, dataset: Dataset, levels: int):
    """The configured network with the head of its task."""
    outputs = len(dataset.classes)
    network = build_network(config, bits, classes=outputs, shape=dataset.shape, levels=levels)
    network.head = build_head(config.task, outputs, network.layers[-1].out_features // outputs, tau=config.tau_for(outputs),
                              learn=config.learn_tau, targets=y)
    return network


class Objective:
    """The loss of a part of a batch: the task's, a teacher's share in it, and the gate penalty."""

    def __init__(self, config: LogicSettings, task, dataset: Dataset):
        self.task, self.penalty = task, config.gate_penalty
        self.teacher = Teacher(config.teacher, dataset, weight=config.teacher_weight,
                               temperature=config.teacher_temperature) if config.teacher else None

    def __call__(self, network, x, y, rows) -> tuple[torch.Tensor, torch.Tensor]:
        """What is minimised, and the loss without the penalty, which is reported."""
        loss = self._loss(network, x, y, self.teacher(rows) if self.teacher else None)
        return loss + self.penalty * network.gate_cost() if self.penalty else loss, loss.detach()

    def _loss(self, network, x, y, soft) -> torch.Tensor:
        if isinstance(network, LogicNetwork) and isinstance(self.task, Classify):
            return network.cross_entropy(x, y, soft)
        return self.task.loss(network(x), y) if soft is None else cross_entropy(network(x), y, soft)


class Batches:
    """Parts of the batch of a step that this process computes: its share, in ``accumulate`` micro-batches."""

    def __init__(self, config: LogicSettings, samples: Samples, group: Ranks, augmentation: Augmentation | None):
        self.order = Order(len(samples), config.batch, config.seed)
        self.samples, self.group, self.accumulate, self.augmentation = samples, group, config.accumulate, augmentation
        check_batch(self.order.batch, group.world)

    def __call__(self, step: int):
        """For each part: inputs, targets, rows, and its share of the whole batch."""
        rows = self.order(step)
        moves = self.augmentation.draw(step, len(rows)) if self.augmentation else None
        for part in np.array_split(self.group.share(np.arange(len(rows))), self.accumulate):
            if len(part):
                change = moves and (lambda packed, part=part: self.augmentation(packed, [m[part] for m in moves]))
                yield *self.samples.batch(rows[part], change), rows[part], len(part) / len(rows)


@cpu.own_threads()
def train(config: LogicSettings, dataset: Dataset, *, out=None, resume: bool = False, network=None,
          progress: Callable[[dict], None] | None = None, checkpoint_seconds: float = 20.0) -> Result:
    """Train a logic network on ``dataset``; select the weights on its validation split; the test split is not touched.

    out       run directory: ``config.toml``, ``metrics.jsonl``, ``checkpoint.safetensors`` while running and
              ``model.safetensors`` at the end. Without it nothing is written.
    resume    go on from ``out``'s checkpoint; the weights become those of a run that was never stopped
    network   train this module, (samples, encoder bits) -> (samples, outputs), instead of the configured one; its ``train()`` mode is
              taken for relaxed, ``eval()`` for frozen. It may have ``gate_cost``, and ``set_phase``, called with a ``Phase`` before
              each step.
    progress  called after each evaluation with its metrics and ``seconds_left``

    Memory: the CPU kernels keep no activations between forward and backward but compute a block's anew (activation recomputation), so
    that depth costs none; ``accumulate`` cuts what is left, the unpacked batch. Started by ``torchrun``, the processes share every
    batch and evaluation, see ``distributed``; ``batch`` is that of all together.
    """
    with ranks() as group:
        return _train(config, dataset, group, out, resume, network, progress, checkpoint_seconds)


def _train(config, dataset, group: Ranks, out, resume, network, progress, checkpoint_seconds) -> Result:
    started = time.perf_counter()
    task = TASKS[config.task](len(dataset.classes), dataset.train.y)
    encoder = build_encoder(config, dataset.train.x, dataset.shape)
    bits, y = encoder.encode(dataset.train.x), task.targets(dataset.train.y)
    network = build(config, bits, y, dataset, encoder.levels) if network is None else network.train()
    training = Samples(bits, y)
    validation = Samples(encoder.encode(dataset.validation.x), task.targets(dataset.validation.y))
    del bits  # eight times the size of the packed ones that training reads
    augmentation = None if config.augment == "none" else Augmentation(
        config.augment, dataset.shape, encoder, dataset.train.x, pad=config.crop_pad, seed=config.seed)
    objective, batches = Objective(config, task, dataset), Batches(config, training, group, augmentation)
    optimizer = torch.optim.AdamW(parameter_groups(network, config), lr=config.learning_rate, fused=True)
    group.check_same(config.to_toml() + f"{len(training)} samples", "settings or data")
    group.equalise(network.state_dict().values())
    run = checkpoint.Run(out if group.first else None, config, network, optimizer)
    run.restore(group.on_first(lambda: run.open(resume)))
    state, saved, device = run.state, time.perf_counter(), _device(network)
    first, before = state.step, state.seconds
    schedule = Schedule.of(config, len(network.nodes) if isinstance(network, LogicNetwork) else 1)

    for step in range(state.step, config.steps):
        if hasattr(network, "set_phase"):
            network.set_phase(schedule.at(step))
        for g in optimizer.param_groups:
            g["lr"] = one_cycle(step, config) * g["share"]
        optimizer.zero_grad()
        loss = torch.zeros((), dtype=torch.float64)
        for x, y, rows, share in batches(step):
            total, part = objective(network, x.to(device), y.to(device), rows)
            (share * total).backward()
            loss += share * part.cpu()
        group.add([p.grad for p in network.parameters()])
        optimizer.step()
        state.step, state.seconds = step + 1, before + time.perf_counter() - started
        if (step + 1) % config.evaluate_every == 0 or step + 1 == config.steps:
            group.add([loss])
            if not math.isfinite(loss.item()):
                raise InputError(f"the loss is {loss.item()} at step {step + 1}; lower learning_rate")
            entry = {"step": step + 1, "loss": round(loss.item(), 6), **evaluate(network, validation, task, group),
                     "seconds": round(state.seconds, 3)}
            run.record(entry)
            if progress and group.first:
                pace = (time.perf_counter() - started) / (step + 1 - first)
                progress(entry | {"steps": config.steps, "seconds_left": pace * (config.steps - step - 1)})
        if run.out is not None and time.perf_counter() - saved > checkpoint_seconds:
            run.save()
            saved = time.perf_counter()

    network.load_state_dict(state.best)
    network.eval()
    group.on_first(lambda: run.finish(encoder, dataset))
    return Result(network, encoder, config, state.metrics, state.best_step, state.seconds)
