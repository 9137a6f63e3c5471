"""Inverse wirings: what they list, and when they are made anew."""

import numpy as np
import pytest
import torch

from hardwire.core.errors import InputError
from hardwire.logic.kernels.gpu import inverse


def test_each_row_lists_its_readers_in_order(rng):
    reads = rng.integers(0, 12, (30, 2)) % 9  # rows 9 to 12 are read by nobody
    starts, slots = inverse.compressed(reads, 13)
    for row in range(13):
        assert slots[starts[row] : starts[row + 1]].tolist() == np.flatnonzero(reads.ravel() == row).tolist()


def test_the_other_operand_of_each_reader(rng):
    pairs = rng.integers(0, 7, (20, 2))
    back = inverse.inverse(pairs, 7, "cpu", pairs=True)
    assert all(t.dtype == torch.int32 for t in (back.starts, back.slots, back.others))
    assert back.others.tolist() == [pairs[s // 2, 1 - s % 2] for s in back.slots.tolist()]


def test_rows_that_do_not_exist():
    for wrong in ([0, 3], [-1, 2]):
        with pytest.raises(InputError, match="there are rows 0 to 2 only"):
            inverse.compressed(np.array(wrong), 3)
