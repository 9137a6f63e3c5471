import json

import numpy as np
import pytest
import torch
from torch import nn

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


UNEQUAL = (1, 0, 12, 5)
UNEQUAL_HEADS = {
    "classes": lambda: GroupSum(4, 1.5, sizes=UNEQUAL),
    "outputs": lambda: Regression([1, 2, 3, 4], [1, 0.5, 2, 3], sizes=UNEQUAL),
    "labels": lambda: MultiLabel([1, 1, 6, 2.5], 2.0, sizes=UNEQUAL, learn=True, size=12),
}


@pytest.mark.parametrize("head", UNEQUAL_HEADS.values(), ids=UNEQUAL_HEADS)
def test_groups_of_different_sizes(head):
    """Counts by hand; trained, frozen, and as a circuit of two executors."""
    head = head()
    net = network(head)
    again = head_from_dict(json.loads(json.dumps(head.to_dict())))
    again.load_state_dict(head.state_dict())
    x = torch.rand(40, 8, generator=torch.Generator().manual_seed(0))
    features = nn.Sequential(*net.layers)(x)
    counts = torch.stack([features[:, 0], 0 * features[:, 0], features[:, 1:13].sum(1), features[:, 13:].sum(1)], 1)
    torch.testing.assert_close(net(x), head.outputs(counts))
    assert again.sizes == UNEQUAL and torch.equal(again(features), head(features))
    (net(x) ** 2).sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in net.layers.parameters())
    bits = nn.Sequential(*net.eval().layers)(torch.from_numpy(BITS).float()).numpy()
    counts = np.stack([bits[:, :1].sum(1), bits[:, 1:1].sum(1), bits[:, 1:13].sum(1), bits[:, 13:].sum(1)], 1)
    for run in (simulate, lambda c, b: PackedEngine(c)(b)):
        words = run(lower(net, scores=True), BITS)
        assert np.array_equal(words[:, -4:], counts) and counts.max() > 6
        if head.task == "classify":
            assert np.array_equal(words[:, 0], scores(net).argmax(1)) and len(np.unique(words[:, 0])) > 1
        elif head.task == "multilabel":
            assert np.array_equal(words[:, :4], scores(net) >= 0)
        else:
            assert np.allclose(head.values(words[:, :4]), scores(net))


def test_equal_sizes_are_the_default(rng):
    one, other = network(GroupSum(3, 2.0)), network(GroupSum(3, 2.0, sizes=(6, 6, 6)))
    x, y = torch.rand(40, 8, generator=torch.Generator().manual_seed(0)), torch.arange(40) % 3
    assert torch.equal(one(x), other(x)) and one.head.sizes_of(18) == other.head.sizes_of(18) == (6, 6, 6)
    assert torch.equal(one.cross_entropy(x, y), other.cross_entropy(x, y))
    assert "sizes" not in one.head.to_dict() and other.head.to_dict()["sizes"] == [6, 6, 6]


def test_the_loss_of_unequal_groups():
    net = network(GroupSum(3, 2.0, sizes=(2, 10, 6)))
    x, y = torch.rand(40, 8, generator=torch.Generator().manual_seed(0)), torch.arange(40) % 3
    torch.testing.assert_close(net.cross_entropy(x, y), nn.functional.cross_entropy(net(x), y))


def test_built_heads_of_unequal_groups():
    y = np.array([[1.0, -5.0], [3.0, 5.0]])
    assert np.allclose(build_head("regress", 2, (4, 10), targets=y).values([[0, 0], [4, 10]]), y)
    labels = build_head("multilabel", 3, (0, 1, 6))
    assert labels.thresholds() == [1, 1, 3] and labels.sizes == (0, 1, 6)
    assert build_head("classify", 2, (4, 10)).sizes == (4, 10) and build_head("classify", 2, 4).sizes is None


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
    (lambda: GroupSum(3, sizes=(4, 4)), "sizes \\(4, 4\\) do not say how many features each of 3 groups has"),
    (lambda: GroupSum(2, sizes=(4, -1)), "give one number, 0 or more, for each"),
    (lambda: GroupSum(2, sizes=(0, 0)), "give one number, 0 or more, for each"),
    (lambda: network(GroupSum(2, sizes=(9, 10))), "groups of \\(9, 10\\) features do not share out 18 outputs"),
    (lambda: Regression([1, 2], [1, 1])(torch.zeros(3, 5)), "5 outputs cannot be shared evenly by 2 classes"),
])
def test_refusals(use, message):
    with pytest.raises(InputError, match=message):
        use()
