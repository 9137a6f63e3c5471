"""What every array of synapses has, whatever its cell, as the kernels see it.

``n`` rows are inputs (the bias among them), ``m`` columns outputs. A weight reads as ``(rest + gain g) / unit``.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..periphery import Converters

Floats = NDArray[np.float32]
Stream = NDArray[np.uint64]

#: Events that the ledger knows, each a count.
EVENTS = ("pulses_up", "pulses_down", "slow_pulses", "set_pulses", "resets", "transfers", "cell_reads", "unconverged",
          "clipped", "forward_reads", "backward_reads", "input_conversions", "output_conversions", "digital_updates")
#: What is counted while training; ``examples`` is the clock of leakage and transfers.
CONTROL = np.dtype([(name, "i8") for name in ("examples", *EVENTS)])


class Tile(NamedTuple):
    """What stands around the cells.

    Attributes
    ----------
    rng
        (1,) uint64, stream of random numbers.
    control
        (1,) CONTROL.
    unit
        Conductance that is one unit of weight, uS.
    block_rows, block_columns
        Synapses of a block.
    ahead, back
        Converters of the forward and of the backward pass.
    """

    rng: Stream
    control: NDArray[np.void]
    unit: float
    block_rows: int
    block_columns: int
    ahead: Converters
    back: Converters


class Reading(NamedTuple):
    """What a reading of the array sees.

    Attributes
    ----------
    g
        (n, m) float32, conductance that update pulses hit, uS from its reference.
    rest
        (n, m) float32, what else is read, uS.
    noise
        (n, m) float32, variance of a reading of ``rest``, uS^2; no rows: none.
    gain
        (1,) float64, with which ``g`` counts; negative while the polarity is inverted.
    """

    g: Floats
    rest: Floats
    noise: Floats
    gain: NDArray[np.float64]


def new_reading(n: int, m: int, *, noisy: bool = False, gain: float = 1.0) -> Reading:
    """Return a reading of ``n`` x ``m`` synapses at 0."""
    g, rest, noise = (np.zeros((rows, m), np.float32) for rows in (n, n, n if noisy else 0))
    return Reading(g, rest, noise, np.array([gain], np.float64))


def fields_of(state: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield dotted name and value of each array and number of a state, those of records within it too."""
    for name, value in state._asdict().items():
        if isinstance(value, tuple):
            yield from fields_of(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", value
