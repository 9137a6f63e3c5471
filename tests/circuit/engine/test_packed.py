"""The packed engine against the interpreter."""

import numpy as np
import pytest
from helpers import random_circuit, trained_like

from hardwire.circuit import CircuitBuilder, Macro
from hardwire.circuit.arithmetic import argmax, at_least, popcount
from hardwire.circuit.engine.packed import PackedEngine
from hardwire.circuit.simulate import simulate
from hardwire.core import threads as parallel
from hardwire.core.errors import InputError

BATCHES = [0, 1, 7, 63, 64, 65, 511, 512, 513, 1100]


def codes(rng, circuit, n):
    columns = [rng.integers(0, (1 << w) - 1, n, dtype=np.uint64, endpoint=True) for w in circuit.input_widths]
    return np.stack(columns, 1).astype(circuit.input_dtype) if columns else np.zeros((n, 0), np.uint8)


def agree(circuit, x, **options):
    got, expected = PackedEngine(circuit, **options)(x), simulate(circuit, x)
    assert got.dtype == expected.dtype and np.array_equal(got, expected)


def poison():
    for buffer in parallel._local.__dict__.get("buffers", {}).values():
        buffer.fill(np.nan if buffer.dtype.kind == "f" else 0xAA)


@pytest.mark.parametrize("n", BATCHES)
def test_batches(rng, n):
    for circuit in (random_circuit(rng, max_arity=6), trained_like(rng)):
        agree(circuit, codes(rng, circuit, n))


@pytest.mark.parametrize("seed", range(20))
def test_random_circuits(seed):
    rng = np.random.default_rng(seed)
    circuit = random_circuit(rng, n_inputs=int(rng.integers(1, 20)), layers=int(rng.integers(1, 8)),
                             width=int(rng.integers(1, 40)), n_outputs=int(rng.integers(1, 12)), max_arity=seed % 5 + 2)
    poison()
    agree(circuit, codes(rng, circuit, 600))


@pytest.mark.parametrize("seed", range(6))
def test_circuits_like_trained_ones(seed):
    rng = np.random.default_rng(seed)
    circuit = trained_like(rng, words=20, bits=seed + 2, classes=seed + 2, width=20 * (seed + 2))
    agree(circuit, codes(rng, circuit, 700))


@pytest.mark.parametrize("layout", [np.asfortranarray, lambda x: np.repeat(np.repeat(x, 2, 0), 2, 1)[::2, ::2],
                                    lambda x: x[::-1].copy()[::-1], lambda x: x.T.copy().T,
                                    lambda x: x.astype(np.int64),
                                    lambda x: x.astype(np.float64)])
def test_memory_layouts(rng, layout):
    circuit = trained_like(rng)
    x = codes(rng, circuit, 600)
    assert np.array_equal(PackedEngine(circuit)(layout(x)), simulate(circuit, x))


@pytest.mark.parametrize("n", [1, 513, 5000])
def test_threads_do_not_matter(rng, n):
    circuit = trained_like(rng)
    x = codes(rng, circuit, n)
    expected = simulate(circuit, x)
    for threads in (1, 2, 5):
        assert np.array_equal(PackedEngine(circuit, threads=threads)(x), expected)


def test_one_engine_for_batches_that_shrink(rng):
    circuit = trained_like(rng)
    engine = PackedEngine(circuit)
    for n in (1100, 513, 64, 3, 0, 1):
        x = codes(rng, circuit, n)
        poison()
        assert np.array_equal(engine(x), simulate(circuit, x))


@pytest.mark.parametrize("width", [1, 2, 7, 8, 9, 16, 17, 32, 33, 63, 64])
def test_input_words_of_every_width(rng, width):
    """Bits read one by one, compared as a word, and compared from a bit on."""
    b = CircuitBuilder()
    word, other = b.input("word", width), b.input("other", 3)
    b.output("bits", word)
    b.output("some", [b.xor(word[0], other[2]), b.and_(word[-1], other[0])])
    some = rng.integers(1, (1 << width) - 1, 3, dtype=np.uint64, endpoint=True).tolist()
    values = sorted({1, (1 << width) - 1, 1 << width - 1, *some})
    b.output("ge", [at_least(b, word, v) for v in values])
    circuit = b.build()
    x = codes(rng, circuit, 200)
    for i, v in enumerate(values):
        x[2 * i, 0], x[2 * i + 1, 0] = v, v - 1
    agree(circuit, x)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 15, 16, 17, 31, 32, 33, 48, 100])
