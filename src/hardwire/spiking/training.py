"""Training a spiking network: samples in chunks, evaluations on the validation split."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ..core.errors import FormatError, InputError
from ..core.memory import check_memory
from ..data import Dataset, load_dataset
from ..data.columns import kept_texts
from ..data.datasets import Split
from ..data.fingerprint import fingerprint_of
from ..runs.calibration import calibration_file
from ..runs.checkpoint import Stored, Tensors
from ..runs.directory import RunDirectory, kept_columns
from ..runs.experiment import Figures, Training, run
from ..runs.fingerprint import Fingerprint
from ..runs.progress import Listener
from ..runs.values import DatasetValues, Real, Size, Standing, Values
from .diehl_cook import DiehlCookNetwork
from .encoding import grey_levels, select_pixels
from .kernels.cells import LTD, LTP
from .network import OneSidedNetwork
from .readout import Readout, fit_readout
from .settings import SpikingSettings

Network = OneSidedNetwork | DiehlCookNetwork
#: Points of the curve of activity.
WATCHED = 100
#: Of a read-out's numbers.
LARGEST_EVIDENCE = 1e100


@dataclass(frozen=True)
class Encoder:
    """Samples of any kind as grey levels of the chosen pixels: ``low`` becomes 0, ``high`` 255."""

    pixels: NDArray[np.int64]
    low: float
    high: float

    def __repr__(self) -> str:
        return f"<Encoder of {len(self.pixels)} pixels, {self.low:g} to {self.high:g}>"

    def __call__(self, x: NDArray[Any]) -> NDArray[np.uint8]:
        """Return the grey levels (samples, pixels); InputError where samples have too few features."""
        if x.ndim != 2 or x.shape[1] <= self.pixels[-1]:
            raise InputError(f"samples of shape {x.shape} have no feature {self.pixels[-1]}, which the network reads; "
                             "give the features of its training")
        return np.ascontiguousarray(grey_levels(x[:, self.pixels], self.low, self.high))


def fit_encoder(settings: SpikingSettings, x: NDArray[Any]) -> Encoder:
    """Choose the pixels from training samples ``x`` (samples, features); bytes keep their range, others have theirs."""
    low, high = (0, 255) if x.dtype == np.uint8 and x.max() > 16 else (float(x.min()), float(x.max()))
    return Encoder(select_pixels(grey_levels(x, low, high), min(settings.inputs, x.shape[1])), low, high)


@dataclass(frozen=True)
class Model:
    """A trained network with its encoder, its read-outs and what is known of its training.

    dataset    {name, classes, shape}
    compile_s  what kernels took to compile before training, which ``seconds`` leaves out
    activity   [{samples, spikes_per_sample, active, pruned}] some hundred times in a training: of the last chunk, the
               spikes of all outputs, the share of outputs that fired, and the pruned share of all synapses
    """

    settings: SpikingSettings
    network: Network
    encoder: Encoder
    readout: Readout
    metrics: list[dict[str, Any]]
    seconds: float
    dataset: dict[str, Any]
    compile_s: float = 0.0
    activity: list[dict[str, float | int]] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"<Model of {self.dataset.get('name')!r}: {self.network!r}>"

    def respond(self, x: NDArray[Any]) -> NDArray[np.uint16]:
        """Output spikes (samples, outputs) of samples ``x`` (samples, features)."""
        return self.network.respond(self.encoder(x))

    def predict(self, x: NDArray[Any]) -> NDArray[np.int64]:
        """Class index of each sample, by the classes that outputs are assigned to, (samples,) int64."""
        return self.readout.votes(self.respond(x))


def read_data(settings: SpikingSettings, data_dir: str | Path | None = None,
              run: RunDirectory | None = None) -> Dataset:
    """The data set that the settings name, split as they say; a table by the columns of ``run``."""
    data = load_dataset(settings.dataset, seed=settings.seed, data_dir=data_dir, validation=settings.validation or 0.1,
                        **kept_columns(run))
    if settings.validation:
        return data
    x, y, rows = (np.concatenate([getattr(s, name) for s in (data.train, data.validation)])
                  for name in ("x", "y", "rows"))
    return dataclasses.replace(data, train=Split(x, y, rows), validation=Split(x[:0], y[:0], rows[:0]))


def build(settings: SpikingSettings, inputs: int, training_samples: int) -> Network:
    """A fresh network; ``training_samples`` in all epochs."""
    check_memory(16.0 * (inputs + 1) * settings.outputs, f"{inputs:,} inputs of {settings.outputs:,} outputs",
                 "lower inputs or outputs")
    kind = OneSidedNetwork if settings.rule == "one-sided" else DiehlCookNetwork
    return kind(settings, inputs, training_samples)


class SpikingTraining(Training):
    """Unsupervised training, a chunk of samples at a time; outputs are assigned to classes by labels when it ends."""

    unit = "sample"

    def __init__(self, settings: SpikingSettings, dataset: Dataset) -> None:
        self.settings, self.dataset = settings, dataset
        self.encoder = fit_encoder(settings, dataset.train.x)
        self.x = self.encoder(dataset.train.x)
        self.total = settings.epochs * len(self.x)
        self.network = build(settings, len(self.encoder.pixels), self.total)
        self.activity: list[dict[str, float | int]] = []

    def prepare(self) -> None:
        """Compile the kernels by a network of few inputs and outputs."""
        small = build(self.settings.changed(inputs=2, outputs=2), 2, 1)
        sample = np.full((1, 2), 255, np.uint8)
        small.learn(sample, 0)
        small.respond(sample)
        if isinstance(small, OneSidedNetwork) and self.settings.method != "none":
            small.prune(0, 1)

    def advance(self) -> Figures | None:
        """Show a chunk of samples, anew ordered in each epoch; a chunk ends where pruning looks, and with the epoch."""
        settings, samples = self.settings, len(self.x)
        epoch, first = divmod(self.position, samples)
        order = np.random.default_rng((settings.seed, 2, epoch)).permutation(samples)
        rows = order[first : first + settings.check_every]
        counts = self.network.learn(self.x[rows], self.position)
        self.position += len(rows)
        self._watch(counts)
        return self._evaluate(counts) if due(settings, self.position, len(rows), samples) else None

    def _watch(self, counts: NDArray[np.uint16]) -> None:
        """Note what the last chunk's outputs did and what is pruned, at the first chunk of every hundredth."""
        done = self.position * WATCHED // self.total
        if done > (self.position - len(counts)) * WATCHED // self.total:
            point: dict[str, float | int] = {"samples": self.position, "spikes_per_sample": float(counts.sum(1).mean()),
                                             "active": float(counts.any(axis=0).mean())}
            arrays = self.network.arrays()
            self.activity.append(point | ({"pruned": float(arrays["frozen"].mean())} if "frozen" in arrays else {}))

    def _evaluate(self, counts: NDArray[np.uint16]) -> Figures:
        """Return the figures of an evaluation; ``counts`` are the last chunk's output spikes."""
        arrays, settings = self.network.arrays(), self.settings
        accuracy = evaluate(self.network, self.encoder, self.dataset, settings, self.x)
        figures: Figures = {
            "samples": self.position, "epoch": self.position * settings.epochs / self.total,
            "spikes_per_sample": float(counts.sum(1).mean()), **{f"validation_{k}": v for k, v in accuracy.items()},
            "updates": int(arrays["tally"][[LTP, LTD]].sum())}
        return figures | ({"pruned": float(arrays["frozen"].mean())} if "frozen" in arrays else {})

    def fingerprint(self) -> Fingerprint:
        """Return that of the data set."""
        return fingerprint_of(self.dataset)

    def texts(self) -> Mapping[str, str]:
        """Return the columns of a table."""
        return kept_texts(self.dataset.columns)

    def calibration(self) -> Mapping[str, str]:
        """Return what turns votes into probabilities, fitted on the validation split."""
        held = self.dataset.validation
        if not len(held.y):
            return {}
        scores = self.readout.scores(self.network.respond(self.encoder(held.x)))
        return calibration_file(scores, held.y)

    def state(self) -> tuple[Tensors, dict[str, Any]]:
        """Return the network's arrays, and the activity so far."""
        return dict(self.network.arrays()), {"activity": self.activity}

    def restore(self, tensors: Tensors, values: Mapping[str, Any]) -> None:
        """Go on from what ``state`` gave."""
        self.network.restore(tensors)
        self.activity = activity_of(Watched.of(values, "the checkpoint"))

    def finish(self) -> tuple[Tensors, dict[str, Any]]:
        """Prune what is pruned after training, assign outputs to classes by all training samples; return the model."""
        self.network.finish()
        dataset, encoder = self.dataset, self.encoder
        self.readout = readout = fit_readout(self.network.respond(self.x), dataset.train.y, len(dataset.classes))
        tensors = self.network.arrays() | {"pixels": encoder.pixels, "assigned": readout.assigned,
                                           "evidence": readout.evidence, "linear": readout.linear}
        values = {"activity": self.activity, "low": encoder.low, "high": encoder.high, "training_samples": self.total,
                  "dataset": {"name": dataset.name, "classes": list(dataset.classes),
                              "shape": list(dataset.shape) if dataset.shape else None}}
        return tensors, values


