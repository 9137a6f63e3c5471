"""``fixtures/peers.npz`` holds small networks trained with the peers themselves, difflogic's published CPU path and torchlogix 0.2.2:
two layers of 12-20-15, five classes, tau 3; their states, wirings, relaxed outputs on real inputs and frozen counts on bits."""

from pathlib import Path

import numpy as np
import pytest
import torch

from hardwire import import_difflogic, import_torchlogix, lower
from hardwire.circuit.engine.packed import PackedEngine
from hardwire.core.errors import FormatError, InputError
from hardwire.core.gates import TABLE

PEERS = dict(np.load(Path(__file__).parent / "fixtures" / "peers.npz"))
HEAD = {"inputs": 12, "classes": 5, "tau": 3.0}
TORCHLOGIX = {"raw": {"parametrization": "raw", "temperature": 1.5}, "light": {"parametrization": "light", "temperature": 0.5},
              "warp": {"parametrization": "warp", "temperature": 0.5}, "learnable": {"parametrization": "light", "temperature": 0.5}}

#: The peers' sixteen gates as published, ``(1, a, b, ab)`` coefficients by gate number.
PUBLISHED = torch.tensor([
    (0, 0, 0, 0), (0, 0, 0, 1), (0, 1, 0, -1), (0, 1, 0, 0), (0, 0, 1, -1), (0, 0, 1, 0), (0, 1, 1, -2), (0, 1, 1, -1),
    (1, -1, -1, 1), (1, -1, -1, 2), (1, 0, -1, 0), (1, 0, -1, 1), (1, -1, 0, 0), (1, -1, 0, 1), (1, 0, 0, -1), (1, 0, 0, 0)]).double()
CORNERS = torch.tensor([[0.0, 0], [1, 0], [0, 1], [1, 1]])


def state(kind):
    """The peer's state dict as it was."""
    prefix = f"{kind}/state/"
    arrays = {k.removeprefix(prefix): v for k, v in PEERS.items() if k.startswith(prefix)}
    return {k: torch.from_numpy(v).long() if v.dtype == np.int16 else torch.from_numpy(v) for k, v in arrays.items()}


def wiring():
    return [tuple(torch.from_numpy(PEERS[f"difflogic/wiring/{i}"]).long()) for i in (1, 2)]


def imported(kind):
    if kind == "difflogic":
        return import_difflogic(state(kind), wiring(), **HEAD)
    return import_torchlogix(state(kind), **HEAD, **TORCHLOGIX[kind])


def basis(x):
    a, b = x.T
    return torch.stack([torch.ones_like(a), a, b, a * b], -1)


def alone(w, **options):
    """Sixteen gates of the given weights over the same two inputs."""
    return import_torchlogix({"0.weight": w}, [torch.tensor([[0], [1]]).expand(2, len(w))], inputs=2, classes=len(w), **options)


@pytest.mark.parametrize("kind", ["difflogic", *TORCHLOGIX])
def test_the_frozen_network_is_the_peers_and_so_is_its_circuit(kind):
    network = imported(kind)
    expected = PEERS[f"{kind}/hard"]
    assert not network.training and len(np.unique(expected.argmax(1))) > 2
    assert np.array_equal((network(torch.from_numpy(PEERS["bits"])) * 3).round().detach(), expected)
    found = PackedEngine(lower(network, scores=True))(PEERS["bits"])
    assert np.array_equal(found[:, 1:], expected) and np.array_equal(found[:, 0], expected.argmax(1))


@pytest.mark.parametrize("kind", ["difflogic", "raw", "light", "learnable"])
def test_the_relaxed_network_is_the_peers(kind):
    found = imported(kind).train()(torch.from_numpy(PEERS["real"]))
    torch.testing.assert_close(found, torch.from_numpy(PEERS[f"{kind}/relaxed"]), rtol=0, atol=2e-6)


def test_relaxed_warp_gates_agree_at_bits():
    first = imported("warp").train().layers[0]
    torch.testing.assert_close(first(torch.from_numpy(PEERS["bits"])), torch.from_numpy(PEERS["warp/first"]), rtol=0, atol=2e-6)


@pytest.mark.parametrize("gate", range(16))
@pytest.mark.parametrize("tool", ["difflogic", "torchlogix"])
def test_each_published_gate(tool, gate):
    w = torch.nn.functional.one_hot(torch.tensor([gate]), 16).float()
    network = alone(w) if tool == "torchlogix" else import_difflogic({"weights": w}, [([0], [1])], inputs=2, classes=1)
    assert torch.equal(network(CORNERS)[:, 0].double(), basis(CORNERS.double()) @ PUBLISHED[gate])


def test_the_asymmetric_gates_by_name():
    gates = {2: "A_AND_NOT_B", 3: "A", 4: "B_AND_NOT_A", 5: "B", 10: "NOT_B", 11: "A_OR_NOT_B", 12: "NOT_A", 13: "B_OR_NOT_A"}
    assert alone(torch.eye(16)[list(gates)]).tables().tolist() == [TABLE[name] for name in gates.values()]


