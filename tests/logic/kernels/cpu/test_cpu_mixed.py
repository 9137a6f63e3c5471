"""Gates that read mixtures: numbers of candidates, one-hot weights, extended finite differences."""

import pytest
import torch
from kernel_problems import EXACT, agree, check, mixed, results, uniform, whole

from hardwire.logic.kernels import cpu_ops
from hardwire.logic.kernels import reference as functional
from hardwire.logic.network.nodes import coefficients


@pytest.mark.parametrize("inputs, gates, k", [(2, 1, 4), (9, 7, 4), (9, 3, 8), (5, 6, 12), (40, 3, 32)])
@pytest.mark.parametrize("samples", [1, 16, 33])
def test_shapes(inputs, gates, k, samples):
    check(mixed(samples, inputs=inputs, gates=gates, k=k, seed=samples))


def test_one_hot_weights_are_plain_wires():
    g = torch.Generator().manual_seed(0)
    x, p, candidates, choice = uniform(g, 40, 9), uniform(g, 7, 4), whole(g, 9, 7, 2, 8), whole(g, 8, 7, 2).long()
    weights = torch.nn.functional.one_hot(choice, 8).double()
    wires = candidates.gather(2, choice[..., None])[..., 0].contiguous()
    assert torch.equal(cpu_ops.mixed(x, weights, p, candidates), cpu_ops.stack(x, p, [wires]))


def test_extended_finite_differences():
    """The operands' gradient is half the derivative at operands blurred to 1/4 + a/2; mixtures pass it on as it is."""
    g = torch.Generator().manual_seed(0)
    candidates, operands = whole(g, 9, 7, 2, 8), torch.arange(14).reshape(7, 2)
    tensors = [uniform(g, 40, 9), torch.softmax(uniform(g, 7, 2, 8), -1), uniform(g, 7, 4)]
    grad = torch.randn(40, 7, generator=g, dtype=torch.float64)

    def blurred(x, w, p):
        mixture = (x[:, candidates] * w).sum(-1).flatten(1)
        return functional.gates(0.25 + 0.5 * mixture, operands, coefficients(p))

    y, _, _, dp = results(lambda x, w, p: functional.mixed(x, candidates, w, coefficients(p)), tensors, grad)
    _, dx, dw, _ = results(blurred, tensors, grad)
    agree(results(lambda x, w, p: cpu_ops.mixed(x, w, p, candidates, True), tensors, grad), [y, dx, dw, dp], EXACT)
