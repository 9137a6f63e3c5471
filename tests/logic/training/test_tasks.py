
import numpy as np
import pytest
import torch

from hardwire import lower
from hardwire.circuit.simulate import simulate
from hardwire.core.errors import InputError
from hardwire.data.datasets import Dataset, Split
from hardwire.logic import LogicSettings, load_model, train
from hardwire.logic.training.tasks import Classify, Multilabel, Regress

SMALL = LogicSettings(encoder="quantile", levels=7, wiring="random", layers=2, width=120, steps=150, evaluate_every=50)


def dataset(y, x, outputs) -> Dataset:
    parts = [Split(x[i::3], y[i::3]) for i in range(3)]
    return Dataset("made", *parts, outputs, tuple("abcd")[: x.shape[1]], None, "made here")


@pytest.fixture
def features(rng):
    return rng.random((450, 4))


@pytest.mark.parametrize("learn", [False, True])
def test_regression_of_two_outputs(features, tmp_path, learn):
    y = np.stack([1000 + 50 * features[:, 0], -features[:, 1] * features[:, 2]], 1)
    data = dataset(y, features, ("far", "near"))
    result = train(SMALL.changed(task="regress", learn_tau=learn), data, out=tmp_path / "run")
    last = result.metrics[-1]
    assert last["hard"] > 0.6 and last["relaxed"] > 0.6
    model = load_model(tmp_path / "run")
    circuit = lower(model.network, model.encoder)
    values = model.network.head.values(simulate(circuit, data.validation.x))
    expected = 1 - ((values - data.validation.y) ** 2).sum(0) / ((data.validation.y - data.validation.y.mean(0)) ** 2).sum(0)
    best = max(m["hard"] for m in result.metrics)
    assert expected.mean() == pytest.approx(best, abs=1e-4)
    assert bool(list(model.network.head.parameters())) == learn


@pytest.mark.parametrize("learn", [False, True])
def test_targets_that_vary_little_beside_their_size(features, tmp_path, learn):
    y = 1e12 + 1e4 * features[:, :1]
    data = dataset(y, features, ("far",))
    result = train(SMALL.changed(task="regress", learn_tau=learn), data, out=tmp_path / "run")
    plain = train(SMALL.changed(task="regress", learn_tau=learn), dataset(features[:, :1], features, ("near",)))
    assert result.metrics[-1]["hard"] == pytest.approx(plain.metrics[-1]["hard"], abs=0.02) and result.metrics[-1]["hard"] > 0.9
    head = load_model(tmp_path / "run").network.head
    assert head.origin.dtype == torch.float64 and (head.values([[0], [60]]) == result.network.head.values([[0], [60]])).all()


def test_one_target_may_be_a_vector(features):
    y = features[:, 0] - features[:, 3]
    a = train(SMALL.changed(task="regress", steps=20), dataset(y, features, ("y",)))
    b = train(SMALL.changed(task="regress", steps=20), dataset(y[:, None], features, ("y",)))
    assert [m["hard"] for m in a.metrics] == [m["hard"] for m in b.metrics]


@pytest.mark.parametrize("learn", [False, True])
def test_several_labels(features, tmp_path, learn):
    y = np.stack([features[:, 0] > 0.5, features[:, 1] > features[:, 2], features[:, 3] > 0.8], 1).astype(np.uint8)
    data = dataset(y, features, ("half", "more", "rare"))
    result = train(SMALL.changed(task="multilabel", learn_tau=learn), data, out=tmp_path / "run")
    assert result.metrics[-1]["hard"] > 0.85 and 0.5 < result.metrics[-1]["hard_exact"] <= result.metrics[-1]["hard"]
    model = load_model(tmp_path / "run")
    found = simulate(lower(model.network, model.encoder), data.validation.x)
    assert (found == data.validation.y).mean() == pytest.approx(max(m["hard"] for m in result.metrics))


def test_a_learned_temperature_is_saved(digits, tmp_path):
    config = LogicSettings(width=60, layers=2, levels=2, steps=24, evaluate_every=12, batch=32, learn_tau=True)
    result = train(config, digits, out=tmp_path / "run")
    start = config.tau_for(10)
    assert result.network.head.tau != pytest.approx(start, rel=1e-3)
    assert load_model(tmp_path / "run").network.head.tau == result.network.head.tau


def test_one_feature_asks_for_more_levels(features):
    data = dataset(features[:, 0], features[:, :1], ("y",))
    with pytest.raises(InputError, match=r"only 1 of 1 input bits vary.*give more levels"):
        train(SMALL.changed(task="regress", levels=1), data)
    assert train(SMALL.changed(task="regress"), data).metrics[-1]["hard"] > 0.9


def test_losses():
    scores, y = torch.tensor([[1.0, 4.0], [3.0, 0.0]]), torch.tensor([[0.0, 4.0], [2.0, 8.0]])
    assert Regress(2, y.numpy()).loss(scores, y).item() == pytest.approx((1 / 1 + 0 + 1 / 1 + 64 / 4) / 4)
    labels = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    p = torch.sigmoid(scores)
    expected = -(labels * p.log() + (1 - labels) * (1 - p).log()).mean()
    assert Multilabel(2, labels.numpy()).loss(scores, labels).item() == pytest.approx(expected.item())


def test_merits():
    y = np.array([[1.0, 5.0], [3.0, 5.0]])
    regress = Regress(2, np.array([[0.0, 0.0], [1.0, 1.0]]))
    assert regress.merit(y, y) == {"": 1.0}
    assert regress.merit(np.array([[2.0, 5.0], [2.0, 5.0]]), y) == {"": 0.5}
    assert regress.merit(np.array([[2.0, 4.0], [2.0, 5.0]]), y) == {"": 0.0}
    labels = np.array([[1, 0], [1, 1]])
    assert Multilabel(2, labels).merit(np.array([[0.0, -1.0], [1.0, -2.0]]), labels) == {"": 0.75, "exact": 0.5}
    assert Classify(2, np.array([0, 1])).merit(np.array([[2.0, 2.0], [1.0, 3.0]]), np.array([0, 1])) == {"": 1.0}


@pytest.mark.parametrize("task, classes, y, message", [
    (Classify, 2, np.array([0, 2]), "is no class index of 2 classes"),
    (Classify, 2, np.array([0.5, 1.0]), "set task to 'regress'"),
    (Classify, 2, np.array([[0, 1]]), "is no class index"),
    (Regress, 2, np.array([1.0, 2.0]), "a finite number for each of 2 outputs"),
    (Regress, 1, np.array([1.0, np.nan]), "a finite number for each of 1 outputs"),
    (Regress, 1, np.array([3.0, 3.0]), "target 0 is the same in all training samples"),
    (Multilabel, 2, np.array([[0, 2], [1, 1]]), "0 or 1 for each of 2 labels"),
    (Multilabel, 2, np.array([0, 1]), "0 or 1 for each of 2 labels"),
])
def test_refusals(task, classes, y, message):
    with pytest.raises(InputError, match=message):
        task(classes, y)
