"""The kernels against their slow reference, bit for bit, and the exact oracles of the rule, of pruning and of the array's counts."""

import itertools

import numpy as np
import pytest

from hardwire.spiking.diehl_cook import DiehlCookNetwork
from hardwire.spiking.kernels import diehl_cook, reference
from hardwire.spiking.kernels import steps as kernel
from hardwire.spiking.kernels.cells import TALLY
from hardwire.spiking.kernels.learning import Rule, fixed_point, learn_spike
from hardwire.spiking.network import OneSidedNetwork
from hardwire.spiking.settings import SpikingSettings, preset

SMALL = {"outputs": 9, "burn_in": 4, "steps": 25, "ltp": 0.1, "ltd": 0.03, "theta_step": 0.1, "rate_end": 1.0,
         "mature_by": "spikes", "cells": "digital"}
VARIANTS = {
    "ideal": {"cells": "ideal"}, "scaled": {"cells": "ideal", "scaling": 0.7, "gain_end": 4.0, "rate_end": 0.3},
    "no bias": {"cells": "ideal", "bias": False}, "two bits": {"bits": 2}, "binary code": {"bits": 3, "code": "binary"},
    "poor cells": {"bits": 2, "write_failure": 0.2, "failure_spread": 1.0, "endurance": 4.0, "endurance_spread": 0.5, "stuck": 0.1,
                   "attempts": 3},
    "analog": {"cells": "analog", "step_spread": 0.3, "cycle_noise": 0.5, "bound_spread": 0.2},
    "soft bounds": {"cells": "analog", "analog_device": "reram_sb", "cycle_noise": 0.4},
    "analog levels": {"cells": "analog", "levels": 12, "cycle_noise": 0.3},
    "lif": {"cells": "ideal", "neuron": "lif", "w_low": 0.0, "w_high": 0.5, "threshold": 0.5},
    "lif inhibited": {"bits": 2, "neuron": "lif", "w_low": 0.0, "w_high": 0.8, "threshold": 0.3, "inhibition": 3},
}


def images(rng, samples=12, pixels=30):
    return (rng.integers(100, 256, (samples, pixels)) * (rng.random((samples, pixels)) < 0.4)).astype(np.uint8)


def both(settings, rng, **options):
    """Networks that the kernel and the reference have trained on the same samples, and their counts."""
    x, made = images(rng), []
    for run in (kernel.run_chunk, lambda *a: reference.run_chunk(*a, **options)):
        net = OneSidedNetwork(settings, x.shape[1], 24)
        counts = np.zeros((len(x), settings.outputs), np.uint16)
        with np.errstate(over="ignore"):
            run(x, net.chance, 3, np.uint64(settings.seed), net.cells, net.outputs, net.timing, net.neuron(0.4), net.rule(0.4), True,
                counts, net.tally)
        made.append((net, counts))
    return made


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("seed", [0, 5])
def test_the_kernel_is_its_reference(name, seed, rng):
    (fast, counts), (slow, expected) = both(SpikingSettings(**(SMALL | VARIANTS[name] | {"seed": seed})), rng)
    assert expected.sum() > 20
    assert np.array_equal(counts, expected)
    for array, own in fast.arrays().items():
        assert np.array_equal(own, slow.arrays()[array]), array


def test_the_reference_records_every_spike(rng):
    record = []
    _, (net, counts) = both(SpikingSettings(**(SMALL | {"cells": "ideal"})), rng, record=record)
    kinds = [kind for _, _, kind, _ in record]
    assert kinds.count("out") == counts.sum() == net.tally[TALLY.index("output_spikes")]
    assert kinds.count("in") == net.tally[TALLY.index("input_spikes")]


@pytest.mark.parametrize("learn", [True, False])
def test_diehl_and_cook_is_its_reference(learn, rng):
    x, made = images(rng, 4, 60), []
    for run in (diehl_cook.run_chunk, reference.run_diehl_cook):
        net = DiehlCookNetwork(preset("mnist", "triplet").with_text("outputs=7\nnorm=12", "test"), 60, 4)
        counts = np.zeros((4, 7), np.uint16)
        run(x, net.chance, 0, np.uint64(1), net.w, net.membranes, np.float32(0.05), np.float32(12), learn, counts, net.tally)
        made.append((net, counts))
    (fast, counts), (slow, expected) = made
    assert expected.sum(1).min() >= diehl_cook.LEAST_SPIKES
    assert np.array_equal(counts, expected)
    for array, own in fast.arrays().items():
        assert np.array_equal(own, slow.arrays()[array]), array


