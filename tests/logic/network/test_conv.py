"""Convolutions of logic and OR pools as modules; their kernels are in ``cpu/test_cpu_tree``, their circuits in ``test_lower``."""

import copy
import pickle

import numpy as np
import pytest
import torch

from hardwire.core.errors import InputError
from hardwire.core.gates import TABLE, TRUTH
from hardwire.logic.kernels import reference as functional
from hardwire.logic.network.conv import LogicConv2d, OrPool2d
from hardwire.logic.network.nodes import PARAMETRISATIONS, coefficients

#: in_shape, kernels, options, out_shape
SHAPES = {
    "plain": ((2, 6, 5), 3, {}, (3, 2, 1)),
    "one pixel": ((1, 1, 1), 2, {"receptive_field": 1, "pool": 1, "depth": 1}, (2, 1, 1)),
    "padded": ((1, 4, 4), 2, {"padding": 1}, (2, 2, 2)),
    "no pool": ((3, 5, 4), 4, {"pool": 1, "depth": 2}, (4, 3, 2)),
    "a pool of 3 that drops some": ((1, 9, 10), 2, {"pool": 3, "receptive_field": 2, "depth": 1}, (2, 2, 3)),
    "groups": ((4, 4, 4), 6, {"groups": 2, "padding": 1, "depth": 4}, (6, 2, 2)),
    "one channel a tree": ((5, 4, 4), 7, {"channels_per_tree": 1, "padding": 2, "receptive_field": 5, "depth": 5}, (7, 2, 2)),
}
shapes = pytest.mark.parametrize("name", SHAPES)


def make(name, **options):
    in_shape, kernels, more, _ = SHAPES[name]
    return LogicConv2d(in_shape, kernels, init="random", noise=1.0, seed=5, **more | options)


def samples(layer, n=40, seed=0):
    return torch.rand(n, layer.in_features, generator=torch.Generator().manual_seed(seed))


def bits(layer, n=40, seed=0):
    return (samples(layer, n, seed) > 0.5).float()


def naive(layer, x, values):
    """``functional.tree``, its receptive field widened by a kernel that reaches the corner and is dropped again."""
    corner = torch.full((1, 2**layer.depth, 3), layer.receptive_field - 1)
    corner[..., 0] = 0
    c = coefficients(values).reshape(layer.kernels, -1, 4)
    y = functional.tree(x, layer.in_shape, torch.cat([layer.leaves.long(), corner]), torch.cat([c, c[:1]]), padding=layer.padding,
                        pool=layer.pool)
    return y.unflatten(1, (layer.kernels + 1, -1))[:, :-1].flatten(1)


@shapes
def test_shapes_and_numbers_of_gates(name):
    layer, (kernels, rows, columns) = make(name), SHAPES[name][3]
    assert layer.out_shape == (kernels, rows, columns) and layer.out_features == kernels * rows * columns
    assert layer.weight.shape == (kernels * (2**layer.depth - 1), 4)
    trees = kernels * rows * columns * layer.pool**2
    assert layer.gates == trees * (2**layer.depth - 1) + trees - kernels * rows * columns
    assert layer(samples(layer, 3)).shape == (3, layer.out_features)
    assert not layer.stacks() and not layer.eval().stacks()


@shapes
@pytest.mark.parametrize("kind", PARAMETRISATIONS)
def test_relaxed_it_is_the_naive_tree(name, kind):
    layer = make(name, parametrisation_name=kind).double()
    x = samples(layer).double()
    torch.testing.assert_close(layer(x), naive(layer, x, layer.values()), rtol=1e-12, atol=1e-12)


@shapes
@pytest.mark.parametrize("estimator", ["relaxed", "hard", "efd"])
def test_frozen_it_gives_bits(name, estimator):
    layer = make(name, estimator=estimator).eval()
    x = bits(layer)
    y = layer(x)
    assert set(y.unique().tolist()) <= {0, 1} and not y.requires_grad
    assert torch.equal(y, naive(layer, x, layer.node.hard(layer.weight)))
    if estimator != "relaxed":
        assert torch.equal(layer.train()(x), y)


def test_a_residual_start_passes_the_first_leaf_on():
    layer = LogicConv2d((2, 6, 6), 5, padding=1, pool=1).eval()
    assert layer.weight.shape == (35, 4) and set(layer.tables().tolist()) == {TABLE["A"]}
    x = bits(layer)
    image = torch.nn.functional.pad(x.unflatten(1, (2, 6, 6)), (1, 1, 1, 1))
    expected = torch.stack([image[:, c, r : r + 6, s : s + 6] for c, r, s in layer.leaves[:, 0].tolist()], 1)
    assert torch.equal(layer(x), expected.flatten(1))


