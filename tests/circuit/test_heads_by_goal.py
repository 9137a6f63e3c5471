"""Counts in few levels of tables, arg-max by all pairs, and heads built anew."""

import numpy as np
import pytest
from helpers import trained_like

from hardwire.circuit import CircuitBuilder
from hardwire.circuit.arithmetic import HEADS, argmax, popcount, popcounts, with_head
from hardwire.circuit.arithmetic.pairs import greater_soon
from hardwire.circuit.arithmetic.rounds import plan_rounds
from hardwire.circuit.engine.packed import PackedEngine
from hardwire.circuit.simulate import simulate_bits
from hardwire.core.bits import bits_to_codes
from hardwire.core.errors import InputError
from hardwire.verify import prove


def test_few_rounds_take_few_tables():
    """No more rounds than counters of six bits alone need, which turn six bits of a weight into one of each of three."""
    for n, rounds in ((3, 1), (6, 1), (9, 2), (33, 4), (70, 5)):
        plan = plan_rounds(n)
        assert len(plan.rounds) <= rounds and plan.tables <= 1.05 * n + 2
        b = CircuitBuilder()
        b.output("y", popcount(b, [b.input(f"x{i}")[0] for i in range(n)], "early"))
        circuit = b.build()
        assert (circuit.n_nodes, circuit.depth) == (plan.tables, len(plan.rounds))


@pytest.mark.parametrize("width", range(1, 11))
def test_greater_of_bits_that_come_one_after_the_other(width):
    rng = np.random.default_rng(width)
    for skew in (0, 1):
        b = CircuitBuilder()
        x, y = ([b.input(f"{name}{j}")[0] for j in range(width)] for name in "xy")
        b.output("more", greater_soon(b, [skew * j for j in range(width)], x, y))
        bits = rng.random((2000, 2 * width)) < 0.5
        bits[:500, width:] = bits[:500, :width]
        bits[250:500, 0] ^= True
        place = 1 << np.arange(width)
        assert np.array_equal(simulate_bits(b.build(), bits)[:, 0],
                              (bits[:, :width] * place).sum(1) > (bits[:, width:] * place).sum(1))


@pytest.mark.slow
def test_a_head_of_8000_bits_in_few_levels():
    """Against numpy, and the levels of a head of tables and of one of two-input gates."""
    rng = np.random.default_rng(0)
    share = rng.random((300, 10, 1)) * 0.02 + 0.49  # counts that are near to each other
    bits = (rng.random((300, 10, 800)) < share).reshape(300, 8000)
    bits[:10, 800:1600] = bits[:10, :800]
    counts = bits.reshape(300, 10, 800).sum(2)
    for goal, most in (("lut-depth", 13), ("depth", 46)):
        b = CircuitBuilder("head")
        nets = [b.input(f"x{i}")[0] for i in range(8000)]
        words = popcounts(b, [nets[i : i + 800] for i in range(0, 8000, 800)], HEADS[goal][0])
        b.output("class_index", argmax(b, words, HEADS[goal][1]))
        circuit = b.build()
        assert circuit.depth <= most
        got = PackedEngine(circuit.with_(macros=()))(bits_to_codes(bits, circuit.input_widths))[:, 0]
        assert np.array_equal(got, counts.argmax(1))


@pytest.mark.parametrize("goal", HEADS)
def test_a_head_built_anew_is_the_same_function(goal):
    circuit = trained_like(np.random.default_rng(3))
    other = with_head(circuit, goal)
    assert prove(circuit, other).status == "proved"
    assert [m.kind for m in other.macros].count("argmax") == 1


def test_no_head_to_build_anew():
    circuit = trained_like(np.random.default_rng(3)).with_(macros=())
    with pytest.raises(InputError, match="--head depth"):
        with_head(circuit, "depth")
