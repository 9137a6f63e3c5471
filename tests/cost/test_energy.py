import json

import numpy as np
import pytest

from hardwire.core.errors import InputError
from hardwire.cost.energy import CONSTANTS, MARKS, Constant, Ledger, logic_energy, mlp_energy, switching_activity


def test_every_constant_has_a_source_a_mark_and_a_unit():
    for key, constant in CONSTANTS.items():
        assert constant.source and constant.mark in MARKS, key
        assert "/" in constant.unit and constant.joules > 0, key
    assert len({c.name for c in CONSTANTS.values()}) == len(CONSTANTS)


def test_what_this_project_derived_is_never_marked_as_read():
    keys = "nangate45 sky130 sky130_layout ambrogio_projected hermes_1phase pcm_set capacitor_pulse adc8_45nm"
    assert {CONSTANTS[key].mark for key in keys.split()} == {"derived"}


def test_derived_constants_agree_with_their_arithmetic():
    nangate = (3.40 + 1.94 + 3.79 * 1.1**2) / 2
    sky130 = (8.21 - 2.80 + 3.47 * 1.8**2) / 2
    assert CONSTANTS["nangate45"].value == pytest.approx(nangate, rel=0.02)
    assert CONSTANTS["sky130"].value == pytest.approx(sky130, rel=0.02)
    assert CONSTANTS["sky130_layout"].joules == pytest.approx(2.0e-9 / 72_000, rel=0.02)
    assert CONSTANTS["pcm_set"].joules == pytest.approx(150e-6**2 * 21e3 * 150e-9, rel=0.01)
    assert CONSTANTS["pcm_reset"].joules == pytest.approx(300e-6**2 * 21e3 * 40e-9, rel=0.01)
    assert CONSTANTS["capacitor_pulse"].joules == pytest.approx(100e-15 * abs(0.5**2 - 0.467**2), rel=0.05)
    assert CONSTANTS["ambrogio_projected"].joules == pytest.approx(1 / 28_065e9, rel=0.01)
    assert CONSTANTS["hermes_1phase"].joules == pytest.approx(1 / 9.76e12, rel=0.01)
    assert CONSTANTS["hermes_4phase"].joules == pytest.approx(1 / 2.48e12, rel=0.01)
    assert CONSTANTS["fp32_mac"].value == pytest.approx(CONSTANTS["fp32_add"].value + CONSTANTS["fp32_mult"].value)
    assert CONSTANTS["int8_mac"].value == pytest.approx(CONSTANTS["int8_add"].value + CONSTANTS["int8_mult"].value)


@pytest.mark.parametrize("unit, joules", [("fJ/x", 2e-15), ("pJ", 2e-12), ("nJ/x", 2e-9), ("µJ/x", 2e-6), ("J", 2.0)])
def test_units(unit, joules):
    assert Constant("c", 2.0, unit, "s", "read").joules == pytest.approx(joules)


@pytest.mark.parametrize(
    "changes, said", [({"mark": "recalled"}, "recalled"), ({"unit": "kWh"}, "kWh"), ({"value": -1.0}, "-1"),
                      ({"value": float("nan")}, "nan"), ({"unit": ""}, "not an energy")])
def test_a_bad_constant_is_refused(changes, said):
    with pytest.raises(InputError, match=said):
        Constant(**({"name": "c", "value": 1.0, "unit": "pJ/op", "source": "s", "mark": "read"} | changes))


def test_ledger_sums_and_says_its_sources():
    ledger = Ledger("training", per="training sample")
    ledger.add("SET pulses", np.int64(1000), CONSTANTS["pcm_set"])
    ledger.add("capacitor pulses", 2.5e6, CONSTANTS["capacitor_pulse"])
    assert ledger.total() == pytest.approx(1000 * 71e-12 + 2.5e6 * 3.3e-15)
    lines = json.loads(json.dumps(ledger.to_json()))
    assert sum(line["total_j"] for line in lines) == pytest.approx(ledger.total())
    for line in lines:
        assert line["model"].startswith("model estimate") and line["source"] and line["mark"] == "derived"
        assert line["unit_j"] * line["count"] == pytest.approx(line["total_j"])
        assert (line["ledger"], line["per"], line["comparison"]) == ("training", "training sample", False)
    assert Ledger("empty").total() == 0.0 and Ledger("empty").to_json() == []


@pytest.mark.parametrize("count", [-1, float("nan"), float("inf"), "3", True, None])
def test_a_bad_count_is_refused(count):
    with pytest.raises(InputError, match="pulses"):
        Ledger("l").add("pulses", count, CONSTANTS["pcm_set"])


def test_logic_energy_reproduces_the_sanity_check():
    wireless, sky, layout = logic_energy(8000)
    assert wireless.total() == pytest.approx(20e-12)
    assert sky.total() == pytest.approx(8000 * 0.5 * 8.3e-15)
    assert layout.total() == pytest.approx(0.224e-9)
    for ledger in (wireless, sky):
        assert "activity 0.5" in ledger.name and "activity 0.5" in ledger.lines[0].item
    assert "activity 0.7" in layout.name
    assert logic_energy(8000, activity=0.1)[2].total() == layout.total()  # the layout's figure has its own activity
    assert logic_energy(8000, activity=0.1)[0].total() == pytest.approx(4e-12)
    assert [ledger.total() for ledger in logic_energy(0)] == [0, 0, 0]


def test_mlp_energy_reproduces_the_sanity_check():
    macs = 784 * 512 + 512 * 512 + 512 * 10
    fp32, int8, dram = mlp_energy(macs)
    assert fp32.total() == pytest.approx(3.1e-6, rel=0.02)
    assert int8.total() == pytest.approx(0.15e-6, rel=0.05)
    assert dram.total() - fp32.total() == pytest.approx(0.43e-3, rel=0.01)
    assert all(line["comparison"] for ledger in (fp32, int8, dram) for line in ledger.to_json())
    assert mlp_energy(macs, weights=0)[2].total() == fp32.total()


@pytest.mark.parametrize("gates", [-1, 2.5, True, None])
def test_bad_gates_are_refused(gates):
    with pytest.raises(InputError, match="gates"):
        logic_energy(gates)


def test_bad_activity_is_refused():
    for activity in (-0.1, float("nan")):
        with pytest.raises(InputError, match="activity"):
            logic_energy(10, activity=activity)


def test_switching_activity_is_the_mean_of_2p_1_minus_p():
    rng = np.random.default_rng(0)
    p = rng.random(48_000)
    assert switching_activity(p) == pytest.approx(1 / 3, abs=0.005)  # integral of 2p(1-p)
    assert switching_activity([0.5]) == 0.5 and switching_activity([0.0, 1.0]) == 0.0
    bits = rng.random((4000, 50)) < p[:50]
    toggles = (bits[1:] != bits[:-1]).mean()
    assert switching_activity(bits.mean(0)) == pytest.approx(toggles, abs=0.01)
    for bad in ([], [1.5], [float("nan")]):
        with pytest.raises(InputError):
            switching_activity(bad)
