"""Look-up tables on the GPU against the naive reference."""

import pytest
import torch
from gpu_cases import agree, check, naive_lut, normal, run, uniform, wires

from hardwire.core.errors import InputError
from hardwire.logic.kernels.gpu import common, ops


def problem(tables, features, k, samples):
    inputs = wires(k, features, tables, k)
    inputs[0] = 0  # one input as every operand
    return [uniform(samples, features), normal(tables, 2**k, seed=3)], inputs


def fast(inputs, efd=False):
    return lambda x, p: ops.lut(x, p, inputs.to(x.device), efd)


@pytest.mark.parametrize("k, tables, samples", [(1, 3, 9), (2, 11, 37), (3, 5, 1), (4, 5, 33), (5, 3, 17), (6, 3, 7)])
def test_values_and_all_gradients(k, tables, samples, device):
    tensors, inputs = problem(tables, 9, k, samples)
    check(fast(inputs), naive_lut(inputs), tensors, device=device)


@pytest.mark.parametrize("storage", [torch.bfloat16, torch.float16])
def test_half_precision_storage(storage, device):
    tensors, inputs = problem(5, 7, 3, 21)
    check(fast(inputs), naive_lut(inputs), tensors, device=device, storage=storage)


@pytest.mark.parametrize("k", [2, 3, 6])
def test_extended_finite_differences(k, device):
    """Half the derivative at inputs blurred to 1/4 + x/2, which is the derivative of the function of the blurred inputs."""
    (x, p), inputs = problem(3, 9, k, 13)
    grad = normal(13, 3, seed=9)
    y, dx, dp = run(fast(inputs, True), [x.float().to(device), p.float().to(device)], grad.to(device))
    plain = run(naive_lut(inputs), [x, p], grad)
    blurred = run(lambda x, p: naive_lut(inputs)(0.25 + 0.5 * x, p), [x, p], grad)
    agree([y, dx, dp], [plain[0], blurred[1], plain[2]], 2e-5)


@pytest.mark.parametrize("programs", [1, 1000])
def test_many_parts_and_chunks(programs, device, monkeypatch):
    monkeypatch.setattr(common, "PROGRAMS", programs)
    monkeypatch.setattr(common, "BUDGET", 0)
    tensors, inputs = problem(2, 5, 3, 600)
    check(fast(inputs), naive_lut(inputs), tensors, device=device)


def test_without_input_gradient_and_without_samples(device):
    for samples in (11, 0):
        tensors, inputs = problem(4, 9, 3, samples)
        grad = normal(samples, 4, seed=9)
        y, dx, dp = run(fast(inputs), [t.float().to(device) for t in tensors], grad.to(device), {1})
        expected = run(naive_lut(inputs), tensors, grad)
        assert dx is None
        agree([y, dp], [expected[0], expected[2]], 2e-5)


def test_corners_are_the_table(device):
    """Operand 0 is the least significant bit of the address."""
    m = torch.arange(8)
    x = (m[:, None] >> torch.arange(3) & 1).float().to(device)
    p = torch.rand(1, 8, generator=torch.Generator().manual_seed(0)).to(device)
    assert torch.equal(ops.lut(x, p, torch.tensor([[0, 1, 2]]), False)[:, 0], p[0])


def test_tables_of_another_size(device):
    with pytest.raises(InputError, match="1 to 6 inputs and 2\\^k values, not 7 inputs and 128 values"):
        fast(wires(0, 9, 2, 7))(uniform(3, 9).float().to(device), torch.zeros(2, 128, device=device))
