"""Everything needed to repeat a run, as one flat record that is a TOML file on disk."""

import dataclasses
import json
import math
import sys
from dataclasses import dataclass

from ..data.encoders import ENCODERS
from ..disk import read_text
from ..errors import FormatError, InputError
from .nodes import INITS, PARAMETRISATIONS

if sys.version_info >= (3, 11):
    import tomllib
else:  # pragma: no cover
    import tomli as tomllib


@dataclass(frozen=True)
class Config:
    """A logic network, its encoder and its training.

    encoder, levels, code_bits  rule of the thresholds, thresholds a feature, bits of a real feature's code
    layers, width               gates: ``layers`` times ``width``; ``width`` is rounded up to a multiple of the classes
    parametrisation, init, strength, noise   see ``nodes``
    wiring                      first layer: ``structured`` or ``random``; deeper layers are random
    tau                         divisor of the group sum; 0: ``0.35 sqrt(width / classes)``, the rule of Petersen et al., 2024
    gate_penalty                weight in the loss of ``LogicNetwork.gate_cost``: presses gates to become wires and constants
    steps, batch                optimizer steps, samples in each
    learning_rate, weight_decay, warmup      AdamW; one cycle: linear rise for the ``warmup`` share, then half a cosine to 0
    evaluate_every              steps between evaluations on the validation split
    """

    dataset: str = "digits"
    label: str = ""
    seed: int = 0
    encoder: str = "uniform"
    levels: int = 5
    code_bits: int = 12
    layers: int = 3
    width: int = 2000
    parametrisation: str = "table"
    init: str = "random"
    strength: float = 1.0
    noise: float = 0.5
    wiring: str = "structured"
    tau: float = 0.0
    gate_penalty: float = 0.0
    steps: int = 2000
    batch: int = 128
    learning_rate: float = 0.1
    weight_decay: float = 0.0
    warmup: float = 0.1
    evaluate_every: int = 250

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.type in (float, "float") and type(value) is int:
                object.__setattr__(self, field.name, float(value))
            elif type(value).__name__ != getattr(field.type, "__name__", field.type):
                raise InputError(f"{field.name} = {value!r} should be of type {field.type}")
        _check(self)

    def tau_for(self, classes: int) -> float:
        return self.tau or 0.35 * math.sqrt(self.width_for(classes) / classes)

    def width_for(self, classes: int) -> int:
        return -(-self.width // classes) * classes

    def to_toml(self) -> str:
        text = "".join(f"{k} = {json.dumps(v, ensure_ascii=False)}\n" for k, v in dataclasses.asdict(self).items())
        return text.replace("\x7f", "\\u007f")  # the one character that JSON leaves and TOML refuses

    @classmethod
    def from_dict(cls, values: dict) -> "Config":
        known = {f.name for f in dataclasses.fields(cls)}
        if unknown := sorted(set(values) - known):
            raise InputError(f"{unknown[0]!r} is no setting; choose from {', '.join(sorted(known))}")
        return cls(**values)

    @classmethod
    def load(cls, path) -> "Config":
        return cls.from_toml(read_text(path), path)

    @classmethod
    def from_toml(cls, text: str, path="the stored configuration") -> "Config":
        try:
            return cls.from_dict(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            raise FormatError(f"{path} is not TOML ({error}); correct it") from None
        except InputError as error:
            raise InputError(f"{path}: {error}") from None


def _check(c: Config) -> None:
    choices = {"encoder": ENCODERS, "parametrisation": PARAMETRISATIONS, "init": INITS, "wiring": ("structured", "random")}
    for name, allowed in choices.items():
        if getattr(c, name) not in allowed:
            raise InputError(f"{name} = {getattr(c, name)!r} is none of {', '.join(allowed)}")
    for name, value in dataclasses.asdict(c).items():
        if isinstance(value, float) and not math.isfinite(value):
            raise InputError(f"{name} = {value} must be finite")
    for name in ("levels", "layers", "width", "steps", "batch", "evaluate_every"):
        if getattr(c, name) < 1:
            raise InputError(f"{name} = {getattr(c, name)} must be at least 1")
    if not (c.learning_rate > 0 and c.tau >= 0 and c.gate_penalty >= 0 and 0 <= c.warmup < 1 and c.weight_decay >= 0 and c.seed >= 0):
        raise InputError("learning_rate must be > 0, tau, gate_penalty, weight_decay and seed >= 0, and warmup in [0, 1)")


#: Settings by data set: selected on validation, see docs/results.md.
PRESETS = {
    "digits": {"noise": 1.0, "steps": 4000, "evaluate_every": 500},
    "mnist": {"levels": 3, "layers": 6, "width": 8000, "init": "residual", "steps": 30_000,
              "evaluate_every": 1000, "gate_penalty": 0.02},
    "fashion-mnist": {"levels": 7, "layers": 6, "width": 8000, "init": "residual", "steps": 30_000,
              "evaluate_every": 1000, "gate_penalty": 0.02},
}
#: For a user's own table.
TABLE_PRESET = {"encoder": "quantile", "levels": 7, "wiring": "random", "layers": 3, "width": 1000}


def preset(dataset: str) -> Config:
    """The default settings for a data set by name, or for a user's own file."""
    return Config(dataset=str(dataset), **PRESETS.get(str(dataset), TABLE_PRESET))
