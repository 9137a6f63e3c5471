"""``LogicNetwork``: the same function as its layers one after the other, whatever kinds of layers they are."""

import copy
import warnings
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from hardwire.core.errors import InputError
from hardwire.core.gates import GATES, TRUTH
from hardwire.logic import Graph, GroupSum, LogicGraph, LogicLayer, LogicNetwork
from hardwire.logic.kernels.reference import Soft, cross_entropy
from hardwire.logic.network.conv import LogicConv2d, OrPool2d
from hardwire.logic.network.nodes import PARAMETRISATIONS
from hardwire.logic.network.phase import LayerPhase, Phase, Schedule

kinds = pytest.mark.parametrize("kind", PARAMETRISATIONS)


def make(kind="table", *, sizes=(12, 20, 18, 15), classes=5, tau=2.0, init="random", seed=0, **options):
    layers = [LogicLayer(n, m, parametrisation_name=kind, init=init, seed=n, **options) for n, m in pairwise(sizes)]
    return LogicNetwork(layers, GroupSum(classes, tau), seed=seed)


def dense(n, m, **options):
    return LogicLayer(n, m, init="random", seed=n, **options)


def conv(*shape, **options):
    return LogicConv2d(shape, 4, init="random", noise=1.0, padding=1, seed=1, **options)


def graph(inputs, outputs, most=6, **options):
    """A network without layers of nodes of 1 to ``most`` operands, every one of them live."""
    rng = np.random.default_rng(inputs)
    nodes = [(int(rng.integers(0, 1 << (1 << k), dtype=np.uint64)) if k < 6 else int(rng.integers(0, 1 << 63)),
              rng.integers(0, inputs + j, k).tolist()) for j, k in enumerate(np.arange(20) % most + 1)]
    ends = np.concatenate([np.arange(inputs + 20 - outputs + 2, inputs + 20), [0, inputs + 19]])
    return LogicGraph(Graph.of_nodes(inputs, nodes, ends, (outputs,)), noise=1.0, **options)


#: Layers of several kinds; each of the lists reads 12 = 1 x 3 x 4 bits and ends with 15.
MIXED = {
    "kinds of gates": lambda: [dense(12, 20), dense(20, 18), dense(18, 16, parametrisation_name="walsh"),
                               dense(16, 14, parametrisation_name="softmax"), dense(14, 15, parametrisation_name="covjac")],
    "estimators": lambda: [dense(12, 20, estimator="hard"), dense(20, 18, estimator="efd"), dense(18, 16, estimator="efd"),
                           dense(16, 15)],
    "learned first": lambda: [dense(12, 20, candidates=4), dense(20, 18, candidates=8, routing="hard"), dense(18, 15)],
    "learned last": lambda: [dense(12, 20), dense(20, 15, candidates=8)],
    "tables": lambda: [dense(12, 20), dense(20, 18, fan_in=6), dense(18, 16, fan_in=3, parametrisation_name="walsh"),
                       dense(16, 18), dense(18, 15)],
    "tables last": lambda: [dense(12, 20), dense(20, 15, fan_in=4, estimator="efd")],
    "trees": lambda: [conv(1, 3, 4, depth=2, pool=1), conv(4, 3, 4, estimator="efd"), dense(8, 18, candidates=4), dense(18, 15)],
    "trees and pools": lambda: [conv(1, 3, 4, pool=1), OrPool2d((4, 3, 4)), dense(8, 16), dense(16, 15)],
    "a pool first": lambda: [OrPool2d((1, 3, 4)), dense(2, 15)],
    "a graph": lambda: [graph(12, 15, estimator="relaxed")],
    "a graph in between": lambda: [dense(12, 20), graph(20, 14, estimator="relaxed"), dense(14, 15)],
    "a graph last": lambda: [dense(12, 20), graph(20, 15, parametrisation_name="walsh", estimator="efd")],
    "trees alone": lambda: [LogicConv2d((1, 3, 4), 15, receptive_field=2, pool=1, padding=0, init="random", noise=1.0),
                            OrPool2d((15, 2, 3), 2)],
}
mixed = pytest.mark.parametrize("layers", MIXED.values(), ids=MIXED)


def samples(n, inputs=12, seed=0):
    return torch.rand(n, inputs, generator=torch.Generator().manual_seed(seed))


def bits(n, inputs=12, seed=0):
    return (samples(n, inputs, seed) > 0.5).float()


