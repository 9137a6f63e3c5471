"""A network without layers as a layer: where it starts, what it is when frozen, and what it learns."""

import copy

import numpy as np
import pytest
import torch

from hardwire.core.errors import FormatError, InputError
from hardwire.logic import (
    Graph,
    GroupSum,
    LogicGraph,
    LogicLayer,
    LogicNetwork,
    LogicSettings,
    graph_of,
    load_model,
    network_of,
    train,
)
from hardwire.logic.lowering import lower
from hardwire.logic.model import load_weights
from hardwire.logic.network.nodes import ESTIMATORS, PARAMETRISATIONS
from hardwire.logic.outputs import hard_outputs
from hardwire.logic.training.batches import EncodedSamples
from hardwire.logic.training.evaluation import accuracy
from hardwire.passes import optimize
from hardwire.verify import verify_circuit


def graph_of_arity(*arities, inputs=6, outputs=4, seed=0):
    rng = np.random.default_rng(seed)
    rows = [(int(rng.integers(0, 1 << 63)) % (1 << (1 << k)), rng.integers(0, inputs + j, k).tolist()) for j, k in enumerate(arities)]
    ends = np.arange(inputs + len(arities) - outputs, inputs + len(arities))
    return Graph.of_nodes(inputs, rows, ends, (outputs,))


MIXED = 2, 1, 6, 3, 2, 4, 5, 2, 2


def bits(samples=100, inputs=6):
    return (torch.rand(samples, inputs, generator=torch.Generator().manual_seed(3)) < 0.5).float()


@pytest.mark.parametrize("kind", PARAMETRISATIONS)
@pytest.mark.parametrize("strength", [0.3, 1.0, 3.0])
def test_it_starts_from_the_tables(kind, strength):
    graph = graph_of_arity(*(2,) * 16, seed=2) if kind in ("softmax", "covjac") else graph_of_arity(*MIXED)
    layer = LogicGraph(graph, parametrisation_name=kind, strength=strength)
    assert layer.graph(graph.sizes) == graph and layer.tables().dtype == torch.int64 and layer.gates == graph.nodes
    x = bits()
    assert np.array_equal(layer.eval()(x).numpy(), graph.evaluate(x.numpy()))
    assert np.array_equal(layer.train()(x).detach().numpy(), graph.evaluate(x.numpy()))  # the hard estimator


@pytest.mark.parametrize("kind, strength", [("table", 2.0), ("walsh", 2.0)])
def test_the_logits_have_the_strength(kind, strength):
    layer = LogicGraph(graph_of_arity(*MIXED), parametrisation_name=kind, strength=strength, estimator="relaxed")
    values = layer.values()
    assert torch.allclose((values - 0.5).abs(), torch.tensor(2.0).sigmoid() - 0.5, atol=1e-6)
    assert torch.equal((values > 0.5).float(), layer.eval().values())


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_every_estimator_trains_every_node(estimator):
    layer = LogicGraph(graph_of_arity(*MIXED, outputs=9), estimator=estimator, noise=0.5)
    layer(torch.rand(50, 6, generator=torch.Generator().manual_seed(0)), torch.Generator().manual_seed(0)).sum().backward()
    for arity, _, grad in layer._weights(layer.weight.grad):
        assert (grad.abs().sum(1) > 0).all(), arity


def test_the_layer_learns_a_table():
    """An exclusive or behind a wire, from tables that say AND."""
    layer = LogicGraph(Graph.of_nodes(2, [(0b10, (0,)), (0b1000, (2, 1))], [3], (1,)), estimator="relaxed", strength=1.0)
    x = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.1)
    for _ in range(200):
        optimizer.zero_grad()
        (layer(x)[:, 0] - torch.tensor([0.0, 1, 1, 0])).square().sum().backward()
        optimizer.step()
    assert layer.eval()(x)[:, 0].tolist() == [0, 1, 1, 0]


def test_the_gate_penalty_counts_nodes_of_two_inputs():
    layer = LogicGraph(Graph.of_nodes(3, [(0b0110, (0, 1)), (0b1000, (1, 2)), (0b10, (0,)), (0x96, (0, 1, 2))], [3, 4, 5, 6], (4,)),
                       strength=50.0)
    network = LogicNetwork([layer], GroupSum(2))
    assert network.gate_cost().item() == pytest.approx((2 + 1) / 2) and layer.two_input_gates == 2
    both = LogicNetwork([layer, LogicLayer(4, 2, pairs=[[0, 1], [2, 3]], noise=0.0, strength=50.0)], GroupSum(2))
    assert both.gate_cost().item() == pytest.approx(3 / 4)
    weak = LogicNetwork([LogicGraph(layer.graph(), strength=1.0)], GroupSum(2))
    weak.gate_cost().backward()
    assert weak.layers[0].weight.grad.ne(0).sum() == 8
    with pytest.raises(InputError, match="gate_cost is for gates of two inputs"):
        LogicNetwork([LogicGraph(graph_of_arity(3, 3, outputs=2))], GroupSum(2)).gate_cost()


