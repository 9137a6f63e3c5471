"""Oracles that need no paper's number: cancellation, transfer, leakage, degenerate cells, float backpropagation."""

import dataclasses

import numpy as np
import pytest
import torch
from crossbar_cases import IDEAL, array, weights
from torch import nn

from hardwire.crossbar import Hybrid, LinearStep, Network, Pcm, PcmPair, Single, Update, device
from hardwire.crossbar.network import initial_weights

#: A PCM pair that takes any value exactly: what is left of a transfer is the tolerance.
FREE = Pcm(name="free", g_max=1e5, step=2e4)
EXACT = {"unit": 1.0, "tolerance": 1e-6, "most_pulses": 200, "least_share": 1e-12, "transfer_every": 10**9, "refresh_level": 1e3}


def intervals(inversion: bool, *, n: int, pulses: int, step: float, spread: float, shape=(60, 60)) -> np.ndarray:
    """Weights after ``n`` intervals of ``pulses`` random pulses of zero mean, each closed by a transfer."""
    capacitor = LinearStep(name="cap", step=step, low=-1000.0, high=1000.0, asymmetry_spread=spread)
    fast = array(Hybrid(capacitor=capacitor, pcm=FREE, inversion=inversion, **EXACT), shape)
    rng = np.random.default_rng(0)
    for _ in range(n):
        for _ in range(pulses):
            fast.pulses(rng.choice([-1, 1], shape))
        fast.transfer()
    return fast.weights


def rms(w) -> float:
    return float(np.sqrt((w**2).mean()))


def test_without_inversion_asymmetry_adds_up():
    n, k, d, sigma = 12, 150, 1e-3, 0.2
    assert rms(intervals(False, n=n, pulses=k, step=d, spread=sigma)) == pytest.approx(n * k * d * sigma, rel=0.05)


def test_with_inversion_only_the_random_walk_is_left():
    n, k, d = 12, 150, 1e-3
    assert rms(intervals(True, n=n, pulses=k, step=d, spread=0.2)) == pytest.approx(d * np.sqrt(n * k), rel=0.05)


def test_an_odd_interval_is_left_over():
    n, k, d, sigma = 5, 200, 1e-3, 0.2
    expected = np.sqrt((k * d * sigma) ** 2 + d**2 * n * k)
    assert rms(intervals(True, n=n, pulses=k, step=d, spread=sigma)) == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("inversion", [True, False])
def test_transfer_keeps_the_weights(inversion):
    """Silent devices: what a transfer changes is at most half a step of the capacitor; g holds what the pair missed."""
    cell = Hybrid(capacitor=device("capacitor_ideal"), pcm=device("pcm_gst", cycle_noise=0.0, read_noise=0.0, drift=0.0),
                  inversion=inversion, tolerance=2.0)
    fast = array(cell, (40, 30))
    fast.weights = weights((40, 30), 1)
    fast.pulses(np.random.default_rng(2).integers(-150, 151, (40, 30)))
    for _ in range(5):
        before, polarity = fast.weights, int(fast.state.reading.gain[0])
        fast.transfer()
        assert np.abs(fast.weights - before).max() <= 0.5 * cell.capacitor.step / cell.unit * 1.001
        assert int(fast.state.reading.gain[0]) == (-polarity if inversion else polarity)
        assert np.abs(fast.state.reading.g).max() <= cell.tolerance + cell.capacitor.step  # the residual, and no more
    assert fast.counters["unconverged"] == 0


def test_transfer_with_every_noise_keeps_the_weights_to_the_noise():
    fast = array(Hybrid(), (60, 50))
    fast.weights = weights((60, 50), 3)
    before = fast.weights
    fast.transfer()
    read = np.sqrt(fast.state.reading.noise.mean()) / fast.cell.unit
    change = fast.weights - before
    assert abs(np.mean(change)) < 0.2 * change.std() and np.median(np.abs(change)) < 3 * read


def test_leakage_is_exponential():
    tau = 1234.5
    capacitor = LinearStep(name="leaky", step=0.01, low=-10.0, high=10.0, lifetime=tau)
    fast = array(Single(device=dataclasses.replace(capacitor, relative=True)), (50, 40))
    fast.state.reading.g[:] = np.random.default_rng(0).uniform(-5, 5, (50, 40))
    start, elapsed = fast.state.reading.g.astype(float), 0
    for more in (1, 9, 990, 2000):
        fast.leak(more)
        elapsed += more
        np.testing.assert_allclose(fast.state.reading.g, start * np.exp(-elapsed / tau), rtol=1e-6)


def test_leakage_leads_to_the_offset_at_each_devices_rate():
    capacitor = device("capacitor_vlsi2018", lifetime=100.0, leak_to=-2.0, leak_to_spread=0.5)
    fast = array(Hybrid(capacitor=capacitor), (50, 40))
    start, leak = fast.state.reading.g.astype(float), fast.state.capacitor.leakage.astype(float)
    fast.leak(70)
    np.testing.assert_allclose(fast.state.reading.g, leak[..., 0] + (start - leak[..., 0]) * np.exp(-70 * leak[..., 1]), rtol=1e-6, atol=1e-6)
    assert 1 / leak[..., 1].mean() == pytest.approx(100, rel=0.15) and leak[..., 0].mean() == pytest.approx(-2, abs=0.05)


def test_leak_in_training_is_the_leak_of_its_examples():
    cell = Hybrid(capacitor=device("capacitor_ideal", lifetime=500.0), leak_every=10)
    fast = array(cell, (4, 3))
    fast.state.reading.g[:] = 3.0
    for _ in range(95):
        fast.update(np.zeros(4), np.zeros(3), 0.1)
    np.testing.assert_allclose(fast.state.reading.g, 3.0 * np.exp(-90 / 500), rtol=1e-5)  # the last five wait for the tenth


