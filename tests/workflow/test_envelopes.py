"""Models and checkpoints of every hardware, and feature networks, are in the one envelope: a flipped bit is refused."""

import json
import shutil

import numpy as np
import pytest
import torch
from envelopes import check_flips
from safetensors.torch import save_file

from hardwire.core.errors import FormatError
from hardwire.crossbar import settings as crossbar
from hardwire.crossbar.features import FeatureNet, load_network, save_network
from hardwire.logic.settings import LogicSettings
from hardwire.runs.checkpoint import Stored, read_stored, write_stored
from hardwire.runs.directory import CHECKPOINT, MODEL
from hardwire.runs.experiment import run
from hardwire.spiking.settings import SpikingSettings
from hardwire.workflow.hardwares import hardware_named

TINY = {"width": 20, "layers": 1, "levels": 1, "steps": 4, "batch": 16, "evaluate_every": 2}
RUNS = {
    "logic": ("logic", LogicSettings(**TINY)),
    "search": ("logic", LogicSettings(**TINY, budget=200.0, start="nothing", search_rounds=4, search_copies=1)),
    "crossbar": ("crossbar", crossbar.preset("digits").changed(hidden=[4], epochs=2, samples=20, variants=["hybrid", "float"])),
    "spiking": ("spiking", SpikingSettings(dataset="digits", outputs=4, epochs=1, check_every=100, evaluate_every=700, label_samples=50,
                                           cells="digital")),
}
FLIPS = 3000


each_number = pytest.mark.parametrize("flips", [25, pytest.param(FLIPS, marks=pytest.mark.slow)])


def check_random_flips(path, kind, flips) -> None:
    """Half of them in the header, where each byte means something."""
    rng, header = np.random.default_rng(flips), 8 + int.from_bytes(path.read_bytes()[:8], "little")
    check_flips(path, kind, [*rng.integers(0, 8 * header, flips // 2), *rng.integers(0, 8 * path.stat().st_size, flips // 2)])


@pytest.mark.parametrize("name", RUNS)
@each_number
def test_flipped_bits_of_every_hardware(tmp_path, name, flips):
    hardware, settings = hardware_named(RUNS[name][0]), RUNS[name][1]
    out, kept = tmp_path / "run", tmp_path / CHECKPOINT

    def keep(event):
        if (out / CHECKPOINT).exists():
            shutil.copy(out / CHECKPOINT, kept)

    training = hardware.training(settings, hardware.read_data(settings, None))
    run(hardware.name, settings, training, out=out, checkpoint_seconds=-1.0, listen=keep)
    assert read_stored(kept, "checkpoint").hardware == read_stored(out / MODEL, "model").hardware == hardware.name
    check_random_flips(kept, "checkpoint", flips)
    check_random_flips(out / MODEL, "model", flips)


@pytest.fixture
def network(tmp_path):
    torch.manual_seed(0)
    return FeatureNet(10, width=2, features=8).eval(), tmp_path / "net.safetensors"


@each_number
def test_flipped_bits_of_a_feature_network(network, flips):
    check_random_flips(save_network(network[1], network[0], "cifar100"), "features", flips)


def test_a_feature_network_of_before_is_read(network, caplog):
    """It had no digest."""
    save_file(network[0].state_dict(), network[1],
              {"kind": "features", "version": "1", "network": json.dumps(network[0].arguments), "trained_on": "cifar100"})
    found, trained_on = load_network(network[1])
    assert trained_on == "cifar100" and "has no digest" in caplog.text
    for name, tensor in network[0].state_dict().items():
        assert torch.equal(found.state_dict()[name], tensor)


@pytest.mark.parametrize("values", [{}, {"network": 3}, {"network": {"classes": "x"}}, {"network": {"classes": 10, "features": 7}},
                                    {"network": {"classes": 10, "width": 3, "features": 8}, "trained_on": "x"}, {"network": []},
                                    {"network": {"classes": 10**12, "width": 10**6, "features": 8}, "trained_on": "x"}])
def test_a_crafted_feature_network(network, values):
    tensors = {name: tensor.numpy() for name, tensor in network[0].state_dict().items()}
    write_stored(network[1], Stored("crossbar", "", tensors, values), "features")
    with pytest.raises(FormatError, match="is damaged or no feature network"):
        load_network(network[1])
