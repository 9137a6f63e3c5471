"""What is kept of a wiring, and when it is made anew."""

import gc

import pytest
import torch

from hardwire.logic.kernels import cache


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch):
    monkeypatch.setattr(cache, "_kept", type(cache._kept)())
    monkeypatch.setattr(cache, "_digests", {})


def counted(made, *tensors, key=0):
    return cache.kept(tensors, key, lambda: made.append(1) or len(made))


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


def test_several_tensors_and_their_order():
    made, one, other = [], torch.arange(6), torch.arange(4)
    assert counted(made, one, other) == counted(made, one, other.clone()) == 1
    assert counted(made, other, one) == 2 and counted(made, one) == 3
    other[0] = 5
    assert counted(made, one, other) == 4


def test_the_same_tensor_is_recognised_without_reading_it(monkeypatch):
    made, wiring = [], torch.arange(6)
    counted(made, wiring)
    monkeypatch.setattr(cache, "_digest", None)
    assert counted(made, wiring) == 1


def test_forgets_what_is_gone_and_what_was_long_ago(monkeypatch):
    monkeypatch.setattr(cache, "_LIMIT", 2)
    made, wirings = [], [torch.full((3,), i) for i in range(4)]
    for wiring in wirings:
        counted(made, wiring)
    assert len(cache._kept) == 2 and counted(made, wirings[3]) == 4 and counted(made, wirings[0]) == 5
    del wiring, wirings
    gc.collect()
    assert not cache._digests


def test_inside_inference_mode():
    made = []
    with torch.inference_mode():
        wiring = torch.arange(6)
        assert counted(made, wiring) == 1
        wiring[0] = 3
        assert counted(made, wiring) == 2
