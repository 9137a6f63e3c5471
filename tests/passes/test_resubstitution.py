import numpy as np
from helpers import trained_like

from hardwire.circuit import CircuitBuilder
from hardwire.cost import stage_costs
from hardwire.passes import optimize
from hardwire.passes.resubstitution import resubstitute
from hardwire.passes.rewriting import rewrite


def test_keeps_the_function(circuit, keeps):
    keeps(resubstitute, circuit)


def test_saves_comparators_that_rewriting_does_not():
    circuit = trained_like(np.random.default_rng(0), words=8, bits=8, thresholds=6, layers=3, width=100)
    circuit, _ = optimize(circuit, level="O1")
    before = stage_costs(rewrite(circuit))["encoder"]["gates"]
    assert stage_costs(resubstitute(rewrite(circuit)))["encoder"]["gates"] < before


def test_a_stage_that_reads_a_later_one_is_left_alone():
    b = CircuitBuilder()
    x = b.input("x", 3)
    with b.stage("head"):
        p = b.or_(b.and_(x[0], x[1]), b.and_(x[0], x[2]))
    with b.stage("encoder"):
        b.output("z", b.xor(p, x[1]))
    circuit = b.build()
    assert resubstitute(circuit) is circuit
