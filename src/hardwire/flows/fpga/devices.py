"""Devices and boards: what a flow may place a circuit on, how much of it fits, and where the pins of boards are.

Capacities count cells by nextpnr's names: ``ICESTORM_LC`` (a table and a flip-flop), ``TRELLIS_COMB`` and
``TRELLIS_FF``, ``LUT4`` and ``DFF``; of xilinx, ``LUT`` and ``FF`` as its data sheets count.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from ...core.errors import InputError

Target = Literal["ice40", "ecp5", "gowin", "xilinx"]
TARGETS: tuple[Target, ...] = get_args(Target)
#: Pins of the wrapper beside the clock, in the order in which a board's free pins are taken.
PORTS = ("shift", "din", "dout")


@dataclass(frozen=True)
class Device:
    """A device of a vendor.

    Attributes
    ----------
    target, name
        Family and name, as ``--device`` takes it.
    packages
        Names of packages, the default one first.
    capacity
        Cells of each kind.
    options
        nextpnr's options that choose it; ``{package}`` stands for the package.
    slow
        Its delays over those of the family's fastest device.
    """

    target: Target
    name: str
    packages: tuple[str, ...]
    capacity: dict[str, int]
    options: tuple[str, ...]
    slow: float = 1.0


@dataclass(frozen=True)
class Board:
    """A board: device, package, oscillator, and three free pins of 3.3 V.

    ``options`` choose a speed grade other than the device's.
    """

    name: str
    device: str
    package: str
    clock_pin: str
    clock_mhz: float
    pins: tuple[str, str, str]
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Place:
    """A device in a package, on a board or not."""

    device: Device
    package: str
    board: Board | None = None

    @property
    def options(self) -> list[str]:
        """Nextpnr's options."""
        chosen = [option.format(package=self.package) for option in self.device.options]
        return [*chosen, *(self.board.options if self.board else ())]


def _ice40(name: str, cells: int, *packages: str, slow: float = 1.0) -> Device:
    return Device("ice40", name, packages, {"ICESTORM_LC": cells}, (f"--{name}", "--package", "{package}"), slow)


def _ecp5(name: str, cells: int, *packages: str) -> Device:
    return Device("ecp5", name, packages, {"TRELLIS_COMB": cells, "TRELLIS_FF": cells},
                  (f"--{name}", "--package", "{package}"))


def _gowin(name: str, part: str, family: str, tables: int, flip_flops: int, slow: float = 1.0) -> Device:
    return Device("gowin", name, (part,), {"LUT4": tables, "DFF": flip_flops},
                  ("--device", "{package}", "--vopt", f"family={family}"), slow)


def _xilinx(name: str, tables: int) -> Device:
    return Device("xilinx", name, ("any",), {"LUT": tables, "FF": 2 * tables}, ())


#: Of each family the default first, then by size.
DEVICES: tuple[Device, ...] = (
    _ice40("hx8k", 7680, "ct256", "cm225", "bg121", "cb132"),
    _ice40("hx1k", 1280, "tq144", "vq100", "cb132"),
    _ice40("up5k", 5280, "sg48", "uwg30", slow=2.2),
    _ecp5("25k", 24288, "CABGA381", "CABGA256", "CSFBGA285"),
    _ecp5("12k", 24288, "CABGA381", "CABGA256", "CSFBGA285"),
    _ecp5("45k", 43848, "CABGA381", "CABGA554", "CABGA256", "CSFBGA285"),
    _ecp5("85k", 83640, "CABGA381", "CABGA554", "CABGA756", "CSFBGA285"),
    _gowin("gw1n-9c", "GW1NR-LV9QN88PC6/I5", "GW1N-9C", 8640, 6480, slow=1.3),
    _gowin("gw2a-18c", "GW2AR-LV18QN88C8/I7", "GW2A-18C", 20736, 15552),
    _xilinx("xc7a35t", 20800),
    _xilinx("xc7z010", 17600),
    _xilinx("xc7z020", 53200),
    _xilinx("xc7a100t", 63400),
    _xilinx("xc7a200t", 134600),
)
BOARDS: tuple[Board, ...] = (
    Board("hx8k-breakout", "hx8k", "ct256", "J3", 12, ("B13", "B10", "B12")),
    Board("icebreaker", "up5k", "sg48", "35", 12, ("4", "2", "47")),
    Board("ulx3s-25f", "25k", "CABGA381", "G2", 25, ("B11", "A10", "A9")),
    Board("ulx3s-85f", "85k", "CABGA381", "G2", 25, ("B11", "A10", "A9")),
    Board("orangecrab", "25k", "CSFBGA285", "A9", 48, ("N17", "M18", "B10"), ("--speed", "8")),
    Board("tang-nano-9k", "gw1n-9c", "GW1NR-LV9QN88PC6/I5", "52", 27, ("25", "26", "27")),
    Board("tang-nano-20k", "gw2a-18c", "GW2AR-LV18QN88C8/I7", "4", 27, ("25", "26", "27")),
)


def devices_of(target: Target) -> list[Device]:
    """The devices of a family, the default one first."""
    return [device for device in DEVICES if device.target == target]


def find_place(target: Target, name: str | None) -> Place:
    """The board, or the device in a package, that ``name`` names: ``ulx3s-85f``, ``85k`` or ``85k-CABGA554``.

    Raises
    ------
    InputError
        Where the family has no such board, device or package.
    """
    devices = devices_of(target)
    wanted = devices[0].name if name is None else name.lower()
    for board in BOARDS:
        device = next((d for d in devices if d.name == board.device), None)
        if device and wanted == board.name:
            return Place(device, board.package, board)
    for device in devices:
        if wanted == device.name:  # nextpnr chooses no pins of a Gowin device by itself
            its = [board for board in BOARDS if board.device == wanted and target == "gowin"]
            return Place(device, device.packages[0], its[0] if its else None)
        packages = {f"{device.name}-{package.lower()}": package for package in device.packages}
        if wanted in packages:
            return Place(device, packages[wanted])
    boards = [b.name for b in BOARDS if any(d.name == b.device for d in devices)]
    known = ", ".join([*boards, *(f"{d.name} ({', '.join(d.packages)})" for d in devices)])
    raise InputError(f"{target} has no device {name!r}; choose from {known}")


def constraints(place: Place) -> tuple[str, str] | None:
    """File name and text that put the wrapper on a board's pins; None where the tool may choose them."""
    if place.board is None:
        return None
    pins = {"clk": place.board.clock_pin, **dict(zip(PORTS, place.board.pins))}
    if place.device.target == "ice40":
        return "pins.pcf", "".join(f"set_io {port} {pin}\n" for port, pin in pins.items())
    if place.device.target == "ecp5":
        return "pins.lpf", "".join(f'LOCATE COMP "{port}" SITE "{pin}";\nIOBUF PORT "{port}" IO_TYPE=LVCMOS33;\n'
                                   for port, pin in pins.items())
    return "pins.cst", "".join(f'IO_LOC "{port}" {pin};\nIO_PORT "{port}" IO_TYPE=LVCMOS33;\n'
                               for port, pin in pins.items())
