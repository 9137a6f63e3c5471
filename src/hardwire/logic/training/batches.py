"""Encoded samples as packed bits, and the order in which training takes them."""

import numpy as np
import torch

from ...core.jit import jit
from ..kernels.cpu.blocks import run_parts

#: Elements of a batch that one job unpacks at least.
JOB = 1 << 18


@jit
def _unpack(octets, first, last, out):
    """Columns ``first .. last`` of ``octets`` (bytes, samples) to rows of ``out`` (bits, samples), the highest bit first."""
    for j in range(first, last):
        for b in range(min(8, len(out) - 8 * j)):
            for s in range(octets.shape[1]):
                out[8 * j + b, s] = (octets[j, s] >> (7 - b)) & 1


def unpack(packed: np.ndarray, bits: int) -> torch.Tensor:
    """Rows of packed bits to float32 (samples, bits), feature-major in memory: ``.t()`` is contiguous, as the kernels read it."""
    octets = np.ascontiguousarray(packed.T)
    out = torch.empty(bits, len(packed))
    target = out.numpy()
    jobs = max(1, min(8, target.size // JOB))
    edges = [len(octets) * i // jobs for i in range(jobs + 1)]
    run_parts(lambda i: _unpack(octets, edges[i], edges[i + 1], target), jobs)
    return out.t()


class Samples:
    """Encoded samples, kept as packed bits; ``batch`` unpacks rows to float32 (samples, bits).

    y  (samples,) class indices, kept as int64, or (samples, outputs) targets or labels, kept as float64
    """

    def __init__(self, bits: np.ndarray, y: np.ndarray):
        self.n_bits = bits.shape[1]
        self.packed = np.packbits(bits, axis=1)
        self.y = torch.from_numpy(np.ascontiguousarray(y, dtype=np.int64 if np.ndim(y) == 1 else np.float64))

    def __len__(self) -> int:
        return len(self.packed)

    def batch(self, rows, change=None) -> tuple[torch.Tensor, torch.Tensor]:
        """Inputs and targets of ``rows``; ``change`` turns packed bits into packed bits of the same shape, as ``augment`` does."""
        packed = self.packed[rows]
        return unpack(change(packed) if change else packed, self.n_bits), self.y[rows]


class Order:
    """Rows of the batch at a step: a new permutation each epoch, a function of seed and step alone."""

    def __init__(self, samples: int, batch: int, seed: int):
        self.samples, self.batch, self.seed = samples, min(batch, samples), seed
        self.epoch, self.rows = -1, np.empty(0)

    def __call__(self, step: int) -> np.ndarray:
        per_epoch = self.samples // self.batch
        epoch, place = divmod(step, per_epoch)
        if epoch != self.epoch:
            self.epoch, self.rows = epoch, np.random.default_rng([self.seed, 2, epoch]).permutation(self.samples)
        return self.rows[place * self.batch : (place + 1) * self.batch]
