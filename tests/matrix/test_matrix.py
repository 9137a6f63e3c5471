"""One table of operations, one table of executors: every executor computes every operation to the same codes.

All operations lie in one circuit, an output word each, so that an executor which compiles does so once. A new executor
is a row in ``EXECUTORS``, a new operation a row in ``OPERATIONS``.
"""

from functools import cache
from importlib.util import find_spec

import numpy as np
import pytest

from hardwire.backends import BACKENDS
from hardwire.circuit import CircuitBuilder, load_circuit, save_circuit
from hardwire.circuit.arithmetic import argmax, at_least, popcount
from hardwire.circuit.engine.packed import PackedEngine
from hardwire.circuit.formats.aiger import read_aiger, write_aiger
from hardwire.circuit.formats.blif import read_blif, write_blif
from hardwire.circuit.simulate import simulate
from hardwire.core import programs as tools
from hardwire.core.gates import GATES
from hardwire.passes import optimize

# ---------------------------------------------------------------------------------------------------------- operations


def gate(table):
    def build(b, x, y):
        layer = [b.node(table, p, q) for p, q in zip(x, y)]
        return [*layer, b.node(table, layer[0], layer[1]), b.node(table, y[0], x[0]), b.node(table, x[2], x[2])]
    return build


def lut(k):
    def build(b, x, y):
        rng = np.random.default_rng(k)
        nets = [*x, *y]
        tables = rng.integers(0, (1 << (1 << k)) - 1, 8, dtype=np.uint64, endpoint=True).tolist()
        return [b.node(int(t), *rng.choice(nets, k, replace=False))
                for t in [*tables, (1 << (1 << k)) - 1, 1 << (1 << k) - 1]]
    return build


def count(n):
    def build(b, x, y):
        nets = [b.node(0b0110, p, q) for p in x for q in y]
        return popcount(b, [*x, *y, *nets][:n])
    return build


def largest(words, width):
    def build(b, x, y):
        nets = [*x, *y, *[b.node(0b1000, p, q) for p, q in zip(x, y)]]
        nets += [b.node(0b0110, p, q) for p, q in zip(x, reversed(y))]
        return argmax(b, [[nets[(i * width + j) * 7 % len(nets)] for j in range(width)] for i in range(words)])
    return build


OPERATIONS = {
    **{g.name.lower(): gate(g.table) for g in GATES},
    **{f"lut{k}": lut(k) for k in range(1, 7)},
    "ge": lambda b, x, y: [at_least(b, w, v) for w in (x, y, [b.node(0b01, n) for n in x]) for v in (1, 5, 12, 31)],
    **{f"popcount{n}": count(n) for n in (1, 2, 3, 9, 16, 35)},
    **{f"argmax{n}": largest(n, w) for n, w in ((1, 3), (2, 4), (3, 2), (10, 3))},
    "chained": lambda b, x, y: argmax(b, [popcount(b, [*x, y[0]]), popcount(b, y), popcount(b, [*x[:2], *y[:3]])]),
    "wires": lambda b, x, y: [0, 1, y[4], x[0], x[0], b.node(0b01, x[1])],
}


def build():
    b = CircuitBuilder("everything")
    x, y = b.input("x", 5), b.input("y", 5)
    for name, make in OPERATIONS.items():
        b.output(f"o_{name}", make(b, x, y))
    return b.build()


@cache
def everything():
    """The circuit, each of its 1024 inputs, and what the interpreter makes of them."""
    x = np.arange(1 << 10)
    x = np.stack([x & 31, x >> 5], 1).astype(np.uint8)
    circuit = build()
    return circuit, x, simulate(circuit, x)


# ----------------------------------------------------------------------------------------------------------- executors


def through_file(write, read, name):
    """Written, read and interpreted."""
    return lambda circuit, x, folder: simulate(read(write(circuit, folder / name)), x)


def backend(name, **options):
    return lambda circuit, x, folder: BACKENDS[name].run(circuit, x, **options)


def readback(circuit, x, folder, **options):
    from hardwire.verify.readback import read_verilog

    files = BACKENDS["verilog"].emit(circuit, folder, name="everything_v", **options)
    texts = [f for f in files if f.suffix == ".v" and not f.stem.endswith("_tb")]
    return simulate(read_verilog(texts, "everything_v", like=circuit, transparent_registers=bool(options)), x)


