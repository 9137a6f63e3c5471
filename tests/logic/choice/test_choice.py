import dataclasses

import numpy as np
import pytest

from hardwire import PackedEngine, choose, lower, train
from hardwire.core.errors import InputError
from hardwire.data.datasets import Dataset, Split
from hardwire.logic.choice import DataFeatures, choice_of, features_of
from hardwire.logic.choice.rules import SCALES
from hardwire.logic.settings import LARGE_BUDGET, preset

TABLE = DataFeatures(samples=5000, features=20, constant=0, values=30.0, most_values=60, outputs=4, task="classify",
                     rarest=0.2, commonest=0.3)
IMAGES = dataclasses.replace(TABLE, samples=50_000, features=784, most_values=256, outputs=10, shape=(1, 28, 28),
                             alike=True, rarest=0.1, commonest=0.1)


def dataset_of(x, y, shape=None, classes=None):
    n, names = len(x), classes or tuple(map(str, range(int(y.max()) + 1)))
    train, validation, test = (Split(x[i::3], y[i::3]) for i in range(3))
    assert n == sum(len(s.y) for s in (train, validation, test))
    return Dataset("own", train, validation, test, names, tuple(f"x{i}" for i in range(x.shape[1])), shape, "test")


def settings_for(data=TABLE, effort="normal", **given):
    return choice_of(data, effort, given).settings


def test_the_numbers_are_those_of_the_training_split():
    x = np.stack([np.arange(90) % 7, np.arange(90) % 2, np.full(90, 5)], 1)
    data = dataset_of(x, (np.arange(90) >= 75).astype(np.int64))
    data = dataclasses.replace(data, validation=Split(x * 1000, data.validation.y), test=Split(-x, data.test.y))
    seen = features_of(data)
    assert (seen.samples, seen.features, seen.constant, seen.values, seen.most_values) == (30, 2, 1, 4.5, 7)
    assert (seen.outputs, seen.rarest, seen.commonest) == (2, 5 / 30, 25 / 30) and not seen.is_image


def test_mirrored_images_are_recognised():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 1500)
    left = rng.integers(0, 60, (1500, 1, 8, 8)).astype(np.uint8)
    upright = left.copy()
    left[y == 1, :, :, :3] += 100  # a bar that mirrors into another place
    upright[y == 1, :, :3] += 100  # one that mirrors into itself
    flat = [images.reshape(1500, -1) for images in (left, upright)]
    assert [features_of(dataset_of(x, y, (1, 8, 8))).mirrors for x in flat] == [False, True]


@pytest.mark.parametrize("effort", SCALES)
@pytest.mark.parametrize("data", [
    TABLE, IMAGES, dataclasses.replace(TABLE, samples=100), dataclasses.replace(TABLE, features=10_000),
    dataclasses.replace(TABLE, outputs=100, rarest=0.001), dataclasses.replace(TABLE, task="regress", outputs=1, rarest=0.0),
    dataclasses.replace(TABLE, task="multilabel", outputs=7, rarest=0.0), dataclasses.replace(TABLE, features=1, most_values=2),
    dataclasses.replace(TABLE, features=0, most_values=1), dataclasses.replace(TABLE, samples=10_000_000),
    dataclasses.replace(IMAGES, shape=(3, 224, 224), features=150_528), dataclasses.replace(IMAGES, outputs=26),
], ids=lambda data: f"{data.samples}x{data.features}->{data.outputs}" if isinstance(data, DataFeatures) else None)
def test_a_choice_stays_within_its_effort(data, effort):
    scale, choice = SCALES[effort], choice_of(data, effort)
    s = choice.settings
    width = sum(s.widths_for(data.outputs))
    assert width <= max(scale.nodes, 12 * data.outputs) and s.steps <= max(scale.steps, 300)
    learned = s.fix_wiring_at if s.learned_layers else 0
    reads = s.steps * s.batch * width * s.fan_in * (s.candidates * learned + 1 - learned)
    assert reads <= scale.work or s.steps == 300
    most = s.levels if data.shape else min(s.levels, max(data.values - 1, 1))
    assert data.features * most <= scale.bits or s.levels <= 2
    assert s.patience and s.steps >= 10 * s.evaluate_every and len(choice.reasons) >= 3
    assert all("\n" not in reason for reason in choice.reasons)


def test_a_rare_real_feature_keeps_its_thresholds_beside_many_bits():
    many = dataclasses.replace(TABLE, features=5000, values=2.1, most_values=200)
    assert settings_for(many).levels == 31 and settings_for(dataclasses.replace(many, values=50.0)).levels == 1