def test_a_graph_without_nodes_is_wires():
    network = network_of(Graph.of_nodes(3, [], [2, 0], (1, 1)), GroupSum(2))
    x = bits(20, 3)
    assert torch.equal(network.eval()(x), x[:, [2, 0]]) and network.gates == 0 and lower(network).inputs


@pytest.mark.parametrize("build, message", [
    (lambda: LogicGraph(Graph.of_nodes(2, [], [], (0,))), "a LogicGraph needs at least one output bit"),
    (lambda: LogicGraph(graph_of_arity(2, 2, outputs=2), strength=0), "strength = 0 must be above 0"),
    (lambda: LogicGraph(graph_of_arity(2, 3, outputs=2), parametrisation_name="softmax"), "not tables of 3; use table or walsh"),
    (lambda: LogicGraph(graph_of_arity(2, 2, outputs=2), parametrisation_name="fuzzy"), "'fuzzy' is none of table"),
    (lambda: LogicGraph(graph_of_arity(2, 2, outputs=2), estimator="soft"), "'soft' is none of relaxed"),
    (lambda: LogicGraph(graph_of_arity(2, 2, outputs=2))(torch.zeros(3, 5)), r"LogicGraph reads \(samples, 6\)"),
    (lambda: network_of(graph_of_arity(2, 2, outputs=2), GroupSum(3)), "2 outputs cannot be shared evenly by 3 classes"),
])
def test_refusals(build, message):
    with pytest.raises(InputError, match=message):
        build()


@pytest.mark.parametrize("name, value", [("fanin", 99), ("fanin", -1), ("outputs", 99), ("arity", 7), ("arity", 1)])
def test_stored_wiring_that_is_none(name, value):
    network = network_of(graph_of_arity(*MIXED), GroupSum(2))
    state = copy.deepcopy(network.state_dict())
    state[f"layers.0.{name}"][0 if name != "fanin" else (0, 0)] = value
    with pytest.raises(FormatError, match="the file does not fit the network of its settings"):
        load_weights(network, state, "the file")


# ------------------------------------------------------------------------------------------------------- from data to circuit


@pytest.fixture(scope="module")
def tuned(trained, digits, tmp_path_factory):
    """The graph of a small trained network, damaged at random, fine-tuned for a few steps; and the damaged graph."""
    graph, rng = graph_of(trained.network), np.random.default_rng(0)
    table = graph.table.copy()
    hit = rng.permutation(graph.nodes)[: graph.nodes // 10]
    table[hit] ^= np.uint64(1) << rng.integers(0, 1 << graph.arity[hit]).astype(np.uint64)
    damaged = Graph(graph.inputs, graph.fanin, table, graph.arity, graph.outputs, graph.sizes)
    network = network_of(damaged, GroupSum(10, trained.network.head.tau, sizes=damaged.sizes), strength=0.5)
    out = tmp_path_factory.mktemp("tuned") / "run"
    settings = LogicSettings(width=300, layers=2, levels=3, steps=60, evaluate_every=15, batch=64, learning_rate=0.05)
    return train(settings, digits, network=network, out=out), damaged, out


def test_fine_tuning_is_selected_on_validation(tuned, digits):
    model, damaged, _ = tuned
    first, best = model.metrics[0], model.best
    assert first["step"] == 0 and best["hard"] == max(m["hard"] for m in model.metrics) > first["hard"]
    validation = EncodedSamples(model.encoder.encode(digits.validation.x), digits.validation.y)
    assert accuracy(model.network, validation, hard=True) == best["hard"]
    before = damaged.counts(model.encoder.encode(digits.validation.x)).argmax(1)
    assert (before == digits.validation.y).mean() == first["hard"]


def test_steps_that_make_it_worse_are_not_kept(tuned, digits):
    model, _, _ = tuned
    good = graph_of(model.network)
    network = network_of(good, GroupSum(10, 3.0, sizes=good.sizes), strength=0.01)
    worse = train(model.settings.changed(steps=4, evaluate_every=2, learning_rate=5.0, schedule="constant"), digits, network=network)
    assert worse.best_step == 0 and graph_of(worse.network) == good and worse.metrics[-1]["hard"] < worse.metrics[0]["hard"]


@pytest.mark.slow
def test_a_tuned_graph_is_saved_lowered_and_verified_like_any_network(tuned, digits):
    model, _, out = tuned
    again = load_model(out)
    graph, codes = graph_of(again.network), again.encoder.codes(digits.test.x)
    assert graph == graph_of(model.network) and again.network.head.sizes == graph.sizes
    raw = lower(again.network, again.encoder, labels=digits.classes)
    assert (raw.stage == 1).sum() == again.network.gates
    words = hard_outputs(again)
    assert np.array_equal(words(codes)[:, 0], graph.counts(again.encoder.encode(digits.test.x)).argmax(1))
    verdicts = verify_circuit(optimize(raw)[0], against=raw, network=words, samples=codes)
    assert verdicts["optimized gates"].status == "proved" and verdicts["trained network"].status == "simulated"
    assert not [v for v in verdicts.values() if v.status == "refuted"]
