"""Transfer learning on crossbars: features of a network trained on one CIFAR set, their head learned on the other.

    python -m benchmarks.crossbar_transfer OUT --on cifar100 [--epochs N] [--width N] [--device auto]

trains the network on one set and writes ``OUT/features-SET.safetensors``, and its features of the other set's images
as ``OUT/features-of-OTHER.npz``. The benchmark trains both heads, 2,049 x 10 and 2,049 x 100 synapses, beside float
heads in the same run.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.functional import cross_entropy, pad

from hardwire import load_dataset
from hardwire.crossbar.features import FeatureNet, extract, load_network, normalise, save_network
from hardwire.crossbar.settings import preset
from hardwire.data import Split

from .crossbar_mnist import recorded
from .framework import Figures, Say

OTHER = {"cifar10": "cifar100", "cifar100": "cifar10"}
BATCH, RATE, DECAY = 256, 0.2, 5e-4


def moved(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Each image flipped or not and cut anew from a border of four pixels."""
    n = len(x)
    flip = torch.rand(n, generator=generator).to(x.device) < 0.5
    x = torch.where(flip[:, None, None, None], x.flip(3), x)
    wide, shift = pad(x, (4, 4, 4, 4)), torch.randint(0, 9, (2, n, 1), generator=generator).to(x.device)
    rows, columns = (torch.arange(32, device=x.device) + s for s in shift)
    images, channels = (torch.arange(size, device=x.device) for size in (n, 3))
    return wide[images[:, None, None, None], channels[None, :, None, None], rows[:, None, :, None],
                columns[:, None, None, :]]


def train_features(on: str, out: Path, *, epochs: int, width: int, device: str, seed: int) -> Path:
    """A feature network trained on one set; its accuracy on that set's test split is said, and used for nothing."""
    torch.manual_seed(seed)
    data, generator = load_dataset(on, seed=0), torch.Generator().manual_seed(seed)
    x = torch.cat([normalise(data.train.x), normalise(data.validation.x)]).to(device)
    y = torch.from_numpy(np.concatenate([data.train.y, data.validation.y])).to(device)
    network = FeatureNet(len(data.classes), width).to(device)
    optimizer = torch.optim.SGD(network.parameters(), lr=RATE, momentum=0.9, weight_decay=DECAY, nesterov=True)
    total = epochs * (len(x) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=total, pct_start=0.2)
    started = time.perf_counter()
    for epoch in range(epochs):
        network.train()
        order = torch.randperm(len(x), generator=generator)
        for first in range(0, len(x) - BATCH + 1, BATCH):
            rows = order[first : first + BATCH].to(device)
            optimizer.zero_grad()
            cross_entropy(network(moved(x[rows], generator)), y[rows], label_smoothing=0.1).backward()
            optimizer.step()
            schedule.step()
        print(f"{on}: epoch {epoch + 1}/{epochs}, {time.perf_counter() - started:.0f} s, "
              f"test {score(network, data.test, device):.4f}", file=sys.stderr, flush=True)
    return save_network(out / f"features-{on}.safetensors", network.cpu(), on)


def score(network: FeatureNet, split: Split, device: str) -> float:
    """Return the share of a split's images that the network classifies rightly."""
    network.eval()
    with torch.no_grad():
        classes = [network(normalise(split.x[i : i + 1000]).to(device)).argmax(1).cpu().numpy()
                   for i in range(0, len(split.x), 1000)]
    return float((np.concatenate(classes) == split.y).mean())


def write_features(network_file: Path, out: Path, device: str) -> Path:
    """The network's features of the other set, in the source's order, half precision."""
    network, on = load_network(network_file)
    network, other = network.to(device), load_dataset(OTHER[on], seed=0)
    whole = np.concatenate([other.train.rows, other.validation.rows]).argsort()
    train = np.concatenate([other.train.x, other.validation.x])[whole]
    features = {name: extract(lambda images: network.features(images.to(device)).cpu(), x).astype(np.float16)
             for name, x in (("train", train), ("test", other.test.x))}
    path = out / f"features-of-{OTHER[on]}.npz"
    np.savez(path, **features)
    return path


def head(dataset: str, folder: Path, seed: int, changes: str, say: Say) -> dict[str, Any]:
    """Return the record of one head's run."""
    features = str(folder / f"features-of-{dataset}.npz")
    settings = preset(dataset).changed(features=features, seed=seed).with_text(changes, "settings")
    return recorded(settings, folder / f"head-{dataset}-{seed}", say)


def figures(say: Say, *, out: str, seeds: list[int] | None = None, settings: str = "") -> Figures:
    """Train both heads on the features in ``out``; ``settings`` are lines of ``NAME=VALUE``."""
    result = {}
    for dataset in ("cifar10", "cifar100"):
        records = [head(dataset, Path(out), seed, settings, say) for seed in ([0] if seeds is None else seeds)]
        each = [r["crossbar"]["accuracy"] for r in records]
        result[dataset] = {
            "runs": each, "points_to_float": 100 * float(np.mean([e["hybrid"] - e["float"] for e in each])),
            "synapses": records[0]["crossbar"]["synapses"], "source": records[0]["source"],
            "settings": records[0]["model"]}
    return result


def main() -> None:
    """Train the feature network and write its features."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--on", choices=OTHER, default="cifar100", help="the set that the network is trained on")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--device", default="auto")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    device = args.device if args.device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
    network = train_features(args.on, args.out, epochs=args.epochs, width=args.width, device=device, seed=0)
    print(network, write_features(network, args.out, device), file=sys.stderr)


if __name__ == "__main__":
    main()
