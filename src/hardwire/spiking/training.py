"""Training a spiking network: samples in chunks, evaluations on the validation split, checkpoints; a killed run resumes to the same
bits."""

import dataclasses
import json
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from ..core.errors import FormatError, InputError
from ..core.files import write_bytes, write_text
from ..data import load_dataset
from ..data.datasets import Split
from .diehl_cook import DiehlCookNetwork
from .encoding import grey_levels, select_pixels
from .network import OneSidedNetwork
from .readout import Readout, fit_readout
from .settings import SpikingSettings
from .synapses import LTD, LTP

CONFIG, METRICS, CHECKPOINT, MODEL = "config.toml", "metrics.jsonl", "checkpoint.safetensors", "model.safetensors"
VERSION = 1


@dataclass(frozen=True)
class Encoder:
    """Samples of any kind as grey levels of the chosen pixels: ``low`` becomes 0, ``high`` 255."""

    pixels: np.ndarray
    low: float
    high: float

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(grey_levels(x[:, self.pixels], self.low, self.high))


def fit_encoder(settings: SpikingSettings, x: np.ndarray) -> Encoder:
    """Choose the pixels from training samples ``x`` (samples, features); bytes keep their range, other numbers get their own."""
    low, high = (0, 255) if x.dtype == np.uint8 and x.max() > 16 else (float(x.min()), float(x.max()))
    return Encoder(select_pixels(grey_levels(x, low, high), min(settings.inputs, x.shape[1])), low, high)


@dataclass
class Progress:
    """Where a run stands: samples shown, seconds spent, evaluations so far."""

    position: int = 0
    seconds: float = 0.0
    metrics: list[dict] = field(default_factory=list)


@dataclass(frozen=True)
class Model:
    """A trained network with its encoder, its read-outs and what is known of its training.

    dataset  {name, classes, shape}
    """

    settings: SpikingSettings
    network: OneSidedNetwork | DiehlCookNetwork
    encoder: Encoder
    readout: Readout
    metrics: list[dict]
    seconds: float
    dataset: dict

    def respond(self, x: np.ndarray) -> np.ndarray:
        """Output spikes (samples, outputs) of samples ``x`` (samples, features)."""
        return self.network.respond(self.encoder(x))

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Class index of each sample, by the classes that outputs are assigned to, (samples,) int64."""
        return self.readout.votes(self.respond(x))


def read_data(settings: SpikingSettings, data_dir=None):
    """The data set that the settings name, split as they say."""
    data = load_dataset(settings.dataset, seed=settings.seed, data_dir=data_dir, validation=settings.validation or 0.1)
    if settings.validation:
        return data
    x, y = (np.concatenate([getattr(s, name) for s in (data.train, data.validation)]) for name in "xy")
    return dataclasses.replace(data, train=Split(x, y), validation=Split(x[:0], y[:0]))


def build(settings: SpikingSettings, inputs: int, training_samples: int):
    """A fresh network; ``training_samples`` in all epochs."""
    return {"one-sided": OneSidedNetwork, "triplet": DiehlCookNetwork}[settings.rule](settings, inputs, training_samples)


def train(settings: SpikingSettings, dataset, *, out=None, resume: bool = False, progress=None, checkpoint_seconds: float = 20.0) -> Model:
    """Train on ``dataset`` (see ``hardwire.data.Dataset``); with ``out``, into that run directory.

    resume    go on where a killed run in ``out`` was
    progress  called after each evaluation with its metrics, ``total`` samples and ``seconds_left``
    """
    encoder = fit_encoder(settings, dataset.train.x)
    x, total = encoder(dataset.train.x), settings.epochs * len(dataset.train.y)
    network = build(settings, len(encoder.pixels), total)
    state, out = Progress(), None if out is None else Path(out)
    open_run(out, settings, network, state, resume)
    started = saved = time.perf_counter()
    first, before = state.position, state.seconds
    for rows in chunks(settings, len(x), first):
        counts = network.learn(x[rows], state.position)
        state.position += len(rows)
        now = time.perf_counter()
        state.seconds = before + now - started
        if due(settings, state.position, len(rows), len(x)):
            state.metrics.append(entry_of(network, counts, state, evaluate(network, encoder, dataset, settings, x)))
            if out:
                write_text(out / METRICS, "".join(json.dumps(m) + "\n" for m in state.metrics))
            if progress:
                left = (now - started) / (state.position - first) * (total - state.position)
                progress(state.metrics[-1] | {"total": total, "seconds_left": left})
        if out and now - saved > checkpoint_seconds:
            save_state(out / CHECKPOINT, settings, network.arrays(), dataclasses.asdict(state))
            saved = now
    network.finish()
    readout = fit_readout(network.respond(x), dataset.train.y, len(dataset.classes))
    model = Model(settings, network, encoder, readout, state.metrics, state.seconds,
                  {"name": dataset.name, "classes": list(dataset.classes), "shape": dataset.shape})
    if out:
        save_model(out, model)
    return model


def entry_of(network, counts: np.ndarray, state: Progress, accuracy: dict[str, float]) -> dict:
    """A line of ``metrics.jsonl``; ``counts`` are the last chunk's output spikes."""
    kept = network.arrays()
    entry = {"samples": state.position, "epoch": state.position * network.settings.epochs / network.training_samples,
             "spikes_per_sample": float(counts.sum(1).mean()), **{f"validation_{k}": v for k, v in accuracy.items()},
             "updates": int(kept["tally"][[LTP, LTD]].sum()), "seconds": round(state.seconds, 3)}
    return entry | ({"pruned": float(kept["frozen"].mean())} if "frozen" in kept else {})


