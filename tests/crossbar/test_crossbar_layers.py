"""Crossbars as torch modules: gradients, the loop, checkpoints, conversion, and agreement with the one-kernel network."""

import copy
from itertools import pairwise

import numpy as np
import pytest
import torch
from crossbar_cases import CELLS, IDEAL, NOISY
from torch import nn
from torch.nn.functional import cross_entropy

from hardwire.core.errors import InputError
from hardwire.crossbar import Chip, CrossbarLinear, CrossbarSGD, Hybrid, Network, Single, convert, device

FLOAT = Single(device=device("ideal"))


def layer(cell=FLOAT, n=6, m=4, **options):
    return CrossbarLinear(n, m, cell, **({"ahead": IDEAL} | options))


@pytest.mark.parametrize("shape", [(6,), (3, 6), (2, 3, 6)])
@pytest.mark.parametrize("bias", [True, False])
def test_forward_and_gradients_are_linears(shape, bias):
    crossbar, linear = layer(bias=bias), nn.Linear(6, 4, bias=bias)
    with torch.no_grad():
        linear.weight.copy_(crossbar.weight)
        if bias:
            linear.bias.copy_(crossbar.bias)
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    results = []
    for module in (crossbar, linear):
        given = x.clone().requires_grad_()
        out = module(given)
        (out * torch.linspace(-1, 1, out.numel()).reshape(out.shape)).sum().backward()
        results.append((out, given.grad))
    for one, two in zip(*results):
        torch.testing.assert_close(one, two, atol=1e-5, rtol=1e-5)


def loop(model, optimizer, x, y, batch=1):
    for first in range(0, len(x), batch):
        optimizer.zero_grad()
        cross_entropy(model(x[first : first + batch]), y[first : first + batch]).backward()
        optimizer.step()


def samples(n=40, inputs=12, classes=4):
    g = torch.Generator().manual_seed(1)
    return torch.rand(n, inputs, generator=g), torch.randint(0, classes, (n,), generator=g)


@pytest.mark.parametrize("batch", [1, 8])
def test_an_ordinary_loop_with_ideal_devices_is_sgd(batch):
    model = nn.Sequential(nn.Linear(12, 9), nn.Tanh(), nn.Linear(9, 4))
    analog = convert(model, FLOAT, ahead=IDEAL)
    x, y = samples()
    loop(model, torch.optim.SGD(model.parameters(), lr=0.1), x, y, batch)
    loop(analog, CrossbarSGD(analog, lr=0.1), x, y, batch)
    for one, two in zip(analog, model):
        if isinstance(two, nn.Linear):
            torch.testing.assert_close(one.weight, two.weight, atol=1e-5, rtol=0)
            torch.testing.assert_close(one.bias, two.bias, atol=1e-5, rtol=0)


@pytest.mark.parametrize("cell", ["hybrid", "pair", "tiki-taka 2", "single"])
def test_the_module_and_the_network_are_the_same(cell):
    """One kernel for all samples and torch around single ones: the same devices, the same noise, the same weights."""
    sizes = [12, 9, 4]
    network = Network(sizes, CELLS[cell], ahead=NOISY, activation="relu", seed=5)
    layers = [CrossbarLinear(n, m, CELLS[cell], ahead=NOISY, seed=5000 + k) for k, (n, m) in enumerate(pairwise(sizes))]
    for one, two in zip(layers, network.layers):
        one.array.restore({k: v.copy() for k, v in two.arrays().items()})
    x, y = samples()
    network.train(x.numpy(), y.numpy(), 0.05)
    model = nn.Sequential(layers[0], nn.ReLU(), layers[1])
    loop(model, CrossbarSGD(model, lr=0.05), x, y)
    for one, two in zip(layers, network.layers):
        np.testing.assert_allclose(one.array.weights, two.weights, atol=1e-6)
        assert one.array.counters == two.counters
        assert (one.array.rng == two.rng).all()


def test_digital_layers_learn_beside_crossbars():
    model = nn.Sequential(nn.Linear(12, 9), nn.ReLU(), CrossbarLinear(9, 4, Hybrid(), ahead=IDEAL))
    before = model[0].weight.clone()
    loop(model, CrossbarSGD(model, lr=0.1), *samples())
    assert not torch.equal(before, model[0].weight) and model[2].array.counters["pulses_up"]


def test_a_scheduler_and_a_closure():
    model = layer()
    optimizer = CrossbarSGD(model, lr=0.1)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.0)
    x, y = samples(5, 6)

    def closure():
        optimizer.zero_grad()
        loss = cross_entropy(model(x), y)
        loss.backward()
        return loss

    before = model.weight
    assert optimizer.step(closure).item() > 0 and not torch.equal(before, model.weight)
    before = model.weight
    schedule.step()
    optimizer.step(closure)
    assert torch.equal(before, model.weight)  # the learning rate is 0 now


def test_a_frozen_layer_keeps_its_weights_and_passes_gradients():
    model = nn.Sequential(nn.Linear(5, 6), layer())
    model[1].handle.requires_grad_(False)
    before = model[1].weight
    loop(model, CrossbarSGD(model, lr=0.1), *samples(5, 5))
    assert torch.equal(before, model[1].weight) and model[0].weight.grad.abs().sum() > 0


