"""``hardwire predict`` of crossbar and spiking runs."""

import json

import numpy as np
import pytest

from hardwire.core.errors import InputError
from hardwire.crossbar.record import CROSSBAR
from hardwire.crossbar.settings import preset
from hardwire.runs.experiment import train
from hardwire.spiking.record import SPIKING
from hardwire.spiking.settings import SpikingSettings
from hardwire.workflow.predict import predict


@pytest.fixture(scope="module")
def crossbar(tmp_path_factory):
    run = tmp_path_factory.mktemp("crossbar") / "run"
    return run, train(CROSSBAR, preset("digits").changed(hidden=[12], epochs=1, samples=300, validation=0.2), run)


@pytest.fixture(scope="module")
def spiking(tmp_path_factory):
    run = tmp_path_factory.mktemp("spiking") / "run"
    return run, train(SPIKING, SpikingSettings(dataset="digits", inputs=64, outputs=20, epochs=1, cells="ideal", validation=0.2), run)


@pytest.mark.slow
def test_a_crossbar_answers_as_it_was_tested(crossbar, digits):
    run, model = crossbar
    made = predict(run, digits.test.x)
    scores = model.networks["hybrid"].scores(digits.test.x.astype(np.float32) / np.float32(16), seed=1)
    assert (made.classes == scores.argmax(1)).all() and made.names == digits.classes
    top = np.sort(scores, axis=1)
    assert made.margin == pytest.approx((top[:, -1] - top[:, -2]).astype(float), abs=1e-6)
    assert ((made.probability > 0.1) & (made.probability <= 1)).all() and json.loads((run / "calibration.json").read_text())["samples"] > 200
    with pytest.raises(InputError, match="before they were scaled"):
        predict(run, (digits.test.x - 4.9) / 6.0)


def test_a_spiking_network_answers_as_it_was_tested(spiking, digits, tmp_path):
    run, model = spiking
    made = predict(run, digits.test.x[:60])
    assert (made.classes == model.predict(digits.test.x[:60])).all() and not np.isnan(made.probability).any()
    np.savez(tmp_path / "x.npz", x=digits.test.x[:60].reshape(-1, 8, 8), y=digits.test.y[:60])
    again = predict(run, tmp_path / "x.npz")
    assert (again.classes == made.classes).all() and any("labels in the file" in note for note in again.notes)
