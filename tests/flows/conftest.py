"""The small library, and circuits to map to it."""

import pytest
from flow_cases import classifier
from libraries import library_text, timed_library_text

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


@pytest.fixture(scope="session")
def small():
    return classifier()


@pytest.fixture(scope="session")
def timed(tmp_path_factory):
    """A library with tables of delay and power."""
    path = tmp_path_factory.mktemp("library") / "timed.lib"
    path.write_text(timed_library_text())
    return read_liberty(path)


@pytest.fixture(scope="session")
def mapped(small, timed):
    """The small circuit mapped to the library with tables, and its cells."""
    from hardwire.flows.asic.netlist import read_cells
    from hardwire.flows.mapping import map_netlist

    netlist = map_netlist(small, timed)
    return netlist, read_cells(netlist.blif, small, netlist.ports, timed.cells)


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """Put a shell script in the place of a tool: ``fake("STA", "exit 3")``."""

    def place(name, text):
        path = tmp_path / f"fake-{name.lower()}"
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        monkeypatch.setenv(f"HARDWIRE_{name}", str(path))
        return path

    return place
