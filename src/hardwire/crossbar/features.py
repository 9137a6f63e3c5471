"""Features of images for a head that a crossbar learns: from a file, or of a network.

- ``NAME.npz``: arrays ``train`` (all training samples in the source's order, features) and ``test``;
- ``NAME.safetensors``: a ``FeatureNet`` that ``save_network`` wrote; benchmarks/crossbar_transfer.py makes one on the
  other CIFAR set;
- ``torchvision:MODEL``, ``timm:MODEL``: that package's pre-trained network, without its last Linear.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from torch import nn
from torch.nn.functional import interpolate

from ..core.errors import FormatError, InputError, MissingToolError
from ..data.arrays import read_npz
from ..data.datasets import Split
from ..runs.checkpoint import Stored, read_stored, write_stored
from ..runs.fingerprint import Fingerprint

LOG = logging.getLogger(__name__)

#: Share of the training features that lie below what becomes 1.
FULL_SCALE = 0.99
MEAN, DEVIATION = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)  # of CIFAR's channels


def _block(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


class _Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(_block(channels, channels), _block(channels, channels))

    def forward(self, x: torch.Tensor) -> Any:
        return x + self.blocks(x)


class FeatureNet(nn.Module):
    """A residual network of eight convolutions for 32 x 32 images: (samples, 3, 32, 32) -> (samples, features).

    Parameters
    ----------
    classes
        Of the data that it is trained on.
    width
        Channels of the first convolution.
    features
        At the end: features / 4 channels, the largest of each quarter of the image.
    """

    def __init__(self, classes: int, width: int = 64, features: int = 2048) -> None:
        super().__init__()
        if features % 4:
            raise InputError(f"features = {features} should be a multiple of 4")
        self.arguments = {"classes": classes, "width": width, "features": features}
        pool = nn.MaxPool2d(2)
        self.body = nn.Sequential(
            _block(3, width), _block(width, 2 * width), pool, _Residual(2 * width), _block(2 * width, 4 * width), pool,
            _Residual(4 * width), pool, _block(4 * width, features // 4), nn.AdaptiveMaxPool2d(2), nn.Flatten())
        self.head = nn.Linear(features, classes)

    def features(self, x: torch.Tensor) -> Any:
        """Return the features of images."""
        return self.body(x)

    def forward(self, x: torch.Tensor) -> Any:
        """Return the scores of the classes."""
        return self.head(self.body(x))


def normalise(x: NDArray[Any]) -> torch.Tensor:
    """Return uint8 images (samples, 3 * 32 * 32) as a network sees them."""
    images = torch.from_numpy(np.ascontiguousarray(x)).reshape(-1, 3, 32, 32).float() / 255
    return (images - torch.tensor(MEAN).reshape(3, 1, 1)) / torch.tensor(DEVIATION).reshape(3, 1, 1)


def save_network(path: str | Path, network: FeatureNet, trained_on: str) -> Path:
    """Write a feature network with the data set that it was trained on."""
    values = {"network": network.arguments, "trained_on": trained_on}
    tensors = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    return write_stored(Path(path), Stored("crossbar", "", tensors, values), "features")


def load_network(path: str | Path) -> tuple[FeatureNet, str]:
    """Return (network, name of the data set that it was trained on)."""
    stored = _stored_before(path) or read_stored(Path(path), "features", "crossbar")
    try:
        with torch.device("meta"):  # nothing is allocated for sizes that the tensors do not have
            network = FeatureNet(**stored.values["network"])
        tensors = {name: torch.from_numpy(array.copy()) for name, array in stored.tensors.items()}
        for name, own in network.state_dict().items():
            if name in tensors and tensors[name].dtype != own.dtype:
                raise TypeError(f"{name} holds {tensors[name].dtype}, not {own.dtype}")
        network.load_state_dict(tensors, assign=True)
        return network.eval(), str(stored.values["trained_on"])
    except (InputError, RuntimeError, KeyError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise FormatError(f"{path} is damaged or no feature network ({reason}); train it anew") from None


def _stored_before(path: str | Path) -> Stored | None:
    """Return the content of a file of before there was a digest; None where it is no such file."""
    try:
        with safe_open(path, "np") as file:
            text = file.metadata() or {}
            if text.get("kind") != "features" or text.get("version") != "1" or "digest" in text:
                return None
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - the file is no dict
        values = {"network": json.loads(text["network"]), "trained_on": text["trained_on"]}
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RecursionError):
        return None
    LOG.warning(f"{path} has no digest, so that nothing tells whether it was altered; save it anew")
    return Stored("crossbar", "", tensors, values)


def features_digest(given: str) -> Fingerprint:
    """Return the SHA-256 of a file of features as the part ``features file`` of a fingerprint; nothing of no file."""
    if not given.endswith((".npz", ".safetensors")):
        return {}
    try:
        with open(given, "rb") as file:
            return {"features file": hashlib.file_digest(file, "sha256").hexdigest()}
    except OSError as error:
        raise InputError(f"cannot read {given}: {error.strerror}; check the path") from None


def features_of(given: str, dataset: str, splits: Sequence[Split]) -> tuple[list[NDArray[np.float32]], str]:
    """Return features of each split in [0, 1], and where they are from.

    Parameters
    ----------
    given
        A file or a network's name, see the module.
    dataset
        Name of the images' data set.
    splits
        Training, validation and test.
    """
    if given.endswith(".npz"):
        features, origin = _from_file(given, splits), f"; features of {Path(given).name}"
    else:
        network, resolution, trained_on = _network(given)
        if trained_on == dataset:
            raise InputError(f"{given} was trained on {dataset} itself; a transfer needs a network trained on other "
                             "images")
        LOG.info(f"features of {sum(len(s.x) for s in splits)} images by {given}")
        features = [extract(network, s.x, resolution) for s in splits]
        origin = f"; features of {Path(given).name}, trained on {trained_on}"
    top = np.quantile(features[0][:: max(1, len(features[0]) // 2000)], FULL_SCALE)
    if not top > 0:
        raise InputError(f"{given} gives features whose {FULL_SCALE:.0%} quantile is {top:g}; a crossbar needs some "
                         "above 0")
    return [np.clip(f / np.float32(top), -1, 1).astype(np.float32) for f in features], origin


def extract(network: Callable[[torch.Tensor], torch.Tensor], x: NDArray[Any], resolution: int = 32,
            batch: int = 250) -> NDArray[np.float32]:
    """Return features of uint8 images, (samples, features)."""
    parts = []
    with torch.no_grad():
        for first in range(0, len(x), batch):
            images = normalise(x[first : first + batch])
            if resolution != 32:
                images = interpolate(images, size=(resolution, resolution), mode="bilinear", align_corners=False)
            parts.append(network(images).flatten(1).numpy())
    return np.concatenate(parts)


def _network(given: str) -> tuple[Callable[[torch.Tensor], torch.Tensor], int, str]:
    """Return (function of images, their resolution, what it was trained on)."""
    package, _, name = given.partition(":")
    if given.endswith(".safetensors"):
        network, trained_on = load_network(given)
        return network.features, 32, trained_on
    if package == "torchvision" and name:
        return _torchvision(name), 224, "ImageNet"
    if package == "timm" and name:
        return _timm(name), 224, "ImageNet"
    raise InputError(f"features {given!r} are neither a .npz nor a .safetensors file, nor torchvision:MODEL or "
                     "timm:MODEL")


def _torchvision(name: str) -> Any:
    try:
        from torchvision.models import get_model
    except ImportError:
        raise MissingToolError("features of torchvision need that package; install it, or give a file") from None
    try:
        network = get_model(name, weights="DEFAULT").eval()
    except ValueError as error:
        raise InputError(f"torchvision has no model {name!r} ({error}); see torchvision.models.list_models()") from None
    last = next(n for n, m in reversed(list(network.named_modules())) if isinstance(m, nn.Linear))
    parent, _, child = last.rpartition(".")
    setattr(network.get_submodule(parent), child, nn.Identity())
    return network


def _timm(name: str) -> Any:
    try:
        import timm
    except ImportError:
        raise MissingToolError("features of timm need the package timm; install it, or give a file") from None
    try:
        return timm.create_model(name, pretrained=True, num_classes=0).eval()
    except RuntimeError as error:
        raise InputError(f"timm has no model {name!r} ({error}); see timm.list_models()") from None


def _from_file(path: str, splits: Sequence[Split]) -> list[NDArray[np.float32]]:
    if not Path(path).exists():
        raise InputError(f"{path} does not exist; check the path")
    try:
        arrays = read_npz(path, ("train", "test"))
    except InputError as error:
        raise FormatError(f"{path} is no archive of arrays train and test ({error})") from None
    train, test = arrays["train"], arrays["test"]
    if train.dtype.kind not in "uif" or test.dtype.kind not in "uif":
        raise FormatError(f"{path} holds features of type {train.dtype} and {test.dtype}; give real numbers")
    with np.errstate(over="ignore"):
        train, test = train.astype(np.float32), test.astype(np.float32)
    samples = len(splits[0].x) + len(splits[1].x), len(splits[2].x)
    if train.ndim != 2 or test.ndim != 2 or (len(train), len(test)) != samples or train.shape[1] != test.shape[1]:
        raise FormatError(f"{path} has features {train.shape} and {test.shape} for {samples[0]} training and "
                          f"{samples[1]} test "
                          "samples; give one row a sample in the source's order")
    if not (np.isfinite(train).all() and np.isfinite(test).all()):
        raise FormatError(f"{path} holds features that are not finite; remove them")
    return [train[splits[0].rows], train[splits[1].rows], test]
