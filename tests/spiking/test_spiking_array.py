"""The array: its budget, how weights lie on cells, devices that differ; random numbers; encoding, read-outs, what is unimportant."""

from itertools import pairwise

import numpy as np
import pytest

from hardwire.core.errors import InputError
from hardwire.core.rng import word
from hardwire.devices.models import BinaryCell, LinearStep, SoftBounds
from hardwire.spiking.encoding import grey_levels, select_pixels, spike_chance
from hardwire.spiking.kernels import reference
from hardwire.spiking.kernels.cells import Pulse, moved_conductance, moved_level, write_level
from hardwire.spiking.kernels.neurons import exponential, lif_winner, soft_winner
from hardwire.spiking.kernels.noise import normal, start, uniform
from hardwire.spiking.pruning import unimportant
from hardwire.spiking.readout import fit_readout
from hardwire.spiking.synapses import (
    ARRAY_CELLS,
    bits_for,
    check_budget,
    code_of,
    make_cells,
)

F = np.float32


@pytest.mark.parametrize("bits, outputs", [(1, 1317), (2, 658), (4, 329), (5, 263), (6, 219), (8, 164)])
def test_the_array_holds_what_it_has_cells_for(bits, outputs):
    assert ARRAY_CELLS == 512 * 1024
    assert check_budget(398 * outputs, bits) <= ARRAY_CELLS
    assert bits_for(398 * outputs) == bits
    with pytest.raises(InputError, match="array"):
        check_budget(398 * (outputs + 1), bits)


def test_a_network_that_does_not_fit():
    with pytest.raises(InputError, match=r"600,000 weights do not fit on 1 array.*arrays = 2"):
        bits_for(600_000)
    with pytest.raises(InputError, match=r"597,000 cells.*bits = 2, or arrays = 2"):
        check_budget(199_000, 3)
    assert bits_for(600_000, arrays=3) == 2 and bits_for(100) == 8


@pytest.mark.parametrize("bits", range(1, 9))
def test_codes_are_permutations_and_gray_neighbours_differ_in_one_bit(bits):
    gray = code_of(1 << bits, "gray")
    assert sorted(gray) == list(range(1 << bits)) == list(code_of(1 << bits, "binary"))
    assert all(bin(int(a) ^ int(b)).count("1") == 1 for a, b in pairwise(gray))


def test_weights_lie_on_the_nearest_level(rng):
    w = rng.uniform(-1, 1, (20, 30))
    cells = make_cells(w, "digital", rng, bits=3)
    assert np.abs(cells.w - w).max() <= cells.spacing / 2 + 1e-6
    assert set(np.unique(cells.w)) <= set(cells.value) and cells.value[[0, -1]].tolist() == [-1, 1]
    assert np.array_equal(cells.decode[cells.code[cells.level]], cells.level)


def test_stochastic_rounding_keeps_the_mean():
    state, dw, spacing = np.ones(1, np.uint64), F(0.037), F(2 / 3)
    levels = [moved_level(np.uint8(1), dw, spacing, 3, state) for _ in range(20_000)]
    assert np.mean(levels) == pytest.approx(1 + dw / spacing, abs=4 * np.sqrt(0.0555 * 0.9445 / 20_000))
    assert {moved_level(np.uint8(3), F(5), spacing, 3, state), moved_level(np.uint8(0), F(-5), spacing, 3, state)} == {3, 0}


def test_writing_a_level_touches_cells_that_change_only(rng):
    cells, tally = make_cells(np.full((1, 1), -1.0), "digital", rng, bits=3, code="binary"), np.zeros(8, np.int64)
    for target, sets, resets in ((7, 3, 0), (5, 3, 1), (5, 3, 1), (2, 4, 3)):
        write_level(cells, 0, 0, np.uint8(target), np.ones(1, np.uint64), tally)
        assert (cells.level[0, 0], tally[5], tally[6], tally[4]) == (target, sets, resets, sets + resets)
        assert cells.w[0, 0] == cells.value[target]
    assert cells.wear[0, 0].tolist() == [2, 3, 2]


