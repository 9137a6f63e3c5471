"""Figures of merit of the relaxed and of the frozen network on encoded samples."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...data import Dataset, Encoder
from ...runs.calibration import calibration_file
from ..network.heads import GroupSum
from .batches import EncodedSamples
from .distributed import Ranks
from .tasks import Classify, Task

#: Elements of an unpacked batch of an evaluation: 32 MB.
EVALUATED = 1 << 23


def device_of(network: torch.nn.Module) -> torch.device:
    """Return the device of a network's parameters."""
    return next(iter(network.parameters())).device


def predict(network: torch.nn.Module, samples: EncodedSamples, *, batch: int = 2048) -> NDArray[np.int64]:
    """Return the class of each sample, in the network's present mode; the lowest class wins a tie."""
    scores = scores_of(network, samples, (network.training,), np.arange(len(samples)), batch)[0]
    classes: NDArray[np.int64] = scores.argmax(1)
    return classes


def accuracy(network: torch.nn.Module, samples: EncodedSamples, *, hard: bool) -> float:
    """Return the share of samples that the frozen (``hard``) or the relaxed network classifies rightly."""
    scores = scores_of(network, samples, (not hard,), np.arange(len(samples)))[0]
    return Classify.merit(scores, samples.y.numpy())[""]


def evaluate(network: torch.nn.Module, samples: EncodedSamples, task: Task,
             group: Ranks | None = None) -> dict[str, float]:
    """Return the task's figure of merit as ``relaxed`` and ``hard``, and its further ones as ``hard_...``.

    The samples are shared out over the processes of ``group``.
    """
    group = Ranks() if group is None else group
    rows = group.share(np.arange(len(samples)))
    relaxed, hard = (group.join(s) for s in scores_of(network, samples, (True, False), rows))
    y = samples.y.numpy()
    merits = {f"hard_{name}" if name else "hard": value for name, value in task.merit(hard, y).items()}
    return {"relaxed": task.merit(relaxed, y)[""]} | merits


def calibration_of(network: torch.nn.Module, dataset: Dataset, encoder: Encoder) -> dict[str, str]:
    """Return what turns the frozen network's counts into probabilities, fitted on the validation split, as a file.

    There is none of a network that does not count, or not for classes.
    """
    head, held = getattr(network, "head", None), dataset.validation
    if not isinstance(head, GroupSum) or not len(held.y):
        return {}
    samples = EncodedSamples(encoder.encode(held.x), held.y)
    counts = scores_of(network, samples, (False,), np.arange(len(samples)))[0] * head.tau
    return calibration_file(np.rint(counts).astype(np.float64), held.y)


@torch.no_grad()
def scores_of(network: torch.nn.Module, samples: EncodedSamples, modes: Sequence[bool], rows: NDArray[Any],
              batch: int = 2048) -> list[NDArray[np.float32]]:
    """Return the scores (rows, outputs) of ``rows`` for each mode, relaxed or not; every batch is unpacked once."""
    before, device = network.training, device_of(network)
    parts: list[list[NDArray[np.float32]]] = [[] for _ in modes]
    batch = max(128, min(batch, EVALUATED // samples.n_bits))
    for i in range(0, max(1, len(rows)), batch):
        x = samples.batch(rows[i : i + batch])[0].to(device)
        for mode, scores in zip(modes, parts):
            scores.append(network.train(mode)(x).cpu().numpy())
    network.train(before)
    return [np.concatenate(scores) for scores in parts]
