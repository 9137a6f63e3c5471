"""Vectors cover the corners; an executor that is wrong anywhere is caught."""

import numpy as np
import pytest

from hardwire.circuit import CircuitBuilder
from hardwire.circuit.simulate import simulate
from hardwire.core.bits import codes_to_bits
from hardwire.verify import check_backend, vectors


def wide():
    b = CircuitBuilder("wide")
    x, y = b.input("x", 64), b.input("y", 3)
    b.output("z", [b.xor(x[0], y[2]), x[63]])
    return b.build()


def test_corners_and_reproducibility():
    circuit = wide()
    codes = vectors(circuit, 400, seed=3)
    assert codes.shape == (400, 2) and codes.dtype == circuit.input_dtype
    assert codes[0].tolist() == [0, 0] and codes[1].tolist() == [2**64 - 1, 7]
    bits = codes_to_bits(codes, circuit.input_widths)
    walking = bits[2 : 2 + 67]
    assert (walking.sum(axis=1) == 1).all() and (walking.sum(axis=0) == 1).all()
    assert np.array_equal(codes, vectors(circuit, 400, seed=3))
    assert not np.array_equal(codes, vectors(circuit, 400, seed=4))
    density = bits[69:].mean(axis=1)
    assert density.min() < 0.1 and density.max() > 0.9


@pytest.mark.parametrize("n", [0, 1, 2, 3, 7])
def test_few_vectors(n):
    assert vectors(wide(), n).shape == (n, 2)


def test_a_right_executor_is_simulated():
    circuit = wide()
    verdict = check_backend(circuit, lambda x: simulate(circuit, x), vectors(circuit, 100))
    assert verdict.passed and str(verdict) == "simulated 100"


def test_a_wrong_executor_is_refuted_with_the_first_sample():
    circuit, codes = wide(), vectors(wide(), 100)

    def wrong(x):
        y = simulate(circuit, x)
        y[[40, 70]] ^= 1
        return y

    verdict = check_backend(circuit, wrong, codes)
    assert str(verdict) == "refuted" and "2 of 100" in verdict.detail
    assert verdict.counterexample == {"x": int(codes[40, 0]), "y": int(codes[40, 1])}
    assert verdict.outputs[0]["z"] == verdict.outputs[1]["z"] ^ 1
    assert check_backend(circuit, lambda x: wrong(x)[:, 0], codes).status == "refuted"
