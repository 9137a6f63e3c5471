"""Gradient training of a logic network: what one step does; the shell of ``runs.experiment`` moves it."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from ...core.errors import FormatError
from ...data import Dataset
from ...data.columns import kept_texts
from ...data.fingerprint import fingerprint_of
from ...runs.checkpoint import Tensors, part, with_prefix
from ...runs.experiment import Figures, Training
from ...runs.fingerprint import Fingerprint
from ..kernels import cpu
from ..kernels.cpu.blocks import threads
from ..kernels.ops import use_device
from ..kernels.reference import cross_entropy
from ..model import describe, load_weights, pack, to_numpy, to_torch
from ..network.build import build_encoder, build_network, check_encoded
from ..network.heads import Head, build_head
from ..network.layers import LogicLayer
from ..network.network import LogicNetwork
from ..network.phase import Schedule
from ..settings import LogicSettings
from ..stored import GradientValues
from .augment import Augmentation
from .batches import EncodedSamples, Order, balanced_shares
from .distributed import Ranks, check_batch, ranks
from .evaluation import calibration_of, device_of, evaluate, scores_of
from .tasks import TASKS, Classify, Task
from .teacher import Teacher
from .variation import variation_of

#: Learning rate of the head's own parameters (temperature, scale, bias), as a share of that of the gates.
HEAD_RATE = 0.1
#: Share of the training after which learned wiring gets no new candidates: the last ones need time to be learned.
LAST_REDRAW = 0.75
#: Samples of the batch that compiles the kernels.
PREPARED = 64


def one_cycle(step: int, settings: LogicSettings) -> float:
    """Return the learning rate at ``step``: linear rise over the warm-up, then half a cosine to zero; or constant."""
    if settings.schedule == "constant":
        return settings.learning_rate
    rise = max(1, round(settings.warmup * settings.steps))
    if step < rise:
        return settings.learning_rate * (step + 1) / rise
    fall = max(1, settings.steps - rise)
    return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - rise) / fall))


def parameter_groups(network: torch.nn.Module, settings: LogicSettings) -> list[dict[str, Any]]:
    """Return the parameters with their ``share`` of the learning rate: the head's own, learned wiring, all others."""
    head = getattr(network, "head", None)
    own = {id(p) for p in head.parameters()} if isinstance(head, Head) else set()
    routing = settings.routing_rate / settings.learning_rate if settings.routing_rate else 1.0
    groups: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
    for name, p in network.named_parameters():
        share = routing if name.endswith("choice") else 1.0
        key = (HEAD_RATE, 0.0) if id(p) in own else (share, settings.weight_decay)
        groups.setdefault(key, []).append(p)
    return [{"params": ps, "share": share, "weight_decay": decay} for (share, decay), ps in groups.items()]


def build(settings: LogicSettings, bits: NDArray[np.bool_], y: NDArray[Any], dataset: Dataset,
          levels: int) -> LogicNetwork:
    """Return the network that the settings describe, with the head of its task."""
    outputs = len(dataset.classes)
    network = build_network(settings, bits, classes=outputs, shape=dataset.shape, levels=levels)
    group = network.members[-1].out_features // outputs
    network.head = build_head(settings.task, outputs, group, tau=settings.tau_for(outputs), learn=settings.learn_tau,
                              targets=y)
    return network


