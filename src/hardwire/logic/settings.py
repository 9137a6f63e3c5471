"""Everything needed to repeat a run, as one flat record that is a TOML file on disk."""

import dataclasses
import math
from dataclasses import dataclass

from ..core.errors import InputError
from ..core.settings import FlatConfig
from ..data.encoders import ENCODERS
from .network.nodes import ESTIMATORS, INITS, MAX_FAN_IN, PARAMETRISATIONS
from .training.augment import AUGMENTATIONS
from .training.tasks import TASKS


@dataclass(frozen=True)
class Config(FlatConfig):
    """A logic network, its encoder and its training.

    label                       name of a table's label column; several with commas between for ``regress`` and ``multilabel``
    encoder, levels, code_bits  rule of the thresholds, thresholds a feature, bits of a real feature's code
    edges                       thresholds of the edge detectors of images in each direction, see ``fit_encoder``
    layers, width               gates: ``layers`` times ``width``; ``width`` is rounded up to a multiple of the classes
    widths                      instead: gates of each layer
    parametrisation, init, strength, noise   see ``nodes``
    estimator, temperature      what a training step sees of a node, see ``nodes``
    sharpen                     the logits of gates and of learned wiring get a factor that grows from 1 to this during training
    harden_at                   share of the steps after which ``relaxed`` becomes ``hard``: the last steps train what will be frozen
    freeze_at                   share of the steps after which layers are frozen one after the other, all but the last
    fan_in                      inputs of a node: 2 for gates, up to 6 for look-up tables
    wiring                      first layer and leaves of trees: ``structured`` or ``random``; deeper dense layers are random
    candidates, learned_layers, routing      learned wiring of the first ``learned_layers`` layers of gates, see ``LogicLayer``; with
                                structured wiring a first layer's candidates are neighbours
    routing_rate, settle_at     learning rate of the learned wiring's shares, 0: ``learning_rate``; share of the steps after which
                                wiring is settled and the gates alone learn on
    channels                    convolutions before the dense layers: kernels of each, see ``LogicConv2d``
    receptive_fields, paddings, channel_groups   of each convolution: side of the field, border of zeros, groups without cross-links
    tree_depth, pool            depth of a tree, side of the OR pool
    tree_strength, tree_noise   residual start of a tree's gates
    tau                         divisor of the group sum; 0: ``0.35 sqrt(width / classes)``, the rule of Petersen et al., 2024
    gate_penalty                weight in the loss of ``LogicNetwork.gate_cost``: presses gates to become wires and constants
    steps, batch                optimizer steps, samples in each
    learning_rate, weight_decay, warmup      AdamW; one cycle: linear rise for the ``warmup`` share, then half a cosine to 0
    schedule                    ``one-cycle`` or ``constant``
    evaluate_every              steps between evaluations on the validation split
    task                        ``classify``, ``regress`` or ``multilabel``, see ``tasks`` and ``heads``
    learn_tau                   train the head's temperature (of ``regress``: its scale and bias) too, at a tenth of ``learning_rate``
    augment, crop_pad           moves of training images: ``none``, ``flip``, ``crop`` (by up to ``crop_pad`` pixels) or ``flip+crop``;
                                ``crop_pad`` 0: 4 from 32 pixels on, 2 from 16, else 1
    teacher, teacher_weight, teacher_temperature   .npy file of logits for the source's training samples, and a and T of ``teacher``
    accumulate                  micro-batches that a batch is computed in, one after the other: less memory, the same step
    """

    dataset: str = "digits"
    label: str = ""
    seed: int = 0
    encoder: str = "uniform"
    levels: int = 5
    code_bits: int = 12
    edges: int = 0
    layers: int = 3
    width: int = 2000
    parametrisation: str = "table"
    init: str = "random"
    strength: float = 1.0
    noise: float = 0.5
    wiring: str = "structured"
    widths: list = dataclasses.field(default_factory=list)
    fan_in: int = 2
    estimator: str = "relaxed"
    temperature: float = 1.0
    candidates: int = 0
    learned_layers: int = 0
    routing: str = "soft"
    routing_rate: float = 0.0
    settle_at: float = 1.0
    harden_at: float = 1.0
    freeze_at: float = 1.0
    sharpen: float = 1.0
    channels: list = dataclasses.field(default_factory=list)
    receptive_fields: list = dataclasses.field(default_factory=list)
    paddings: list = dataclasses.field(default_factory=list)
    channel_groups: list = dataclasses.field(default_factory=list)
    tree_depth: int = 3
    pool: int = 2
    tree_strength: float = 2.0
    tree_noise: float = 0.25
    tau: float = 0.0
    gate_penalty: float = 0.0
    steps: int = 2000
    batch: int = 128
    learning_rate: float = 0.1
    schedule: str = "one-cycle"
    weight_decay: float = 0.0
    warmup: float = 0.1
    evaluate_every: int = 250
    task: str = "classify"
    learn_tau: bool = False
    augment: str = "none"
    crop_pad: int = 0
    teacher: str = ""
    teacher_weight: float = 0.5
    teacher_temperature: float = 2.0
    accumulate: int = 1

    def tau_for(self, classes: int) -> float:
        return self.tau or 0.35 * math.sqrt(self.widths_for(classes)[-1] / classes)

    def widths_for(self, classes: int) -> list[int]:
        """Gates of each dense layer; equal ones, or the last, rounded up to a multiple of the classes."""
        if not self.widths:
            return [-(-self.width // classes) * classes] * self.layers
        return [*self.widths[:-1], -(-self.widths[-1] // classes) * classes]

    def check(self) -> None:
        _check(self)


def _check(c: Config) -> None:
    c.choose({"encoder": ENCODERS, "parametrisation": PARAMETRISATIONS, "init": INITS, "wiring": ("structured", "random"),
               "estimator": ESTIMATORS, "routing": ("soft", "hard"),
               "task": TASKS, "augment": AUGMENTATIONS, "schedule": ("one-cycle", "constant")})
    _check_architecture(c)
    _check_training(c)
    for name, value in dataclasses.asdict(c).items():
        if isinstance(value, float) and not math.isfinite(value):
            raise InputError(f"{name} = {value} must be finite")
    for name in ("levels", "layers", "width", "steps", "batch", "evaluate_every", "accumulate"):
        if getattr(c, name) < 1:
            raise InputError(f"{name} = {getattr(c, name)} must be at least 1")
    if not (c.learning_rate > 0 and c.tau >= 0 and c.gate_penalty >= 0 and 0 <= c.warmup < 1 and c.weight_decay >= 0 and c.seed >= 0):
        raise InputError("learning_rate must be > 0, tau, gate_penalty, weight_decay and seed >= 0, and warmup in [0, 1)")


def _check_architecture(c: Config) -> None:
    for name, least in (("widths", 1), ("channels", 1), ("receptive_fields", 1), ("paddings", 0), ("channel_groups", 1)):
        values = getattr(c, name)
        if any(type(v) is not int or v < least for v in values):
            raise InputError(f"{name} = {values} should be a list of integers of at least {least}")
        if name not in ("widths", "channels") and values and len(values) != len(c.channels):
            raise InputError(f"{name} = {values} should have one entry for each of the {len(c.channels)} channels")
    if not 2 <= c.fan_in <= MAX_FAN_IN:
        raise InputError(f"fan_in = {c.fan_in} should be 2 to {MAX_FAN_IN}")
    if c.learned_layers and (c.candidates < 4 or c.candidates % 4 or c.fan_in != 2):
        raise InputError(f"learned_layers need candidates, a multiple of 4, and fan_in 2, not {c.candidates} and {c.fan_in}")
    for name in ("settle_at", "harden_at", "freeze_at"):
        if not 0 < getattr(c, name) <= 1:
            raise InputError(f"{name} = {getattr(c, name)} should be above 0 and at most 1")
    if not c.sharpen >= 1:
        raise InputError(f"sharpen = {c.sharpen} should be at least 1")
    if not (c.temperature > 0 and c.routing_rate >= 0 and c.learned_layers >= 0 and 1 <= c.tree_depth <= 8 and 1 <= c.pool <= 15):
        raise InputError("temperature must be > 0, routing_rate and learned_layers >= 0, tree_depth 1 to 8 and pool 1 to 15")


def _check_training(c: Config) -> None:
    for name in ("crop_pad", "edges"):
        if getattr(c, name) < 0:
            raise InputError(f"{name} = {getattr(c, name)} must be at least 0")
    if not (0 <= c.teacher_weight <= 1 and c.teacher_temperature > 0):
        raise InputError("teacher_weight must be in [0, 1] and teacher_temperature > 0")
    if c.teacher and c.task != "classify":
        raise InputError(f"a teacher's logits are for task 'classify', not {c.task!r}; leave teacher out")


#: Settings by data set: selected on validation, see docs/results.md.
PRESETS = {
    "digits": {"noise": 1.0, "steps": 4000, "evaluate_every": 500},
    "mnist": {"levels": 3, "layers": 6, "width": 8000, "init": "residual", "steps": 30_000,
              "evaluate_every": 1000, "gate_penalty": 0.02},
    "fashion-mnist": {"levels": 7, "layers": 6, "width": 8000, "init": "residual", "steps": 30_000,
              "evaluate_every": 1000, "gate_penalty": 0.02},
    "cifar10": {"levels": 7, "widths": [64_000, 64_000], "noise": 1.0, "augment": "flip", "steps": 6000,
                "evaluate_every": 500},
    "cifar100": {"levels": 7, "widths": [64_000, 64_000], "noise": 1.0, "augment": "flip", "steps": 6000,
                 "evaluate_every": 500},
}
#: For a user's own table.
TABLE_PRESET = {"encoder": "quantile", "levels": 7, "wiring": "random", "layers": 3, "width": 1000}


def preset(dataset: str) -> Config:
    """The default settings for a data set by name, or for a user's own file."""
    return Config(dataset=str(dataset), **PRESETS.get(str(dataset), TABLE_PRESET))
