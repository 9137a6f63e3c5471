"""A small convolutional network whose logits teach logic networks: trained on the training split, selected on nothing.

    python -m benchmarks.teacher mnist TEACHER.npy [--epochs N] [--seed N]

The file holds logits for the official training split in its order. Rows of the validation split are zero: the teacher
has not seen them, and no student asks for them. Images of MNIST are not augmented; those of CIFAR-10 are flipped and
shifted, and their logits are means of the image and its mirror image. Training computes in bfloat16 where the
processor does (twice as fast).
"""

import argparse
import os
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

from hardwire import load_dataset

CHANNELS = {"mnist": (24, 48, 64), "fashion-mnist": (24, 48, 64), "cifar10": (32, 64, 128)}
EPOCHS = {"mnist": 6, "fashion-mnist": 6, "cifar10": 18}


def network(shape, classes: int, widths) -> nn.Sequential:
    a, b, c = widths
    side = shape[1] // 4
    block = lambda i, o, k: (nn.Conv2d(i, o, k, padding=k // 2, bias=False), nn.BatchNorm2d(o), nn.ReLU())  # noqa: E731
    if shape[0] == 3:
        return nn.Sequential(*block(3, a, 3), *block(a, a, 3), nn.MaxPool2d(2), *block(a, b, 3), *block(b, b, 3),
                             nn.MaxPool2d(2), *block(b, c, 3), *block(c, c, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                             nn.Linear(c, classes)).to(memory_format=torch.channels_last)
    return nn.Sequential(*block(shape[0], a, 5), nn.MaxPool2d(2), *block(a, b, 3), *block(b, b, 3), nn.MaxPool2d(2),
                         *block(b, c, 3), nn.Flatten(), nn.Dropout(0.5), nn.Linear(c * side * side, 128), nn.ReLU(),
                         nn.Dropout(0.3), nn.Linear(128, classes)).to(memory_format=torch.channels_last)


def moved(x: torch.Tensor) -> torch.Tensor:
    """Every image flipped with probability one half and shifted by up to three pixels."""
    x = torch.where(torch.rand(len(x), 1, 1, 1) < 0.5, x.flip(3), x)
    windows = nn.functional.pad(x, (3, 3, 3, 3)).unfold(2, x.shape[2], 1).unfold(3, x.shape[3], 1)
    dy, dx = torch.randint(0, 7, (2, len(x)))
    return windows[torch.arange(len(x)), :, dy, dx].contiguous(memory_format=torch.channels_last)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", choices=CHANNELS)
    parser.add_argument("out", type=Path)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    colour = args.dataset == "cifar10"
    half = torch.autocast("cpu", torch.bfloat16, enabled=colour and torch.ops.mkldnn._is_mkldnn_bf16_supported())
    epochs = args.epochs or EPOCHS[args.dataset]
    data = load_dataset(args.dataset, seed=args.seed)
    mean, deviation = data.train.x.mean() / 255, data.train.x.std() / 255
    images = lambda x: (torch.from_numpy(x.reshape(-1, *data.shape)).float() / 255 - mean) / deviation  # noqa: E731
    x, y = images(data.train.x), torch.from_numpy(data.train.y)
    model = network(data.shape, len(data.classes), CHANNELS[args.dataset])
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.01)
    steps = len(x) // 128
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps * epochs)
    for epoch in range(epochs):
        model.train()
        for rows in torch.randperm(len(x))[: steps * 128].view(steps, 128):
            optimizer.zero_grad()
            batch = moved(x[rows]) if colour else x[rows]
            with half:
                scores = model(batch)
            nn.functional.cross_entropy(scores.float(), y[rows], label_smoothing=0.05).backward()
            optimizer.step()
            schedule.step()
        model.eval()
        with torch.no_grad():
            seen = [model(images(part)).argmax(1) for part in np.array_split(data.validation.x, 20)]
        right = float((torch.cat(seen).numpy() == data.validation.y).mean())
        print(f"epoch {epoch + 1}: validation {100 * right:.2f} %", file=sys.stderr, flush=True)
    with torch.no_grad():
        views = (x, x.flip(3)) if colour else (x,)
        logits = sum(torch.cat([model(part) for part in view.split(1000)]) for view in views).numpy() / len(views)
    full = np.zeros((len(data.train.y) + len(data.validation.y), len(data.classes)), np.float32)
    full[data.train.rows] = logits
    np.save(args.out, full)


if __name__ == "__main__":
    main()
