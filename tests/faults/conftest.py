"""The circuits in which faults are planted."""

import numpy as np
import pytest

from tests.helpers import trained_like


@pytest.fixture(scope="session")
def small_circuit():
    """Fifteen input bits, so that every input can be tried: comparators, gates, counts and an arg-max, optimised."""
    from hardwire.passes import optimize

    circuit = trained_like(np.random.default_rng(5), words=5, bits=3, thresholds=3, layers=2, width=30, classes=3,
                           kinds={"AND": 0.3, "OR": 0.3, "XOR": 0.2, "A_AND_NOT_B": 0.1, "NAND": 0.1})
    return optimize(circuit)[0]
