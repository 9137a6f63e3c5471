"""Small problems for the fused kernels, each with its naive reference, and how the two are compared."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from hardwire.core import threads as parallel
from hardwire.logic.kernels import cpu_ops
from hardwire.logic.kernels import reference as functional
from hardwire.logic.network.nodes import coefficients

#: Around the widths of a block (32) and of a narrow last one (16).
BATCHES = [1, 5, 15, 16, 17, 31, 32, 33, 49, 100]
EXACT, SINGLE = 1e-12, 2e-5


@dataclass(frozen=True)
class Problem:
    """``fast`` and ``naive`` map the same ``tensors`` (samples first) to outputs; ``grad`` is the outputs' gradient."""

    fast: Callable
    naive: Callable
    tensors: list
    grad: torch.Tensor


def uniform(g, *shape, dtype=torch.float64):
    return torch.rand(shape, generator=g, dtype=torch.float64).to(dtype)


def whole(g, high, *shape):
    return torch.randint(0, high, shape, generator=g).int()


def _problem(fast, naive, tensors, dtype, g) -> Problem:
    grad = torch.randn(naive(*tensors).shape, generator=g, dtype=torch.float64).to(dtype)
    return Problem(fast, naive, [t.to(dtype) for t in tensors], grad)


def _wiring(g, inputs, sizes):
    pairs = torch.cat([whole(g, n, m, 2) for n, m in zip([inputs, *sizes], sizes)])
    pairs[0] = 1  # a gate that reads one input twice
    return pairs


def stack(samples, *, inputs=7, sizes=(9, 8, 7, 10), classes=5, dtype=torch.float64, seed=0) -> Problem:
    g = torch.Generator().manual_seed(seed)
    pairs = _wiring(g, inputs, sizes)
    return _problem(lambda x, p: cpu_ops.stack(x, p, pairs.split(sizes), classes),
                    lambda x, p: functional.stack(x, pairs, coefficients(p), sizes, classes),
                    [uniform(g, samples, inputs), uniform(g, len(pairs), 4)], dtype, g)


def stack_loss(samples, *, inputs=7, sizes=(9, 8, 7, 10), classes=5, weight=0.3, temperature=2.0, dtype=torch.float64,
               seed=0) -> Problem:
    """The stack with a cross-entropy behind it, ``weight`` of it a teacher's; its output is one number."""
    g, scale = torch.Generator().manual_seed(seed), 3.0
    pairs = _wiring(g, inputs, sizes)
    y = torch.randint(0, classes, (samples,), generator=g)
    soft = functional.Soft(5 * uniform(g, samples if weight else 0, classes, dtype=dtype), weight, temperature)

    def naive(x, p):
        scores = scale * functional.stack(x, pairs, coefficients(p), sizes, classes)
        return functional.cross_entropy(scores, y, soft if weight else None)

    return _problem(lambda x, p: cpu_ops.stack_loss(x, p, pairs.split(sizes), classes, False, scale, y, soft), naive,
                    [uniform(g, samples, inputs), uniform(g, len(pairs), 4)], dtype, g)


def mixed(samples, *, inputs=9, gates=7, k=8, dtype=torch.float64, seed=0) -> Problem:
    g = torch.Generator().manual_seed(seed)
    candidates = whole(g, inputs, gates, 2, k)
    candidates[0] = 1  # a gate whose candidates are all one input
    return _problem(lambda x, w, p: cpu_ops.mixed(x, w, p, candidates),
                    lambda x, w, p: functional.mixed(x, candidates, w, coefficients(p)),
                    [uniform(g, samples, inputs), torch.softmax(4 * uniform(g, gates, 2, k), -1), uniform(g, gates, 4)],
                    dtype, g)


def lut(samples, *, inputs=9, nodes=5, k=4, dtype=torch.float64, seed=0) -> Problem:
    g = torch.Generator().manual_seed(seed)
    wires = whole(g, inputs, nodes, k)
    wires[0] = 1  # a table that reads one input k times
    return _problem(lambda x, p: cpu_ops.lut(x, p, wires), lambda x, p: functional.lut(x, wires, p),
                    [uniform(g, samples, inputs), uniform(g, nodes, 2**k)], dtype, g)


def graph(samples, *, inputs=7, nodes=12, most=6, outputs=9, dtype=torch.float64, seed=0) -> Problem:
    """Arities from 1 to ``most``, dead nodes, a node that reads one operand twice, outputs that are inputs or the same node."""
    g = torch.Generator().manual_seed(seed)
    arity = torch.arange(nodes) % most + 1
    fanin = torch.stack([whole(g, inputs + j, most) for j in range(nodes)])
    fanin[1] = 1
    fanin[torch.arange(most) >= arity[:, None]] = 0
    ends = torch.cat([torch.tensor([0, inputs + nodes - 1, inputs + nodes - 1]), whole(g, inputs + nodes, outputs - 3)]).int()
    wiring = fanin, arity.to(torch.uint8), ends
    return _problem(lambda x, p: cpu_ops.graph(x, p, *wiring), lambda x, p: functional.graph(x, p, *wiring),
                    [uniform(g, samples, inputs), uniform(g, int((2**arity).sum()))], dtype, g)