class Objective:
    """The loss of a part of a batch: the task's, a teacher's share in it, and the gate penalty."""

    def __init__(self, settings: LogicSettings, task: Task, dataset: Dataset) -> None:
        self.task, self.penalty = task, settings.gate_penalty
        self.teacher = Teacher(settings.teacher, dataset, weight=settings.teacher_weight,
                               temperature=settings.teacher_temperature) if settings.teacher else None

    def __call__(self, network: Any, x: torch.Tensor, y: torch.Tensor,
                 rows: NDArray[Any]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return what is minimised, and the loss without the penalty, which is reported."""
        loss = self._loss(network, x, y, rows)
        return loss + self.penalty * network.gate_cost() if self.penalty else loss, loss.detach()

    def _loss(self, network: Any, x: torch.Tensor, y: torch.Tensor, rows: NDArray[Any]) -> torch.Tensor:
        soft = self.teacher(rows, x.device) if self.teacher else None
        if isinstance(network, LogicNetwork) and isinstance(self.task, Classify):
            return network.cross_entropy(x, y, soft)
        return self.task.loss(network(x), y) if soft is None else cross_entropy(network(x), y, soft)


def order_of(settings: LogicSettings, samples: EncodedSamples) -> Order:
    """Return the order of the samples: as they are, or with the classes balanced."""
    labels = samples.y.numpy()
    if not settings.class_balance or labels.ndim != 1:
        return Order(len(samples), settings.batch, settings.seed)
    shares = balanced_shares(labels, int(labels.max()) + 1, settings.class_balance)
    return Order(len(samples), settings.batch, settings.seed, shares=shares, labels=labels)


class Batches:
    """Parts of the batch of a step that this process computes: its share, in ``accumulate`` micro-batches.

    ``vary`` gives the bits of all samples as they are in an epoch, where they are varied.
    """

    def __init__(self, settings: LogicSettings, samples: EncodedSamples, group: Ranks,
                 augmentation: Augmentation | None, vary: Callable[[int], NDArray[np.bool_]] | None = None) -> None:
        self.order = order_of(settings, samples)
        self.samples, self.group, self.accumulate, self.augmentation = samples, group, settings.accumulate, augmentation
        self.vary, self.epoch = vary, -1
        check_batch(self.order.batch, group.world)

    def __call__(self, step: int) -> Iterator[tuple[torch.Tensor, torch.Tensor, NDArray[Any], float]]:
        """Yield for each part: inputs, targets, rows, and its share of the whole batch."""
        rows = self.order(step)
        if self.vary and self.epoch != self.order.epoch:
            self.epoch = self.order.epoch
            self.samples = EncodedSamples(self.vary(self.epoch), self.samples.y.numpy())
        moves = self.augmentation.draw(step, len(rows)) if self.augmentation else None
        for members in np.array_split(self.group.share(np.arange(len(rows))), self.accumulate):
            if len(members):
                change = (partial(self.augmentation, moves=[m[members] for m in moves])
                          if self.augmentation and moves else None)
                yield *self.samples.batch(rows[members], change), rows[members], len(members) / len(rows)


class LogicTraining(Training):
    """Training of a logic network by AdamW; the weights with the best frozen figure of merit on validation are kept.

    Parameters
    ----------
    settings
        Network, encoder and training.
    dataset
        Its training split is trained, its validation split chooses; the test split is not touched.
    network
        Train this module, (samples, encoder bits) -> (samples, outputs), instead of the configured one. It is evaluated
        before the first step, so that it is kept if no step makes it better. Its ``train()`` mode is taken for relaxed,
        ``eval()`` for frozen. It may have ``gate_cost``, and ``set_phase``, which is called
        with a ``Phase`` before each step.
    """

    unit = "step"
    group: Ranks

    def __init__(self, settings: LogicSettings, dataset: Dataset, network: torch.nn.Module | None = None) -> None:
        self.settings, self.dataset, self.total = settings, dataset, settings.steps
        self.task: Task = TASKS[settings.task](len(dataset.classes), dataset.train.y)
        self.encoder = build_encoder(settings, dataset.train.x, dataset.shape, dataset.train.y)
        check_encoded(self.encoder, len(dataset.train.y))
        place = use_device(settings.device)
        bits, y = self.encoder.encode(dataset.train.x), self.task.targets(dataset.train.y)
        self.given = network is not None
        network = build(settings, bits, y, dataset,
                        self.encoder.levels).to(place) if network is None else network.train()
        self.network: Any = network
        self.device = device_of(self.network)
        self.samples = EncodedSamples(bits, y)
        self.validation = EncodedSamples(self.encoder.encode(dataset.validation.x),
                                         self.task.targets(dataset.validation.y))
        self.objective = Objective(settings, self.task, dataset)
        self.optimizer = torch.optim.AdamW(parameter_groups(self.network, settings), lr=settings.learning_rate,
                                           fused=True)
        layers = len(self.network.nodes) if isinstance(self.network, LogicNetwork) else 1
        self.schedule = Schedule.of(settings, layers)
        self.best: dict[str, torch.Tensor] = {}
        self.best_hard, self.best_step, self.better_step = -1.0, 0, 0
        self.group = Ranks()

    def __enter__(self) -> Self:
        """Join the processes that train together, which must have the same settings and data."""
        self._stack = ExitStack()
        self.group = self._stack.enter_context(ranks())
        self._stack.enter_context(cpu.own_threads())
        settings, dataset = self.settings, self.dataset
        augmentation = None if settings.augment == "none" else Augmentation(
            settings.augment, dataset.shape, self.encoder, dataset.train.x, pad=settings.crop_pad, seed=settings.seed)
        self.batches = Batches(settings, self.samples, self.group, augmentation,
                               self._varied if variation_of(settings) else None)
        self.group.check_same(settings.to_toml() + f"{len(self.samples)} samples", "settings or data")
        self.group.equalise(self.network.state_dict().values())
        return self

    def __exit__(self, *reason: object) -> None:
        """Leave the other processes."""
        self._stack.close()

    def fingerprint(self) -> Fingerprint:
        """Return that of the data set."""
        return fingerprint_of(self.dataset)

    def texts(self) -> Mapping[str, str]:
        """Return the columns of a table."""
        return kept_texts(self.dataset.columns)

    def calibration(self) -> Mapping[str, str]:
        """Return what turns counts into probabilities, fitted on the validation split; of classes only."""
        return calibration_of(self.network, self.dataset, self.encoder)

    def _varied(self, epoch: int) -> NDArray[np.bool_]:
        """Encoded training samples as they are in an epoch."""
        settings, dataset = self.settings, self.dataset
        rng = np.random.default_rng([settings.seed, 11, epoch])
        return self.encoder.encode(variation_of(settings)(dataset.train.x, dataset.shape, rng, threads=threads()))

    def prepare(self) -> None:
        """Take a small batch forwards, backwards and through an evaluation; weights, moments and noise stay.

        A module of the user's own is left alone.
        """
        if self.given:
            return
        rows = np.arange(min(PREPARED, len(self.samples)))
        self.network.set_phase(self.schedule.at(self.position))
        x, y = self.samples.batch(rows)
        total, _ = self.objective(self.network, x.to(self.device), y.to(self.device), rows)
        total.backward()
        self.optimizer.zero_grad()
        scores_of(self.network, self.samples, (True, False), rows)

    def advance(self) -> Figures | None:
        """Make a step: forward, backward, update; evaluate where it is due. Nothing in it waits for a GPU."""
        step, settings, network = self.position, self.settings, self.network
        if self.given and not self.best:
            return self._evaluate(self._loss_before())
        if hasattr(network, "set_phase"):
            network.set_phase(self.schedule.at(step))
        for group in self.optimizer.param_groups:
            group["lr"] = one_cycle(step, settings) * group["share"]
        self.optimizer.zero_grad()
        loss = torch.zeros((), dtype=torch.float64, device=self.device)
        for x, y, rows, share in self.batches(step):
            total, reported = self.objective(network, x.to(self.device), y.to(self.device), rows)
            (share * total).backward()
            loss += share * reported
        self.group.add([p.grad for p in network.parameters()])
        self.optimizer.step()
        torch.autograd.graph.increment_version(network.parameters())  # a fused step does not
        self.position = step + 1
        self._redraw()
        if self.position % settings.evaluate_every and self.position < self.total:
            return None
        return self._evaluate(loss)

    def _redraw(self) -> None:
        """Give learned wiring new candidates where it is due; what the optimizer knows of the old ones is forgotten."""
        settings, done = self.settings, self.position / self.total
        due = settings.redraw_every and self.position % settings.redraw_every == 0
        if not due or done > min(LAST_REDRAW, settings.fix_wiring_at) or not isinstance(self.network, LogicNetwork):
            return
        for i, layer in enumerate(self.network.members):
            if isinstance(layer, LogicLayer) and layer.learned and not layer.phase.frozen:
                lost = layer.redraw([settings.seed, 5, self.position, i])
                state = self.optimizer.state[layer.choice]
                for name in ("exp_avg", "exp_avg_sq"):
                    state[name].masked_fill_(lost, 0.0)

    @torch.no_grad()
    def _loss_before(self) -> torch.Tensor:
        """The loss of the first batch, without a step."""
        loss = torch.zeros((), dtype=torch.float64, device=self.device)
        for x, y, rows, share in self.batches(0):
            loss += share * self.objective(self.network, x.to(self.device), y.to(self.device), rows)[1]
        return loss

    def _evaluate(self, loss: torch.Tensor) -> Figures:
        """Evaluate; keep the weights if the frozen network is the best so far, of equals the latest."""
        self.group.add([loss])
        merits = evaluate(self.network, self.validation, self.task, self.group)
        if merits["hard"] > self.best_hard or not self.best:
            self.better_step = self.position
        if merits["hard"] >= self.best_hard or not self.best:
            self.best_hard, self.best_step = merits["hard"], self.position
            self.best = {k: v.clone() for k, v in self.network.state_dict().items()}
        waited = self.position - self.better_step
        if self.settings.patience and waited >= self.settings.patience * self.settings.evaluate_every:
            self.total = self.position  # nothing is gained any more
        return {"step": self.position, "loss": round(loss.item(), 6), **merits}

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """Return the weights, the best ones so far, and the optimizer's moments."""
        tensors = with_prefix("network.", to_numpy(self.network.state_dict()))
        tensors |= with_prefix("best.", to_numpy(self.best))
        for i, parameter in enumerate(self.network.parameters()):
            tensors |= with_prefix(f"optimizer.{i}.", to_numpy(self.optimizer.state[parameter]))
        return tensors, {"best_hard": self.best_hard, "best_step": self.best_step,
                         "better_step": self.better_step}

    def restore(self, tensors: Tensors, values: Mapping[str, Any]) -> None:
        """Go on from what ``state`` gave, on whatever device that was."""
        kept, best = GradientValues.of(values, "the checkpoint"), to_torch(part(tensors, "best."))
        if best:  # as the weights will be when training ends
            load_weights(self.network, best, "the checkpoint")
        load_weights(self.network, to_torch(part(tensors, "network.")), "the checkpoint")
        for i, parameter in enumerate(self.network.parameters()):
            moments = to_torch(part(tensors, f"optimizer.{i}."))
            _check_moments(moments, parameter)
            self.optimizer.state[parameter] = {k: v.to(parameter.device) for k, v in moments.items()}
        self.best = {k: v.to(self.device) for k, v in best.items()}
        self.best_hard, self.best_step, self.better_step = kept.best_hard, kept.best_step, kept.better_step

    def finish(self) -> tuple[Tensors, dict[str, Any]]:
        """Return the best weights with wiring and encoder; the network holds them from now on."""
        if not self.best:
            raise FormatError("the run has no evaluation; train the network anew")
        self.network.load_state_dict(self.best)
        self.network.eval()
        return pack(self.network, self.encoder, describe(self.dataset), self.best_step)


def _check_moments(moments: Mapping[str, torch.Tensor], parameter: torch.nn.Parameter) -> None:
    """FormatError unless these are AdamW's of the parameter, or none: its kernel does not look at their shapes."""
    own = {"step": torch.zeros(1), "exp_avg": parameter, "exp_avg_sq": parameter}
    fits = not moments or (own.keys() == moments.keys() and all(
        moments[name].dtype == tensor.dtype and moments[name].shape == (tensor.shape or (1,))
        for name, tensor in own.items()))
    if not fits or not all(bool(tensor.isfinite().all()) for tensor in moments.values()):
        raise FormatError("the checkpoint holds moments of the optimizer that do not fit the network; train anew")
    if moments and (bool((moments["exp_avg_sq"] < 0).any()) or float(moments["step"]) < 0):
        raise FormatError("the checkpoint holds squares of gradients or steps below 0; train the network anew")
