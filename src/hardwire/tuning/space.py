"""The space of a sweep: which settings of a hardware are fixed, chosen from a list, or from a range."""

import itertools
import json
import math
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from ..core.errors import FormatError, InputError
from ..core.files import read_text
from ..core.reading import parse_json, parse_toml
from ..core.settings import Settings, shown
from ..logic.settings import LogicSettings


@dataclass(frozen=True)
class Range:
    """A range of numbers.

    Attributes
    ----------
    low, high : float
        Both included.
    log : bool
        Uniform in the logarithm.
    step : float, optional
        Between values.
    whole : bool
        Whether values are integers.
    """

    low: float
    high: float
    log: bool
    step: float | None
    whole: bool

    @property
    def count(self) -> int:
        """How many values a range in steps has."""
        low, step = Decimal(str(self.low)), Decimal(str(self.step))
        return int((Decimal(str(self.high)) - low) // step) + 1

    def value(self, i: int) -> float:
        """Return value number ``i`` of a range in steps; decimal, so that 0.1 + 2 * 0.1 is 0.3."""
        return (int if self.whole else float)(Decimal(str(self.low)) + i * Decimal(str(self.step)))

    def suggest(self, trial: Any, name: str) -> float:
        """Draw a value as an Optuna trial's sampler does."""
        high = self.high if self.step is None else self.value(self.count - 1)
        step = (self.step or 1) if self.whole else self.step
        suggest = trial.suggest_int if self.whole else trial.suggest_float
        value: float = suggest(name, self.low, high, step=step, log=self.log)
        return value


@dataclass(frozen=True)
class Space:
    """``settings`` it is of; ``given`` as it was written; ``fixed`` settings, ``choices`` from lists, ``ranges``."""

    settings: type[Settings]
    given: dict[str, Any]
    fixed: dict[str, Any]
    choices: dict[str, list[Any]]
    ranges: dict[str, Range]

    @property
    def countable(self) -> bool:
        """Whether a grid can list every point."""
        return all(r.step is not None for r in self.ranges.values())

    def grid(self) -> list[dict[str, Any]]:
        """List every point, as the study keeps it; the setting written last varies fastest."""
        for name, r in self.ranges.items():
            if r.step is None:
                raise InputError(f"a grid needs steps, but {name} is a range without one; add a step, give a list, or "
                                 f"search with --sampler random, tpe or nsga2")
        size = math.prod([*map(len, self.choices.values()), *(r.count for r in self.ranges.values())])
        if size > MOST:
            raise InputError(
                f"the grid has {size:,} points; leave some out, or search with --sampler random, tpe or nsga2")
        axes = {n: [kept(v) for v in self.choices[n]] if n in self.choices
                else [*map(self.ranges[n].value, range(self.ranges[n].count))]
                for n in self.given if n not in self.fixed}
        return [dict(zip(axes, point)) for point in itertools.product(*axes.values())]

    def suggest(self, trial: Any) -> dict[str, Any]:
        """Return the settings of a trial: its own where it has them, else those that the study's sampler draws."""
        drawn = {n: trial.suggest_categorical(n, [kept(v) for v in values]) for n, values in self.choices.items()}
        return restored(self.settings, drawn | {n: r.suggest(trial, n) for n, r in self.ranges.items()})


#: Points of a grid that are queued at the most.
MOST = 100_000


def kept(value: Any) -> Any:
    """Return a value as the study keeps it: lists as text."""
    return json.dumps(value) if isinstance(value, list) else value


def restored(settings: type[Settings], params: dict[str, Any]) -> dict[str, Any]:
    """Invert ``kept`` for values of ``settings`` by name; FormatError where they are none."""
    try:
        return {n: parse_json(v) if settings.kind_of(n).is_list else v for n, v in params.items()}
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(f"the study holds parameters that are no settings ({error}); restore it, or sweep into "
                          "another folder") from None


def read_space(path: str | Path, settings: type[Settings] = LogicSettings) -> Space:
    """Read a space of ``settings`` from a TOML file.

    Raises
    ------
    FormatError
        Where the file is no TOML.
    InputError
        Where it cannot be read, or names what is no setting.
    """
    try:
        return parse_space(parse_toml(read_text(path)), settings)
    except ValueError as error:
        raise FormatError(f"{path} is not TOML ({error}); correct it") from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def parse_space(given: dict[str, Any], settings: type[Settings] = LogicSettings) -> Space:
    """Sort settings: lists are choices, tables {low, high, log, step} ranges, single values fixed.

    For settings that are lists themselves (``widths``, ``channels``, ``hidden`` ...) a list of lists is choices and a
    plain list a fixed value.
    """
    space, types = Space(settings, given, {}, {}, {}), _types(settings)
    for name, value in given.items():
        if name not in types:
            raise InputError(f"{name!r} is no setting; choose from {', '.join(sorted(types))}")
        if name == "dataset":
            raise InputError("the data set is named on the command line; leave dataset out")
        if isinstance(value, dict):
            space.ranges[name] = _range(name, types[name], value)
        elif isinstance(value, list) and (types[name] != "list" or not value or isinstance(value[0], list)):
            space.choices[name] = _choices(name, types[name], value)
        else:
            space.fixed[name] = _typed(name, types[name], value)
    if not space.choices and not space.ranges:
        raise InputError("every setting is fixed, so there is nothing to sweep; give a list or a range for one of them")
    return space


def _types(settings: type[Settings]) -> dict[str, str]:
    """Map each setting to the name of its values' type."""
    kinds = {name: settings.kind_of(name) for name in settings.model_fields}
    return {name: "list" if kind.is_list else kind.type.__name__ for name, kind in kinds.items()}


def _typed(name: str, kind: str, value: Any) -> Any:
    if kind == "float" and type(value) is int and value.bit_length() < 64:
        return float(value)
    if type(value).__name__ != kind or (kind == "int" and value.bit_length() > 63):
        raise InputError(f"{name} = {shown(value)} should be of type {kind}")
    return value


def _choices(name: str, kind: str, values: list[Any]) -> list[Any]:
    if not values:
        raise InputError(f"{name} = [] has nothing to choose from; list values, or leave {name} out")
    values = [_typed(name, kind, v) for v in values]
    for i, value in enumerate(values):
        if value in values[:i]:
            raise InputError(f"{name} lists {shown(value)} twice; list it once")
    return values


def _range(name: str, kind: str, given: dict[str, Any]) -> Range:
    if kind not in ("int", "float"):
        raise InputError(f"{name} is of type {kind} and has no range; list its values")
    if unknown := sorted(set(given) - {"low", "high", "log", "step"}):
        raise InputError(f"the range of {name} has {unknown[0]!r}; give low, high and, if wanted, log or step")
    if not {"low", "high"} <= set(given):
        raise InputError(f"the range of {name} needs low and high")
    low, high = (_typed(name, kind, given[k]) for k in ("low", "high"))
    step, log = given.get("step"), given.get("log", False)
    step = None if step is None else _typed(name, kind, step)
    if type(log) is not bool:
        raise InputError(f"the range of {name} has log = {log!r}; give true or false")
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise InputError(
            f"the range of {name} has low = {low} above high = {high} or one that is not finite; exchange them")
    if log and (step is not None or low <= 0):
        raise InputError(f"the range of {name} is logarithmic; give low above 0 and no step")
    if step is not None and not (math.isfinite(step) and step > 0):
        raise InputError(f"the range of {name} has step = {step}; give one above 0")
    if step is not None and (high - low) / step > 2**53:
        raise InputError(f"the range of {name} has more than 2^53 steps; give a larger one")
    if max(abs(low), abs(high)) > 1e300:
        raise InputError(f"the range of {name} reaches beyond 1e300; give smaller bounds")
    return Range(low, high, log, step, kind == "int")