def test_few_samples_are_learned_at_a_higher_temperature():
    few, some, many = (settings_for(dataclasses.replace(TABLE, samples=n)) for n in (300, 3000, 30_000))
    tau = [s.tau_for(4) / (s.widths[0] / 4) ** 0.5 for s in (few, some, many)]
    assert tau[0] == pytest.approx(1, abs=0.01) and 0.36 < tau[1] < 1 and tau[2] == pytest.approx(0.35)


def test_what_is_trained_is_what_is_frozen():
    s = settings_for()
    assert (s.estimator, s.routing) == ("hard", "hard") and settings_for(width=500, layers=2).harden_at < 1


def test_more_effort_is_more_work():
    fast, normal, best = (settings_for(IMAGES, effort) for effort in ("fast", "normal", "best"))
    assert sum(fast.widths) < sum(normal.widths) <= sum(best.widths) and fast.steps < normal.steps < best.steps


def test_what_the_user_gives_wins():
    s = settings_for(levels=3, steps=77, tau=2.5, seed=9, widths=[40])
    assert (s.levels, s.steps, s.tau, s.seed, s.widths) == (3, 77, 2.5, 9, [40]) and s.fan_in == 6
    plain = settings_for(width=500)
    assert (plain.widths, plain.width, plain.layers, plain.fan_in, plain.learned_layers) == ([], 500, 3, 2, 0)
    assert "levels = 3 as given" in " ".join(choice_of(TABLE, "normal", {"levels": 3}).reasons)


def test_rare_classes_are_seen_more_often_and_only_they():
    rare = dataclasses.replace(TABLE, rarest=0.002, commonest=0.9)
    assert settings_for(rare).class_balance > 0 and not settings_for(TABLE).class_balance
    assert not settings_for(dataclasses.replace(rare, task="multilabel")).class_balance


def test_images_are_mirrored_only_where_they_look_alike():
    assert settings_for(IMAGES).augment == "none" and settings_for(dataclasses.replace(IMAGES, samples=2000)).augment == "crop"
    assert settings_for(dataclasses.replace(IMAGES, mirrors=True)).augment == "flip"
    assert settings_for(dataclasses.replace(IMAGES, mirrors=True, samples=2000)).augment == "flip+crop"
    assert settings_for(dataclasses.replace(IMAGES, alike=False)).augment == "none" == settings_for(TABLE).augment


def test_a_budget_is_a_search():
    s = settings_for(budget=3000.0, unit="gates")
    assert (s.budget, s.unit, s.start, s.encoder) == (3000.0, "gates", "nothing", "informative")
    large = settings_for(budget=100_000.0, unit="ge")
    assert large.start == "gradient" and sum(large.widths_for(4)) < 100_000 and large.budget > LARGE_BUDGET["ge"]
    assert settings_for(budget=900.0, search_seconds=7.0).search_seconds == 7.0


def test_mistakes():
    with pytest.raises(InputError, match="effort 'much' is none of fast, normal, best"):
        choice_of(TABLE, "much")
    empty = dataset_of(np.zeros((0, 3)), np.zeros(1, np.int64)[:0], classes=("a", "b"))
    with pytest.raises(InputError, match="training split of shape"):
        features_of(empty)


def test_choosing_is_a_function_of_the_data(digits):
    assert choose(digits) == choose(digits) and choose(digits).dataset == digits.name
    assert preset("mine.csv") == preset("mine.csv").changed()  # the preset of a table stays what it was


@pytest.mark.parametrize("task", ["classify", "regress", "multilabel"])
def test_a_chosen_network_trains_and_lowers(task):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 8, (300, 4))
    y = {"classify": (x[:, 0] > x[:, 1]).astype(np.int64), "regress": (x[:, :1] + 2.0 * x[:, 1:2]),
         "multilabel": np.stack([x[:, 0] > 3, x[:, 1] > x[:, 2]], 1).astype(np.float64)}[task]
    data = dataset_of(x, y, classes={"classify": ("a", "b"), "regress": ("a",), "multilabel": ("a", "b")}[task])
    settings = choose(data, effort="fast", task=task, steps=60, evaluate_every=20)
    model = train(settings, data)
    assert model.best["hard"] > 0.8 and abs(model.best["relaxed"] - model.best["hard"]) <= 0.005
    words = PackedEngine(lower(model.network, model.encoder))(model.encoder.codes(data.test.x))
    assert len(words) == len(data.test.y) and (task != "classify" or (words[:, 0] == data.test.y).mean() > 0.8)
