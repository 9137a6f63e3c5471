"""Cited energy constants: what one switch, one operation or one access spends, and who says so.

Nothing here is a measurement of a chip that this project made. Every constant says where it comes from and how it was
come by:

read         read in the source itself
second-hand  read in another work that quotes the source
derived      this project's arithmetic on figures of the two kinds above; it is no paper's figure

Figures that are only remembered are not shipped. Missing for that reason: DRAM per 64-bit access (only the 32-bit
figure has a source) and the energy of a subquantum CBRAM update, for which only a ratio was published.
"""

from dataclasses import dataclass
from math import isfinite

from ..core.errors import InputError

MARKS = ("read", "second-hand", "derived")
_PREFIX = {"a": 1e-18, "f": 1e-15, "p": 1e-12, "n": 1e-9, "µ": 1e-6, "m": 1e-3}


@dataclass(frozen=True)
class Constant:
    """An energy with its source: ``value`` in ``unit``, such as ``fJ/transition``; ``mark`` is one of ``MARKS``."""

    name: str
    value: float
    unit: str
    source: str
    mark: str

    def __post_init__(self) -> None:
        if self.mark not in MARKS:
            raise InputError(f"constant {self.name!r} has mark {self.mark!r}; give one of {', '.join(MARKS)}")
        if not (isfinite(self.value) and self.value >= 0):
            raise InputError(f"constant {self.name!r} is {self.value} {self.unit}; give a finite one, not negative")
        _scale(self.unit)

    @property
    def joules(self) -> float:
        """The energy in joules."""
        return self.value * _scale(self.unit)


def _scale(unit: str) -> float:
    energy = unit.partition("/")[0]
    if energy == "J":
        return 1.0
    if len(energy) != 2 or energy[1] != "J" or energy[0] not in _PREFIX:
        raise InputError(f"unit {unit!r} is not an energy; write J with one of the prefixes {' '.join(_PREFIX)}")
    return _PREFIX[energy[0]]


_ESIM = "Horowitz, ISSCC 2014, 45 nm 0.9 V, as quoted by stillwater-sc/esim"
_HAN = "Horowitz, ISSCC 2014, 45 nm, as quoted by Han et al. 2015"
_REPOSITORIES = "Horowitz, ISSCC 2014, 45 nm, as quoted by open-source energy models"
_SPIKING = "convention of spiking work (fp32, 45 nm), in code that cites arXiv 2110.07742 Table IV"
_LEMAIRE = "breakpoints of SpikingJelly's analytical_energy.py, after Lemaire"
_PCM = "NVSim/NVMExplorer PCM cell file"
_NEUROSIM = "NeuroSim's V^2 G t for that device"
_ADC = "Accelergy's fit of Murmann's survey at 1e8 S/s, an optimistic bound"
_LAYOUT = ("2.0 nJ per inference of 72,000 gates (arXiv 2604.19334, whose Table III also gives 352 pJ), divided by "
           "the gates")