def test_attempts_mend_failures(rng):
    def failures(attempts):
        device = BinaryCell(write_failure=0.5, attempts=attempts)
        cells, tally = make_cells(np.full((50, 50), -1.0), "digital", rng, bits=1, device=device), np.zeros(8, np.int64)
        state = np.ones(1, np.uint64)
        for i in range(50):
            for k in range(50):
                write_level(cells, i, k, np.uint8(1), state, tally)
        return tally[7] / 2500

    assert failures(1) == pytest.approx(0.5, abs=0.05) and failures(4) == pytest.approx(1 / 16, abs=0.03)


def test_cells_end_their_life_after_their_endurance(rng):
    cells = make_cells(np.full((1, 1), -1.0), "digital", rng, bits=1, device=BinaryCell(endurance=5))
    for n in range(8):
        write_level(cells, 0, 0, np.uint8(1 - cells.level[0, 0]), np.ones(1, np.uint64), np.zeros(8, np.int64))
        assert cells.level[0, 0] == (1 if n >= 4 else (n + 1) % 2)


def test_spreads_are_lognormal_and_of_the_device(rng):
    cells = make_cells(np.zeros((100, 100)), "digital", rng, bits=1,
                       device=BinaryCell(write_failure=1e-3, failure_spread=0.5, endurance=1e6, endurance_spread=0.3, stuck=0.02))
    for drawn, median, sigma in ((cells.failure, 1e-3, 0.5), (cells.limit[cells.limit > 0], 1e6, 0.3)):
        assert np.log(drawn / median).mean() == pytest.approx(0, abs=0.02)
        assert np.log(drawn / median).std() == pytest.approx(sigma, rel=0.05)
    assert (cells.limit == 0).mean() == pytest.approx(0.02, abs=0.006)


def test_analog_cells_differ_as_their_device_says(rng):
    device = LinearStep(relative=True, step=0.01, low=-0.5, high=1.5, step_spread=0.2, bound_spread=0.1, asymmetry_spread=0.05)
    cells = make_cells(np.zeros((100, 100)), "analog", rng, device=device)
    tilt = (cells.up - cells.down) / (cells.up + cells.down)
    assert cells.up.std() == pytest.approx(np.hypot(0.2, 0.05), rel=0.05) and tilt.std() == pytest.approx(0.05, rel=0.05)
    assert cells.up.mean() == pytest.approx(1, abs=0.01) and cells.pulse.zero == F(-0.5)
    assert cells.high.mean() == pytest.approx(1, abs=0.01) and cells.high.std() == pytest.approx(0.15, rel=0.05)
    assert cells.low.mean() == pytest.approx(-1, abs=0.01) and cells.low.std() == pytest.approx(0.05, rel=0.05)


def test_an_analog_pulse(rng):
    state, plain, even = np.ones(1, np.uint64), (F(1), F(1), F(-1), F(1)), Pulse(*np.zeros(5, F))
    assert moved_conductance(F(0.5), F(0.1), *plain, even, state) == F(0.6)
    assert moved_conductance(F(0.5), F(0.1), F(2), *plain[1:], even, state) == F(0.7)
    assert moved_conductance(F(0.5), F(0.9), *plain, even, state) == 1
    noisy = [moved_conductance(F(0), F(0.1), *plain, even._replace(noise=F(0.3)), state) for _ in range(10_000)]
    assert np.mean(noisy) == pytest.approx(0.1, abs=0.001) and np.std(noisy) == pytest.approx(0.03, rel=0.05)


def test_steps_shrink_towards_soft_bounds(rng):
    cells = make_cells(np.zeros((1, 1)), "analog", rng, device=SoftBounds(relative=True, low=-0.75, high=1.25))
    state = np.ones(1, np.uint64)
    steps = {(w, dw): moved_conductance(F(w), F(dw), F(1), F(1), F(-1), F(1), cells.pulse, state) - F(w)
             for w in (-1, -0.25, 0.5, 1) for dw in (0.1, -0.1)}
    up, down = ([steps[w, dw] / dw for w in (-1, -0.25, 0.5, 1)] for dw in (0.1, -0.1))
    assert up == pytest.approx([1.6, 1, 0.4, 0], abs=1e-5) and down == pytest.approx([0, 1, 2, 8 / 3], abs=1e-5)


# Random numbers and functions of the neurons


def splitmix(state):
    """SplitMix64 in plain integers."""
    mask = 2**64 - 1
    state = state + 0x9E3779B97F4A7C15 & mask
    z = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & mask
    z = (z ^ z >> 27) * 0x94D049BB133111EB & mask
    return state, z ^ z >> 31


