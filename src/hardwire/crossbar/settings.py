"""Everything needed to repeat a run on crossbars, as one flat record that is a TOML file on disk."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from ..core.errors import InputError
from ..core.settings import Count, Natural, Positive, PositiveShare, Settings

Activation = Literal["sigmoid", "tanh", "relu"]
UpdateRule = Literal["exact", "stochastic", "counts"]
PeripheryName = Literal["ideal", "default", "standard"]
Variant = Literal["hybrid", "float", "no-inversion", "2pcm", "single", "tiki-taka-1", "tiki-taka-2", "mixed-precision"]

#: What can be trained side by side in one run: name -> what a report calls it.
VARIANTS: dict[str, str] = {
    "hybrid": "2 PCM + 3T1C",
    "float": "float",
    "no-inversion": "2 PCM + 3T1C, no polarity inversion",
    "2pcm": "2 PCM alone",
    "single": "one bidirectional device",
    "tiki-taka-1": "Tiki-Taka v1",
    "tiki-taka-2": "Tiki-Taka v2",
    "mixed-precision": "mixed precision",
}
#: What ``--ablations`` adds.
ABLATIONS: tuple[Variant, ...] = ("no-inversion", "2pcm")


class CrossbarSettings(Settings):
    """A fully connected network on crossbars, and its training."""

    FILES: ClassVar[frozenset[str]] = frozenset({"dataset", "features"})

    dataset: str = "mnist"
    """Name of the data set."""
    features: str = ""
    """Of CIFAR: features (.npz), a feature network (.safetensors), torchvision:MODEL or timm:MODEL."""
    seed: Natural = 0
    """Seed of devices, weights, noise and the order of samples."""
    variants: list[Variant] = Field(["hybrid", "float"], min_length=1)
    """What is trained side by side, from the same weights in the same order; the first is the run's own."""
    hidden: list[Count] = Field([250, 125])
    """Hidden units of each layer."""
    activation: Activation = "relu"
    """Activation between layers."""
    epochs: Count = 12
    """Passes over the data."""
    learning_rate: Positive = 0.01
    """Learning rate of the first epoch."""
    decay: PositiveShare = 0.8
    """Factor of the learning rate from one epoch to the next."""
    pcm_rate: Positive = 0.1
    """Learning rate of 2 PCM alone, times `learning_rate`."""
    device_rate: Positive = 1.0
    """Learning rate of cells of a single device, times `learning_rate`."""
    tiki_rate: Positive = 1.0
    """Learning rate of Tiki-Taka, times `learning_rate`."""
    samples: Natural = 0
    """Samples of the training split; 0: all."""
    validation: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of the training split kept for validation; 0: all are trained, and curves show the test split."""
    capacitor: str = "capacitor_vlsi2018"
    """Capacitor of the hybrid cell: a preset by name, or a .toml file of `hardwire crossbar fit`."""
    pcm: str = "pcm_gst"
    """Phase-change memory: a preset by name, or a .toml file of `hardwire crossbar fit`."""
    device: str = "gokmen_vlasov"
    """Device of single-device cells: a preset by name, or a .toml file of `hardwire crossbar fit`."""
    unit: float = 100.0
    """Conductance that is one unit of weight of the hybrid cell, in uS."""
    pair_unit: float = 20.0
    """Conductance that is one unit of weight of 2 PCM alone, in uS."""
    factor: float = 4.0
    """How many times more a PCM conductance of the hybrid cell counts than the capacitor's."""
    tolerance: float = 3.0
    """Tolerance of the closed loop that programs a pair, in uS."""
    transfer_every: int = 8000
    """Examples between transfers of the capacitors' weights to the PCM pairs."""
    rule: UpdateRule = "stochastic"
    """How an update is written: exactly, by coincidence of stochastic pulses, or by counted pulses."""
    slots: int = 31
    """Slots of an update's pulse trains, at most; 1 to 31."""
    periphery: PeripheryName = "standard"
    """Converters and noise."""
    blocks: int = 64
    """Blocks of the chip."""
    block_rows: int = 512
    """Rows of a block."""
    block_columns: int = 512
    """Columns of a block."""

    def rate(self, variant: str, epoch: int) -> float:
        """Return the learning rate of a variant in an epoch, the first being 0."""
        share = {"2pcm": self.pcm_rate, "single": self.device_rate, "mixed-precision": self.device_rate,
                 "tiki-taka-1": self.tiki_rate, "tiki-taka-2": self.tiki_rate}.get(variant, 1.0)
        return self.learning_rate * share * self.decay**epoch

    def check(self) -> None:
        """Raise InputError where a variant is named twice."""
        if len(set(self.variants)) < len(self.variants):
            raise InputError(f"variants = {self.variants}; give one or more of {', '.join(VARIANTS)}, each once")


#: Settings by data set.
PRESETS: dict[str, dict[str, Any]] = {
    "mnist": {},
    "fashion-mnist": {},
    "digits": {"hidden": [32], "activation": "tanh", "unit": 40.0, "epochs": 10, "learning_rate": 0.02,
               "transfer_every": 1000},
    "cifar10": {"hidden": [], "epochs": 10},
    "cifar100": {"hidden": [], "epochs": 10},
}


def preset(dataset: str) -> CrossbarSettings:
    """Return the default settings of a data set by name."""
    if dataset not in PRESETS:
        raise InputError(f"data set {dataset!r} is none that crossbars are trained on; "
                         f"choose from {', '.join(PRESETS)}")
    return CrossbarSettings(dataset=dataset, **PRESETS[dataset])
