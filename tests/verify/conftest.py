"""Circuits like the ones that come out of training, small and at full size."""

import numpy as np
import pytest

from hardwire.circuit import CircuitBuilder
from hardwire.circuit.arithmetic import argmax, at_least, popcount

#: How often each gate occurs in a trained network: mostly wires, then conjunctions.
SHARE = np.array([1, 6, 6, 2, 6, 2, 6, 6, 7, 6, 40, 6, 12, 6, 7, 1], dtype=float)


def build(layers, width, n_in, classes, *, bits=1, thresholds=1, seed=0, fold=False):
    """A thresholded input, random layers of gates, a count for each class, an arg-max; with ``fold`` simplified."""
    rng = np.random.default_rng(seed)
    b = CircuitBuilder("trained", labels=tuple(f"c{i}" for i in range(classes)))
    words = [b.input(f"x{i}", bits) for i in range(n_in)]
    with b.stage("encoder"):
        nets = [at_least(b, w, int(v)) for w in words for v in 1 + rng.permutation((1 << bits) - 1)[:thresholds]]
    for _ in range(layers):
        wires = np.concatenate([rng.permutation(len(nets)) for _ in range(-(-2 * width // len(nets)))])[: 2 * width]
        tables = rng.choice(16, width, p=SHARE / SHARE.sum())
        rows = zip(tables.tolist(), wires[:width].tolist(), wires[width:].tolist())
        nets = [(b.gate if fold else b.node)(t, nets[i], nets[j]) for t, i, j in rows]
    with b.stage("head"):
        counts = [popcount(b, nets[c * width // classes : (c + 1) * width // classes]) for c in range(classes)]
        b.output("y", argmax(b, counts))
    return b.build()


@pytest.fixture(scope="session")
def trained():
    return build
