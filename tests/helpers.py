"""Circuits for tests: random ones, ones with the statistics of a trained network, and what must stay true of them."""

import os

import numba
import numpy as np

from hardwire.circuit import STAGES, Circuit, CircuitBuilder
from hardwire.circuit.arithmetic import argmax, at_least, popcount
from hardwire.circuit.simulate import simulate_bits
from hardwire.core.gates import TABLE

#: Whether the slow tests take all of their mutated inputs and planted faults, as `make test-all` asks for, or a tenth.
ALL = os.environ.get("HARDWIRE_TESTS") == "all"

#: Gate kinds of a trained network: mostly pass-through, some constants, few inverters, AND and OR before the rest.
TRAINED = {"A": 0.30, "B": 0.15, "TRUE": 0.025, "FALSE": 0.025, "NOT_A": 0.015, "NOT_B": 0.015, "AND": 0.14, "OR": 0.14,
           "A_AND_NOT_B": 0.04, "B_AND_NOT_A": 0.04, "A_OR_NOT_B": 0.03, "B_OR_NOT_A": 0.03,
           "NAND": 0.015, "NOR": 0.015, "XOR": 0.01, "XNOR": 0.01}


def tenth(n: int) -> int:
    """``n`` where all is asked for, else a tenth."""
    return n if ALL else n // 10


def random_circuit(rng, n_inputs=8, layers=4, width=16, *, kinds=None, n_outputs=8, max_arity=2) -> Circuit:
    """``layers`` of ``width`` random tables, each layer reading the one before; outputs are drawn from all nets."""
    b = CircuitBuilder("random")
    nets = before = [net for j in range(n_inputs) for net in b.input(f"x{j}")]
    for layer in range(layers):
        with b.stage(STAGES[min(2, 3 * layer // layers)]):
            before = [_random_node(b, rng, before, kinds, max_arity) for _ in range(width)]
        nets = [*nets, *before]
    for j, net in enumerate(rng.choice([0, 1, *nets], n_outputs)):
        b.output(f"y{j}", int(net))
    return b.build()


def _random_node(b, rng, nets, kinds, max_arity):
    if kinds is not None:
        return b.node(TABLE[str(rng.choice(list(kinds), p=list(kinds.values())))], *rng.choice(nets, 2))
    k = int(rng.integers(1, max_arity + 1)) if max_arity > 2 else 2
    return b.node(int(rng.integers(0, 1 << (1 << k), dtype=np.uint64)), *rng.choice(nets, k))


def trained_like(rng, *, words=12, bits=4, thresholds=3, layers=4, width=60, classes=4, kinds=TRAINED,
                 head=("columns", "staged")) -> Circuit:
    """Sensor words, comparators, ``layers`` of ``width`` gates of trained statistics, population counts, arg-max."""
    b = CircuitBuilder("trained")
    inputs = [b.input(f"x{j}", bits) for j in range(words)]
    with b.stage("encoder"):
        nets = [at_least(b, word, int(v)) for word in inputs
                for v in np.sort(rng.choice(np.arange(1, 1 << bits), thresholds, replace=False))]
    with b.stage("network"):
        for _ in range(layers):
            nets = _layer(b, rng, nets, width, kinds)
    group = width // classes
    with b.stage("head"):
        counts = [popcount(b, nets[c * group : (c + 1) * group], head[0]) for c in range(classes)]
        index = argmax(b, counts, head[1])
    b.output("class", index)
    return b.build()


def _layer(b, rng, nets, width, kinds):
    """Each net is read about equally often, as the wiring of a trained layer does."""
    reads = np.concatenate([rng.permutation(len(nets)) for _ in range(-(-2 * width // len(nets)))])[: 2 * width]
    names = rng.choice(list(kinds), width, p=np.array(list(kinds.values())) / sum(kinds.values()))
    return [b.node(TABLE[str(kind)], nets[x], nets[y]) for kind, x, y in zip(names, reads[:width], reads[width:])]


def mnist_like(rng) -> Circuit:
    """The size of a real one: 784 words, 6 layers of 8,000 gates, ten population counts of 800, arg-max."""
    return trained_like(rng, words=784, bits=8, thresholds=1, layers=6, width=8000, classes=10)


def sample_bits(rng, circuit, samples=512) -> np.ndarray:
    """Every input where there are at most 2^12, else random ones; shape (samples, input bits)."""
    n = circuit.n_input_bits
    if n <= 12:
        return (np.arange(1 << n)[:, None] >> np.arange(n) & 1).astype(bool)
    return rng.random((samples, n)) < rng.random((samples, 1))


def check_same(a: Circuit, b: Circuit, bits: np.ndarray) -> None:
    """Equal words and labels, equal outputs, and every macro of ``b`` true, on ``bits``."""
    assert (a.name, a.inputs, a.outputs, a.labels) == (b.name, b.inputs, b.outputs, b.labels)
    assert np.array_equal(simulate_bits(a, bits), simulate_bits(b, bits))
    check_macros(b, bits)


def check_macros(circuit: Circuit, bits: np.ndarray) -> None:
    values = simulate_bits(circuit, bits, np.arange(circuit.n_nets))
    for macro in circuit.macros:
        got = _number(values[:, list(macro.outputs)])
        assert np.array_equal(got, _macro_value(macro, values[:, list(macro.inputs)])), macro.kind


def _number(bits: np.ndarray) -> np.ndarray:
    return (bits.astype(np.int64) << np.arange(bits.shape[1])).sum(axis=1)


def _macro_value(macro, operands: np.ndarray) -> np.ndarray:
    if macro.kind == "ge":
        return (_number(operands) >= macro.value).astype(np.int64)
    if macro.kind == "popcount":
        return operands.sum(axis=1)
    words = operands.reshape(len(operands), macro.value, -1)
    return np.stack([_number(words[:, j]) for j in range(macro.value)], axis=1).argmax(axis=1)


def parsed_verb(words: list[str]) -> str:
    """Parse a command line, without its first word, and return its verb; a mistake raises click's UsageError."""
    from hardwire.cli.app import app

    context = app.context_class(app, info_name="hardwire")
    name, command, rest = app.resolve_command(context, list(words))
    command.make_context(name, rest, parent=context)
    return name


def signatures(monkeypatch, module, kernel: str) -> list[tuple]:
    """The list that Numba's types of the arguments of each call of ``kernel`` in ``module`` are put on."""
    compiled, seen = getattr(module, kernel), []

    def call(*args):
        seen.append(tuple(numba.typeof(arg) for arg in args))
        return compiled(*args)

    monkeypatch.setattr(module, kernel, call)
    return seen
