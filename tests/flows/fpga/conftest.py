"""Pipelined covers, and what nextpnr needs to be there."""

import pytest
from flow_cases import classifier

from hardwire.flows.fpga.covers import best_cover
from hardwire.flows.fpga.pipeline import pipeline
from hardwire.flows.fpga.primitives import FAMILIES


@pytest.fixture(scope="session")
def covered():
    """``(target, objective) -> (circuit, cover, pipelined)`` of a small classifier."""
    circuit = classifier(words=8, count=9)

    def make(target, objective="area", k=None):
        family = FAMILIES[target]
        cover = best_cover(circuit, [k] if k else family.k, family.tables_of, objective)
        return circuit, cover, pipeline(cover.circuit, levels=2)

    return make
