"""Energy of learning and of answering on the array: counts times cited constants.

No figure of a subquantum CBRAM update was published that could be read, only that it takes 10 to 100 times less than
leading memories (the university's press text). So the array's counts stand for themselves, and what they would cost is
given for cells whose energy has a source. A read is one cell sensed: an input spike reads the cells of its whole row.
"""

import numpy as np
from numpy.typing import NDArray

from ..cost.energy import CONSTANTS, Ledger
from .diehl_cook import DiehlCookNetwork
from .kernels.cells import TALLY
from .network import OneSidedNetwork


def ledgers(network: OneSidedNetwork | DiehlCookNetwork) -> list[Ledger]:
    """Return alternatives, never summed: learning and answering, for each kind of cell that has a figure.

    A sample that is only answered has as many input spikes as one that is learned, so it reads as many cells.
    """
    s, samples, counts = network.settings, network.training_samples, named(network.tally)
    if isinstance(network, DiehlCookNetwork) or s.cells == "ideal":
        return []
    read = counts["input_spikes"] * s.outputs * network.bits / samples
    made = []
    if s.cells == "digital":
        rram = Ledger("learning, as RRAM cells, writes only", per="training sample")
        pcm = Ledger("learning, as PCM cells", per="training sample")
        rram.add("programming pulses", counts["pulses"] / samples, CONSTANTS["rram_write"])
        failed = counts["pulses"] - counts["sets"] - counts["resets"]
        pcm.add("cells set, and pulses that failed", (counts["sets"] + failed) / samples, CONSTANTS["pcm_set"])
        pcm.add("cells reset", counts["resets"] / samples, CONSTANTS["pcm_reset"])
        pcm.add("cells read", read, CONSTANTS["pcm_read"])
        made += [rram, pcm]
    else:
        for title, key in (("slow Ag:a-Si cells", "analog_slow_write"), ("ideal analog cells", "analog_ideal_write")):
            ledger = Ledger(f"learning, as {title}, writes only", per="training sample")
            ledger.add("programming pulses", counts["pulses"] / samples, CONSTANTS[key])
            made.append(ledger)
    answer = Ledger("answering, as PCM cells, reads only", per="inference")
    answer.add("cells read", read, CONSTANTS["pcm_read"])
    return [*made, answer]


def named(tally: NDArray[np.int64]) -> dict[str, int]:
    """Return a tally by name."""
    return dict(zip(TALLY, tally.tolist()))
