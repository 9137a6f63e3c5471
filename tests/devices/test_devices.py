"""Devices: what is drawn, what is refused, presets with their sources."""

import numpy as np
import pytest

from hardwire.core.errors import InputError
from hardwire.devices.models import (
    DOWN,
    HIGH,
    LEAK_RATE,
    LEAK_TO,
    LOW,
    SET_STEP,
    TOP,
    UP,
    Capacitor,
    LinearStep,
    Pcm,
    SoftBounds,
)
from hardwire.devices.presets import PRESETS, device


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_says_where_it_is_from(name, rng):
    preset = PRESETS[name]
    assert preset.name == name and len(preset.source) > 10 and len(preset.fit) > 5
    assert set(preset.assumed) <= set(preset.__dataclass_fields__)
    assert np.isfinite(preset.sample((3, 4), rng)).all() and preset.sample((3, 4), rng).dtype == np.float32


def test_the_capacitor_keeps_the_published_ratios():
    c = device("capacitor_vlsi2018")
    assert c.states == pytest.approx(400) and (c.high, c.low) == (8, -8)
    assert (c.cycle_noise, c.step_spread, c.asymmetry_spread, c.bound_spread) == (0.3, 0.1, 0.06, 0.07)


def test_the_pcm_follows_its_published_curve():
    """y = 1 - A exp(gamma z), z = 2 a w / range, with the numbers of the fit, steps of 0.01 in a range of 2."""
    p = device("pcm_gst")
    for w in (0.0, 0.5, 2.0):
        expected = 0.01 * (1 + 27.235 * np.exp(2.5 * 2 * -1.0 * w / 2))
        assert p.mean_step(w / 2 * p.g_max) / (p.g_max / 2) == pytest.approx(expected, rel=1e-12)


def test_spreads_are_what_is_drawn(rng):
    d = LinearStep(step=0.1, low=-2.0, high=3.0, step_spread=0.1, bound_spread=0.05, asymmetry=0.1, asymmetry_spread=0.02,
                   lifetime=50.0, lifetime_spread=0.1, leak_to=1.0, leak_to_spread=0.2)
    c, leak = d.sample((200, 200), rng).astype(float), d.sample_leak((200, 200), rng).astype(float)
    mean = (c[..., UP] - c[..., DOWN]) / 2
    assert mean.mean() == pytest.approx(0.1, rel=0.01) and mean.std() == pytest.approx(0.01, rel=0.05)
    tilt = (c[..., UP] + c[..., DOWN]) / 2 / mean
    assert tilt.mean() == pytest.approx(0.1, rel=0.01) and tilt.std() == pytest.approx(0.02, rel=0.05)
    assert c[..., HIGH].std() == pytest.approx(0.15, rel=0.05) and c[..., LOW].mean() == pytest.approx(-2, rel=0.01)
    assert (1 / leak[..., LEAK_RATE]).std() == pytest.approx(5, rel=0.05) and leak[..., LEAK_TO].std() == pytest.approx(0.2, rel=0.05)
    assert (c[..., UP] > 0).all() and (c[..., DOWN] < 0).all()


def test_no_device_is_dead_or_reversed(rng):
    c = LinearStep(step=0.1, step_spread=2.0, asymmetry_spread=2.0, bound_spread=2.0).sample((100, 100), rng)
    assert (c[..., UP] > 0).all() and (c[..., DOWN] < 0).all() and (c[..., LOW] < 0).all() and (c[..., HIGH] > 0).all()


def test_pcm_constants(rng):
    c = Pcm(step_spread=0.2, bound_spread=0.1).sample((300, 200), rng).astype(float)
    assert c[..., SET_STEP].std() == pytest.approx(0.2, rel=0.03) and c[..., TOP].mean() == pytest.approx(25, rel=0.01)


def test_the_symmetry_point_has_equal_steps():
    d = SoftBounds(step=0.01, low=-0.75, high=1.25, asymmetry=0.2)
    g = d.symmetry_point
    up, down = d.step * 1.2 * (1 - g / d.high), d.step * 0.8 * (1 - g / d.low)
    assert up == pytest.approx(down) and g > 0


def test_the_same_seed_draws_the_same_devices():
    a, b, c = (device("pcm_gst").sample((5, 4, 2), np.random.default_rng(s)) for s in (1, 1, 2))
    assert (a == b).all() and (a != c).any()


@pytest.mark.parametrize("make, message", [
    (lambda: Pcm(g_max=25e-6), "give microsiemens, 20 for 20 uS"),
    (lambda: Capacitor(low=-8e-6, high=8e-6, step=4e-8), "give microsiemens"),
    (lambda: Pcm(step=30.0), "positive step below g_max"),
    (lambda: Pcm(step=1.0, shape=27.0), "first SET step is 28 uS"),
    (lambda: Pcm(reset=25.0), "reset below g_max"),
    (lambda: Pcm(step_spread=-0.1), "step_spread = -0.1 is negative"),
    (lambda: Pcm(read_noise=float("nan")), "read_noise = nan"),
    (lambda: LinearStep(low=0.5, high=1.0), "do not enclose 0"),
    (lambda: LinearStep(step=0.0), "positive step"),
    (lambda: LinearStep(step=5.0), "does not fit its range"),
    (lambda: LinearStep(slope_up=1.5), "slopes of at most 1"),
    (lambda: LinearStep(lifetime=0.0), "lifetime above 0"),
    (lambda: LinearStep(asymmetry=1.0), "asymmetry between"),
    (lambda: LinearStep(cycle_noise=float("inf")), "cycle_noise = inf"),
    (lambda: device("pcm_gts"), "choose from .*pcm_gst"),
    (lambda: device("pcm_gst", gmax=3), "no parameter 'gmax'; it has .*g_max"),
])
def test_mistakes_are_one_sentence(make, message):
    with pytest.raises(InputError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_devices_alone_need_neither_torch_nor_numba():
    import subprocess
    import sys

    code = "import hardwire.devices.models, hardwire.devices.presets, hardwire.crossbar.settings; import sys; print(*sys.modules)"
    loaded = set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())
    assert not {"torch", "numba"} & loaded and "numpy" in loaded
