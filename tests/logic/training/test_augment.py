
import numpy as np
import pytest
import torch

from hardwire.core.errors import InputError
from hardwire.data.encoders import fit_encoder
from hardwire.logic import LogicSettings, train
from hardwire.logic.training.augment import Augmentation, default_pad
from hardwire.logic.training.batches import EncodedSamples


def moved(image, pad, dy, dx, flip):
    """The moved raw image, in NumPy's own words."""
    _, height, width = image.shape
    padded = np.pad(image, ((0, 0), (pad, pad), (pad, pad)))
    crop = padded[:, pad + dy : pad + dy + height, pad + dx : pad + dx + width]
    return crop[..., ::-1] if flip else crop


@pytest.mark.parametrize("kind", ["flip", "crop", "flip+crop"])
@pytest.mark.parametrize("shape, levels, pad", [((1, 8, 8), 3, 2), ((3, 7, 9), 2, 3), ((2, 5, 3), 1, 1)])
def test_moved_bits_are_the_bits_of_the_moved_image(rng, kind, shape, levels, pad):
    x = rng.integers(0, 256, (50, int(np.prod(shape))), dtype=np.uint8)
    encoder = fit_encoder("uniform", x, levels=levels)
    augmentation = Augmentation(kind, shape, encoder, x, pad=pad, seed=3)
    samples = EncodedSamples(encoder.encode(x), np.arange(50))
    dy, dx, flip = augmentation.draw(5, 50)
    assert ("flip" in kind) == bool(flip.any()) and ("crop" in kind) == bool(dy.any() and dx.any())
    raw = np.stack([moved(image.reshape(shape), pad, *m).ravel() for image, m in zip(x, zip(dy, dx, flip))])
    actual, _ = samples.batch(np.arange(50), lambda packed: augmentation(packed, (dy, dx, flip)))
    assert np.array_equal(actual.numpy(), encoder.encode(raw))


def test_background_of_signed_images_is_their_zero(rng):
    x = rng.integers(-100, 101, (60, 16)).astype(np.float64)
    x[0], x[1] = -100, 100
    encoder = fit_encoder("uniform", x, levels=3, common=True)
    augmentation = Augmentation("crop", (1, 4, 4), encoder, x, pad=1)
    assert augmentation.background.any() and not augmentation.background.all()


def test_moves_are_a_function_of_seed_and_step(rng):
    x = rng.integers(0, 256, (40, 64), dtype=np.uint8)
    encoder = fit_encoder("uniform", x, levels=2)
    a, b, c = (Augmentation("flip+crop", (1, 8, 8), encoder, x, pad=2, seed=s) for s in (1, 1, 2))
    assert all(np.array_equal(p, q) for p, q in zip(a.draw(7, 30), b.draw(7, 30)))
    assert not np.array_equal(a.draw(7, 30)[0], a.draw(8, 30)[0])
    assert not np.array_equal(a.draw(7, 30)[0], c.draw(7, 30)[0])
    dy, dx, flip = a.draw(0, 4000)
    assert set(dy) == set(dx) == set(range(-2, 3)) and 0.45 < flip.mean() < 0.55


def test_default_pads():
    assert [default_pad(n) for n in (8, 28, 32)] == [1, 2, 4]


@pytest.mark.parametrize("change, message", [
    ({"shape": None}, "needs images, but the samples have no shape"),
    ({"pad": 8}, "crop_pad = 8 moves images of 8 x 8 pixels out of sight"),
    ({"common": False}, "needs the same thresholds for all pixels of a channel"),
    ({"shape": (1, 5, 8)}, "are no planes of"),
])
def test_refusals(rng, change, message):
    x = (rng.random((90, 64)) * np.arange(1, 65)).astype(np.float64)
    encoder = fit_encoder("uniform", x, levels=2, common=change.get("common", True))
    with pytest.raises(InputError, match=message):
        Augmentation("crop", change.get("shape", (1, 8, 8)), encoder, x, pad=change.get("pad", 2))


def test_training_with_augmentation_repeats_and_differs(digits):
    config = LogicSettings(width=60, layers=2, levels=2, steps=12, evaluate_every=12, batch=32, augment="flip+crop")
    a = train(config, digits)
    torch.set_num_threads(2)
    try:
        b = train(config, digits)
    finally:
        torch.set_num_threads(1)
    c = train(config.changed(augment="none"), digits)
    assert a.metrics[-1]["loss"] == b.metrics[-1]["loss"] != c.metrics[-1]["loss"]
    assert all(torch.equal(p, q) for p, q in zip(a.network.parameters(), b.network.parameters()))
