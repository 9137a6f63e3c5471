"""Look-up tables of two to six inputs: multilinear extension and extended finite differences."""

import pytest
import torch
from kernel_problems import EXACT, agree, check, lut, results, uniform, whole

from hardwire.logic.kernels import cpu_ops
from hardwire.logic.kernels import reference as functional
from hardwire.logic.network.nodes import coefficients

fan_ins = pytest.mark.parametrize("k", range(2, 7))


@fan_ins
@pytest.mark.parametrize("samples", [1, 16, 33])
def test_every_fan_in(k, samples):
    check(lut(samples, k=k, seed=samples))


@fan_ins
def test_finite_differences(k):
    p = lut(2, inputs=7, nodes=2, k=k)
    assert torch.autograd.gradcheck(p.fast, [t.requires_grad_() for t in p.tensors])


def test_one_table_alone():
    check(lut(40, inputs=6, nodes=1, k=6))


def test_tables_of_two_inputs_are_gates():
    g = torch.Generator().manual_seed(0)
    x, p, wires = uniform(g, 40, 9), uniform(g, 7, 4), whole(g, 9, 7, 2)
    torch.testing.assert_close(cpu_ops.lut(x, p, wires), cpu_ops.stack(x, p, [wires]), rtol=1e-14, atol=1e-14)


@fan_ins
def test_extended_finite_differences_are_blurred_derivatives(k):
    g = torch.Generator().manual_seed(k)
    wires, tensors = whole(g, 9, 5, k), [uniform(g, 40, 9), uniform(g, 5, 2**k)]
    grad = torch.randn(40, 5, generator=g, dtype=torch.float64)
    plain = results(lambda x, v: functional.lut(x, wires, v), tensors, grad)
    blurred = results(lambda x, v: functional.lut(0.25 + 0.5 * x, wires, v), tensors, grad)
    actual = results(lambda x, v: cpu_ops.lut(x, v, wires, True), tensors, grad)
    agree(actual, [plain[0], blurred[1], plain[2]], EXACT)


def extended_finite_difference(bits, table):
    """The published formula for one table, as loops: ``dx_l`` = sum over addresses ``a`` of (``a_l`` ? 1 : -1) ``LUT[a] alpha
    beta^H``, ``H`` the distance of ``a`` to the addressed entry apart from bit ``l``; ``alpha = 1/2 (3/4)^(k-1)``,
    ``beta = 1/3``."""
    k = len(bits)
    address = sum(int(b) << i for i, b in enumerate(bits))
    alpha, beta = 0.5 * 0.75 ** (k - 1), 1 / 3
    return [sum((1 if a >> i & 1 else -1) * table[a] * alpha * beta ** ((a ^ address) & ~(1 << i)).bit_count() for a in range(2**k))
            for i in range(k)]


@pytest.mark.parametrize("kernel, k", [("stack", 2), *(("lut", k) for k in range(2, 7))])
def test_extended_finite_differences_are_the_published_formula_on_bits(kernel, k):
    g = torch.Generator().manual_seed(k)
    x = whole(g, 2, 33, k).double().requires_grad_()
    table, grad = uniform(g, 1, 2**k), torch.randn(33, 1, generator=g, dtype=torch.float64)
    wires = torch.arange(k).int()[None]
    y = cpu_ops.lut(x, table, wires, True) if kernel == "lut" else cpu_ops.stack(x, table, [wires], 0, True)
    assert torch.equal(y[:, 0], table[0, (x.detach().long() << torch.arange(k)).sum(1)])
    y.backward(grad)
    expected = [extended_finite_difference(row, table[0].tolist()) for row in x.tolist()]
    torch.testing.assert_close(x.grad, grad * torch.tensor(expected, dtype=torch.float64), rtol=1e-12, atol=1e-14)


def test_coefficients_of_a_table_make_the_same_polynomial():
    """``coefficients`` and the kernel are two spellings of one multilinear function."""
    g = torch.Generator().manual_seed(0)
    for k in range(2, 7):
        x, p = uniform(g, 20, k), uniform(g, 1, 2**k)
        products = torch.stack([x[:, [i for i in range(k) if s >> i & 1]].prod(1) for s in range(2**k)], 1)
        y = cpu_ops.lut(x, p, torch.arange(k).int()[None])
        torch.testing.assert_close(y, products @ coefficients(p).T, rtol=1e-11, atol=1e-11)