def test_without_its_pcm_the_hybrid_is_the_capacitor_alone():
    """F -> 0: the pair counts for nothing, and the same pulses move the capacitor alone."""
    capacitor = device("capacitor_vlsi2018")
    tiny = Hybrid(capacitor=capacitor, pcm=Pcm(name="tiny", g_max=1e3, step=1.0), factor=0.01, transfer_every=10**9, unit=40.0)
    alone = Single(device=capacitor, unit=40.0)
    one, two = array(tiny, (8, 6)), array(alone, (8, 6))
    for a, devices in ((one, one.state.capacitor), (two, two.state.device)):
        devices.constants[:] = capacitor.sample((8, 6), np.random.default_rng(9))
        devices.leakage[..., 1] = 0
        a.rng[0] = 77
    rng = np.random.default_rng(5)
    for _ in range(300):
        x, d = rng.standard_normal(8), rng.standard_normal(6)
        one.update(x, d, 0.005)
        two.update(x, d, 0.005)
    np.testing.assert_allclose(one.weights, two.weights, atol=1e-6)
    assert two.weights.std() > 0.02


def test_with_g_frozen_only_transfers_are_left():
    """No update pulse moves the weights: two PCM alone, which the update of this cell never reaches."""
    cell = Hybrid(capacitor=device("capacitor_ideal", step=1e-6), transfer_every=10**9)
    fast = array(cell, (8, 6))
    fast.state.reading.g[:] = 0
    before = fast.weights
    fast.pulses(np.full((8, 6), 50))
    np.testing.assert_allclose(fast.weights, before, atol=2e-6)


def test_pcm_alone_moves_only_up_and_by_its_own_step():
    pcm = Pcm(name="even", g_max=25.0, step=0.1)
    fast = array(PcmPair(pcm=pcm, unit=1.0, refresh_every=10**9), (5, 4))
    counts = np.random.default_rng(0).integers(-100, 101, (5, 4))
    fast.pulses(counts)
    np.testing.assert_allclose(fast.weights, 0.1 * counts, atol=1e-3)
    fast.pulses(-counts)
    np.testing.assert_allclose(fast.weights, 0, atol=1e-3)
    np.testing.assert_allclose(fast.state.pair.g.sum(-1), 0.2 * np.abs(counts), atol=1e-3)  # both went up
    fast.pulses(np.full((5, 4), 1000))
    np.testing.assert_allclose(fast.state.pair.g[..., 0], 25.0)  # saturated


def torch_reference(sizes, activation, seed):
    layers = []
    for k, w in enumerate(initial_weights(sizes, seed)):
        linear = nn.Linear(w.shape[0] - 1, w.shape[1])
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(w[:-1].T))
            linear.bias.copy_(torch.from_numpy(w[-1]))
        layers += [linear] + ([activation()] if k + 2 < len(sizes) else [])
    return nn.Sequential(*layers)


@pytest.mark.parametrize("name, activation", [("sigmoid", nn.Sigmoid), ("tanh", nn.Tanh), ("relu", nn.ReLU)])
@pytest.mark.parametrize("cell", ["single", "hybrid"])
def test_ideal_devices_are_float_backpropagation(cell, name, activation):
    ideal = device("ideal")
    cells = {"single": Single(device=ideal),
             "hybrid": Hybrid(capacitor=ideal, pcm=FREE, update=Update(rule="exact"),
                              **EXACT | {"unit": 40.0, "tolerance": 0.5, "transfer_every": 20})}
    sizes = [12, 9, 7, 4]
    network = Network(sizes, cells[cell], ahead=IDEAL, activation=name, seed=3)
    linears = torch_reference(sizes, activation, 3)
    rng = np.random.default_rng(4)
    x, y = rng.random((100, 12)).astype(np.float32), rng.integers(0, 4, 100)
    loss, _ = network.train(x, y, 0.1)
    losses, optimizer = [], torch.optim.SGD(linears.parameters(), lr=0.1)
    for sample, label in zip(torch.from_numpy(x), torch.from_numpy(y)):
        optimizer.zero_grad()
        losses.append(nn.functional.cross_entropy(linears(sample[None]), label[None]))
        losses[-1].backward()
        optimizer.step()
    assert loss == pytest.approx(torch.stack(losses).mean().item(), rel=1e-5)
    for w, linear in zip(network.weights, [m for m in linears if isinstance(m, nn.Linear)]):
        expected = torch.cat([linear.weight.T, linear.bias[None]]).detach().numpy()
        np.testing.assert_allclose(w, expected, atol=3e-6)
    assert np.abs(network.weights[0] - initial_weights(sizes, 3)[0]).max() > 0.01


def test_requested_and_obtained_change():
    """As in Extended Data Fig. 2: the hybrid cell follows the requests closely, 2 PCM alone fan out."""
    rng, correlation = np.random.default_rng(0), {}
    for name, cell, scale in (("hybrid", Hybrid(), 40), ("pair", PcmPair(), 1)):
        fast = array(cell, (50, 40))
        fast.weights = weights((50, 40), 1)
        before, requested = fast.weights, np.zeros((50, 40))
        for _ in range(10):
            counts = np.round(scale * rng.standard_normal((50, 40))).astype(int)
            fast.pulses(counts)
            fast.transfer()
            requested += counts
        correlation[name] = np.corrcoef(requested.ravel(), (fast.weights - before).ravel())[0, 1]
    assert correlation["hybrid"] > 0.9 > 0.75 > correlation["pair"]
