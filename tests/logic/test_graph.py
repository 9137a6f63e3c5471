"""The record of a network without layers: what it computes, what it refuses, and its ways through files and folding."""

from dataclasses import FrozenInstanceError
from itertools import pairwise

import numpy as np
import pytest

from hardwire.core.bits import pack, unpack
from hardwire.core.errors import FormatError, InputError
from hardwire.logic.graph import Graph


def random_graph(seed, *, inputs=7, nodes=60, outputs=12, sizes=(5, 0, 6, 1), most=6):
    """Arities of 1 to ``most``, constants, wires and repeated operands among them, dead nodes, inputs as outputs."""
    rng = np.random.default_rng(seed)
    rows = []
    for j in range(nodes):
        k = int(rng.integers(1, most + 1))
        table = int(rng.integers(0, 1 << 63)) * 2 + int(rng.integers(0, 2))
        rows.append((table % (1 << (1 << k)), rng.integers(max(0, inputs + j - 12), inputs + j, k).tolist()))
    return Graph.of_nodes(inputs, rows, rng.integers(0, inputs + nodes, outputs), sizes)


def naive(graph, bits):
    """Bits (samples, inputs) to output bits, looked up address by address."""
    result = []
    for row in np.asarray(bits, dtype=int).tolist():
        values = list(row)
        for table, fanin, k in zip(graph.table.tolist(), graph.fanin.tolist(), graph.arity.tolist()):
            values.append(table >> sum(values[i] << place for place, i in enumerate(fanin[:k])) & 1)
        result.append([values[i] for i in graph.outputs.tolist()])
    return np.array(result, dtype=bool)


def bits_of(graph, samples=130, seed=1):
    return np.random.default_rng(seed).random((samples, graph.inputs)) < 0.5


@pytest.mark.parametrize("seed", range(4))
def test_a_graph_is_its_tables(seed):
    graph = random_graph(seed)
    bits = bits_of(graph)
    expected = naive(graph, bits)
    assert expected.any() and not expected.all() and set(graph.arity.tolist()) == {1, 2, 3, 4, 5, 6}
    assert np.array_equal(graph.evaluate(bits), expected)
    assert np.array_equal(graph.evaluate(bits.astype(np.uint8)), expected)
    assert np.array_equal(unpack(graph.evaluate(pack(bits))), expected)
    counts = graph.counts(bits)
    ends = np.cumsum([0, *graph.sizes])
    assert np.array_equal(counts, np.stack([expected[:, a:b].sum(1) for a, b in pairwise(ends)], 1))
    assert np.array_equal(graph.counts(pack(bits)), counts)


@pytest.mark.parametrize("seed", range(4))
def test_what_is_folded_or_dead_changes_nothing(seed):
    graph = random_graph(seed)
    bits = bits_of(graph)
    expected = graph.evaluate(bits)
    live, folded = graph.without_dead(), graph.folded()
    assert np.array_equal(live.evaluate(bits), expected) and np.array_equal(folded.evaluate(bits), expected)
    assert live.live.all() and live.nodes == graph.live.sum() < graph.nodes
    assert folded.live.all() and folded.nodes < live.nodes and folded.sizes == graph.sizes
    assert folded.folded() == folded and live.without_dead() == live


def test_what_folding_leaves():
    """Constants, wires, operands that do not matter or are the same; constant outputs stay nodes."""
    rows = [(0b00, (0,)), (0b10, (1,)), (0b1000, (2, 3)), (0b1110, (2, 3)), (0b0110, (4, 4)), (0b11001100, (0, 1, 2)), (0b01, (5,)),
            (0b0111, (1, 5))]
    graph = Graph.of_nodes(2, rows, [4, 5, 6, 7, 8, 9, 3], (7,)).folded()
    assert graph == Graph.of_nodes(2, [(0b01, (1,)), (0b01, (1,)), (0b00, (0,))], [4, 1, 4, 1, 2, 3, 1], (7,))
    bits = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    assert np.array_equal(graph.evaluate(bits), Graph.of_nodes(2, rows, [4, 5, 6, 7, 8, 9, 3], (7,)).evaluate(bits))


def test_levels_and_live_nodes():
    rows = [(6, (0, 1)), (6, (2, 3)), (1, (4,)), (8, (3, 5)), (8, (0, 2))]
    graph = Graph.of_nodes(3, rows, [6, 1], (1, 1))
    assert graph.levels.tolist() == [1, 2, 3, 4, 1] and graph.live.tolist() == [True, True, True, True, False]
    assert graph.nodes == 5 and graph.levels.dtype == np.int32


