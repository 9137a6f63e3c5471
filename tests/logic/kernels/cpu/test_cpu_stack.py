"""Layers of gates as one: shapes of stacks, group sums, extended finite differences."""

import pytest
import torch
from kernel_problems import EXACT, agree, check, results, stack, uniform, whole

from hardwire.logic.kernels import cpu_ops
from hardwire.logic.kernels import reference as functional
from hardwire.logic.network.nodes import coefficients

SHAPES = {"one gate": (2, (1,), 0), "one layer": (5, (7,), 0), "grouped": (5, (8,), 4), "one class": (6, (5,), 1),
          "narrowing": (9, (12, 3), 0), "widening": (4, (3, 11, 6), 3), "deep": (7, (9, 8, 7, 10), 5)}
shapes = pytest.mark.parametrize("shape", SHAPES)


def problem(shape, samples):
    inputs, sizes, classes = SHAPES[shape]
    return stack(samples, inputs=inputs, sizes=sizes, classes=classes, seed=samples)


@shapes
@pytest.mark.parametrize("samples", [1, 16, 33])
def test_shapes(shape, samples):
    check(problem(shape, samples))


def efd_layer(x, pairs, c):
    """A layer whose input gradient is half the derivative at inputs blurred to 1/4 + x/2."""
    plain = functional.gates(x.detach(), pairs.long(), c)
    blurred = functional.gates(0.25 + 0.5 * x, pairs.long(), c.detach())
    return plain + blurred - blurred.detach()


@pytest.mark.parametrize("sizes, classes", [((7,), 0), ((8,), 4), ((9, 8, 6), 3)])
def test_extended_finite_differences_layer_by_layer(sizes, classes):
    g = torch.Generator().manual_seed(0)
    pairs = torch.cat([whole(g, n, m, 2) for n, m in zip((6, *sizes), sizes)])
    tensors = [uniform(g, 40, 6), uniform(g, len(pairs), 4)]
    grad = torch.randn(40, classes or sizes[-1], generator=g, dtype=torch.float64)

    def naive(x, p):
        for wires, c in zip(pairs.split(sizes), coefficients(p).split(sizes)):
            x = efd_layer(x, wires, c)
        return functional.group_sum(x, classes) if classes else x

    actual = results(lambda x, p: cpu_ops.stack(x, p, pairs.split(sizes), classes, True), tensors, grad)
    agree(actual, results(naive, tensors, grad), EXACT)


def test_interaction_is_the_mean_size_of_the_coefficient_of_ab():
    values = torch.rand(50, 4, dtype=torch.float64, requires_grad=True, generator=torch.Generator().manual_seed(0))
    cost, expected = cpu_ops.interaction(values), coefficients(values)[:, 3].abs().mean()
    assert cost.item() == pytest.approx(expected.item(), rel=1e-12)
    actual, right = (torch.autograd.grad(3 * y, values)[0] for y in (cost, expected))
    torch.testing.assert_close(actual, right, rtol=1e-12, atol=0)
