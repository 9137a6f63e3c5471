"""Convolutions of trees with pooling on the GPU against the naive reference."""

import pytest
import torch
from gpu_cases import Image, agree, check, normal, run, uniform

from hardwire.core.errors import InputError
from hardwire.logic.kernels import cpu_ops
from hardwire.logic.kernels.gpu import common, ops

IMAGES = {"one gate": ((1, 3, 2), 1, 1, {}), "plain": ((2, 4, 3), 2, 2, {}), "padded": ((2, 4, 3), 2, 1, {"padding": 1}),
          "wide border": ((1, 3, 3), 2, 1, {"padding": 3}), "pooled": ((3, 5, 4), 2, 2, {"pool": 2}),
          "odd pool": ((1, 6, 6), 2, 1, {"padding": 1, "pool": 3}), "deeper": ((3, 5, 5), 1, 3, {"padding": 1, "pool": 2})}


@pytest.fixture(autouse=True)
def few_programs(monkeypatch):
    monkeypatch.setattr(common, "PROGRAMS", 4)


def image(name):
    shape, kernels, depth, more = IMAGES[name]
    return Image(shape, kernels, depth, **more)


def fast(problem, efd=False):
    return lambda x, p: ops.tree(x, p, *problem.options, efd)


@pytest.mark.parametrize("samples", [1, 35])
@pytest.mark.parametrize("name", IMAGES)
def test_values_and_all_gradients(name, samples, device):
    problem = image(name)
    check(fast(problem), problem.naive, problem.tensors(samples), device=device)


@pytest.mark.parametrize("storage", [torch.bfloat16, torch.float16])
def test_half_precision_storage(storage, device):
    problem = image("pooled")
    check(fast(problem), problem.naive, problem.tensors(19), device=device, storage=storage)


def test_many_parts_and_chunks(device, monkeypatch):
    monkeypatch.setattr(common, "PROGRAMS", 1000)
    monkeypatch.setattr(common, "BUDGET", 0)
    problem = image("padded")
    check(fast(problem), problem.naive, problem.tensors(300), device=device)


@pytest.mark.parametrize("name", ["plain", "pooled"])
def test_extended_finite_differences(name, device):
    problem = image(name)
    x, p = problem.tensors(9)
    grad = normal(*problem.naive(x, p).shape)
    found = run(fast(problem, True), [x.float().to(device), p.float().to(device)], grad.to(device))
    agree(found, run(lambda x, p: cpu_ops.tree(x, p, *problem.options, True), [x, p], grad), 2e-5)


def test_the_first_of_equal_positions_wins(device):
    """On bits nearly all windows have ties; the naive reference's maximum takes the first in row-major order too."""
    problem = image("pooled")
    x, p = (t.round().float() for t in problem.tensors(40))
    grad = normal(*problem.naive(x, p).shape)
    found = run(fast(problem), [x.to(device), p.to(device)], grad.to(device))
    agree(found, run(problem.naive, [x.double(), p.double()], grad), 2e-5)


def test_without_input_gradient_and_without_samples(device):
    problem = image("pooled")
    for samples in (7, 0):
        x, p = problem.tensors(samples)
        grad = normal(*problem.naive(x, p).shape) if samples else torch.zeros(0, 2 * 1 * 1, dtype=torch.float64)
        y, dx, dp = run(fast(problem), [x.float().to(device), p.float().to(device)], grad.to(device), {1})
        assert dx is None
        if samples:
            expected = run(problem.naive, [x, p], grad)
            agree([y, dp], [expected[0], expected[2]], 2e-5)
        else:
            assert len(y) == 0 and not dp.any()


def test_trees_that_are_too_deep(device):
    leaves = torch.zeros(1, 64, 3, dtype=torch.int32)
    with pytest.raises(InputError, match=r"reach to depth 5 .* not depth 6"):
        ops.tree(uniform(2, 9).float().to(device), torch.zeros(63, 4, device=device), leaves, (1, 3, 3), (1, 3, 3))
