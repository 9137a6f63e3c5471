"""XOR by hand: build a circuit gate by gate, run it, prove another spelling of it equal, write it as C."""

import numpy as np

from hardwire import CircuitBuilder, PackedEngine
from hardwire.core.gates import TABLE
from hardwire.verify import prove


def one_gate():
    b = CircuitBuilder("xor_gate")
    (x,), (y,) = b.input("x"), b.input("y")
    b.output("z", b.xor(x, y))
    return b.build()


def four_nands():
    b = CircuitBuilder("xor_gate")
    (x,), (y,) = b.input("x"), b.input("y")

    def nand(p, q):
        return b.node(TABLE["NAND"], p, q)

    middle = nand(x, y)
    b.output("z", nand(nand(x, middle), nand(y, middle)))
    return b.build()


if __name__ == "__main__":
    circuit = one_gate()
    print(circuit.text())
    print(PackedEngine(circuit)(np.array([[0, 0], [1, 0], [0, 1], [1, 1]]))[:, 0])
    print(prove(circuit, four_nands()))
