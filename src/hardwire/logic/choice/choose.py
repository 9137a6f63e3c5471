"""The choice: settings for a data set, by rules, with a reason for each group of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from ...core.errors import InputError
from ...data import Dataset
from ...data.samples import Task
from ..settings import TABLE_PRESET, LogicSettings
from . import rules
from .budget import searched
from .features import DataFeatures, features_of
from .rules import SCALES, Effort

#: Settings that describe a network of another kind than the chosen one: given one, the network is that of the preset.
OWN_NETWORK = frozenset({"layers", "width", "channels"})


@dataclass(frozen=True)
class Choice:
    """Settings that were chosen, and why.

    Attributes
    ----------
    settings
        Everything that a training needs.
    reasons
        A line for each group of settings.
    """

    settings: LogicSettings
    reasons: tuple[str, ...]


def choose(dataset: Dataset, *, effort: Effort = "normal", task: Task = "classify", **given: Any) -> LogicSettings:
    """Return settings for a data set, as ``hardwire train DATA --effort EFFORT`` takes them.

    Parameters
    ----------
    dataset
        Its training split decides; validation and test split are not looked at.
    effort
        ``fast``: a first result in seconds; ``normal``: some minutes on two cores; ``best``: about twice as long.
    task
        What is predicted.
    **given
        Settings that are not to be chosen.

    Raises
    ------
    InputError
        Where the effort is unknown, the training split is empty, or a setting is wrong.

    Examples
    --------
    >>> from hardwire import choose, load_dataset, train  # doctest: +SKIP
    >>> data = load_dataset("mine.csv")
    >>> model = train(choose(data, effort="normal"), data)
    """
    return choice_of(features_of(dataset, task), effort, {"dataset": dataset.name} | given).settings


def choice_of(data: DataFeatures, effort: Effort = "normal", given: Mapping[str, Any] | None = None) -> Choice:
    """Return settings for the numbers of a data set, with a reason for each group of them.

    A pure function. What is ``given`` wins; a group of which the user gives a part is chosen around it.
    """
    if effort not in SCALES:
        raise InputError(f"effort {effort!r} is none of {', '.join(get_args(Effort))}")
    given, scale = dict(given or {}), SCALES[effort]
    given["task"] = data.task
    if given.get("budget"):
        settings, reason = searched(data, effort, given)
        return Choice(LogicSettings(**settings | given), (reason,))
    chosen: dict[str, Any] = {}
    reasons: list[str] = []

    def take(rule: rules.Rule | None) -> None:
        if rule is not None and not rule[0].keys() <= given.keys():
            chosen.update(rule[0])
            own = [f"{name} = {given[name]}" for name in rule[0] if name in given]
            reasons.append(f"{rule[1]}; but {', '.join(own)} as given" if own else rule[1])

    take(rules.encoder(data, scale))
    own = sorted(OWN_NETWORK & given.keys())
    if own:
        chosen.update({name: TABLE_PRESET[name] for name in ("layers", "width")} | _plain(data))
        reasons.append(f"{', '.join(own)} given: two-input gates, the last steps trained as they will be frozen")
    else:
        take(rules.network(data, scale))
    around = LogicSettings(**chosen | given)
    take(rules.temperature(data, around.widths_for(data.outputs)[-1] / data.outputs))
    learned = around.fix_wiring_at if around.learned_layers else 0.0
    reads = around.fan_in * (around.candidates * learned + 1 - learned)
    take(rules.training(data, scale, sum(around.widths_for(data.outputs)) * reads))
    take(rules.balance(data))
    around = LogicSettings(**chosen | given)
    take(rules.augmentation(data, around.steps * around.batch / data.samples))
    return Choice(LogicSettings(**chosen | given), tuple(reasons))


def _plain(data: DataFeatures) -> dict[str, Any]:
    """Settings of a network of two-input gates."""
    return {"wiring": "structured" if data.is_image else "random", "harden_at": 0.7}
