"""Readers of models and checkpoints, digests recomputed: whatever the file, a network that runs on or one sentence."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
import torch

from hardwire.core.errors import FormatError, HardwireError
from hardwire.crossbar.features import FeatureNet, extract, load_network, save_network
from hardwire.crossbar.settings import CrossbarSettings
from hardwire.crossbar.training import CrossbarData, CrossbarTraining
from hardwire.crossbar.training import load as load_crossbar
from hardwire.data import Dataset, load_dataset
from hardwire.data.datasets import Split
from hardwire.logic.importers import import_difflogic
from hardwire.logic.model import unpack
from hardwire.logic.settings import LogicSettings
from hardwire.logic.training.batches import EncodedSamples
from hardwire.logic.training.evaluation import scores_of
from hardwire.logic.training.training import training_of
from hardwire.runs.checkpoint import Stored, read_stored, write_stored
from hardwire.runs.directory import CHECKPOINT, MODEL
from hardwire.runs.experiment import run
from hardwire.spiking.contenders import read_results, summarise
from hardwire.spiking.nir import Layer, import_nir, write_layer
from hardwire.spiking.settings import SpikingSettings
from hardwire.spiking.training import SpikingTraining
from hardwire.spiking.training import load as load_spiking
from tests.fuzz.file_mutations import FEW, MANY, for_each_seed, mutated_array, mutated_bytes, mutated_values, peak, read

LOGIC = {"dataset": "digits", "levels": 1, "layers": 2, "width": 20, "steps": 4, "evaluate_every": 2, "batch": 16}
SEARCH = {**LOGIC, "budget": 60.0, "search_rounds": 4, "evaluate_every": 2, "search_pool": 50, "search_window": 512}
CROSSBAR = {"dataset": "digits", "hidden": [6], "epochs": 1}
SPIKING = {"dataset": "digits", "inputs": 16, "outputs": 6, "steps": 8, "burn_in": 2, "epochs": 1, "check_every": 20}
#: Name -> hardware and settings.
RUNS = {
    "logic": ("logic", LOGIC), "logic-learned": ("logic", LOGIC | {"learned_layers": 1, "candidates": 4}),
    "logic-luts": ("logic", LOGIC | {"fan_in": 4, "learn_tau": True}), "logic-conv": ("logic", LOGIC | {"channels": [4], "tree_depth": 2}),
    "search": ("logic", SEARCH | {"start": "nothing"}), "search-luts": ("logic", SEARCH | {"start": "nothing", "unit": "luts"}),
    "hybrid": ("crossbar", CROSSBAR), "tiki-taka": ("crossbar", CROSSBAR | {"variants": ["tiki-taka-2", "mixed-precision"]}),
    "2pcm": ("crossbar", CROSSBAR | {"variants": ["2pcm", "single"]}),
    "digital": ("spiking", SPIKING | {"cells": "digital", "bits": 2}), "analog": ("spiking", SPIKING | {"method": "soft", "prune": 0.3}),
    "triplet": ("spiking", SPIKING | {"rule": "triplet", "cells": "ideal", "outputs": 4, "inputs": 8}),
}
QUICK = ("logic", "search", "hybrid", "digital")
SETTINGS = {"logic": LogicSettings, "crossbar": CrossbarSettings, "spiking": SpikingSettings}


def small(kind, data) -> Dataset:
    parts = [Split(s.x[:n], s.y[:n], s.rows[:n]) for s, n in ((data.train, 64), (data.validation, 20), (data.test, 20))]
    data = dataclasses.replace(data, train=parts[0], validation=parts[1], test=parts[2])
    if kind != "crossbar":
        return data
    x = [np.ascontiguousarray(s.x / 16, np.float32) for s in parts]
    return CrossbarData(x[0], parts[0].y, x[1], parts[1].y, x[2], parts[2].y, data.classes, data.source)


def training_for(kind, settings, data):
    makers = {"logic": training_of, "crossbar": CrossbarTraining, "spiking": SpikingTraining}
    return makers[kind](settings, data)


@pytest.fixture(scope="module")
def digits():
    return load_dataset("digits")


class Seeds:
    """A tiny run of a hardware: a checkpoint in its middle, its model, and a training that can be resumed again and again."""

    def __init__(self, name, digits, folder):
        self.kind, values = RUNS[name]
        self.settings = SETTINGS[self.kind](**values)
        self.data, self.folder = small(self.kind, digits), folder / name
        training = training_for(self.kind, self.settings, self.data)
        states, metrics = [], []
        with training:
            while training.position < training.total and len(states) < 50:
                figures = training.advance()
                metrics += [] if figures is None else [figures]
                tensors, plain = training.state()
                held = {"position": training.position, "seconds": 0.5, "metrics": list(metrics)}
                states.append(Stored(self.kind, self.settings.to_toml(), {k: np.array(v) for k, v in tensors.items()}, plain | {"run": held, "fingerprint": dict(training.fingerprint())}))
        self.checkpoint = states[max(0, len(states) - 2)] if len(states) > 1 else states[0]
        shutil.rmtree(self.folder, ignore_errors=True)
        outcome = run(self.kind, self.settings, training_for(self.kind, self.settings, self.data), out=self.folder)
        self.model = outcome.stored
        self.training = training_for(self.kind, self.settings, self.data)

    def resume(self, content):
        """Resume the run from a checkpoint's bytes, to its end."""
        for name in (MODEL, CHECKPOINT):
            (self.folder / name).unlink(missing_ok=True)
        (self.folder / CHECKPOINT).write_bytes(content)
        if hasattr(getattr(self.training, "network", None), "train"):
            self.training.network.train()  # as of a fresh training; its end had frozen it
        return run(self.kind, self.settings, self.training, out=self.folder, resume=True)

    def use(self, content):
        """Load a model from its bytes and run it on some samples."""
        (self.folder / MODEL).write_bytes(content)
        stored = read_stored(self.folder / MODEL, "model", self.kind)
        if self.kind == "crossbar":
            model = load_crossbar(stored)
            for network in model.networks.values():
                network.scores(np.zeros((2, network.sizes[0]), np.float32), seed=0)
        elif self.kind == "spiking":
            model = load_spiking(stored)
            assert model.predict(self.data.test.x[:3]).shape == (3,)
        else:
            model = unpack(stored)
            samples = EncodedSamples(model.encoder.encode(self.data.test.x[:3]), np.zeros(3))
            assert len(scores_of(model.network, samples, (False,), np.arange(3))[0]) == 3
            assert model.best["step"] == model.best_step
        return model


