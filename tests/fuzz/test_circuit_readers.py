"""Mutated circuit files: a clean error, or a circuit on which packed engine, interpreter and C agree."""

import shutil

import numpy as np
import pytest
from executors import Agreement
from helpers import random_circuit, trained_like
from hypothesis import given
from mutations import examples, mutated, signed

from hardwire.circuit import CircuitBuilder, load_circuit, save_circuit
from hardwire.circuit.arithmetic import argmax, at_least, popcount
from hardwire.circuit.formats.aiger import read_aiger, write_aiger
from hardwire.circuit.formats.blif import read_blif, write_blif
from hardwire.core.errors import HardwireError
from tests.helpers import tenth


def wide():
    """Words of 1, 33 and 64 bits, constants among the outputs, a net twice, a comparison over two words."""
    b = CircuitBuilder("wide", labels=("no", "yes, it is"))
    x, y, z = b.input("x", 64, offset=-1.5, step=0.25), b.input("y"), b.input("z", 33, step=1e-7)
    high = at_least(b, x, 7 << 61)
    both = at_least(b, [*z, *y], 5)
    b.output("all", [*x[:62], high, both])
    b.output("w", [0, 1, high, high, b.node(0b0110, high, both), b.node(0x96E8 << 40 | 0x69, *x[:4], high, *y)])
    return b.build()


def counts():
    """Counts of counts, an arg-max with ties, a threshold at a power of two."""
    b = CircuitBuilder("counts")
    x = [net for j in range(3) for net in b.input(f"x{j}", 3)]
    words = [popcount(b, x[i : i + 3]) for i in (0, 3, 6)]
    b.output("class_index", argmax(b, words))
    b.output("large", at_least(b, x[:3], 4))
    b.output("total", popcount(b, [*x, 0, 1]))
    return b.build()


def constant():
    b = CircuitBuilder("constant")
    b.input("x", 2)
    b.output("y", [1, 0, 1])
    return b.build()


def corpus(folder, suffix):
    """Files of real circuits; AIGER and BLIF also without the comment that carries the words."""
    rng = np.random.default_rng(0)
    circuits = [trained_like(rng, words=3, bits=3, thresholds=2, layers=2, width=12, classes=3), counts(), wide(),
                random_circuit(rng, 5, 3, 6, n_outputs=4, max_arity=6), constant()]
    write = {".net": save_circuit, ".aig": write_aiger, ".blif": write_blif,
             ".aag": lambda circuit, path: write_aiger(circuit, path, binary=False)}[suffix]
    files = [write(circuit, folder / f"{i}{suffix}").read_bytes() for i, circuit in enumerate(circuits)]
    if suffix == ".net":
        return files
    return files + [b"".join(line + b"\n" for line in data.split(b"\n")[:-1] if b"hardwire {" not in line) for data in files]


READERS = {".net": load_circuit, ".aig": read_aiger, ".aag": read_aiger, ".blif": read_blif}


def fuzz(folder, suffix, count, every):
    """Read ``count`` mutated files; how many were circuits, and how many of these ran as C."""
    agree, path, read = Agreement(every), folder / f"mutated{suffix}", READERS[suffix]

    @examples(count)
    @given(mutated(corpus(folder, suffix)))
    def check(data):
        path.write_bytes(signed(data) if suffix == ".net" else data)
        try:
            circuit = read(path)
        except HardwireError as error:
            assert "\n" not in str(error) and len(str(error)) < 1000
            return
        agree(circuit)
        if agree.seen % 50 == 0:
            again = load_circuit(save_circuit(circuit, folder / "again.net"))
            assert again.digest == circuit.digest and again.text() == circuit.text()

    check()
    return agree.seen, agree.compile(folder) if shutil.which("cc") else 0


@pytest.mark.parametrize("suffix", READERS)
def test_mutated_files(tmp_path, suffix):
    circuits, _ = fuzz(tmp_path, suffix, 100, every=10**9)
    assert circuits > 5


@pytest.mark.slow
@pytest.mark.parametrize("suffix", READERS)
def test_ten_thousand_mutated_files(tmp_path, suffix):
    circuits, compiled = fuzz(tmp_path, suffix, tenth(10_000), every=10)
    print(f"{suffix}: {circuits} are circuits, {compiled} ran as C")
    assert circuits > tenth(500)
