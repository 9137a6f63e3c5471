"""Valid circuits that nobody would train, with true macros of every kind and shape: the engine and the interpreter agree."""

import numpy as np
import pytest

from hardwire.circuit import Circuit, CircuitBuilder
from hardwire.circuit.arithmetic import ARGMAXES, COUNTS, argmax, at_least, popcount
from hardwire.circuit.comparators import at_least_each
from hardwire.circuit.engine.packed import PackedEngine
from hardwire.circuit.simulate import simulate
from hardwire.verify import vectors
from tests.helpers import tenth

WIDTHS = [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64]
COUNTED = [1, 2, 3, 4, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 300]
WIRES = [0b1010, 0b1100, 0b0000, 0b1111, 0b0101, 0b0011]


def code(rng, width: int) -> int:
    top = (1 << width) - 1
    return int(rng.integers(top, dtype=np.uint64, endpoint=True)) if rng.random() < 0.6 else int(
        rng.choice(np.array([0, 1, top, 1 << width - 1], dtype=object)))


def odd_circuit(rng) -> Circuit:
    """Operands are drawn from all nets, constants, repeats and the results of other macros among them."""
    b = CircuitBuilder("odd", labels=("a", "b", "c") if rng.random() < 0.3 else ())
    count = int(rng.choice([0, 1, 2, 3, 5, 65, 130], p=[0.02, 0.28, 0.2, 0.2, 0.2, 0.05, 0.05]))
    words = [b.input(f"x{j}", int(rng.choice([*WIDTHS, rng.integers(1, 65)]))) for j in range(count)]
    nets = [0, 1, *(net for word in words for net in word)]

    def pick(k: int, recent: bool) -> list[int]:
        return rng.choice(nets[-20:] if recent else nets, k).tolist()

    for _ in range(int(rng.integers(1, 14))):
        kind, recent = rng.choice(["ge", "bits", "each", "popcount", "argmax", "lut", "wire"]), rng.random() < 0.5
        word = words[int(rng.integers(len(words)))] if words else pick(3, recent)
        if kind == "ge":
            part = word[int(rng.integers(len(word))) :] if rng.random() < 0.4 else word
            nets.append(at_least(b, part, code(rng, len(part))))
        elif kind == "bits":
            part = pick(int(rng.integers(1, 12)), recent)
            nets.append(at_least(b, part, code(rng, len(part))))
        elif kind == "each":
            nets += at_least_each(b, word, [code(rng, len(word)) for _ in range(int(rng.integers(1, 6)))])
        elif kind == "popcount":
            nets += popcount(b, pick(int(rng.choice(COUNTED)), recent), str(rng.choice(list(COUNTS))))
        elif kind == "argmax":
            wide = int(rng.choice([1, 2, 3, 8, 9]))
            parts = [pick(int(rng.integers(1, wide + 1)), recent) for _ in range(int(rng.choice([1, 2, 3, 5, 9, 17, 33])))]
            nets += argmax(b, parts, str(rng.choice(list(ARGMAXES))))
        elif kind == "lut":
            for k in rng.integers(1, 7, 12).tolist():
                nets.append(b.node(int(rng.integers((1 << (1 << k)) - 1, dtype=np.uint64, endpoint=True)), *pick(k, recent)))
        else:
            nets.append(b.node(int(rng.choice(WIRES)), *pick(2, recent)))
    for j in range(int(rng.choice([0, 1, 2, 3, 10], p=[0.02, 0.38, 0.2, 0.2, 0.2]))):
        b.output(f"y{j}", pick(int(rng.choice([1, 8, 9, 33, 64, rng.integers(1, 65)])), recent=rng.random() < 0.7))
    circuit = b.build()
    macros = list(circuit.macros)
    rng.shuffle(macros)
    return circuit.with_(macros=(*macros, *macros[:1]))


def check(seed: int) -> None:
    rng = np.random.default_rng(seed)
    circuit = odd_circuit(rng)
    x = vectors(circuit, int(rng.choice([1, 63, 65, 130, 513, 600])), seed)
    assert np.array_equal(PackedEngine(circuit, threads=1)(x), simulate(circuit, x)), seed


@pytest.mark.parametrize("seed", range(25))
def test_a_few(seed):
    check(seed)


@pytest.mark.slow
def test_many():
    for seed in range(25, 25 + tenth(1000)):
        check(seed)
