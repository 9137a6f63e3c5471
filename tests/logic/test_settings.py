import dataclasses

import pytest

from hardwire.core.errors import FormatError, InputError
from hardwire.logic import Config, preset
from hardwire.logic.settings import PRESETS


@pytest.mark.parametrize("config", [Config(), *map(preset, PRESETS), preset("my data.csv"),
                                    Config(dataset='odd "name" \\ ü 😀 \x7f\n.csv', learning_rate=1e-7, seed=2**40)])
def test_toml_round_trip(config):
    assert Config.from_toml(config.to_toml()) == config


def test_whole_numbers_become_real_where_a_real_one_is_due():
    config = Config(learning_rate=1, tau=3)
    assert isinstance(config.learning_rate, float) and config == Config(learning_rate=1.0, tau=3.0)


@pytest.mark.parametrize("change, message", [
    ({"steps": 1.5}, r"steps = 1.5 should be of type"),
    ({"steps": "9"}, r"steps = '9' should be of type"),
    ({"seed": True}, r"seed = True should be of type"),
    ({"encoder": "hot"}, r"encoder = 'hot' is none of threshold, uniform, quantile"),
    ({"parametrisation": "fourier"}, r"parametrisation = 'fourier' is none of table, softmax"),
    ({"task": "rank"}, r"task = 'rank' is none of classify, regress, multilabel"),
    ({"augment": "spin"}, r"augment = 'spin' is none of none, flip, crop, flip\+crop"),
    ({"crop_pad": -1}, r"crop_pad = -1 must be at least 0"),
    ({"accumulate": 0}, r"accumulate = 0 must be at least 1"),
    ({"teacher_weight": 1.5}, r"teacher_weight must be in \[0, 1\]"),
    ({"teacher_temperature": 0.0}, r"teacher_temperature > 0"),
    ({"teacher": "a.npy", "task": "regress"}, r"a teacher's logits are for task 'classify', not 'regress'"),
    ({"init": "zero"}, r"init = 'zero' is none of residual, random"),
    ({"wiring": "learned"}, r"wiring = 'learned' is none of structured, random"),
    ({"width": 0}, r"width = 0 must be at least 1"),
    ({"evaluate_every": 0}, r"evaluate_every = 0 must be at least 1"),
    ({"learning_rate": 0.0}, r"learning_rate must be > 0"),
    ({"learning_rate": float("nan")}, r"learning_rate = nan must be finite"),
    ({"strength": float("inf")}, r"strength = inf must be finite"),
    ({"warmup": 1.0}, r"warmup in \[0, 1\)"),
    ({"seed": -1}, r"seed >= 0"),
])
def test_refusals(change, message):
    with pytest.raises(InputError, match=message):
        Config(**change)


def test_files(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text('dataset = "mnist"\nwidth = 500\n')
    assert Config.load(path) == Config(dataset="mnist", width=500)
    path.write_text("widht = 500\n")
    with pytest.raises(InputError, match=r"'widht' is no setting; choose from .*width"):
        Config.load(path)
    path.write_text("width = = 3\n")
    with pytest.raises(FormatError, match=r"config.toml is not TOML"):
        Config.load(path)
    with pytest.raises(InputError, match=r"cannot read .*nowhere.toml"):
        Config.load(tmp_path / "nowhere.toml")


def test_width_is_a_multiple_of_the_classes():
    config = Config(width=100)
    assert [config.widths_for(classes)[-1] for classes in (10, 3, 7)] == [100, 102, 105]
    assert config.tau_for(4) == pytest.approx(0.35 * 5)
    assert dataclasses.replace(config, tau=2.5).tau_for(4) == 2.5