@pytest.fixture(scope="module")
def seeds(digits, tmp_path_factory):
    known, folder = {}, tmp_path_factory.mktemp("seeds")

    def get(name):
        if name not in known:
            known[name] = Seeds(name, digits, folder)
        return known[name]

    return get


def mutated_stored(rng, stored):
    tensors, values, text = dict(stored.tensors), stored.values, stored.settings
    for _ in range(rng.integers(1, 3)):
        kind = rng.integers(10)
        names = list(tensors)
        name = names[rng.integers(len(names))]
        if kind < 4:
            values = mutated_values(rng, values, 1) if isinstance(values, dict) else values
        elif kind < 8:
            tensors[name] = mutated_array(rng, tensors[name])
        elif kind == 8:
            tensors[name if rng.random() < 0.5 else name + "x"] = tensors.pop(name)
            if rng.random() < 0.5 and len(tensors) > 1:
                del tensors[list(tensors)[rng.integers(len(tensors))]]
        else:
            text = mutated_bytes(rng, text.encode(), 1).decode(errors="replace")
    return Stored(stored.hardware, text, tensors, values)


def check(one, seed):
    rng = np.random.default_rng(seed)
    what, call = (one.checkpoint, one.resume) if rng.random() < 0.5 else (one.model, one.use)
    kind = "checkpoint" if what is one.checkpoint else "model"
    path = one.folder / "mutated.safetensors"
    try:
        write_stored(path, mutated_stored(rng, what), kind)
    except (TypeError, ValueError, HardwireError):  # nobody can write it either
        return
    content = path.read_bytes()
    read(call, mutated_bytes(rng, content) if rng.random() < 0.05 else content)


def test_seeds_are_read(seeds):
    for name in QUICK:
        one = seeds(name)
        write_stored(one.folder / CHECKPOINT, one.checkpoint, "checkpoint")
        before = one.resume((one.folder / CHECKPOINT).read_bytes()).stored
        again = run(one.kind, one.settings, training_for(one.kind, one.settings, one.data)).stored
        for key, tensor in again.tensors.items():
            np.testing.assert_array_equal(before.tensors[key], tensor, err_msg=f"{name} {key}")
        one.use((one.folder / MODEL).read_bytes())


@pytest.mark.parametrize("name", QUICK)
def test_some_models(name, seeds):
    one = seeds(name)
    for_each_seed(FEW, lambda seed: check(one, seed))


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_many_models(name, seeds):
    one = seeds(name)
    for_each_seed(MANY, lambda seed: check(one, seed))


