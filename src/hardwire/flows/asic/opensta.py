"""OpenSTA on a mapped netlist: the delay of its critical path and its power at one activity, beside our own figures."""

import re
import tempfile
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from ...core.errors import ToolError
from ...core.files import write_text
from ...core.programs import STA, run
from ...cost.liberty import liberty_text

#: Files that the run writes.
PATH, POWER = "opensta_path.txt", "opensta_power.txt"
_ARRIVAL = re.compile(r"^\s*(-?[\d.]+)\s+data arrival time", re.MULTILINE)
_PIN = re.compile(r"(-?[\d.]+)\s+(-?[\d.]+)\s+([\^v])\s+(\S+)\s+\((\S+)\)\s*$", re.MULTILINE)
_TOTAL = re.compile(r"^Total\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)", re.MULTILINE)
#: Lines of a library that give nets a wire load that nobody asked for.
_WIRES = re.compile(r"^\s*default_wire_load\w*\s*:.*$", re.MULTILINE)


class Power(NamedTuple):
    """Watts that OpenSTA reports."""

    internal: float
    switching: float
    leakage: float


@dataclass(frozen=True)
class StaReport:
    """What OpenSTA says of a netlist.

    Attributes
    ----------
    delay
        Seconds from the inputs to the latest output.
    pins
        The pins of the critical path, ``g1/Y``, and the cell of each.
    power
        At ``activity`` toggles of every net in each ``period`` seconds.
    version, seconds
        Of the program, and wall time.
    """

    delay: float
    pins: tuple[tuple[str, str], ...]
    power: Power
    activity: float
    period: float
    version: str
    seconds: float


def opensta(folder: Path, *, verilog: str, top: str, constraints: str, library: str, period: float,
            activity: float = 0.5, timeout: float = 300) -> StaReport:
    """Run OpenSTA in ``folder``.

    Parameters
    ----------
    folder
        Where the netlist and the constraints lie; scripts, the library's copy and reports are written there.
    verilog, top, constraints
        Name of the netlist's file, its module, and name of the SDC file, whose clock has the period ``period``.
    library
        Path of the Liberty file. It is read without a default wire load, so that nets have no wires.
    period
        Seconds of the clock.
    activity
        Toggles of every net in a period, for the report of power.
    timeout
        Seconds.

    Raises
    ------
    MissingToolError
        Without OpenSTA.
    ToolError
        Where the self-test fails, the time is over, or a report is missing, empty or has no figure.
    """
    self_test()
    return _run(folder, verilog, top, constraints, library, period, activity, timeout)


def _run(folder: Path, verilog: str, top: str, constraints: str, library: str, period: float,  # noqa: PLR0917
         activity: float, timeout: float) -> StaReport:
    start = time.perf_counter()
    copy = folder / "opensta.lib"
    write_text(copy, _WIRES.sub("", liberty_text(library)), durable=False)
    commands = [
        f"read_liberty {copy.name}", f"read_verilog {verilog}", f"link_design {top}",
        "set_cmd_units -time ns -capacitance pF", f"read_sdc {constraints}",
        f"report_checks -path_delay max -fields {{slew capacitance}} -digits 6 > {PATH}",
        f"set_power_activity -global -activity {activity:g} -duty 0.5", f"report_power -digits 6 > {POWER}"]
    write_text(folder / "opensta.tcl", "\n".join(commands) + "\n", durable=False)
    try:
        said = run(STA, ["-no_splash", "-exit", "opensta.tcl"], cwd=folder, timeout=timeout,
                   produces=[folder / PATH, folder / POWER])
        version = run(STA, ["-version"], cwd=folder, timeout=60).strip()[:40]
    finally:
        copy.unlink(missing_ok=True)  # as large as the library
    if "Error:" in said:
        line = next(line for line in said.splitlines() if "Error:" in line)
        raise ToolError(f"{STA.title} did not read the netlist: {line[:300]}; report this with its version")
    path, power = ((folder / name).read_text(errors="replace") for name in (PATH, POWER))
    arrival, total = _ARRIVAL.search(path), _TOTAL.search(power)
    if arrival is None or total is None:
        raise ToolError(f"{STA.title} reported no {'delay' if arrival is None else 'power'} "
                        f"in {PATH if arrival is None else POWER}; look there, or install another version")
    pins = tuple((pin, cell) for _, _, _, pin, cell in _PIN.findall(path))
    return StaReport(float(arrival[1]) * 1e-9, pins, _watts(total), activity, period, version,
                     time.perf_counter() - start)


