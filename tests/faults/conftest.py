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


@pytest.fixture(scope="session")
def demo_circuit(tmp_path_factory):
    """What ``hardwire demo`` trains and optimises; for slow tests."""
    from hardwire.circuit import load_circuit
    from hardwire.cli.demo import DEMONSTRATED
    from hardwire.logic import settings as presets
    from hardwire.logic.record import LOGIC
    from hardwire.runs.experiment import train
    from hardwire.workflow.logic import lower_run, optimize_run

    folder = tmp_path_factory.mktemp("demo") / "run"
    train(LOGIC, presets.search_preset("digits").changed(**DEMONSTRATED), folder)
    lower_run(folder)
    optimize_run(folder)
    return load_circuit(folder / "optimized.net")
