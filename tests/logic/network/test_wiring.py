import numpy as np
import pytest

from hardwire.core.errors import InputError
from hardwire.logic.network.wiring import (
    first_layer,
    in_order,
    local_candidates,
    random_inputs,
    random_pairs,
    structured_pairs,
    tree_leaves,
)


def rng(seed=0):
    return np.random.default_rng(seed)


def no_repeats(pairs):
    assert (pairs[:, 0] != pairs[:, 1]).all()
    assert len({tuple(sorted(p)) for p in pairs.tolist()}) == len(pairs)


@pytest.mark.parametrize("n, gates", [(2, 1), (3, 3), (5, 2), (9, 10), (10, 45), (11, 55), (12, 20), (30, 100), (64, 500),
                                      (64, 505), (64, 1000), (300, 2000), (2000, 2000), (4000, 300)])
def test_random_pairs(n, gates):
    inputs = np.sort(rng(7).permutation(10 * n)[:n])
    pairs = random_pairs(inputs, gates, rng())
    assert pairs.shape == (gates, 2) and np.isin(pairs, inputs).all()
    no_repeats(pairs)
    uses = np.bincount(np.searchsorted(inputs, pairs).ravel(), minlength=n)
    assert uses.max() - uses.min() <= 4
    if gates >= n:
        assert uses.min() >= 1


def test_both_operands_see_all_inputs():
    pairs = random_pairs(np.arange(50), 1000, rng())
    assert len(np.unique(pairs[:, 0])) == len(np.unique(pairs[:, 1])) == 50


@pytest.mark.parametrize("n, gates", [(9, 10), (100, 1000), (300, 2000)])
def test_a_seed_decides(n, gates):
    a, b, c = (random_pairs(np.arange(n), gates, rng(s)) for s in (3, 3, 4))
    assert np.array_equal(a, b) and not np.array_equal(a, c)


@pytest.mark.parametrize("n", [0, 1])
def test_a_gate_needs_two_inputs(n):
    with pytest.raises(InputError, match=f"two different inputs, but there are only {n}"):
        random_pairs(np.arange(n), 1, rng())


@pytest.mark.parametrize("n, gates", [(2, 8), (10, 46), (10, 200)])
def test_more_gates_than_pairs_share_them_evenly(n, gates):
    pairs = np.sort(random_pairs(np.arange(n), gates, rng()), axis=1)
    assert pairs.shape == (gates, 2) and (pairs[:, 0] < pairs[:, 1]).all()
    uses = np.unique(pairs, axis=0, return_counts=True)[1]
    assert len(uses) == n * (n - 1) // 2 and uses.max() - uses.min() <= 1


@pytest.mark.parametrize("n, nodes, k", [(6, 1, 6), (9, 40, 6), (8, 100, 3), (300, 500, 6), (64, 64, 16), (7, 30, 4), (100, 10, 3),
                                         (12, 50, 8), (40, 20, 32), (50, 1000, 5), (33, 7, 1)])
def test_random_inputs_are_apart_within_a_node_and_used_evenly(n, nodes, k):
    inputs = np.sort(rng(7).permutation(10 * n)[:n])
    rows = random_inputs(inputs, nodes, rng(), k)
    assert rows.shape == (nodes, k) and np.isin(rows, inputs).all()
    assert all(len(set(row)) == k for row in rows.tolist())
    uses = np.bincount(np.searchsorted(inputs, rows).ravel(), minlength=n)
    assert uses.max() - uses.min() <= 1
    again, other = random_inputs(inputs, nodes, rng(), k), random_inputs(inputs, nodes, rng(1), k)
    assert np.array_equal(rows, again) and (n == k or not np.array_equal(rows, other))


def test_random_inputs_of_two_are_pairs():
    assert np.array_equal(random_inputs(np.arange(30), 100, rng(), 2), random_pairs(np.arange(30), 100, rng()))


@pytest.mark.parametrize("n, k", [(1, 4), (3, 8), (5, 32)])
def test_a_node_wider_than_its_inputs_repeats_them_evenly(n, k):
    rows = random_inputs(np.arange(n), 20, rng(), k)
    uses = np.bincount(rows.ravel(), minlength=n)
    assert rows.shape == (20, k) and uses.max() - uses.min() <= 1 and all(len(set(row)) == n for row in rows.tolist())


@pytest.mark.parametrize("n, k", [(0, 3), (5, 0), (5, -1)])
def test_a_node_reads_something(n, k):
    with pytest.raises(InputError, match=f"a node cannot read {k} of {n} inputs"):
        random_inputs(np.arange(n), 4, rng(), k)


