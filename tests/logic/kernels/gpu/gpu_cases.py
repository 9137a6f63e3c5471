"""Problems for the GPU kernels, and their comparison with the naive references in double precision."""

import numpy as np
import torch

from hardwire.logic.kernels import reference as functional
from hardwire.logic.network.nodes import coefficients

#: Largest error allowed, relative to the largest entry: rounding of sums in float32, and of what is stored between layers.
TOLERANCE = {torch.float32: 2e-5, torch.bfloat16: 4e-2, torch.float16: 5e-3}


def uniform(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def normal(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def wires(seed, rows, *shape):
    return torch.from_numpy(np.random.default_rng(seed).integers(0, rows, shape).astype(np.int32))


def run(function, tensors, grad, wanted=None):
    """Values, and the gradients of the ``wanted`` tensors (all), of copies that keep their strides."""
    leaves = [t.detach().requires_grad_(wanted is None or i in wanted) for i, t in enumerate(tensors)]
    y = function(*leaves)
    y.backward(grad.to(y))
    return [y.detach(), *(t.grad for t in leaves)]


def agree(found, expected, tolerance):
    for one, other in zip(found, expected, strict=True):
        assert one.shape == other.shape
        scale = max(1.0, other.abs().max().item()) if other.numel() else 1.0
        torch.testing.assert_close(one.double().cpu(), other.double().cpu(), rtol=0, atol=tolerance * scale)


def check(fast, naive, tensors, *, device, storage=torch.float32, seed=1):
    """``fast`` on float32 tensors, the first stored as ``storage``, against ``naive`` in double on the same numbers."""
    given = [t.to(storage if i == 0 else torch.float32) for i, t in enumerate(tensors)]
    exact = [t.double() for t in given]
    grad = normal(*naive(*exact).shape, seed=seed).to(storage).double()
    found = run(fast, [t.to(device) for t in given], grad.to(device))
    assert [g.dtype for g in found[1:]] == [t.dtype for t in given]
    agree(found, run(naive, exact, grad), TOLERANCE[storage])


STACKS = {"one gate": (2, [1], 0), "one layer": (5, [7], 0), "grouped": (5, [8], 4), "one class": (6, [5], 1),
          "narrowing": (9, [12, 3], 0), "deep": (7, [9, 20, 40], 5)}


def stack(shape, samples, seed=0):
    """(x, values), pairs, sizes, classes."""
    inputs, sizes, classes = STACKS[shape]
    pairs = torch.cat([wires(seed + n, n, m, 2) for n, m in zip([inputs, *sizes], sizes)])
    pairs[0] = 1  # a gate that reads one input twice
    return [uniform(samples, inputs, seed=seed), uniform(len(pairs), 4, seed=seed + 1)], pairs, sizes, classes


def naive_stack(pairs, sizes, classes):
    return lambda x, p: functional.stack(x, pairs, coefficients(p), sizes, classes)


def naive_mixed(candidates):
    return lambda x, w, p: functional.mixed(x, candidates, w, coefficients(p))


def naive_lut(inputs):
    return lambda x, p: functional.lut(x, inputs, p)


class Image:
    """Trees over a small image: leaves drawn from a 3 x 2 field, of which one is its far corner."""

    def __init__(self, shape, kernels, depth, *, padding=0, pool=1, seed=0):
        rng = np.random.default_rng(seed)
        self.leaves = np.stack([rng.integers(0, n, (kernels, 2**depth)) for n in (shape[0], 3, 2)], -1)
        self.leaves[0, 0, 1:] = 2, 1
        self.shape, self.padding, self.pool, self.gates = shape, padding, pool, kernels * (2**depth - 1)
        rows, columns = ((shape[1 + i] + 2 * padding - i_side + 1) // pool for i, i_side in enumerate((3, 2)))
        self.options = torch.from_numpy(self.leaves), shape, (kernels, rows, columns), padding, pool

    def tensors(self, samples, seed=0):
        return [uniform(samples, int(np.prod(self.shape)), seed=seed), uniform(self.gates, 4, seed=seed + 1)]

    def naive(self, x, p):
        c = coefficients(p).unflatten(0, (len(self.leaves), -1))
        return functional.tree(x, self.shape, torch.from_numpy(self.leaves), c, padding=self.padding, pool=self.pool)
