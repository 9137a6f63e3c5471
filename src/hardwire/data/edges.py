"""Fixed edge detectors of images: a bit for each pixel whose code exceeds a neighbour's by a threshold or more.

    bit[s] = code[s, plus] >= code[s, minus] + threshold

A detector is a row (plus, minus, threshold). Detectors lie in planes of one row for each pixel of each channel, as the
thresholds of an encoder do: for each neighbour in ``NEIGHBOURS``, each sign and each threshold one plane. Where a pixel
has no such neighbour the row compares the pixel with itself, which gives 0. Source of the idea: the fixed edge
detectors that the larger convolutional logic networks of Petersen et al., NeurIPS 2024, take beside thresholds; which
ones they take is not repeated here.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..core.comparators import threshold_price
from .samples import Shape

#: (dy, dx) of the neighbour: to the right, below, and below on either side.
NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1))
#: Samples that thresholds are placed by, taken evenly from all; samples whose bits are computed at a time.
FIT_SAMPLES, BLOCK = 4096, 256


#: Number of samples at each code and a number of thresholds to the thresholds, ascending.
Place = Callable[[NDArray[np.int64], int], NDArray[np.int64]]


def edge_detectors(
    codes: NDArray[np.unsignedinteger], shape: Shape, levels: int, width: int, place: Place,
) -> NDArray[np.int64]:
    """Fit detectors on the codes of images.

    Parameters
    ----------
    codes : array (samples, F)
        Codes of ``width`` bits.
    shape : (channels, height, width)
        In whose order the F features lie.
    levels : int
        Thresholds in each direction.
    width : int
        Bits of a code.
    place : callable
        Puts the thresholds among the absolute differences to the neighbour; 0 is left out where most are 0.

    Returns
    -------
    array (8 levels F, 3) of int64
        Planes: direction-major, then the sign (the neighbour is the larger one first), then the threshold, ascending.
    """
    some = codes[:: -(-len(codes) // FIT_SAMPLES)].astype(np.int32)
    planes: list[NDArray[np.int64]] = []
    for step in NEIGHBOURS:
        here, there = _pairs(shape, *step)
        inside = here != there
        size = np.abs(some[:, here[inside]] - some[:, there[inside]])
        counts = np.bincount(size.ravel(), minlength=1)
        placed = place(counts, levels) if size.size else np.ones(levels, dtype=np.int64)
        thresholds = np.clip(placed, 1, (1 << width) - 1)
        for plus, minus in ((there, here), (here, there)):
            planes += [np.stack([plus, minus, np.where(inside, t, 1)], axis=1) for t in thresholds.tolist()]
    return np.concatenate(planes).astype(np.int64)


def _pairs(shape: Shape, dy: int, dx: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Each feature and its neighbour's, (F,) each; a feature beside itself where the neighbour is outside the image."""
    channels, height, width = shape
    here = np.arange(channels * height * width)
    y, x = here // width % height + dy, here % width + dx
    inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    return here, np.where(inside, here + dy * width + dx, here)


def edge_bits(codes: NDArray[np.integer], edges: NDArray[np.int64], out: NDArray[np.bool_]) -> None:
    """Write the bits (samples, len(edges)) of codes (samples, F) of any integer type into ``out``."""
    plus, minus, threshold = edges.T
    for start in range(0, len(codes) if len(edges) else 0, BLOCK):
        block = codes[start : start + BLOCK].astype(np.int32)
        np.greater_equal(block[:, plus] - block[:, minus], threshold, out=out[start : start + BLOCK])


def edge_gates(edges: NDArray[np.int64], width: NDArray[np.int64]) -> int:
    """Two-input gates and inverters of edge detectors, as ``circuit.arithmetic.at_least_more`` builds them.

    Two words of ``w`` and ``v`` bits share one difference of ``5 min(w, v) - 1`` gates and, for each bit more, four
    where the first word is the wider one and three where the second is; a comparison of it costs a gate for each bit
    above the lowest set one of its constant, and an inverter where the words came in the other order.
    """
    seen: set[tuple[int, int]] = set()
    gates = 0
    for plus, minus, threshold in edges.tolist():
        if plus == minus:
            continue
        turned = (minus, plus) in seen
        first, second = (minus, plus) if turned else (plus, minus)
        w, v = int(width[first]), int(width[second])
        bits = max(w, v) + 1
        if not turned and (plus, minus) not in seen:
            seen.add((plus, minus))
            gates += 5 * min(w, v) - 1 + (4 * (w - v) if w > v else 3 * (v - w))
        level = (1 - threshold if turned else threshold) + (1 << bits - 1)
        inside = 0 < level < 1 << bits
        gates += threshold_price(bits, level) + turned if inside else 0
    return gates