@pytest.mark.parametrize("k", [2, 5])
@pytest.mark.parametrize("groups", [1, 4])
def test_in_order_sorts_within_groups_and_changes_no_wire(k, groups):
    pairs = random_inputs(np.arange(50), 120, rng(), k)
    ordered = in_order(pairs, groups)
    for before, after in zip(pairs.reshape(groups, -1, k), ordered.reshape(groups, -1, k)):
        assert sorted(before.tolist()) == sorted(after.tolist())
        assert (np.diff(after[:, 0]) >= 0).all()
    assert ordered.shape == pairs.shape and not np.array_equal(ordered, pairs)


@pytest.mark.parametrize("channels, kernels, field, leaves, groups, per", [
    (1, 4, 3, 8, 1, 2), (3, 7, 3, 8, 1, 2), (8, 16, 3, 8, 4, 2), (7, 5, 5, 16, 3, 2), (6, 6, 2, 8, 1, 1), (5, 9, 3, 32, 2, 3),
])
def test_tree_leaves(channels, kernels, field, leaves, groups, per):
    found = tree_leaves(channels, kernels, field, leaves, rng(), groups=groups, channels_per_tree=per)
    assert found.shape == (kernels, leaves, 3) and found.dtype == np.int32
    assert found.min() >= 0 and (found < [channels, field, field]).all()
    mine = np.array_split(np.arange(channels), groups)
    for group, members in zip(mine, np.array_split(found, groups)):
        assert np.isin(members[..., 0], group).all()  # no cross-links
        for tree in members:
            seen = min(per, len(group))
            assert len(set(tree[:, 0].tolist())) <= seen
            assert len(np.unique(tree, axis=0)) == min(leaves, seen * field**2)


def test_trees_deal_the_channels_in_turn():
    """So many leaves that each tree uses every place of its channels: these are two different ones, and all come equally often."""
    found = tree_leaves(5, 10, 2, 8, rng(), channels_per_tree=2)
    seen = [np.unique(tree[:, 0]) for tree in found]
    assert [len(s) for s in seen] == [2] * 10 and np.bincount(np.concatenate(seen)).tolist() == [4] * 5


@pytest.mark.parametrize("wiring", ["random", "structured"])
def test_a_seed_decides_the_leaves(wiring):
    a, b, c = (tree_leaves(4, 6, 3, 8, rng(s), wiring=wiring) for s in (3, 3, 4))
    assert np.array_equal(a, b) and not np.array_equal(a, c)


@pytest.mark.parametrize("channels, kernels, field, leaves, groups, per", [
    (1, 5, 2, 8, 1, 2), (9, 12, 3, 8, 1, 2), (8, 16, 5, 16, 4, 2), (3, 4, 3, 2, 1, 2), (4, 3, 3, 8, 1, 3)])
