
import pytest

from hardwire.core.errors import FormatError, InputError
from hardwire.logic import LogicSettings, preset
from hardwire.logic.settings import PRESETS


@pytest.mark.parametrize("config", [LogicSettings(), *map(preset, PRESETS), preset("my data.csv"),
                                    LogicSettings(dataset='odd "name" \\ ü 😀 \x7f\n.csv', learning_rate=1e-7, seed=2**40)])
def test_toml_round_trip(config):
    assert LogicSettings.from_toml(config.to_toml()) == config


def test_whole_numbers_become_real_where_a_real_one_is_due():
    config = LogicSettings(learning_rate=1, tau=3)
    assert isinstance(config.learning_rate, float) and config == LogicSettings(learning_rate=1.0, tau=3.0)


@pytest.mark.parametrize("change, message", [
    ({"steps": 1.5}, r"steps = 1.5 should be a whole number"),
    ({"steps": "9"}, r"steps = '9' should be a whole number"),
    ({"seed": True}, r"seed = True should be a whole number"),
    ({"encoder": "hot"}, r"encoder = 'hot' is none of threshold, uniform, quantile"),
    ({"parametrisation": "fourier"}, r"parametrisation = 'fourier' is none of table, softmax"),
    ({"task": "rank"}, r"task = 'rank' is none of classify, regress, multilabel"),
    ({"augment": "spin"}, r"augment = 'spin' is none of none, flip, crop, flip\+crop"),
    ({"crop_pad": -1}, r"crop_pad = -1 must be at least 0"),
    ({"accumulate": 0}, r"accumulate = 0 must be at least 1"),
    ({"teacher_weight": 1.5}, r"teacher_weight = 1.5 must be at most 1"),
    ({"teacher_temperature": 0.0}, r"teacher_temperature = 0.0 must be above 0"),
    ({"teacher": "a.npy", "task": "regress"}, r"a teacher's logits are for task 'classify', not 'regress'"),
    ({"init": "zero"}, r"init = 'zero' is none of residual, random"),
    ({"wiring": "learned"}, r"wiring = 'learned' is none of structured, random"),
    ({"width": 0}, r"width = 0 must be at least 1"),
    ({"evaluate_every": 0}, r"evaluate_every = 0 must be at least 1"),
    ({"learning_rate": 0.0}, r"learning_rate = 0.0 must be above 0"),
    ({"learning_rate": float("nan")}, r"learning_rate = nan must be finite"),
    ({"strength": float("inf")}, r"strength = inf must be finite"),
    ({"warmup": 1.0}, r"warmup = 1.0 must be below 1"),
    ({"widths": [100, 0]}, r"widths\[1\] = 0 must be at least 1"),
    ({"widths": [1.5]}, r"widths\[0\] = 1.5 should be a whole number"),
    ({"widths": 3}, r"widths = 3 should be a list of whole numbers"),
    ({"paddings": [1]}, r"paddings = \[1\] should have one entry for each of the 0 channels"),
    ({"fan_in": 7}, r"fan_in = 7 must be at most 6"),
    ({"learned_layers": 1}, r"learned_layers need candidates, a multiple of 4, not 0"),
    ({"fix_wiring_at": 0.0}, r"fix_wiring_at = 0.0 must be above 0"),
    ({"sharpen": 0.5}, r"sharpen = 0.5 must be at least 1"),
    ({"pool": 16}, r"pool = 16 must be at most 15"),
    ({"learn_tau": 1}, r"learn_tau = 1 should be true or false"),
    ({"device": "tpu"}, r"device = 'tpu' is none of cpu, cuda, cuda:N, triton-interpreter"),
    ({"device": "cuda:"}, r"device = 'cuda:' is none of"),
    ({"device": "cpu "}, r"device = 'cpu ' is none of"),
    ({"seed": -1}, r"seed = -1 must be at least 0"),
])
def test_refusals(change, message):
    with pytest.raises(InputError, match=message):
        LogicSettings(**change)


def test_files(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text('dataset = "mnist"\nwidth = 500\n')
    assert LogicSettings.load(path) == LogicSettings(dataset="mnist", width=500)
    path.write_text("widht = 500\n")
    with pytest.raises(InputError, match=r"'widht' is no setting; choose from .*width"):
        LogicSettings.load(path)
    path.write_text("width = = 3\n")
    with pytest.raises(FormatError, match=r"config.toml is not TOML"):
        LogicSettings.load(path)
    with pytest.raises(InputError, match=r"cannot read .*nowhere.toml"):
        LogicSettings.load(tmp_path / "nowhere.toml")


def test_width_is_a_multiple_of_the_classes():
    config = LogicSettings(width=100)
    assert [config.widths_for(classes)[-1] for classes in (10, 3, 7)] == [100, 102, 105]
    assert config.tau_for(4) == pytest.approx(0.35 * 5)
    assert config.changed(tau=2.5).tau_for(4) == 2.5


@pytest.mark.parametrize("device", ["cpu", "cuda", "cuda:1", "triton-interpreter"])
def test_devices(device):
    assert LogicSettings(device=device).device == device
