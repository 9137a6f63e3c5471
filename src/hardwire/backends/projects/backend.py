"""A packed core in Verilog with the files of one tool: Vivado, Quartus, FuseSoC or LiteX.

The files come from templates, whose fields are spelled ``@{name}``. None of these tools is needed to write them, and
none was run on them here.
"""

import math
import re
from dataclasses import dataclass
from functools import partial
from os import PathLike
from pathlib import Path

from ... import __version__
from ...circuit import Circuit
from ...circuit.formats.words import generated_by
from ...core.errors import InputError
from ...core.files import write_text
from ..common import Backend, Fields, source
from ..verilog.backend import emit_design
from ..verilog.module import Design, design_of

#: The clock to reach, in MHz, unless another is asked for.
CLOCK = 100.0
#: How names of devices begin -> what Quartus calls their family.
FAMILIES = {"5C": "Cyclone V", "10C": "Cyclone 10 LP", "10M": "MAX 10", "EP4C": "Cyclone IV E", "5A": "Arria V",
            "10A": "Arria 10"}


@dataclass(frozen=True)
class Project:
    """What is written for a tool.

    Attributes
    ----------
    title
        The tool's name in print.
    files
        Name of a file, with ``@{name}`` in it -> its template; ``constraints`` is that of clocked or combinational
        cores.
    device
        The part, unless another is asked for; empty where no file names one.
    """

    title: str
    files: dict[str, str]
    device: str = ""


PROJECTS: dict[str, Project] = {
    "vivado": Project("Vivado", {"@{name}_vivado.tcl": "vivado.tcl", "@{name}.xdc": "constraints"}, "xc7a35tcpg236-1"),
    "quartus": Project("Quartus", {"@{name}.qpf": "quartus.qpf", "@{name}.qsf": "quartus.qsf",
                                   "@{name}.sdc": "constraints"}, "5CSEBA6U23I7"),
    "fusesoc": Project("FuseSoC", {"@{name}.core": "fusesoc.core", "@{name}.xdc": "constraints"}, "xc7a35tcpg236-1"),
    "litex": Project("LiteX", {"@{name}_litex.py": "litex.py.in"}),
}


def emit(circuit: Circuit, out_dir: str | PathLike[str], *, target: str, name: str | None = None,
         pipeline: int | None = None, register_inputs: bool = False, clock: float | None = None,
         device: str | None = None) -> list[Path]:
    """Write a packed core, as the Verilog back end does, and the project of ``target``.

    Parameters
    ----------
    circuit, out_dir, name, pipeline, register_inputs
        As of the Verilog back end.
    target
        A key of ``PROJECTS``.
    clock
        The clock to reach, in MHz, by default 100. A combinational core is to settle within its period.
    device
        The part, as the vendor names it.

    Returns
    -------
    list[Path]
        The files, ``NAME.v`` first.

    Raises
    ------
    InputError
        Where ``out_dir`` cannot be written or an option makes no sense.
    """
    project = PROJECTS[target]
    clock = CLOCK if clock is None else clock
    if not (math.isfinite(clock) and clock > 0):
        raise InputError(f"clock {clock:g} is no frequency; give MHz above 0")
    device = device or project.device
    if project.device and not re.fullmatch(r"[\w.-]+", device, re.ASCII):
        raise InputError(f"device {device!r} is no name of a part; give letters, digits, dots and hyphens")
    design = design_of(circuit, name, pipeline=pipeline, bus="packed", register_inputs=register_inputs)
    paths = emit_design(circuit, design, out_dir)
    fields = _fields(circuit, design, clock, device)
    for file, template in project.files.items():
        if template == "constraints":
            template = "clocked.sdc" if design.latency else "combinational.sdc"
        text = Fields(source(f"projects/templates/{template}")).substitute(fields)
        paths.append(write_text(Path(out_dir) / Fields(file).substitute(fields), text))
    return paths


def _fields(circuit: Circuit, design: Design, clock: float, device: str) -> dict[str, object]:
    sources = [f"{design.name}.v", *(f"{primitive}.v" for primitive in design.primitives)]
    family = next((name for begin, name in FAMILIES.items() if device.upper().startswith(begin)), "")
    x, y = design.ports.inputs[0].width, design.ports.outputs[0].width
    return {
        "generated": generated_by(circuit), "name": design.name, "device": device, "version": __version__,
        "period": f"{1000 / clock:.4g}", "clock": f"{clock:g}", "x": x, "y": y, "latency": design.latency,
        "sources": " ".join(sources), "yaml_sources": ", ".join(sources),
        "python_sources": ", ".join(map(repr, sources)),
        "quartus_sources": "\n".join(f"set_global_assignment -name VERILOG_FILE {file}" for file in sources),
        "quartus_family": f'set_global_assignment -name FAMILY "{family}"' if family else "# FAMILY is the device's.",
        "quartus_pins": "\n".join(f"set_instance_assignment -name VIRTUAL_PIN ON -to {port}"
                                  for port in ["x", "y", *["ce"] * design.enabled]),
        "clocked": "\n            i_clk=ClockSignal(\"sys\"), i_ce=self.ce," if design.enabled else "",
    }


#: Target -> back end, each with the options of the files that name a clock or a part.
ROWS: dict[str, Backend] = {
    target: Backend(project.title, partial(emit, target=target),
                    options=("pipeline", "register_inputs", *["clock", "device"] * bool(project.device)))
    for target, project in PROJECTS.items()
}