def test_structured_leaves_are_neighbours_in_one_channel(channels, kernels, field, leaves, groups, per):
    found = tree_leaves(channels, kernels, field, leaves, rng(), groups=groups, channels_per_tree=per, wiring="structured")
    assert found.shape == (kernels, leaves, 3) and found.min() >= 0 and (found < [channels, field, field]).all()
    pairs = found.reshape(kernels, -1, 2, 3)
    assert (pairs[:, :, 0, 0] == pairs[:, :, 1, 0]).all()
    assert (abs(np.diff(pairs[..., 1:], axis=2)).max(-1) == 1).all()
    for group, members in zip(np.array_split(np.arange(channels), groups), np.array_split(pairs, groups)):
        assert np.isin(members[..., 0], group).all()
        for tree in members:
            assert len(np.unique(tree[:, 0, 0])) == min(per, len(group), leaves // 2)
            assert (np.diff(tree[:, 0, 0]) != 0).sum() == len(np.unique(tree[:, 0, 0])) - 1  # a branch for each
            if leaves // 2 <= 6:
                assert len(np.unique(tree.reshape(-1, 6), axis=0)) == leaves // 2


def test_a_field_of_one_place_has_no_neighbours():
    assert np.array_equal(*(tree_leaves(4, 6, 1, 2, rng(), wiring=w) for w in ("random", "structured")))


@pytest.mark.parametrize("channels, kernels", [(2, 8), (8, 2)])
def test_groups_need_channels_and_kernels(channels, kernels):
    with pytest.raises(InputError, match=f"3 groups for {channels} channels and {kernels} kernels; use at most 2"):
        tree_leaves(channels, kernels, 3, 8, rng(), groups=3)


def places(pairs, shape):
    """(level, channel, y, x) of both ends, shape (gates, 2, 4)."""
    return np.stack(np.unravel_index(pairs, (10**6, *shape)), -1)


def test_structured_pairs_join_neighbours():
    """Few gates, so that none is filled in at random: every pair is one of the documented kinds, and each kind occurs."""
    shape, levels = (3, 8, 8), 4
    pairs = structured_pairs(shape, levels, np.ones(levels * 192, dtype=bool), 600, rng())
    assert pairs.shape == (600, 2)
    no_repeats(pairs)
    a, b = places(np.sort(pairs, axis=1), shape).transpose(1, 0, 2)
    step = {tuple(row) for row in (b - a).tolist()}
    along_x, along_y = {(0, 0, 0, s) for s in (1, 2, 4)}, {(0, 0, s, 0) for s in (1, 2, 4)}
    assert step == along_x | along_y | {(0, 1, 0, 0), (1, 0, 0, 1)}
    assert len(np.unique(pairs)) > 0.7 * levels * 192


@pytest.mark.parametrize("shape, levels", [((3, 16, 12), 2), ((1, 8, 8), 1), ((2, 3, 2), 4)])
def test_local_candidates_of_a_gate_lie_in_one_square(shape, levels):
    bits = levels * int(np.prod(shape))
    found = local_candidates(shape, levels, np.ones(bits, dtype=bool), 300, 8, rng())
    assert found.shape == (300, 2, 8) and found.dtype == np.int32 and found.min() >= 0 and found.max() < bits
    where = places(found.reshape(300, 16), shape)
    for axis, side in ((2, shape[1]), (3, shape[2])):
        assert np.ptp(where[..., axis], axis=1).max() <= 2 * max(1, side // 4)
    assert len(np.unique(found)) > 0.95 * bits  # all of the image, all channels and thresholds
    assert np.array_equal(found, local_candidates(shape, levels, np.ones(bits, dtype=bool), 300, 8, rng()))


@pytest.mark.parametrize("share", [0.5, 0.05])
def test_local_candidates_leave_idle_bits_out(share):
    active = rng(3).random(1024) < share
    active[:512] = False  # nothing to be found in the upper half
    found = local_candidates((1, 32, 32), 1, active, 200, 4, rng())
    assert active[found].all() and len(np.unique(found)) > 0.8 * active.sum()


@pytest.mark.parametrize("gates", [50, 1000, 1800, 2500])
def test_structured_pairs_keep_clear_of_idle_bits_and_of_their_own_pixel(gates):
    shape, levels = (1, 8, 8), 5
    active = rng(5).random(levels * 64) < 0.8
    pairs = structured_pairs(shape, levels, active, gates, rng())
    assert pairs.shape == (gates, 2) and active[pairs].all()
    no_repeats(pairs)
    assert (pairs[:, 0] % 64 != pairs[:, 1] % 64).all()


def test_two_thresholds_of_a_pixel_meet_only_when_no_other_pair_is_left():
    shape, levels, bits = (1, 2, 2), 3, 12
    apart = 66 - 4 * 3
    for gates in (20, apart, apart + 5, 66):
        pairs = structured_pairs(shape, levels, np.ones(bits, dtype=bool), gates, rng())
        no_repeats(pairs)
        assert (pairs[:, 0] % 4 == pairs[:, 1] % 4).sum() == max(0, gates - apart)


@pytest.mark.parametrize("shape, levels, gates", [((1, 1, 5), 3, 60), ((1, 5, 1), 3, 60), ((1, 1, 2), 2, 4),
                                                  ((3, 1, 1), 2, 10)])
def test_thin_images(shape, levels, gates):
    pairs = first_layer("structured", levels * int(np.prod(shape)), gates, rng(), shape=shape, levels=levels)
    assert pairs.shape == (gates, 2) and pairs.dtype == np.int32
    no_repeats(pairs)


@pytest.mark.parametrize("shape", [None, (1, 1, 1)])
def test_without_neighbours_wires_are_random(shape):
    pairs = first_layer("structured", 6, 15, rng(), shape=shape, levels=6)
    assert pairs.shape == (15, 2)
    no_repeats(pairs)


def test_a_single_pair_of_active_neighbours():
    active = np.zeros(64, dtype=bool)
    active[[9, 10]] = True
    assert sorted(first_layer("structured", 64, 1, rng(), shape=(1, 8, 8), active=active)[0].tolist()) == [9, 10]


def test_first_layer_refusals():
    with pytest.raises(InputError, match="wiring 'learned' is none of structured, random"):
        first_layer("learned", 10, 3, rng())
    with pytest.raises(InputError, match="only 1 of 4 input bits vary"):
        first_layer("random", 4, 3, rng(), active=[0, 1, 0, 0])
    assert first_layer("structured", 10, 120, rng(), shape=(1, 2, 5)).shape == (120, 2)


def test_structured_wiring_repeats_with_its_seed():
    def make(s):
        return first_layer("structured", 320, 2000, rng(s), shape=(1, 8, 8), levels=5)

    assert np.array_equal(make(1), make(1)) and not np.array_equal(make(1), make(2))