def _watts(total: re.Match[str]) -> Power:
    try:
        return Power(*(float(total[i]) for i in (1, 2, 3)))
    except ValueError:
        raise ToolError(f"{STA.title} reported the power {total[0][:80]!r}; install another version") from None


_LIBRARY = """library (test) {
  delay_model : table_lookup; time_unit : "1ns"; voltage_unit : "1V"; leakage_power_unit : "1nW";
  current_unit : "1mA"; pulling_resistance_unit : "1kohm"; capacitive_load_unit (1, pf); nom_voltage : 1.0;
  operating_conditions (typical) { voltage : 1.0; process : 1.0; temperature : 25.0; }
  default_operating_conditions : typical;
  input_threshold_pct_rise : 50; input_threshold_pct_fall : 50; output_threshold_pct_rise : 50;
  output_threshold_pct_fall : 50; slew_lower_threshold_pct_rise : 20; slew_lower_threshold_pct_fall : 20;
  slew_upper_threshold_pct_rise : 80; slew_upper_threshold_pct_fall : 80;
  cell (NAND) { area : 1; cell_leakage_power : 1.0;
    pin (A) { direction : input; capacitance : 0.01; } pin (B) { direction : input; capacitance : 0.01; }
    pin (Y) { direction : output; function : "!(A B)";
      timing () { related_pin : "A B"; timing_sense : negative_unate;
        cell_rise (scalar) { values ("0.25"); } cell_fall (scalar) { values ("0.25"); }
        rise_transition (scalar) { values ("0.1"); } fall_transition (scalar) { values ("0.1"); } } } }
}
"""
_NETLIST = """module top (input a, input b, output y);
  wire n;
  NAND g0 (.A(a), .B(b), .Y(n));
  NAND g1 (.A(n), .B(b), .Y(y));
endmodule
"""
_CONSTRAINTS = """create_clock -name clk -period 10
set_input_delay 0 -clock clk [all_inputs]
set_output_delay 0 -clock clk [all_outputs]
set_load 0.03 [all_outputs]
"""


@lru_cache(maxsize=1)
def self_test() -> str:
    """Time two NAND gates of 0.25 ns, compare delay, switching power and leakage, and return the version.

    Raises
    ------
    MissingToolError
        Without OpenSTA.
    ToolError
        Where a figure is another.
    """
    with tempfile.TemporaryDirectory(prefix="hardwire-") as name:
        folder = Path(name)
        for file, text in (("test.lib", _LIBRARY), ("test.v", _NETLIST), ("test.sdc", _CONSTRAINTS)):
            write_text(folder / file, text, durable=False)
        report = _run(folder, "test.v", "top", "test.sdc", str(folder / "test.lib"), 10e-9, 0.5, 60)
    # loads of 0.01 and 0.03 pF at 1 V, half a toggle in 10 ns: 0.04 pF * 1 V^2 / 2 * 0.5 / 10 ns = 1 uW
    wanted = {"delay": (report.delay, 0.5e-9), "switching power": (report.power.switching, 1e-6),
              "leakage": (report.power.leakage, 2e-9)}
    for what, (figure, right) in wanted.items():
        if abs(figure - right) > 1e-3 * right:
            raise ToolError(f"{STA.title} gives two gates the {what} {figure:.3g}, and not {right:.3g}; "
                            f"install another version")
    return report.version
