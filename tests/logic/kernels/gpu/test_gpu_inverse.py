"""Inverse wirings: what they list, and when they are made anew."""

import gc

import numpy as np
import pytest
import torch

from hardwire.core.errors import InputError
from hardwire.logic.kernels.gpu import inverse


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch):
    monkeypatch.setattr(inverse, "_kept", type(inverse._kept)())
    monkeypatch.setattr(inverse, "_digests", {})


def counted(made, owner, key=0):
    return inverse.kept(owner, key, lambda: made.append(1) or len(made))


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


def test_made_once_for_a_content():
    made, wiring = [], torch.arange(6).reshape(3, 2)
    assert counted(made, wiring) == counted(made, wiring) == counted(made, wiring.clone()) == 1
    assert counted(made, wiring, key=1) == 2, "of another key"
    assert counted(made, wiring.reshape(2, 3)) == 3 and counted(made, wiring.int()) == 4, "of another shape and type"


def test_a_wiring_changed_in_place_is_another():
    made, wiring = [], torch.arange(6)
    counted(made, wiring)
    wiring[0] = 5
    assert counted(made, wiring) == 2
    array = np.arange(4)
    counted(made, array)
    array[0] = 3
    assert counted(made, array) == 4


def test_the_same_tensor_is_recognised_without_reading_it(monkeypatch):
    made, wiring = [], torch.arange(6)
    counted(made, wiring)
    monkeypatch.setattr(inverse, "_digest", None)
    assert counted(made, wiring) == 1


def test_forgets_what_is_gone_and_what_was_long_ago(monkeypatch):
    monkeypatch.setattr(inverse, "_LIMIT", 2)
    made, wirings = [], [torch.full((3,), i) for i in range(4)]
    for wiring in wirings:
        counted(made, wiring)
    assert len(inverse._kept) == 2 and counted(made, wirings[3]) == 4 and counted(made, wirings[0]) == 5
    del wiring, wirings
    gc.collect()
    assert not inverse._digests


def test_inside_inference_mode():
    made = []
    with torch.inference_mode():
        wiring = torch.arange(6)
        assert counted(made, wiring) == 1
        wiring[0] = 3
        assert counted(made, wiring) == 2
