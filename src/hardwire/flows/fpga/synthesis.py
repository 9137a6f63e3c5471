"""Yosys from the cover's instances and the wrapper to a netlist that place and route takes; nothing is mapped twice."""

from pathlib import Path

from ..yosys import run_yosys, version_of
from .devices import Target
from .netlist import TOP
from .primitives import FAMILIES

NETLIST = "netlist.json"
SOURCES = ("core.v", "top.v", "wrapper.v")


def commands(target: Target) -> list[str]:
    """Yosys's commands from ``SOURCES`` to ``NETLIST``.

    Only the wrapper's few gates go through ``abc``. Equal registers are not merged, since copies are there on purpose.
    """
    family = FAMILIES[target]
    read = [f"read_verilog {file}" for file in SOURCES]
    if target == "xilinx":  # the SAT check of abc9 does not end on whole circuits
        return [*read, "scratchpad -set abc9.verify 0",
                f"synth_xilinx -top {TOP} -flatten -noiopad -noclkbuf -nosrl", "check", f"write_json {NETLIST}"]
    pads = ["iopadmap -bits -inpad IBUF O:I -outpad OBUF I:O"] if target == "gowin" else []
    library = [f"read_verilog -lib {file}" for file in family.library]
    # nothing drives the global reset; the packer knows no "AUTO"
    reset = ["setparam -set GSR \"DISABLED\" t:TRELLIS_FF"] if target == "ecp5" else []
    return [*library, *read, f"hierarchy -check -top {TOP}", "proc", "flatten", "opt_expr", "opt_dff", "opt_clean",
            "simplemap", f"dfflegalize {family.flip_flops}", "abc -lut 4",
            "techmap " + " ".join(f"-map {file}" for file in family.techmap), "opt_clean", *pads, *reset, "check",
            "blackbox =A:whitebox", f"write_json {NETLIST}"]


def synthesise(target: Target, folder: Path, *, timeout: float) -> str:
    """Run the commands in ``folder``, keep the log as ``yosys.log``, and return Yosys's version.

    Raises
    ------
    MissingToolError, ToolError
        As ``run_yosys``.
    """
    said = run_yosys(commands(target), folder, produces=[NETLIST], timeout=timeout)
    (folder / "yosys.log").write_text(said, encoding="utf-8")
    return version_of(folder)
