import numpy as np
import pytest
import torch

from hardwire.logic.training.batches import EncodedSamples, Order, balanced_shares, quotas, unpack


@pytest.mark.parametrize("samples, bits", [(1, 1), (3, 8), (5, 13), (130, 4097), (0, 9)])
def test_unpacked_bits_are_feature_major(rng, samples, bits):
    truth = rng.random((samples, bits)) < 0.5
    x = unpack(np.packbits(truth, axis=1), bits)
    assert x.dtype == torch.float32 and x.shape == (samples, bits) and x.t().is_contiguous()
    assert np.array_equal(x.numpy(), truth)


def test_threads_do_not_matter(rng):
    truth = rng.random((200, 8000)) < 0.5
    torch.set_num_threads(2)
    try:
        x = EncodedSamples(truth, np.zeros(200)).batch(slice(None))[0]
    finally:
        torch.set_num_threads(1)
    assert np.array_equal(x.numpy(), truth)


def test_targets_keep_their_kind(rng):
    bits = rng.random((4, 3)) < 0.5
    assert EncodedSamples(bits, np.arange(4)).y.dtype == torch.int64
    y = EncodedSamples(bits, np.full((4, 2), 0.25)).batch([1, 2])[1]
    assert y.dtype == torch.float64 and y.tolist() == [[0.25, 0.25]] * 2


def test_balanced_classes_have_their_shares_of_an_epoch():
    labels = np.repeat([0, 1, 2], [900, 90, 10])
    shares = balanced_shares(labels, 4, 0.5)
    assert shares[3] == 0 and np.allclose(shares[:3], np.sqrt([900, 90, 10]) / np.sqrt([900, 90, 10]).sum())
    order = Order(1000, 100, seed=0, shares=shares, labels=labels)
    rows = np.concatenate([order(step) for step in range(10)])
    assert np.array_equal(np.bincount(labels[rows]), quotas(shares, 1000)[:3]) and len(rows) == 1000
    seen = np.bincount(rows, minlength=1000)
    assert all(np.ptp(seen[labels == c]) <= 1 for c in range(3))
    again = Order(1000, 100, seed=0, shares=shares, labels=labels)
    assert np.array_equal(again(3), rows[300:400]) and not np.array_equal(order(10), rows[:100])


def test_balance_leaves_equal_classes_and_no_balance_leaves_all():
    labels = np.repeat([0, 1], 50)
    assert balanced_shares(labels, 2, 1.0).tolist() == [0.5, 0.5] == balanced_shares(labels, 2, 0.3).tolist()
    assert balanced_shares(np.repeat([0, 1], [75, 25]), 2, 0.0).tolist() == [0.75, 0.25]