def check_same(network, x):
    """Outputs and all gradients are those of the layers one by one."""
    one, other = copy.deepcopy(network), copy.deepcopy(network)
    plain = nn.Sequential(*other.layers, other.head)
    x, z = x.clone().requires_grad_(), x.clone().requires_grad_()
    y, w = one(x), plain(z)
    torch.testing.assert_close(y, w)
    (y**2).sum().backward()
    (w**2).sum().backward()
    torch.testing.assert_close(x.grad, z.grad)
    for (name, a), b in zip(one.named_parameters(), other.parameters()):
        assert (a.grad is None) == (b.grad is None), name
        if a.grad is not None:
            torch.testing.assert_close(a.grad, b.grad, msg=name)
    return [a.grad for a in one.parameters()]


@kinds
@pytest.mark.parametrize("n", [1, 32, 77])
def test_the_network_is_its_layers_in_sequence_when_trained(kind, n):
    grads = check_same(make(kind).double(), samples(n).double())
    assert all(g.any() for g in grads)


@mixed
def test_layers_of_several_kinds_in_sequence_when_trained(layers):
    grads = check_same(LogicNetwork(layers(), GroupSum(5, 2.0)).double(), samples(50).double())
    assert all(g is not None for g in grads)


@mixed
def test_layers_of_several_kinds_in_sequence_when_frozen(layers):
    network = LogicNetwork(layers(), GroupSum(5, 2.0)).eval()
    y, x = network(bits(100)), bits(100)
    for layer in network.layers:
        x = layer(x)
        assert set(x.unique().tolist()) <= {0, 1}
    assert torch.equal(y, network.head(x)) and not y.requires_grad and len(y.unique()) > 1


@mixed
def test_fixed_wiring_and_hard_layers_in_sequence(layers):
    network = LogicNetwork(layers(), GroupSum(5, 2.0))
    schedule = Schedule(steps=4, layers=len(network.nodes), fix_wiring_at=0.5, harden_at=0.75)
    network.set_phase(schedule.at(2))
    assert all(layer.phase == LayerPhase(fixed_wiring=True) for layer in network.nodes)
    check_same(network.double(), samples(50).double())
    network.set_phase(schedule.at(3))
    assert all(layer.phase == LayerPhase(fixed_wiring=True, hard=True) for layer in network.nodes)
    check_same(network, samples(50).double())
    hard = network(bits(50).double())
    assert torch.equal(hard, network.eval()(bits(50).double()))
    network.set_phase(schedule.at(0))
    assert all(layer.phase == LayerPhase() for layer in network.nodes)


@mixed
def test_layers_freeze_one_after_the_other(layers):
    """A frozen layer is the Boolean one in training too, gets no gradient, and stays frozen in a copy of the state."""
    network = LogicNetwork(layers(), GroupSum(5, 2.0)).double()
    nodes, x = network.nodes, samples(50).double()
    turns = [0.4 + 0.6 * i / len(nodes) for i in range(len(nodes) - 1)]
    for share in (0.0, 0.39, *turns, 0.99):
        network.set_phase(Schedule(steps=1, layers=len(nodes), freeze_at=0.4).at(share))
        frozen = sum(share >= turn for turn in turns)
        network.zero_grad()
        network.cross_entropy(x, torch.arange(50) % 5).backward()
        assert [p.grad is None for layer in nodes for p in layer.parameters()] == [
            i < frozen for i, layer in enumerate(nodes) for p in layer.parameters()]
        plain = copy.deepcopy(network)
        for layer in plain.nodes[:frozen]:
            layer.eval()
        plain.set_phase(Phase())
        torch.testing.assert_close(network(x), plain(x))
        again = LogicNetwork(layers(), GroupSum(5, 2.0)).double()
        again.load_state_dict(network.state_dict())
        assert torch.equal(again(x), network(x))
    assert frozen == len(nodes) - 1


HEADS = {"fixed": lambda: GroupSum(5, 2.0), "learned tau": lambda: GroupSum(5, 2.0, learn_tau=True)}


@mixed
@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
@pytest.mark.parametrize("taught", [False, True])
def test_the_loss_in_one_sweep_is_the_loss_of_the_scores(layers, head, taught):
    network, y = LogicNetwork(layers(), head()).double(), torch.arange(50) % 5
    soft = Soft(samples(50, 5, seed=1).double() * 4, 0.3, 2.0) if taught else None
    x = samples(50).double().requires_grad_()
    tensors = [x, *network.parameters()]
    found, expected = network.cross_entropy(x, y, soft), cross_entropy(network(x), y, soft)
    torch.testing.assert_close(found, expected)
    for a, b in zip(*(torch.autograd.grad(3 * loss, tensors, allow_unused=True) for loss in (found, expected))):
        torch.testing.assert_close(a, b)
    with torch.no_grad():
        torch.testing.assert_close(network.cross_entropy(x, y, soft), expected)
    network.eval()
    torch.testing.assert_close(network.cross_entropy(x, y, soft), cross_entropy(network(x), y, soft))


