"""One layer: gates, look-up tables, estimators, learned wiring. Networks of layers are in ``test_network``."""

import numpy as np
import pytest
import torch

from hardwire.core.errors import InputError
from hardwire.core.gates import TRUTH
from hardwire.logic import LogicLayer
from hardwire.logic.kernels import reference as functional
from hardwire.logic.network.nodes import ESTIMATORS, PARAMETRISATIONS, coefficients, hard_values
from hardwire.logic.network.phase import LayerPhase

kinds = pytest.mark.parametrize("kind", PARAMETRISATIONS)
CORNERS = torch.tensor([[0.0, 0], [1, 0], [0, 1], [1, 1]])
#: A layer of each kind: fixed gates, tables of several inputs, learned wires mixed and one by one.
LAYERS = {
    **{kind: {"parametrisation_name": kind} for kind in PARAMETRISATIONS},
    **{f"{kind} of {k}": {"parametrisation_name": kind, "fan_in": k} for kind in ("table", "walsh") for k in (3, 6)},
    **{f"learned, {routing}": {"candidates": 8, "routing": routing} for routing in ("soft", "hard")},
    **{f"learned of {k}, {routing}": {"candidates": 8, "routing": routing, "fan_in": k}
       for k in (3, 6) for routing in ("soft", "hard")},
}
layers = pytest.mark.parametrize("options", LAYERS.values(), ids=LAYERS)


def samples(n, inputs=12, seed=0):
    return torch.rand(n, inputs, generator=torch.Generator().manual_seed(seed))


def bits(n, inputs=12, seed=0):
    return (samples(n, inputs, seed) > 0.5).float()


def make(options, **more):
    return LogicLayer(12, 9, init="random", seed=3, **options, **more)


# ------------------------------------------------------------------------------------------------------- the frozen node


@layers
def test_eval_looks_the_frozen_tables_up(options):
    layer, x = make(options).eval(), bits(200)
    operands = x[:, layer.wires().long()].long()
    address = (operands << torch.arange(layer.fan_in)).sum(-1)
    expected = hard_values(layer.tables(), k=layer.fan_in)[torch.arange(9), address]
    assert torch.equal(layer(x), expected) and set(expected.unique().tolist()) == {0, 1}
    assert not layer(x).requires_grad


@kinds
def test_all_sixteen_gates_freeze_to_their_tables(kind):
    weight = {"table": 2 * TRUTH - 1, "softmax": np.eye(16), "covjac": coefficients(torch.tensor(TRUTH)).numpy(),
              "walsh": (1 - 2 * TRUTH) @ [[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]}[kind]
    layer = LogicLayer(2, 16, parametrisation_name=kind, pairs=np.tile([0, 1], (16, 1))).eval()
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weight))
    assert layer.tables().tolist() == list(range(16))
    assert torch.equal(layer(CORNERS).T, torch.tensor(TRUTH).float())
    swapped = LogicLayer(2, 16, parametrisation_name=kind, pairs=np.tile([1, 0], (16, 1))).eval()
    swapped.weight = layer.weight
    assert torch.equal(swapped(CORNERS[:, [1, 0]]).T, torch.tensor(TRUTH).float())


@pytest.mark.parametrize("k", range(2, 7))
@pytest.mark.parametrize("kind", ["table", "walsh"])
def test_a_residual_start_passes_operand_0_on(kind, k):
    layer, x = LogicLayer(12, 30, parametrisation_name=kind, fan_in=k, noise=0.0), bits(50)
    assert torch.equal(layer.eval()(x), x[:, layer.pairs[:, 0].long()])
    assert layer.gates == 30 and layer.weight.shape == (30, 2**k)


# ------------------------------------------------------------------------------------------------------------ estimators


@kinds
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_only_relaxed_gates_are_between_0_and_1(kind, estimator):
    layer = make({"parametrisation_name": kind, "estimator": estimator})
    binary = set(layer(bits(50)).unique().tolist()) == {0, 1}
    assert binary == (estimator != "relaxed")
    if estimator in ("hard", "efd"):
        assert torch.equal(layer(bits(50)), layer.eval()(bits(50)))


