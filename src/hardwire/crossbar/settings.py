"""Everything needed to repeat a run on crossbars, as one flat record that is a TOML file on disk."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..core.errors import InputError
from ..core.settings import FlatConfig
from ..devices.models import Ideal
from ..devices.presets import load_device
from .names import VARIANTS
from .periphery import PERIPHERIES, Chip, Periphery
from .updates import RULES, Update

if TYPE_CHECKING:
    from .cells import Cell

ACTIVATIONS = ("sigmoid", "tanh", "relu")


@dataclass(frozen=True)
class Config(FlatConfig):
    """A fully connected network on crossbars, and its training.

    dataset, features  data; of CIFAR a feature file or a network's name, see ``features``
    variants           what is trained from the same weights in the same order; the first is the run's own
    hidden             hidden units of each layer; activation between layers
    epochs, learning_rate, decay   passes over the data; step of the first epoch; each later one times ``decay``
    pcm_rate, device_rate, tiki_rate   learning rates of 2 PCM alone, of single-device cells and of Tiki-Taka, times ``learning_rate``
    samples            of the training split, 0: all
    validation         share of the training split kept for validation; 0: all are trained, and curves show the test split
    capacitor, pcm, device         presets by name, or .toml files of `hardwire crossbar fit`; ``device`` of single-device cells
    unit, factor, tolerance, transfer_every, inversion   see ``Hybrid``
    pair_unit          uS that are one unit of weight of 2 PCM alone
    rule, slots        see ``Update``
    periphery          preset of converters and noise: ``default``, ``standard`` or ``ideal``
    blocks, block_rows, block_columns   the chip
    """

    dataset: str = "mnist"
    features: str = ""
    seed: int = 0
    variants: list = field(default_factory=lambda: ["hybrid", "float"])
    hidden: list = field(default_factory=lambda: [250, 125])
    activation: str = "relu"
    epochs: int = 12
    learning_rate: float = 0.01
    decay: float = 0.8
    pcm_rate: float = 0.1
    device_rate: float = 1.0
    tiki_rate: float = 1.0
    samples: int = 0
    validation: float = 0.0
    capacitor: str = "capacitor_vlsi2018"
    pcm: str = "pcm_gst"
    device: str = "gokmen_vlasov"
    unit: float = 100.0
    pair_unit: float = 20.0
    factor: float = 4.0
    tolerance: float = 3.0
    transfer_every: int = 8000
    rule: str = "stochastic"
    slots: int = 31
    periphery: str = "standard"
    blocks: int = 64
    block_rows: int = 512
    block_columns: int = 512

    def chip(self) -> Chip:
        return Chip(self.blocks, self.block_rows, self.block_columns)

    def rate(self, variant: str, epoch: int) -> float:
        """Learning rate of a variant in an epoch, the first being 0."""
        share = {"2pcm": self.pcm_rate, "single": self.device_rate, "mixed-precision": self.device_rate,
                 "tiki-taka-1": self.tiki_rate, "tiki-taka-2": self.tiki_rate}.get(variant, 1.0)
        return self.learning_rate * share * self.decay**epoch

    def check(self) -> None:
        _check(self)


def _check(c: Config) -> None:
    c.choose({"activation": ACTIVATIONS, "rule": RULES, "periphery": PERIPHERIES})
    if not c.variants or any(v not in VARIANTS for v in c.variants) or len(set(c.variants)) < len(c.variants):
        raise InputError(f"variants = {c.variants}; give one or more of {', '.join(VARIANTS)}, each once")
    if any(type(h) is not int or h < 1 for h in c.hidden):
        raise InputError(f"hidden = {c.hidden}; give whole numbers of at least 1")
    if c.epochs < 1 or c.samples < 0 or c.seed < 0 or not 0 <= c.validation < 1:
        raise InputError(f"epochs = {c.epochs}, samples = {c.samples}, seed = {c.seed}, validation = {c.validation}; give epochs >= 1, "
                         "samples and seed >= 0 and validation in [0, 1)")
    if not (c.learning_rate > 0 and 0 < c.decay <= 1 and min(c.pcm_rate, c.device_rate, c.tiki_rate) > 0):
        raise InputError(f"learning_rate = {c.learning_rate}, decay = {c.decay}; give rates above 0 and a decay of at most 1")


def cell_of(c: Config, variant: str) -> "Cell":
    """The cell that a variant is made of."""
    from .cells import Hybrid, MixedPrecision, PcmPair, Single, TikiTaka

    update = Update(rule=c.rule, slots=c.slots)
    if variant in ("hybrid", "no-inversion"):
        return Hybrid(unit=c.unit, update=update, capacitor=load_device(c.capacitor), pcm=load_device(c.pcm), factor=c.factor,
                      tolerance=c.tolerance, transfer_every=c.transfer_every, inversion=variant == "hybrid")
    if variant == "2pcm":
        return PcmPair(unit=c.pair_unit, update=update, pcm=load_device(c.pcm))
    if variant == "float":
        return Single(device=Ideal())
    if variant in ("single", "mixed-precision"):
        kind = Single if variant == "single" else MixedPrecision
        return kind(device=load_device(c.device), update=update)
    return TikiTaka(version=1 if variant == "tiki-taka-1" else 2, update=update)


def periphery_of(c: Config, variant: str) -> Periphery:
    """Float training has none."""
    return PERIPHERIES["ideal" if variant == "float" else c.periphery]


#: Settings by data set.
PRESETS = {
    "mnist": {},
    "fashion-mnist": {},
    "digits": {"hidden": [32], "activation": "tanh", "unit": 40.0, "epochs": 10, "learning_rate": 0.02, "transfer_every": 1000},
    "cifar10": {"hidden": [], "epochs": 10},
    "cifar100": {"hidden": [], "epochs": 10},
}


def preset(dataset: str) -> Config:
    """The default settings of a data set by name."""
    if dataset not in PRESETS:
        raise InputError(f"data set {dataset!r} is none that crossbars are trained on; choose from {', '.join(PRESETS)}")
    return Config(dataset=dataset, **PRESETS[dataset])
