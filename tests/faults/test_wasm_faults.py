"""Faults in the bytes of an emitted module of WebAssembly: each is refused or refuted, or it is none.

That a module which is proved computes the circuit is confirmed by running it, on all inputs of the small circuit, and by
ABC, which decides what was read back. Every counterexample is run too.
"""

from collections import Counter

import numpy as np
import pytest

from hardwire.backends.wasm import module
from hardwire.backends.wasm.engines import in_wasmtime
from hardwire.circuit import Circuit
from hardwire.circuit.simulate import simulate
from hardwire.core.bits import bits_to_codes
from hardwire.core.errors import FormatError
from hardwire.verify import prove, vectors
from hardwire.verify.wasm.reader import read_module
from tests.faults.cec import equal
from tests.helpers import tenth

wasmtime = pytest.importorskip("wasmtime", reason="no wasmtime: install the Python package wasmtime")
#: What an engine says of a module that is not valid, that traps, or that lacks an export.
BROKEN = (wasmtime.WasmtimeError, wasmtime.Trap, KeyError, OverflowError, IndexError, ValueError)
#: Prefix of vector instructions, and the first and last operation on planes: not, and, andnot, or, xor.
VECTOR, FIRST, LAST = 0xFD, 77, 81


def planted(content: bytes, serial: int, seed: int) -> bytes:
    """The module with another operation in place of one, one byte changed in one bit, or two bytes exchanged."""
    rng, altered = np.random.default_rng((seed, serial)), bytearray(content)
    if serial % 3 < 2:
        places = [i + 1 for i in range(8, len(content) - 1) if content[i] == VECTOR and FIRST <= content[i + 1] <= LAST]
        place = places[int(rng.integers(len(places)))]
        binary = [op for op in range(FIRST + 1, LAST + 1) if op != content[place]]
        altered[place] = binary[int(rng.integers(len(binary)))] if content[place] != FIRST else FIRST + 1
        return bytes(altered)
    place = int(rng.integers(8, len(content) - 1))
    if serial % 2:
        altered[place] ^= 1 << int(rng.integers(8))
    else:
        altered[place], altered[place + 1] = altered[place + 1], altered[place]
    return bytes(altered)


def differ(circuit: Circuit, content: bytes, codes: np.ndarray) -> bool | None:
    """Whether an engine answers otherwise than the circuit; None where it takes no such module."""
    try:
        return not np.array_equal(in_wasmtime(circuit, content)(codes), simulate(circuit, codes))
    except BROKEN:
        return None


def figures(circuit: Circuit, faults: int, seed: int = 1) -> Counter:
    """Plant, decide, and check each decision."""
    content, counts = module(circuit), Counter()
    assert prove(circuit, read_module(content, like=circuit)).status == "proved"
    everything = vectors(circuit, 20_000, seed=9)
    if circuit.n_input_bits <= 16:
        bits = np.arange(1 << circuit.n_input_bits)[:, None] >> np.arange(circuit.n_input_bits) & 1
        everything = bits_to_codes(bits, circuit.input_widths).astype(circuit.input_dtype)
    for serial in range(faults):
        faulty = planted(content, serial, seed)
        if faulty == content:
            counts["unchanged"] += 1
            continue
        try:
            again = read_module(faulty, like=circuit)
        except FormatError as error:
            assert str(error).endswith("emit the WebAssembly again")
            counts["refused"] += 1
            continue
        verdict = prove(circuit, again)
        assert verdict.status in ("refuted", "proved"), (serial, str(verdict))
        if verdict.status == "proved":
            assert not differ(circuit, faulty, everything), serial
            assert equal(circuit, again) is True, serial
            counts["none"] += 1
        else:
            codes = np.array([[verdict.counterexample[w.name] for w in circuit.inputs]], dtype=circuit.input_dtype)
            assert differ(circuit, faulty, codes) in (True, None), serial
            counts["refuted"] += 1
    return counts


def test_a_few_faults_in_a_small_module(small_circuit):
    counts = figures(small_circuit, 20)
    assert counts["refuted"] >= 5 and counts["refused"] >= 2


@pytest.mark.slow
@pytest.mark.parametrize("which", ["small_circuit", "demo_circuit"])
def test_two_hundred_faults(which, request):
    faults = 200 if which == "small_circuit" else tenth(200)
    counts = figures(request.getfixturevalue(which), faults)
    print(f"\n{which}: of {faults} faults in the module " + ", ".join(f"{n} {what}" for what, n in counts.items()))
    assert counts["refuted"] + counts["refused"] >= 0.7 * faults