# --------------------------------------------------------------------------------------------------- what other programs wrote


def imported(folder, seed):
    rng = np.random.default_rng(seed)
    path = folder / "state.pt"
    state = {"0.weights": torch.randn(6, 16), "1.weights": torch.randn(4, 16)}
    wiring = [torch.tensor([[0, 1, 2, 3, 0, 1], [1, 2, 3, 4, 2, 3]]), torch.tensor([[0, 1, 2, 3], [1, 2, 3, 4]])]
    kind = rng.integers(4)
    if kind == 0:
        name = list(state)[rng.integers(2)]
        state[name] = torch.from_numpy(np.ascontiguousarray(mutated_array(rng, state[name].numpy())))
    elif kind == 1:
        wiring[rng.integers(2)] = torch.from_numpy(np.ascontiguousarray(mutated_array(rng, wiring[0].numpy())))
    torch.save({"state_dict": state, "wiring": wiring}, path)
    if kind > 1:
        path.write_bytes(mutated_bytes(rng, path.read_bytes()))
    network = read(lambda: import_difflogic(path, inputs=5, classes=2))
    if network is not None:
        assert network(torch.zeros(2, 5)).shape == (2, 2)


def features(folder, seed):
    rng = np.random.default_rng(seed)
    path = folder / "net.safetensors"
    torch.manual_seed(0)
    net = FeatureNet(2, width=2, features=4)
    save_network(path, net, "cifar100")
    stored = read_stored(path, "features", "crossbar")
    try:
        write_stored(path, mutated_stored(rng, stored), "features")
    except (TypeError, ValueError, HardwireError):
        return
    if rng.random() < 0.1:
        path.write_bytes(mutated_bytes(rng, path.read_bytes()))
    found = read(load_network, path)
    if found is not None:
        assert extract(found[0].features, np.zeros((1, 3072), np.uint8)).shape[0] == 1


def nir_graph(folder, seed):
    rng = np.random.default_rng(seed)
    path = folder / "layer.nir"
    layer = Layer(np.ones((3, 2), np.float32), np.zeros(2, np.float32), np.full(2, 10.0), np.ones(2), np.zeros(2))
    path.write_bytes(NIR[0]) if NIR else NIR.append(write_layer(layer, path, step_ms=1.0).read_bytes())
    path.write_bytes(mutated_bytes(rng, NIR[0], 2))
    found = read(import_nir, path)
    if found is not None and found.membrane_ms is not None:
        read(found.run, np.zeros((2, found.w.shape[0])), 1.0)


NIR = []


def test_a_text_that_says_it_is_four_gigabytes_long_takes_no_memory(tmp_path):
    pytest.importorskip("nir")
    h5py = pytest.importorskip("h5py")
    path = write_layer(Layer(np.ones((3, 2), np.float32), np.zeros(2, np.float32)), tmp_path / "layer.nir", step_ms=1.0)
    with h5py.File(path) as file:
        place = file["node/nodes/synapses/type"].id.get_offset()
    content = bytearray(path.read_bytes())
    content[place : place + 4] = b"\xf0\xff\xff\xff"
    path.write_bytes(content)
    before = peak()
    with pytest.raises(FormatError, match="node/nodes/synapses/type has a text of 4294967280 bytes"):
        import_nir(path)
    assert peak() - before < 1 << 17


RESULT = {"method": "soft", "prune": 0.3, "seed": 1, "validation": None, "test": 0.5, "readouts": {"validation": {}, "test": {"assigned": 0.5, "bayes": 0.5, "linear": 0.4}},
          "updates": 10, "pulses": 20, "pruned": 0.1, "seconds": 0.5}


def results(folder, seed):
    rng = np.random.default_rng(seed)
    line = json.dumps(mutated_values(rng, RESULT)).encode()
    path = folder / "results.jsonl"
    path.write_bytes(mutated_bytes(rng, line + b"\n" + line) if rng.random() < 0.5 else line)
    rows = read(read_results, path)
    if rows:
        summarise(rows)


OTHERS = {"imported": imported, "features": features, "nir": nir_graph, "results": results}


@pytest.mark.parametrize("name", OTHERS)
def test_some_files_of_others(name, tmp_path):
    pytest.importorskip("nir")
    for_each_seed(FEW // 2, lambda seed: OTHERS[name](tmp_path, seed))


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_many_files_of_others(name, tmp_path):
    pytest.importorskip("nir")
    for_each_seed(MANY, lambda seed: OTHERS[name](tmp_path, seed))