def test_weights_are_shared_over_positions():
    """A shifted image gives shifted outputs, away from the border."""
    layer = make("no pool", receptive_field=2)
    image = samples(layer).unflatten(1, (3, 5, 4))
    y, z = (layer(i.flatten(1)).unflatten(1, layer.out_shape) for i in (image, image.roll((1, 1), (2, 3))))
    torch.testing.assert_close(z[:, :, 1:, 1:], y[:, :, :-1, :-1])


@shapes
def test_every_tree_sees_few_channels_of_its_group_at_different_places(name):
    layer = make(name)
    channels, groups = layer.in_shape[0], SHAPES[name][2].get("groups", 1)
    seen = min(SHAPES[name][2].get("channels_per_tree", 2), channels // groups)
    for kernel, leaves in enumerate(layer.leaves.numpy()):
        assert len(np.unique(leaves[:, 0])) <= seen
        assert len(np.unique(leaves, axis=0)) == min(2**layer.depth, seen * layer.receptive_field**2)
        mine = np.array_split(np.arange(channels), groups)[kernel * groups // layer.kernels]
        assert np.isin(leaves[:, 0], mine).all()


def test_groups_have_no_cross_links():
    """What one group's channels hold does not show in the other group's outputs."""
    layer = make("groups")
    x = samples(layer)
    changed = x.unflatten(1, (4, 4, 4)).clone()
    changed[:, 2:] = 1 - changed[:, 2:]
    y, z = (layer(i).unflatten(1, layer.out_shape) for i in (x, changed.flatten(1)))
    assert torch.equal(y[:, :3], z[:, :3]) and not torch.allclose(y[:, 3:], z[:, 3:])


def test_a_seed_decides_leaves_and_weights():
    a, b, c = (LogicConv2d((3, 6, 6), 8, noise=1.0, seed=s).state_dict() for s in (1, 1, 2))
    assert set(a) == {"weight", "leaves"}
    assert all(torch.equal(a[k], b[k]) and not torch.equal(a[k], c[k]) for k in a)


def test_given_leaves_are_copied():
    leaves = np.zeros((1, 2, 3), dtype=int)
    leaves[0, 1] = 0, 1, 2
    layer = LogicConv2d((1, 3, 3), 1, depth=1, pool=1, leaves=leaves).eval()
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(2 * TRUTH[[TABLE["B"]]] - 1))
    leaves[:] = 9
    assert layer(torch.arange(9.0)[None]).tolist() == [[5]]


# --------------------------------------------------------------------------------- the leaves' addresses follow the leaves


def other_leaves(layer):
    return LogicConv2d(layer.in_shape, layer.kernels, seed=77).state_dict()


def fresh(layer):
    """A new layer of the same state, which cannot remember anything."""
    twin = LogicConv2d(layer.in_shape, layer.kernels, leaves=layer.leaves.numpy())
    twin.load_state_dict(layer.state_dict())
    return twin


@pytest.mark.parametrize("assign", [False, True])
def test_loaded_leaves_count(assign):
    layer = LogicConv2d((3, 6, 6), 8)
    x = samples(layer)
    before = layer(x)
    layer.load_state_dict(other_leaves(layer), assign=assign)
    assert not torch.allclose(layer(x), before) and torch.equal(layer(x), fresh(layer)(x))


@pytest.mark.parametrize("twin_of", [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))], ids=["copy", "pickle"])
def test_loaded_leaves_of_a_copy_count(twin_of):
    """Of a layer whose leaves were written before: copy and original count versions differently, and the counts may meet."""
    layer = LogicConv2d((3, 6, 6), 8)
    x = samples(layer)
    for _ in range(3):
        layer.load_state_dict(other_leaves(layer))
    before = layer(x)
    for times in range(1, 5):
        twin = twin_of(layer)
        for _ in range(times):
            twin.load_state_dict(LogicConv2d((3, 6, 6), 8, seed=78).state_dict())
        assert torch.equal(twin(x), fresh(twin)(x)) and torch.equal(layer(x), before) and not torch.allclose(twin(x), before)


def test_leaves_changed_in_place_count():
    layer = LogicConv2d((3, 6, 6), 8)
    before = layer(samples(layer))
    layer.leaves.copy_(layer.leaves.flip(0))
    assert torch.equal(layer(samples(layer)), fresh(layer)(samples(layer))) and not torch.allclose(layer(samples(layer)), before)


