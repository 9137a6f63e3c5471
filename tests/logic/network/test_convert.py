"""Networks of layers as graphs, and graphs as networks: the same output bits."""

import numpy as np
import pytest
import torch

from hardwire.logic import (
    Graph,
    GroupSum,
    LogicConv2d,
    LogicLayer,
    LogicNetwork,
    MultiLabel,
    OrPool2d,
    graph_of,
    network_of,
)
from hardwire.logic.network.nodes import PARAMETRISATIONS


def dense(n, m, **options):
    return LogicLayer(n, m, init="random", seed=n, **options)


def trees(*shape, **options):
    return LogicConv2d(shape, 4, init="random", noise=1.0, seed=1, **options)


LAYERS = {
    "dense": lambda: [dense(12, 20), dense(20, 15)],
    "residual": lambda: [LogicLayer(12, 30, seed=1), LogicLayer(30, 15, seed=2)],
    **{kind: lambda kind=kind: [dense(12, 15, parametrisation_name=kind)] for kind in PARAMETRISATIONS},
    "tables of four": lambda: [dense(12, 20, fan_in=4), dense(20, 15, fan_in=4)],
    "tables of three to six": lambda: [dense(12, 20, fan_in=3), dense(20, 20, fan_in=5), dense(20, 15, fan_in=6)],
    "learned wires": lambda: [dense(12, 20, candidates=8), dense(20, 15, candidates=4, routing="hard")],
    "learned wires of tables": lambda: [dense(12, 20, fan_in=4, candidates=8, routing="hard"), dense(20, 15, fan_in=3, candidates=4)],
    "trees": lambda: [trees(1, 3, 4, padding=1, depth=3, pool=1), trees(4, 3, 4, padding=1, depth=2, pool=3), dense(4, 15)],
    "a receptive field of two, pools that drop some": lambda: [
        trees(1, 4, 3, receptive_field=2, pool=1, depth=1), OrPool2d((4, 3, 2), 2), dense(4, 15)],
    "groups, much padding": lambda: [trees(2, 2, 3, padding=2, groups=2, pool=2, depth=2), dense(4 * 2 * 2, 15)],
    "a graph after a layer": lambda: [dense(12, 9), network_of(graph_of(
        LogicNetwork([dense(9, 20, fan_in=4), dense(20, 10)], GroupSum(5))), GroupSum(5)).members[0], dense(10, 15)],
}


def bits(samples=200, inputs=12):
    return (torch.rand(samples, inputs, generator=torch.Generator().manual_seed(3)) < 0.5).float()


def features(network, x):
    for layer in network.eval().members:
        x = layer(x)
    return x


@pytest.mark.parametrize("fold", [False, True])
@pytest.mark.parametrize("layers", LAYERS.values(), ids=LAYERS)
def test_a_network_is_its_graph(layers, fold):
    network = LogicNetwork(layers(), GroupSum(3, sizes=(4, 10, 1)))
    x, graph = bits(), graph_of(network, fold=fold)
    expected = features(network, x)
    assert expected.any() and not expected.all() and graph.sizes == (4, 10, 1)
    assert np.array_equal(graph.evaluate(x.numpy()), expected.numpy())
    assert np.array_equal(graph.counts(x.numpy()), network.head.counts(expected).numpy())
    again = network_of(graph, GroupSum(3, sizes=graph.sizes))
    assert torch.equal(features(again, x), expected) and torch.equal(again(x), network.head(expected))
    assert graph_of(again, fold=False) == graph and again.members[0].graph(graph.sizes) == graph
    if fold:
        assert graph.live.all() and graph.nodes <= network.gates
    else:
        assert graph.nodes - network.gates in (0, 1)  # the border of a convolution


@pytest.mark.parametrize("kind", ["table", "walsh"])
def test_a_graph_of_every_arity_becomes_a_network_and_comes_back(kind):
    rows = [(2 ** (2**k - 1) // 3 + 1, [*range(j, j + k)]) for j, k in enumerate([1, 2, 3, 4, 5, 6, 2, 1])] + [(0, (0,)), (3, (1,))]
    graph = Graph.of_nodes(9, rows, [17, 18, 16, 3, 14, 12, 11, 13], (3, 5))
    network = network_of(graph, MultiLabel([1, 2], sizes=graph.sizes), parametrisation_name=kind)
    assert graph_of(network, fold=False) == graph
    x = bits(100, 9)
    assert np.array_equal(features(network, x).numpy(), graph.evaluate(x.numpy()))