def test_zero_grad_forgets_and_no_grad_leaves_nothing():
    model = layer()
    optimizer, before = CrossbarSGD(model, lr=0.1), model.weight
    model(torch.ones(2, 6)).sum().backward()
    optimizer.zero_grad()
    with torch.no_grad():
        model(torch.ones(2, 6))
    optimizer.step()
    assert torch.equal(before, model.weight) and not model.pending


def test_a_look_in_between_changes_nothing():
    x, y = samples()
    models = [CrossbarLinear(12, 4, Hybrid(transfer_every=15), ahead=NOISY, seed=2) for _ in range(2)]
    for look, model in enumerate(models):
        optimizer = CrossbarSGD(model, lr=0.05)
        for first in range(0, 40, 10):
            loop(model, optimizer, x[first : first + 10], y[first : first + 10])
            if look:
                model.eval()
                with torch.no_grad():
                    assert not torch.equal(model(x), model(x))  # noisy
                model.train()
    assert torch.equal(models[0].weight, models[1].weight)


@pytest.mark.parametrize("cell", CELLS)
def test_a_checkpoint_goes_on_exactly(cell, tmp_path):
    def build(seed):
        return nn.Sequential(CrossbarLinear(12, 9, CELLS[cell], ahead=NOISY, seed=seed), nn.Tanh(),
                             CrossbarLinear(9, 4, CELLS[cell], ahead=NOISY, seed=seed + 1))

    x, y = samples()
    straight, first, second = build(1), build(1), build(7)
    loop(straight, CrossbarSGD(straight, lr=0.05), x, y)
    loop(first, CrossbarSGD(first, lr=0.05), x[:13], y[:13])
    torch.save(first.state_dict(), tmp_path / "half.pt")
    second.load_state_dict(torch.load(tmp_path / "half.pt"))
    loop(second, CrossbarSGD(second, lr=0.05), x[13:], y[13:])
    for one, two in zip(straight.state_dict().items(), second.state_dict().items()):
        assert one[0] == two[0] and torch.equal(one[1], two[1]), one[0]


def test_a_checkpoint_of_another_cell_is_refused():
    with pytest.raises(RuntimeError, match="other cells"):
        layer(Hybrid(tolerance=1.0)).load_state_dict(layer(Hybrid()).state_dict())
    with pytest.raises(RuntimeError, match="other converters"):
        layer(Hybrid(), ahead=NOISY).load_state_dict(layer(Hybrid()).state_dict())
    with pytest.raises(RuntimeError, match="build the network as it was"):
        layer(Hybrid(), n=7).load_state_dict(layer(Hybrid()).state_dict())
    with pytest.raises(RuntimeError, match="Missing key"):
        layer(Hybrid()).load_state_dict(layer().state_dict())


def test_a_copy_is_independent():
    one = layer(Hybrid())
    two = copy.deepcopy(one)
    two.array.weights = np.zeros(two.array.shape)
    assert one.weight.abs().sum() > 1


def test_conversion_keeps_what_the_model_does():
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 9), nn.Tanh(), nn.ModuleDict({"head": nn.Linear(9, 4)})["head"])
    analog = convert(model, Hybrid(), ahead=IDEAL, seed=1)
    assert isinstance(model[1], nn.Linear) and isinstance(analog[1], CrossbarLinear) and isinstance(analog[3], CrossbarLinear)
    torch.testing.assert_close(analog[1].weight, model[1].weight, atol=0.03, rtol=0)
    x = torch.rand(20, 12)
    torch.testing.assert_close(analog(x), model(x), atol=0.25, rtol=0)
    head = convert(model, Hybrid(), only=["3"])
    assert isinstance(head[1], nn.Linear) and isinstance(head[3], CrossbarLinear)
    assert isinstance(convert(nn.Linear(3, 2), Hybrid()), CrossbarLinear)


@pytest.mark.parametrize("act, message", [
    (lambda: convert(nn.ReLU(), FLOAT), "it has none"),
    (lambda: convert(nn.Sequential(nn.Linear(2, 2)), FLOAT, only=["1"]), "not all Linear layers"),
    (lambda: convert(nn.Linear(600, 600), FLOAT, chip=Chip(blocks=3)), "needs 4 blocks of 512 x 512, the chip has 3 of 3 left"),
    (lambda: CrossbarSGD(nn.Linear(2, 2), 0.1), "convert it first"),
    (lambda: CrossbarSGD(layer(), -0.1), "learning rate -0.1"),
    (lambda: layer()(torch.ones(3, 5)), r"inputs of shape \(3, 5\)"),
    (lambda: layer().double(), "computes in float32 on the CPU"),
    (lambda: layer(weight=torch.ones(3, 3)), r"weight of shape \(3, 3\) for a layer of 6 inputs and 4 outputs"),
    (lambda: layer(bias=False, bias_value=torch.ones(4)), "without bias"),
])
def test_mistakes_are_one_sentence(act, message):
    with pytest.raises(InputError, match=message) as caught:
        act()
    assert "\n" not in str(caught.value)


def test_the_text_says_what_it_is():
    assert str(layer(Hybrid())) == "CrossbarLinear(6, 4, bias=True, cell=Hybrid)"
