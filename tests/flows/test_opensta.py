"""OpenSTA: judged by what it wrote, and told apart where it is absent, fails, hangs, lies or writes nothing."""

import shutil

import pytest

from hardwire.core.errors import MissingToolError, ToolError
from hardwire.cost.nldm import read_model
from hardwire.cost.timing import Conditions, static_timing
from hardwire.flows.asic import opensta as sta
from hardwire.flows.asic.netlist import module_name, sdc, structural_verilog

needs_sta = pytest.mark.skipif(shutil.which("sta") is None, reason="the Debian package opensta is not installed")
GOOD = """for x in "$@"; do last=$x; done
if [ "$last" = -version ]; then echo 9.9; exit; fi
"""


@pytest.fixture(autouse=True)
def forget():
    sta.self_test.cache_clear()
    yield
    sta.self_test.cache_clear()


def write(path, arrival="0.500000", switching="1.0e-06", leakage="2.0e-09"):
    return (f"{GOOD}echo '  {arrival}   data arrival time' > {sta.PATH}\n"
            f"echo 'Total 0.0e+00 {switching} {leakage} 1.0e-06 100.0%' > {sta.POWER}")


@needs_sta
def test_the_self_test():
    assert sta.self_test()


@needs_sta
@pytest.mark.parametrize("conditions", [Conditions(), Conditions(2e-10, 4e-14)])
def test_delay_and_path_are_ours(mapped, small, tmp_path, timed, conditions):
    netlist, cells = mapped
    (tmp_path / "netlist.v").write_text(structural_verilog(cells, netlist.ports))
    (tmp_path / "netlist.sdc").write_text(sdc(conditions, clock=1e-7))
    report = sta.opensta(tmp_path, verilog="netlist.v", top=module_name(small), constraints="netlist.sdc",
                         library=timed.path, period=1e-7)
    timing = static_timing(cells, read_model(timed.path, cells.kinds()), conditions)
    assert report.delay == pytest.approx(timing.delay, rel=1e-4)
    ours = [f"{step.instance}/{step.to_pin}" for step in timing.path if step.instance]
    assert [pin for pin, cell in report.pins if "/" in pin] == ours
    assert not (tmp_path / "opensta.lib").exists() and report.power.internal > 0


def test_a_fake_that_tells_the_truth(fake):
    fake("STA", write(None))
    assert sta.self_test() == "9.9"


@pytest.mark.parametrize("text, part", [
    ("exit 3", "ended with exit code 3"), ("true", "wrote no"), (f"{GOOD}: > {sta.PATH}; : > {sta.POWER}", "wrote no"),
    (f"{GOOD}echo nothing > {sta.PATH}; echo nothing > {sta.POWER}", "reported no delay"),
    (write(None).replace("Total", "None"), "reported no power"), (write(None).replace("1.0e-06 2", "x 2"), "reported the power"),
    (write(None, arrival="0.700000"), "the delay 7e-10, and not 5e-10"), (write(None, leakage="0.0e+00"), "the leakage 0"),
    (write(None, switching="2.0e-06"), "the switching power 2e-06"), (f"{write(None)}\necho 'Error: no such cell'", "no such cell"),
])
def test_what_is_no_answer(fake, text, part):
    fake("STA", text)
    with pytest.raises(ToolError, match=part):
        sta.self_test()


def test_one_that_hangs(fake, monkeypatch, tmp_path):
    fake("STA", "sleep 60")
    (tmp_path / "x.lib").write_text("library (x) { }")
    monkeypatch.setattr(sta, "self_test", lambda: "")
    with pytest.raises(ToolError, match=r"did not finish within 0\.3 s"):
        sta.opensta(tmp_path, verilog="x.v", top="x", constraints="x.sdc", library=str(tmp_path / "x.lib"), period=1e-9, timeout=0.3)


def test_one_that_is_not_there(monkeypatch, tmp_path):
    monkeypatch.setenv("HARDWIRE_STA", str(tmp_path / "nowhere"))
    with pytest.raises(MissingToolError, match="HARDWIRE_STA names"):
        sta.self_test()
    monkeypatch.delenv("HARDWIRE_STA")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingToolError, match="the Debian package opensta"):
        sta.self_test()
