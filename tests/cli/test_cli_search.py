"""The verb ``search``, and ``train`` with a budget."""

import json

import pytest

from hardwire import load_circuit
from hardwire.logic import LogicSettings

ROUNDS = ["--set", "search_rounds=30", "--set", "evaluate_every=10"]


def settings_of(run):
    return LogicSettings.load(run / "config.toml")


def test_a_search_from_nothing(ask, tmp_path):
    out = tmp_path / "run"
    said = json.loads(ask("search", "digits", "--budget", "900ge", "--time", "2m", "--out", out, "--seed", 2, *ROUNDS,
                          "--json")[0])
    settings = settings_of(out)
    assert (settings.start, settings.budget, settings.unit, settings.search_seconds) == ("nothing", 900.0, "ge", 120.0)
    assert (settings.seed, settings.search_rounds) == (2, 30)
    assert said["best"]["hard"] > 0.3 and said["best"]["price"] <= 1.01 * 900
    ask("lower", out)
    assert load_circuit(out / "circuit.net").outputs[0].name == "class_index"
    err = ask("search", "digits", "--budget", "900ge", "--out", out, "--resume")[1]
    assert "is finished already" in err
    assert settings_of(out) == settings


def test_a_search_from_a_run_keeps_its_settings(ask, run, tmp_path):
    out = tmp_path / "cheaper"
    ask("search", run, "--budget", "400 gates", "--out", out, *ROUNDS)
    settings, before = settings_of(out), settings_of(run)
    assert settings.start == str(run.resolve()) and (settings.budget, settings.unit) == (400.0, "gates")
    assert (settings.seed, settings.levels, settings.width) == (before.seed, before.levels, before.width)


def test_a_budget_ends_a_training_in_a_search(ask, tmp_path):
    out = tmp_path / "run"
    said = json.loads(ask("train", "digits", "--steps", 20, "--width", 100, "--layers", 2, "--levels", 2, "--budget",
                          "1200", "--time", ".5m", "--out", out, *ROUNDS, "--json")[0])
    settings = settings_of(out)
    assert (settings.start, settings.budget, settings.unit, settings.search_seconds) == ("gradient", 1200.0, "ge", 30.0)
    assert 20 < said["best"]["step"] <= 50


@pytest.mark.parametrize("option, text, needs", [
    ("--budget", "cheap", "is no price; give a number and ge, gates or luts, such as 7500ge"),
    ("--budget", "0ge", "is no price"), ("--budget", "1.2.3ge", "is no price"), ("--budget", ".", "is no price"),
    ("--budget", "700s", "is no price"),
    ("--time", "soon", "is no time; give a number and s, m or h, such as 10m"), ("--time", "0", "is no time"),
    ("--time", "10ge", "is no time"),
])
def test_amounts_that_are_none(refuse, tmp_path, option, text, needs):
    given = {"--budget": "900ge"} | {option: text}
    assert needs in refuse(tmp_path, "search", "digits", "--out", tmp_path / "run", *sum(given.items(), ()))


def test_a_search_needs_a_budget(refuse, tmp_path):
    assert "--budget" in refuse(tmp_path, "search", "digits", "--out", tmp_path / "run")


def test_a_file_of_ones_own_is_chosen_for(ask, tmp_path):
    path, out = tmp_path / "own.csv", tmp_path / "run"
    path.write_text("a,b,kind\n" + "".join(f"{i % 7},{i % 5},{'high' if i % 7 > i % 5 else 'low'}\n" for i in range(210)))
    said = ask("train", path, "--effort", "fast", "--steps", 20, "--seed", 3, "--out", out)[1]
    settings = settings_of(out)
    assert (settings.fan_in, settings.estimator, settings.steps, settings.seed) == (6, "hard", 20, 3)
    assert settings.levels == 6 and "up to 6 thresholds a feature" in said and "steps = 20 as given" in said
    again = ask("train", path, "--effort", "fast", "--out", out, "--resume", "--json")
    assert json.loads(again[0])["best"]["step"] <= 20 and settings_of(out) == settings


def test_a_named_set_keeps_its_preset_unless_an_effort_is_given(ask, tmp_path):
    ask("train", "digits", "--steps", 10, "--width", 100, "--out", tmp_path / "preset")
    ask("train", "digits", "--steps", 10, "--effort", "fast", "--out", tmp_path / "chosen")
    assert settings_of(tmp_path / "preset").fan_in == 2 and settings_of(tmp_path / "chosen").fan_in == 6


def test_a_time_is_a_price_in_gates(ask, tmp_path):
    path, out = tmp_path / "own.csv", tmp_path / "run"
    path.write_text("a,b,kind\n" + "".join(f"{i % 7},{i % 5},{i % 7 > i % 5}\n" for i in range(210)))
    said = ask("train", path, "--budget", "0.25ms", "--out", out, "--search-rounds", 2)[1]
    settings = settings_of(out)
    assert (settings.budget, settings.unit, settings.start) == (1200.0, "gates", "nothing")
    assert "to 1200 gates, from nothing" in said


def test_effort_and_model_exclude_each_other(refuse, tmp_path):
    assert "leave one of them out" in refuse(tmp_path, "train", "digits", "--effort", "fast", "--model", "lut6-310",
                                             "--out", tmp_path / "run")


def test_best_tunes_and_goes_on(ask, tmp_path, monkeypatch):
    monkeypatch.setattr("hardwire.tuning.tuned.TRIALS", 1)
    path, out = tmp_path / "own.csv", tmp_path / "run"
    path.write_text("a,b,kind\n" + "".join(f"{i % 7},{i % 5},{i % 7 > i % 5}\n" for i in range(210)))
    said = ask("train", path, "--effort", "best", "--time", "1m", "--steps", 20, "--widths", "40", "--out", out)[1]
    assert "trial 0 of 1" in said and "the best trial" in said and (out / "tuning" / "front.json").is_file()
    assert settings_of(out).widths == [40] and (out / "model.safetensors").is_file()
