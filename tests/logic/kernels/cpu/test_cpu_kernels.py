"""What every fused kernel keeps: its naive reference's values and gradients, whatever batch, memory and threads."""

import threading
from typing import NamedTuple

import numpy as np
import pytest
import torch
from kernel_problems import (
    BATCHES,
    DIFFERENTIABLE,
    EXACT,
    KERNELS,
    SAMPLEWISE,
    SINGLE,
    agree,
    check,
    results,
    with_layout,
)

from hardwire.logic.kernels.cpu import blocks

kernels = pytest.mark.parametrize("kernel", KERNELS)

#: Ways for a matrix of samples to lie in memory, apart from sample after sample.
LAYOUTS = {
    "feature-major": lambda t: t.t().contiguous().t(),
    "sliced": lambda t: t.repeat(2, 3)[: len(t), : t.shape[1]],
    "every other": lambda t: t.repeat_interleave(2, 0).repeat_interleave(2, 1)[::2, ::2],
    "one sample for all": lambda t: t[:1].expand(len(t), -1),
}


@kernels
@pytest.mark.parametrize("samples", BATCHES)
def test_values_and_all_gradients(kernel, samples):
    check(KERNELS[kernel](samples, seed=samples))


@kernels
@pytest.mark.parametrize("samples", [16, 49, 300])
def test_single_precision(kernel, samples):
    """Sums over up to 300 samples in float32, beside the reference's in the same precision."""
    check(KERNELS[kernel](samples, dtype=torch.float32), SINGLE)


LAYERS = {"inputs": 4, "sizes": (5, 4), "classes": 2}
SMALL = {"stack": LAYERS, "stack_loss": LAYERS, "stack_loss_untaught": LAYERS,
         "mixed": {"inputs": 5, "gates": 3, "k": 4},
         "lut": {"inputs": 5, "nodes": 2, "k": 3}, "graph": {"inputs": 3, "nodes": 5, "most": 3, "outputs": 5},
         "mixed_lut": {"inputs": 5, "tables": 2, "k": 3, "many": 4},
         "tree": {"shape": (1, 4, 4), "kernels": 2, "depth": 2, "padding": 0}}


@pytest.mark.parametrize("kernel", DIFFERENTIABLE)
def test_finite_differences(kernel):
    p = KERNELS[kernel](3, **SMALL[kernel])
    assert torch.autograd.gradcheck(p.fast, [t.requires_grad_() for t in p.tensors])


@kernels
@pytest.mark.parametrize("layout", LAYOUTS)
def test_memory_layouts_of_samples_and_gradient(kernel, layout):
    p = with_layout(KERNELS[kernel](50), LAYOUTS[layout])
    assert not p.tensors[0].is_contiguous()
    check(p)


@kernels
def test_layouts_of_the_weights(kernel):
    """Weights may be views too, such as a part of a larger tensor or a transpose."""
    p = KERNELS[kernel](20)
    p.tensors[-1] = p.tensors[-1].t().contiguous().t() if p.tensors[-1].ndim > 1 else p.tensors[-1].repeat_interleave(2)[::2]
    assert not p.tensors[-1].is_contiguous()
    check(p)


@kernels
def test_no_input_gradient_unless_wanted(kernel):
    p = KERNELS[kernel](40)
    y, dx, *rest = results(p.fast, p.tensors, p.grad, want_dx=False)
    expected = results(p.naive, p.tensors, p.grad)
    assert dx is None
    agree([y, *rest], [expected[0], *expected[2:]], EXACT)


@kernels
def test_input_gradient_alone(kernel):
    p = KERNELS[kernel](40)
    x = p.tensors[0].detach().requires_grad_()
    p.fast(x, *p.tensors[1:]).backward(p.grad)
    agree([x.grad], [results(p.naive, p.tensors, p.grad)[1]], EXACT)


@kernels
def test_shrinking_batches_do_not_see_what_larger_ones_left(kernel):
    for samples in (300, 257, 100, 33, 31, 2, 1):
        check(KERNELS[kernel](samples, seed=samples))


@pytest.mark.parametrize("kernel", SAMPLEWISE)
def test_an_empty_batch(kernel):
    p = KERNELS[kernel](2)
    y, dx, *rest = results(p.fast, [p.tensors[0][:0], *p.tensors[1:]], p.grad[:0])
    assert y.shape == p.grad[:0].shape and dx.shape == p.tensors[0][:0].shape
    assert [d.shape for d in rest] == [t.shape for t in p.tensors[1:]] and not any(d.any() for d in rest)