def test_relaxed_gates_follow_the_published_formula(rng):
    w, x = torch.from_numpy(rng.normal(size=(40, 16))), torch.from_numpy(rng.random((30, 2)))
    expected = basis(x) @ PUBLISHED.T @ torch.softmax(w / 0.7, -1).T
    found = alone(w, temperature=0.7).train()(x)
    assert found.dtype == torch.float64
    torch.testing.assert_close(found, expected)


def test_relaxed_light_gates_follow_the_published_formula(rng):
    w, x = torch.from_numpy(rng.normal(size=(40, 4))), torch.from_numpy(rng.random((30, 2)))
    a, b = x.T
    minterms = torch.stack([(1 - a) * (1 - b), (1 - a) * b, a * (1 - b), a * b], -1)
    torch.testing.assert_close(alone(w, parametrization="light").train()(x), minterms @ torch.sigmoid(w).T)


def test_warp_gates_follow_the_published_formula_at_bits(rng):
    w, x = torch.from_numpy(rng.normal(size=(40, 4))), CORNERS.double()
    a, b = 1 - 2 * x.T
    h = torch.stack([torch.ones_like(a), b, a, a * b], -1) @ w.T
    network = alone(w, parametrization="warp", temperature=2.0)
    torch.testing.assert_close(network.train()(x), torch.sigmoid(-h / 2))
    assert torch.equal(network.eval()(x), (h < 0).double())


