"""Whole networks by the GPU's kernels: the steps of training are those of the CPU's kernels."""

import copy

import pytest
import torch
from gpu_cases import normal, uniform
from test_gpu_graph import adam

from hardwire.logic import GroupSum, LogicConv2d, LogicLayer, LogicNetwork, OrPool2d
from hardwire.logic.kernels import ops
from hardwire.logic.kernels.gpu import ops as gpu_ops
from hardwire.logic.kernels.reference import Soft
from hardwire.logic.network.phase import Phase


@pytest.fixture
def place():
    """Where the tensors are; the GPU's kernels compute."""
    yield ops.use_device("cuda" if torch.cuda.is_available() else ops.INTERPRETER)
    ops.use_device("cpu")


def layer(n, m, **options):
    return LogicLayer(n, m, init="random", seed=n, **options)


NETWORKS = {
    "dense": lambda: [layer(18, 20, candidates=4), layer(20, 16, fan_in=3), layer(16, 14), layer(14, 10, estimator="efd")],
    "convolutional": lambda: [LogicConv2d((2, 3, 3), 4, depth=2, padding=1, pool=1, init="random", noise=1.0, seed=1),
                              OrPool2d((4, 3, 3), 2), layer(4, 10)],
}
#: Relaxed; learned wiring fixed, sharper, gates hard; the first layer frozen.
PHASES = [Phase(), Phase(1, sharpness=1.5), Phase(2, fixed_wiring=True), Phase(3, hard=True, fixed_wiring=True), Phase(4, frozen_layers=1)]


def steps(network, device):
    """Losses of one step in each phase, scores of the frozen network, and the weights after it."""
    network = network.to(device)
    optimizer, x = adam(network, capturable=False), uniform(9, 18).float().round().to(device)
    y, soft = (torch.arange(9) % 5).to(device), Soft(normal(9, 5).float().to(device), 0.4, 2.0)
    losses = []
    for phase in PHASES:
        network.set_phase(phase)
        optimizer.zero_grad()
        loss = network.cross_entropy(x, y, soft)
        if all(n.fan_in == 2 for n in network.nodes):
            loss = loss + 0.1 * network.gate_cost()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach().cpu())
    frozen = network.eval()(x).cpu()
    return torch.stack(losses), frozen, [p.detach().cpu() for p in network.parameters()]


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_steps_are_those_of_the_cpu(name, place):
    network = LogicNetwork(NETWORKS[name](), GroupSum(5, 2.0))
    found = steps(copy.deepcopy(network), place)
    assert ops.kernels_for(place) is gpu_ops
    ops.use_device("cpu")
    losses, frozen, weights = steps(copy.deepcopy(network), torch.device("cpu"))
    torch.testing.assert_close(found[0], losses, rtol=1e-4, atol=1e-5)
    assert torch.equal(found[1], frozen)
    for one, other in zip(found[2], weights, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=2e-3)


def test_the_state_goes_from_one_device_to_the_other(place):
    one, other = (LogicNetwork(NETWORKS["dense"](), GroupSum(5, 2.0, learn_tau=True)) for _ in range(2))
    one = one.to(place)
    one.set_phase(Phase(7, sharpness=2.5, frozen_layers=1))
    other.load_state_dict(one.state_dict())
    assert (other.phase.sharpness, other.phase.frozen_layers) == (2.5, 1)
    assert [n.phase.frozen for n in other.nodes] == [True, False, False, False]