@kernels
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("samples", [33, 250, 600])
def test_same_bits_for_any_number_of_threads(kernel, samples, dtype, monkeypatch):
    p = KERNELS[kernel](samples, dtype=dtype)
    actual = []
    for threads in (1, 2, 3):
        monkeypatch.setattr(blocks, "_threads", threads)
        actual.append(results(p.fast, p.tensors, p.grad))
    for other in actual[1:]:
        assert all(torch.equal(a, b) for a, b in zip(actual[0], other))


@kernels
def test_same_bits_for_any_number_of_torch_threads(kernel):
    p = KERNELS[kernel](200)
    actual = results(p.fast, p.tensors, p.grad)
    torch.set_num_threads(2)
    try:
        again = results(p.fast, p.tensors, p.grad)
    finally:
        torch.set_num_threads(1)
    assert all(torch.equal(a, b) for a, b in zip(actual, again))


#: Tensors that backward reads as they were in forward.
READ_AGAIN = [(kernel, i) for kernel in SAMPLEWISE for i in range(2 if kernel in ("stack", "tree", "lut", "graph") else 3)]


@pytest.mark.parametrize("kernel, changed", READ_AGAIN)
def test_a_tensor_changed_before_backward_is_noticed(kernel, changed):
    p = KERNELS[kernel](4)
    leaves = [t if i == changed else t.requires_grad_() for i, t in enumerate(p.tensors)]
    y = p.fast(*leaves)
    leaves[changed] += 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward(p.grad)


def test_table_values_changed_before_backward_do_no_harm_to_a_loss():
    """Its gradients are computed in forward."""
    p = KERNELS["stack_loss"](4)
    expected = results(p.naive, p.tensors, p.grad)
    leaves = [t.clone().requires_grad_(i == 0) for i, t in enumerate(p.tensors)]
    y = p.fast(*leaves)
    leaves[-1] += 1
    y.backward(p.grad)
    agree([leaves[0].grad], [expected[1]], EXACT)


@kernels
def test_no_second_derivative_is_pretended(kernel):
    p = KERNELS[kernel](4)
    x = p.tensors[0].requires_grad_()
    y = p.fast(x, *[t.requires_grad_() for t in p.tensors[1:]])
    (dx,) = torch.autograd.grad((y * y).sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        dx.sum().backward()


def test_own_threads_are_torchs_and_given_back():
    torch.set_num_threads(2)
    try:
        with blocks.own_threads():
            assert torch.get_num_threads() == 1 and blocks._threads == 2
        assert torch.get_num_threads() == 2 and blocks._threads is None
    finally:
        torch.set_num_threads(1)


@pytest.mark.parametrize("samples", [0, 1, 32, 33, 1000])
def test_a_batch_is_cut_by_its_size_and_the_parts_bytes_alone(samples):
    for part_bytes in (1, 1 << 26, 1 << 40):
        parts = blocks.cut(samples, part_bytes)
        starts = [int(s) for part in parts for s in part]
        assert starts == list(range(0, samples, 32)) and 1 <= len(parts) <= blocks.PARTS
        assert len(parts) <= max(2, blocks.PART_BYTES // part_bytes)


class Buffers(NamedTuple):
    a: blocks.Buffer
    b: blocks.Buffer


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("forward", [False, True])
@pytest.mark.parametrize("samples", [0, 1, 16, 17, 32, 33, 100, 128, 129, 300, 1000])
def test_blocks_run_once_each_narrow_where_that_is_enough(samples, forward, threads, monkeypatch):
    monkeypatch.setattr(blocks, "_threads", threads)
    calls: list = []
    lock = threading.Lock()

    def kernel(part, work, begin, end, fresh):
        lanes = work.a.dtype["lanes"].shape
        assert isinstance(work, Buffers) and (len(work.a), len(work.b)) == (3, 0) and work.b.dtype == work.a.dtype
        with lock:
            calls.extend((start, *lanes, part, fresh and start == begin) for start in range(begin, end, blocks.WIDE))

    parts = blocks.cut(samples)
    blocks.run_blocks(kernel, lambda part: (part,), parts, samples, Buffers(a=3, b=0), np.float32, forward=forward)
    tail = samples % 32
    narrow = 0 < tail <= 16 and not (forward and samples > 32 * blocks.MANY)
    starts = list(range(0, samples, 32))
    dealt = [starts] if forward and threads == 1 else parts
    expected = [[start, 32, part, start == some[0]] for part, some in enumerate(dealt) for start in some]
    if narrow:
        expected[-1][1] = 16
    assert sorted(calls) == [tuple(e) for e in expected] and [e[0] for e in expected] == starts
