
import numpy as np
import pytest
import torch

from hardwire.circuit.engine.packed import PackedEngine
from hardwire.circuit.simulate import simulate
from hardwire.core.errors import FormatError, InputError
from hardwire.core.gates import TRUTH
from hardwire.cost import stage_costs
from hardwire.data import fit_encoder
from hardwire.logic import Graph, GroupSum, LogicGraph, LogicLayer, LogicNetwork
from hardwire.logic.lowering import HEADS, lower
from hardwire.logic.network.conv import LogicConv2d, OrPool2d
from hardwire.logic.network.nodes import PARAMETRISATIONS
from hardwire.logic.training.batches import EncodedSamples
from hardwire.logic.training.evaluation import predict
from hardwire.passes import map_to_luts, optimize
from hardwire.verify import prove, prove_macros, verify_circuit
from hardwire.verify.readback import read_back


def network(*, classes=3, kind="table", inputs=8, sizes=(12, 9)):
    layers = [LogicLayer(n, m, parametrisation_name=kind, init="random", seed=i) for i, (n, m) in
              enumerate(zip((inputs, *sizes), sizes))]
    return LogicNetwork(layers, GroupSum(classes, 2.0))


def every(n):
    return (np.arange(1 << n)[:, None] >> np.arange(n) & 1).astype(np.uint8)


def hard(net, bits):
    return net.eval()(torch.from_numpy(bits).float())


@pytest.mark.parametrize("kind", PARAMETRISATIONS)
def test_the_circuit_is_the_frozen_network(kind):
    net = network(kind=kind)
    circuit, bits = lower(net, scores=True), every(8)
    scores = hard(net, bits).numpy() * net.head.tau
    assert [w.name for w in circuit.outputs] == ["class_index", "score0", "score1", "score2"]
    for found in (simulate(circuit, bits), PackedEngine(circuit)(bits)):
        assert np.array_equal(found[:, 1:], scores) and np.array_equal(found[:, 0], scores.argmax(1))


@pytest.mark.parametrize("head", HEADS)
def test_every_head_is_the_same_function(head, rng):
    net = network(classes=4, inputs=10, sizes=(60, 52))
    circuit, bits = lower(net, head=head), every(10)
    assert np.array_equal(simulate(circuit, bits)[:, 0], hard(net, bits).numpy().argmax(1))
    mapped = map_to_luts(circuit)
    assert np.array_equal(simulate(mapped, bits), simulate(circuit, bits))
    assert prove_macros(circuit).status == "proved" and prove(circuit, read_back(circuit)).status == "proved"
    if head == "luts":
        assert (mapped.stage == 2).sum() == (circuit.stage == 2).sum() <= 52 + 24
        assert circuit.arity[circuit.stage == 2].max() == 6


def test_ties_give_the_lowest_class():
    layer = LogicLayer(2, 6, pairs=np.tile([0, 1], (6, 1)))
    with torch.no_grad():  # classes 0, 1, 2 count A twice, B twice, B twice
        layer.weight.copy_(torch.tensor(2 * TRUTH[[10, 10, 12, 12, 12, 12]] - 1))
    circuit = lower(LogicNetwork([layer], GroupSum(3)), scores=True)
    assert simulate(circuit, every(2)).tolist() == [[0, 0, 0, 0], [0, 2, 0, 0], [1, 0, 2, 2], [0, 2, 2, 2]]


def test_without_the_head_the_last_bits_come_out():
    net = network()
    circuit = lower(net, include=("network",))
    x = torch.from_numpy(every(8)).float()
    for layer in net.eval().layers:
        x = layer(x)
    assert [w.name for w in circuit.outputs] == [f"y{i}" for i in range(9)] and not circuit.macros
    assert np.array_equal(simulate(circuit, every(8)), x.numpy())


@pytest.mark.parametrize("table", range(16))
def test_each_gate_keeps_its_operands(table):
    layer = LogicLayer(2, 2, pairs=[[0, 1], [1, 0]])
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(2 * TRUTH[[table, table]] - 1))
    circuit = lower(LogicNetwork([layer], GroupSum(1)), include=("network",))
    assert circuit.table.tolist() == [table, table] and circuit.fanin.tolist() == [[2, 3], [3, 2]]
    assert simulate(circuit, every(2))[:, 0].tolist() == TRUTH[table].tolist()


def test_a_node_for_each_trained_gate_and_stages_apart(trained, lowered):
    counts = stage_costs(lowered)
    assert (lowered.stage == 1).sum() == trained.network.gates == 600
    assert counts["encoder"]["gates"] > 0 and counts["head"]["gates"] > 0
    assert [w.name for w in lowered.outputs] == ["class_index"] and lowered.labels == tuple("0123456789")
    assert lowered.inputs[0].name == "pixel_0_0" and len(lowered.inputs) == 64
    assert sum(m.kind == "popcount" for m in lowered.macros) == 10


