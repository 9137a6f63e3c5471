"""A small library with tables, and netlists of its cells."""

import numpy as np
import pytest
from libraries import timed_library_text

from hardwire.circuit import CircuitBuilder
from hardwire.cost import read_liberty
from hardwire.cost.cell_netlist import cell_netlist
from hardwire.cost.nldm import read_model


@pytest.fixture(scope="session")
def timed(tmp_path_factory):
    """The library and the models of all its cells."""
    path = tmp_path_factory.mktemp("library") / "timed.lib"
    path.write_text(timed_library_text())
    library = read_liberty(path)
    return library, read_model(str(path), library.cells)


@pytest.fixture(scope="session")
def netlist(timed):
    """Write a netlist as ``netlist(inputs, "CELL A=x B=y Y=n", ..., outputs)``."""
    cells = timed[0].cells

    def build(inputs, lines, outputs):
        b = CircuitBuilder("small")
        for name in inputs.split():
            b.input(name)
        like = b.build().with_(outputs=tuple(ends(outputs)))
        rows = [(f"g{i}", cells[line.split()[0]], dict(pin.split("=") for pin in line.split()[1:]))
                for i, line in enumerate(lines)]
        return cell_netlist(like, rows, inputs.split(), outputs.split(), {"zero": 0, "one": 1})

    return build


def ends(outputs):
    b = CircuitBuilder("ends")
    (x,) = b.input("x")
    for name in outputs.split():
        b.output(f"{name}_out", x)
    return b.build().outputs


@pytest.fixture
def random_netlist(netlist):
    """A random netlist of cells of all kinds."""
    pins = {"INV": ("A", "Y"), "NAND": ("A B", "Y"), "NOR": ("A B", "Y"), "XOR": ("A B", "Y"), "AOI21": ("A B C", "Y"),
            "MUX": ("D0 D1 S", "Y"), "FA": ("A B CI", "S CO"), "HA": ("A B", "S CO"), "AND": ("A B", "Y")}

    def build(seed, count=30, inputs="a b c d e"):
        rng, nets, lines = np.random.default_rng(seed), inputs.split(), []
        for i in range(count):
            kind = str(rng.choice(list(pins)))
            operands = rng.choice(nets[-12:], len(pins[kind][0].split()), replace=False)
            outputs = [f"n{i}_{pin}" for pin in pins[kind][1].split()]
            lines.append(" ".join([kind, *(f"{p}={n}" for p, n in zip(pins[kind][0].split(), operands)),
                                   *(f"{p}={n}" for p, n in zip(pins[kind][1].split(), outputs))]))
            nets += outputs
        return netlist(inputs, lines, " ".join(nets[-4:]))

    return build
