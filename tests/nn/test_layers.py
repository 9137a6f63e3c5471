import copy
import warnings
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from hardwire.errors import InputError
from hardwire.gates import GATES, TRUTH
from hardwire.nn import GroupSum, LogicLayer, LogicNetwork, cpu
from hardwire.nn.nodes import PARAMETRISATIONS

both = pytest.mark.parametrize("kind", PARAMETRISATIONS)
CORNERS = torch.tensor([[0.0, 0], [1, 0], [0, 1], [1, 1]])


def make(kind="table", *, sizes=(12, 20, 18, 15), classes=5, tau=2.0, init="random"):
    layers = [LogicLayer(n, m, parametrisation_name=kind, init=init, seed=n) for n, m in pairwise(sizes)]
    return LogicNetwork(layers, GroupSum(classes, tau))


def samples(n, inputs=12, seed=0):
    return torch.rand(n, inputs, generator=torch.Generator().manual_seed(seed))


def bits(n, inputs=12, seed=0):
    return (samples(n, inputs, seed) > 0.5).float()


@both
@pytest.mark.parametrize("n", [1, 32, 77])
def test_the_network_is_its_layers_in_sequence_when_trained(kind, n):
    network = make(kind).double()
    plain = nn.Sequential(*copy.deepcopy(network).layers, network.head)
    x, z = samples(n).double().requires_grad_(), samples(n).double().requires_grad_()
    y, w = network(x), plain(z)
    torch.testing.assert_close(y, w)
    (y**2).sum().backward()
    (w**2).sum().backward()
    torch.testing.assert_close(x.grad, z.grad)
    for a, b in zip(network.parameters(), plain.parameters()):
        assert a.grad.abs().sum() > 0
        torch.testing.assert_close(a.grad, b.grad)


@both
def test_the_network_is_its_layers_in_sequence_when_frozen(kind):
    network = make(kind).eval()
    assert torch.equal(network(bits(100)), nn.Sequential(*network.layers, network.head)(bits(100)))


@both
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


@both
def test_all_sixteen_gates_freeze_to_their_tables(kind):
    layer = LogicLayer(2, 16, parametrisation_name=kind, pairs=np.tile([0, 1], (16, 1))).eval()
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(2 * TRUTH - 1) if kind == "table" else torch.eye(16))
    assert layer.tables().tolist() == list(range(16))
    assert torch.equal(layer(CORNERS).T, torch.tensor(TRUTH).float())
    swapped = LogicLayer(2, 16, parametrisation_name=kind, pairs=np.tile([1, 0], (16, 1))).eval()
    swapped.weight = layer.weight
    assert torch.equal(swapped(CORNERS[:, [1, 0]]).T, torch.tensor(TRUTH).float())


def test_train_and_eval_switch_back_and_forth():
    network, x = make(), samples(20)
    relaxed, hard = network(x), network.eval()(x)
    assert not torch.allclose(relaxed, hard)
    assert torch.equal(network.train()(x), relaxed) and not hard.requires_grad


@pytest.mark.parametrize("module", [make(), LogicLayer(12, 9)], ids=["network", "layer"])
def test_samples_get_a_gradient_only_if_they_want_one(module):
    x = samples(10)
    module(x).sum().backward()
    assert x.grad is None
    x.requires_grad_()
    module(x).sum().backward()
    assert x.grad.shape == x.shape


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int64, torch.float64, torch.float16])
def test_samples_of_other_dtypes_are_converted(dtype):
    network = make().eval()
    assert torch.equal(network(bits(40).to(dtype)), network(bits(40)))


def test_a_double_network_computes_in_double():
    assert make().double()(samples(3)).dtype == torch.float64


def test_an_empty_batch():
    assert make()(samples(0)).shape == (0, 5)
    assert nn.Sequential(*make().layers, GroupSum(5))(samples(0)).shape == (0, 5)


def test_the_wiring_is_saved_with_the_weights():
    network = make(init="residual")
    assert {"layers.0.pairs", "layers.0.weight"} <= set(network.state_dict())
    other = make(sizes=(12, 20, 18, 15))
    for i, layer in enumerate(other.layers):
        layer.pairs.copy_(LogicLayer(layer.in_features, layer.out_features, seed=100 + i).pairs)
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


def test_a_seed_decides_wiring_and_weights():
    a, b, c = (LogicLayer(30, 50, seed=s).state_dict() for s in (1, 1, 2))
    assert all(torch.equal(a[k], b[k]) and not torch.equal(a[k], c[k]) for k in a)


def test_given_wiring_is_copied():
    pairs = np.array([[0, 1], [2, 0]])
    layer = LogicLayer(3, 2, pairs=pairs)
    pairs[:] = 9
    assert layer.pairs.tolist() == [[0, 1], [2, 0]] and layer.pairs.dtype == torch.int32


@pytest.mark.parametrize("pairs, message", [
    ([[0, 1]], r"wiring of shape \(1, 2\) does not give 2 gates two of 3 inputs"),
    ([[0, 1], [2, 3]], "does not give 2 gates"),
    ([[0, -1], [1, 2]], "does not give 2 gates"),
    ([[0, 1, 2], [0, 1, 2]], "does not give 2 gates"),
    ([[0, 2**32], [1, 2]], "does not give 2 gates"),
    ([[0.5, 1], [1, 2]], "wiring has dtype float64; give integers"),
    ([], "wiring"),
])
def test_impossible_wiring(pairs, message):
    with pytest.raises(InputError, match=message):
        LogicLayer(3, 2, pairs=pairs)


