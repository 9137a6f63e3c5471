"""Transfer learning on crossbars: a feature network trained on one CIFAR set, its 2,048 features' head learned in place on the other.

    python benchmarks/crossbar_transfer.py features RUNS --on cifar100 [--epochs N] [--width N] [--device auto]
    python benchmarks/crossbar_transfer.py heads RUNS [--seeds 0]

``features`` trains the network on one set and writes ``RUNS/features-SET.safetensors``, and its features of the other set's images as
``RUNS/features-of-OTHER.npz``; ``heads`` trains both heads, 2,049 x 10 and 2,049 x 100 synapses, beside float heads in the same run.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch
from common import refuse, report, say
from torch.nn.functional import cross_entropy, pad

from hardwire import load_dataset
from hardwire.cli import crossbar as command
from hardwire.crossbar.features import FeatureNet, extract, load_network, normalise, save_network
from hardwire.crossbar.settings import preset
from hardwire.report import load_record
from hardwire.workflow import steps as runs

OTHER = {"cifar10": "cifar100", "cifar100": "cifar10"}
GOAL = "heads on crossbars at most 1 point under the float head, CIFAR-10 and CIFAR-100"
BATCH, RATE, DECAY = 256, 0.2, 5e-4


def moved(x: torch.Tensor, generator) -> torch.Tensor:
    """Each image flipped or not and cut anew from a border of four pixels."""
    n = len(x)
    flip = torch.rand(n, generator=generator).to(x.device) < 0.5
    x = torch.where(flip[:, None, None, None], x.flip(3), x)
    wide, shift = pad(x, (4, 4, 4, 4)), torch.randint(0, 9, (2, n, 1), generator=generator).to(x.device)
    rows, columns = (torch.arange(32, device=x.device) + s for s in shift)
    return wide[torch.arange(n, device=x.device)[:, None, None, None], torch.arange(3, device=x.device)[None, :, None, None],
                rows[:, None, :, None], columns[:, None, None, :]]


def train_features(on: str, out: Path, *, epochs: int, width: int, device: str, seed: int) -> Path:
    """A feature network trained on one set; its accuracy on that set's test split is said, and used for nothing."""
    torch.manual_seed(seed)
    data, generator = load_dataset(on, seed=0), torch.Generator().manual_seed(seed)
    x = torch.cat([normalise(data.train.x), normalise(data.validation.x)]).to(device)
    y = torch.from_numpy(np.concatenate([data.train.y, data.validation.y])).to(device)
    network = FeatureNet(len(data.classes), width).to(device)
    optimizer = torch.optim.SGD(network.parameters(), lr=RATE, momentum=0.9, weight_decay=DECAY, nesterov=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=epochs * (len(x) // BATCH), pct_start=0.2)
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
        say(f"{on}: epoch {epoch + 1}/{epochs}, {time.perf_counter() - started:.0f} s, test {score(network, data.test, device):.4f}")
    return save_network(out / f"features-{on}.safetensors", network.cpu(), on)


def score(network: FeatureNet, split, device: str) -> float:
    network.eval()
    with torch.no_grad():
        found = [network(normalise(split.x[i : i + 1000]).to(device)).argmax(1).cpu().numpy() for i in range(0, len(split.x), 1000)]
    return float((np.concatenate(found) == split.y).mean())


def write_features(network_file: Path, out: Path, device: str) -> Path:
    """The network's features of the other set, in the source's order, half precision."""
    network, on = load_network(network_file)
    network, other = network.to(device), load_dataset(OTHER[on], seed=0)
    whole = np.concatenate([other.train.rows, other.validation.rows]).argsort()
    train = np.concatenate([other.train.x, other.validation.x])[whole]
    found = {name: extract(lambda images: network.features(images.to(device)).cpu(), x).astype(np.float16)
             for name, x in (("train", train), ("test", other.test.x))}
    path = out / f"features-of-{OTHER[on]}.npz"
    np.savez(path, **found)
    return path


def head(dataset: str, folder: Path, seed: int, changes: str) -> dict:
    """The record of one head's run."""
    config = preset(dataset).changed(features=str(folder / f"features-of-{dataset}.npz"), seed=seed).with_text(changes, "--set")
    out = folder / f"head-{dataset}-{seed}"
    if not (out / "report.json").exists():
        runs.crossbar_run(config, out, resume=out.exists(), progress=command.progress(config, say), say=say)
    record = load_record(out)
    if any(not status.startswith("simulated") for status in record["verified"].values()):
        refuse(f"{out}: {record['verified']}")
    return record


def heads(args) -> None:
    changes, found, met = "\n".join(args.set or ()), {}, True
    for dataset in ("cifar10", "cifar100"):
        records = [head(dataset, args.runs, seed, changes) for seed in args.seeds]
        each = [r["crossbar"]["accuracy"] for r in records]
        gap = 100 * float(np.mean([e["hybrid"] - e["float"] for e in each]))
        found[dataset] = {"runs": each, "points_to_float": gap, "synapses": records[0]["crossbar"]["synapses"],
                          "source": records[0]["source"], "settings": records[0]["model"]}
        met = met and gap >= -1
    report("crossbar_transfer", GOAL, met, found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=["features", "heads"])
    parser.add_argument("runs", type=Path)
    parser.add_argument("--on", choices=OTHER, default="cifar100", help="the set that the feature network is trained on")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0])
    parser.add_argument("--set", action="append", metavar="NAME=VALUE")
    args = parser.parse_args()
    args.runs.mkdir(parents=True, exist_ok=True)
    if args.stage == "heads":
        heads(args)
        return
    device = args.device if args.device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
    network = train_features(args.on, args.runs, epochs=args.epochs, width=args.width, device=device, seed=0)
    print(network, write_features(network, args.runs, device), file=sys.stderr)


if __name__ == "__main__":
    main()
