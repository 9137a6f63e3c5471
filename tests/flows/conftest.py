"""The small library, and circuits to map to it."""

import pytest
from flow_cases import classifier
from libraries import library_text

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