# ------------------------------------------------------------------------------------------------------------------ pools


@pytest.mark.parametrize("in_shape, pool, out_shape", [((2, 4, 6), 2, (2, 2, 3)), ((3, 7, 5), 3, (3, 2, 1)), ((1, 2, 2), 1, (1, 2, 2)),
                                                       ((2, 5, 5), 5, (2, 1, 1))])
def test_pool_is_or_of_each_window(in_shape, pool, out_shape):
    layer = OrPool2d(in_shape, pool)
    assert layer.out_shape == out_shape and layer.gates == layer.out_features * (pool**2 - 1)
    x = (samples(layer) > 0.8).float()
    c, h, w = out_shape
    windows = x.reshape(40, *in_shape)[:, :, : h * pool, : w * pool].reshape(40, c, h, pool, w, pool)
    assert torch.equal(layer(x), windows.bool().any(5).any(3).float().flatten(1)) and not layer.stacks()


# --------------------------------------------------------------------------------------------------------------- mistakes


@pytest.mark.parametrize("options, message", [
    ({"kernels": 0}, "0 kernels of 3 x 3 and depth 3 over 1 x 6 x 6 needs positive sizes"),
    ({"in_shape": (0, 6, 6)}, "over 0 x 6 x 6 needs positive sizes"),
    ({"receptive_field": 0}, "needs positive sizes"),
    ({"depth": 0}, "needs positive sizes"),
    ({"pool": 0}, "needs positive sizes"),
    ({"padding": -1}, "needs positive sizes"),
    ({"groups": 0}, "needs positive sizes"),
    ({"channels_per_tree": 0}, "needs positive sizes"),
    ({"pool": 16}, "pool = 16 and depth = 3: pools reach to 15, trees to depth 8"),
    ({"depth": 9}, "depth = 9: pools reach to 15, trees to depth 8"),
    ({"groups": 2}, "2 groups for 1 channels and 2 kernels; use at most 1"),
    ({"receptive_field": 7}, "a receptive field of 7 and pools of 2 leave nothing of 6 x 6"),
    ({"pool": 5}, "a receptive field of 3 and pools of 5 leave nothing of 6 x 6; add padding or pool less"),
    ({"leaves": np.zeros((2, 4, 3), int)}, r"leaves of shape \(2, 4, 3\) do not give 2 kernels 8 leaves inside"),
    ({"leaves": np.zeros((2, 8, 3))}, "leaves of shape"),
    ({"leaves": np.full((2, 8, 3), -1)}, "leaves of shape"),
    ({"leaves": np.tile([1, 0, 0], (2, 8, 1))}, "inside 1 channels of 3 x 3"),
    ({"leaves": np.tile([0, 0, 3], (2, 8, 1))}, "inside 1 channels of 3 x 3"),
    ({"parametrisation_name": "fourier"}, "parametrisation 'fourier' is none of"),
    ({"estimator": "guess"}, "estimator 'guess' is none of"),
    ({"init": "zero"}, "init 'zero' is none of"),
    ({"temperature": -1.0}, "temperature = -1.0 must be above 0"),
])
def test_impossible_trees(options, message):
    with pytest.raises(InputError, match=message):
        LogicConv2d(**{"in_shape": (1, 6, 6), "kernels": 2} | options)


@pytest.mark.parametrize("in_shape, pool", [((1, 4, 4), 0), ((1, 4, 4), 5), ((2, 1, 9), 2)])
def test_impossible_pools(in_shape, pool):
    with pytest.raises(InputError, match=f"a pool of {pool} does not fit {in_shape[1]} x {in_shape[2]}"):
        OrPool2d(in_shape, pool)


@pytest.mark.parametrize("x", [torch.zeros(3, 17), torch.zeros(16), torch.zeros(3, 1, 4, 4)])
def test_samples_that_do_not_fit_a_pool(x):
    with pytest.raises(InputError, match=r"OrPool2d reads \(samples, 16\), but was given"):
        OrPool2d((1, 4, 4))(x)


def test_printed_form():
    assert repr(make("padded")) == ("LogicConv2d((1, 4, 4) -> (2, 2, 2), receptive_field=3, depth=3, padding=1, pool=2, table)")
    assert repr(OrPool2d((2, 4, 6))) == "OrPool2d((2, 4, 6) -> (2, 2, 3))"
