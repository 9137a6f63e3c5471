import inspect
import pickle

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.datasets import load_iris, make_friedman1
from sklearn.exceptions import NotFittedError
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from hardwire import LogicClassifier, LogicRegressor, PackedEngine, optimize
from hardwire.circuit.simulate import simulate
from hardwire.core.errors import InputError
from hardwire.logic import LogicSettings
from hardwire.logic.sklearn import EstimatorError, _held_out
from hardwire.verify import prove

QUICK = {"width": 60, "layers": 2, "steps": 60, "evaluate_every": 20, "batch": 32, "random_state": 0}


@parametrize_with_checks([LogicClassifier(**QUICK), LogicRegressor(**QUICK)])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


@pytest.fixture(scope="module")
def fitted(iris):
    return LogicClassifier(**QUICK).fit(*iris)


def test_the_parameters_are_those_of_the_configuration():
    known = set(LogicSettings.model_fields)
    assert set(LogicClassifier().get_params()) - known == {"effort", "settings", "validation_fraction", "random_state",
                                                           "as_is"}
    assert LogicClassifier().get_params() == LogicRegressor().get_params()
    assert LogicClassifier().get_params()["width"] is None and "None, chosen from the data" in LogicClassifier.__doc__
    assert LogicClassifier().get_params()["effort"] == "normal" and "Thresholds for each feature." in LogicRegressor.__doc__
    assert list(inspect.signature(LogicClassifier).parameters)[:2] == ["encoder", "levels"]
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        LogicClassifier(colour=3)


@pytest.mark.parametrize("estimator", [LogicClassifier, LogicRegressor])
def test_samples_that_were_scaled_since_are_refused(estimator, digits):
    x, y = digits.train.x[:300].astype(float), digits.train.y[:300]
    fitted = estimator(**QUICK).fit(x, y)
    with pytest.raises(EstimatorError, match=r"from 0 to 31.*, these lie between 0 and 1: .*as_is=True"):
        fitted.predict(x / 16)
    assert len(fitted.set_params(as_is=True).predict(x / 16)) == 300
    with pytest.warns(UserWarning, match="of 300 samples outside the trained range"):
        fitted.set_params(as_is=False).predict(x * 16)


def test_what_predicts_is_the_circuit(fitted, iris):
    x, y = iris
    index = simulate(fitted.circuit_, x)[:, 0]
    logits = fitted.network_.eval()(torch.from_numpy(fitted.encoder_.encode(x)).float())
    assert np.array_equal(fitted.predict(x), fitted.classes_[index]) and np.array_equal(index, logits.argmax(1))
    assert fitted.score(x, y) > 0.9 and fitted.n_features_in_ == 4
    torch.testing.assert_close(torch.from_numpy(fitted.predict_proba(x)).float(), torch.softmax(logits.detach(), 1))


def test_the_circuit_can_be_optimised_and_proved(fitted, iris):
    small, _ = optimize(fitted.circuit_)
    assert prove(fitted.circuit_, small).status == "proved"
    assert np.array_equal(fitted.classes_[PackedEngine(small)(iris[0])[:, 0]], fitted.predict(iris[0]))


def test_it_generalises(iris):
    model = LogicClassifier(layers=2, width=300, steps=200, batch=32, learning_rate=0.03, random_state=0)
    assert cross_val_score(model, *iris, cv=3).mean() > 0.9


def test_pipelines_and_searches(iris):
    model = make_pipeline(StandardScaler(), LogicClassifier(**QUICK))
    search = GridSearchCV(model, {"logicclassifier__levels": [1, 5]}, cv=2).fit(*iris)
    assert search.best_params_ == {"logicclassifier__levels": 5} and search.best_score_ > 0.85


def test_pickles_and_clones(fitted, iris):
    again = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(again.predict_proba(iris[0]), fitted.predict_proba(iris[0]))
    assert again.circuit_.digest == fitted.circuit_.digest
    fresh = clone(fitted)
    assert fresh.get_params() == fitted.get_params() and not hasattr(fresh, "circuit_")
    with pytest.raises(NotFittedError):
        fresh.predict(iris[0])


