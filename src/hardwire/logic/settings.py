"""Everything needed to repeat a run of logic training, as one flat record that is a TOML file on disk."""

import math
import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from ..core.errors import InputError
from ..core.settings import Count, Natural, NonNegative, Positive, PositiveShare, Settings, Share

EncoderName = Literal["threshold", "uniform", "quantile", "entropy", "informative"]
Parametrisation = Literal["table", "softmax", "walsh", "covjac"]
Initialisation = Literal["residual", "random"]
Estimator = Literal["relaxed", "gumbel", "hard", "efd"]
Augmentation = Literal["none", "flip", "crop", "flip+crop"]
Task = Literal["classify", "regress", "multilabel"]
Unit = Literal["ge", "gates", "luts"]
#: Numbers of gates, wires and pixels, which 32 bits hold; layers.
Gates = Annotated[int, Field(ge=1, le=2_000_000_000)]
Layers = Annotated[int, Field(ge=1, le=10_000)]
Pixels = Annotated[int, Field(ge=0, le=10_000)]


class LogicSettings(Settings):
    """A logic network, its encoder and its training."""

    PLACES: ClassVar[frozenset[str]] = frozenset({"device"})
    FILES: ClassVar[frozenset[str]] = frozenset({"dataset", "teacher"})

    dataset: str = "digits"
    """Name of the data set, or path of a table."""
    label: str = ""
    """Name of a table's label column (empty: the last one); of task regress or multilabel several with commas
    between."""
    seed: Natural = 0
    """Seed of the split, the wiring, the weights and the order of samples."""
    encoder: EncoderName = "uniform"
    """Rule of the thresholds."""
    levels: Annotated[int, Field(ge=1, le=1024)] = 5
    """Thresholds for each feature."""
    code_bits: int = 12
    """Bits of a real feature's code."""
    threshold_price: NonNegative = 0.01
    """Information, in nats a sample, that each gate of a comparator must bring: encoders entropy and informative."""
    edges: Annotated[int, Field(ge=0, le=1024)] = 0
    """Thresholds of the edge detectors of an image in each direction."""
    layers: Layers = 3
    """Layers of gates."""
    width: Gates = 2000
    """Gates in each layer; rounded up to a multiple of the classes."""
    parametrisation: Parametrisation = "table"
    """What the weights of a gate mean."""
    init: Initialisation = "random"
    """Start of the gates: near pass-through of the first operand (residual), or noise."""
    strength: float = 1.0
    """How near to pass-through a residual start is: a logit, of covjac a share."""
    noise: float = 0.5
    """Noise of the start."""
    wiring: Literal["structured", "random"] = "structured"
    """Wiring of the first layer and of the leaves of trees; deeper dense layers are random."""
    widths: list[Gates] = Field([])
    """Gates of each layer, in place of `layers` and `width`."""
    fan_in: Annotated[int, Field(ge=2, le=6)] = 2
    """Inputs of a node: 2 for gates, more for look-up tables."""
    estimator: Estimator = "relaxed"
    """What a training step sees of a node."""
    temperature: Positive = 1.0
    """Temperature of the estimator gumbel."""
    candidates: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """Candidates of each operand of learned wiring, a multiple of 4; with structured wiring a first layer's are
    neighbours."""
    learned_layers: Natural = 0
    """Number of first layers whose wiring is learned."""
    routing: Literal["soft", "hard"] = "soft"
    """What a step sees of learned wiring: all candidates in their shares, or the best."""
    routing_rate: NonNegative = 0.0
    """Learning rate of the shares of learned wiring; 0: `learning_rate`."""
    redraw_every: Natural = 0
    """Steps between draws of new candidates in place of those with small shares, until three quarters of the steps or
    `fix_wiring_at`; 0: never."""
    fix_wiring_at: PositiveShare = 1.0
    """Share of the steps after which learned wiring is fixed and the gates alone learn on."""
    harden_at: PositiveShare = 1.0
    """Share of the steps after which the estimator relaxed becomes hard: the last steps train what will be frozen."""
    freeze_at: PositiveShare = 1.0
    """Share of the steps after which layers are frozen one after the other, all but the last."""
    sharpen: Annotated[float, Field(ge=1)] = 1.0
    """Factor of the logits of gates and of learned wiring at the end of training; it grows from 1."""
    channels: list[Gates] = Field([])
    """Kernels of each convolution before the dense layers."""
    receptive_fields: list[Layers] = Field([])
    """Side of the field of each convolution."""
    paddings: list[Pixels] = Field([])
    """Border of zeros of each convolution."""
    channel_groups: list[Gates] = Field([])
    """Groups without cross-links of each convolution."""
    tree_depth: Annotated[int, Field(ge=1, le=8)] = 3
    """Depth of a convolution's trees of gates."""
    pool: Annotated[int, Field(ge=1, le=15)] = 2
    """Side of the OR pool after each convolution."""
    tree_strength: float = 2.0
    """As `strength`, of the gates of trees, which start near pass-through."""
    tree_noise: float = 0.25
    """As `noise`, of the gates of trees."""
    tau: NonNegative = 0.0
    """Divisor of the group sum; 0: 0.35 sqrt(width / classes), the rule of Petersen et al., 2024."""
    gate_penalty: NonNegative = 0.0
    """Weight in the loss of gates that cost: larger leaves fewer of them, as wires and constants cost nothing."""
    steps: Count = 2000
    """Optimizer steps."""
    batch: Gates = 128
    """Samples in each step."""
    learning_rate: Positive = 0.1
    """Learning rate of AdamW, at its highest."""
    schedule: Literal["one-cycle", "constant"] = "one-cycle"
    """Course of the learning rate: linear rise, then half a cosine to 0; or constant."""
    weight_decay: NonNegative = 0.0
    """Weight decay of AdamW."""
    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Share of the steps in which the learning rate rises."""
    evaluate_every: Count = 250
    """Steps between evaluations on the validation split."""
    patience: Natural = 0
    """Evaluations without a better frozen network after which training ends early; 0: it never does."""
    class_balance: Share = 0.0
    """How far rare classes are seen more often: each has a share of an epoch as its number of samples to the power 1 -
    this; 1: all classes alike."""
    task: Task = "classify"
    """What is predicted: a class, numbers, or labels that are on or off."""
    learn_tau: bool = False
    """Train the head's temperature (of regress its scale and bias) too, at a tenth of `learning_rate`."""
    augment: Augmentation = "none"
    """Moves of training images."""
    vary_shift: NonNegative = 0.0
    """Pixels that varied images are displaced by at most, fractions too. Gradient steps see varied samples, other ones
    each epoch; the search sees them as copies."""
    vary_turn: NonNegative = 0.0
    """Degrees that varied images are turned by at most."""
    vary_scale: Share = 0.0
    """Share that varied images grow or shrink by at most, in height and width apart."""
    vary_bend: NonNegative = 0.0
    """Deviation of the displacements, in pixels, that varied images are bent by: elastic distortion."""
    vary_noise: NonNegative = 0.0
    """Deviation of the noise on varied samples, as a share of each feature's own."""
    crop_pad: Pixels = 0
    """Pixels that crop moves an image by, at most; 0: 4 from 32 pixels on, 2 from 16, else 1."""
    teacher: str = ""
    """File (.npy) of a teacher's logits for the source's training samples."""
    teacher_weight: Share = 0.5
    """Share of the teacher's soft targets in the loss."""
    teacher_temperature: Positive = 2.0
    """Temperature of the teacher's soft targets."""
    accumulate: Gates = 1
    """Micro-batches that a batch is computed in, one after the other: less memory, the same step."""
    budget: NonNegative = 0.0
    """Price that an exact search brings the whole circuit to, in `unit`; 0: no search."""
    unit: Unit = "ge"
    """Unit of the price: NAND2 equivalents, two-input gates, or tables of up to six inputs."""
    start: str = "gradient"
    """What the search begins with: gradient (the network as trained), nothing, or the path of a run."""
    search_rounds: Natural = 0
    """Rounds of the search, of eight proposals each; 0: as many as fit in `search_seconds`."""
    search_seconds: NonNegative = 60.0
    """Time of a search whose rounds are not given; the circuit then depends on the machine's speed."""
    search_bits: Layers = 4
    """Output bits of each class that an empty network begins with."""
    search_copies: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """How often the search sees each sample: as it is, and in copies that are varied as `vary_*` says; 0: so that there
    are 150,000, at most 40, or 1 where nothing varies them."""
    search_redraw: Natural = 400
    """Rounds of a search after which copies are varied and images moved anew; 0: never."""
    search_depth: Gates = 24
    """Nodes on the longest path of a searched network."""
    search_window: Gates = 27_000
    """Samples on which a search ranks candidates."""
    search_pool: Gates = 3000
    """Operands that the proposals of a round choose from."""
    search_peak: Annotated[float, Field(ge=1)] = 2.0
    """Shares of the budget that the network grows to before it is cut back."""
    search_peak_at: Annotated[float, Field(gt=0, lt=0.85)] = 0.2
    """Share of the search after which it is that large."""
    search_floor: Positive = 7e-6
    """Nats a sample that a unit of price must save at least."""
    device: str = "cpu"
    """Where training runs: cpu, cuda, cuda:N, or triton-interpreter (the GPU's kernels interpreted on the CPU, for
    tests)."""

    def tau_for(self, classes: int) -> float:
        """Return the divisor of the group sum for so many classes."""
        return self.tau or 0.35 * math.sqrt(self.widths_for(classes)[-1] / classes)

    def widths_for(self, classes: int) -> list[int]:
        """Return the gates of each dense layer; equal ones, or the last, become a multiple of the classes."""
        if not self.widths:
            return [-(-self.width // classes) * classes] * self.layers
        return [*self.widths[:-1], -(-self.widths[-1] // classes) * classes]

    def check(self) -> None:
        """Raise InputError where settings, each valid alone, make no sense together."""
        for name in ("receptive_fields", "paddings", "channel_groups"):
            values = getattr(self, name)
            if values and len(values) != len(self.channels):
                raise InputError(f"{name} = {values} should have one entry for each of the "
                                 f"{len(self.channels)} channels")
        if self.learned_layers and (self.candidates < 4 or self.candidates % 4):
            raise InputError(f"learned_layers need candidates, a multiple of 4, not {self.candidates}")
        if self.start != "gradient" and not self.budget:
            raise InputError(f"start = {self.start!r} is for a search; give a budget")
        if self.budget and not (self.search_rounds or self.search_seconds):
            raise InputError("a search needs rounds or time; set search_rounds or search_seconds above 0")
        if self.class_balance and self.task != "classify":
            raise InputError(f"class_balance is for task 'classify', not {self.task!r}; leave it out")
        if self.teacher and self.task != "classify":
            raise InputError(f"a teacher's logits are for task 'classify', not {self.task!r}; leave teacher out")
        if not re.fullmatch(r"cpu|cuda(:\d+)?|triton-interpreter", self.device):
            raise InputError(f"device = {self.device!r} is none of cpu, cuda, cuda:N, triton-interpreter")


#: Settings by data set: selected on validation, see docs/results.md.
PRESETS: dict[str, dict[str, Any]] = {
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
#: What a search changes in the settings, by data set.
SEARCH_PRESETS: dict[str, dict[str, Any]] = {
    "digits": {"encoder": "uniform", "levels": 3, "search_copies": 20, "vary_shift": 0.7, "vary_noise": 0.4,
               "search_floor": 1e-6},
    "mnist": {"encoder": "threshold", "levels": 1, "augment": "crop", "crop_pad": 1, "search_copies": 2},
    "fashion-mnist": {"encoder": "uniform", "levels": 3, "augment": "flip", "search_copies": 2},
    "cifar10": {"encoder": "uniform", "levels": 3, "augment": "flip", "search_copies": 1},
    "cifar100": {"encoder": "uniform", "levels": 3, "augment": "flip", "search_copies": 1},
}
#: What a search for more than ``LARGE_BUDGET`` changes in them: it has gates enough to fit the noise of few samples.
LARGE_SEARCH_PRESETS: dict[str, dict[str, Any]] = {
    "mnist": {"augment": "none", "vary_shift": 0.8, "vary_turn": 8.0, "vary_scale": 0.08, "vary_bend": 0.6,
              "search_copies": 6, "search_redraw": 1500},
}
#: Two-input gates of one answer in a millisecond, as a price: the emitted C on a Cortex-M0+ of 48 MHz, ten cycles a
#: gate. A rough estimate: two loads and a store of two cycles each, their addresses, and the gate itself.
GATES_PER_MS = 4800.0
LARGE_BUDGET: dict[Unit, float] = {"ge": 5000.0, "gates": 4000.0, "luts": 500.0}
#: Of any search for more than ``LARGE_BUDGET``: it grows as long as time allows.
LARGE_SEARCH: dict[str, Any] = {"search_floor": 1e-6, "search_peak": 1.25, "search_peak_at": 0.4, "search_bits": 8}
#: Of a search over tables: a table of six operands does what five levels of gates do.
TABLE_SEARCH: dict[str, Any] = {"search_depth": 3, "search_pool": 1500, "search_window": 13_312, "search_bits": 10}
#: What the demo's search is given: rounds and no time, so that it gives the same circuit on any machine.
DEMO_SEARCH: dict[str, Any] = {"start": "nothing", "budget": 3000.0, "search_rounds": 1000}
#: For a user's own table.
TABLE_PRESET: dict[str, Any] = {"encoder": "quantile", "levels": 7, "wiring": "random", "layers": 3, "width": 1000}


def search_preset(dataset: str, budget: float = 0.0, unit: Unit = "ge") -> LogicSettings:
    """Return the default settings of a search from nothing for a budget, without its time."""
    table = {"encoder": "informative", "levels": 7, "vary_noise": 0.15}
    changes = SEARCH_PRESETS.get(str(dataset), table)
    if budget > LARGE_BUDGET[unit]:
        changes = changes | LARGE_SEARCH | LARGE_SEARCH_PRESETS.get(str(dataset), {})
    if unit == "luts":
        changes = changes | TABLE_SEARCH
    return preset(dataset).changed(evaluate_every=50, budget=budget, unit=unit, **changes)


def preset(dataset: str) -> LogicSettings:
    """Return the default settings for a data set by name, or for a user's own file."""
    return LogicSettings(dataset=str(dataset), **PRESETS.get(str(dataset), TABLE_PRESET))
