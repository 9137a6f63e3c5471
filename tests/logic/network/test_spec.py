"""Layers to plain data and back: what a checkpoint relies on."""

import json

import pytest
import torch

from hardwire.core.errors import FormatError
from hardwire.logic import Graph, GroupSum, LogicGraph, LogicLayer, LogicNetwork
from hardwire.logic.network.conv import LogicConv2d, OrPool2d
from hardwire.logic.network.nodes import ESTIMATORS, PARAMETRISATIONS
from hardwire.logic.network.spec import build_layers, describe_layers


def network():
    """A layer of every kind."""
    options = {"init": "random", "noise": 1.0}
    layers = [
        LogicConv2d((2, 6, 6), 8, groups=2, padding=1, pool=1, parametrisation_name="softmax", seed=1, **options),
        OrPool2d((8, 6, 6), 2),
        LogicConv2d((8, 3, 3), 4, receptive_field=2, depth=2, pool=2, estimator="efd", channels_per_tree=3, seed=2, **options),
        LogicLayer(4, 40, candidates=4, routing="hard", seed=3, **options),
        LogicLayer(40, 36, candidates=8, seed=4, **options),
        LogicLayer(36, 30, fan_in=5, parametrisation_name="walsh", estimator="hard", seed=5, **options),
        LogicGraph(Graph.of_nodes(30, [(6, (3, 1)), (0, (0,)), (0x96, (30, 2, 31)), (1, (32,))], [*range(4, 34)], (30,)),
                   parametrisation_name="walsh", estimator="efd", temperature=0.7, noise=0.3),
        LogicLayer(30, 20, parametrisation_name="covjac", estimator="gumbel", temperature=0.5, seed=6, **options),
    ]
    return LogicNetwork(layers, GroupSum(5))


def rebuilt(original):
    """By way of JSON."""
    tensors = original.state_dict()
    again = LogicNetwork(build_layers(json.loads(json.dumps(describe_layers(original.layers))), tensors), original.head)
    again.load_state_dict(tensors)
    return again


def test_a_network_of_every_kind_comes_back():
    original = network()
    again, x = rebuilt(original), torch.rand(40, 72, generator=torch.Generator().manual_seed(0))
    assert repr(again) == repr(original)
    assert torch.equal(again(x), original(x))
    x = (x > 0.5).float()
    assert torch.equal(again.eval()(x), original.eval()(x))
    assert describe_layers(again.layers) == describe_layers(original.layers)
    for a, b in zip(again.layers, original.layers):
        assert vars(a).keys() == vars(b).keys()


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("kind", PARAMETRISATIONS)
def test_every_parametrisation_and_estimator_comes_back(kind, estimator):
    layer = LogicLayer(6, 10, parametrisation_name=kind, estimator=estimator, temperature=0.7)
    (again,) = build_layers(describe_layers([layer]), {f"layers.0.{k}": v for k, v in layer.state_dict().items()})
    assert (again.parametrisation, again.estimator, again.temperature) == (kind, estimator, 0.7)
    assert torch.equal(again.pairs, layer.pairs)


def test_the_prefix_of_the_tensors_can_be_chosen():
    layer = LogicLayer(6, 10, seed=9)
    (again,) = build_layers(describe_layers([layer]), {"student.0.pairs": layer.pairs}, "student.")
    assert torch.equal(again.pairs, layer.pairs)


def test_records_are_not_used_up():
    layers = network().layers
    records, tensors = describe_layers(layers), {f"layers.{k}": v for k, v in layers.state_dict().items()}
    build_layers(records, tensors)
    assert records == describe_layers(layers)


def test_an_unknown_kind():
    record = describe_layers([LogicLayer(6, 10)])[0] | {"kind": "quantum"}
    with pytest.raises(FormatError, match="a layer of kind 'quantum' is unknown; use a newer program"):
        build_layers([record], {"layers.0.pairs": torch.zeros(10, 2)})