@pytest.mark.parametrize("split", ["test", "validation"])
def test_digits_from_pixel_to_class(trained, lowered, digits, split):
    x = getattr(digits, split).x
    expected = predict(trained.network.eval(), EncodedSamples(trained.encoder.encode(x), getattr(digits, split).y))
    assert np.array_equal(simulate(lowered, x).ravel(), expected)
    assert np.array_equal(PackedEngine(lowered)(x).ravel(), expected)
    assert np.array_equal(PackedEngine(lowered)(x.astype(float)).ravel(), expected)


def test_the_mode_of_the_network_does_not_matter(trained, lowered, digits):
    trained.network.train()
    again = lower(trained.network, trained.encoder, name="digits", labels=digits.classes, features=digits.features)
    trained.network.eval()
    assert again.digest == lowered.digest


def test_without_the_encoder_the_inputs_are_its_bits(trained, digits):
    bits = trained.encoder.encode(digits.test.x)
    circuit = lower(trained.network, trained.encoder, include=("network", "head"))
    assert circuit.input_widths == [1] * trained.encoder.n_bits and stage_costs(circuit)["encoder"]["gates"] == 0
    assert np.array_equal(simulate(circuit, bits), simulate(lower(trained.network), bits))
    assert np.array_equal(simulate(circuit, bits)[:, 0], predict(trained.network, EncodedSamples(bits, digits.test.y)))


@pytest.mark.parametrize("kind", ["uniform", "quantile"])
def test_real_features_enter_as_physical_values(rng, kind):
    """Of every size and sign, constant ones, and values beyond what was seen in training."""
    x = rng.normal(size=(200, 4)) * [1, 1e-9, 1e9, 0] + [0, 5, -1e9, 3]
    encoder = fit_encoder(kind, x, levels=3, code_bits=7)
    net = network(inputs=12, sizes=(30, 18))
    circuit = lower(net, encoder, features=["a", "b", "c", "d"])
    fresh = np.concatenate([x, x * 3, -x])
    expected = hard(net, encoder.encode(fresh).astype(np.uint8)).argmax(1).numpy()
    assert np.array_equal(simulate(circuit, fresh)[:, 0], expected)
    assert np.array_equal(PackedEngine(circuit)(fresh)[:, 0], expected)
    assert np.array_equal(simulate(circuit, encoder.codes(fresh))[:, 0], expected)


@pytest.fixture
def edge_case(digits):
    """A small random network on edge detectors and thresholds of the middle of the digits: network, encoder, codes."""
    x = digits.train.x.reshape(-1, 8, 8)[:, 2:6, 2:6].reshape(-1, 16)
    encoder = fit_encoder("uniform", x, levels=2, edges=1, shape=(1, 4, 4))
    return network(inputs=encoder.n_bits, sizes=(160, 60)), encoder, encoder.codes(x[:300])


def test_edge_detectors_are_gates_of_the_encoder(edge_case):
    net, encoder, codes = edge_case
    circuit = lower(net, encoder)
    expected = hard(net, encoder.encode_codes(codes).astype(np.uint8)).argmax(1).numpy()
    assert encoder.levels == 10 and stage_costs(circuit)["network"]["gates"] <= 220
    assert np.array_equal(simulate(circuit, codes)[:, 0], expected)
    assert np.array_equal(PackedEngine(circuit)(codes)[:, 0], expected)
    assert stage_costs(circuit)["encoder"]["gates"] <= 2 * 16 * 4 + 42 * (5 * 5 + 2 * 6)  # 42 pairs of neighbours


@pytest.mark.slow
def test_edge_detectors_are_proved_in_every_back_end(edge_case):
    net, encoder, codes = edge_case
    raw = lower(net, encoder)
    best, _ = optimize(raw)

    def trained(x):
        return hard(net, encoder.encode_codes(x).astype(np.uint8)).argmax(1).numpy()[:, None]

    verdicts = verify_circuit(best, against=raw, network=trained, samples=codes)
    assert stage_costs(best)["encoder"]["gates"] < stage_costs(raw)["encoder"]["gates"]
    assert all(v.status in ("proved", "simulated", "skipped") for v in verdicts.values()), {k: str(v) for k, v in verdicts.items()}
    assert verdicts["optimized gates"].status == "proved" and verdicts["trained network"].status == "simulated"


def test_repeated_thresholds_are_no_gates(rng):
    x = rng.integers(0, [2, 3, 9, 1], (200, 4))
    encoder = fit_encoder("quantile", x, levels=5, distinct=True)
    net = network(inputs=encoder.n_bits, sizes=(30, 18))
    circuit, codes = lower(net, encoder), encoder.codes(x)
    expected = hard(net, encoder.encode(x).astype(np.uint8)).argmax(1).numpy()
    assert encoder.n_bits == 1 + 2 + 5 + 1 and np.array_equal(simulate(circuit, codes)[:, 0], expected)
    assert sum(m.kind == "ge" for m in circuit.macros) == 9