@layers
@pytest.mark.parametrize("estimator", ["hard", "gumbel", "efd"])
def test_hard_estimators_go_through_any_layer(options, estimator):
    """On bits, wherever the wires are not a mixture, every output is a bit."""
    layer = make(options, estimator=estimator)
    y = layer(bits(50))
    assert (set(y.unique().tolist()) == {0, 1}) == (options.get("routing") != "soft")
    y.sum().backward()
    assert layer.weight.grad.isfinite().all() and layer.weight.grad.any()


@kinds
def test_hard_is_trained_with_the_relaxed_gradient_at_hard_activations(kind):
    layer = make({"parametrisation_name": kind, "estimator": "hard"}).double()
    x, grad = bits(40).double().requires_grad_(), samples(40, 9).double()
    layer(x).backward(grad)
    table = layer.node.hard(layer.weight.detach()).requires_grad_()
    z = x.detach().requires_grad_()
    functional.gates(z, layer.pairs.long(), coefficients(table)).backward(grad)
    expected = torch.autograd.grad(layer.node.values(layer.weight), layer.weight, table.grad)[0]
    torch.testing.assert_close(layer.weight.grad, expected, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(x.grad, z.grad, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("k", range(2, 7))
def test_efd_differs_from_hard_in_the_gradient_of_its_inputs_alone(k):
    found = {}
    for estimator in ("hard", "efd"):
        layer, x = make({"fan_in": k, "estimator": estimator}).double(), bits(40).double().requires_grad_()
        y = layer(x)
        y.backward(samples(40, 9).double())
        found[estimator] = y.detach(), layer.weight.grad, x.grad
    plain, efd = found.values()
    assert torch.equal(plain[0], efd[0]) and not torch.allclose(plain[2], efd[2])
    torch.testing.assert_close(plain[1], efd[1], rtol=1e-12, atol=1e-12)
    assert not make({"fan_in": k, "estimator": "efd"}).eval().efd


@kinds
def test_gumbel_noise_comes_from_the_generator(kind):
    layer, x = make({"parametrisation_name": kind, "estimator": "gumbel", "temperature": 0.5}), bits(50)
    a, b, c = (layer(x, torch.Generator().manual_seed(s)) for s in (1, 1, 2))
    assert torch.equal(a, b) and not torch.equal(a, c)
    layer.eval()
    assert torch.equal(layer(x, torch.Generator().manual_seed(1)), layer(x, torch.Generator().manual_seed(2)))


def test_a_hardened_layer_trains_as_hard():
    soft, hard, x = make({}), make({"estimator": "hard"}), bits(50)
    assert not torch.equal(soft(x), hard(x))
    soft.phase = LayerPhase(hard=True)
    assert torch.equal(soft(x), hard(x))
    noisy = make({"estimator": "gumbel"})
    before = noisy(x, torch.Generator().manual_seed(0))
    noisy.phase = LayerPhase(hard=True)  # only relaxed gates harden
    assert torch.equal(noisy(x, torch.Generator().manual_seed(0)), before)


# -------------------------------------------------------------------------------------------------------- learned wiring


def learned(routing="soft", candidates=8, **more):
    return LogicLayer(12, 9, candidates=candidates, routing=routing, init="random", seed=3, **more)


def plain_copy(layer):
    """A plain layer with the same weights and the wires that are frozen."""
    plain = LogicLayer(layer.in_features, layer.out_features, pairs=layer.wires().numpy(), estimator=layer.estimator)
    plain.load_state_dict({"weight": layer.weight.detach(), "pairs": layer.wires()})
    return plain.train(layer.training).to(layer.weight.dtype)


@pytest.mark.parametrize("routing", ["soft", "hard"])
def test_shares_sum_to_one_and_the_largest_wins(routing):
    layer = learned(routing)
    shares = layer.shares()
    torch.testing.assert_close(shares.sum(-1), torch.ones(9, 2))
    assert torch.equal(shares.argmax(-1), layer.choice.argmax(-1))
    assert (set(shares.unique().tolist()) == {0, 1}) == (routing == "hard")
    assert torch.equal(layer.wires(), layer.candidates.gather(2, layer.choice.argmax(-1, keepdim=True))[..., 0])
    assert layer.wires().dtype == torch.int32 and layer.candidates.shape == layer.choice.shape == (9, 2, 8)


def test_soft_routing_is_the_mixture():
    layer, x = learned().double(), samples(40).double()
    expected = functional.mixed(x, layer.candidates.long(), torch.softmax(layer.choice, -1), coefficients(layer.values()))
    torch.testing.assert_close(layer(x), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("routing", ["soft", "hard"])
def test_frozen_it_is_the_plain_layer_of_its_wires(routing):
    layer = learned(routing).eval()
    assert layer.stacks() and torch.equal(layer(bits(100)), plain_copy(layer)(bits(100)))
    assert torch.equal(layer.tables(), plain_copy(layer).tables())


@pytest.mark.parametrize("estimator", ["relaxed", "hard"])
def test_hard_routing_computes_the_plain_layer_with_the_mixtures_gradient(estimator):
    layer, x = learned("hard", estimator=estimator).double(), samples(40).double()
    torch.testing.assert_close(layer(x), plain_copy(layer)(x), rtol=1e-14, atol=1e-14)
    weights = layer.shares().detach().requires_grad_()
    grad = samples(40, 9).double()
    functional.mixed(x, layer.candidates.long(), weights, coefficients(layer.values())).backward(grad)
    expected = torch.autograd.grad(torch.softmax(layer.choice, -1), layer.choice, weights.grad)[0]
    layer.choice.grad = None
    layer(x).backward(grad)
    torch.testing.assert_close(layer.choice.grad, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("k", [3, 6])
def test_learned_tables_are_their_references(k):
    options = {"fan_in": k, "candidates": 8, "estimator": "hard"}
    x = bits(40).double()
    for routing in ("soft", "hard"):
        layer, grad = make(options, routing=routing).double(), samples(40, 9).double()
        layer(x).backward(grad)
        choice, values = layer.choice.detach().requires_grad_(), layer.values().detach().requires_grad_()
        shares = torch.softmax(choice, -1)
        y = (functional.mixed_lut(x, layer.candidates, shares, values) if routing == "soft"
             else functional.routed(x, layer.candidates, shares, values, choice.detach()))
        torch.testing.assert_close(layer(x), y, rtol=1e-12, atol=1e-12)
        y.backward(grad)
        torch.testing.assert_close(layer.choice.grad, choice.grad, rtol=1e-12, atol=1e-12)
        assert layer.wires().shape == (9, k) and layer.weight.grad.any()


@pytest.mark.parametrize("k", [3, 6])
def test_fixed_wires_of_tables_learn_no_more(k):
    layer, x = LogicLayer(12, 9, fan_in=k, candidates=8, routing="hard", seed=3), bits(40)
    before = layer(x)
    layer.phase = LayerPhase(fixed_wiring=True)
    torch.testing.assert_close(layer(x), before, rtol=1e-5, atol=1e-6)
    layer(x).sum().backward()
    assert layer.choice.grad is None and layer.weight.grad.any()


@pytest.mark.parametrize("routing", ["soft", "hard"])
def test_learning_finds_the_inputs_of_a_table(routing):
    """The majority of three inputs, from candidates that hold them: one of eight tables at least ends there."""
    candidates = np.tile([[0, 2, 4, 6], [1, 3, 5, 7], [8, 9, 10, 11]], (8, 1, 1))
    layer, x = LogicLayer(12, 8, fan_in=3, candidates=candidates, init="random", routing=routing, seed=1), bits(512)
    target = (x[:, [2]] + x[:, [7]] + x[:, [9]] >= 2).float()
    optimizer = torch.optim.Adam(layer.parameters(), 0.1)
    for _ in range(300):
        optimizer.zero_grad()
        (layer(x) - target).square().mean().backward()
        optimizer.step()
    right = (layer.eval()(x) == target).all(0)
    assert right.any() and all(wires == [2, 7, 9] for wires in layer.wires()[right].tolist())


@pytest.mark.parametrize("k", [2, 6])
def test_candidates_that_lost_are_drawn_anew(k):
    layer = LogicLayer(300, 9, fan_in=k, candidates=8, routing="hard", seed=3)
    with torch.no_grad():
        layer.choice.mul_(3)
    again = LogicLayer(300, 9, fan_in=k, candidates=8, routing="hard", seed=3)
    again.load_state_dict(layer.state_dict())
    wires, candidates, choice = layer.wires().clone(), layer.candidates.clone(), layer.choice.detach().clone()
    lost = layer.redraw([1, 2])
    assert torch.equal(lost, torch.softmax(choice, -1) < 1 / 32) and 0.2 < lost.float().mean() < 0.9
    assert torch.equal(layer.candidates[~lost], candidates[~lost]) and torch.equal(layer.choice[~lost], choice[~lost])
    assert (layer.candidates[lost] != candidates[lost]).float().mean() > 0.9
    assert set(layer.candidates.unique().tolist()) <= set(candidates.unique().tolist())
    torch.testing.assert_close(layer.choice.detach(), torch.where(lost, choice.mean(-1, keepdim=True), choice))
    assert torch.equal(layer.wires(), wires) and layer.candidates.dtype == torch.int32
    again.redraw([1, 2])
    assert torch.equal(again.candidates, layer.candidates)


def test_fixed_wires_learn_no_more():
    layer, x = learned(), samples(40)
    layer.phase = LayerPhase(fixed_wiring=True)
    assert layer.stacks() and torch.equal(layer(x), plain_copy(layer)(x))
    layer(x).sum().backward()
    assert layer.choice.grad is None and layer.weight.grad.any()


def test_memory_of_learned_wiring_is_linear_in_the_candidates():
    """No array of inputs x gates, none of samples x gates x candidates: parameters, and what forward keeps for backward."""
    kept = {}
    for k in (8, 16, 32):
        for n in (10, 20):
            layer, sizes = LogicLayer(500, 60, candidates=k), []
            with torch.autograd.graph.saved_tensors_hooks(lambda t, sizes=sizes: sizes.append(t.numel()) or t, lambda t: t):
                layer(samples(n, 500))
            kept[k, n] = sum(sizes) - n * 500  # the samples themselves
            assert layer.choice.numel() == layer.candidates.numel() == 60 * 2 * k
    assert all(kept[k, 10] == kept[k, 20] for k in (8, 16, 32))
    assert 0 < kept[32, 10] - kept[16, 10] == 2 * (kept[16, 10] - kept[8, 10])


def test_learning_finds_the_inputs_that_matter():
    """AND of inputs 2 and 7, from candidates that hold them: the largest shares end there."""
    candidates = np.array([[[0, 2, 4, 6], [1, 3, 5, 7]]])
    layer, x = LogicLayer(8, 1, candidates=candidates, noise=0.1), bits(512, 8)
    target = x[:, [2]] * x[:, [7]]
    optimizer = torch.optim.Adam(layer.parameters(), 0.1)
    for _ in range(200):
        optimizer.zero_grad()
        (layer(x) - target).square().mean().backward()
        optimizer.step()
    assert layer.wires().tolist() == [[2, 7]] and torch.equal(layer.eval()(x), target)


# --------------------------------------------------------------------------------------------------- states and mistakes


@layers
def test_the_wiring_is_saved_with_the_weights(options):
    layer, other = make(options), LogicLayer(12, 9, seed=99, **options)
    assert {("candidates" if layer.learned else "pairs"), "weight"} <= set(layer.state_dict())
    x = samples(30)
    assert not torch.allclose(other(x), layer(x))
    other.load_state_dict(layer.state_dict())
    assert torch.equal(other(x), layer(x)) and torch.equal(other.eval()(x), layer.eval()(x))


@layers
def test_a_seed_decides_wiring_and_weights(options):
    a, b, c = (LogicLayer(30, 50, seed=s, **options).state_dict() for s in (1, 1, 2))
    assert all(torch.equal(a[k], b[k]) and not torch.equal(a[k], c[k]) for k in a)


@layers
@pytest.mark.parametrize("training", [True, False])
def test_samples_get_a_gradient_only_if_they_want_one(options, training):
    layer, x = make(options).train(training), samples(10)
    assert layer(x).requires_grad == training
    x.requires_grad_()
    layer(x).sum().backward()
    assert x.grad.shape == x.shape and x.grad.any()


@layers
def test_an_empty_batch(options):
    layer = make(options)
    y = layer(samples(0))
    y.sum().backward()
    assert y.shape == (0, 9) and not layer.weight.grad.any()


def test_given_wiring_is_copied():
    pairs = np.array([[0, 1], [2, 0]])
    layer = LogicLayer(3, 2, pairs=pairs)
    pairs[:] = 9
    assert layer.pairs.tolist() == [[0, 1], [2, 0]] and layer.pairs.dtype == torch.int32


@pytest.mark.parametrize("pairs, message", [
    ([[0, 1]], r"wiring of shape \(1, 2\) does not give 2 gates 2 of 3 inputs"),
    ([[0, 1], [2, 3]], "does not give 2 gates"),
    ([[0, -1], [1, 2]], "does not give 2 gates"),
    ([[0, 1, 2], [0, 1, 2]], "does not give 2 gates"),
    ([[0, 2**32], [1, 2]], "does not give 2 gates"),
    ([[0.5, 1], [1, 2]], "wiring has dtype float64; give integers"),
    ([], "wiring"),
])
def test_impossible_wiring(pairs, message):
    with pytest.raises(InputError, match=message):
        LogicLayer(3, 2, pairs=pairs)


@pytest.mark.parametrize("options, message", [
    ({"in_features": 1}, "at least 2 inputs and 1 gate, not 1 and 3"),
    ({"out_features": 0}, "at least 2 inputs and 1 gate, not 5 and 0"),
    ({"init": "zero"}, "init 'zero' is none of residual, random"),
    ({"parametrisation_name": "fourier"}, "parametrisation 'fourier' is none of table, softmax, walsh, covjac"),
    ({"estimator": "guess"}, "estimator 'guess' is none of relaxed, gumbel, hard, efd"),
    ({"temperature": 0}, "temperature = 0 must be above 0"),
    ({"temperature": float("nan")}, "temperature = nan must be above 0"),
    ({"fan_in": 7}, "a node of 7 inputs is not offered; choose 2 to 6"),
    ({"fan_in": 1}, "a node of 1 inputs is not offered"),
    ({"fan_in": 0}, "a node cannot read 0 of 5 inputs"),
    ({"fan_in": 3, "parametrisation_name": "softmax"}, "sixteen gates of two inputs, not tables of 3"),
    ({"candidates": 2}, "with 4, 8, 12, ... candidates, not 2"),
    ({"candidates": 6}, "candidates, not 6"),
    ({"candidates": -4}, "candidates, not -4"),
    ({"candidates": 4, "routing": "free"}, "routing 'free' is none of soft, hard"),
    ({"candidates": np.zeros((3, 1, 4), int)}, r"wiring of shape \(3, 1, 4\) does not give 3 gates 2 of 5 inputs"),
    ({"candidates": np.full((3, 2, 4), 5)}, "wiring of shape"),
    ({"candidates": np.zeros((3, 2, 4))}, "wiring has dtype float64"),
    ({"candidates": 4, "pairs": [[0, 1]] * 3}, "pairs, or candidates to learn them from, not both"),
])
def test_impossible_layers(options, message):
    with pytest.raises(InputError, match=message):
        LogicLayer(**{"in_features": 5, "out_features": 3} | options)


def test_candidates_may_all_be_input_0():
    layer = LogicLayer(5, 3, candidates=np.zeros((3, 2, 4), int))
    assert layer.learned and layer.wires().tolist() == [[0, 0]] * 3


@pytest.mark.parametrize("options, expected", [
    ({}, "LogicLayer(12, 9, table)"),
    ({"fan_in": 6, "parametrisation_name": "walsh"}, "LogicLayer(12, 9, walsh, fan_in=6)"),
    ({"candidates": 8}, "LogicLayer(12, 9, table, 8 candidates)"),
])
def test_printed_form(options, expected):
    assert repr(make(options)) == expected