def chunks(settings: SpikingSettings, samples: int, position: int):
    """Rows of each chunk from ``position`` on, in every epoch a new order; a chunk ends where pruning looks, and with the epoch."""
    for epoch in range(position // samples, settings.epochs):
        order = np.random.default_rng((settings.seed, 2, epoch)).permutation(samples)
        for first in range(max(0, position - epoch * samples), samples, settings.check_every):
            yield order[first : first + settings.check_every]


def due(settings: SpikingSettings, position: int, size: int, samples: int) -> bool:
    """Whether an evaluation falls into the chunk of ``size`` samples that ended at ``position``."""
    every = settings.evaluate_every or samples
    return position // every > (position - size) // every or position == settings.epochs * samples


def evaluate(network, encoder: Encoder, dataset, settings: SpikingSettings, x: np.ndarray) -> dict[str, float]:
    """Accuracies on the validation split, outputs being assigned by the first ``label_samples`` training samples; none without it."""
    if not len(dataset.validation.y):
        return {}
    n = min(settings.label_samples, len(x))
    readout = fit_readout(network.respond(x[:n]), dataset.train.y[:n], len(dataset.classes))
    return readout.accuracy(network.respond(encoder(dataset.validation.x)), dataset.validation.y)


def open_run(out, settings: SpikingSettings, network, state: Progress, resume: bool) -> None:
    """Claim the folder, or take over what its checkpoint holds."""
    if out is None:
        if resume:
            raise InputError("resume needs a run directory; give out")
        return
    if (out / MODEL).exists():
        raise InputError(f"{out} already holds a finished run; choose another folder")
    if (out / CHECKPOINT).exists():
        if not resume:
            raise InputError(f"{out} already holds a run; resume it, or choose another folder")
        arrays, facts = read_state(out / CHECKPOINT)
        if facts["settings"] != settings.to_toml():
            raise InputError(f"{out} was started with other settings; use its {CONFIG}, or choose another folder")
        network.restore(arrays)
        state.position, state.seconds, state.metrics = facts["position"], facts["seconds"], facts["metrics"]
        return
    write_text(out / CONFIG, settings.to_toml())


def save_state(path: Path, settings: SpikingSettings, arrays: dict, facts: dict) -> None:
    """Arrays and facts in one file, written aside and renamed."""
    text = json.dumps(facts | {"version": VERSION, "settings": settings.to_toml()})
    write_bytes(path, save({k: np.ascontiguousarray(v) for k, v in arrays.items()}, {"hardwire": text}))


def read_state(path: Path) -> tuple[dict, dict]:
    """What ``save_state`` wrote; FormatError where it is no such file."""
    try:
        with safe_open(path, "np") as file:
            facts = json.loads((file.metadata() or {})["hardwire"])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if facts["version"] != VERSION:
            raise FormatError(f"{path} is of version {facts['version']}, this is {VERSION}; train anew")
        return arrays, facts
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; give the run directory of a finished `hardwire spiking`") from None
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise FormatError(f"{path} is no spiking network ({error}); train anew") from None


def save_model(out: Path, model: Model) -> None:
    """``model.safetensors``; the checkpoint is not needed any more."""
    arrays = model.network.arrays() | {"pixels": model.encoder.pixels, "assigned": model.readout.assigned,
                                       "evidence": model.readout.evidence, "linear": model.readout.linear}
    facts = {"metrics": model.metrics, "seconds": model.seconds, "dataset": model.dataset, "low": model.encoder.low,
             "high": model.encoder.high, "training_samples": model.network.training_samples}
    save_state(out / MODEL, model.settings, arrays, facts)
    (out / CHECKPOINT).unlink(missing_ok=True)


def load_model(run) -> Model:
    """The model in a run directory."""
    arrays, facts = read_state(Path(run) / MODEL)
    settings = SpikingSettings.from_toml(facts["settings"], Path(run) / MODEL)
    try:
        encoder = Encoder(arrays["pixels"], facts["low"], facts["high"])
        network = build(settings, len(encoder.pixels), facts["training_samples"])
        network.restore(arrays)
        readout = Readout(arrays["assigned"], arrays["evidence"], arrays["linear"])
        return Model(settings, network, encoder, readout, facts["metrics"], facts["seconds"], facts["dataset"])
    except KeyError as error:
        raise FormatError(f"{Path(run) / MODEL} holds no {error}; train anew") from None
