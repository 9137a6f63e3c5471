"""Parametrisations against their equations, estimators against what they promise."""

import numpy as np
import pytest
import torch

from hardwire.core.errors import InputError
from hardwire.core.gates import COEFFICIENTS, TRUTH, mobius
from hardwire.logic.network import nodes
from hardwire.logic.network.nodes import (
    ESTIMATORS,
    PARAMETRISATIONS,
    CovJac,
    Softmax16,
    TableLogits,
    Walsh,
    coefficients,
    hard_values,
    parametrisation,
)

#: Every parametrisation with every fan-in that it offers.
NODES = [(name, k) for name, node in PARAMETRISATIONS.items() for k in range(2, 7) if k == 2 or issubclass(node, nodes.Tabled)]
every = pytest.mark.parametrize("name, k", NODES)
fan_ins = pytest.mark.parametrize("k", range(2, 7))


def weights(node, n=50, scale=1.0, seed=0):
    return scale * torch.randn(n, node.weights, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def frozen(node, w):
    return nodes.tables(node.hard(w)).tolist()


# ------------------------------------------------------------------------------------------------ tables and polynomials


def test_coefficients_are_the_moebius_transform():
    torch.testing.assert_close(coefficients(torch.tensor(TRUTH)), torch.tensor(COEFFICIENTS))


@fan_ins
def test_coefficients_give_the_values_back_on_the_corners(k):
    p = torch.rand(5, 2**k, dtype=torch.float64, generator=torch.Generator().manual_seed(k))
    c = coefficients(p)
    contained = torch.tensor([[(m & s) == s for m in range(2**k)] for s in range(2**k)]).double()
    torch.testing.assert_close(c @ contained, p, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(c, p @ torch.tensor(mobius(k).T), rtol=1e-12, atol=1e-12)


def test_hard_values_are_the_tables():
    assert torch.equal(hard_values(torch.arange(16), torch.float64), torch.tensor(TRUTH))
    assert hard_values(torch.arange(16)).dtype == torch.float32


@fan_ins
def test_tables_and_values_are_each_others_inverse(k):
    bits = torch.randint(0, 2, (100, 2**k), generator=torch.Generator().manual_seed(k)).double()
    bits[0], bits[1], bits[2] = 0, 1, bits[3].flip(0)
    found = nodes.tables(bits)
    assert found.dtype == torch.int64 and torch.equal(hard_values(found, torch.float64, k), bits)
    expected = [sum(int(b) << i for i, b in enumerate(row)) for row in bits.tolist()]
    assert [t & (1 << 2**k) - 1 for t in found.tolist()] == expected


def test_a_table_of_six_inputs_fills_sixty_four_bits():
    top = torch.zeros(1, 64)
    top[0, 63] = 1
    assert nodes.tables(top).tolist() == [-(2**63)] and nodes.tables(torch.ones(1, 64)).tolist() == [-1]
    assert torch.equal(hard_values(torch.tensor([-1, -(2**63)]), k=6), torch.cat([torch.ones(1, 64), top]))


# ------------------------------------------------------------------------------------------------------ parametrisations


def test_table_logits_are_sigmoids():
    w = weights(TableLogits())
    torch.testing.assert_close(TableLogits().values(w), 1 / (1 + torch.exp(-w)))
    assert frozen(TableLogits(), torch.tensor([[-1.0, 2, -3, 4], [0, 0, 0, 1e-9]])) == [0b1010, 0b1000]


def test_softmax_is_the_mean_truth_table():
    w = weights(Softmax16())
    torch.testing.assert_close(Softmax16().values(w), torch.softmax(w, -1) @ torch.tensor(TRUTH))


@fan_ins
def test_walsh_is_the_sum_of_its_equation(k):
    node, signs = Walsh(k), [1 - 2 * np.array([m >> i & 1 for i in range(k)]) for m in range(2**k)]
    t = weights(node, 3)
    product = [[np.prod([s[i] for i in range(k) if subset >> i & 1]) for subset in range(2**k)] for s in signs]
    expected = torch.sigmoid(-t @ torch.tensor(product, dtype=torch.float64).T)
    torch.testing.assert_close(node.values(t), expected, rtol=1e-12, atol=1e-12)
    assert torch.equal(node.hard(t), (expected > 0.5).double())


def test_covjac_is_the_code_book_weighed_by_distance():
    node, book = CovJac(), torch.tensor(COEFFICIENTS)
    c = weights(node, 20)
    share = torch.softmax(-(c[:, None] - book).square().sum(-1) / node.temperature, -1)
    torch.testing.assert_close(coefficients(node.values(c)), share @ book, rtol=1e-12, atol=1e-12)
    assert frozen(node, c) == (c[:, None] - book).norm(dim=-1).argmin(-1).tolist()


def test_covjac_jacobian_is_the_covariance_of_the_code_book():
    """``d drawn / d c = (2 / T) Cov(G)`` under the shares."""
    node, book = CovJac(), torch.tensor(COEFFICIENTS)
    for c in weights(node, 5, scale=0.7):
        share = torch.softmax(-(c - book).square().sum(-1) / node.temperature, -1)
        apart = book - share @ book
        expected = 2 / node.temperature * apart.T @ (share[:, None] * apart)
        found = torch.autograd.functional.jacobian(lambda c: coefficients(node.values(c[None]))[0], c)
        torch.testing.assert_close(found, expected, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("table", range(16))
def test_a_certain_gate_is_that_gate(table):
    soft = torch.full((1, 16), -50.0)
    soft[0, table] = 50
    logits = 50 * (2 * torch.tensor(TRUTH[[table]]).float() - 1)
    walsh = -logits @ torch.tensor([[1.0, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]) / 4
    code = torch.tensor(COEFFICIENTS[[table]]).float()
    for node, w in ((Softmax16(), soft), (TableLogits(), logits), (Walsh(), walsh), (CovJac(), code)):
        assert frozen(node, w) == [table]
        torch.testing.assert_close(node.values(w), torch.tensor(TRUTH[[table]]).float(), rtol=0,
                                   atol=0.15 if isinstance(node, CovJac) else 1e-5)


@every
def test_gradients(name, k):
    node = parametrisation(name, k)
    assert torch.autograd.gradcheck(lambda w: coefficients(node.values(w)), (weights(node, 3).requires_grad_(),))


@every
def test_values_stay_in_the_unit_interval(name, k):
    node = parametrisation(name, k)
    p = node.values(weights(node, 200, scale=100.0).float())
    assert p.shape == (200, 2**k) and p.min() >= 0 and p.max() <= 1 + 1e-6


@every
def test_residual_start_is_pass_through_of_operand_0(name, k):
    node, odd = parametrisation(name, k), torch.arange(2**k) % 2 == 1
    w = node.initial(100, "residual", node.strength, 0.0)
    assert torch.equal(node.hard(w), odd.float().expand(100, -1))
    p = node.values(w)
    assert p[:, odd].min() > 0.8 and p[:, ~odd].max() < 0.2
    if name in ("table", "walsh"):
        torch.testing.assert_close(node.logits(w), node.strength * (2 * odd.float() - 1).expand(100, -1))


@every
def test_noise_spreads_the_start(name, k):
    node = parametrisation(name, k)
    tables = frozen(node, node.initial(1000, "random", 5.0, 1.0, torch.Generator().manual_seed(0)))
    assert len(set(tables)) >= {2: 16, 3: 240}.get(k, 980)
    mild = node.initial(1000, "residual", node.strength, 0.1 * node.strength, torch.Generator().manual_seed(0))
    assert frozen(node, mild).count(frozen(node, node.initial(1, "residual", node.strength, 0.0))[0]) > 950


@fan_ins
def test_the_noise_of_walsh_is_that_of_its_logits(k):
    node = Walsh(k)
    logits = node.logits(node.initial(20_000, "random", 1.0, 0.5, torch.Generator().manual_seed(0)))
    assert logits.std(0).numpy() == pytest.approx(np.full(2**k, 0.5), rel=0.03)


@every
def test_a_seeded_start_repeats(name, k):
    node = parametrisation(name, k)
    a, b, c = (node.initial(20, "random", 1.0, 1.0, torch.Generator().manual_seed(s)) for s in (1, 1, 2))
    assert a.shape == (20, node.weights) and torch.equal(a, b) and not torch.equal(a, c)


@pytest.mark.parametrize("name, k, message", [
    ("fourier", 2, "parametrisation 'fourier' is none of table, softmax, walsh, covjac"),
    ("table", 1, "a node of 1 inputs is not offered; choose 2 to 6"),
    ("walsh", 7, "a node of 7 inputs is not offered; choose 2 to 6"),
    ("softmax", 3, "Softmax16 weighs the sixteen gates of two inputs, not tables of 3; use table or walsh"),
    ("covjac", 4, "CovJac weighs the sixteen gates of two inputs, not tables of 4"),
])
def test_what_is_not_offered(name, k, message):
    with pytest.raises(InputError, match=message):
        parametrisation(name, k)


# ------------------------------------------------------------------------------------------------------------ estimators


def estimate(name, node, w, seed=0, temperature=1.0):
    return ESTIMATORS[name](node, w, temperature, torch.Generator().manual_seed(seed))


@every
def test_relaxed_is_the_values(name, k):
    node = parametrisation(name, k)
    w = weights(node)
    assert torch.equal(estimate("relaxed", node, w), node.values(w))


@every
@pytest.mark.parametrize("estimator", ["hard", "efd"])
def test_hard_is_the_frozen_node_with_the_relaxed_gradient(name, k, estimator):
    node = parametrisation(name, k)
    w, grad = weights(node).requires_grad_(), weights(TableLogits(k), seed=9)
    p = estimate(estimator, node, w)
    assert torch.equal(p, node.hard(w)) and set(p.unique().tolist()) == {0, 1}
    found, expected = (torch.autograd.grad(v, w, grad)[0] for v in (p, node.values(w)))
    assert torch.equal(found, expected) and found.abs().sum() > 0


@every
def test_gumbel_is_hard_and_a_function_of_its_generator(name, k):
    node = parametrisation(name, k)
    w = weights(node).requires_grad_()
    a, b, c = (estimate("gumbel", node, w, seed) for seed in (1, 1, 2))
    assert set(a.unique().tolist()) == {0, 1} and torch.equal(a, b) and not torch.equal(a, c)
    if k == 2:
        assert set(nodes.tables(a.detach()).tolist()) <= set(range(16))


@every
@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_the_gradient_of_gumbel_is_that_of_its_relaxation(name, k, temperature):
    node = parametrisation(name, k)
    w, grad = weights(node).requires_grad_(), weights(TableLogits(k), seed=9)
    soft, hard = node.noisy(w, temperature, torch.Generator().manual_seed(3))
    assert soft.min() >= 0 and soft.max() <= 1 + 1e-12 and not hard.requires_grad
    p = estimate("gumbel", node, w, seed=3, temperature=temperature)
    assert torch.equal(p, hard)
    found, expected = (torch.autograd.grad(v, w, grad, retain_graph=True)[0] for v in (p, soft))
    assert torch.equal(found, expected)


@every
def test_a_cold_relaxation_is_the_draw(name, k):
    node = parametrisation(name, k)
    soft, hard = node.noisy(weights(node), 1e-3, torch.Generator().manual_seed(3))
    assert ((soft - hard).abs() < 1e-3).double().mean() > 0.98


@every
def test_gumbel_draws_each_value_as_often_as_it_weighs(name, k):
    """The Gumbel trick: the mean of the drawn nodes is the relaxed node."""
    node, n = parametrisation(name, k), 20_000
    w = weights(node, 1, seed=4)
    _, hard = node.noisy(w.expand(n, -1), 1.0, torch.Generator().manual_seed(0))
    assert (hard.mean(0) - node.values(w)[0]).abs().max() < 4.5 * 0.5 / n**0.5


@every
def test_constants_first_met_in_inference_serve_training_too(name, k):
    node, w = parametrisation(name, k), weights(parametrisation(name, k))
    nodes._mobius.cache_clear()
    with torch.inference_mode():
        expected = coefficients(node.values(w))
    trained = coefficients(node.values(w.requires_grad_()))
    trained.sum().backward()
    assert torch.equal(trained, expected) and w.grad.any()
