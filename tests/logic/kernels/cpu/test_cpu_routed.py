"""Tables whose operands choose among candidates: fan-ins, numbers of candidates, finite differences, the choice."""

import pytest
import torch
from kernel_problems import EXACT, agree, check, mixed_lut, results, routed, uniform, whole

from hardwire.logic.kernels import cpu_ops
from hardwire.logic.kernels import reference as functional
from hardwire.logic.network.nodes import coefficients

fan_ins = pytest.mark.parametrize("k", range(2, 7))


@fan_ins
@pytest.mark.parametrize("samples", [1, 16, 33])
@pytest.mark.parametrize("binary", [True, False])
def test_routed_at_every_fan_in(k, samples, binary):
    check(routed(samples, k=k, binary=binary, seed=samples))


@fan_ins
@pytest.mark.parametrize("samples", [1, 33])
def test_mixtures_at_every_fan_in(k, samples):
    check(mixed_lut(samples, k=k, seed=samples))


@pytest.mark.parametrize("problem", [routed, mixed_lut])
@pytest.mark.parametrize("inputs, tables, many", [(2, 1, 4), (40, 3, 32), (5, 37, 12)])
def test_shapes(problem, inputs, tables, many):
    check(problem(33, inputs=inputs, tables=tables, k=3, many=many))


def test_mixtures_of_two_are_those_of_gates():
    g = torch.Generator().manual_seed(0)
    candidates, x, p = whole(g, 9, 7, 2, 8), uniform(g, 40, 9), uniform(g, 7, 4)
    weights = torch.softmax(uniform(g, 7, 2, 8), -1)
    torch.testing.assert_close(cpu_ops.mixed_lut(x, weights, p, candidates), cpu_ops.mixed(x, weights, p, candidates),
                               rtol=1e-14, atol=1e-14)
    torch.testing.assert_close(functional.mixed_lut(x, candidates, weights, p),
                               functional.mixed(x, candidates, weights, coefficients(p)), rtol=1e-14, atol=1e-14)


@fan_ins
def test_the_chosen_candidates_are_plain_wires(k):
    g = torch.Generator().manual_seed(k)
    candidates, choice, p = whole(g, 9, 7, k, 8), uniform(g, 7, k, 8), uniform(g, 7, 2**k)
    wires = candidates.gather(2, choice.argmax(-1, keepdim=True))[..., 0].contiguous()
    for x in (uniform(g, 40, 9), whole(g, 2, 40, 9).double()):
        y = cpu_ops.routed(x, torch.softmax(choice, -1), p, choice, candidates)
        torch.testing.assert_close(y, cpu_ops.lut(x, p, wires), rtol=1e-14, atol=1e-14)


@fan_ins
@pytest.mark.parametrize("binary", [True, False])
def test_extended_finite_differences(k, binary):
    """The operands' gradient is half the derivative at operands blurred to 1/4 + a/2; candidates get it as it is."""
    g = torch.Generator().manual_seed(k)
    candidates, choice = whole(g, 9, 7, k, 8), uniform(g, 7, k, 8)
    x = whole(g, 2, 40, 9).double() if binary else uniform(g, 40, 9)
    tensors = [x, torch.softmax(choice, -1), uniform(g, 7, 2**k)]
    grad = torch.randn(40, 7, generator=g, dtype=torch.float64)
    hard = torch.nn.functional.one_hot(choice.argmax(-1), 8).double()

    def blurred(x, w, p):
        mixture = (x[:, candidates] * (hard + w - w.detach())).sum(-1).flatten(1)
        return functional.lut(0.25 + 0.5 * mixture, torch.arange(7 * k).view(7, k), p)

    y, _, _, dp = results(lambda x, w, p: functional.routed(x, candidates, w, p, choice), tensors, grad)
    _, dx, dw, _ = results(blurred, tensors, grad)
    agree(results(lambda x, w, p: cpu_ops.routed(x, w, p, choice, candidates, True), tensors, grad), [y, dx, dw, dp],
          EXACT)
