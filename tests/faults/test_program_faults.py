"""Faults in the packed engine's program: each is refuted by the proof, or it is none.

That a program which is proved computes the circuit is confirmed by running it: on all inputs of the small circuit, and
on many of the demo's, where ABC also decides what was read back. How many of the refuted ones the vectors alone
would have met is counted beside it; a program that reaches beyond its memory is refused and not run.
"""

from collections import Counter

import numpy as np
import pytest

from hardwire.circuit import Circuit
from hardwire.circuit.engine.packed import PackedEngine
from hardwire.circuit.engine.program import Program
from hardwire.circuit.simulate import simulate
from hardwire.core.bits import bits_to_codes
from hardwire.core.errors import FormatError
from hardwire.verify import vectors
from hardwire.verify.coverage import coverage_vectors
from hardwire.verify.program import prove_program, read_program
from tests.faults.cec import equal
from tests.faults.planting import plant_in_program
from tests.helpers import tenth


def answers(circuit: Circuit, program: Program, codes: np.ndarray) -> np.ndarray:
    engine = PackedEngine(circuit, threads=1)
    engine.program = program
    return engine(codes)


def differ(circuit: Circuit, program: Program, codes: np.ndarray) -> bool:
    return not np.array_equal(answers(circuit, program, codes), simulate(circuit, codes))


def figures(circuit: Circuit, faults: int, seed: int = 1) -> Counter:
    """Plant, decide, and check each decision; how many were refuted, how, and which vectors meet them too."""
    program, counts = PackedEngine(circuit, threads=1).program, Counter()
    assert prove_program(circuit).status == "proved"
    few, covering = vectors(circuit, 512), coverage_vectors(circuit)
    everything = vectors(circuit, 20_000, seed=9)
    if circuit.n_input_bits <= 16:
        bits = np.arange(1 << circuit.n_input_bits)[:, None] >> np.arange(circuit.n_input_bits) & 1
        everything = bits_to_codes(bits, circuit.input_widths).astype(circuit.input_dtype)
    for serial in range(faults):
        kind, faulty = plant_in_program(program, serial, seed)
        verdict = prove_program(circuit, faulty)
        assert verdict.status in ("refuted", "proved"), (kind, serial, str(verdict))
        if verdict.status == "proved":
            assert not differ(circuit, faulty, everything), (kind, serial)
            assert equal(circuit, read_program(faulty, circuit)) is True, (kind, serial)
            counts["none"] += 1
        elif verdict.counterexample is None:
            with pytest.raises(FormatError):
                read_program(faulty, circuit)
            counts["refused"] += 1
        else:
            codes = np.array([[verdict.counterexample[w.name] for w in circuit.inputs]], dtype=circuit.input_dtype)
            assert differ(circuit, faulty, codes), (kind, serial)
            counts["refuted"] += 1
            counts["met by random vectors"] += differ(circuit, faulty, few)
            counts["met by coverage vectors"] += differ(circuit, faulty, covering)
    return counts


def test_a_few_faults_in_a_small_program(small_circuit):
    counts = figures(small_circuit, 28)
    assert counts["refuted"] >= 10 and counts["refused"] >= 1


@pytest.mark.slow
@pytest.mark.parametrize("which", ["small_circuit", "demo_circuit"])
def test_two_hundred_faults(which, request):
    faults = 200 if which == "small_circuit" else tenth(200)
    counts = figures(request.getfixturevalue(which), faults)
    print(f"\n{which}: of {faults} faults in the program " + ", ".join(f"{n} {what}" for what, n in counts.items()))
    assert counts["refuted"] + counts["refused"] >= 0.6 * faults
    assert counts["met by coverage vectors"] >= 0.9 * counts["refuted"]