def test_the_seed_decides(iris):
    def digest(state):
        return clone(MODEL).set_params(random_state=state).fit(*iris).circuit_.digest

    MODEL = LogicClassifier(**QUICK | {"steps": 5})
    assert digest(3) == digest(np.int64(3)) != digest(4)
    assert digest(np.random.RandomState(1)) == digest(np.random.RandomState(1))
    assert digest(None) != digest(None)


def test_the_type_of_the_numbers_does_not_matter(rng):
    x = rng.integers(0, 200, (60, 3))
    y = x[:, 0] > x[:, 1]
    digests = {LogicClassifier(**QUICK).fit(x.astype(t), y).circuit_.digest for t in (np.uint8, np.int64, np.float32, float)}
    model = LogicClassifier(**QUICK).fit(x + 0.5, y)
    assert len(digests) == 1 and np.array_equal(model.predict(x), model.predict(x.astype(float)))


def test_labels_and_names_reach_the_circuit(iris):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(iris[0], columns=["sepal length", "sepal width", "petal length", "petal width"])
    model = LogicClassifier(**QUICK).fit(frame, iris[1])
    assert [w.name for w in model.circuit_.inputs] == ["sepal_length", "sepal_width", "petal_length", "petal_width"]


def test_any_labels(iris):
    names = np.array(["two\nlines", "ü", ""])
    model = LogicClassifier(**QUICK).fit(iris[0], names[iris[1]])
    assert model.circuit_.labels == ("", "two lines", "ü") and set(model.predict(iris[0])) <= set(names)


@pytest.mark.parametrize("x, y", [
    (np.arange(20.0)[:, None], np.arange(20) > 9),
    (np.arange(20)[:, None] % 2, np.arange(20) % 2),
    (np.stack([np.arange(20), np.full(20, 7.5)], 1), np.arange(20) > 9),
    (np.array([[0.0, 1], [1, 0]]), [0, 1]),
    (np.stack([np.arange(5.0), np.ones(5)], 1), ["a", "a", "b", "b", "c"]),
], ids=["one feature", "one bit", "a constant feature", "two samples", "a class with one sample"])
def test_small_data(x, y):
    model = LogicClassifier(**QUICK).fit(x, y)
    assert model.score(x, y) >= 0.8


def test_a_share_is_held_out_of_each_class():
    groups = np.repeat([0, 1, 2, 3], [40, 20, 4, 1])[np.random.default_rng(0).permutation(65)]
    held = _held_out(groups, 0.25, 0)
    assert np.bincount(groups[held], minlength=4).tolist() == [10, 5, 1, 0]
    assert np.array_equal(held, _held_out(groups, 0.25, 0)) and not np.array_equal(held, _held_out(groups, 0.25, 1))
    assert np.bincount(groups[_held_out(groups, 0.99, 0)], minlength=4).tolist() == [39, 19, 3, 0] and not _held_out(groups, 0, 0).any()


@pytest.mark.parametrize("options, message", [
    ({"learning_rate": -1}, "learning_rate = -1 must be above 0"),
    ({"steps": 0}, "steps = 0 must be at least 1"),
    ({"width": 3.5}, "width = 3.5 should be a whole number"),
    ({"encoder": "round"}, "encoder = 'round' is none of"),
    ({"validation_fraction": 1}, "validation_fraction is 1; give a share of 0 or more and below 1"),
    ({"validation_fraction": None}, "validation_fraction is None"),
    ({"random_state": -1}, "seed = -1 must be at least 0"),
    ({"settings": {"colour": 3}}, "'colour' is no setting; choose from"),
    ({"settings": {"width": 3}}, "settings hold 'width', which is the estimator's own"),
    ({"settings": {"seed": 3}}, "settings hold 'seed', which is the estimator's own"),
])
def test_refused_parameters(iris, options, message):
    for kind in (InputError, ValueError):
        with pytest.raises(kind, match=message):
            LogicClassifier(**QUICK | options).fit(*iris)


