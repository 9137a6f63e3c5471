"""Cells, blocks, converters and updates that cannot be: one clear sentence each; and what they hand to the kernels."""

import numpy as np
import pytest
from crossbar_cases import CELLS, IDEAL, array

from hardwire.core.errors import InputError
from hardwire.crossbar import (
    Chip,
    Hybrid,
    MixedPrecision,
    Network,
    PcmPair,
    Periphery,
    Single,
    TikiTaka,
    Update,
    device,
)
from hardwire.crossbar.cells import CELLS as KINDS
from hardwire.crossbar.cells import assumed


@pytest.mark.parametrize("make, message", [
    (lambda: Hybrid(factor=0.0), "factor = 0.0; give a positive number"),
    (lambda: Hybrid(factor=0.1), "the pair must be the more significant part"),
    (lambda: Hybrid(transfer_every=0), "transfer_every = 0; give a whole number"),
    (lambda: Hybrid(transfer_every=8000.0), "transfer_every = 8000.0"),
    (lambda: Hybrid(tolerance=-1.0), "tolerance = -1.0"),
    (lambda: Hybrid(pcm=device("gokmen_vlasov")), "pcm is 'gokmen_vlasov', a LinearStep; give a Pcm, such as 'pcm_gst'"),
    (lambda: Hybrid(capacitor=device("gokmen_vlasov")), "relative conductances"),
    (lambda: Hybrid(capacitor=device("pcm_gst")), "capacitor is 'pcm_gst'"),
    (lambda: Hybrid(readings=0), "readings = 0"),
    (lambda: PcmPair(update=Update(rule="exact")), "a PCM device is pulsed"),
    (lambda: TikiTaka(version=3), "version = 3; give 1 or 2"),
    (lambda: TikiTaka(slow=device("ideal")), "an ideal device has no pulses"),
    (lambda: TikiTaka(momentum=1.0), "momentum"),
    (lambda: Single(device=device("pcm_gst")), "device is 'pcm_gst'"),
    (lambda: Single(unit=0.0), "unit = 0.0"),
    (lambda: Update(rule="magic"), "none of exact, stochastic, counts"),
    (lambda: Update(slots=32), "give 1 to 31 slots"),
    (lambda: Periphery(output_bits=1, output_bound=1.0), "give 2 to 24 bits"),
    (lambda: Periphery(output_bits=8), "without output_bound"),
    (lambda: Periphery(output_bits=0, output_noise=-0.1), "output_noise = -0.1"),
    (lambda: Chip(blocks=0), "blocks = 0"),
    (lambda: Network([3], Single()), "two or more"),
    (lambda: Network([3, 2], Single(), activation="step"), "none of sigmoid, tanh, relu"),
    (lambda: Network([528, 250, 125, 10], Hybrid(), chip=Chip(blocks=3)),
     "layer 3 of 126 x 10 synapses needs 1 blocks of 512 x 512, the chip has 0 of 3 left"),
])
def test_mistakes_are_one_sentence(make, message):
    with pytest.raises(InputError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("act, message", [
    (lambda a: a.forward(np.ones(5)), "inputs of shape"),
    (lambda a: a.backward(np.ones(6)), "gradients of shape"),
    (lambda a: a.update(np.ones(6), np.ones(5), float("nan")), "learning rate nan"),
    (lambda a: a.pulses(np.ones((5, 6))), "pulses of shape"),
    (lambda a: setattr(a, "weights", np.full((6, 5), np.nan)), "give finite ones"),
    (lambda a: a.wait(-1.0), "cannot wait -1.0 s"),
    (lambda a: array(Single()).transfer(), "nothing to transfer; take Hybrid or PcmPair"),
])
def test_what_an_array_refuses(act, message):
    with pytest.raises(InputError, match=message):
        act(array(Hybrid()))


def test_a_chip_counts_its_blocks():
    chip = Chip(blocks=4)
    assert chip.needs(513, 512) == 2 and chip.needs(512, 513) == 2 and chip.needs(1, 1) == 1
    Network([528, 250, 125, 10], Single(device=device("ideal")), ahead=IDEAL, chip=chip)
    assert chip.used == 4 and [name for name, *_ in chip.placed] == ["1", "2", "3"]  # 529 rows take two blocks


def test_the_network_of_the_paper_has_its_synapses():
    assert Network([528, 250, 125, 10], Single(device=device("ideal")), ahead=IDEAL).synapses == 164_885
    assert Network([2048, 100], Single(device=device("ideal")), ahead=IDEAL).synapses == 204_900


def test_assumed_parameters_are_told():
    found = assumed(Hybrid())
    assert found["pcm.read_noise"] == Hybrid().pcm.read_noise and {"unit", "tolerance", "capacitor.leak_to"} <= set(found)
    assert "factor" not in found and assumed(Single()) == {}


def test_fresh_pairs_read_as_their_difference():
    fast = array(Hybrid())
    stored = fast.state.pair.g.astype(float)
    np.testing.assert_allclose(fast.weights, 4.0 * (stored[..., 0] - stored[..., 1]) / 40, rtol=1e-5)
    assert (stored > 0).all() and (fast.state.reading.noise > 0).all()


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_the_seed_makes_the_array(cell):
    one, two, other = (array(cell, seed=s).arrays() for s in (3, 3, 4))
    assert all(np.array_equal(one[k], two[k]) for k in one)
    assert any(not np.array_equal(one[k], other[k]) for k in one)


def test_drift_is_a_power_law_that_composes():
    one, two = array(Hybrid()), array(Hybrid())
    for a in (one, two):
        a.state.pair.g[:] = 12.0  # nu's mean and spread are the same from a third of g_max on
    for seconds in (10.0, 90.0, 900.0):
        one.wait(seconds)
    two.wait(1000.0)
    np.testing.assert_allclose(one.state.pair.g, two.state.pair.g, rtol=1e-5)
    nu = -np.log(two.state.pair.g / 12.0) / np.log(1020 / 20)
    np.testing.assert_allclose(nu, 0.049 + 0.008 * two.state.pair.constants[..., 2], rtol=1e-3)


def test_mixed_precision_keeps_what_it_does_not_pulse():
    fast = array(MixedPrecision(device=device("constant_ideal")), (4, 3))
    rng, wanted = np.random.default_rng(0), np.zeros((4, 3))
    for _ in range(200):
        x, d = rng.random(4), 0.1 * rng.standard_normal(3)
        fast.update(x, d, 0.01)
        wanted -= 0.01 * np.outer(x, d)
    np.testing.assert_allclose(fast.weights + fast.state.accumulator, wanted, atol=1e-5)
    assert np.abs(fast.state.accumulator).max() <= 0.001 * 1.001


@pytest.mark.parametrize("version", [1, 2])
def test_tiki_taka_follows_a_constant_gradient(version):
    fast = array(TikiTaka(fast=device("reram_sb", cycle_noise=0.3), slow=device("constant_ideal"), version=version, rate=0.5), (4, 3))
    for _ in range(600):
        fast.update(np.ones(4), np.array([0.1, -0.1, 0.0]), 0.05)
    w = fast.weights
    assert (w[:, 0] < -0.05).all() and (w[:, 1] > 0.05).all() and np.abs(w[:, 2]).max() < 0.03


def test_every_cell_is_a_row_with_a_record_of_its_own():
    assert {type(cell) for cell in CELLS.values()} == set(KINDS)
    assert len({kind.state_type for kind in KINDS}) == len({kind.reference for kind in KINDS}) == len(KINDS)
    assert all(type(array(cell).state) is cell.state_type for cell in CELLS.values())