def wasm(engine, **options):
    return lambda circuit, x, folder: BACKENDS["wasm"].run(circuit, x, engine=engine, **options)


class WASMTIME:
    title, package = "wasmtime", "the Python package wasmtime"


#: name -> (what runs it: (circuit, codes, folder) -> codes, outside programs that it needs)
EXECUTORS = {
    "packed": (lambda c, x, folder: PackedEngine(c)(x), ()),
    "packed, no macros": (lambda c, x, folder: PackedEngine(c.with_(macros=()), threads=2)(x), ()),
    "optimized": (lambda c, x, folder: simulate(optimize(c)[0], x), ()),
    "optimized and packed": (lambda c, x, folder: PackedEngine(optimize(c)[0])(x), ()),
    "mapped to tables of 4": (lambda c, x, folder: PackedEngine(optimize(c, passes=["technology-mapping=4"])[0])(x), ()),
    "net file": (through_file(save_circuit, load_circuit, "c.net"), ()),
    "aiger file": (through_file(write_aiger, read_aiger, "c.aig"), ()),
    "blif file": (through_file(write_blif, read_blif, "c.blif"), ()),
    "c": (backend("c"), (tools.CC,)),
    "c, one by one": (backend("c", entry="one"), (tools.CC,)),
    "wasm": (wasm("wasmtime"), (WASMTIME,)),
    "wasm, no simd": (wasm("wasmtime", simd=False), (WASMTIME,)),
    "wasm in node": (wasm("node"), (tools.NODE,)),
    "onnx": (backend("onnx"), ("onnx", "onnxruntime")),
    "verilog": (backend("verilog"), (tools.IVERILOG, tools.VVP)),
    "verilog, pipelined": (backend("verilog", pipeline=2), (tools.IVERILOG, tools.VVP)),
    "verilog read back": (readback, (tools.YOSYS,)),
    "verilog, pipelined, read back": (lambda c, x, folder: readback(c, x, folder, pipeline=2), (tools.YOSYS,)),
}


