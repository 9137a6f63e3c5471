"""Energy of a netlist: each term by hand, conditions by states, and the conventions of OpenSTA."""

import numpy as np
import pytest

from hardwire.core.errors import FormatError
from hardwire.cost.activity import Activity, switching
from hardwire.cost.nldm import InternalPower, Model
from hardwire.cost.power import PowerModel
from hardwire.cost.timing import Conditions, static_timing

V = 1.2
AROUND = Conditions(2e-11, 1e-14)


def model_of(netlist, model, samples=None):
    return PowerModel(netlist, model, static_timing(netlist, model, AROUND), samples)


def test_an_inverter_by_hand(netlist, timed):
    built, model = netlist("x", ["INV A=x Y=z"], "z"), timed[1]
    codes = np.array([[0], [1], [0], [0]], np.uint8)
    energy = model_of(built, model, codes).energy(switching(built.circuit, codes))
    inv = model.cells["INV"]
    output, hidden = inv.powers["Y"][0], inv.powers["A"][0]
    assert energy.nets == pytest.approx(2 / 3 * 1e-14 * V**2 / 2)
    assert energy.inputs == pytest.approx(2 / 3 * np.mean(inv.capacitance["A"]) * V**2 / 2)
    assert energy.outputs == pytest.approx(2 / 3 * (output.rise(2e-11, 1e-14) + output.fall(2e-11, 1e-14)) / 2)
    assert energy.pins == pytest.approx(2 / 3 * (hidden.rise(2e-11, 0) + hidden.fall(2e-11, 0)) / 2)
    assert energy.leakage_w == pytest.approx(0.25 * 4e-9 + 0.75 * 1e-9) and energy.activity == pytest.approx(2 / 3)
    assert energy.internal == energy.outputs + energy.pins and energy.dynamic == energy.nets + energy.internal
    assert energy.total(1e-3) == pytest.approx(energy.dynamic + energy.leakage_w * 1e-3)
    assert energy.to_json()["nets_pj"] == pytest.approx(energy.nets * 1e12)


def test_the_slew_of_the_edge_that_causes_the_toggle(netlist, timed):
    """An inverter's output rises when its input falls: a NAND makes that edge slower or faster than the other."""
    built, model = netlist("x y", ["NAND A=x B=y Y=n", "INV A=n Y=z"], "z"), timed[1]
    timing = static_timing(built, model, AROUND)
    rise, fall = timing.slew[built.instances[0].first]
    power = model.cells["INV"].powers["Y"][0]
    toggles = np.zeros(built.circuit.n_nets)
    toggles[-1] = 1.0
    energy = model_of(built, model).energy(Activity(toggles, toggles, 1, ""))
    assert rise != fall
    assert energy.outputs == pytest.approx((power.rise(fall, 1e-14) + power.fall(rise, 1e-14)) / 2)


def test_the_input_that_causes_the_toggle(netlist, timed):
    """With ``y`` true and still, the output of an AND follows ``x`` alone."""
    built, model = netlist("x y", ["AND A=x B=y Y=z"], "z"), timed[1]
    codes = np.array([[0, 1], [1, 1], [0, 1], [1, 1]], np.uint8)
    power = model.cells["AND"].powers["Y"]
    energy = model_of(built, model, codes).energy(switching(built.circuit, codes))
    by = {p.related: (p.rise(2e-11, 1e-14) + p.fall(2e-11, 1e-14)) / 2 for p in power}
    assert energy.outputs == pytest.approx(by["A"])
    both = np.random.default_rng(0).integers(0, 2, (4001, 2)).astype(np.uint8)
    active = switching(built.circuit, both)
    mixed = model_of(built, model, both).energy(active).outputs / active.toggles[-1]
    assert mixed == pytest.approx((by["A"] + by["B"]) / 2, rel=0.02)


def test_conditions_by_the_states_of_samples(netlist, timed):
    built, model = netlist("x y", ["AND A=x B=y Y=z"], "z"), timed[1]
    cell = model.cells["AND"]
    flat = type(cell.powers["A"][0].rise)((0.0,), (0.0,), ((1e-15,),))
    powers = {"A": (InternalPower("", "!B", flat, flat), InternalPower("", "Y", flat, None)), "Y": ()}
    changed = Model("timed", V, {"AND": type(cell)("AND", cell.capacitance, cell.arcs, powers, 0.0, (("!A&!B", 1.0), ("A", 4.0)))})
    codes = np.array([[0, 0], [1, 0], [0, 0], [1, 1]], np.uint8)
    energy = model_of(built, changed, codes).energy(switching(built.circuit, codes))
    assert energy.outputs == 0 and energy.leakage_w == pytest.approx(0.5 * 1 + 0.5 * 4)
    assert energy.pins == pytest.approx(1.0 * 0.75e-15 + 1.0 * 0.25e-15)
    blind = model_of(built, changed).energy(switching(built.circuit, codes))
    assert blind.pins == pytest.approx(0.5e-15 + 0.25e-15) and blind.leakage_w == pytest.approx(0.25 + 2.0)


def test_leakage_of_states_without_a_figure(netlist, timed):
    built, model = netlist("x", ["INV A=x Y=z"], "z"), timed[1]
    cell = model.cells["INV"]
    some = type(cell)("INV", cell.capacitance, cell.arcs, cell.powers, 6.0, (("A", 2.0),))
    assert model_of(built, Model("timed", V, {"INV": some})).energy(
        Activity(np.zeros(4), np.zeros(4), 1, "")).leakage_w == pytest.approx(0.5 * 2 + 0.5 * 6)


def test_a_condition_that_cannot_be_read(netlist, timed):
    built, model = netlist("x", ["INV A=x Y=z"], "z"), timed[1]
    cell = model.cells["INV"]
    bad = type(cell)("INV", cell.capacitance, cell.arcs, cell.powers, 6.0, (("Q", 2.0),))
    with pytest.raises(FormatError, match="'Q'"):
        model_of(built, Model("timed", V, {"INV": bad})).energy(Activity(np.zeros(4), np.zeros(4), 1, ""))


def test_glitches_cost(random_netlist, timed, rng):
    built, model = random_netlist(3, count=60), timed[1]
    codes = rng.integers(0, 2, (500, 5)).astype(np.uint8)
    power = model_of(built, model, codes)
    zero, unit = (power.energy(switching(built.circuit, codes, delay=delay)) for delay in ("zero", "unit"))
    assert unit.dynamic > zero.dynamic > 0 and unit.inputs == zero.inputs and unit.leakage_w == zero.leakage_w
