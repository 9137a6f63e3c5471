"""Inverse wirings in compressed rows, built on the CPU once for each wiring and kept on the device.

``starts`` (rows + 1) and ``slots``: the places that read row ``r`` are ``slots[starts[r] : starts[r + 1]]``, in
ascending order. A place is its number in the flattened wiring; so a sum over them has one order.
"""

from dataclasses import dataclass

import numpy as np
import torch

from ....core.errors import InputError


@dataclass(frozen=True)
class Inverse:
    """Compressed rows on the device, int32; ``others`` is the other operand's row for wirings of pairs, else empty."""

    starts: torch.Tensor
    slots: torch.Tensor
    others: torch.Tensor


def compressed(reads: np.ndarray, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """``reads`` (places,), the row that each place reads -> (starts, slots), int32."""
    reads = np.asarray(reads).ravel()
    if reads.size and (reads.min() < 0 or reads.max() >= rows):
        raise InputError(f"the wiring reads rows {reads.min()} to {reads.max()}, but there are rows 0 to {rows - 1} "
                         "only")
    starts = np.zeros(rows + 1, np.int32)
    np.cumsum(np.bincount(reads, minlength=rows), out=starts[1:])
    return starts, np.argsort(reads, kind="stable").astype(np.int32)


def inverse(wiring: np.ndarray, rows: int, device, *, pairs: bool = False) -> Inverse:
    """The inverse of a wiring of any shape, of ``rows`` rows; of ``pairs`` (gates, 2) with the other operands."""
    starts, slots = compressed(wiring, rows)
    others = wiring[:, ::-1].ravel()[slots] if pairs else slots[:0]
    return Inverse(*(on(device, a) for a in (starts, slots, others)))


def on(device, array) -> torch.Tensor:
    """An array as contiguous int32 on the device."""
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.int32)).to(device)
