"""Means over blocks of a matrix, by which a large array is drawn."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def block_means(values: NDArray[Any], most: int) -> tuple[NDArray[np.float64], int, int]:
    """Return the means of ``values`` (rows, columns) over blocks of neighbours, and the height and width of a block.

    At most ``most`` blocks each way; those at the end are means of fewer values.
    """
    high, wide = (max(1, -(-n // most)) for n in values.shape)
    padded = np.full((-(-values.shape[0] // high) * high, -(-values.shape[1] // wide) * wide), np.nan)
    padded[: values.shape[0], : values.shape[1]] = values
    blocks = padded.reshape(padded.shape[0] // high, high, padded.shape[1] // wide, wide)
    return np.nanmean(blocks, axis=(1, 3)), high, wide
