"""Every kernel against its slow reference: the same random words, so whole trainings are compared, noise and all."""

import numpy as np
import pytest
from crossbar_cases import CELLS, IDEAL, NOISY, array, weights

from hardwire.crossbar import Hybrid, Periphery, Single, Update, device
from hardwire.crossbar.kernels.state import fields_of

cells = pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)


def same_state(fast, slow, tolerance=2e-4):
    expected = dict(fields_of(slow.s))
    for name, value in fields_of(fast.state):
        if name == "tile.control":
            assert value["examples"] == expected[name]["examples"] == slow.examples
        elif name == "tile.rng":
            assert int(value[0]) == slow.words.state
        else:
            np.testing.assert_allclose(value, expected[name], rtol=tolerance, atol=tolerance, err_msg=name)


def step(fast, slow, x, d, lr):
    np.testing.assert_allclose(fast.forward(x), slow.forward(x), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(fast.backward(d), slow.backward(d), rtol=1e-4, atol=1e-4)
    fast.update(x, d, lr)
    slow.update(x, d, lr)


@cells
@pytest.mark.parametrize("periphery", [IDEAL, NOISY], ids=["ideal", "noisy"])
def test_a_training_is_the_references(cell, periphery):
    fast = array(cell, ahead=periphery, back=periphery, block=(4, 3))
    fast.weights = weights()
    slow = fast.reference()
    rng = np.random.default_rng(1)
    for k in range(16):
        x = rng.standard_normal(6).astype(np.float32) * (rng.random(6) < 0.7)
        d = rng.standard_normal(5).astype(np.float32) * (rng.random(5) < 0.8) * (k != 3)
        step(fast, slow, x.astype(np.float32), d.astype(np.float32), 0.02)
    same_state(fast, slow)
    assert np.abs(fast.weights - weights()).max() > 0.02  # something was learned


@cells
@pytest.mark.parametrize("shape", [(1, 1), (3, 17), (33, 2)])
def test_odd_shapes(cell, shape):
    fast = array(cell, shape, ahead=NOISY, block=(2, 5))
    slow = fast.reference()
    rng = np.random.default_rng(2)
    for _ in range(8):
        step(fast, slow, rng.random(shape[0]).astype(np.float32), rng.standard_normal(shape[1]).astype(np.float32), 0.05)
    same_state(fast, slow)


def test_nothing_is_learned_from_nothing():
    fast = array(Hybrid(transfer_every=100))
    before = fast.weights
    for x, d, lr in ((np.zeros(6), np.ones(5), 0.1), (np.ones(6), np.zeros(5), 0.1), (np.ones(6), np.ones(5), 0.0)):
        fast.update(x, d, lr)
    np.testing.assert_array_equal(fast.weights, before)
    assert fast.counters["pulses_up"] == fast.counters["pulses_down"] == 0
    assert not fast.forward(np.zeros(6)).any() and not fast.backward(np.zeros(5)).any()


def test_bound_management_finds_the_range():
    big = Periphery(output_bits=0, output_bound=1.0)
    fast = array(CELLS["hybrid ideal"], ahead=big)
    fast.weights = np.full((6, 5), 2.0)
    np.testing.assert_allclose(fast.forward(np.ones(6)), 12.0, rtol=0.02)  # 12 times the bound of 1
    cut = Periphery(output_bits=0, output_bound=1.0, manage_bound=False)
    alone = array(CELLS["hybrid ideal"], ahead=cut)
    alone.weights = np.full((6, 5), 2.0)
    np.testing.assert_allclose(alone.forward(np.ones(6)), 1.0)


def test_noise_management_saves_small_inputs():
    w = weights((40, 20), 3)
    found = []
    for manage in (True, False):
        fast = array(CELLS["hybrid ideal"], (40, 20), ahead=Periphery(output_bits=0, output_noise=0.05, manage_noise=manage))
        fast.weights = w
        x = 1e-3 * np.random.default_rng(4).random(40)
        found.append(np.abs(fast.forward(x) - x @ w).mean() / np.abs(x @ w).mean())
    assert found[0] < 0.2 < 5 < found[1]


def test_each_block_is_converted_by_itself():
    """Quantisation of the sum differs from the sum of quantised parts."""
    io, w, x = Periphery(input_bits=0, output_bits=4, output_bound=2.0, manage_noise=False), weights((8, 5), 5), np.ones(8)
    step = 4 / 14
    for rows in (8, 3):
        fast = array(CELLS["hybrid ideal"], (8, 5), ahead=io, block=(rows, 5))
        fast.weights = w
        parts = [fast.weights[first : first + rows].sum(0) for first in range(0, 8, rows)]
        np.testing.assert_allclose(fast.forward(x), sum(np.round(p / step) * step for p in parts), atol=1e-5)


def test_device_read_noise_has_its_variance():
    pcm = device("pcm_gst", read_noise=40.0, drift=0.0)
    fast = array(Hybrid(pcm=pcm), (30, 4))
    fast.weights = weights((30, 4), 6, 0.4)
    x = np.random.default_rng(7).random(30)
    y = fast.forward(np.tile(x, (4000, 1)))
    expected = np.sqrt((x**2) @ fast.state.reading.noise) / fast.cell.unit
    np.testing.assert_allclose(y.std(0), expected, rtol=0.08)
    np.testing.assert_allclose(y.mean(0), x @ fast.weights, atol=5 * expected.max() / np.sqrt(4000))


def test_expected_change_and_its_variance():
    """E = lr x d and Var = step^2 slots q (1 - q), q = P(row) P(column), of Gokmen and Vlasov."""
    step, lr, slots, n = 0.001, 0.02, 10, 20_000
    cell = Single(device=device("constant_ideal"), update=Update(slots=slots, manage_length=False))
    fast = array(cell, (3, 2))
    x, d = np.array([1.0, 0.5, 0.25]), np.array([0.4, -0.1])
    changes = np.empty((n, 3, 2))
    for k in range(n):
        fast.state.reading.g[:] = 0
        fast.update(x, d, lr)
        changes[k] = fast.weights
    mean = -lr * np.outer(x, d)
    q = np.abs(mean) / (step * slots)
    deviation = step * np.sqrt(slots * q * (1 - q))
    np.testing.assert_allclose(changes.mean(0), mean, atol=4.5 * (deviation / np.sqrt(n)).max())
    np.testing.assert_allclose(changes.std(0), deviation, rtol=0.05)


def test_counts_are_products():
    cell = Single(device=device("constant_ideal"), update=Update(rule="counts", nearest=True, manage_scale=False))
    fast = array(cell, (3, 2))
    gain = np.sqrt(0.04 / 0.001)  # of |x| and of |d|
    x, d = np.array([3, 1, 0.4]) / gain, np.array([2, -1]) / gain
    fast.update(x, d, 0.04)
    np.testing.assert_allclose(fast.weights, -0.001 * np.outer([3, 1, 0], [2, -1]), atol=1e-7)
