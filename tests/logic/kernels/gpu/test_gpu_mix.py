"""Learned wiring on the GPU against the naive reference."""

import pytest
import torch
from gpu_cases import agree, check, naive_mixed, normal, run, uniform, wires

from hardwire.logic.kernels import cpu_ops
from hardwire.logic.kernels.gpu import common, ops


def problem(gates, inputs, k, samples):
    candidates = wires(k, inputs, gates, 2, k)
    candidates[0] = 1  # one input many times over
    return [uniform(samples, inputs), normal(gates, 2, k, seed=3), uniform(gates, 4, seed=2)], candidates


def fast(candidates, efd=False):
    return lambda x, w, p: ops.mixed(x, w, p, candidates.to(x.device), efd)


@pytest.mark.parametrize("gates, inputs, k, samples", [(1, 2, 1, 1), (7, 9, 4, 33), (40, 11, 3, 17), (5, 30, 9, 70)])
def test_values_and_all_gradients(gates, inputs, k, samples, device):
    tensors, candidates = problem(gates, inputs, k, samples)
    check(fast(candidates), naive_mixed(candidates), tensors, device=device)


@pytest.mark.parametrize("storage", [torch.bfloat16, torch.float16])
def test_half_precision_storage(storage, device):
    tensors, candidates = problem(7, 9, 4, 21)
    check(fast(candidates), naive_mixed(candidates), tensors, device=device, storage=storage)


@pytest.mark.parametrize("programs", [1, 2, 1000])
def test_many_parts(programs, device, monkeypatch):
    monkeypatch.setattr(common, "PROGRAMS", programs)
    tensors, candidates = problem(5, 6, 2, 600)
    check(fast(candidates), naive_mixed(candidates), tensors, device=device)


def test_extended_finite_differences(device):
    tensors, candidates = problem(6, 9, 4, 13)
    grad = normal(13, 6, seed=9)
    found = run(fast(candidates, True), [t.float().to(device) for t in tensors], grad.to(device))
    agree(found, run(lambda x, w, p: cpu_ops.mixed(x, w, p, candidates, True), tensors, grad), 2e-5)


def test_without_input_gradient_and_without_samples(device):
    for samples in (11, 0):
        tensors, candidates = problem(6, 9, 4, samples)
        grad = normal(samples, 6, seed=9)
        y, dx, dw, dp = run(fast(candidates), [t.float().to(device) for t in tensors], grad.to(device), {1, 2})
        expected = run(naive_mixed(candidates), tensors, grad)
        assert dx is None
        agree([y, dw, dp], [expected[0], *expected[2:]], 2e-5)
