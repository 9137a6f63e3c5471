"""Tuning of a choice: a sweep over a few settings inside a time limit, the best of which is trained in full."""

from pathlib import Path
from typing import Any

from ..core.errors import InputError
from ..logic.settings import LogicSettings, preset
from ..runs.progress import Listener
from .space import Space, parse_space
from .sweep import Say, sweep

#: Trials at the most, and the share of the steps that each takes.
TRIALS, STEPS_SHARE = 16, 0.25
#: Factors of ``tau_for`` that are tried, learning rates, inputs of a node, and factors of the thresholds.
TEMPERATURES, RATES, FAN_INS, LEVELS = (0.7, 1.0, 1.6), (0.05, 0.1, 0.2), (4, 6), (0.5, 1.0, 2.0)


def tuning_space(settings: LogicSettings, outputs: int) -> Space:
    """Return the space around settings: temperature, learning rate, inputs of a node, thresholds.

    Parameters
    ----------
    settings
        Chosen ones, which stay as they are otherwise, but for fewer steps.
    outputs
        Classes, targets or labels.
    """
    base = preset(settings.dataset).model_dump()
    fixed = {name: value for name, value in settings.model_dump().items()
             if value != base[name] and name not in ("dataset", "device")}
    steps = max(1, round(STEPS_SHARE * settings.steps))
    tried: dict[str, list[Any]] = {
        "tau": [round(factor * settings.tau_for(outputs), 4) for factor in TEMPERATURES],
        "learning_rate": sorted({*RATES, settings.learning_rate}),
        "levels": sorted({max(1, round(factor * settings.levels)) for factor in LEVELS}),
    }
    if settings.fan_in > 2:
        tried["fan_in"] = sorted({*FAN_INS, settings.fan_in})
    if settings.task == "regress":
        del tried["tau"]
    fixed |= {"steps": steps, "evaluate_every": max(1, steps // 10)}
    return parse_space(fixed | {name: values for name, values in tried.items() if len(values) > 1})


def tune(settings: LogicSettings, outputs: int, out: str | Path, *, seconds: float, data_dir: str | Path | None = None,
         say: Say = lambda text: None, progress: Listener | None = None) -> LogicSettings:
    """Return settings with those of the best trial on validation in place of some.

    The same call again, with the same ``out``, goes on where a killed one was; no trial begins after ``seconds``.

    Raises
    ------
    InputError
        Where no trial ended.
    """
    space = tuning_space(settings, outputs)
    front = sweep(settings.dataset, space, out, trials=TRIALS, timeout=seconds, sampler="tpe", seed=settings.seed,
                  data_dir=data_dir, say=say, progress=progress)
    ended = [trial for trial in front["trials"] if trial["state"] == "finished"]
    if not ended:
        raise InputError(f"no trial of the tuning in {out} ended within {seconds:g} s; give more --time")
    best = max(ended, key=lambda trial: (trial["accuracy"], -trial["number"]))
    return settings.changed(**{name: best["settings"][name] for name in space.choices})