def trees(shape, kernels, **options):
    return LogicConv2d(shape, kernels, init="random", noise=1.0, seed=7, **options)


def gates(inputs, outputs, **options):
    return LogicLayer(inputs, outputs, init="random", seed=8, **options)


#: Layers of each kind, alone and one after the other.
LAYERS = {
    **{f"trees of depth {d}": lambda d=d: [trees((2, 4, 5), 3, depth=d, padding=1, pool=2)] for d in range(1, 6)},
    "a receptive field of one": lambda: [trees((3, 2, 3), 4, receptive_field=1, pool=1, depth=2, channels_per_tree=3)],
    "much padding, odd pools": lambda: [trees((1, 3, 5), 6, receptive_field=2, padding=2, pool=3, depth=2)],
    "groups": lambda: [trees((4, 4, 4), 6, groups=2, pool=1, depth=2)],
    "pass-through trees": lambda: [LogicConv2d((2, 5, 5), 4, padding=1)],
    "a pool that drops some": lambda: [trees((2, 5, 4), 3, padding=1, pool=1), OrPool2d((3, 5, 4), 3)],
    "two convolutions": lambda: [trees((1, 6, 6), 4, padding=1, depth=1), trees((4, 3, 3), 5, receptive_field=2, pool=1, depth=2)],
    **{f"tables of {k}": lambda k=k: [gates(12, 20, fan_in=k), gates(20, 9, fan_in=k, parametrisation_name="walsh")]
       for k in range(2, 7)},
    "learned wires of tables": lambda: [gates(12, 20, fan_in=6, candidates=8, routing="hard"),
                                        gates(20, 9, fan_in=3, candidates=4, parametrisation_name="walsh")],
    "learned wires": lambda: [gates(12, 20, candidates=8), gates(20, 9, candidates=4, routing="hard", parametrisation_name="covjac")],
    "a graph": lambda: [gates(12, 20), LogicGraph(Graph.of_nodes(20, [(6, (3, 1)), (0, (0,)), (0x96, (20, 2, 21)), (1, (22,)),
                                                                      (0xCA, (0, 1, 2))], [22, 24, 5, 23, 22], (5,)))],
    "all of them": lambda: [trees((1, 6, 6), 4, padding=1, pool=1, depth=2), OrPool2d((4, 6, 6)), gates(36, 30, candidates=8),
                            gates(30, 20, fan_in=6), gates(20, 12)],
}


@pytest.mark.parametrize("layers", LAYERS.values(), ids=LAYERS)
def test_every_kind_of_layer_is_its_exact_gates(layers, rng):
    net = LogicNetwork(layers(), GroupSum(1))
    circuit = lower(net, include=("network",))
    bits = (rng.random((300, net.in_features)) < rng.random((300, 1))).astype(np.uint8)
    x = torch.from_numpy(bits).float()
    for layer in net.eval().layers:
        x = layer(x)
    assert (circuit.stage == 1).sum() == len(circuit.table) == net.gates == sum(layer.gates for layer in net.layers)
    assert x.any() and not x.all()
    assert np.array_equal(simulate(circuit, bits), x.numpy())
    assert np.array_equal(PackedEngine(circuit)(bits), x.numpy())


def test_trees_tables_and_learned_wires_to_the_class(rng):
    net = LogicNetwork(LAYERS["all of them"](), GroupSum(4, 2.0))
    circuit, bits = lower(net, scores=True), (rng.random((200, 36)) < 0.5).astype(np.uint8)
    scores = hard(net, bits).numpy() * 2
    assert (circuit.stage == 1).sum() == net.gates
    for found in (simulate(circuit, bits), PackedEngine(circuit)(bits), simulate(optimize(circuit)[0], bits)):
        assert np.array_equal(found[:, 0], scores.argmax(1)) and np.array_equal(found[:, 1:], scores)


@pytest.mark.parametrize("use, error, message", [
    (lambda n: lower(n.layers), InputError, "cannot lower a ModuleList; give a LogicNetwork"),
    (lambda n: lower(n, head="small"), InputError, "head 'small' is none of area, depth, luts"),
    (lambda n: lower(n, include=("network", "tail")), InputError, "include names 'tail'; choose from encoder, network, head"),
    (lambda n: lower(n, fit_encoder("uniform", np.arange(9.0)[:, None], levels=3)), InputError,
     "the encoder makes 3 bits, but the network reads 8"),
    (lambda n: lower(n, fit_encoder("uniform", np.arange(8.0).reshape(1, 8)), features=["a"]), InputError,
     "1 feature names for an encoder of 8 features"),
    (lambda n: lower(n, fit_encoder("uniform", np.arange(8.0).reshape(1, 8)), features=["a b", *"cdefghi"]), FormatError,
     "input 'a b' .* is no identifier"),
])
def test_refusals(use, error, message):
    with pytest.raises(error, match=message):
        use(network())
