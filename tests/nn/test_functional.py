import numpy as np
import pytest
import torch

from hardwire.gates import COEFFICIENTS, GATES
from hardwire.nn import functional

CORNERS = torch.tensor([[0, 0], [1, 0], [0, 1], [1, 1]], dtype=torch.float64)


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
