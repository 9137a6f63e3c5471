"""Every hardware, by name; loaded on first use, as most need torch or compiled kernels."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias

from ..core.errors import InputError

if TYPE_CHECKING:
    from ..runs.experiment import Hardware

#: Name -> module and attribute of its row.
HARDWARES = {
    "logic": ("hardwire.logic.record", "LOGIC"),
    "crossbar": ("hardwire.crossbar.record", "CROSSBAR"),
    "spiking": ("hardwire.spiking.record", "SPIKING"),
}

AnyHardware: TypeAlias = "Hardware[Any, Any, Any]"


def hardware_named(name: str) -> AnyHardware:
    """Return the row of a hardware."""
    if name not in HARDWARES:
        raise InputError(f"hardware {name!r} is none of {', '.join(HARDWARES)}")
    module, attribute = HARDWARES[name]
    row: AnyHardware = getattr(import_module(module), attribute)
    return row
