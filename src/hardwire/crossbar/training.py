"""Training on crossbars: the same network on several kinds of cells, side by side.

All variants start from the same weights and see the same samples in the same order.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ..core.errors import FormatError, InputError
from ..data import load_dataset
from ..data.columns import Columns, kept_texts
from ..data.fingerprint import fingerprint_of
from ..runs.calibration import calibration_file
from ..runs.checkpoint import Stored, Tensors, part, with_prefix
from ..runs.directory import RunDirectory, kept_columns
from ..runs.experiment import Figures, Training
from ..runs.fingerprint import Fingerprint
from ..runs.values import Real, Size, Standing, Values
from .build import cell_of, chip_of, periphery_of
from .features import features_digest, features_of
from .network import Network
from .periphery import Chip
from .settings import CrossbarSettings

#: Samples between looks at the clock; results do not depend on it.
CHUNK = 2000
#: Rows and columns left of an MNIST image: 22 x 24 pixels are the 528 inputs of Burr et al. 2015.
CROP = (slice(3, 25), slice(2, 26))


@dataclass(frozen=True)
class CrossbarData:
    """Inputs in [0, 1] (samples, features) float32 and labels: training, the split that curves show, and test.

    ``fingerprint`` is that of the data set, and of the file of features where there is one; ``columns`` are a table's.
    ``largest`` is the value that becomes 1 and ``shape`` that of an image.
    """

    x: NDArray[np.float32]
    y: NDArray[np.int64]
    shown_x: NDArray[np.float32]
    shown_y: NDArray[np.int64]
    test_x: NDArray[np.float32]
    test_y: NDArray[np.int64]
    classes: tuple[str, ...]
    source: str
    fingerprint: Fingerprint = field(default_factory=dict)
    columns: Columns | None = None
    largest: float = 1.0
    shape: tuple[int, ...] = ()

    def __repr__(self) -> str:
        return (f"<CrossbarData: {len(self.y)} training, {len(self.shown_y)} shown, {len(self.test_y)} test samples of "
                f"{self.x.shape[1]} inputs, {len(self.classes)} classes>")


@dataclass(frozen=True)
class CrossbarModel:
    """Trained networks, by variant; ``metrics`` has a row for each epoch and variant, ``seconds`` the time of each.

    ``compile_s`` is the time that kernels took to compile before training, which ``seconds`` leaves out.
    ``names`` are those of the classes, ``largest`` and ``shape`` as in ``CrossbarData``; models of before have none.
    """

    settings: CrossbarSettings
    networks: dict[str, Network]
    metrics: list[dict[str, Any]]
    seconds: dict[str, float]
    compile_s: float = 0.0
    names: list[str] = field(default_factory=list)
    largest: float = 0.0
    shape: tuple[int, ...] = ()

    def scores(self, x: NDArray[Any]) -> NDArray[np.float32]:
        """Return the outputs of the first variant (samples, classes) for samples in the source's units."""
        network = self.networks[self.settings.variants[0]]
        given = inputs_of(x, self.shape or (-1,)) / np.float32(self.largest)
        return network.scores(given, seed=self.settings.epochs)

    def __repr__(self) -> str:
        return f"<CrossbarModel of {self.settings.dataset!r}: {', '.join(self.networks)}>"


