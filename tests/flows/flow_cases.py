"""A circuit to map."""

import numpy as np

from hardwire.circuit import CircuitBuilder
from hardwire.circuit.arithmetic import argmax, popcount


def classifier(words=6, bits=2, count=7, classes=3, seed=0):
    """Random gates over a few words, population counts, arg-max."""
    rng = np.random.default_rng(seed)
    b = CircuitBuilder("small", labels=tuple("abc"[:classes]))
    nets = [net for j in range(words) for net in b.input(f"x{j}", bits)]
    with b.stage("network"):
        layer = [b.gate(int(rng.choice([1, 6, 7, 8, 9, 11, 14])), *rng.choice(nets, 2, replace=False).tolist())
                 for _ in range(count * classes)]
    with b.stage("head"):
        b.output("class_index", argmax(b, [popcount(b, layer[c * count : (c + 1) * count]) for c in range(classes)]))
    return b.build()
