"""The warm-up goes the whole way on a small network, and says so when compiled code is wrong."""

import pytest

from hardwire.core.errors import ToolError
from hardwire.workflow import warmup


def test_it_goes_the_whole_way():
    assert warmup.warm_up() is None


def test_a_wrong_circuit_is_said(monkeypatch):
    monkeypatch.setattr(warmup, "simulate", lambda circuit, codes: 1 - warmup.PackedEngine(circuit)(codes))
    with pytest.raises(ToolError, match="the optimised circuit differs from the trained one"):
        warmup.warm_up()
