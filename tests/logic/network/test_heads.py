import numpy as np
import pytest
import torch

from hardwire import lower
from hardwire.circuit.engine.packed import PackedEngine
from hardwire.circuit.simulate import simulate
from hardwire.core.errors import InputError
from hardwire.logic import GroupSum, LogicLayer, LogicNetwork, MultiLabel, Regression
from hardwire.logic.network.heads import build_head, head_from_dict

BITS = (np.arange(256)[:, None] >> np.arange(8) & 1).astype(np.uint8)


def network(head, seed=0):
    """Two layers over eight bits; the head has three groups of six."""
    return LogicNetwork([LogicLayer(8, 30, init="random", seed=seed), LogicLayer(30, 18, init="random", seed=seed + 1)], head)


def scores(net):
    return net.eval()(torch.from_numpy(BITS).float()).detach().numpy()


def set_parameters(head, rng):
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.copy_(torch.tensor(rng.normal(0, 0.3, parameter.shape)))
    return head


def test_a_learned_temperature_is_a_temperature():
    counts = torch.arange(12.0).reshape(4, 3)
    fixed, learned = GroupSum(3, 2.5), GroupSum(3, 2.5, learn_tau=True)
    assert torch.allclose(fixed.outputs(counts), learned.outputs(counts)) and learned.tau == pytest.approx(2.5)
    learned.outputs(counts).sum().backward()
    assert learned.log_tau.grad.item() == pytest.approx(-66 / 2.5)
    assert not list(fixed.parameters()) and not fixed.state_dict()


def test_the_decision_does_not_depend_on_the_temperature(rng):
    a, b = network(GroupSum(3, 2.0)), network(set_parameters(GroupSum(3, 2.0, learn_tau=True), rng))
    assert b.head.tau != pytest.approx(2.0) and lower(a).digest == lower(b).digest


@pytest.mark.parametrize("learn", [False, True])
def test_regression_counts_become_the_values_of_the_network(rng, learn):
    head = set_parameters(Regression([1.0, -200.0, 0.0], [0.5, 30.0, 1e-3], size=6, learn=learn), rng)
    net = network(head)
    circuit = lower(net)
    assert [w.name for w in circuit.outputs] == ["value0", "value1", "value2"]
    for counts in (simulate(circuit, BITS), PackedEngine(circuit)(BITS)):
        assert np.allclose(head.values(counts), scores(net), rtol=1e-6, atol=1e-6)
        content = head.to_dict()
        assert np.allclose(np.array(content["bias"]) + np.array(content["scale"]) * counts, head.values(counts))
    assert counts.max() <= 6 and len(np.unique(counts)) > 2


@pytest.mark.parametrize("learn", [False, True])
def test_labels_of_the_circuit_are_those_of_the_network(rng, learn):
    head = set_parameters(MultiLabel([3, 1.5, 5], 2.0, size=6, learn=learn), rng)
    net = network(head)
    circuit = lower(net, scores=True)
    assert [w.name for w in circuit.outputs] == ["label0", "label1", "label2", "score0", "score1", "score2"]
    found = simulate(circuit, BITS)
    assert np.array_equal(found[:, :3], scores(net) >= 0) and np.array_equal(PackedEngine(circuit)(BITS), found)
    assert np.array_equal(found[:, :3], found[:, 3:] >= head.thresholds())
    assert sum(m.kind == "ge" for m in circuit.macros) == 3 and len(np.unique(found[:, :3])) == 2


@pytest.mark.parametrize("threshold, always", [(0, 1), (-2, 1), (7, 0), (100, 0)])
def test_thresholds_beyond_the_counts(threshold, always):
    net = network(MultiLabel([threshold, 3, 3]))
    assert (simulate(lower(net), BITS)[:, 0] == always).all() and ((scores(net)[:, 0] >= 0) == always).all()


@pytest.mark.parametrize("head", [GroupSum(3, 1.5), GroupSum(3, 1.5, learn_tau=True), Regression([1, 2], [3, 4]),
                                  Regression([1, 2], [3, 4], size=5, learn=True), MultiLabel([1, 2.5], 3.0),
                                  MultiLabel([1, 2.5], 3.0, size=4, learn=True)], ids=str)
def test_a_head_comes_back_from_its_description(head, rng):
    set_parameters(head, rng)
    again = head_from_dict(head.to_dict())
    again.load_state_dict(head.state_dict())
    counts = torch.arange(0.0, head.groups * 4).reshape(4, -1)
    assert type(again) is type(head) and torch.allclose(again.outputs(counts), head.outputs(counts))


def test_a_regression_keeps_its_own_numbers():
    given = np.array([1.0, 2.0])
    head = Regression(given, given)
    head.origin += 5
    assert given.tolist() == [1, 2] and head(torch.ones(1, 4)).dtype == torch.float64


def test_a_built_regression_covers_the_targets():
    y = np.array([[1.0, -5.0], [3.0, 5.0], [2.0, 0.0]])
    head = build_head("regress", 2, 10, targets=y)
    assert np.allclose(head.values([[0, 0], [10, 10]]), [[1, -5], [3, 5]])


@pytest.mark.parametrize("use, message", [
    (lambda: build_head("regress", 2, 4, targets=np.array([[1.0, 2], [3, 2]])), "target 1 is the same in all training samples"),
    (lambda: Regression([1.0], [0.0]), "a finite scale > 0 for each output"),
    (lambda: Regression([1.0, 2.0], [1.0]), "a finite scale > 0 for each output"),
    (lambda: Regression([], []), "at least one class, output or label"),
    (lambda: MultiLabel([float("nan")]), "a finite threshold for each label"),
    (lambda: MultiLabel([1.0], 0.0), "tau > 0"),
    (lambda: Regression([1, 2], [1, 1])(torch.zeros(3, 5)), "5 outputs cannot be shared evenly by 2 classes"),
])
def test_refusals(use, message):
    with pytest.raises(InputError, match=message):
        use()
