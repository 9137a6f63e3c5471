"""A network without layers on the GPU against the naive reference."""

import pytest
import torch
from gpu_cases import agree, check, normal, run, uniform, wires

from hardwire.logic.kernels import reference as functional
from hardwire.logic.kernels.gpu import ops


def problem(samples, most=6, inputs=5, nodes=8):
    """Mixed arities, dead nodes, one operand twice; outputs that are an input and twice one node."""
    arity = torch.arange(nodes) % most + 1
    fanin = torch.cat([wires(j, inputs + j, 1, most) for j in range(nodes)])
    fanin[1] = 1
    fanin[torch.arange(most) >= arity[:, None]] = 0
    wiring = fanin, arity.to(torch.uint8), torch.tensor([0, inputs + nodes - 1, inputs + 5, inputs + nodes - 1]).int()
    return [uniform(samples, inputs), normal(int((2**arity).sum()), seed=3)], wiring


def fast(wiring, efd=False):
    return lambda x, p: ops.graph(x, p, *(t.to(x.device) for t in wiring), efd)


def naive(wiring):
    return lambda x, p: functional.graph(x, p, *wiring)


@pytest.mark.parametrize("most, samples", [(1, 9), (2, 37), (3, 1), (6, 17)])
def test_values_and_all_gradients(most, samples, device):
    tensors, wiring = problem(samples, most)
    check(fast(wiring), naive(wiring), tensors, device=device)


def test_half_precision_storage(device):
    tensors, wiring = problem(21, 3)
    check(fast(wiring), naive(wiring), tensors, device=device, storage=torch.float16)


def test_without_input_gradient_and_without_samples(device):
    for samples in (11, 0):
        tensors, wiring = problem(samples, 3)
        grad = normal(samples, 4, seed=9)
        y, dx, dp = run(fast(wiring), [t.float().to(device) for t in tensors], grad.to(device), {1})
        expected = run(naive(wiring), tensors, grad)
        assert dx is None
        agree([y, dp], [expected[0], expected[2]], 2e-5)


def test_extended_finite_differences_are_those_of_a_layer_of_tables(device):
    fanin = wires(0, 5, 3, 3)
    tensors, grad = [uniform(13, 5).float().to(device), normal(3, 8).float().to(device)], normal(13, 3, seed=9).to(device)
    wiring = fanin, torch.full((3,), 3, dtype=torch.uint8), torch.tensor([5, 6, 7]).int()
    layer = run(lambda x, p: ops.lut(x, p, fanin.to(x.device), True), tensors, grad)
    agree(run(lambda x, p: fast(wiring, True)(x, p.flatten()), tensors, grad), layer, 1e-6)