def test_a_graph_without_nodes_or_outputs():
    wires = Graph.of_nodes(3, [], [2, 0, 2], (2, 1))
    bits = bits_of(wires)
    assert np.array_equal(wires.evaluate(bits), bits[:, [2, 0, 2]]) and wires.folded() == wires == wires.without_dead()
    empty = Graph.of_nodes(3, [(6, (0, 1))], [], (0, 0))
    assert empty.evaluate(bits).shape == (130, 0) and empty.counts(bits).tolist() == [[0, 0]] * 130
    assert empty.without_dead().nodes == 0 and len(empty.levels) == 1


def test_a_graph_goes_to_tensors_and_back():
    graph = random_graph(0)
    tensors = graph.to_tensors()
    assert all(isinstance(t, np.ndarray) for t in tensors.values())
    assert Graph.from_tensors(tensors) == graph and Graph.from_tensors(random_graph(1).to_tensors()) != graph
    assert graph != "a graph"


@pytest.mark.parametrize("change", [{"table": None}, {"arity": np.full(60, 9, np.uint8)}, {"sizes": np.array([1, 2])},
                                    {"fanin": np.zeros((60, 6))}, {"inputs": np.array([1, 2])}, {"outputs": np.full(12, 67)}])
def test_tensors_of_no_graph(change):
    tensors = {k: v for k, v in (random_graph(0).to_tensors() | change).items() if v is not None}
    with pytest.raises(FormatError, match=r"the graph lacks or garbles .*; write it anew"):
        Graph.from_tensors(tensors)


def test_a_graph_does_not_change():
    rows = np.array([[0, 1], [2, 0]])
    graph = Graph(2, rows, np.array([6, 8]), np.array([2, 2]), np.array([3]), (1,))
    assert graph == Graph(2, np.array([[0, 1, 0], [2, 0, 0]]), np.array([6, 8]), np.array([2, 2]), np.array([3]), (1,))
    rows[:] = 9
    assert graph.fanin.tolist() == [[0, 1], [2, 0]] and graph.fanin.dtype == np.int32 and graph.table.dtype == np.uint64
    with pytest.raises(FrozenInstanceError):
        graph.inputs = 3


AND = dict(inputs=2, fanin=[[0, 1], [2, 0]], table=[8, 1], arity=[2, 1], outputs=[3], sizes=(1,))


@pytest.mark.parametrize("change, message", [
    ({"fanin": [[0, 2], [2, 0]]}, "node 0 of a graph reads a number that does not come before it"),
    ({"fanin": [[0, 1], [-1, 0]]}, "node 1 of a graph reads a number that does not come before it"),
    ({"fanin": [[0, 1], [2, 1]]}, "node 1 of a graph names an operand beyond its arity"),
    ({"arity": [2, 0]}, "node 1 of a graph has no 1 to 2 operands"),
    ({"arity": [3, 1]}, "node 0 of a graph has no 1 to 2 operands"),
    ({"table": [16, 1]}, "node 0 of a graph has a table wider than its operands"),
    ({"table": [8, 4]}, "node 1 of a graph has a table wider than its operands"),
    ({"table": [8, -1]}, "table of a graph holds -1 to 8, which does not fit uint64"),
    ({"table": [8]}, "a graph of 2 inputs has 1 tables, 2 rows of operands and 2 arities"),
    ({"table": [8.0, 1.0]}, "table of a graph has shape .* and type float64; give integers of 1 dimension"),
    ({"fanin": [0, 1]}, "fanin of a graph has shape .*; give integers of 2 dimensions"),
    ({"outputs": [4]}, "an output names number 4 of a graph of 2 inputs and 2 nodes"),
    ({"outputs": [-1]}, "name an input or a node"),
    ({"sizes": (2,)}, "groups of \\(2,\\) bits do not share out 1 outputs; sizes must add up"),
    ({"sizes": (2, -1)}, "sizes must add up"), ({"sizes": ()}, "sizes must add up"),
    ({"inputs": 0}, "at least one input"),
])
def test_no_graph(change, message):
    Graph(**AND)
    with pytest.raises(InputError, match=message):
        Graph(**AND | change)


def test_bits_of_another_width():
    with pytest.raises(InputError, match="a graph of 7 inputs was given 6 bits a sample"):
        random_graph(0).evaluate(np.zeros((3, 6)))
