"""Devices fitted to curves: known devices are found again, files come back, mistakes are named."""

import numpy as np
import pytest

from hardwire.core.errors import FormatError, InputError
from hardwire.devices.fitting import fit
from hardwire.devices.models import Pcm
from hardwire.devices.presets import PRESETS, device, load_device, save_device


def write(path, rows, header="pulse,conductance"):
    path.write_text("\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n")
    return path


def curve(step, start, n):
    g = [start]
    for _ in range(n):
        g.append(g[-1] + step(g[-1]))
    return list(enumerate(g))


def test_a_pcm_is_found_again(tmp_path):
    truth = device("pcm_gst")
    found = fit(write(tmp_path / "pcm.csv", curve(truth.mean_step, 0.1, 60)), "pcm", name="own")
    top = found.device.g_max
    for g in np.linspace(0.5, 0.9 * top, 9):
        assert found.device.mean_step(g) == pytest.approx(truth.mean_step(g), rel=0.05)
    assert found.r2 > 0.995 and found.device.name == "own" and found.steps == 60 and "pcm.csv" in found.device.source
    assert found.device.fit == "R^2 1.0000 of the measured steps"


def test_soft_bounds_are_found_again(tmp_path):
    """G(P) = B (1 - exp(-P / A)) + Gmin, both ways: steps that vanish at the bounds."""
    up, down = curve(lambda g: 0.05 * (20 - g), 4, 40), curve(lambda g: -0.05 * (g - 4), 20, 40)
    rows = [(p, g, "up") for p, g in up] + [(p, g, "down") for p, g in down]
    found = fit(write(tmp_path / "sb.csv", rows, "pulse,conductance,direction"), "soft-bounds").device
    middle = (max(g for _, g in up + down) + 4) / 2
    assert (found.low + middle, found.high + middle) == pytest.approx((4, 20), rel=0.01)
    assert found.step == pytest.approx(0.4, rel=0.03) and found.cycle_noise < 0.05


def test_linear_steps_with_noise_and_spread(tmp_path):
    rng, rows = np.random.default_rng(0), []
    for k, factor in enumerate(1 + 0.2 * rng.standard_normal(60)):
        for direction, sign in (("up", 1), ("down", -1)):
            g = 12 - 4 * sign
            for p in range(40):
                rows.append((p, g, f"d{k}", direction))
                g += sign * 0.2 * factor * (1.1 if sign > 0 else 0.9) * (1 + 0.3 * rng.standard_normal())
    found = fit(write(tmp_path / "many.csv", rows, "pulse,conductance,device,direction"), "capacitor").device
    assert found.step == pytest.approx(0.2, rel=0.1) and found.asymmetry == pytest.approx(0.1, abs=0.03)
    assert found.cycle_noise == pytest.approx(0.3, rel=0.15) and found.step_spread == pytest.approx(0.2, rel=0.3)


def test_several_pulses_a_row(tmp_path):
    rows = [(p, 1 + 0.01 * p) for p in range(0, 200, 10)]
    assert fit(write(tmp_path / "x.csv", rows), "linear-step").device.step == pytest.approx(0.01)


@pytest.mark.parametrize("name", PRESETS)
def test_a_device_comes_back_from_its_file(name, tmp_path):
    assert load_device(save_device(tmp_path / "d.toml", PRESETS[name])) == PRESETS[name]


def test_presets_load_by_name():
    assert load_device("pcm_gst") is not None and isinstance(load_device("pcm_ideal"), Pcm)


@pytest.mark.parametrize("rows, header, kind, message", [
    ([(1, 2)], "a,b", "pcm", "columns pulse and conductance"),
    ([], "pulse,conductance", "pcm", "columns pulse and conductance"),
    ([(0, 1), (1, "x")], "pulse,conductance", "pcm", "row 3: .*give numbers"),
    ([(0, 1), (1, "nan")], "pulse,conductance", "pcm", "row 3"),
    ([(0, 1), (0, 2)], "pulse,conductance", "pcm", "do not rise"),
    ([(0, 1), (1, 2)], "pulse,conductance", "pcm", "holds 1 steps; give eight"),
    ([(i, 1 + i, "sideways") for i in range(20)], "pulse,conductance,direction", "pcm", "give numbers .* up or down"),
    ([(i, 20 - i, "down") for i in range(20)], "pulse,conductance,direction", "pcm", "only ever raised"),
    ([(i, 20 - i) for i in range(20)], "pulse,conductance", "pcm", "no rising step"),
    ([(i, 20 - i) for i in range(20)], "pulse,conductance", "linear-step", "up must raise"),
    ([(i, i * i + 1) for i in range(20)], "pulse,conductance", "soft-bounds", "do not shrink|up must raise"),
])
def test_curves_that_cannot_be_fitted(rows, header, kind, message, tmp_path):
    with pytest.raises(FormatError, match=message) as caught:
        fit(write(tmp_path / "bad.csv", rows, header), kind)
    assert "\n" not in str(caught.value)


def test_other_mistakes(tmp_path):
    with pytest.raises(InputError, match="none of linear-step"):
        fit(tmp_path / "x.csv", "memristor")
    with pytest.raises(InputError, match="cannot read"):
        fit(tmp_path / "missing.csv", "pcm")
    for text, message in (("kind = ", "is not TOML"), ('kind = "x"', "needs a kind of"), ('kind = "pcm"\nfoo = 1', "foo")):
        (tmp_path / "d.toml").write_text(text)
        with pytest.raises(FormatError, match=message):
            load_device(tmp_path / "d.toml")
