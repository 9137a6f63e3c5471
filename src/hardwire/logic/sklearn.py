"""scikit-learn estimators: what is fitted is a logic network, what predicts is its exact circuit."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from inspect import Parameter, Signature, cleandoc
from numbers import Integral, Real
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import Tags, check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from ..circuit.engine.packed import PackedEngine
from ..core.errors import InputError
from ..data.datasets import Dataset, Split
from ..data.ranges import check_ranges
from ..data.samples import identifiers
from .choice import choice_of, features_of
from .choice.rules import SCALES
from .lowering import lower
from .settings import LogicSettings, Task
from .training.training import train


class EstimatorError(InputError, ValueError):
    """A user's mistake, also for callers that expect scikit-learn's ValueError."""


@contextmanager
def _as_value_error() -> Iterator[None]:
    try:
        yield
    except InputError as error:
        raise EstimatorError(str(error)) from None


E = TypeVar("E", bound=type)
#: Share of values outside the range in ``fit`` that ``predict`` warns of, and the samples that must be asked at once:
#: of fewer it could not tell a batch that differs from one that does not.
NOTABLE, FEW = 0.1, 30

#: Settings that are parameters of an estimator; others are given by ``settings``.
NAMES = ("encoder", "levels", "code_bits", "layers", "width", "parametrisation", "init", "strength", "noise", "tau",
         "gate_penalty", "steps", "batch", "learning_rate", "weight_decay", "warmup", "evaluate_every", "device")
#: What an estimator has beside them: default and description.
OWN: dict[str, tuple[Any, str]] = {
    "effort": ("normal", "How long training may take where settings are chosen from the data: fast, normal or best."),
    "settings": (None, "Other settings of ``LogicSettings`` by name, or None."),
    "validation_fraction": (0.1, "Share of the samples (of each class) held out to choose among the networks evaluated "
                            "in training; 0, or too few samples: the training samples choose."),
    "random_state": (None, "Seed of splits, wiring, weights and batches: an integer, a RandomState, or None for a new "
                            "one."),
    "as_is": (False, "Predict for samples too that look scaled otherwise than those in ``fit``, else an error."),
}
_SIGNATURE = Signature([Parameter("self", Parameter.POSITIONAL_OR_KEYWORD),
                        *(Parameter(name, Parameter.KEYWORD_ONLY, default=None) for name in NAMES),
                        *(Parameter(name, Parameter.KEYWORD_ONLY, default=row[0]) for name, row in OWN.items())])


def _document(estimator: E) -> E:
    """Put the parameters into an estimator's docstring, from the declaration of the settings."""
    texts = {name: LogicSettings.model_fields[name].description for name in NAMES}
    texts |= {name: text for name, (_, text) in OWN.items()}
    defaults = {name: repr(_SIGNATURE.parameters[name].default) for name in texts}
    defaults |= dict.fromkeys(NAMES, "None, chosen from the data")
    rows = [f"{name} : default {defaults[name]}\n    {text}" for name, text in texts.items()]
    section = "\n".join(["Parameters", "----------", *rows])
    estimator.__doc__ = cleandoc(estimator.__doc__ or "").replace("Attributes\n", f"{section}\n\nAttributes\n", 1)
    return estimator


class _LogicEstimator(BaseEstimator):  # type: ignore[misc]
    """Parameters, splits and training that classifier and regressor share."""

    def __init__(self, **parameters: Any) -> None:
        bound = _SIGNATURE.bind(self, **parameters)
        bound.apply_defaults()
        for name in (*NAMES, *OWN):
            setattr(self, name, bound.arguments[name])

    __init__.__signature__ = _SIGNATURE  # type: ignore[attr-defined]

    def _given(self, task: Task) -> dict[str, Any]:
        """Return the settings that the parameters give; the others are chosen from the data."""
        values = {k: v.item() if isinstance(v, np.generic) else v for k, v in self.get_params().items()}
        own = ("validation_fraction", "random_state", "as_is", "effort")
        share, state, _, effort = (values.pop(name) for name in own)
        if not (isinstance(share, Real) and 0 <= float(share) < 1):
            raise InputError(f"validation_fraction is {share!r}; give a share of 0 or more and below 1")
        if effort not in SCALES:
            raise InputError(f"effort is {effort!r}; give one of {', '.join(SCALES)}")
        seed = int(state) if isinstance(state, Integral) else int(check_random_state(state).randint(2**31 - 1))
        more = dict(values.pop("settings") or {})
        if taken := sorted(set(more) & {*values, "task", "seed", "dataset", "label"}):
            raise InputError(f"settings hold {taken[0]!r}, which is the estimator's own; leave it out there")
        given = {name: value for name, value in values.items() if value is not None} | more | {"seed": seed}
        LogicSettings(**given | {"task": task})  # a wrong one is told before the data are looked at
        return given

    def _fit(self, x: NDArray[np.float64], y: NDArray[Any], groups: NDArray[np.int64], names: tuple[str, ...],
             task: Task) -> None:
        """Train on ``y``, a share of each of ``groups`` held out; keep network, encoder, circuit.

        ``names`` are those of the classes or of the targets.
        """
        with _as_value_error():
            given = self._given(task)
            features = identifiers(getattr(self, "feature_names_in_", [f"x{i}" for i in range(x.shape[1])]))
            held = _held_out(groups, self.validation_fraction, given["seed"])
            training, validation = Split(x[~held], y[~held]), Split(x[held], y[held])
            validation = validation if held.any() else training
            dataset = Dataset("samples", training, validation, validation, names, features, None, "given to fit")
            settings = choice_of(features_of(dataset, task), self.effort, given).settings
            result = train(settings, dataset)
            labels = names if task == "classify" else ()
            self.circuit_ = lower(result.network, result.encoder, name=type(self).__name__, labels=labels,
                                  features=features)
            self.network_: Any = result.network
            self.encoder_, self.metrics_ = result.encoder, result.metrics
            self._engine = PackedEngine(self.circuit_)

    def _run(self, engine: PackedEngine, x: ArrayLike) -> NDArray[np.uint64]:
        """Return the circuit's output words (samples, words); samples that were scaled since ``fit`` are refused."""
        given: NDArray[np.float64] = validate_data(self, x, dtype=np.float64, reset=False)
        with _as_value_error():
            least = NOTABLE if len(given) >= FEW and not self.as_is else 1.0
            for remark in check_ranges(given, engine.circuit.inputs, as_is=self.as_is, least=least):
                warnings.warn(remark, stacklevel=3)
        return engine(given)


