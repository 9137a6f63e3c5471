"""What every pass must keep, checked by simulation and by proof."""

import numpy as np
import pytest
from helpers import check_same, random_circuit, sample_bits, trained_like

from hardwire.circuit import Circuit
from hardwire.passes.constant_propagation import propagate_constants
from hardwire.passes.dead_nodes import remove_dead_nodes
from hardwire.passes.structural_hashing import hash_structurally
from hardwire.verify.equivalence import prove


def circuits() -> list[Circuit]:
    """Small random circuits of every gate kind, wider tables among them, and one with encoder, network and head."""
    rng = np.random.default_rng(7)
    small = [random_circuit(rng, 6, 4, int(rng.integers(4, 30)), n_outputs=6, max_arity=k) for k in (2, 2, 2, 3, 4, 6)]
    return [*small, trained_like(rng, words=6, bits=4, thresholds=3, layers=3, width=40)]


@pytest.fixture(params=circuits(), ids=lambda c: f"{c.name}{c.n_nodes}")
def circuit(request) -> Circuit:
    return request.param


@pytest.fixture
def keeps():
    """``keeps(function, circuit)`` runs a pass, checks what it must keep, and returns its result."""

    def run(function, before: Circuit) -> Circuit:
        after = function(before)
        check_same(before, after, sample_bits(np.random.default_rng(1), before))
        verdict = prove(before, after, macros=True)
        assert verdict.status == "proved", verdict
        assert function(before).digest == after.digest
        again = function(after)
        if function in (propagate_constants, hash_structurally, remove_dead_nodes):
            assert again.digest == after.digest, "not idempotent"
        assert again.n_nodes <= after.n_nodes
        return after

    return run
