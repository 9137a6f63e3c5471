"""The small library, and circuits to map to it."""

import numpy as np
import pytest
from libraries import library_text

from hardwire.circuit import CircuitBuilder
from hardwire.circuit.arithmetic import argmax, popcount
from hardwire.cost import read_liberty
from hardwire.flows.yosys import installed


def pytest_collection_modifyitems(items):
    skip = pytest.mark.skip(reason="pyosys is not installed (the extra hardwire[yosys])")
    for item in items:
        if "without_pyosys" not in item.name and "flows" in item.path.parts and not installed():
            item.add_marker(skip)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    path = tmp_path_factory.mktemp("library") / "tiny.lib"
    path.write_text(library_text())
    return path


@pytest.fixture(scope="session")
def library(tiny):
    return read_liberty(tiny)


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


@pytest.fixture(scope="session")
def small():
    return classifier()
