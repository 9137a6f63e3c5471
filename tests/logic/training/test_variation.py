"""Varied samples: what stays, what moves, and how far."""

import numpy as np
import pytest

from hardwire.logic.training.variation import Variation

SHAPE = (2, 12, 9)


@pytest.fixture
def images(rng):
    x = np.zeros((40, *SHAPE), np.uint8)
    x[:, :, 3:9, 2:7] = rng.integers(1, 256, (40, 2, 6, 5))
    return x.reshape(40, -1)


def vary(x, seed=0, shape=SHAPE, threads=1, **how):
    return Variation(**how)(x, shape, np.random.default_rng(seed), threads=threads)


def test_nothing_asked_for_changes_nothing(images):
    assert not Variation()
    assert np.array_equal(vary(images), images)
    assert np.array_equal(vary(images, turn=1e-9, bend=1e-9), images)


@pytest.mark.parametrize("how", [{"shift": 2.0}, {"turn": 20.0}, {"scale": 0.2}, {"bend": 1.0}, {"noise": 0.3}])
def test_it_varies_within_type_and_range_by_seed_alone(images, how):
    varied = vary(images, **how)
    assert varied.dtype == images.dtype and varied.shape == images.shape
    assert not np.array_equal(varied, images)
    assert np.array_equal(varied, vary(images, threads=2, **how))
    assert not np.array_equal(varied, vary(images, seed=1, **how))


def test_a_shift_is_bilinear_and_zeros_come_in():
    class Drawn:
        def uniform(self, low, high, size):
            return np.broadcast_to(np.array([[0.5], [-1.0]]), size) if high == 9 else np.zeros(size)

    x = np.arange(1.0, 37.0, dtype=np.float32).reshape(1, 1, 6, 6)
    moved = Variation(shift=9.0)(x.reshape(1, -1), (1, 6, 6), Drawn()).reshape(6, 6)
    right = np.zeros((7, 6), np.float32)
    right[1:, :5] = x[0, 0, :, 1:]
    assert np.allclose(moved, np.clip((right[1:] + right[:-1]) / 2, 1, 36))


def test_a_bend_moves_by_its_deviation():
    x = np.tile(np.arange(64, dtype=np.float32), (400, 64, 1)).reshape(400, -1)
    bent = vary(x, shape=(1, 64, 64), bend=2.0).reshape(400, 64, 64)
    assert np.std(bent[:, 16, 16] - 16) == pytest.approx(2.0, rel=0.2)
    near = np.abs(np.diff(bent[:, 20:40, 20:40], axis=2) - 1)
    assert near.max() < 1.2  # neighbours move alike: points are 16 pixels apart


def test_noise_leaves_the_background(images):
    varied = vary(images, noise=0.5)
    assert (varied[images == 0] == 0).all()
    assert (varied[images > 0] != images[images > 0]).mean() > 0.9
