"""Encoded samples as packed bits, and the order in which training takes them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from ...core.jit import jit
from ..kernels.cpu.blocks import run_parts, threads

#: Elements of a batch that one job unpacks at least.
JOB = 1 << 18


@jit
def _unpack(octets: NDArray[np.uint8], first: int, last: int, out: NDArray[np.float32]) -> None:
    """Unpack columns ``first .. last`` of ``octets`` (bytes, samples) to ``out`` (bits, samples), highest bit first."""
    for j in range(first, last):
        for b in range(min(8, len(out) - 8 * j)):
            for s in range(octets.shape[1]):
                out[8 * j + b, s] = (octets[j, s] >> (7 - b)) & 1


def unpack(packed: NDArray[np.uint8], bits: int) -> torch.Tensor:
    """Return packed bits (samples, bytes) as float32 (samples, bits) on the CPU.

    They are feature-major in memory: ``.t()`` is contiguous, as the kernels read it.
    """
    octets = np.ascontiguousarray(packed.T)
    out = torch.empty(bits, len(packed))
    target = out.numpy()
    jobs = 1 if threads() == 1 else max(1, min(8, target.size // JOB))
    edges = [len(octets) * i // jobs for i in range(jobs + 1)]
    run_parts(lambda i: _unpack(octets, edges[i], edges[i + 1], target), jobs)
    return out.t()


class EncodedSamples:
    """Encoded samples, kept as packed bits on the CPU.

    Parameters
    ----------
    bits
        (samples, bits), bool or 0 and 1.
    y
        (samples,) class indices, kept as int64, or (samples, outputs) targets or labels, kept as float64.
    """

    def __init__(self, bits: NDArray[Any], y: ArrayLike) -> None:
        self.n_bits = bits.shape[1]
        self.packed = np.packbits(bits, axis=1)
        self.y = torch.from_numpy(np.ascontiguousarray(y, dtype=np.int64 if np.ndim(y) == 1 else np.float64))

    def __len__(self) -> int:
        return len(self.packed)

    def batch(
        self,
        rows: slice | list[int] | NDArray[np.integer[Any]],
        change: Callable[[NDArray[np.uint8]], NDArray[np.uint8]] | None = None,
        *,
        device: torch.device | str = "cpu",
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return inputs, float32 (samples, bits), and targets of ``rows``, both on ``device``.

        ``change`` maps packed bits to packed bits of the same shape, as ``augment`` does.
        """
        packed = self.packed[rows]
        x = unpack(change(packed) if change else packed, self.n_bits)
        return x.to(device), self.y[rows].to(device)


class Order:
    """Rows of the batch at a step: a new permutation each epoch, a function of seed and step alone.

    Parameters
    ----------
    samples, batch
        Number of samples, and of samples in a batch; the rest of an epoch that fills no batch is left out.
    seed
        Of the permutations.
    shares
        (classes,) share of an epoch that each class has, and ``labels`` (samples,), where these are not the samples'
        own shares: rows of a class are then repeated or left out, all of them equally often but for one.
    labels
        See ``shares``.
    """

    def __init__(self, samples: int, batch: int, seed: int, *, shares: NDArray[np.float64] | None = None,
                 labels: NDArray[np.int64] | None = None) -> None:
        self.samples, self.batch, self.seed = samples, min(batch, samples), seed
        self.epoch = -1
        self.rows: NDArray[np.int64] = np.empty(0, np.int64)
        self.members: list[NDArray[np.int64]] = []
        if shares is not None and labels is not None:
            self.members = [np.flatnonzero(labels == c) for c in range(len(shares))]
            self.quotas = quotas(shares, samples)

    def __call__(self, step: int) -> NDArray[np.int64]:
        """Return the rows of the batch at ``step``."""
        per_epoch = self.samples // self.batch
        epoch, place = divmod(step, per_epoch)
        if epoch != self.epoch:
            self.epoch, self.rows = epoch, self._epoch(np.random.default_rng([self.seed, 2, epoch]))
        return self.rows[place * self.batch : (place + 1) * self.batch]

    def _epoch(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """The rows of an epoch."""
        if not self.members:
            return rng.permutation(self.samples)
        parts = [np.concatenate([np.tile(rows, quota // len(rows)), rng.permutation(rows)[: quota % len(rows)]])
                 for rows, quota in zip(self.members, self.quotas.tolist()) if len(rows)]
        return rng.permutation(np.concatenate(parts))


def balanced_shares(labels: NDArray[np.int64], classes: int, balance: float) -> NDArray[np.float64]:
    """Return the share of an epoch of each class, its samples to the power ``1 - balance``; of one without any, 0."""
    counts = np.bincount(labels, minlength=classes).astype(np.float64)
    weights = np.where(counts > 0, np.maximum(counts, 1) ** (1 - balance), 0.0)
    return np.asarray(weights / weights.sum())


def quotas(shares: NDArray[np.float64], samples: int) -> NDArray[np.int64]:
    """Whole numbers in the ratio of ``shares`` that sum to ``samples``, by the largest remainders."""
    exact = shares * samples
    whole = np.floor(exact).astype(np.int64)
    left = samples - int(whole.sum())
    whole[np.argsort(whole - exact, kind="stable")[:left]] += 1
    return whole