def test_the_generator_is_splitmix64():
    state, expected = np.array([12345], np.uint64), 12345
    for _ in range(5):
        expected, z = splitmix(expected)
        assert int(word(state)) == z and int(state[0]) == expected


def test_streams_of_samples_differ():
    state, seen = np.zeros(1, np.uint64), set()
    for seed in range(20):
        for index in range(50):
            start(state, np.uint64(seed), np.uint64(index))
            seen.add(int(word(state)))
    assert len(seen) == 1000


def test_uniform_and_normal_numbers():
    state = np.ones(1, np.uint64)
    u, z = (np.array([draw(state) for _ in range(20_000)], np.float64) for draw in (uniform, normal))
    assert u.min() >= 0 and u.max() < 1 and u.mean() == pytest.approx(0.5, abs=0.01)
    assert z.mean() == pytest.approx(0, abs=0.03) and z.std() == pytest.approx(1, abs=0.02) and np.abs(z).max() < 3.5


def test_the_exponential():
    x = np.linspace(-80, 0, 3001).astype(F)
    fast = np.array([exponential(v) for v in x])
    assert np.abs(fast / np.exp(x.astype(np.float64)) - 1).max() < 1e-5
    assert fast[-1] == 1 and exponential(F(-1e6)) == fast[0] and np.array_equal(fast, reference.exponential(x))


def test_the_soft_winner_is_drawn_from_the_softmax():
    rng = np.random.default_rng(1)
    u, theta, state, drawn = rng.normal(size=70).astype(F), rng.normal(size=70).astype(F), np.ones(1, np.uint64), np.zeros(70)
    scratch = np.zeros(70, F)
    for _ in range(60_000):
        drawn[soft_winner(u, theta, F(1.5), scratch, state)] += 1
    p = np.exp(1.5 * u.astype(np.float64) - theta)
    p /= p.sum()
    assert np.abs(drawn / 60_000 - p).max() < 5 * np.sqrt(p.max() / 60_000)


def test_the_lif_winner_is_the_farthest_above_its_threshold():
    v, theta = np.array([1, 3, 2.5], F), np.array([0, 2, 1], F)
    assert lif_winner(v, theta, F(0.5)) == 2 and lif_winner(v, theta, F(1.5)) == -1


# Encoding, read-out, importance


def test_pixels_are_those_of_the_largest_mean(rng):
    x = rng.integers(0, 5, (50, 20))
    x[:, [3, 7, 11]] += 100
    assert select_pixels(x, 3).tolist() == [3, 7, 11] and select_pixels(np.zeros((2, 5)), 2).tolist() == [0, 1]
    with pytest.raises(InputError, match="inputs = 21 of 20 features"):
        select_pixels(x, 21)


def test_grey_levels():
    x = np.array([[0, 128, 255]], np.uint8)
    assert grey_levels(x, 0, 255) is x
    assert grey_levels(np.array([[-1.0, 0, 8, 16, 99]]), 0, 16).tolist() == [[0, 0, 128, 255, 255]]


def test_inputs_fire_at_their_rate():
    chance = spike_chance(200.0, 1.0)
    assert chance[0] == 0 and chance[255] / 2**32 == pytest.approx(0.2) and chance[51] / 2**32 == pytest.approx(0.04)
    with pytest.raises(InputError, match="keep it above 0 and at most 1"):
        spike_chance(2000.0, 1.0)


def test_read_outs_of_outputs_that_know_their_class(rng):
    y = rng.integers(0, 4, 400)
    counts = rng.poisson(0.5, (400, 12)) + 6 * (np.arange(12) % 4 == y[:, None])
    readout = fit_readout(counts[:200], y[:200], 4)
    assert np.array_equal(readout.assigned, np.arange(12) % 4)
    assert min(readout.accuracy(counts[200:], y[200:]).values()) > 0.98
    assert np.exp(readout.evidence).sum(axis=1) == pytest.approx(1)


def test_what_is_unimportant():
    w = np.array([-0.9, 0.8, 0.0, -0.1, -0.9], F)
    assert unimportant(w, 0.4).tolist() == [0, 4] and unimportant(w, 0.4, "magnitude").tolist() == [2, 3]
    assert unimportant(w, 0.2).tolist() == [0] and len(unimportant(w, 1.0)) == 5 and len(unimportant(w, 0.0)) == 0
