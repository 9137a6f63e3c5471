"""A network without layers: arities, extended finite differences, dead nodes."""

import pytest
import torch
from kernel_problems import EXACT, agree, check, graph, results, uniform, whole

from hardwire.logic.kernels import cpu_ops
from hardwire.logic.kernels import reference as functional


@pytest.mark.parametrize("most", range(1, 7))
@pytest.mark.parametrize("samples", [1, 16, 33])
def test_every_arity(most, samples):
    check(graph(samples, most=most, seed=samples))


def blocks_of(g, k):
    """Three tables of ``k`` inputs and what reads them: a graph of one level, and the same as tables."""
    return whole(g, 9, 3, k), torch.full((3,), k, dtype=torch.uint8), torch.tensor([9, 10, 11]).int()


@pytest.mark.parametrize("k", range(1, 7))
@pytest.mark.parametrize("efd", [False, True])
def test_one_level_is_a_layer_of_tables(k, efd):
    g = torch.Generator().manual_seed(k)
    fanin, arity, outputs = blocks_of(g, k)
    tensors = [uniform(g, 40, 9), uniform(g, 3, 2**k)]
    grad = torch.randn(40, 3, generator=g, dtype=torch.float64)
    actual = results(lambda x, p: cpu_ops.graph(x, p.flatten(), fanin, arity, outputs, efd), tensors, grad)
    agree(actual, results(lambda x, p: cpu_ops.lut(x, p, fanin, efd), tensors, grad), EXACT)


def test_dead_nodes_are_not_computed():
    """Poison in the table of a dead node reaches nothing."""
    x, values = uniform(torch.Generator().manual_seed(0), 40, 5).float(), torch.tensor([0.0, 1.0, float("nan"), 0.0]).requires_grad_()
    fanin, arity = torch.tensor([[0], [5]]).int(), torch.tensor([1, 1], dtype=torch.uint8)
    y = cpu_ops.graph(x, values, fanin, arity, torch.tensor([5, 0, 5]).int())
    y.sum().backward()
    assert torch.equal(y, x[:, [0, 0, 0]]) and values.grad[2:].tolist() == [0, 0]


def test_a_graph_without_nodes():
    x, nothing = uniform(torch.Generator().manual_seed(0), 40, 5).requires_grad_(), torch.zeros(0, dtype=torch.float64)
    wiring = torch.zeros(0, 1).int(), torch.zeros(0, dtype=torch.uint8), torch.tensor([3, 3, 1]).int()
    y = cpu_ops.graph(x, nothing, *wiring)
    assert torch.equal(y, x[:, [3, 3, 1]]) and torch.equal(functional.graph(x, nothing, *wiring), y)
    y.sum().backward()
    assert x.grad.sum(0).tolist() == [0, 40, 0, 80, 0]
