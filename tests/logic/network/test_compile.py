"""``torch.compile`` of a user's module: one graph, the same training."""

import copy
import warnings

import pytest
import torch
from torch import nn

from hardwire.logic import Graph, GroupSum, LogicConv2d, LogicGraph, LogicLayer, LogicNetwork, OrPool2d
from hardwire.logic.network.phase import Phase


@pytest.fixture(autouse=True)
def compiler():
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    torch._dynamo.reset()


def layer(n, m, **options):
    return LogicLayer(n, m, init="random", seed=n, **options)


class Dense(nn.Module):
    """Gates, learned wiring and tables between the user's own operations."""

    inputs = 12

    def __init__(self):
        super().__init__()
        self.gates = nn.Sequential(layer(12, 40, parametrisation_name="walsh"), layer(40, 30, parametrisation_name="softmax"))
        self.learned, self.tables, self.head = layer(30, 24, candidates=4), layer(24, 20, fan_in=4, estimator="efd"), GroupSum(5, 2.0)

    def forward(self, x):
        return 2 * self.head(self.tables(self.learned(self.gates(torch.sigmoid(4 * x - 2)))))


class Conv(nn.Module):
    """Trees, a pool, gates and a head with a learned temperature."""

    inputs = 36

    def __init__(self):
        super().__init__()
        self.trees = LogicConv2d((1, 6, 6), 4, padding=1, pool=1, init="random", noise=1.0, seed=3)
        self.pool, self.gates, self.head = OrPool2d((4, 6, 6)), layer(36, 30, parametrisation_name="covjac"), GroupSum(5, learn_tau=True)

    def forward(self, x):
        return self.head(self.gates(self.pool(self.trees(x))))


class Unlayered(nn.Module):
    """A network without layers, of nodes of two and three operands, after gates."""

    inputs = 12

    def __init__(self):
        super().__init__()
        rows = [(0x96 if j % 3 else 0b0111, tuple(range(j, j + 2 + (j % 3 > 0)))) for j in range(20)]
        graph = Graph.of_nodes(16, rows, [*range(21, 36)], (3,) * 5)
        self.gates, self.graph, self.head = layer(12, 16), LogicGraph(graph, estimator="relaxed"), GroupSum(5, 2.0)

    def forward(self, x):
        return self.head(self.graph(self.gates(x)))


class Loss(nn.Module):
    """A ``LogicNetwork`` and its own loss, in one graph."""

    inputs = 12

    def __init__(self):
        super().__init__()
        self.network = LogicNetwork([layer(12, 40), layer(40, 30), layer(30, 20, candidates=4), layer(20, 20)], GroupSum(5, 2.0))

    def forward(self, x, y):
        return self.network.cross_entropy(x, y) + 0.1 * self.network.gate_cost()


def batch(inputs):
    return torch.rand(64, inputs, generator=torch.Generator().manual_seed(0)), torch.arange(64) % 5


def curve(module, compiled, loss, phases=(None,) * 20):
    """Losses of 20 steps."""
    optimizer, losses = torch.optim.Adam(module.parameters(), 0.05), []
    for phase in phases:
        if phase is not None:
            module.network.set_phase(phase)
        optimizer.zero_grad()
        value = loss(compiled)
        value.backward()
        optimizer.step()
        losses.append(value.detach())
    return torch.stack(losses)


def check(module, backend, loss, **options):
    expected = curve(*[copy.deepcopy(module)] * 2, loss, **options)
    compiled = torch.compile(module, backend=backend, fullgraph=True)
    torch.testing.assert_close(curve(module, compiled, loss, **options), expected, rtol=1e-4, atol=1e-5)
    assert expected[-1] < expected[0]


def check_module(kind, backend):
    x, y = batch(kind.inputs)
    check(kind(), backend, lambda f: nn.functional.cross_entropy(f(x), y))


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
@pytest.mark.parametrize("kind", [Dense, Conv, Unlayered])
def test_a_users_module_trains_the_same_as_one_graph(kind, backend):
    check_module(kind, backend)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Dense, Conv, Unlayered])
def test_inductor_trains_the_same(kind):
    check_module(kind, "inductor")


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_a_networks_loss_trains_the_same_in_all_phases(backend):
    """A changed factor of the logits is a number of the graph, not a reason to break or to give up compiling."""
    x, y = batch(Loss.inputs)
    phases = [Phase(i, sharpness=1 + i / 20, fixed_wiring=i >= 14, hard=i >= 16, frozen_layers=i >= 18) for i in range(20)]
    check(Loss(), backend, lambda f: f(x, y), phases=phases)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] <= 7
    assert not torch._dynamo.utils.counters["graph_break"]


@pytest.mark.parametrize("kind", [Dense, Conv, Unlayered])
def test_no_graph_break(kind):
    module = kind()
    for mode in (True, False):
        explained = torch._dynamo.explain(module.train(mode))(batch(kind.inputs)[0])
        assert explained.graph_break_count == 0 and explained.graph_count == 1


def test_a_generator_is_what_torch_refuses():
    """Noise from a seed needs a ``torch.Generator``: estimators with it are broken out of the graph by torch, with the same values."""
    network = LogicNetwork([layer(12, 40, estimator="gumbel"), layer(40, 30)], GroupSum(5))
    x, _ = batch(12)
    torch.testing.assert_close(torch.compile(network, backend="eager")(x), network(x))