def test_equal_logits_freeze_to_the_lowest_published_number(rng):
    w = torch.from_numpy(rng.integers(0, 2, (200, 16))).float() * 3
    network = alone(w, temperature=0.3)
    assert torch.equal(network(CORNERS).double(), basis(CORNERS.double()) @ PUBLISHED[w.argmax(-1)].T)
    torch.testing.assert_close(network.train()(CORNERS).double(),
                               basis(CORNERS.double()) @ PUBLISHED.T @ torch.softmax(w.double() / 0.3, -1).T, rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind, dtype", [("raw", torch.float16), ("raw", torch.bfloat16), ("light", torch.float64)])
def test_other_precisions(kind, dtype):
    content = {k: v.to(dtype) if v.is_floating_point() else v for k, v in state(kind).items()}
    network = import_torchlogix(content, **HEAD, **TORCHLOGIX[kind])
    x = torch.from_numpy(PEERS["real"])
    torch.testing.assert_close(network.train()(x).float(), torch.from_numpy(PEERS[f"{kind}/relaxed"]), rtol=0, atol=0.05)


def test_files(tmp_path):
    plain, both = tmp_path / "plain.pt", tmp_path / "both.pt"
    torch.save(state("difflogic"), plain)
    torch.save({"state_dict": state("difflogic"), "wiring": wiring()}, both)
    expected = imported("difflogic").state_dict()
    for network in (import_difflogic(plain, wiring(), **HEAD), import_difflogic(str(both), **HEAD)):
        assert all(torch.equal(v, expected[k]) for k, v in network.state_dict().items())


def test_layers_come_in_the_order_of_their_numbers(rng):
    """A file sorted by name has ``10`` before ``2``."""
    names = [str(i) for i in range(1, 12)]
    content = {f"{n}.weight": torch.from_numpy(rng.normal(size=(int(n) + 3, 16))) for n in sorted(names)}
    wires = [rng.integers(0, 4 if i == 0 else i + 3, (2, i + 4)) for i in range(11)]
    network = import_torchlogix(content, wires, inputs=4, classes=2)
    assert [layer.out_features for layer in network.layers] == list(range(4, 15))


def test_layers_with_names_keep_their_order(rng):
    content = {f"{n}.weight": torch.from_numpy(rng.normal(size=(size, 16))) for n, size in (("start", 6), ("middle", 5), ("last", 4))}
    wires = [rng.integers(0, 4, (2, size)) for size in (6, 5, 4)]
    assert [layer.out_features for layer in import_torchlogix(content, wires, inputs=4, classes=2).layers] == [6, 5, 4]


def test_what_is_no_gate_is_passed_over():
    content = state("raw") | {"0.thresholds": torch.zeros(1), "0.raw_diffs": torch.zeros(1), "1._export_lut_ids": torch.zeros(20),
                              "2.connections._export_indices": torch.zeros(2, 15)}
    network = import_torchlogix(content, **HEAD, **TORCHLOGIX["raw"])
    assert torch.equal(network.tables(), imported("raw").tables())


def torchlogix(changes=None, *, kind="raw", wiring=None, **options):
    """Import with entries of the state exchanged; None removes one."""
    content = {k: v for k, v in (state(kind) | (changes or {})).items() if v is not None}
    return import_torchlogix(content, wiring, **(HEAD | TORCHLOGIX[kind] | options))


def difflogic(wires=..., changes=None, **options):
    return import_difflogic(state("difflogic") | (changes or {}), wiring() if wires is ... else wires, **(HEAD | options))


LONG = torch.zeros(2, 20, dtype=torch.long)


@pytest.mark.parametrize("use, message", [
    (lambda: difflogic(None), r"difflogic keeps no wiring in its checkpoints; give wiring="),
    (lambda: difflogic(wiring()[:1]), r"wiring has 1 entries for 2 layers \(1, 2\); give one for each"),
    (lambda: difflogic(3), "wiring is a int; give a list"),
    (lambda: difflogic(wiring()[::-1]), "layer 0 has 20 gates that read 12 bits, but its wiring gives 15 gates"),
    (lambda: difflogic([torch.stack(w).T for w in wiring()]), r"the wiring of layer '1' has shape \(20, 2\) and type int64; give"),
    (lambda: difflogic([([0.5], [1.0])] * 2), r"has shape \(2, 1\) and type float32; give integers"),
    (lambda: difflogic([([0, 1], [1])] * 2), r"the wiring of layer '1' is no \(2, gates\) array"),
    (lambda: difflogic(inputs=11), r"layer 0 has 20 gates that read 11 bits, but its wiring gives 20 gates inputs 0 to 11; check"),
    (lambda: difflogic([(LONG[0] - 1, LONG[0]), wiring()[1]]), "inputs -1 to 0; check"),
    (lambda: difflogic(classes=4), "15 outputs cannot be shared evenly by 4 classes"),
    (lambda: difflogic(changes={"1.weights": torch.zeros(20, 4)}), r"'1.weights' has shape \(20, 4\), not the \(gates, 16\) of a Log"),
    (lambda: difflogic(changes={"1.weights": torch.full((20, 16), torch.nan)}), r"'1.weights' holds torch.float32 or values that"),
    (lambda: difflogic(changes={"1.weights": LONG.expand(2, 20)}), r"'1.weights' has shape \(2, 20\)"),
    (lambda: difflogic(changes={"1.weights": torch.zeros(20, 16).long()}), r"'1.weights' holds torch.int64"),
    (lambda: import_difflogic(state("raw"), wiring(), **HEAD), "'1.weight' belongs to no difflogic LogicLayer; import"),
    (lambda: import_difflogic({}, wiring(), **HEAD), "the checkpoint is no state dict of tensors"),
    (lambda: import_difflogic({"state_dict": 3}, **HEAD), "the checkpoint is no state dict of tensors"),
    (lambda: import_difflogic({"1.weights": [1.0]}, **HEAD), "the checkpoint is no state dict of tensors"),
    (lambda: import_difflogic(torch.nn.Linear(2, 2), **HEAD), "a checkpoint is a state dict or a path, not a Linear"),
    (lambda: import_torchlogix(state("difflogic"), **HEAD), "'1.weights' belongs to no torchlogix LogicDense"),
    (lambda: import_torchlogix({"0.tree_weights.0.0": LONG}, **HEAD), r"holds a convolution .*; only dense layers"),
    (lambda: import_torchlogix({"0.thresholds": LONG}, **HEAD), "the checkpoint holds no torchlogix LogicDense"),
    (lambda: torchlogix({"1.bias": LONG}), "'1.bias' belongs to no torchlogix LogicDense"),
    (lambda: torchlogix({"1.connections.indices": None}), "the checkpoint lacks '1.connections.indices'"),
    (lambda: torchlogix({"1.weight": None}), "the checkpoint lacks '1.weight'"),
    (lambda: torchlogix({"1.connections.indices": None, "2.connections.indices": None}), "lacks connections.indices; give wiring"),
    (lambda: torchlogix(wiring=wiring()), r"the checkpoint has its own wiring \(1.connections.indices\); leave wiring out"),
    (lambda: torchlogix({"1.connections.indices": torch.zeros(4, 20).long()}), r"the wiring of layer '1' has shape \(4, 20\)"),
    (lambda: torchlogix({"1.connections.weights": torch.zeros(4, 2, 20)}, kind="learnable"), r"candidates of layer .1. have"),
    (lambda: torchlogix(kind="light", parametrization="raw"), r"of 'raw' gates of two inputs; give the parametrization that"),
    (lambda: torchlogix(parametrization="walsh"), "parametrization 'walsh' is none of raw, light, warp"),
    (lambda: torchlogix(temperature=0), "temperature is 0; give the positive one"),
])
def test_refusals(use, message):
    with pytest.raises(InputError, match=message) as error:
        use()
    assert "\n" not in str(error.value)


def test_refused_files(tmp_path):
    path = tmp_path / "model.pt"
    with pytest.raises(InputError, match=r"cannot read .*model.pt: No such file"):
        import_torchlogix(path, **HEAD)
    torch.save(torch.nn.Linear(2, 2), path)
    with pytest.raises(FormatError, match=r"model.pt is damaged or holds more than tensors; save"):
        import_torchlogix(path, **HEAD)
    torch.save(state("raw"), path)
    for damaged in (path.read_bytes()[:500], b"hello", b""):
        path.write_bytes(damaged)
        with pytest.raises(FormatError, match=r"model.pt is damaged"):
            import_torchlogix(path, **HEAD)
