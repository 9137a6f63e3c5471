"""Devices, boards, pins, and what fits."""

import pytest

from hardwire.core.errors import InputError
from hardwire.flows.fpga.devices import BOARDS, DEVICES, TARGETS, constraints, devices_of, find_place
from hardwire.flows.fpga.estimates import too_large


@pytest.mark.parametrize("target, name, options", [
    ("ice40", None, ["--hx8k", "--package", "ct256"]), ("ice40", "UP5K", ["--up5k", "--package", "sg48"]),
    ("ecp5", None, ["--25k", "--package", "CABGA381"]), ("ecp5", "85k-cabga554", ["--85k", "--package", "CABGA554"]),
    ("ecp5", "ulx3s-85f", ["--85k", "--package", "CABGA381"]), ("ecp5", "orangecrab", ["--25k", "--package", "CSFBGA285", "--speed", "8"]),
    ("gowin", None, ["--device", "GW1NR-LV9QN88PC6/I5", "--vopt", "family=GW1N-9C"])])
def test_places(target, name, options):
    assert find_place(target, name).options == options


@pytest.mark.parametrize("target, name", [("ice40", "25k"), ("ecp5", "hx8k-breakout"), ("ecp5", "25k-QFN"), ("xilinx", "")])
def test_unknown_places(target, name):
    with pytest.raises(InputError, match=rf"{target} has no device '{name}'; choose from .*{devices_of(target)[0].name}"):
        find_place(target, name)


def test_every_board_has_its_device_and_pins():
    for board in BOARDS:
        device = next(d for d in DEVICES if d.name == board.device)
        assert board.package in device.packages and len({board.clock_pin, *board.pins}) == 4
        name, text = constraints(find_place(device.target, board.name))
        assert all(port in text for port in ("clk", "shift", "din", "dout")) and name.startswith("pins.")
    assert {d.target for d in DEVICES} == set(TARGETS)


def test_pins():
    assert constraints(find_place("ice40", "icebreaker")) == ("pins.pcf", "set_io clk 35\nset_io shift 4\nset_io din 2\nset_io dout 47\n")
    assert 'LOCATE COMP "clk" SITE "G2";' in constraints(find_place("ecp5", "ulx3s-25f"))[1]
    assert 'IO_LOC "clk" 52;' in constraints(find_place("gowin", None))[1]
    assert constraints(find_place("ecp5", None)) is None


OTHER = {"ecp5": {"TRELLIS_COMB": 30_000, "TRELLIS_FF": 9}}


@pytest.mark.parametrize("target, cells, sentence", [
    ("ice40", {"ICESTORM_LC": 7000}, ""),
    ("ice40", {"ICESTORM_LC": 7600}, "about 7,600 ICESTORM_LC are needed where hx8k has 7,680; take --target ecp5 --device 45k"),
    ("ecp5", {"TRELLIS_COMB": 30_000, "TRELLIS_FF": 5}, "about 30,000 TRELLIS_COMB are needed where 25k has 24,288; take --device 45k"),
    ("ecp5", {"TRELLIS_COMB": 9, "TRELLIS_FF": 40_000}, "about 40,000 TRELLIS_FF are needed where 25k has 24,288; take --device 85k"),
    ("ecp5", {"TRELLIS_COMB": 90_000}, "about 90,000 TRELLIS_COMB are needed where 25k has 24,288; no device that this flow "
                                       "knows has that many; make the circuit smaller")])
def test_too_large(target, cells, sentence):
    assert too_large(find_place(target, None), cells, OTHER if target == "ice40" else {}) == sentence
