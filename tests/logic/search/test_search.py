import dataclasses

import numpy as np
import pytest
import search_reference as reference

from hardwire.core.errors import InputError
from hardwire.logic.graph import Graph
from hardwire.logic.search.engine import BITS_AN_OFFER, LEAST_WORDS, Search, SearchOptions
from hardwire.logic.search.kernels.cone import differences_of
from hardwire.logic.search.prices import PRICES
from hardwire.logic.search.samples import Moves, SearchSamples, planes_of

OPTIONS = SearchOptions(budget=120.0, bits=2, depth=8, window=512, pool=64, dead=20, floor=1e-5)


def problem(task="classify", *, samples=700, inputs=18, groups=3, seed=1):
    rng = np.random.default_rng(seed)
    bits = rng.random((samples, inputs)) < 0.5
    score = np.stack([bits[:, g] & bits[:, g + 5] | bits[:, g + 9] ^ bits[:, g + 3] for g in range(groups)], 1)
    noisy = score + rng.random(score.shape) * 0.5
    if task == "classify":
        return SearchSamples.of(bits, np.eye(groups)[noisy.argmax(1)], task)
    if task == "multilabel":
        return SearchSamples.of(bits, score, task, level=np.full(groups, 1.0, np.float32))
    return SearchSamples.of(bits, noisy - noisy.mean(0), task, level=np.full(groups, -0.5, np.float32),
                            gain=np.full(groups, 0.4, np.float32))


def graph(rng, inputs=18, groups=3, nodes=40, bits=4, arity=2):
    rows = []
    for j in range(nodes):
        k = int(rng.integers(1, arity + 1))
        rows.append((int(rng.integers(1 << min(1 << k, 62))), rng.choice(inputs + j, k, replace=False).tolist()))
    outputs = rng.integers(inputs + nodes, size=groups * bits)  # some inputs, some nets twice
    return Graph.of_nodes(inputs, rows, outputs, (bits,) * groups)


def search_of(task="classify", unit="gates", start=None, options=OPTIONS, **more):
    samples = problem(task)
    prices = dataclasses.replace(PRICES[unit], inputs=np.linspace(0, 2, 18).astype(np.float32))
    return Search(samples, prices, options, start=start, **more)


@pytest.mark.parametrize("unit", ["ge", "luts"])
@pytest.mark.parametrize("task", ["classify", "multilabel", "regress"])
def test_differences_are_those_of_a_recomputed_network(task, unit):
    rng = np.random.default_rng(3)
    search = search_of(task, unit, graph(rng, arity=2 if unit == "ge" else 6))
    n = search.samples.samples
    assert search.loss() == pytest.approx(reference.losses(search, reference.values_of(search)).sum(), rel=1e-5)
    for root in rng.permutation(search._roots())[:12].tolist():
        job = search.jobs[0]
        job.d[:] = np.nan
        differences_of(search.net, search.state_loss, job, root)
        np.testing.assert_allclose(job.d[:n], reference.differences(search, root), atol=3e-5, rtol=1e-4)
        assert not job.d[n:].any()  # padded samples weigh nothing
        assert (job.mark == -1).all()


@pytest.mark.parametrize("unit", ["ge", "gates", "luts"])
@pytest.mark.parametrize("task", ["classify", "multilabel", "regress"])
def test_each_round_lowers_loss_and_price_by_what_it_says(task, unit):
    search = search_of(task, unit, options=dataclasses.replace(OPTIONS, seed=5))
    commit, substitutions = search._commit, []
    search._commit = lambda *given: substitutions.append(commit(*given)) or substitutions[-1]
    for _ in range(12):
        search._steer(0.5)
        rate = search.rate
        before = search.loss() + rate * reference.price(search)
        made = sum(substitutions)
        search._steer = lambda progress: None  # the rate stays for this round
        search.round(0.5)
        del search._steer
        after = search.loss() + rate * reference.price(search)
        assert search.area == pytest.approx(reference.price(search), rel=1e-5)
        assert after < before if sum(substitutions) > made else after <= before + 1e-6 * abs(before)
        bits = reference.values_of(search)
        packed = planes_of(bits.T, search.words)
        live = search._roots()
        n = search.samples.samples // 64
        np.testing.assert_array_equal(search.net.values[live, :n], packed[live, :n])
        assert search.loss() == pytest.approx(reference.losses(search, bits).sum(), rel=1e-6)
    assert sum(substitutions) >= 5


def test_search_learns_and_keeps_to_budget_and_depth():
    search = search_of(unit="gates", options=dataclasses.replace(OPTIONS, budget=60.0, bits=2))
    start = search.loss()
    for i in range(600):
        search.round(i / 600)
    result = search.graph()
    counts = result.counts(np.unpackbits(search.samples.planes.view(np.uint8), axis=1, bitorder="little",
                                        count=search.samples.samples).T.astype(bool))
    share = (counts.argmax(1) == search.samples.targets[:, : search.samples.samples].argmax(0)).mean()
    assert search.loss() < 0.75 * start
    assert share > 0.5
    assert search.area < 66
    assert result.levels.max() <= OPTIONS.depth


