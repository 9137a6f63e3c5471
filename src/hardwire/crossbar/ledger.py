"""What a training on crossbars costs: counted events times cited constants. Model estimates, every one of them.

The paper's figures are reference points beside it, never results: 28,065 GOP/s/W and 3.6 TOP/s/mm2 (Ambrogio et al.
2018, abstract, read) are projections of their authors, and HERMES' are of measured silicon.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from ..cost.energy import CONSTANTS, Constant, Ledger

#: The paper's reference points: name -> (value, unit, source and mark).
REFERENCE = {
    "energy efficiency": (28_065, "GOP/s/W", "Ambrogio et al., Nature 558, 2018, abstract (read); the authors' "
                                             "projection"),
    "areal throughput": (3.6, "TOP/s/mm2",
                         "Ambrogio et al., Nature 558, 2018, abstract (read); the authors' projection"),
    "energy of an operation": (35.6, "fJ/op", "1 / 28,065 GOP/s/W (derived)"),
}
#: An RRAM cell read at 0.4 V takes 0.16 uW (NVSim's cell file, read); for 10 ns that is what is charged for a device in
#: one matrix-vector product. The duration is assumed.
DEVICE_READ = Constant("device read in a product, 0.16 uW for an assumed 10 ns", 1.6, "fJ/read",
                       "NVSim RRAM cell file, 0.4 V read, times an assumed duration", "derived")
PER = "training example"


def products(sizes: Sequence[int]) -> int:
    """Count multiply-accumulates of one training example: forward and update, backward of all layers but the first."""
    each = [(n + 1) * m for n, m in pairwise(sizes)]
    return 2 * sum(each) + sum(each[1:])


def devices_read(sizes: Sequence[int], devices: int) -> int:
    """Count device readings of one training example in forward and backward products."""
    each = [(n + 1) * m for n, m in pairwise(sizes)]
    return devices * (sum(each) + sum(each[1:]))


def ledgers(counters: Mapping[str, int], examples: int, sizes: Sequence[int], *, devices: int) -> list[Ledger]:
    """Return the run's own ledger and what it is compared with, all per training example.

    Parameters
    ----------
    counters, examples
        What the arrays counted over how many examples.
    sizes
        Of the network's layers.
    devices
        That a reading of a synapse reads: 4 of 2 PCM + 3T1C with its shared reference, 2 of a pair.
    """
    own = Ledger("crossbar, counted events", per=PER)
    each = {name: count / examples for name, count in counters.items()}
    own.add("device reads in forward and backward products", devices_read(sizes, devices), DEVICE_READ)
    own.add("output conversions, 8-bit ADC", each["output_conversions"], CONSTANTS["adc8_32nm"])
    own.add("update pulses on capacitors", each["pulses_up"] + each["pulses_down"], CONSTANTS["capacitor_pulse"])
    own.add("PCM SET pulses at full duration", each["set_pulses"], CONSTANTS["pcm_set"])
    own.add("PCM RESET pulses", each["resets"], CONSTANTS["pcm_reset"])
    own.add("PCM reads of closed loops", each["cell_reads"], CONSTANTS["pcm_read"])
    return [own, *_comparisons(sizes)]


def _comparisons(sizes: Sequence[int]) -> list[Ledger]:
    """The same products elsewhere."""
    macs = products(sizes)
    weights = sum((n + 1) * m for n, m in pairwise(sizes))
    ledgers = []
    for name, key in (("digital accelerator, int8 arithmetic", "int8_mac"), ("GPU, fp32 arithmetic alone", "fp32_mac"),
                      ("GPU, fp32, each weight from and to DRAM for each example", "fp32_mac")):
        ledgers.append(Ledger(name, per=PER, comparison=True))
        ledgers[-1].add("multiply-accumulates", macs, CONSTANTS[key])
    ledgers[-1].add("weights read twice and written once", 3 * weights, CONSTANTS["dram_word"])
    for name, key in (("the paper's projection, not a result", "ambrogio_projected"),
                      ("HERMES, measured silicon, inference", "hermes_4phase")):
        ledgers.append(Ledger(name, per=PER, comparison=True))
        ledgers[-1].add("operations", 2 * macs, CONSTANTS[key])
    return ledgers
