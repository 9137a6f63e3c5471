"""Faults in circuits: each is refuted with a counterexample, or ABC agrees that it is none."""

from collections import Counter

import numpy as np
import pytest

from hardwire.circuit.simulate import simulate
from hardwire.verify import prove
from tests.faults.cec import equal
from tests.faults.planting import plant_in_circuit
from tests.helpers import tenth


def figures(circuit, faults: int, seed: int = 1) -> Counter:
    """Plant, decide, and check each decision; how many were refuted and how many are none."""
    counts: Counter = Counter()
    for serial in range(faults):
        kind, faulty = plant_in_circuit(circuit, serial, seed)
        verdict = prove(circuit, faulty)
        if verdict.status == "refuted":
            codes = np.array([[verdict.counterexample[w.name] for w in circuit.inputs]], dtype=circuit.input_dtype)
            assert (simulate(circuit, codes) != simulate(faulty, codes)).any(), (kind, serial)
        else:
            assert verdict.status == "proved" and equal(circuit, faulty) is True, (kind, serial, str(verdict))
        counts[verdict.status] += 1
    return counts


def test_a_few_faults_in_a_small_circuit(small_circuit):
    assert figures(small_circuit, 24)["refuted"] >= 12


@pytest.mark.slow
@pytest.mark.parametrize("which", ["small_circuit", "demo_circuit"])
def test_two_hundred_faults(which, request):
    faults = 200 if which == "small_circuit" else tenth(200)
    counts = figures(request.getfixturevalue(which), faults)
    print(f"\n{which}: of {faults} faults {counts['refuted']} refuted, {counts['proved']} proved and by ABC none")
    assert counts["refuted"] >= 0.6 * faults
