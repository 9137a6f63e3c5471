import numpy as np
import pytest
import torch

from hardwire.logic.training.batches import EncodedSamples, unpack


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
