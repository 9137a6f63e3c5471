"""Emitted VHDL, read back through GHDL and Yosys as a circuit."""

import re
import tempfile
from pathlib import Path

from ..backends.verilog.ports import ENABLE, ports_of
from ..circuit import Circuit
from ..core import programs as tools
from ..core.errors import InputError
from ..core.names import IDENTIFIER
from .readback import read_verilog


def read_vhdl(path: str | Path, *, like: Circuit, timeout: float = 600.0) -> Circuit:
    """Read a VHDL file that ``emit`` wrote, as a circuit with the words of ``like``.

    GHDL synthesises the entity, which is named as the file, to plain Verilog. Registers are read as wires, and each
    must be enabled by the port ``ce``.

    Raises
    ------
    InputError
        Where the file cannot be read or its name is none of an entity.
    ToolError
        Where GHDL or Yosys refuses the text.
    FormatError
        Where ports do not match, or a register has another enable.
    """
    path = Path(path)
    if not IDENTIFIER.match(path.stem):
        raise InputError(f"{path.stem!r} is no name of an entity; name the file by letters, digits and underscores")
    if not path.is_file():
        raise InputError(f"cannot read {path}; check the path")
    top = path.stem.lower()  # GHDL's spelling of a name
    with tempfile.TemporaryDirectory(prefix="hardwire-") as name:
        folder = Path(name)
        (folder / "core.vhd").write_bytes(path.read_bytes())
        tools.run(tools.GHDL, ["-a", "--std=93", "core.vhd"], cwd=folder, timeout=timeout)
        command = ["/bin/sh", "-c", 'exec "$0" --synth --std=93 --out=verilog "$1" > read.v',
                   tools.require(tools.GHDL), top]
        tools.run_command(tools.GHDL.title, command, package=tools.GHDL.package, cwd=folder, timeout=timeout,
                          produces=[folder / "read.v"])
        enabled = re.search(rf"^ *{ENABLE} : in std_logic", path.read_bytes().decode(errors="replace"), re.MULTILINE)
        return read_verilog(folder / "read.v", top, like=like, ports=ports_of(like, top, "packed"),
                            transparent_registers=bool(enabled), enable=ENABLE if enabled else None, timeout=timeout)
