"""scikit-learn estimators: what is fitted is a logic network, what predicts is its exact circuit."""

from contextlib import contextmanager
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from ..circuit.engine.packed import PackedEngine
from ..core.errors import InputError
from ..data.datasets import Dataset, Split
from ..data.samples import identifiers
from .lowering import lower
from .settings import LogicSettings
from .training.gradient import train


class EstimatorError(InputError, ValueError):
    """A user's mistake, also for callers that expect scikit-learn's ValueError."""


@contextmanager
def _as_value_error():
    try:
        yield
    except InputError as error:
        raise EstimatorError(str(error)) from None


class _LogicEstimator(BaseEstimator):
    """Parameters, splits and training that classifier and regressor share.

    The parameters are those of ``nn.LogicSettings``, where each is explained, and three more:

    settings             other settings of ``nn.LogicSettings`` by name, or None
    validation_fraction  share of the samples (of each class) held out to choose among the networks evaluated in training;
                         0, or too few samples: the training samples choose
    random_state         seed of splits, wiring, weights and batches: an integer, a RandomState, or None for a new one
    """

    def __init__(self, *, encoder="quantile", levels=7, code_bits=12, layers=3, width=1000, parametrisation="table", init="random",
                 strength=1.0, noise=0.5, tau=0.0, gate_penalty=0.0, steps=2000, batch=128, learning_rate=0.1, weight_decay=0.0,
                 warmup=0.1, evaluate_every=250, settings=None, validation_fraction=0.1, random_state=None):
        self.encoder = encoder
        self.levels = levels
        self.code_bits = code_bits
        self.layers = layers
        self.width = width
        self.parametrisation = parametrisation
        self.init = init
        self.strength = strength
        self.noise = noise
        self.tau = tau
        self.gate_penalty = gate_penalty
        self.steps = steps
        self.batch = batch
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.warmup = warmup
        self.evaluate_every = evaluate_every
        self.settings = settings
        self.validation_fraction = validation_fraction
        self.random_state = random_state

    def _config(self, task: str) -> LogicSettings:
        values = {k: v.item() if isinstance(v, np.generic) else v for k, v in self.get_params().items()}
        share, state = values.pop("validation_fraction"), values.pop("random_state")
        if not (isinstance(share, Real) and 0 <= share < 1):
            raise InputError(f"validation_fraction is {share!r}; give a share of 0 or more and below 1")
        seed = int(state) if isinstance(state, Integral) else int(check_random_state(state).randint(2**31 - 1))
        more = dict(values.pop("settings") or {})
        if taken := sorted(set(more) & {*values, "task", "seed", "dataset", "label"}):
            raise InputError(f"settings hold {taken[0]!r}, which is the estimator's own; leave it out there")
        return LogicSettings(**values | {"wiring": "random", "seed": seed, "task": task} | more)

    def _fit(self, x: np.ndarray, y: np.ndarray, groups: np.ndarray, names: tuple[str, ...], task: str) -> None:
        """Train on ``y``, a share of each of ``groups`` held out; keep network, encoder, circuit. ``names``: classes or targets."""
        with _as_value_error():
            config = self._config(task)
            features = identifiers(getattr(self, "feature_names_in_", [f"x{i}" for i in range(x.shape[1])]))
            held = _held_out(groups, self.validation_fraction, config.seed)
            training, validation = Split(x[~held], y[~held]), Split(x[held], y[held])
            validation = validation if held.any() else training
            result = train(config, Dataset("samples", training, validation, validation, names, features, None, "given to fit"))
            labels = names if task == "classify" else ()
            self.circuit_ = lower(result.network, result.encoder, name=type(self).__name__, labels=labels, features=features)
            self.network_, self.encoder_, self.metrics_ = result.network, result.encoder, result.metrics
            self._engine = PackedEngine(self.circuit_)

    def _run(self, engine: PackedEngine, x) -> np.ndarray:
        """The circuit's output words (samples, words)."""
        return engine(validate_data(self, x, dtype=np.float64, reset=False))


class LogicClassifier(ClassifierMixin, _LogicEstimator):
    """A classifier that is a circuit of logic gates, trained by gradient descent.

    ``fit`` encodes each feature as a few bits, trains a relaxed network of two-input gates and freezes it into ``circuit_``, which
    is what ``predict`` runs: sensor words in, class index out. ``predict_proba`` is ``softmax(count / tau)`` of the frozen network's
    population counts.

    Attributes: ``circuit_`` (Circuit, to optimise, prove, save or emit), ``network_`` (LogicNetwork), ``encoder_``, ``metrics_``
    (evaluations in training), ``classes_``, ``n_features_in_``, ``feature_names_in_``.
    """

    def fit(self, X, y):
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, index = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise EstimatorError(f"y has 1 class only ({self.classes_[0]!r}); give samples of two classes or more")
        self._fit(X, index, index, tuple(" ".join(str(c).splitlines()) for c in self.classes_), "classify")
        self._counter = PackedEngine(lower(self.network_, self.encoder_, scores=True))
        return self

    def predict(self, X):
        check_is_fitted(self, "circuit_")
        return self.classes_[self._run(self._engine, X)[:, 0]]

    def predict_proba(self, X):
        check_is_fitted(self, "circuit_")
        counts = self._run(self._counter, X)[:, 1:].astype(np.float64)
        power = np.exp((counts - counts.max(axis=1, keepdims=True)) / self.network_.head.tau)
        return power / power.sum(axis=1, keepdims=True)


class LogicRegressor(RegressorMixin, _LogicEstimator):
    """A regressor that is a circuit of logic gates, trained by gradient descent, for one target or several.

    As ``LogicClassifier``; ``circuit_`` puts out the population count of each target's group of gates, ``predict`` the affine
    ``bias + scale * count`` in the targets' units, so that a target takes at most ``width / targets + 1`` values within its range in
    training. ``tau`` has no effect.

    Attributes: ``circuit_``, ``network_`` (its ``head`` holds bias and scale), ``encoder_``, ``metrics_``, ``n_features_in_``,
    ``feature_names_in_``.
    """

    def fit(self, X, y):
        X, y = validate_data(self, X, y, dtype=np.float64, multi_output=True, y_numeric=True, ensure_min_samples=2)
        y = np.asarray(y, dtype=np.float64)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        self._single = y.ndim == 1
        y = y.reshape(len(y), -1)
        self._fit(X, y, np.zeros(len(y), dtype=int), tuple(f"target{i}" for i in range(y.shape[1])), "regress")
        return self

    def predict(self, X):
        check_is_fitted(self, "circuit_")
        values = self.network_.head.values(self._run(self._engine, X))
        return values[:, 0] if self._single else values

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _held_out(groups: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """Which samples (n,) bool are for validation: ``fraction`` of each group, rounded, at least one of each group stays."""
    rng = np.random.default_rng([seed, 3])
    held = np.zeros(len(groups), dtype=bool)
    for rows in np.split(np.argsort(groups, kind="stable"), np.flatnonzero(np.diff(np.sort(groups))) + 1):
        held[rng.permutation(rows)[: min(len(rows) - 1, round(fraction * len(rows)))]] = True
    return held