@_document
class LogicClassifier(ClassifierMixin, _LogicEstimator):  # type: ignore[misc]
    """A classifier that is a circuit of logic gates, trained by gradient descent.

    ``fit`` encodes each feature as a few bits, trains a relaxed network of two-input gates and freezes it into
    ``circuit_``, which is what ``predict`` runs: sensor words in, class index out. ``predict_proba`` is ``softmax(count
    / tau)`` of the frozen network's population counts.

    Attributes
    ----------
    circuit_ : Circuit
        The exact circuit, to optimise, prove, save or emit.
    network_ : LogicNetwork
        The trained network.
    encoder_ : Encoder
        The encoder of the features.
    metrics_ : list
        Evaluations in training.
    classes_ : ndarray
        The classes.
    n_features_in_ : int
        Number of features in ``fit``.
    feature_names_in_ : ndarray
        Names of the features, where ``fit`` was given some.
    """

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train on samples ``X`` (samples, features) of classes ``y`` (samples,).

        Raises
        ------
        EstimatorError
            There is one class only, or a parameter is wrong.
        """
        x, labels = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(labels)
        self.classes_, index = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise EstimatorError(f"y has 1 class only ({self.classes_[0]!r}); give samples of two classes or more")
        self._fit(x, index, index, tuple(" ".join(str(c).splitlines()) for c in self.classes_), "classify")
        self._counter = PackedEngine(lower(self.network_, self.encoder_, scores=True))
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the class of each sample, as the circuit finds it."""
        check_is_fitted(self, "circuit_")
        return self.classes_[self._run(self._engine, X)[:, 0]]

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return ``softmax(count / tau)`` of the population counts (samples, classes)."""
        check_is_fitted(self, "circuit_")
        counts = self._run(self._counter, X)[:, 1:].astype(np.float64)
        power: NDArray[np.float64] = np.exp((counts - counts.max(axis=1, keepdims=True)) / self.network_.head.tau)
        shares: NDArray[np.float64] = power / power.sum(axis=1, keepdims=True)
        return shares


@_document
class LogicRegressor(RegressorMixin, _LogicEstimator):  # type: ignore[misc]
    """A regressor that is a circuit of logic gates, trained by gradient descent, for one target or several.

    As ``LogicClassifier``; ``circuit_`` puts out the population count of each target's group of gates, ``predict`` the
    affine ``bias + scale * count`` in the targets' units, so that a target takes at most ``width / targets + 1`` values
    within its range in training. ``tau`` has no effect.

    Attributes
    ----------
    circuit_ : Circuit
        The exact circuit, to optimise, prove, save or emit.
    network_ : LogicNetwork
        The trained network; its ``head`` holds bias and scale.
    encoder_ : Encoder
        The encoder of the features.
    metrics_ : list
        Evaluations in training.
    n_features_in_ : int
        Number of features in ``fit``.
    feature_names_in_ : ndarray
        Names of the features, where ``fit`` was given some.
    """

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train on samples ``X`` (samples, features) with targets ``y`` (samples,) or (samples, targets).

        Raises
        ------
        EstimatorError
            A target does not vary, or a parameter is wrong.
        """
        x, given = validate_data(self, X, y, dtype=np.float64, multi_output=True, y_numeric=True, ensure_min_samples=2)
        targets: NDArray[np.float64] = np.asarray(given, dtype=np.float64)
        if targets.ndim == 2 and targets.shape[1] == 1:
            targets = column_or_1d(targets, warn=True)
        self._single = targets.ndim == 1
        targets = targets.reshape(len(targets), -1)
        names = tuple(f"target{i}" for i in range(targets.shape[1]))
        self._fit(x, targets, np.zeros(len(targets), dtype=np.int64), names, "regress")
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the values of the targets, as the circuit counts them."""
        check_is_fitted(self, "circuit_")
        values: NDArray[np.float64] = self.network_.head.values(self._run(self._engine, X))
        return values[:, 0] if self._single else values

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _held_out(groups: NDArray[np.int64], fraction: float, seed: int) -> NDArray[np.bool_]:
    """Return which samples are for validation: ``fraction`` of each group, rounded; at least one stays."""
    rng = np.random.default_rng([seed, 3])
    held = np.zeros(len(groups), dtype=bool)
    for rows in np.split(np.argsort(groups, kind="stable"), np.flatnonzero(np.diff(np.sort(groups))) + 1):
        held[rng.permutation(rows)[: min(len(rows) - 1, round(fraction * len(rows)))]] = True
    return held
