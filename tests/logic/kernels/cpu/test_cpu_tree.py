"""Trees slid over images: depths, padding and pools, ties, and a tree as the gates that it is made of."""

import numpy as np
import pytest
import torch
from kernel_problems import EXACT, agree, check, random_leaves, results, tree, uniform

from hardwire.logic.kernels import cpu_ops
from hardwire.logic.kernels import reference as functional
from hardwire.logic.network.nodes import coefficients

#: shape, kernels, receptive field, depth, padding, pool
SHAPES = {
    "one pixel": ((1, 1, 1), 1, 1, 1, 0, 1),
    "depth 1": ((2, 4, 5), 3, 2, 1, 0, 1),
    "depth 2, pool 3": ((1, 7, 8), 2, 2, 2, 0, 3),
    "depth 3, padded": ((3, 4, 4), 2, 3, 3, 1, 1),
    "depth 4, a pool that drops a row": ((2, 5, 6), 2, 3, 4, 1, 2),
    "depth 5, much padding": ((1, 3, 2), 2, 5, 5, 3, 2),
    "depth 6": ((2, 3, 3), 1, 3, 6, 0, 1),
    "depth 8": ((1, 3, 3), 1, 2, 8, 0, 2),
}
shapes = pytest.mark.parametrize("shape", SHAPES)


def problem(name, samples, **options):
    shape, kernels, field, depth, padding, pool = SHAPES[name]
    return tree(samples, shape=shape, kernels=kernels, field=field, depth=depth, padding=padding, pool=pool, **options)


@shapes
@pytest.mark.parametrize("samples", [1, 16, 33])
def test_shapes(shape, samples):
    check(problem(shape, samples, seed=samples))


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5])
def test_finite_differences(depth):
    p = tree(2, shape=(1, 4, 4), kernels=2, field=2, depth=depth, padding=1, pool=2)
    assert torch.autograd.gradcheck(p.fast, [t.requires_grad_() for t in p.tensors])


@pytest.mark.parametrize("pool", [2, 3])
def test_a_tie_sends_its_gradient_to_the_first_largest(pool):
    """Bits and frozen gates make ties in nearly every window."""
    p = tree(40, shape=(2, 7, 6), padding=0, pool=pool)
    bits = [(t > 0.5).double() for t in p.tensors]
    y, *actual = results(p.fast, bits, p.grad)
    expected = results(p.naive, bits, p.grad)
    assert set(y.unique().tolist()) == {0, 1}
    agree([y, *actual], expected, EXACT)


def unrolled(shape, leaves, out, depth):
    """Pairs of the gates of all trees at all positions, level by level, and which kernel's gate each one is; no padding or pool."""
    rows, columns = out
    place = torch.tensor([[[[(c * shape[1] + r + i) * shape[2] + s + j for c, r, s in kernel] for j in range(columns)]
                           for i in range(rows)] for kernel in leaves.tolist()])
    trees = np.prod(place.shape[:3])
    first = 2**depth - np.array([2 ** (depth - level) for level in range(depth)])
    pairs = [place.reshape(-1, 2), *[torch.arange(trees * 2 ** (depth - level)).reshape(-1, 2) for level in range(1, depth)]]
    gates = [(torch.arange(len(leaves))[:, None, None] * (2**depth - 1) + first[level] + torch.arange(2 ** (depth - level - 1)))
             .expand(-1, rows * columns, -1).flatten() for level in range(depth)]
    return [p.int() for p in pairs], gates


@pytest.mark.parametrize("efd", [False, True])
@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5])
def test_a_tree_is_its_gates(depth, efd):
    """Against the stack of all gates unrolled, also with extended finite differences; weights shared over positions."""
    g = torch.Generator().manual_seed(depth)
    shape, out, kernels, field = (2, 4, 5), (2, 3), 3, 3
    leaves = random_leaves(g, 2, kernels, field, depth)
    pairs, gates = unrolled(shape, leaves, out, depth)
    tensors = [uniform(g, 33, 40), uniform(g, kernels * (2**depth - 1), 4)]
    grad = torch.randn(33, 18, generator=g, dtype=torch.float64)
    actual = results(lambda x, p: cpu_ops.tree(x, p, leaves, shape, (kernels, *out), efd=efd), tensors, grad)
    expected = results(lambda x, p: cpu_ops.stack(x, p[torch.cat(gates)], pairs, 0, efd), tensors, grad)
    agree(actual, expected, 1e-11)


def test_outside_the_image_is_zero():
    """A kernel that repeats its one leaf, up and to the left of the position, shifts the image."""
    leaves = torch.zeros(1, 2, 3).int()
    options = leaves, (1, 2, 2), (1, 2, 2), 1
    a = torch.tensor([[0.0, 1, 0, 1]])
    assert cpu_ops.tree(torch.tensor([[5.0, 6, 7, 8]]), a, *options).tolist() == [[0, 0, 0, 5]]
    nor = torch.tensor([[1.0, 0, 0, 0]])
    assert cpu_ops.tree(torch.ones(1, 4), nor, *options).tolist() == [[1, 1, 1, 0]]


def test_the_reference_is_a_plain_loop():
    """The naive reference itself, against one position computed by hand."""
    g = torch.Generator().manual_seed(0)
    x, p = uniform(g, 1, 18), uniform(g, 3, 4)
    leaves = torch.tensor([[[0, 0, 0], [1, 1, 1], [0, 1, 0], [1, 0, 1]]])
    image, c = x.reshape(2, 3, 3), coefficients(p)

    def gate(i, a, b):
        return c[i] @ torch.stack([torch.ones_like(a), a, b, a * b])

    expected = gate(2, gate(0, image[0, 1, 0], image[1, 2, 1]), gate(1, image[0, 2, 0], image[1, 1, 1]))
    y = functional.tree(x, (2, 3, 3), leaves, c[None])
    assert y.shape == (1, 4) and y[0, 2].item() == pytest.approx(expected.item(), rel=1e-14)