#: Key -> constant. The key is for code, the constant's own name is what a report prints.
CONSTANTS = {
    key: Constant(name, value, unit, source, mark)
    for key, name, value, unit, source, mark in [
        # logic gates
        ("nangate45", "NanGate45 AND2_X1, 1.1 V, no wires", 5.0, "fJ/transition",
         "mean of the liberty file's rise and fall internal energy and C V^2 at 3.79 fF", "derived"),
        ("sky130", "sky130 nand2_1, 1.8 V, no wires", 8.3, "fJ/transition",
         "mean of the library's rise and fall internal energy and C V^2 at 3.47 fF", "derived"),
        ("sky130_layout", "sky130 after layout, assumed activity 0.7", 28.0, "fJ/gate", _LAYOUT, "derived"),
        # arithmetic
        ("int8_add", "8-bit integer addition", 0.03, "pJ/op", _ESIM, "second-hand"),
        ("int32_add", "32-bit integer addition", 0.1, "pJ/op", _HAN, "second-hand"),
        ("int8_mult", "8-bit integer multiplication", 0.2, "pJ/op", _ESIM, "second-hand"),
        ("int32_mult", "32-bit integer multiplication", 3.1, "pJ/op", _HAN, "second-hand"),
        ("int8_mac", "8-bit integer multiply-accumulate", 0.23, "pJ/MAC", _REPOSITORIES, "second-hand"),
        ("fp16_add", "16-bit float addition", 0.4, "pJ/op", _ESIM, "second-hand"),
        ("fp16_mult", "16-bit float multiplication", 1.1, "pJ/op", _ESIM, "second-hand"),
        ("fp32_add", "32-bit float addition", 0.9, "pJ/op", _HAN, "second-hand"),
        ("fp32_mult", "32-bit float multiplication", 3.7, "pJ/op", _HAN, "second-hand"),
        ("fp32_mac", "32-bit float multiply-accumulate", 4.6, "pJ/MAC", _HAN, "second-hand"),
        ("spike_ac", "spike-driven accumulate", 0.9, "pJ/op", _SPIKING, "second-hand"),
        # memory
        ("dram_word", "DRAM read of 32 bits", 640.0, "pJ/word", _HAN, "second-hand"),
        ("gddr5_bit", "GDDR5 access", 14.0, "pJ/bit", "DNN+NeuroSim, DRAM.cpp", "read"),
        ("hbm2_bit", "HBM2 access", 3.9, "pJ/bit", "DNN+NeuroSim, DRAM.cpp", "read"),
        ("sram_8k", "SRAM of 8 KB, 64-bit access", 10.0, "pJ/access", _LEMAIRE, "read"),
        ("sram_32k", "SRAM of 32 KB, 64-bit access", 20.0, "pJ/access", _LEMAIRE, "read"),
        ("sram_1m", "SRAM of 1 MB, 64-bit access", 100.0, "pJ/access", _LEMAIRE, "read"),
        # devices of crossbars and of spiking arrays, and their converters
        ("pcm_read", "PCM cell read", 2.0, "pJ/read", _PCM, "read"),
        ("pcm_set", "PCM cell SET", 71.0, "pJ/pulse", f"{_PCM}: I^2 R t at 150 uA, 21 kOhm, 150 ns", "derived"),
        ("pcm_reset", "PCM cell RESET", 76.0, "pJ/pulse", f"{_PCM}: I^2 R t at 300 uA, 21 kOhm, 40 ns", "derived"),
        ("rram_write", "RRAM cell SET or RESET, 2 V, 10 ns", 0.6, "pJ/pulse", "NVSim RRAM cell file", "read"),
        ("capacitor_pulse", "3T1C pulse, 100 fF, 33 mV at 0.5 V", 3.3, "fJ/pulse",
         "C |V^2 - V'^2| with the constants of MLP+NeuroSim V3.0", "derived"),
        ("analog_slow_write", "analog write, Ag:a-Si device, 300 us", 64.0, "pJ/pulse", _NEUROSIM, "derived"),
        ("analog_ideal_write", "analog write, ideal 5 uS device, 2 V, 10 ns", 0.2, "pJ/pulse", _NEUROSIM, "derived"),
        ("adc8_14nm", "8-bit ADC, 14 nm", 0.36, "pJ/conversion", _ADC, "derived"),
        ("adc8_32nm", "8-bit ADC, 32 nm", 1.71, "pJ/conversion", _ADC, "derived"),
        ("adc8_45nm", "8-bit ADC, 45 nm", 3.25, "pJ/conversion", _ADC, "derived"),
        ("adc8_90nm", "8-bit ADC, 90 nm", 12.0, "pJ/conversion", _ADC, "derived"),
        # whole systems: a projection and measured silicon are never compared without saying which is which
        ("ambrogio_projected", "2PCM+3T1C crossbar, projection", 35.6, "fJ/op",
         "1 / 28,065 GOP/s/W, Ambrogio et al., Nature 558, 2018, abstract", "derived"),
        ("hermes_1phase", "HERMES 64-core PCM chip, 14 nm, measured silicon, 1-phase", 102.0, "fJ/op",
         "1 / 9.76 TOPS/W", "derived"),
        ("hermes_4phase", "HERMES 64-core PCM chip, 14 nm, measured silicon, 4-phase", 403.0, "fJ/op",
         "1 / 2.48 TOPS/W", "derived"),
    ]
}
