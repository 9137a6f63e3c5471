"""Networks by name: ours of six-input tables."""

import numpy as np
import pytest

from hardwire.core.errors import InputError
from hardwire.logic.network.build import build_encoder, build_network
from hardwire.logic.zoo import published


@pytest.mark.parametrize("width", [310, 630, 1270])
def test_six_input_tables_on_one_wire_a_pixel(width):
    settings, x = published(f"lut6-{width}", "mnist"), np.random.default_rng(0).integers(0, 256, (50, 784), dtype=np.uint8)
    encoder = build_encoder(settings, x, (1, 28, 28))
    network = build_network(settings, encoder.encode(x), classes=10, shape=(1, 28, 28))
    (layer,) = network.members
    assert set(encoder.thresholds.ravel().tolist()) == {128} and network.gates == width
    assert layer.candidates.shape == (width, 6, 32) and layer.routing == layer.estimator == "hard"
    assert (settings.augment, settings.crop_pad, settings.dataset) == ("crop", 1, "mnist")


def test_they_have_no_recipe_of_a_paper():
    with pytest.raises(InputError, match="lut6-310 is no paper's, so that it has no recipe of one; leave --recipe out"):
        published("lut6-310", "mnist", "paper")