@pytest.mark.parametrize("unit", ["ge", "luts"])
def test_threads_and_restoring_change_nothing(unit):
    samples = problem(samples=1400)
    options = dataclasses.replace(OPTIONS, redraw=10)
    one, two = (Search(samples, PRICES[unit], options, threads=t) for t in (1, 2))
    for i in range(40):
        one.round(i / 80)
        two.round(i / 80)
    arrays, values = one.state()
    again = Search(samples, PRICES[unit], options)
    again.restore(arrays, values)
    for i in range(40, 80):
        for search in (one, two, again):
            search.round(i / 80)
    assert one.graph() == two.graph() == again.graph()
    assert one.loss() == two.loss() == again.loss()
    assert one.area == two.area == again.area


def test_a_search_goes_on_from_a_network():
    rng = np.random.default_rng(11)
    start = graph(rng, nodes=60)
    search = search_of(unit="gates", start=start, options=dataclasses.replace(OPTIONS, budget=200.0, depth=60))
    bits = rng.random((100, 18)) < 0.5
    np.testing.assert_array_equal(search.graph().counts(bits), start.counts(bits))
    before = search.loss()
    for _ in range(60):
        search.round(1.0)
    assert search.loss() < before


def test_a_search_from_a_network_begins_at_its_price():
    start = graph(np.random.default_rng(11), nodes=60)
    search = search_of(unit="gates", start=start, options=dataclasses.replace(OPTIONS, budget=40.0, depth=60))
    began = search.area
    assert began > 60
    for i in range(5):
        search.round(i / 1000)
    assert search.area > 0.7 * began
    for i in range(400):
        search.round(i / 400)
    assert search.area < 45


def test_a_network_of_tables_needs_a_search_over_tables():
    rng = np.random.default_rng(2)
    with pytest.raises(InputError, match="budget in luts"):
        search_of(unit="ge", start=graph(rng, arity=5))
    with pytest.raises(InputError, match="give the encoder"):
        search_of(unit="ge", start=graph(rng, inputs=20))


def test_moves_displace_each_image_and_let_zeros_in():
    rng = np.random.default_rng(0)
    bits = rng.random((150, 2 * 5 * 4)) < 0.4
    planes = planes_of(bits, 8)
    moved = Moves((1, 5, 4), pad=1)(planes, np.random.default_rng(7))
    after = np.unpackbits(moved.view(np.uint8), axis=1, bitorder="little", count=150).T.reshape(150, 2, 5, 4)
    padded = np.pad(bits.reshape(150, 2, 5, 4), ((0, 0), (0, 0), (1, 1), (1, 1)))
    seen = set()
    for i in range(150):
        matches = [(a, b) for a in range(3) for b in range(3)
                   if np.array_equal(after[i], padded[i, :, a : a + 5, b : b + 4])]
        assert matches
        seen.update(matches)
    assert len(seen) == 9


def test_mirrored_images():
    bits = np.random.default_rng(0).random((200, 6)) < 0.5
    moved = Moves((1, 2, 3), pad=0, flip=True)(planes_of(bits, 8), np.random.default_rng(1))
    after = np.unpackbits(moved.view(np.uint8), axis=1, bitorder="little", count=200).T.astype(bool).reshape(-1, 2, 3)
    plain = bits.reshape(-1, 2, 3)
    same = (after == plain).all((1, 2))
    mirrored = (after == plain[:, :, ::-1]).all((1, 2))
    assert (same | mirrored).all()
    assert 40 < (mirrored & ~same).sum() < 160


@pytest.mark.parametrize("unit", ["ge", "luts"])
def test_parts_of_many_words_over_threads_change_nothing(unit):
    samples = problem(samples=2 * 64 * LEAST_WORDS + 100)
    assert samples.planes.shape[1] >= 2 * LEAST_WORDS
    one, two = (Search(samples, PRICES[unit], OPTIONS, threads=t) for t in (1, 2))
    for i in range(6):
        for search in (one, two):
            search.round(i / 12)
    assert one.graph() == two.graph() and one.graph().nodes
    assert np.array_equal(one.state_loss.counts, two.state_loss.counts)
    assert np.array_equal(one.state_loss.p, two.state_loss.p)


def test_a_group_of_many_bits_is_offered_more_of_them():
    few, many = (search_of(start=graph(np.random.default_rng(5), bits=bits), options=dataclasses.replace(
        OPTIONS, budget=4000.0)) for bits in (4, 80))
    for search, least in ((few, 1), (many, 2)):
        search._tidy()
        offers = [int(search.net.slot_group[s]) for x in search._roots().tolist() if search._is_constant(x)
                  for s in search._slots_of(x)]
        true = [int(search.net.slot_group[s]) for x in search._roots().tolist() if not search._is_constant(x)
                for s in search._slots_of(x)]
        for group in range(3):
            assert offers.count(group) >= max(1, true.count(group) // BITS_AN_OFFER) >= least
