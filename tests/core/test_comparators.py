import numpy as np
import pytest

from hardwire.core.comparators import FEW, comparators, threshold_price


def evaluate(plan):
    """What each output of a plan is for every word, (outputs, 2^width)."""
    word = np.arange(1 << plan.width)
    operands = [(word >> j & 1).astype(bool) for j in range(plan.width)]
    for kind, a, b in plan.steps:
        assert max(a, b) < len(operands)
        operands.append(operands[a] & operands[b] if kind == "AND" else operands[a] | operands[b])
    return np.array([operands[place] for place in plan.outputs])


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_every_pair_of_thresholds(width):
    word = np.arange(1 << width)
    for s in range(1, 1 << width):
        alone = comparators(width, (s,))
        assert len(alone.steps) == threshold_price(width, s)
        for t in range(1, 1 << width):
            plan = comparators(width, (s, t))
            assert np.array_equal(evaluate(plan), [word >= s, word >= t])
            assert len(plan.steps) <= threshold_price(width, s) + threshold_price(width, t) * (s != t)


@pytest.mark.parametrize(("width", "levels"), [(8, 3), (8, 7), (12, 7), (12, 2 * FEW), (6, 63)])
def test_random_sets_never_cost_more_than_single_comparators(width, levels):
    rng = np.random.default_rng(width + levels)
    for _ in range(5):
        values = tuple(rng.choice(np.arange(1, 1 << width), levels, replace=False).tolist())
        plan = comparators(width, values)
        assert np.array_equal(evaluate(plan), np.arange(1 << width) >= np.array(values)[:, None])
        assert len(plan.steps) < sum(threshold_price(width, v) for v in values)


def test_small_thresholds_of_a_wide_word_share_their_high_bits():
    values = (1, 2, 3, 5, 8, 13, 21)
    assert sum(threshold_price(16, v) for v in values) == 101
    assert len(comparators(16, values).steps) <= 35


def test_a_whole_thermometer_costs_about_a_gate_for_each_bit():
    assert len(comparators(3, tuple(range(1, 8))).steps) == 8
    assert len(comparators(4, tuple(range(1, 16))).steps) == 22
    assert comparators(8, (128,)).steps == ()
