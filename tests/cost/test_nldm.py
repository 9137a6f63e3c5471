"""Tables of a library: units, axes, bilinear values, and what is refused."""

import numpy as np
import pytest
from libraries import CELLS, LOADS, OSU018, SKY130, SLEWS, timed_library_text
from scipy.interpolate import RegularGridInterpolator

from hardwire.core.errors import FormatError
from hardwire.cost.nldm import Surface, read_model


def test_values_between_and_outside(rng):
    slews, loads = np.cumsum(rng.random(5)), np.cumsum(rng.random(4))
    values = rng.random((5, 4))
    surface = Surface(tuple(slews), tuple(loads), tuple(map(tuple, values)))
    reference = RegularGridInterpolator((slews, loads), values, bounds_error=False, fill_value=None)
    for _ in range(200):
        x, y = rng.uniform(-1, slews[-1] + 1), rng.uniform(-1, loads[-1] + 1)
        assert surface(x, y) == pytest.approx(reference([[x, y]])[0], abs=1e-12)
    for i, j in np.ndindex(5, 4):
        assert surface(slews[i], loads[j]) == pytest.approx(values[i, j], abs=1e-12)


def test_an_axis_of_one_point():
    assert Surface((0.0,), (0.0,), ((3.0,),))(5.0, 7.0) == 3.0
    assert Surface((0.0,), (1.0, 2.0), ((3.0, 5.0),))(9.0, 4.0) == 9.0
    assert Surface((1.0, 2.0), (0.0,), ((3.0,), (5.0,)))(0.0, 9.0) == 1.0


def test_units_and_axes(timed):
    model = timed[1]
    assert model.voltage == 1.2 and set(model.cells) == set(CELLS)
    nand = model.cells["NAND"]
    assert nand.capacitance["A"] == pytest.approx((2e-15, 3e-15)) and nand.capacitance["Y"] == (0, 0)
    assert nand.leakage == pytest.approx(3e-9) and dict(nand.leakages) == pytest.approx({"A": 6e-9, "!A": 1.5e-9})
    for cell in model.cells.values():
        for arcs in cell.arcs.values():
            for arc in arcs:
                assert arc.rise.delay.slews == pytest.approx([s * 1e-9 for s in SLEWS])
                assert arc.fall.slew.loads == pytest.approx([c * 1e-12 for c in LOADS])
                assert arc.rise.delay(1e-11, 2e-13) > 2 * arc.rise.delay(1e-11, 1e-15)
    assert {arc.when for arc in model.cells["XOR"].arcs["Y"]} == {"A", "!A", "B", "!B"}
    assert {p.related for p in model.cells["FA"].powers["S"]} == {"A", "B", "CI"} and not model.cells["FA"].powers["A"]
    hidden = model.cells["NAND"].powers["A"][0]
    assert hidden.related == "" and 4e-16 < hidden.rise(1e-11, 0.0) < 6e-16 < hidden.rise(1e-9, 0.0)


def test_other_units(tmp_path, timed):
    """In picoseconds, femtofarads, millivolts and picowatts the same numbers mean other things."""
    text = timed_library_text().replace('"1ns"', '"1ps"').replace("(1, pf)", "(1, ff)").replace('"1nW"', '"10pW"')
    (tmp_path / "x.lib").write_text(text.replace('voltage_unit : "1V"', 'voltage_unit : "100mV"'))
    other, model = read_model(str(tmp_path / "x.lib"), ["NAND"]), timed[1]
    a, b = other.cells["NAND"], model.cells["NAND"]
    assert other.voltage == pytest.approx(0.12) and a.leakage == pytest.approx(b.leakage / 100)
    assert a.arcs["Y"][0].rise.delay(1e-14, 1e-18) == pytest.approx(b.arcs["Y"][0].rise.delay(1e-11, 1e-15) / 1000)
    assert a.powers["Y"][0].rise(1e-14, 1e-18) == pytest.approx(b.powers["Y"][0].rise(1e-11, 1e-15) / 1e5)


@pytest.mark.parametrize("old, new, part", [
    ('values ("', 'values ("x ', "could not convert"), ("nom_voltage : 1.2;", "", "NAND"), ('"1ns"', '"1 parsec"', "unit"),
    ("variable_1 : input_net_transition", "variable_1 : temperature", "temperature"),
    ('index_1 ("0.01, 0.1, 0.5")', 'index_1 ("0.1, 0.1, 0.5")', "do not rise"),
    ('index_1 ("0.01, 0.1, 0.5")', 'index_1 ("0.1, 0.5")', "values on"), ('values ("', 'values ("nan, ', "no number"),
])
def test_tables_that_are_refused(tmp_path, old, new, part):
    text = timed_library_text().replace(old, new)
    if part == "NAND":
        text, part = text.replace("voltage : 1.2;", ""), "no supply voltage"
    (tmp_path / "x.lib").write_text(text)
    with pytest.raises(FormatError, match=part):
        read_model(str(tmp_path / "x.lib"), ["NAND"])


def test_a_cell_that_is_not_there(timed):
    with pytest.raises(FormatError, match="no cell 'NONE'"):
        read_model(timed[0].path, ["NONE"])


@pytest.mark.skipif(not OSU018.is_file(), reason="the Debian package qflow-tech-osu018 is not installed")
def test_osu018():
    model = read_model(str(OSU018), ["NAND2X1", "FAX1"])
    assert model.cells["NAND2X1"].arcs["Y"][0].rise.delay(1e-10, 1e-14) > 0


@pytest.mark.slow
@pytest.mark.skipif(not SKY130.is_file(), reason="shared/liberty/sky130hd_tt.lib.xz is not beside the checkout")
def test_sky130():
    model = read_model(str(SKY130), ["sky130_fd_sc_hd__nand2_1"])
    cell = model.cells["sky130_fd_sc_hd__nand2_1"]
    assert model.voltage == 1.8 and cell.capacitance["A"] == pytest.approx((2.375e-15, 2.254e-15))
    rise = cell.arcs["Y"][0].rise
    assert rise.delay(0.01e-9, 0.0005e-12) == pytest.approx(0.0240063e-9)
    assert cell.powers["Y"][0].fall(0.01e-9, 0.0005e-12) == pytest.approx(0.002193e-12)
    assert cell.leakage == pytest.approx(0.00211796e-9) and len(cell.leakages) == 4