def train(settings: SpikingSettings, dataset: Dataset, *, out: str | Path | None = None, resume: bool = False,
          progress: Listener | None = None, checkpoint_seconds: float | None = None) -> Model:
    """Train on ``dataset``; with ``out``, into that run directory.

    Parameters
    ----------
    settings, dataset
        The network and its samples.
    out
        Run directory; without it nothing is written.
    resume
        Go on where a killed run in ``out`` was.
    progress
        Called with events, see ``runs.progress``.
    checkpoint_seconds
        Time between checkpoints.
    """
    training = SpikingTraining(settings, dataset)
    outcome = run("spiking", settings, training, out=out, resume=resume, listen=progress,
                  checkpoint_seconds=checkpoint_seconds)
    return load(outcome.stored)


def due(settings: SpikingSettings, position: int, size: int, samples: int) -> bool:
    """Whether an evaluation falls into the chunk of ``size`` samples that ended at ``position``."""
    every = settings.evaluate_every or samples
    return position // every > (position - size) // every or position == settings.epochs * samples


def evaluate(network: Network, encoder: Encoder, dataset: Dataset, settings: SpikingSettings,
             x: NDArray[np.uint8]) -> dict[str, float]:
    """Accuracies on the validation split, if any; the first ``label_samples`` training samples assign the outputs."""
    if not len(dataset.validation.y):
        return {}
    n = min(settings.label_samples, len(x))
    readout = fit_readout(network.respond(x[:n]), dataset.train.y[:n], len(dataset.classes))
    return readout.accuracy(network.respond(encoder(dataset.validation.x)), dataset.validation.y)