def available(name):
    run, needs = EXECUTORS[name]
    for tool in needs:
        if isinstance(tool, str):
            pytest.importorskip(tool)
        elif (find_spec("wasmtime") if tool is WASMTIME else tools.find(tool)) is None:
            pytest.skip(f"{tool.title} was not found; it comes with {tool.package}")
    return run


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Executor -> what it made of the whole circuit, computed once; a failure is raised again for each operation."""
    kept = {}

    def result(name):
        if name not in kept:
            run, (circuit, x, _) = available(name), everything()
            try:
                kept[name] = run(circuit, x, tmp_path_factory.mktemp("matrix"))
            except Exception as error:
                kept[name] = error
        if isinstance(kept[name], Exception):
            raise kept[name]
        return kept[name]

    return result


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("executor", EXECUTORS)
def test_operation(results, executor, operation):
    circuit, x, expected = everything()
    got = results(executor)
    column = [w.name for w in circuit.outputs].index(f"o_{operation}")
    assert got.shape == expected.shape
    wrong = np.flatnonzero(got[:, column] != expected[:, column])
    assert not len(wrong), f"first at x, y = {x[wrong[0]]}: {got[wrong[0], column]}, not {expected[wrong[0], column]}"


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_trained_network_end_to_end(trained, lowered, digits, tmp_path, executor):
    from hardwire.logic.training.batches import EncodedSamples
    from hardwire.logic.training.evaluation import predict

    run = available(executor)
    x = digits.test.x[:100]
    expected = predict(trained.network.eval(), EncodedSamples(trained.encoder.encode(x), digits.test.y[:100]))
    assert np.array_equal(run(lowered, x, tmp_path)[:, 0], expected)


# ----------------------------------------------------------------- what the relaxed network makes of it once it is hard


@cache
def every_kind_of_layer():
    """A random frozen network of trees, pools, learned wires and tables of several inputs, on bits.

    Returns circuit, bits and decisions.
    """
    import torch

    from hardwire import lower
    from hardwire.logic import GroupSum, LogicLayer, LogicNetwork
    from hardwire.logic.network.conv import LogicConv2d, OrPool2d

    layers = [LogicConv2d((1, 5, 5), 4, padding=1, pool=1, depth=2, init="random", noise=1.0),
              OrPool2d((4, 5, 5)),
              LogicLayer(16, 24, candidates=4, init="random"),
              *(LogicLayer(24, 24, fan_in=k, init="random", seed=k) for k in range(2, 7))]
    network = LogicNetwork(layers, GroupSum(3)).eval()
    bits = (np.random.default_rng(0).random((200, 25)) < 0.4).astype(np.uint8)
    return lower(network), bits, network(torch.from_numpy(bits)).argmax(1).numpy()


@pytest.mark.parametrize("executor", EXECUTORS)
def test_every_kind_of_layer_end_to_end(tmp_path, executor):
    run = available(executor)
    circuit, bits, expected = every_kind_of_layer()
    assert len(np.unique(expected)) == 3
    assert np.array_equal(run(circuit, bits, tmp_path)[:, 0], expected)


@pytest.mark.parametrize("k", range(2, 7))
@pytest.mark.parametrize("kind", ["table", "walsh"])
def test_torch_hard_forward_of_tables(kind, k):
    """The layer whose tables are those of ``lut``, frozen, against the interpreter's column."""
    import torch

    from hardwire.logic import LogicLayer

    circuit, x, expected = everything()
    column = [w.name for w in circuit.outputs].index(f"o_lut{k}")
    first = sum(w.width for w in circuit.outputs[:column])
    nodes = np.array(circuit.output_nets[first : first + circuit.outputs[column].width]) - circuit.first_node
    layer = LogicLayer(10, len(nodes), fan_in=k, parametrisation_name=kind, pairs=circuit.fanin[nodes, :k] - 2).eval()
    signs = 2.0 * (circuit.table[nodes, None] >> np.arange(2**k, dtype=np.uint64) & np.uint64(1)) - 1
    if kind == "walsh":
        signs = -signs @ [[(-1) ** (m & s).bit_count() for s in range(2**k)] for m in range(2**k)]
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(signs))
    bits = (x[:, :, None] >> np.arange(5) & 1).reshape(len(x), 10)
    got = (layer(torch.from_numpy(bits)).numpy().astype(np.int64) << np.arange(len(nodes))).sum(1)
    assert np.array_equal(got, expected[:, column])


@pytest.mark.parametrize("kind", ["table", "softmax"])
@pytest.mark.parametrize("table", [g.table for g in GATES], ids=[g.name for g in GATES])
def test_torch_hard_forward(kind, table):
    """The layer that is wired like ``gate``, frozen, against the interpreter's column for the same gate."""
    import torch

    from hardwire.core.gates import TRUTH
    from hardwire.logic import LogicLayer

    circuit, x, expected = everything()
    layer = LogicLayer(10, 5, parametrisation_name=kind, pairs=[[i, 5 + i] for i in range(5)]).eval()
    one_hot = np.eye(16)[table] if kind == "softmax" else 2 * TRUTH[table] - 1
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(np.tile(one_hot, (5, 1))))
    bits = (x[:, :, None] >> np.arange(5) & 1).reshape(len(x), 10)
    got = (layer(torch.from_numpy(bits)).numpy().astype(np.int64) << np.arange(5)).sum(1)
    column = [w.name for w in circuit.outputs].index(f"o_{GATES[table].name.lower()}")
    assert np.array_equal(got, expected[:, column] & 31)


def test_a_wrong_executor_is_noticed():
    """The matrix itself: exchanged operands show in the asymmetric gates and nowhere else among gates."""
    circuit, x, expected = everything()
    turned = circuit.fanin[:, [1, 0, 2, 3, 4, 5]]
    exchanged = circuit.with_(fanin=np.where((circuit.arity == 2)[:, None], turned, circuit.fanin))
    differs = (simulate(exchanged, x) != expected).any(axis=0)
    names = {w.name.removeprefix("o_") for w, d in zip(circuit.outputs, differs) if d}
    gates = {g.name.lower() for g in GATES}
    assert names & gates == {"a_and_not_b", "b_and_not_a", "a_or_not_b", "b_or_not_a", "a", "b", "not_a", "not_b"}
