"""One run: the same network on several kinds of cells, side by side from the same weights on the same samples in the same order.

The loop reads from top to bottom; what it leaves on disk lets a killed run go on to the same devices.
"""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from ..core.errors import FormatError, InputError
from ..core.files import read_text, write_bytes, write_text
from ..data import load_dataset
from .build import cell_of, chip_of, periphery_of
from .features import features_of
from .network import Network
from .settings import CrossbarSettings

CONFIG, METRICS, CHECKPOINT, MODEL = "config.toml", "metrics.jsonl", "checkpoint.safetensors", "model.safetensors"
#: Samples between looks at the clock; results do not depend on it.
CHUNK = 2000
#: Rows and columns left of an MNIST image: 22 x 24 pixels are the 528 inputs of Burr et al. 2015.
CROP = (slice(3, 25), slice(2, 26))


@dataclass(frozen=True)
class Data:
    """Inputs in [0, 1] (samples, features) float32 and labels, of training, of the split that curves show, and of test."""

    x: np.ndarray
    y: np.ndarray
    shown_x: np.ndarray
    shown_y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray
    classes: tuple[str, ...]
    source: str


@dataclass
class State:
    """Where a run stands."""

    epoch: int = 0
    variant: int = 0
    sample: int = 0
    loss: float = 0.0
    right: float = 0.0
    seconds: dict = field(default_factory=dict)
    metrics: list = field(default_factory=list)


def inputs_of(x: np.ndarray, shape) -> np.ndarray:
    """Images as inputs: pixels over their largest value, MNIST's cut to 22 x 24."""
    images = x.reshape(len(x), *shape)
    if shape == (1, 28, 28):
        images = images[:, :, CROP[0], CROP[1]]
    return np.ascontiguousarray(images.reshape(len(x), -1), np.float32)


def read_data(config: CrossbarSettings, *, data_dir=None, say=lambda text: None) -> Data:
    """The samples of a run; of CIFAR the features of its images."""
    images = config.dataset.startswith("cifar")
    if images and not config.features:
        raise InputError(f"{config.dataset} needs --features: a file of features or of a feature network, or torchvision:MODEL or "
                         "timm:MODEL; benchmarks/crossbar_transfer.py makes one")
    source = load_dataset(config.dataset, seed=config.seed, data_dir=data_dir, validation=config.validation or 0.1)
    splits = [source.train, source.validation, source.test]
    if images:
        x, origin = features_of(config.features, config.dataset, splits, source.shape, say)
    else:
        largest = np.float32(source.train.x.max())
        x, origin = [inputs_of(s.x, source.shape) / largest for s in splits], ""
    train_x, train_y, shown = x[0], source.train.y, (x[1], source.validation.y)
    if not config.validation:
        train_x, train_y, shown = np.concatenate(x[:2]), np.concatenate([source.train.y, source.validation.y]), (x[2], source.test.y)
    keep = slice(config.samples or None)
    return Data(train_x[keep], train_y[keep], *shown, x[2], source.test.y, source.classes, source.source + origin)


def build(config: CrossbarSettings, variant: str, data: Data) -> Network:
    """A fresh network of a variant; all variants start from the same weights and each has a chip of its own."""
    sizes = [data.x.shape[1], *config.hidden, len(data.classes)]
    return Network(sizes, cell_of(config, variant), ahead=periphery_of(config, variant), activation=config.activation, seed=config.seed,
                   chip=chip_of(config))


def order_of(config: CrossbarSettings, epoch: int, samples: int) -> np.ndarray:
    """The order of samples in an epoch, the same for every variant."""
    return np.random.default_rng([config.seed, epoch, 9]).permutation(samples)