@pytest.mark.parametrize("x, y, message", [
    (np.ones((20, 3)), np.arange(20) % 2, "only 0 of 3 input bits vary on the training set"),
    (np.arange(20.0)[:, None], np.zeros(20), r"y has 1 class only \(.*0.0.*\); give samples of two classes or more"),
    (np.full((20, 1), np.nan), np.arange(20) % 2, "contains NaN"),
    (np.arange(20.0)[:, None], np.linspace(0, 1, 20), "Unknown label type: continuous"),
])
def test_refused_samples(x, y, message):
    with pytest.raises(ValueError, match=message):
        LogicClassifier(**QUICK).fit(x, y)


def test_sparse_samples_are_refused(iris):
    with pytest.raises(TypeError, match="dense data is required"):
        LogicClassifier(**QUICK).fit(csr_matrix(iris[0]), iris[1])


@pytest.fixture(scope="module")
def friedman():
    return make_friedman1(600, random_state=0)


@pytest.fixture(scope="module")
def regressor(friedman):
    return LogicRegressor(**QUICK | {"width": 300, "steps": 300}).fit(*friedman)


def test_what_predicts_a_value_is_the_circuit(regressor, friedman):
    x, y = friedman
    count = simulate(regressor.circuit_, x)
    head = regressor.network_.head
    relaxed = regressor.network_.eval()(torch.from_numpy(regressor.encoder_.encode(x)).float())
    assert count.shape == (600, 1) and count.max() <= 300 and len(np.unique(count)) > 50
    np.testing.assert_allclose(regressor.predict(x), float(head.bias) + float(head.scale) * count[:, 0], rtol=1e-6)
    np.testing.assert_allclose(regressor.circuit_.values(count), regressor.predict(x)[:, None], rtol=1e-6)
    np.testing.assert_allclose(regressor.predict(x), relaxed[:, 0].detach(), rtol=1e-5)
    assert regressor.score(x, y) > 0.8 and y.min() - 1e-5 <= regressor.predict(x).min() <= regressor.predict(x).max() <= y.max() + 1e-5


def test_the_regressor_generalises(friedman):
    model = LogicRegressor(width=300, layers=2, steps=300, batch=32, learning_rate=0.03, random_state=0)
    assert cross_val_score(model, *friedman, cv=3).mean() > 0.7


def test_a_regressor_pickles(regressor, friedman):
    assert np.array_equal(pickle.loads(pickle.dumps(regressor)).predict(friedman[0]), regressor.predict(friedman[0]))


def test_several_targets_of_different_units(friedman):
    x, y = friedman
    both = np.stack([y, 1e4 * x[:, 3] - 5e6], 1)
    model = LogicRegressor(**QUICK | {"width": 301, "steps": 300}).fit(x, both)
    assert model.predict(x).shape == (600, 2) and len(model.circuit_.outputs) == 2
    assert r2_score(both, model.predict(x), multioutput="raw_values").min() > 0.6


@pytest.mark.parametrize("y, shape", [(np.arange(20.0), (20,)), (np.arange(20) % 2, (20,)), (np.arange(40.0).reshape(20, 2), (20, 2))])
def test_small_regressions(y, shape):
    x = np.arange(20.0)[:, None]
    assert LogicRegressor(**QUICK).fit(x, y).predict(x).shape == shape


def test_a_regressor_needs_a_target_that_varies(iris):
    with pytest.raises(EstimatorError, match="target 0 is the same in all training samples"):
        LogicRegressor(**QUICK).fit(iris[0], np.ones(150))


def test_settings_reach_the_configuration(iris):
    model = LogicClassifier(**QUICK, settings={"learned_layers": 1, "candidates": 8}).fit(*iris)
    assert model.network_.layers[0].candidates.shape[-1] == 8 and model.score(*iris) > 0.8
