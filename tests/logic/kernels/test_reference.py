"""The naive references, against what their equations say."""

from itertools import product

import numpy as np
import pytest
import torch

from hardwire.core.gates import COEFFICIENTS, GATES
from hardwire.logic.kernels import reference as functional

CORNERS = torch.tensor([[0, 0], [1, 0], [0, 1], [1, 1]], dtype=torch.float64)


def corners(k):
    return torch.tensor([[m >> i & 1 for i in range(k)] for m in range(2**k)], dtype=torch.float64)


def test_gates_are_their_tables_on_the_corners():
    pairs = torch.zeros(16, 2, dtype=torch.int32)
    pairs[:, 1] = 1
    y = functional.gates(CORNERS, pairs.long(), torch.tensor(COEFFICIENTS))
    assert y.T.tolist() == [[float(g.table >> i & 1) for i in range(4)] for g in GATES]


def test_gates_are_expected_values_of_independent_bits(rng):
    """Between the corners a relaxed gate is the mean of the Boolean one over operands that are true with a and b."""
    a, b = 0.3, 0.8
    weight = np.array([(1 - a) * (1 - b), a * (1 - b), (1 - a) * b, a * b])
    y = functional.gates(torch.tensor([[a, b]], dtype=torch.float64), torch.tensor([[0, 1]] * 16), torch.tensor(COEFFICIENTS))
    assert y[0].numpy() == pytest.approx([sum(weight[i] for i in range(4) if g.table >> i & 1) for g in GATES])


def test_group_sum_takes_contiguous_groups():
    assert functional.group_sum(torch.arange(6.0)[None], 3).tolist() == [[1.0, 5.0, 9.0]]


def test_stack_is_layer_after_layer():
    pairs = torch.tensor([[0, 1], [1, 0], [0, 1]])
    c = torch.tensor(COEFFICIENTS[[8, 2, 14]])  # OR(a AND b, b AND NOT a) = b
    assert functional.stack(CORNERS, pairs, c, [2, 1]).ravel().tolist() == [0, 0, 1, 1]
    assert functional.stack(CORNERS, pairs, c, [2, 1], 1).ravel().tolist() == [0, 0, 1, 1]


def test_mixed_reads_weighted_sums():
    x = torch.tensor([[0.5, 0.25, 1.0]])
    candidates = torch.tensor([[[0, 1], [2, 2]]])
    weights = torch.tensor([[[0.5, 2.0], [0.25, 0.5]]])  # a = 0.75, b = 0.75
    coefficients = torch.tensor([[1.0, 10, 100, 1000]])
    assert functional.mixed(x, candidates, weights, coefficients).item() == 1 + 7.5 + 75 + 562.5


@pytest.mark.parametrize("k", range(2, 7))
def test_lut_is_its_table_on_the_corners(k):
    values = torch.arange(2.0**k).double()[None]
    assert functional.lut(corners(k), torch.arange(k)[None], values)[:, 0].tolist() == list(range(2**k))


def test_lut_is_the_sum_of_its_equation():
    g = torch.Generator().manual_seed(0)
    x, p = torch.rand(1, 3, generator=g).double(), torch.rand(1, 8, generator=g).double()
    expected = sum(p[0, m].item() * np.prod([x[0, i].item() if m >> i & 1 else 1 - x[0, i].item() for i in range(3)])
                   for m in range(8))
    assert functional.lut(x, torch.tensor([[0, 1, 2]]), p).item() == pytest.approx(expected, rel=1e-12)


def test_tree_slides_pads_and_pools():
    """AND of a pixel and its right neighbour over a padded 2 x 3 image, then the largest of 2 x 2."""
    image = torch.tensor([[1.0, 1, 0, 0, 1, 1]])
    leaves = torch.tensor([[[0, 0, 0], [0, 0, 1]]])
    both = torch.tensor([[[0.0, 0, 0, 1]]])
    assert functional.tree(image, (1, 2, 3), leaves, both).tolist() == [[1, 0, 0, 1]]
    assert functional.tree(image, (1, 2, 3), leaves, both, padding=1).tolist() == [[0] * 4 + [0, 1, 0, 0] + [0, 0, 1, 0] + [0] * 4]
    assert functional.tree(image, (1, 2, 3), leaves, both, padding=1, pool=2).tolist() == [[1, 0, 0, 1]]


def test_tree_levels_take_neighbours_in_turn():
    """A tree of depth 3 whose gates pass an operand on picks the leaf that the operands spell."""
    image = torch.arange(8.0)[None]
    leaves = torch.tensor([[[0, 0, i] for i in range(8)]])
    keep = {0: [0.0, 1, 0, 0], 1: [0.0, 0, 1, 0]}
    for low, middle, high in product((0, 1), repeat=3):
        gates = torch.tensor([[keep[low]] * 4 + [keep[middle]] * 2 + [keep[high]]])
        assert functional.tree(image, (1, 1, 8), leaves, gates).item() == low + 2 * middle + 4 * high
