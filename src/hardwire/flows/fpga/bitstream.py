"""Packers: from a routed design to the file that a board is programmed with."""

from pathlib import Path

from ...core import programs
from ...core.programs import Tool
from .devices import Place, Target
from .nextpnr import RESULTS

PACKERS: dict[Target, tuple[Tool, str]] = {
    "ice40": (programs.ICEPACK, "circuit.bin"), "ecp5": (programs.ECPPACK, "circuit.bit"),
    "gowin": (programs.GOWIN_PACK, "circuit.fs")}


def pack(place: Place, folder: Path, run: str, *, timeout: float = 300) -> str | None:
    """Pack what ``nextpnr.route`` left in ``run``; the file's name, or None where no packer is installed.

    Raises
    ------
    ToolError
        Where the packer fails or writes nothing.
    """
    tool, name = PACKERS[place.device.target]
    if programs.find(tool) is None:
        return None
    routed = f"{run}/{RESULTS[place.device.target][1]}"
    family = next((o.partition("=")[2] for o in place.options if o.startswith("family=")), "")
    arguments = {"ice40": [routed, name], "ecp5": ["--input", routed, "--bit", name],
                 "gowin": ["-d", family, "-o", name, routed]}[place.device.target]
    programs.run(tool, arguments, cwd=folder, timeout=timeout, produces=[folder / name])
    return name