def load(stored: Stored) -> Model:
    """Return the model of a finished run; FormatError where something is missing."""
    settings, arrays = SpikingSettings.from_toml(stored.settings), stored.tensors
    values = SpikingValues.of(stored.values, "the model")
    _check_arrays(settings, values, arrays)
    encoder = Encoder(arrays["pixels"], values.low, values.high)
    network = build(settings, len(encoder.pixels), values.training_samples)
    network.restore(arrays)
    readout = Readout(arrays["assigned"], arrays["evidence"], arrays["linear"])
    return Model(settings, network, encoder, readout, values.run.metrics, values.run.seconds, stored.values["dataset"],
                 values.run.compile_s, activity_of(values))


def activity_of(values: "Watched | SpikingValues") -> list[dict[str, float | int]]:
    """Return the points of the curve of activity that a checkpoint or a model holds."""
    return [point.model_dump(exclude_none=True) for point in values.activity]


class SpikingDataset(DatasetValues):
    """What a spiking model knows of its data, which may be no images."""

    shape: list[Size] | None


class ActivityPoint(Values):
    """What the outputs did in a chunk of training that ended at ``samples``, and the pruned share of all synapses."""

    samples: Size
    spikes_per_sample: Annotated[float, Field(ge=0)]
    active: Annotated[float, Field(ge=0, le=1)]
    pruned: Annotated[float, Field(ge=0, le=1)] | None = None


class Watched(Values):
    """What a checkpoint holds beside the network's arrays."""

    activity: list[ActivityPoint] = Field([])


class SpikingValues(Standing):
    """What a model holds beside its arrays."""

    low: Real
    high: Real
    training_samples: Size
    dataset: SpikingDataset
    activity: list[ActivityPoint] = Field([])


def _check_arrays(settings: SpikingSettings, values: SpikingValues, arrays: Tensors) -> None:
    """FormatError unless the encoder's and the read-outs' arrays fit the settings, before memory is taken for them."""
    classes, outputs = len(values.dataset.classes), settings.outputs
    pixels = arrays.get("pixels", np.zeros(0))
    bias = settings.bias and settings.rule == "one-sided"
    shapes = {"w": (len(pixels) + bias, outputs), "assigned": (outputs,), "evidence": (outputs, classes),
              "linear": (outputs + 1, classes)}
    fits = all(name in arrays and arrays[name].shape == shape for name, shape in shapes.items())
    fits = fits and pixels.ndim == 1 and len(pixels) > 0 and pixels.dtype == arrays["assigned"].dtype == np.int64
    fits = fits and bool(((pixels >= 0) & (pixels < 1 << 40)).all() and (np.diff(pixels) > 0).all())
    fits = fits and bool(((arrays["assigned"] >= 0) & (arrays["assigned"] < classes)).all())
    for name in ("evidence", "linear"):
        fits = fits and arrays[name].dtype == np.float64 and bool((np.abs(arrays[name]) <= LARGEST_EVIDENCE).all())
    if not fits:
        raise FormatError("the model's encoder or read-out does not fit its settings and classes; train it anew")


def load_model(path: str | Path) -> Model:
    """Read the model in a run directory."""
    return load(RunDirectory(path).read_model("spiking"))