@pytest.mark.parametrize("y", [torch.tensor([0, 1, 5]), torch.tensor([0, -1, 1]), torch.tensor([0, 1]), torch.tensor([0.0, 1.0, 2.0])])
def test_classes_that_are_none(y):
    with pytest.raises(InputError, match="give int64 class numbers"):
        make().cross_entropy(samples(3), y)


def test_a_part_that_is_frozen_stays_frozen_while_the_rest_is_trained():
    network = make().double()
    network.layers[0].eval()
    first, *others = check_same(network, samples(50).double())
    assert first is None and all(g.any() for g in others)
    network.layers[0].train()
    network.layers[1].eval()
    check_same(network, samples(50).double())
    network.layers[1].train()
    network.layers[2].phase = LayerPhase(hard=True)
    check_same(network, samples(50).double())


@pytest.mark.parametrize("name", [name for name in MIXED if name != "kinds of gates"])
def test_sharpening_scales_all_logits_of_training_and_none_of_the_frozen_network(name):
    """The factor grows from 1 to ``sharpen``; where logits are linear in the weights, a scaled copy of them does the same."""
    network, plain = (LogicNetwork(MIXED[name](), GroupSum(5)).double() for _ in range(2))
    network.set_phase(Schedule(steps=4, sharpen=5.0).at(1))
    x = samples(50).double()
    assert torch.equal(network.eval()(bits(50).double()), plain.eval()(bits(50).double()))
    assert not torch.allclose(network.train()(x), plain.train()(x))
    with torch.no_grad():
        for parameter in plain.parameters():
            parameter *= 2.0
    torch.testing.assert_close(network(x), plain(x))
    torch.testing.assert_close(network.gate_cost(), plain.gate_cost())


@kinds
@pytest.mark.parametrize("estimator", ["hard", "relaxed"])
def test_sharpening_leaves_the_frozen_gates_as_they_are(kind, estimator):
    network = LogicNetwork([dense(12, 200, parametrisation_name=kind, estimator=estimator)], GroupSum(200))
    network.set_phase(Phase(sharpness=1e4))
    x = bits(300)
    assert ((network(x) - network.eval()(x)).abs() < 1e-3).float().mean() > 0.99


def test_runs_of_one_kind_are_fused():
    def lengths(name):
        return [len(s) for s in LogicNetwork(MIXED[name](), GroupSum(5)).segments()]

    assert [len(s) for s in make().segments()] == [3]
    assert lengths("kinds of gates") == [2, 1, 1, 1] and lengths("estimators") == [1, 2, 1]
    assert lengths("learned first") == [1, 1, 1] and lengths("tables") == [1, 1, 1, 2]
    network = LogicNetwork(MIXED["learned first"](), GroupSum(5))
    assert [len(s) for s in network.eval().segments()] == [3]
    network.train().set_phase(Phase(fixed_wiring=True))
    assert [len(s) for s in network.segments()] == [3]


@kinds
def test_eval_is_the_hard_network(kind):
    """Truth tables looked up by hand, layer after layer."""
    network = make(kind, tau=1.0).eval()
    x = bits(200)
    for layer in network.layers:
        a, b = x[:, layer.pairs[:, 0].long()], x[:, layer.pairs[:, 1].long()]
        expected = torch.tensor(TRUTH).float()[layer.tables(), (a + 2 * b).long()]
        assert torch.equal(layer(x), expected)
        x = expected
    assert torch.equal(network(bits(200)), x.reshape(200, 5, 3).sum(-1))
    assert torch.equal(network.tables(), torch.cat([layer.tables() for layer in network.layers]))
    assert network.gates == 53 and network.in_features == 12


def test_train_and_eval_switch_back_and_forth():
    network, x = make(), samples(20)
    relaxed, hard = network(x), network.eval()(x)
    assert not torch.allclose(relaxed, hard)
    assert torch.equal(network.train()(x), relaxed) and not hard.requires_grad


# -------------------------------------------------------------------------------------------------------- Gumbel's noise


