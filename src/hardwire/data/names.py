"""Names of features."""

from collections.abc import Iterable

import numpy as np

from ..core.names import identifiers as unique_identifiers

#: (channels, height, width) of an image in whose order features are flattened.
Shape = tuple[int, int, int]


def identifiers(names: Iterable[str]) -> tuple[str, ...]:
    """Turn names into unique identifiers of letters, digits and underscores; ``_2``, ``_3`` tell equal ones apart."""
    return tuple(unique_identifiers((name.strip() or f"x{i}" for i, name in enumerate(names)), prefix="x", serial=2))


def pixel_names(shape: Shape) -> tuple[str, ...]:
    """Names ``pixel_row_column`` in flattened order; where there is more than one channel, its number comes first."""
    places = np.ndindex(shape) if shape[0] > 1 else np.ndindex(shape[1:])
    return tuple("pixel_" + "_".join(map(str, place)) for place in places)