def test_population_counts(rng, n):
    b = CircuitBuilder()
    x = b.input("x", min(n, 64)) + (b.input("z", n - 64) if n > 64 else [])
    inner = [b.node(0b0110, net, x[0]) for net in x]
    b.output("outer", popcount(b, x))
    b.output("inner", popcount(b, inner))
    circuit = b.build()
    agree(circuit, codes(rng, circuit, 600))
    agree(circuit, np.array([[(1 << w) - 1 for w in circuit.input_widths]] * 3, dtype=circuit.input_dtype))


@pytest.mark.parametrize("n", range(1, 12))
def test_arg_max_and_ties(rng, n):
    b = CircuitBuilder()
    inputs = [b.input(f"w{i}", 2) for i in range(n)]
    b.output("y", argmax(b, [[b.node(0b01, net) for net in word] for word in inputs]))
    circuit = b.build()
    agree(circuit, codes(rng, circuit, 600))


def test_macros_over_inputs_constants_and_each_other(rng):
    b = CircuitBuilder()
    x = b.input("x", 8)
    count = popcount(b, [*x, 1, 0, x[0]])
    many = at_least(b, count, 5)
    b.output("y", [many, *argmax(b, [count, [many, 1, 0, 1], count]), *popcount(b, [many, *count])])
    b.output("x", [*x, 0, 1])
    circuit = b.build()
    agree(circuit, np.arange(256, dtype=np.uint8)[:, None])


def test_macros_are_only_a_hint(rng):
    circuit = trained_like(rng)
    x = codes(rng, circuit, 600)
    assert np.array_equal(PackedEngine(circuit.with_(macros=()))(x), PackedEngine(circuit)(x))


def test_a_macro_is_what_the_engine_runs():
    """The engine believes a macro; that a false one shows makes the comparison with the interpreter worth it."""
    b = CircuitBuilder()
    x = b.input("x", 4)
    b.output("y", b.node(0b1000, *x[:2]))
    lie = b.build().with_(macros=(Macro("ge", tuple(x), (6,), 9),))
    every = np.arange(16, dtype=np.uint8)[:, None]
    assert PackedEngine(lie)(every).ravel().tolist() == [int(v >= 9) for v in range(16)]


@pytest.mark.parametrize("table", range(16))
def test_each_gate(table):
    b = CircuitBuilder()
    x, y = b.input("x")[0], b.input("y")[0]
    pairs = [(p, q) for p in (0, 1, x, y) for q in (0, 1, x, y)]
    for i, pair in enumerate(pairs):
        b.output(f"o{i}", b.node(table, *pair))
    b.output("again", b.node(table, b.node(table, x, y), b.node(table, y, x)))
    agree(b.build(), np.array([[0, 0], [1, 0], [0, 1], [1, 1]], dtype=np.uint8))


def test_outputs_that_are_inputs_or_constants_or_wide():
    b = CircuitBuilder()
    x = b.input("x", 64)
    b.output("y", [x[63], 0, 1, *[b.node(0b01, net) for net in x[:61]]])
    b.output("z", x[5])
    circuit = b.build()
    agree(circuit, np.array([[0], [2**64 - 1], [2**63], [32]], dtype=np.uint64))


def test_without_inputs_or_outputs(rng):
    b = CircuitBuilder()
    b.output("y", [1, b.node(0b01, 0), 0])
    agree(b.build(), np.zeros((70, 0), dtype=np.uint8))
    b = CircuitBuilder()
    b.input("x", 3)
    assert PackedEngine(b.build())(np.zeros((5, 1), dtype=np.uint8)).shape == (5, 0)


def test_refusals(rng):
    circuit = trained_like(rng)
    with pytest.raises(InputError, match=r"shape \(3, 11\), but circuit 'trained' reads \(samples, 12\)"):
        PackedEngine(circuit)(np.zeros((3, 11), dtype=np.uint8))
    with pytest.raises(InputError, match="which holds 0 to 15"):
        PackedEngine(circuit)(np.full((3, 12), 16, dtype=np.uint8))
    with pytest.raises(InputError, match="threads is 0; use at least 1"):
        PackedEngine(circuit, threads=0)


def test_a_trained_network(lowered, digits):
    agree(lowered, digits.test.x)