def noisy(seed=0):
    layers = [dense(12, 20, estimator="gumbel"), dense(20, 18, estimator="gumbel"), dense(18, 16, estimator="gumbel", fan_in=4),
              dense(16, 15, estimator="gumbel", parametrisation_name="softmax", temperature=0.5)]
    return LogicNetwork(layers, GroupSum(5), seed=seed)


def test_noise_is_a_function_of_seed_and_step_alone():
    def outputs(seed, step):
        network = noisy(seed)
        network.set_phase(Phase(step))
        return network(bits(50))

    first = outputs(1, 5)
    torch.manual_seed(123)
    network = noisy(1)
    for step in (9, 5):  # what came before does not matter
        network.set_phase(Phase(step))
        again = network(bits(50))
    assert torch.equal(again, first) and torch.equal(network(bits(50)), first)
    assert not torch.equal(outputs(1, 6), first) and not torch.equal(outputs(2, 5), first)
    state = torch.get_rng_state()
    network(bits(50))
    assert torch.equal(torch.get_rng_state(), state)


def test_frozen_gates_have_no_noise():
    network = noisy().eval()
    before = network(bits(50))
    network.set_phase(Phase(7))
    assert torch.equal(network(bits(50)), before)


def test_every_layer_gets_noise_of_its_own():
    """Two equal layers side by side in one run are drawn apart."""
    layers = [LogicLayer(12, 12, pairs=np.tile([0, 1], (12, 1)), init="random", noise=0.0, estimator="gumbel") for _ in range(2)]
    network = LogicNetwork(layers, GroupSum(1))
    assert len(network.segments()) == 1
    values = [layer.values(g) for g in [network._generator()] for layer in layers]
    assert not torch.equal(*values)


# ------------------------------------------------------------------------------------------------------------- mistakes


@pytest.mark.parametrize("build, message", [
    (lambda: GroupSum(0), "at least one class"),
    (lambda: GroupSum(3, tau=0), "tau > 0"),
    (lambda: GroupSum(3, tau=float("nan")), "tau > 0"),
    (lambda: GroupSum(3)(torch.zeros(2, 7)), "7 outputs cannot be shared evenly by 3 classes; use a multiple of 3"),
    (lambda: make(classes=4), "15 outputs cannot be shared evenly by 4 classes"),
    (lambda: LogicNetwork([], GroupSum(1)), "at least one LogicLayer"),
    (lambda: LogicNetwork([OrPool2d((1, 4, 4))], GroupSum(1)), "at least one LogicLayer or LogicConv2d"),
    (lambda: LogicNetwork([LogicLayer(4, 6), LogicLayer(5, 6)], GroupSum(2)), "6 gates feeds one that reads 5"),
    (lambda: LogicNetwork([LogicConv2d((1, 4, 4), 3), LogicLayer(4, 6)], GroupSum(2)), "3 gates feeds one that reads 4"),
    (lambda: LogicNetwork([LogicLayer(4, 6, fan_in=3)], GroupSum(2)).gate_cost(), "gate_cost is for gates of two inputs"),
])
def test_impossible_modules(build, message):
    with pytest.raises(InputError, match=message):
        build()


MODULES = {"network": make(), "gates": LogicLayer(12, 9), "tables": LogicLayer(12, 9, fan_in=3),
           "learned": LogicLayer(12, 9, candidates=4), "trees": LogicConv2d((1, 3, 4), 2, padding=1)}


@pytest.mark.parametrize("module", MODULES.values(), ids=MODULES)
@pytest.mark.parametrize("x, message", [
    (torch.zeros(4, 13), r"reads \(samples, 12\), but was given \(4, 13\)"),
    (torch.zeros(12), r"reads \(samples, 12\), but was given \(12,\)"),
    (torch.zeros(4, 12, device="meta"), "has its weights on cpu and its input on meta; move one with .to()"),
    (torch.zeros(4, 12, dtype=torch.complex64), "computes in float32 or float64, not torch.complex64"),
])
def test_samples_that_do_not_fit(module, x, message):
    with pytest.raises(InputError, match=message) as error:
        module(x)
    assert type(module).__name__ in str(error.value)


