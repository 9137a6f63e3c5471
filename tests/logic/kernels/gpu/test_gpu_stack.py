"""Gates and group sums on the GPU against the naive reference: values and every gradient."""

import pytest
import torch
from gpu_cases import STACKS, agree, check, naive_stack, normal, run, stack, uniform, wires

from hardwire.core.errors import InputError
from hardwire.logic.kernels import cpu_ops, gpu
from hardwire.logic.kernels.gpu import common, ops
from hardwire.logic.kernels.gpu import stack as kernels
from hardwire.logic.network.nodes import coefficients


def fast(pairs, sizes, classes, efd=False):
    return lambda x, p: ops.stack(x, p, pairs.to(x.device).split(sizes), classes, efd)


@pytest.mark.parametrize("samples", [1, 7, 33, 70])
@pytest.mark.parametrize("shape", STACKS)
def test_values_and_all_gradients(shape, samples, device):
    tensors, *rest = stack(shape, samples)
    check(fast(*rest), naive_stack(*rest), tensors, device=device)


@pytest.mark.parametrize("storage", [torch.bfloat16, torch.float16])
def test_half_precision_storage(storage, device):
    tensors, *rest = stack("deep", 37)
    check(fast(*rest), naive_stack(*rest), tensors, device=device, storage=storage)
    assert fast(*rest)(tensors[0].to(device, storage), tensors[1].to(device)).dtype == torch.float32, "sums of groups are float32"


@pytest.mark.slow
def test_many_parts_and_shared_sums(device, monkeypatch):
    """Sums cut into several parts, of samples for the gradients and of rows for the groups, as on large networks."""
    monkeypatch.setattr(kernels, "SHARE", 3)
    for programs in (1, 2, 1000):
        monkeypatch.setattr(common, "PROGRAMS", programs)
        tensors, *rest = stack("deep", 600)
        check(fast(*rest), naive_stack(*rest), tensors, device=device)


@pytest.mark.parametrize("wanted", [{0}, {1}])
def test_only_the_wanted_gradients(wanted, device):
    (x, p), *rest = stack("deep", 20)
    grad = normal(20, 5)
    found = run(fast(*rest), [x.float().to(device), p.float().to(device)], grad.to(device), wanted)
    expected = run(naive_stack(*rest), [x, p], grad, wanted)
    assert [g is None for g in found] == [g is None for g in expected]
    agree([g for g in found if g is not None], [g for g in expected if g is not None], 2e-5)


@pytest.mark.parametrize("layout", ["transposed", "strided", "expanded"])
def test_memory_layouts_of_samples_and_gradient(layout, device):
    make = {"transposed": lambda t: t.t().contiguous().t(), "strided": lambda t: t.repeat(2, 3)[: len(t), : t.shape[1]],
            "expanded": lambda t: t[:1].expand(len(t), -1)}[layout]
    (x, p), *rest = stack("deep", 20)
    x, grad = make(x.float().to(device)), make(normal(20, 5).float().to(device))
    assert not x.is_contiguous()
    found = run(fast(*rest), [x, p.float().to(device)], grad)
    agree(found, run(naive_stack(*rest), [x.double().cpu(), p], grad.double().cpu()), 2e-5)


def test_extended_finite_differences(device):
    (x, p), *rest = stack("deep", 19)
    pairs, sizes, classes = rest
    grad = normal(19, 5)
    found = run(fast(*rest, True), [x.float().to(device), p.float().to(device)], grad.to(device))
    agree(found, run(lambda x, p: cpu_ops.stack(x, p, pairs.split(sizes), classes, True), [x, p], grad), 2e-5)
    assert not torch.allclose(found[1].cpu().double(), run(naive_stack(*rest), [x, p], grad)[1], atol=1e-3)


def test_an_empty_batch(device):
    (x, p), *rest = stack("deep", 0)
    y, dx, dp = run(fast(*rest), [x.float().to(device), p.float().to(device)], torch.zeros(0, 5, device=device))
    assert y.shape == (0, 5) and dx.shape == x.shape and not dp.any()


def test_twice_the_same_bits(device):
    (x, p), *rest = stack("deep", 70)
    given = [x.float().to(device), p.float().to(device)], normal(70, 5).to(device)
    for one, other in zip(run(fast(*rest), *given), run(fast(*rest), *given)):
        assert torch.equal(one, other)


def test_wiring_on_the_cpu_and_of_another_integer_type(device):
    (x, p), pairs, sizes, classes = stack("deep", 5)
    x, p = x.float().to(device), p.float().to(device)
    expected = ops.stack(x, p, pairs.to(device).split(sizes), classes)
    for same in (pairs, pairs.long(), pairs.to(torch.uint8)):
        assert torch.equal(ops.stack(x, p, same.split(sizes), classes), expected)


def test_what_cannot_be_computed(device):
    (x, p), pairs, sizes, classes = stack("deep", 5)
    with pytest.raises(InputError, match="store float32, bfloat16 or float16, not float64; convert it"):
        fast(pairs, sizes, classes)(x.to(device), p.to(device))
    with pytest.raises(InputError, match="40 outputs cannot be shared evenly by 3 classes"):
        fast(pairs, sizes, 3)(x.float().to(device), p.float().to(device))
    with pytest.raises(InputError, match="the wiring reads rows 0 to 30, but there are rows 0 to 4 only"):
        pairs = wires(0, 1, 2, 2) + torch.tensor([[0, 30]])
        ops.stack(uniform(3, 5).float().to(device), torch.zeros(2, 4, device=device), [pairs])


def test_coefficients_from_logits(device):
    w, grad = normal(300, 4), normal(300, 4, seed=2)
    found = run(gpu.TableCoefficients.apply, [w.float().to(device)], grad.to(device))
    agree(found, run(lambda w: coefficients(torch.sigmoid(w)), [w], grad), 2e-6)


def test_interaction_is_that_of_the_cpu(device):
    p = uniform(9, 4)
    grad = torch.tensor(0.7, dtype=torch.float64)
    agree(run(ops.interaction, [p.to(device)], grad.to(device)), run(cpu_ops.interaction, [p], grad), 1e-12)
