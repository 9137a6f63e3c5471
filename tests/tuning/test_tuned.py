import pytest

from hardwire.core.errors import InputError
from hardwire.logic import LogicSettings
from hardwire.tuning import tune
from hardwire.tuning.tuned import tuning_space

SMALL = LogicSettings(dataset="digits", widths=[60], fan_in=3, levels=2, steps=24, evaluate_every=6, batch=32)


def test_the_space_is_around_the_choice():
    space = tuning_space(SMALL, 10)
    assert set(space.choices) == {"tau", "learning_rate", "levels", "fan_in"} and space.countable
    assert SMALL.learning_rate in space.choices["learning_rate"] and space.choices["fan_in"] == [3, 4, 6]
    assert space.choices["levels"] == [1, 2, 4] and round(SMALL.tau_for(10), 4) in space.choices["tau"]
    assert space.fixed["steps"] == 6 and space.fixed["widths"] == [60] and "dataset" not in space.fixed
    assert "tau" not in tuning_space(SMALL.changed(task="regress"), 1).choices
    assert "fan_in" not in tuning_space(SMALL.changed(fan_in=2), 10).choices


def test_the_best_trial_is_taken_and_a_second_call_trains_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("hardwire.tuning.tuned.TRIALS", 2)
    said = []
    best = tune(SMALL, 10, tmp_path, seconds=60, say=said.append)
    assert sum("validation hard" in line for line in said) == 2
    assert best.steps == SMALL.steps and best.changed(**{n: getattr(SMALL, n) for n in tuning_space(SMALL, 10).choices}) == SMALL
    again = []
    assert tune(SMALL, 10, tmp_path, seconds=60, say=again.append) == best and not again


def test_no_time_is_said(tmp_path):
    with pytest.raises(InputError, match="no trial of the tuning"):
        tune(SMALL, 10, tmp_path, seconds=1e-9)