def test_weights_that_do_not_fit():
    with pytest.raises(InputError, match=r"computes in float32 or float64, not torch.float16"):
        make().half()(samples(2))
    with pytest.raises(InputError, match="has its weights on meta and its input on cpu"):
        make().to("meta")(samples(2))
    with pytest.raises(InputError, match=r"runs on the CPU or a CUDA GPU, but its input is on meta; move it with \.cpu\(\)"):
        make().to("meta")(samples(2).to("meta"))


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int64, torch.float64, torch.float16])
@mixed
def test_samples_of_other_dtypes_are_converted(layers, dtype):
    network = LogicNetwork(layers(), GroupSum(5)).eval()
    assert torch.equal(network(bits(40).to(dtype)), network(bits(40)))


@mixed
def test_a_double_network_computes_in_double(layers):
    network = LogicNetwork(layers(), GroupSum(5)).double()
    assert network(samples(3)).dtype == network.eval()(samples(3)).dtype == torch.float64


@mixed
def test_an_empty_batch(layers):
    network = LogicNetwork(layers(), GroupSum(5))
    assert network(samples(0)).shape == network.eval()(samples(0)).shape == (0, 5)


@mixed
def test_the_state_is_all_that_decides(layers):
    network, other = LogicNetwork(layers(), GroupSum(5)), LogicNetwork(layers(), GroupSum(5))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(generator=torch.Generator().manual_seed(3))
    x = samples(30)
    assert not torch.allclose(other(x), network(x))
    other.load_state_dict(network.state_dict())
    assert torch.equal(other(x), network(x)) and torch.equal(other.eval()(x), network.eval()(x))


def test_a_deep_copy_stands_alone():
    network, x = make(), samples(8)
    before, twin = network(x).detach(), copy.deepcopy(network)
    assert torch.equal(twin(x), before)
    with torch.no_grad():
        twin.layers[0].weight.add_(1)
    assert torch.equal(network(x), before) and not torch.equal(twin(x), before)


def test_printed_form():
    assert "LogicLayer(12, 20, table)" in repr(make()) and "GroupSum(5, tau=2)" in repr(make())


# ------------------------------------------------------------------------------------------------------------- compiling


@pytest.fixture
def compiler():
    torch._dynamo.reset()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    torch._dynamo.reset()


def same_compiled(backend, network):
    network, x = network.double(), samples(16).double()
    fast = torch.compile(copy.deepcopy(network), backend=backend)
    y, z = network(x), fast(x)
    torch.testing.assert_close(z, y)
    y.square().sum().backward()
    z.square().sum().backward()
    for a, b in zip(network.parameters(), fast.parameters()):
        torch.testing.assert_close(a.grad, b.grad)
    torch.testing.assert_close(fast.eval()(x), network.eval()(x))


@pytest.mark.parametrize("name", ["kinds of gates", "tables", "learned first", "trees"])
def test_compiling_gives_the_same_network(compiler, name):
    same_compiled("eager", LogicNetwork(MIXED[name](), GroupSum(5)))


@pytest.mark.slow
def test_compiling_with_inductor_gives_the_same_network(compiler):
    same_compiled("inductor", make())


# ------------------------------------------------------------------------------------------------------ what gates cost


def test_gate_cost_counts_the_gates_that_cost():
    network = LogicNetwork([LogicLayer(4, 16, parametrisation_name="softmax")], GroupSum(1))
    with torch.no_grad():
        network.layers[0].weight.copy_(40 * torch.eye(16))  # gate i is the gate of table i
    free = {"FALSE", "TRUE", "A", "B", "NOT_A", "NOT_B"}
    expected = [0 if g.name in free else 2 if "X" in g.name else 1 for g in GATES]
    assert network.gate_cost().item() == pytest.approx(sum(expected) / 16, abs=1e-6)
    network.layers[0].weight.data.normal_(generator=torch.Generator().manual_seed(0))
    network.gate_cost().backward()
    assert network.layers[0].weight.grad.abs().sum() > 0


def test_gate_cost_counts_a_tree_once_for_each_position_and_leaves_tables_out():
    tree, gates = LogicConv2d((1, 3, 4), 2, depth=2, padding=1, pool=1), LogicLayer(24, 15)
    tables = LogicLayer(15, 15, fan_in=3)
    with torch.no_grad():
        tree.weight.copy_(40 * (torch.tensor(TRUTH[[8] * 6]) - 0.5))  # AND
        gates.weight.copy_(40 * (torch.tensor(TRUTH[[6] * 15]) - 0.5))  # XOR
    network = LogicNetwork([tree, gates, tables], GroupSum(5))
    assert (tree.gates, gates.gates) == (2 * 12 * 3, 15)
    assert network.gate_cost().item() == pytest.approx((72 * 1 + 15 * 2) / 87, abs=1e-5)
