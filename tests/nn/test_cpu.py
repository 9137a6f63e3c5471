"""The fused kernels against the naive reference: values and every gradient."""

import multiprocessing

import numpy as np
import pytest
import torch

from hardwire import parallel
from hardwire.nn import functional
from hardwire.nn.cpu import Stack
from hardwire.nn.nodes import coefficients

SHAPES = {"one gate": (2, [1], 0), "one layer": (5, [7], 0), "grouped": (5, [8], 4), "one class": (6, [5], 1),
          "narrowing": (9, [12, 3], 0), "widening": (4, [3, 11, 6], 3), "deep": (7, [9, 8, 7, 10], 5)}


def problem(shape, samples, dtype=torch.float64, seed=0):
    inputs, sizes, classes = SHAPES[shape]
    g = torch.Generator().manual_seed(seed)
    pairs = torch.cat([torch.randint(0, n, (m, 2), generator=g) for n, m in zip([inputs, *sizes], sizes)]).int()
    pairs[0] = 1  # a gate that reads one input twice
    x = torch.rand(samples, inputs, generator=g, dtype=torch.float64).to(dtype)
    p = torch.rand(len(pairs), 4, generator=g, dtype=torch.float64).to(dtype)
    grad = torch.randn(samples, classes or sizes[-1], generator=g, dtype=torch.float64).to(dtype)
    return x, p, pairs, sizes, classes, grad


def poison():
    """Whatever an earlier call left in the kept buffers must not be read."""
    for buffer in parallel._local.__dict__.get("buffers", {}).values():
        buffer.fill(np.nan if buffer.dtype.kind == "f" else 0xAA)


def fast(x, p, pairs, sizes, classes, grad, *, want_dx=True):
    x, p = x.detach().clone() if x.is_contiguous() else x.detach(), p.detach().clone()
    x.requires_grad_(want_dx)
    p.requires_grad_()
    y = Stack.apply(x, p, pairs.numpy(), np.cumsum(sizes), classes)
    poison()
    y.backward(grad)
    return y.detach(), p.grad, x.grad


def naive(x, p, pairs, sizes, classes, grad):
    x, p = x.detach().clone().requires_grad_(), p.detach().clone().requires_grad_()
    y = functional.stack(x, pairs, coefficients(p), sizes, classes)
    y.backward(grad)
    return y.detach(), p.grad, x.grad


def agree(a, b, tolerance):
    for one, other in zip(a, b):
        assert one.shape == other.shape and one.dtype == other.dtype
        torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("samples", [1, 2, 31, 32, 33, 63, 100, 257])
@pytest.mark.parametrize("shape", SHAPES)
def test_values_and_all_gradients(shape, samples):
    given = problem(shape, samples)
    poison()
    agree(fast(*given), naive(*given), 1e-11)


@pytest.mark.parametrize("shape", ["narrowing", "widening"])
def test_single_precision(shape):
    given = problem(shape, 100, torch.float32)
    agree(fast(*given), naive(*given), 2e-5)


@pytest.mark.parametrize("shape", ["grouped", "deep"])
def test_finite_differences(shape):
    x, p, pairs, sizes, classes, _ = problem(shape, 3)

    def f(x, p):
        return Stack.apply(x, p, pairs.numpy(), np.cumsum(sizes), classes)

    assert torch.autograd.gradcheck(f, (x.requires_grad_(), p.requires_grad_()))


def test_no_input_gradient_unless_wanted():
    for shape in ("one layer", "deep"):
        given = problem(shape, 40)
        y, dp, dx = fast(*given, want_dx=False)
        assert dx is None
        agree((y, dp), naive(*given)[:2], 1e-11)


def test_input_gradient_alone():
    x, p, pairs, sizes, classes, grad = problem("deep", 40)
    x.requires_grad_()
    Stack.apply(x, p, pairs.numpy(), np.cumsum(sizes), classes).backward(grad)
    agree([x.grad], [naive(x, p, pairs, sizes, classes, grad)[2]], 1e-11)


@pytest.mark.parametrize("layout", ["transposed", "strided", "expanded"])
def test_memory_layouts_of_samples_and_gradient(layout):
    x, p, pairs, sizes, classes, grad = problem("widening", 50)
    make = {"transposed": lambda t: t.t().contiguous().t(), "strided": lambda t: t.repeat(2, 3)[: len(t), : t.shape[1]],
            "expanded": lambda t: t[:1].expand(len(t), -1)}[layout]
    given = make(x), p, pairs, sizes, classes, make(grad)
    assert not given[0].is_contiguous()
    agree(fast(*given), naive(*given), 1e-11)


def test_shrinking_batches_do_not_see_what_larger_ones_left():
    for samples in (300, 257, 100, 33, 31, 2, 1):
        for shape in ("deep", "one layer"):
            given = problem(shape, samples, seed=samples)
            agree(fast(*given), naive(*given), 1e-11)


def test_an_empty_batch():
    given = problem("widening", 0)
    y, dp, dx = fast(*given)
    assert y.shape == (0, 3) and dx.shape == (0, 4) and not dp.any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("samples", [33, 1000])
def test_same_bits_for_any_number_of_threads(samples, dtype):
    given = problem("deep", samples, dtype)
    found = []
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        try:
            found.append(fast(*given))
        finally:
            torch.set_num_threads(1)
    for other in found[1:]:
        assert all(torch.equal(a, b) for a, b in zip(found[0], other))


def test_changed_samples_are_noticed_before_backward():
    x, p, pairs, sizes, classes, grad = problem("one layer", 4)
    y = Stack.apply(x, p.requires_grad_(), pairs.numpy(), np.cumsum(sizes), classes)
    x += 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward(grad)


def test_no_second_derivative_is_pretended():
    x, p, pairs, sizes, classes, _ = problem("one layer", 4)
    y = Stack.apply(x.requires_grad_(), p.requires_grad_(), pairs.numpy(), np.cumsum(sizes), classes)
    (dx,) = torch.autograd.grad((y * y).sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        dx.sum().backward()


def _twice_in_a_child(queue):
    done = []
    parallel.run_jobs(done.append, 4, 2)
    queue.put(sorted(done))


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_threads_work_again_in_a_forked_process():
    parallel.run_jobs(lambda job: None, 4, 2)
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_twice_in_a_child, args=(queue,))
    child.start()
    try:
        assert queue.get(timeout=20) == [0, 1, 2, 3]
    finally:
        child.kill()
        child.join()


def test_a_job_that_fails_is_heard():
    def fail(job):
        raise ValueError(job)

    for threads in (1, 2):
        with pytest.raises(ValueError, match="0"):
            parallel.run_jobs(fail, 3, threads)
