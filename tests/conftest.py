"""What all tests share: one thread unless a test says otherwise, and one tiny trained network for the session."""

import numpy as np
import pytest


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def no_synchronising():
    """Files of tests need not outlive the machine; tests of what is left after a loss of power synchronise again."""
    import os

    real, os.fsync = os.fsync, lambda file: None
    yield real
    os.fsync = real


@pytest.fixture(scope="session")
def digits():
    from hardwire import load_dataset

    return load_dataset("digits", seed=0)


@pytest.fixture(scope="session")
def trained(digits):
    """A small digits network, trained for a moment: well above chance, with gates of every kind."""
    from hardwire.logic import LogicSettings, train

    return train(LogicSettings(width=300, layers=2, levels=3, steps=150, evaluate_every=50, batch=64), digits)


@pytest.fixture(scope="session")
def lowered(trained, digits):
    """The trained network as one circuit, from pixel to class."""
    from hardwire import lower

    return lower(trained.network, trained.encoder, name="digits", labels=digits.classes, features=digits.features)


@pytest.fixture(scope="session")
def demo_circuit(tmp_path_factory):
    """What ``hardwire demo`` trains and optimises; for slow tests."""
    from hardwire.circuit import load_circuit
    from hardwire.logic import settings as presets
    from hardwire.logic.record import LOGIC
    from hardwire.runs.experiment import train
    from hardwire.workflow.logic import lower_run, optimize_run

    folder = tmp_path_factory.mktemp("demo") / "run"
    train(LOGIC, presets.search_preset("digits").changed(**presets.DEMO_SEARCH), folder)
    lower_run(folder)
    optimize_run(folder)
    return load_circuit(folder / "optimized.net")
