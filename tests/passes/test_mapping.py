import numpy as np
import pytest
from helpers import check_same, sample_bits, trained_like

from hardwire.circuit import CircuitBuilder
from hardwire.core.errors import InputError
from hardwire.passes import map_to_luts, optimize
from hardwire.verify.equivalence import prove


@pytest.mark.parametrize("k", [3, 4, 5, 6])
@pytest.mark.parametrize("depth", [False, True])
def test_keeps_the_function(circuit, k, depth):
    mapped = map_to_luts(circuit, k=k, depth=depth)
    check_same(circuit, mapped, sample_bits(np.random.default_rng(1), circuit))
    assert prove(circuit, mapped).status == "proved"
    assert mapped.arity.max(initial=0) <= k
    assert map_to_luts(circuit, k=k, depth=depth).digest == mapped.digest


def test_a_tree_of_exclusive_ors_fills_its_tables():
    b = CircuitBuilder()
    nets = b.input("x", 36)
    while len(nets) > 1:
        nets = [b.xor(nets[0], nets[1]), *nets[2:]]
    b.output("z", nets[0])
    for k, tables in ((3, 18), (4, 12), (6, 7)):
        assert map_to_luts(b.build(), k=k).n_nodes == tables


def test_depth_is_traded_for_tables():
    circuit, _ = optimize(trained_like(np.random.default_rng(2), width=200), level="O1")
    small, fast = map_to_luts(circuit, k=4), map_to_luts(circuit, k=4, depth=True)
    assert fast.depth < small.depth < circuit.depth
    assert small.n_nodes < fast.n_nodes < 0.6 * circuit.n_nodes


def test_tables_stay_inside_a_stage():
    b = CircuitBuilder()
    x = b.input("x", 4)
    with b.stage("encoder"):
        p = b.and_(x[0], x[1])
    with b.stage("head"):
        b.output("z", b.and_(b.and_(p, x[2]), x[3]))
    mapped = map_to_luts(b.build(), k=6)
    assert (mapped.stage.tolist(), mapped.arity.tolist()) == ([0, 2], [2, 3])


def test_a_width_that_cannot_be_is_named():
    with pytest.raises(InputError, match="7 inputs"):
        map_to_luts(trained_like(np.random.default_rng(0)), k=7)