def test_chunks_do_not_change_a_run(rng):
    x, settings = images(rng), SpikingSettings(**(SMALL | {"cells": "ideal", "gain_end": 1.0}))
    whole, parts = (OneSidedNetwork(settings, x.shape[1], 100) for _ in range(2))
    counts = whole.learn(x, 0)
    cut = [parts.learn(x[a:b], a) for a, b in itertools.pairwise((0, 5, 6, 12))]
    assert np.array_equal(counts, np.concatenate(cut))
    assert np.array_equal(whole.cells.w, parts.cells.w)


def test_potentials_are_sums_of_weights(rng):
    """What the kernel updates by events stays the sum over active inputs."""
    x, settings = images(rng), SpikingSettings(**(SMALL | {"cells": "ideal"}))
    net = OneSidedNetwork(settings, x.shape[1], 100)
    work, state = kernel.workspace(*net.cells.w.shape), np.ones(1, np.uint64)
    for sample in x:
        kernel.present(sample, net.chance, net.cells, net.outputs, net.timing, net.neuron(0.0), net.rule(0.0), True,
                       np.zeros(settings.outputs, np.uint16), net.tally, state, work)
        assert np.allclose(work.potential, work.active @ net.cells.w, atol=1e-5)


# The rule


def simulate_rule(p, rule, updates, seed=0):
    """Mean and deviation of a synapse whose input is active at a share ``p`` of the output's spikes."""
    rng = np.random.default_rng(seed)
    net = OneSidedNetwork(SpikingSettings(cells="ideal", outputs=1, inputs=400), 400, 1)
    state, kept = np.ones(1, np.uint64), []
    for step in range(updates):
        learn_spike(0, (rng.random(401) < p).astype(np.uint8), net.cells, net.outputs, rule, state, net.tally)
        if step > updates // 2:
            kept.append(net.cells.w[:, 0].mean(dtype=np.float64))
    return np.mean(kept)


@pytest.mark.parametrize("p", [0.3, 0.5, 0.7])
def test_weights_fix_wiring_at_the_fixed_point(p):
    rule = Rule(np.float32(0.002), np.float32(3), np.float32(0.0005), 0.0, 100.0)
    assert simulate_rule(p, rule, 40_000) == pytest.approx(fixed_point(p, rule), abs=0.003)


def test_the_bias_of_the_fixed_point_vanishes_with_the_step():
    def bias(step):
        rule = Rule(np.float32(4 * step), np.float32(3), np.float32(step), 0.0, 100.0)
        return abs(simulate_rule(0.7, rule, 8000) - fixed_point(0.7, rule))

    assert bias(0.001) < bias(0.02) < 0.05


def test_fixed_points_are_clipped():
    rule = Rule(np.float32(0.01), np.float32(3), np.float32(0.002), 0.0, 100.0)
    assert fixed_point([0, 1, 1e-9], rule).tolist() == [-1, 1, -1]


# Pruning


@pytest.mark.parametrize("method", ["soft", "zero", "random"])
@pytest.mark.parametrize("cells", [{"cells": "ideal"}, {"bits": 2}, {"cells": "analog", "cycle_noise": 0.5}])
def test_frozen_weights_never_change_and_updates_fall_by_their_share(method, cells, rng):
    x = images(rng, 60)
    settings = SpikingSettings(**(SMALL | cells | {"method": method, "prune": 0.6, "mature_at": 40}))
    net, seen = OneSidedNetwork(settings, x.shape[1], 60), {}
    for first in range(0, 60, 10):
        before = (net.outputs.spikes.copy(), net.outputs.updates.copy(), net.outputs.frozen.sum(axis=0))
        net.learn(x[first : first + 10], first)
        fired = net.outputs.spikes - before[0]
        assert np.array_equal(net.outputs.updates - before[1], fired * (31 - before[2]))
        for k in np.flatnonzero(net.pruned_at >= 0):
            kept = net.cells.w[net.outputs.frozen[:, k], k].tobytes()
            assert seen.setdefault(k, kept) == kept
    assert len(seen) >= 3 and all(net.checks().values())
    assert (net.outputs.frozen.sum(axis=0)[list(seen)] == round(0.6 * 31)).all()
    if method != "random":
        assert set(net.cells.w[net.outputs.frozen].tolist()) == {-1.0 if method == "soft" else 0.0}