def train(config: CrossbarSettings, data: Data, out, *, resume: bool = False, progress=None, checkpoint_seconds: float = 60.0):
    """Train every variant; ``(networks, metrics, seconds)``. A killed run goes on with ``resume`` to the same devices.

    metrics  one entry for each epoch and variant: epoch, variant, loss and accuracy while training, accuracy of the split shown
    """
    out, networks = Path(out), {v: build(config, v, data) for v in config.variants}
    state = _open(out, config, networks, resume)
    saved = time.perf_counter()
    while state.epoch < config.epochs:
        variant, order = config.variants[state.variant], order_of(config, state.epoch, len(data.x))
        network, started = networks[variant], time.perf_counter()
        part = order[state.sample : state.sample + CHUNK]
        loss, right = network.train(data.x, data.y, config.rate(variant, state.epoch), part)
        state.loss, state.right, state.sample = state.loss + loss * len(part), state.right + right * len(part), state.sample + len(part)
        state.seconds[variant] = state.seconds.get(variant, 0.0) + time.perf_counter() - started
        if state.sample == len(order):
            _end_epoch(config, data, state, network, out, progress)
        if time.perf_counter() - saved > checkpoint_seconds:
            _save(out / CHECKPOINT, config, networks, state)
            saved = time.perf_counter()
    _save(out / MODEL, config, networks, state)
    for path in out.glob(f"{CHECKPOINT}*"):
        path.unlink(missing_ok=True)
    return networks, state.metrics, state.seconds


def _end_epoch(config: CrossbarSettings, data: Data, state: State, network: Network, out: Path, progress) -> None:
    """Note a variant's epoch, and turn to the next."""
    n, variant = len(data.x), config.variants[state.variant]
    entry = {"epoch": state.epoch + 1, "variant": variant, "loss": round(state.loss / n, 6), "training": round(state.right / n, 6),
             "shown": network.accuracy(data.shown_x, data.shown_y, seed=state.epoch), "seconds": round(state.seconds[variant], 3)}
    if not np.isfinite(entry["loss"]):
        raise InputError(f"the loss of variant {variant} is {entry['loss']} in epoch {entry['epoch']}; lower learning_rate")
    state.metrics.append(entry)
    write_text(out / METRICS, "".join(json.dumps(m) + "\n" for m in state.metrics))
    state.loss, state.right, state.sample = 0.0, 0.0, 0
    state.variant = (state.variant + 1) % len(config.variants)
    state.epoch += state.variant == 0
    if progress:
        progress(entry)


def _open(out: Path, config: CrossbarSettings, networks: dict, resume: bool) -> State:
    """Claim the folder, or go on from its checkpoint."""
    if (out / MODEL).exists():
        if not resume:
            raise InputError(f"{out} already holds a finished run; choose another folder")
        return load(out / MODEL, config, networks)
    if (out / CHECKPOINT).exists():
        if not resume:
            raise InputError(f"{out} already holds a run; resume it, or choose another folder")
        return load(out / CHECKPOINT, config, networks)
    if (out / CONFIG).exists() and not resume:
        raise InputError(f"{out} already holds a run; resume it, or choose another folder")
    if resume and (out / CONFIG).exists() and read_text(out / CONFIG) != config.to_toml():
        raise InputError(f"{out} was started with other settings; use its {CONFIG}, or choose another folder")
    write_text(out / CONFIG, config.to_toml())
    return State()


def _save(path: Path, config: CrossbarSettings, networks: dict, state: State) -> None:
    """Every device of every variant, and where the run stands, to one file."""
    tensors = {f"{variant}.{k}.{name}": torch.from_numpy(array) for variant, network in networks.items()
               for k, layer in enumerate(network.layers) for name, array in layer.arrays().items()}
    write_bytes(path, save(tensors, {"kind": "crossbar", "version": "1", "config": config.to_toml(), "state": json.dumps(vars(state))}))


def load(path: Path, config: CrossbarSettings, networks: dict) -> State:
    """Fill ``networks`` from what ``_save`` wrote; InputError when it is of another run."""
    try:
        with safe_open(path, "pt") as file:
            facts = file.metadata() or {}
            tensors = {k: file.get_tensor(k).numpy() for k in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; give the folder of a `hardwire crossbar` run") from None
    except (OSError, SafetensorError) as error:
        raise FormatError(f"{path} is damaged or no safetensors file ({error}); train the network anew") from None
    if facts.get("kind") != "crossbar" or facts.get("version") != "1":
        raise FormatError(f"{path} is no crossbar run of this version; train the network anew")
    if facts["config"] != config.to_toml():
        raise InputError(f"{path.parent} was started with other settings; use its {CONFIG}, or choose another folder")
    for variant, network in networks.items():
        for k, layer in enumerate(network.layers):
            layer.restore({name: tensors.get(f"{variant}.{k}.{name}", np.zeros(0)) for name in layer.arrays()})
    return State(**json.loads(facts["state"]))