def inputs_of(x: NDArray[Any], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return images as inputs: MNIST's cut to 22 x 24."""
    images = x.reshape(len(x), *shape)
    if shape == (1, 28, 28):
        images = images[:, :, CROP[0], CROP[1]]
    return np.ascontiguousarray(images.reshape(len(x), -1), np.float32)


def read_data(settings: CrossbarSettings, data_dir: str | Path | None = None,
              run: RunDirectory | None = None) -> CrossbarData:
    """Return the samples of a run: pixels over their largest value; of CIFAR the features of its images."""
    images = settings.dataset.startswith("cifar")
    if images and not settings.features:
        raise InputError(f"{settings.dataset} needs --features: a file of features or of a feature network, or "
                         "torchvision:MODEL or timm:MODEL; benchmarks/crossbar_transfer.py makes one")
    source = load_dataset(settings.dataset, seed=settings.seed, data_dir=data_dir,
                          validation=settings.validation or 0.1, **kept_columns(run))
    splits = [source.train, source.validation, source.test]
    if images:
        (x, origin), largest = features_of(settings.features, settings.dataset, splits), np.float32(0)
    else:
        largest = np.float32(source.train.x.max())
        x, origin = [inputs_of(s.x, source.shape or (-1,)) / largest for s in splits], ""
    train_x, train_y, shown = x[0], source.train.y, (x[1], source.validation.y)
    if not settings.validation:
        train_x, train_y = np.concatenate(x[:2]), np.concatenate([source.train.y, source.validation.y])
        shown = x[2], source.test.y
    keep = slice(settings.samples or None)
    known = fingerprint_of(source) | (features_digest(settings.features) if images else {})
    return CrossbarData(train_x[keep], train_y[keep], *shown, x[2], source.test.y, source.classes,
                        source.source + origin, known, source.columns, float(largest), source.shape or ())


def build(settings: CrossbarSettings, variant: str, inputs: int, classes: int) -> Network:
    """Return a fresh network of a variant; all variants start from the same weights and each has a chip of its own."""
    sizes = [inputs, *settings.hidden, classes]
    return Network(sizes, cell_of(settings, variant), ahead=periphery_of(settings, variant),
                   activation=settings.activation, seed=settings.seed, chip=chip_of(settings))


def order_of(settings: CrossbarSettings, epoch: int, samples: int) -> NDArray[np.int64]:
    """Return the order of samples in an epoch, the same for every variant."""
    return np.random.default_rng([settings.seed, epoch, 9]).permutation(samples)


class CrossbarTraining(Training):
    """Training of every variant, an epoch of each in turn."""

    unit = "example"

    def __init__(self, settings: CrossbarSettings, data: CrossbarData) -> None:
        self.settings, self.data = settings, data
        self.networks: dict[str, Network] = {v: build(settings, v, data.x.shape[1], len(data.classes))
                                             for v in settings.variants}
        self.total = settings.epochs * len(self.networks) * len(data.x)
        self.loss, self.right = 0.0, 0.0
        self.seconds = dict.fromkeys(self.networks, 0.0)

    def prepare(self) -> None:
        """Compile the kernels of every variant by networks of as many, but small, layers."""
        settings = self.settings
        sizes = [2] * (len(settings.hidden) + 2)
        for variant in settings.variants:
            small = Network(sizes, cell_of(settings, variant), ahead=periphery_of(settings, variant),
                            activation=settings.activation, seed=settings.seed, chip=Chip())
            small.train(np.ones((1, 2), np.float32), np.zeros(1, np.int64), settings.rate(variant, 0))
            small.scores(np.ones((1, 2), np.float32), seed=0)

    def advance(self) -> Figures | None:
        """Train a variant on the next samples of its epoch."""
        samples, variants = len(self.data.x), self.settings.variants
        turn, first = divmod(self.position, samples)
        epoch, variant = turn // len(variants), variants[turn % len(variants)]
        rows = order_of(self.settings, epoch, samples)[first : first + CHUNK]
        started = time.perf_counter()
        loss, right = self.networks[variant].train(self.data.x, self.data.y, self.settings.rate(variant, epoch), rows)
        self.seconds[variant] += time.perf_counter() - started
        self.loss, self.right = self.loss + loss * len(rows), self.right + right * len(rows)
        self.position += len(rows)
        return self._end_epoch(epoch, variant) if self.position % samples == 0 else None

    def _end_epoch(self, epoch: int, variant: str) -> Figures:
        data, samples = self.data, len(self.data.x)
        shown = self.networks[variant].accuracy(data.shown_x, data.shown_y, seed=epoch)
        figures: Figures = {"epoch": epoch + 1, "variant": variant, "loss": round(self.loss / samples, 6),
                            "training": round(self.right / samples, 6), "shown": shown,
                            "seconds": round(self.seconds[variant], 3)}
        self.loss, self.right = 0.0, 0.0
        return figures

    def fingerprint(self) -> Fingerprint:
        """Return that of the data."""
        return self.data.fingerprint

    def texts(self) -> Mapping[str, str]:
        """Return the columns of a table."""
        return kept_texts(self.data.columns)

    def calibration(self) -> Mapping[str, str]:
        """Return what turns outputs of the first variant into probabilities, fitted on the validation split."""
        if not self.settings.validation:
            return {}
        network = self.networks[self.settings.variants[0]]
        scores = network.scores(self.data.shown_x, seed=self.settings.epochs)
        return calibration_file(scores, self.data.shown_y)

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """Return every device of every variant."""
        values = {"loss": self.loss, "right": self.right, "seconds": self.seconds,
                  "inputs": self.data.x.shape[1], "classes": len(self.data.classes), "names": list(self.data.classes),
                  "largest": self.data.largest, "shape": list(self.data.shape)}
        return stored_devices(self.networks), values

    def restore(self, tensors: Tensors, values: Mapping[str, Any]) -> None:
        """Go on from what ``state`` gave."""
        kept = CrossbarValues.of(values, "the checkpoint")
        restore_devices(self.networks, tensors)
        self.loss, self.right, self.seconds = kept.loss, kept.right, _seconds(kept, self.settings)

    def finish(self) -> tuple[Tensors, dict[str, Any]]:
        """Return what ``state`` gives."""
        return self.state()


def stored_devices(networks: Mapping[str, Network]) -> Tensors:
    """Return the arrays of every network as tensors."""
    tensors: Tensors = {}
    for variant, network in networks.items():
        for k, layer in enumerate(network.layers):
            tensors |= with_prefix(f"{variant}.{k}.", layer.arrays())
    return tensors


def restore_devices(networks: Mapping[str, Network], tensors: Tensors) -> None:
    """Give every network the devices that ``stored_devices`` returned; InputError where they are others."""
    for variant, network in networks.items():
        for k, layer in enumerate(network.layers):
            own = part(tensors, f"{variant}.{k}.")
            layer.restore({name: own.get(name, np.zeros(0)) for name in layer.arrays()})


def load(stored: Stored) -> CrossbarModel:
    """Return the model of a finished run."""
    settings = CrossbarSettings.from_toml(stored.settings)
    values, run = CrossbarValues.of(stored.values, "the model"), Standing.of(stored.values, "the model").run
    _check_sizes(settings, values, stored.tensors)
    networks: dict[str, Network] = {v: build(settings, v, values.inputs, values.classes) for v in settings.variants}
    restore_devices(networks, stored.tensors)
    return CrossbarModel(settings, networks, run.metrics, _seconds(values, settings), run.compile_s, values.names,
                         values.largest, tuple(values.shape))


class CrossbarValues(Values):
    """What a checkpoint and a model hold beside the devices."""

    loss: Real
    right: Real
    seconds: dict[str, Annotated[float, Field(ge=0)]]
    inputs: Size
    classes: Size
    names: list[str] = Field([])
    largest: Annotated[float, Field(ge=0)] = 0.0
    shape: list[Size] = Field([])


def _seconds(values: CrossbarValues, settings: CrossbarSettings) -> dict[str, float]:
    """Return the time of each variant; FormatError where one has none."""
    if set(values.seconds) != set(settings.variants):
        raise FormatError(f"the model has seconds of {', '.join(values.seconds)[:100]}, not of its variants; train the "
                          "network anew")
    return dict(values.seconds)


def _check_sizes(settings: CrossbarSettings, values: CrossbarValues, tensors: Tensors) -> None:
    """FormatError unless the stored devices are those of the settings' layers, before memory is taken for these."""
    sizes = [values.inputs, *settings.hidden, values.classes]
    for variant in settings.variants:
        for k, (n, m) in enumerate(pairwise(sizes)):
            given = tensors.get(f"{variant}.{k}.reading.rest")
            if given is None or given.shape != (n + 1, m):
                raise FormatError(f"the model holds other devices than layer {k + 1} of {variant}, {n + 1} x {m}; "
                                  "train the network anew")