def test_an_output_is_pruned_when_it_is_mature(rng):
    x = images(rng, 40)
    net = OneSidedNetwork(SpikingSettings(method="soft", prune=0.5, mature_at=40, **SMALL), x.shape[1], 40)
    for first in range(0, 40, 5):
        net.learn(x[first : first + 5], first)
        assert np.array_equal(net.pruned_at >= 0, net.outputs.spikes >= 40)


def test_by_default_all_outputs_are_mature_after_half_of_training(rng):
    x = images(rng, 40)
    net = OneSidedNetwork(SpikingSettings(**(SMALL | {"method": "soft", "prune": 0.5, "mature_by": "samples"})), x.shape[1], 40)
    for first in range(0, 40, 5):
        net.learn(x[first : first + 5], first)
        assert (net.pruned_at >= 0).all() == (first + 5 >= 20) and (net.pruned_at >= 0).any() == (first + 5 >= 20)


def test_pruning_after_training(rng):
    x = images(rng)
    net = OneSidedNetwork(SpikingSettings(method="zero-after", prune=0.5, **SMALL), x.shape[1], len(x))
    net.learn(x, 0)
    assert not net.outputs.frozen.any()
    net.finish()
    assert (net.outputs.frozen.sum(axis=0) == 16).all() and (net.cells.w[net.outputs.frozen] == 0).all()


# The array's counts


@pytest.mark.parametrize("code", ["gray", "binary"])
@pytest.mark.parametrize("device", [{}, {"write_failure": 0.3, "attempts": 2, "stuck": 0.05}])
def test_bit_flips_equal_a_recount_from_snapshots(code, device, rng):
    """One output spike a sample, so that no bit can flip to and fro between two snapshots."""
    x = images(rng, 40)
    settings = SpikingSettings(**(SMALL | {"steps": 5, "bits": 3, "code": code, "ltp": 0.3, "ltd": 0.2, "arrays": 1} | device))
    net = OneSidedNetwork(settings, x.shape[1], 40)
    sets = resets = 0
    for s in range(40):
        before = net.cells.code[net.cells.level].copy()
        net.learn(x[s : s + 1], s)
        after = net.cells.code[net.cells.level]
        sets += np.unpackbits(after & ~before).sum()
        resets += np.unpackbits(before & ~after).sum()
    counted = dict(zip(TALLY, net.tally.tolist()))
    assert (counted["sets"], counted["resets"]) == (sets, resets) and min(sets, resets) > 50
    assert counted["pulses"] == net.cells.wear.sum() >= sets + resets
    assert (counted["pulses"] == sets + resets) == (not device)
    assert (counted["failures"] > 0) == bool(device)


def test_gray_neighbours_differ_in_one_cell(rng):
    """Steps smaller than a level move to a neighbour at most, and so program one cell."""
    x = images(rng, 40)
    settings = SpikingSettings(**(SMALL | {"steps": 5, "bits": 4, "ltp": 0.1, "ltd": 0.1}))
    net = OneSidedNetwork(settings, x.shape[1], 40)
    moved = 0
    for s in range(40):
        before = net.cells.level.copy()
        net.learn(x[s : s + 1], s)
        moved += (before != net.cells.level).sum()
    assert net.tally[TALLY.index("pulses")] == moved > 100


def test_stuck_cells_keep_their_bit(rng):
    x = images(rng)
    net = OneSidedNetwork(SpikingSettings(bits=2, stuck=1.0, **SMALL), x.shape[1], 12)
    before = net.cells.w.copy()
    net.learn(x, 0)
    assert np.array_equal(net.cells.w, before)
    assert net.tally[TALLY.index("pulses")] == net.tally[TALLY.index("failures")] > 0