def _candidates(g, inputs, tables, k, many):
    candidates = whole(g, inputs, tables, k, many)
    candidates[0] = 1  # a table whose candidates are all one input
    return candidates


def mixed_lut(samples, *, inputs=9, tables=5, k=4, many=8, dtype=torch.float64, seed=0) -> Problem:
    g = torch.Generator().manual_seed(seed)
    candidates = _candidates(g, inputs, tables, k, many)
    return _problem(lambda x, w, p: cpu_ops.mixed_lut(x, w, p, candidates),
                    lambda x, w, p: functional.mixed_lut(x, candidates, w, p),
                    [uniform(g, samples, inputs), torch.softmax(4 * uniform(g, tables, k, many), -1),
                     uniform(g, tables, 2**k)], dtype, g)


def routed(samples, *, inputs=9, tables=5, k=4, many=8, binary=True, dtype=torch.float64, seed=0) -> Problem:
    g = torch.Generator().manual_seed(seed)
    candidates, choice = _candidates(g, inputs, tables, k, many), uniform(g, tables, k, many, dtype=dtype)
    choice[:, :, 1] = choice[:, :, 0]  # equal ones: the first counts
    x = uniform(g, samples, inputs)
    return _problem(lambda x, w, p: cpu_ops.routed(x, w, p, choice, candidates),
                    lambda x, w, p: functional.routed(x, candidates, w, p, choice),
                    [(x > 0.5).double() if binary else x, torch.softmax(4 * choice.double(), -1),
                     uniform(g, tables, 2**k)], dtype, g)


def routed_between(samples, **options) -> Problem:
    """Inputs between 0 and 1."""
    return routed(samples, binary=False, **options)


def random_leaves(g, channels, kernels, field, depth):
    """Leaves (kernels, 2^depth, 3) that reach the corner of the receptive field: its size can be read off them."""
    leaves = torch.stack([whole(g, n, kernels, 2**depth) for n in (channels, field, field)], -1)
    leaves[0, 0, 1:] = field - 1
    return leaves


def tree(samples, *, shape=(2, 5, 6), kernels=3, field=3, depth=3, padding=1, pool=2, dtype=torch.float64,
         seed=0) -> Problem:
    g = torch.Generator().manual_seed(seed)
    leaves = random_leaves(g, shape[0], kernels, field, depth)
    out = [(n + 2 * padding - field + 1) // pool for n in shape[1:]]

    def naive(x, p):
        return functional.tree(x, shape, leaves, coefficients(p).reshape(kernels, -1, 4), padding=padding, pool=pool)

    tensors = [uniform(g, samples, int(np.prod(shape))), uniform(g, kernels * (2**depth - 1), 4)]
    return _problem(lambda x, p: cpu_ops.tree(x, p, leaves, shape, (kernels, *out), padding, pool), naive, tensors,
                    dtype, g)


def stack_loss_untaught(samples, **options) -> Problem:
    return stack_loss(samples, weight=0.0, **options)


#: Operations whose outputs belong to samples, and those with one number for all.
SAMPLEWISE = {"stack": stack, "mixed": mixed, "tree": tree, "lut": lut, "graph": graph, "mixed_lut": mixed_lut,
              "routed": routed, "routed_between": routed_between}
#: Those whose gradients are the outputs' derivatives; the others' gradients are straight-through.
DIFFERENTIABLE = ("stack", "mixed", "tree", "lut", "graph", "mixed_lut", "stack_loss", "stack_loss_untaught")
KERNELS = SAMPLEWISE | {"stack_loss": stack_loss, "stack_loss_untaught": stack_loss_untaught}


def poison() -> None:
    """Whatever an earlier call left in the kept buffers must not be read."""
    for buffer in parallel._local.__dict__.get("buffers", {}).values():
        buffer.fill(np.nan if buffer.dtype.kind == "f" else 0xAA)


def results(function, tensors, grad, *, want_dx=True) -> list:
    """Outputs and the gradient of each tensor; the samples keep their layout in memory."""
    leaves = [t.detach().requires_grad_(want_dx or i > 0) for i, t in enumerate(tensors)]
    poison()
    y = function(*leaves)
    poison()
    y.backward(grad)
    return [y.detach(), *[t.grad for t in leaves]]


def agree(actual, expected, tolerance) -> None:
    assert len(actual) == len(expected)
    for a, b in zip(actual, expected):
        assert a.shape == b.shape and a.dtype == b.dtype
        torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)


def check(p: Problem, tolerance=EXACT) -> None:
    """Outputs and every gradient of the kernel are its reference's."""
    agree(results(p.fast, p.tensors, p.grad), results(p.naive, p.tensors, p.grad), tolerance)


def with_layout(p: Problem, layout) -> Problem:
    """The same with samples and output gradient laid out in memory by ``layout``."""
    return replace(p, tensors=[layout(p.tensors[0]), *p.tensors[1:]], grad=layout(p.grad) if p.grad.ndim else p.grad)
