"""What a model takes of a microcontroller: flash and RAM of its compiled header, beyond an empty program."""

import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ...circuit import Circuit
from ...core import programs
from ...core.errors import InputError
from ...core.files import write_text
from ...core.programs import Tool
from ...core.reading import read_bytes
from .model import is_classifier

#: Bytes of a network's text above which it is not compiled to be measured: the compiler would take minutes.
LONGEST_TEXT = 4_000_000
#: Seconds for a compiler.
TIMEOUT = 120.0


@dataclass(frozen=True)
class Core:
    """A processor and the compiler for it."""

    title: str
    tool: Tool
    flags: tuple[str, ...]


@dataclass(frozen=True)
class Chip:
    """A microcontroller: its processor and its memories in bytes, as its data sheet has them."""

    title: str
    core: str
    flash: int
    ram: int


@dataclass(frozen=True)
class Footprint:
    """Bytes that a model takes on a core; ``ram`` is the stack of its functions, all at once, and its data."""

    core: str
    flash: int
    ram: int
    compiler: str


CORES: dict[str, Core] = {
    "cortex-m0plus": Core("Cortex-M0+", programs.ARM_GCC,
                          ("-mcpu=cortex-m0plus", "-mthumb", "--specs=nano.specs", "--specs=nosys.specs")),
    "avr5": Core("AVR", programs.AVR_GCC, ("-mmcu=atmega328p",)),
}
KIB = 1024
CHIPS: dict[str, Chip] = {
    "atmega328p": Chip("ATmega328P (Arduino Uno, Nano)", "avr5", 32 * KIB, 2 * KIB),
    "atmega2560": Chip("ATmega2560 (Arduino Mega)", "avr5", 256 * KIB, 8 * KIB),
    "nrf51822": Chip("nRF51822 (micro:bit)", "cortex-m0plus", 256 * KIB, 16 * KIB),
    "rp2040": Chip("RP2040 (Raspberry Pi Pico, 2 MiB of flash)", "cortex-m0plus", 2048 * KIB, 264 * KIB),
    "samd21g18": Chip("SAMD21G18 (Arduino Zero)", "cortex-m0plus", 256 * KIB, 32 * KIB),
    "stm32g030f6": Chip("STM32G030F6", "cortex-m0plus", 32 * KIB, 8 * KIB),
}
#: The chips that are looked at where none is named, one for each core.
DEFAULT_CHIPS = ("stm32g030f6", "atmega328p")


def footprint(circuit: Circuit, header: Path, core: str) -> Footprint:
    """Compile the ``NAME_model.h`` of a circuit at ``-Os`` for a core, as a program that predicts once.

    Raises
    ------
    MissingToolError
        Without the compiler for this core.
    ToolError
        Where it does not compile, or takes too long.
    InputError
        Where the header is too long to be compiled.
    """
    size = header.stat().st_size
    if size > LONGEST_TEXT:
        raise InputError(f"{header.name} has {size:,} bytes, more than {LONGEST_TEXT:,}, and is not compiled; give "
                         f"a smaller circuit")
    where, name = CORES[core], header.name.removesuffix("_model.h")
    path = programs.require(where.tool)
    with tempfile.TemporaryDirectory(prefix="hardwire-") as text:
        folder = Path(text)
        empty = _linked(where, folder, "empty", "volatile int result;\nint main(void) { return 0; }\n")
        whole = _linked(where, folder, "model", _program(circuit, header.resolve(), name))
        frames = [line.split("\t")[1] for file in folder.glob("model*.su") for line in file.read_text().splitlines()]
    own = 2 * len(circuit.inputs)  # the features that the program gives are the user's
    version = programs.run_command(where.tool.title, [path, "-dumpversion"], package=where.tool.package).strip()
    ram = whole[1] - empty[1] - own + sum(map(int, frames))
    return Footprint(core, whole[0] - empty[0], ram, f"{where.tool.title} {version}")


def fits(taken: Footprint, chip: Chip) -> str:
    """Nothing where a chip has the memory that a model takes, else a sentence with the remedy."""
    if taken.flash > chip.flash:
        return (f"too large for {chip.title}: {taken.flash:,} bytes of flash where it has {chip.flash:,}; train with a "
                f"smaller budget of gates, optimize the circuit, or name a larger chip with --chip")
    if taken.ram > chip.ram:
        return (f"too large for {chip.title}: {taken.ram:,} bytes of RAM where it has {chip.ram:,}; give it fewer or "
                f"narrower inputs, or name a larger chip with --chip")
    return ""


def _program(circuit: Circuit, header: Path, name: str) -> str:
    n = len(circuit.inputs)
    if not n:
        call = f"{name}_code_in in[1] = {{0}}; {name}_code_out out[{len(circuit.outputs)}]; {name}_run(in, out); " \
               f"result = (int)out[0];"
    elif is_classifier(circuit):
        call = f"result = {name}_predict(features, {n});"
    else:
        call = f"static float outputs[{len(circuit.outputs)}]; result = {name}_predict(features, {n}, outputs);"
    return f"""#include "{header}"
volatile int result;
int16_t features[{max(1, n)}];
int main(void)
{{
    {call}
    return 0;
}}
"""


def _linked(core: Core, folder: Path, name: str, text: str) -> tuple[int, int]:
    """Bytes of flash, code and data, and of RAM, data and zeros, of a linked program."""
    source = write_text(folder / f"{name}.c", text)
    program = folder / f"{name}.elf"
    flags = [*core.flags, "-std=c99", "-Os", "-ffunction-sections", "-fdata-sections", "-fstack-usage",
             "-Wl,--gc-sections"]
    programs.run(core.tool, [*flags, source, "-o", program], cwd=folder, timeout=TIMEOUT, produces=[program])
    return _memories(read_bytes(program))


def _memories(elf: bytes) -> tuple[int, int]:
    """Flash and RAM of a 32-bit little-endian ELF file, from its sections that are loaded or allocated."""
    (table,), (size, count) = struct.unpack_from("<I", elf, 32), struct.unpack_from("<HH", elf, 46)
    flash = ram = 0
    for i in range(count):
        _, kind, flags, _, _, length, *_ = struct.unpack_from("<10I", elf, table + i * size)
        if flags & 2:  # SHF_ALLOC
            writable, zeros = bool(flags & 1), kind == 8  # SHF_WRITE, SHT_NOBITS
            flash += 0 if zeros else length
            ram += length if writable else 0
    return flash, ram
