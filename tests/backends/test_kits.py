"""Emitted models on the processors that they are for: an emulated micro:bit and a simulated Arduino Uno."""

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from helpers import trained_like

from hardwire.backends.c.backend import emit
from hardwire.backends.c.footprint import footprint
from hardwire.circuit import CircuitBuilder
from hardwire.circuit.arithmetic import popcount
from hardwire.core import programs
from hardwire.core.programs import Tool

DEVICES = Path(__file__).parent / "devices"
QEMU = Tool("qemu-system-arm", "HARDWIRE_QEMU_ARM", ("qemu-system-arm",), "the Debian package qemu-system-arm")
SIMAVR = Tool("simavr", "HARDWIRE_SIMAVR", ("simavr",), "the Debian package simavr")
AVR_CPP = Tool("avr-g++", "HARDWIRE_AVR_GPP", ("avr-g++",), "the Debian packages gcc-avr and avr-libc")


def needs(*tools):
    missing = [tool for tool in tools if programs.find(tool) is None]
    return pytest.mark.skipif(bool(missing), reason=", ".join(f"no {t.title}: install {t.package}" for t in missing))


def people():
    """A regression: reals as inputs, a value in the unit of a target."""
    b = CircuitBuilder("people")
    age, income = b.input("age", 7, offset=-3, step=2), b.input("income", 12, offset=0.5, step=0.25)
    b.output("value0", popcount(b, [b.xor(x, y) for x, y in zip(age, income)] + income[7:]), offset=-12.5, step=0.75)
    return b.build()


def small():
    return trained_like(np.random.default_rng(2), words=10, layers=2, width=60, classes=3)


def on_a_microbit(folder, name):
    """What the check of a Zephyr application says on the emulated chip, without Zephyr; the image has no library."""
    (folder / "main.c").write_text(
        f'#include "{name}_vectors.h"\nvoid say(const char *text);\n'
        f'int main(void) {{ say({name}_check() == 0 ? "PASS\\n" : "FAIL\\n"); return 0; }}\n')
    flags = ["-mcpu=cortex-m0", "-mthumb", "-Os", "-std=c99", "-ffreestanding", "-nostartfiles", "-nostdlib",
             "-Wl,--gc-sections", "-Wall", "-Wextra", "-Wconversion", "-Werror"]
    image = folder / "image.elf"
    programs.run(programs.ARM_GCC, [*flags, f"-I{folder / 'src'}", DEVICES / "cortex_m0.c", folder / "main.c", "-T",
                                    DEVICES / "cortex_m0.ld", "-o", image, "-lgcc"], produces=[image])
    return programs.run(QEMU, ["-M", "microbit", "-nographic", "-semihosting-config", "enable=on,target=native",
                               "-kernel", image], timeout=60)


@needs(programs.ARM_GCC, QEMU)
@pytest.mark.parametrize("variant", ["table", "code"])
@pytest.mark.parametrize("make", [small, people])
def test_a_microbit_says_pass(make, variant, tmp_path):
    circuit = make()
    emit(circuit, tmp_path, kit="zephyr", variant=variant)
    name = circuit.name
    assert on_a_microbit(tmp_path, name).strip() == "PASS"
    if variant == "table":
        vectors = tmp_path / "src" / f"{name}_vectors.h"
        head, mark, tail = vectors.read_text().partition(f"{name}_vector_out")
        vectors.write_text(head + mark + re.sub(r"\{\n    \d+", "{\n    77", tail, count=1))
        assert on_a_microbit(tmp_path, name).strip() == "FAIL"


@needs(AVR_CPP, SIMAVR)
@pytest.mark.parametrize("variant", ["table", "code"])
def test_an_arduino_library_builds_for_an_uno_and_says_pass(variant, tmp_path):
    circuit = small()
    emit(circuit, tmp_path, kit="arduino", variant=variant)
    properties = dict(line.split("=", 1) for line in (tmp_path / "library.properties").read_text().splitlines())
    assert properties["name"] == circuit.name and re.fullmatch(r"\d+\.\d+\.\d+", properties["version"])
    example = tmp_path / "examples" / f"{circuit.name}_check"
    image = tmp_path / "image.elf"
    flags = ["-mmcu=atmega328p", "-DF_CPU=16000000UL", "-Os", "-std=c++11", "-Wall", "-ffunction-sections",
             "-Wl,--gc-sections", f"-I{DEVICES}", f"-I{tmp_path / 'src'}", f"-I{example}", "-include", "Arduino.h"]
    said = programs.run(AVR_CPP, [*flags, "-x", "c++", example / f"{circuit.name}_check.ino", "-o", image],
                        produces=[image])
    assert "warning" not in said or variant == "code"
    done = subprocess.run([programs.require(SIMAVR), "-m", "atmega328p", "-f", "16000000", image], capture_output=True,
                          text=True, timeout=60)
    assert "PASS" in done.stdout + done.stderr


@needs(programs.ARM_GCC, programs.AVR_GCC)
def test_flash_and_ram_are_measured(tmp_path):
    circuit = small()
    for core in ("cortex-m0plus", "avr5"):
        sizes = {}
        for variant in ("table", "code", "auto"):
            header = emit(circuit, tmp_path, variant=variant)[-1]
            sizes[variant] = footprint(circuit, header, core)
        least = min(sizes["table"].flash, sizes["code"].flash)
        assert 500 < least <= sizes["auto"].flash <= (1.15 if core == "cortex-m0plus" else 2) * least < 8000
        assert 30 < sizes["table"].ram < 400 and sizes["table"].compiler.endswith(tuple("0123456789"))


@pytest.mark.slow
@needs(programs.ARM_GCC, QEMU)
def test_the_digits_of_the_demo_take_less_than_24_kib(demo_circuit, tmp_path):
    header = emit(demo_circuit, tmp_path / "c", variant="auto")[-1]
    assert footprint(demo_circuit, header, "cortex-m0plus").flash < 6 << 10
    emit(demo_circuit, tmp_path, name="digits", kit="zephyr")
    assert on_a_microbit(tmp_path, "digits").strip() == "PASS"
