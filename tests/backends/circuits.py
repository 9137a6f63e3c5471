"""Small circuits that the back ends' tests share."""

import numpy as np

from hardwire.circuit import CircuitBuilder
from hardwire.circuit.arithmetic import argmax, at_least, popcount


def every_gate():
    """The sixteen gates on two inputs, with wires, inverters and constants as one-input tables too."""
    b = CircuitBuilder("every gate")
    x, y = b.input("x")[0], b.input("y")[0]
    b.output("two", [b.node(table, x, y) for table in range(16)])
    b.output("one", [b.node(table, x) for table in range(4)])
    b.output("ends", [0, 1, x, y])
    b.output("constant_operand", [b.node(0b0110, 1, y), b.node(0b1000, 0, y), b.node(0b0010, x, x)])
    return b.build()


def luts(k, *, seed=0, count=24):
    """Random ``k``-input tables over six inputs and over each other."""
    rng = np.random.default_rng(seed)
    b = CircuitBuilder(f"lut{k}")
    nets = b.input("x", 6)
    for _ in range(count):
        table = int.from_bytes(rng.bytes(8), "little") & (1 << (1 << k)) - 1
        nets.append(b.node(table, *(int(n) for n in rng.choice(nets, k, replace=False))))
    for i in range(0, count, 8):
        b.output(f"y{i}", nets[6 + i : 14 + i])
    return b.build()


def classifier(*, words=16, bits=4, width=80, layers=2, classes=5, seed=0, counts=True):
    """As a trained network has it: comparators, random gates of one to three inputs, counts, arg-max."""
    rng = np.random.default_rng(seed)
    b = CircuitBuilder("digits-like", labels=tuple(f"class {i}" for i in range(classes)))
    pixels = [b.input(f"p{i}", bits, offset=-1.5, step=0.25) for i in range(words)]
    with b.stage("encoder"):
        nets = [at_least(b, word, int(t)) for word in pixels
                for t in rng.choice(np.arange(1, 1 << bits), 3, replace=False)]
    for _ in range(layers):
        arity = rng.choice([1, 2, 2, 2, 3], width)
        nets = [b.node(int(rng.integers(0, 1 << (1 << k))), *(int(n) for n in rng.choice(nets, k))) for k in arity]
    with b.stage("head"):
        group = width // classes
        sums = [popcount(b, nets[i * group : (i + 1) * group]) for i in range(classes)]
        b.output("class", argmax(b, sums))
    if counts:
        for i, total in enumerate(sums):
            b.output(f"count{i}", total)
    return b.build()


def wide_words():
    """Words of 64, 33 and 1 bits, comparisons across them, an output that is an input and one of 64 bits."""
    b = CircuitBuilder("64 bits")
    x, y, z = b.input("x", 64), b.input("y", 33), b.input("z")
    b.output("passed", x)
    b.output("large", [at_least(b, x, (1 << 63) + 5), at_least(b, y, 1 << 32), at_least(b, y, 123456789), z[0]])
    b.output("mixed", [b.xor(x[i], y[i]) for i in range(33)])
    b.output("count", popcount(b, x))
    return b.build()


def only_wires():
    """No node at all."""
    b = CircuitBuilder("wire")
    x = b.input("x", 3)
    b.output("y", [x[2], x[0], 1, 0])
    return b.build()


def no_inputs():
    """Nothing but constants."""
    b = CircuitBuilder("constant")
    b.output("y", [1, b.node(0b11, 0), 0])
    return b.build()


def samples(circuit, n, *, seed=0):
    """Random codes of shape (n, words)."""
    rng = np.random.default_rng(seed)
    top = np.array([2**64 - 1 if w == 64 else (1 << w) - 1 for w in circuit.input_widths], dtype=np.uint64)
    return circuit.codes(rng.integers(0, 2**64 - 1, (n, len(top)), dtype=np.uint64, endpoint=True) & top)


CIRCUITS = {
    "every_gate": every_gate,
    **{f"lut{k}": lambda k=k: luts(k) for k in range(1, 7)},
    "classifier": classifier,
    "eight_bit": lambda: classifier(words=5, bits=8, classes=3, width=66, seed=4),
    "wide_words": wide_words,
    "only_wires": only_wires,
    "no_inputs": no_inputs,
}