@pytest.mark.parametrize("build, message", [
    (lambda: LogicLayer(1, 5), "at least 2 inputs and 1 gate, not 1 and 5"),
    (lambda: LogicLayer(5, 0), "at least 2 inputs and 1 gate"),
    (lambda: LogicLayer(5, 3, init="zero"), "init 'zero' is none of residual, random"),
    (lambda: LogicLayer(5, 3, parametrisation_name="walsh"), "parametrisation 'walsh' is none of"),
    (lambda: GroupSum(0), "at least one class"),
    (lambda: GroupSum(3, tau=0), "tau > 0"),
    (lambda: GroupSum(3, tau=float("nan")), "tau > 0"),
    (lambda: GroupSum(3)(torch.zeros(2, 7)), "7 outputs cannot be shared evenly by 3 classes; use a multiple of 3"),
    (lambda: make(classes=4), "15 outputs cannot be shared evenly by 4 classes"),
    (lambda: LogicNetwork([], GroupSum(1)), "at least one LogicLayer"),
    (lambda: LogicNetwork([LogicLayer(4, 6), LogicLayer(5, 6)], GroupSum(2)), "6 gates feeds one that reads 5"),
    (lambda: LogicNetwork([LogicLayer(4, 6), LogicLayer(6, 6, parametrisation_name="softmax")], GroupSum(2)),
     "share a parametrisation"),
])
def test_impossible_modules(build, message):
    with pytest.raises(InputError, match=message):
        build()


@pytest.mark.parametrize("module", [make(), LogicLayer(12, 9)], ids=["LogicNetwork", "LogicLayer"])
@pytest.mark.parametrize("x, message", [
    (torch.zeros(4, 13), r"reads \(samples, 12\), but was given \(4, 13\)"),
    (torch.zeros(12), r"reads \(samples, 12\), but was given \(12,\)"),
    (torch.zeros(4, 12, device="meta"), "runs on the CPU, but its input is on meta"),
    (torch.zeros(4, 12, dtype=torch.complex64), "computes in float32 or float64, not torch.complex64"),
])
def test_samples_that_do_not_fit(module, x, message):
    with pytest.raises(InputError, match=message) as error:
        module(x)
    assert type(module).__name__ in str(error.value)


def test_weights_that_do_not_fit():
    with pytest.raises(InputError, match=r"computes in float32 or float64, not torch.float16"):
        make().half()(samples(2))
    with pytest.raises(InputError, match="its weights are on meta"):
        make().to("meta")(samples(2))


def test_printed_form():
    assert "LogicLayer(12, 20, table)" in repr(make()) and "GroupSum(5, tau=2)" in repr(make())


@pytest.fixture
def compiler():
    torch._dynamo.reset()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    torch._dynamo.reset()


def same_compiled(backend):
    network, x = make(), samples(16)
    fast = torch.compile(copy.deepcopy(network), backend=backend)
    y, z = network(x), fast(x)
    torch.testing.assert_close(z, y)
    y.square().sum().backward()
    z.square().sum().backward()
    for a, b in zip(network.parameters(), fast.parameters()):
        torch.testing.assert_close(a.grad, b.grad)
    torch.testing.assert_close(fast.eval()(x), network.eval()(x))


def test_compiling_gives_the_same_network(compiler):
    same_compiled("eager")


@pytest.mark.slow
def test_compiling_with_inductor_gives_the_same_network(compiler):
    same_compiled("inductor")


def test_compiling_as_one_graph_is_refused_with_the_reason(compiler):
    with pytest.raises(Exception, match="hardwire's gate kernel runs outside the compiled graph; drop fullgraph=True"):
        torch.compile(make(), backend="eager", fullgraph=True)(samples(4))


def test_gate_cost_counts_the_gates_that_cost():
    network = LogicNetwork([LogicLayer(4, 16, parametrisation_name="softmax")], GroupSum(1))
    with torch.no_grad():
        network.layers[0].weight.copy_(40 * torch.eye(16))  # gate i is the gate of table i
    free = {"FALSE", "TRUE", "A", "B", "NOT_A", "NOT_B"}
    expected = [0 if g.name in free else 2 if "X" in g.name else 1 for g in GATES]
    assert network.gate_cost().item() == pytest.approx(sum(expected) / 16, abs=1e-6)
    network.layers[0].weight.data.normal_()
    network.gate_cost().backward()
    assert network.layers[0].weight.grad.abs().sum() > 0


def test_gate_cost_has_the_gradient_of_its_equation():
    values = torch.rand(50, 4, dtype=torch.float64, requires_grad=True)
    cost = cpu.Interaction.apply(values)
    expected = (values[:, 3] - values[:, 2] - values[:, 1] + values[:, 0]).abs().mean()
    assert cost.item() == pytest.approx(expected.item(), rel=1e-12)
    found, right = (torch.autograd.grad(y, values)[0] for y in (3 * cost, 3 * expected))
    assert torch.allclose(found, right, rtol=1e-12)
