"""Proofs and refutations, each compared with brute force where that is possible."""

from functools import partial

import numpy as np
import pytest

from hardwire.circuit import CircuitBuilder, Macro, Word
from hardwire.circuit.arithmetic import add, argmax, full_adder, popcount
from hardwire.circuit.formats.aiger import Aig, read_aiger, write_aiger
from hardwire.circuit.simulate import simulate
from hardwire.core.errors import InputError
from hardwire.core.gates import swap_operands
from hardwire.cost import stage_costs
from hardwire.verify import prove, prove_macros
from hardwire.verify.equivalence import macro_circuit

ALL8 = np.stack(np.meshgrid(np.arange(16), np.arange(16)), axis=-1).reshape(-1, 2)


def random_circuit(seed, nodes=40):
    """Two words of four bits, so that every input can be tried."""
    rng = np.random.default_rng(seed)
    b = CircuitBuilder("random")
    nets = [*b.input("x", 4), *b.input("z", 4)]
    for _ in range(nodes):
        nets.append(b.node(int(rng.integers(16)), *rng.choice(nets[-12:], 2, replace=False).tolist()))
    b.output("y", nets[-5:])
    return b.build()


def mutated(circuit, node, table):
    tables = circuit.table.copy()
    tables[node] = table
    return circuit.with_(table=tables)


def confirm(verdict, a, b):
    """The counterexample holds, and clearing any one bit of it makes it none."""
    assert verdict.status == "refuted" and not verdict.passed and str(verdict) == "refuted"
    row = np.array([[verdict.counterexample[w.name] for w in a.inputs]])
    rows = np.concatenate([row] + [np.where(np.arange(row.shape[1]) == i, row ^ (1 << j), row)
                                   for i, w in enumerate(a.inputs) for j in range(w.width) if row[0, i] >> j & 1])
    differs = (simulate(a, rows) != simulate(b, rows)).any(axis=1)
    assert differs[0] and not differs[1:].any()
    for circuit, outputs in zip((a, b), verdict.outputs):
        assert list(outputs.values()) == simulate(circuit, row)[0].tolist()


def test_a_circuit_equals_itself():
    circuit = random_circuit(0)
    verdict = prove(circuit, circuit)
    assert (str(verdict), verdict.passed, verdict.method) == ("proved", True, "structural hashing")


@pytest.mark.parametrize("seed", range(4))
def test_every_kind_of_mutation_agrees_with_brute_force(seed):
    rng, circuit = np.random.default_rng(seed), random_circuit(seed)
    due = simulate(circuit, ALL8)
    outcomes = set()
    for table in range(16):
        other = mutated(circuit, int(rng.integers(circuit.n_nodes)), table)
        same = np.array_equal(simulate(other, ALL8), due)
        verdict = prove(circuit, other)
        assert verdict.status == ("proved" if same else "refuted")
        if not same:
            confirm(verdict, circuit, other)
        outcomes.add(same)
    assert outcomes == {True, False}


@pytest.mark.parametrize("table", [2, 4, 11, 13])
def test_commuted_operands_of_an_asymmetric_gate(table):
    a, b = (mutated(random_circuit(1), 37, t) for t in (table, swap_operands(table)))
    same = np.array_equal(simulate(a, ALL8), simulate(b, ALL8))
    assert not same and prove(a, b).status == "refuted"


def minterm(code, *, xor):
    """``parity(x)``, with the value at one of 2^40 codes turned when ``xor``."""
    b = CircuitBuilder("minterm")
    x = b.input("x", 40)
    parity, hit = 0, 1
    for j, net in enumerate(x):
        parity = b.xor(parity, net)
        hit = b.and_(hit, net) if code >> j & 1 else b.gate(0b0010, hit, net)
    b.output("y", b.xor(parity, hit) if xor else parity)
    return b.build()


@pytest.mark.parametrize("code", [0x96F3A51C27, 0x8000000001, (1 << 40) - 2])
def test_one_minterm_of_forty_inputs_is_found(code):
    a, b = minterm(code, xor=False), minterm(code, xor=True)
    verdict = prove(a, b)
    assert verdict.status == "refuted" and verdict.counterexample == {"x": code}
    first, second = verdict.outputs
    assert first["y"] != second["y"]


def serial_count(b, nets):
    total = [0]
    for net in nets:
        carry, new = net, []
        for bit in total:
            s, carry = full_adder(b, bit, carry, 0)
            new.append(s)
        total = [*new, carry]
    return total[: len(nets).bit_length()]


@pytest.mark.parametrize("n, style", [(15, "tree"), (31, "tree"), (15, "columns"), (15, "fast"), (15, "compressors")])
def test_two_shapes_of_one_population_count(n, style):
    circuits = []
    for count in (partial(popcount, style=style), serial_count):
        b = CircuitBuilder()
        b.output("y", count(b, b.input("x", n)))
        circuits.append(b.build())
    verdict = prove(*circuits)
    assert verdict.status == "proved" and verdict.method == "fraiging"


def test_carry_is_not_forgotten_in_the_last_bit():
    circuits = []
    for k in (17, 16):
        b = CircuitBuilder()
        x, y = b.input("x", 16), b.input("y", 16)
        b.output("s", [*add(b, x, y)[:k], 0][:17])
        circuits.append(b.build())
    verdict = prove(*circuits)
    confirm(verdict, *circuits)
    assert verdict.detail == "output s differs"


def test_a_rewritten_network_is_proved_and_a_mutation_of_it_refuted(trained, tmp_path):
    io, algorithms = pytest.importorskip("aigverse.io"), pytest.importorskip("aigverse.algorithms")
    circuit = trained(3, 400, 40, 4, bits=4, thresholds=3)
    network = io.read_aiger_into_aig(str(write_aiger(circuit, tmp_path / "a.aig")))
    network = algorithms.sop_refactoring(algorithms.aig_cut_rewriting(network))
    io.write_aiger(network, str(tmp_path / "b.aig"))
    again = read_aiger(tmp_path / "b.aig")
    again = again.with_(inputs=circuit.inputs, outputs=circuit.outputs)
    verdict = prove(circuit, again)
    assert verdict.status == "proved", verdict
    rng = np.random.default_rng(0)
    for node in rng.integers(0, again.n_nodes, 4).tolist():
        other = mutated(again, node, int(again.table[node]) ^ 0b0001)
        verdict = prove(circuit, other)
        assert verdict.status in ("proved", "refuted")
        x = rng.integers(0, 16, (500, 40))
        if verdict.status == "refuted":
            confirm(verdict, circuit, other)
        else:
            assert np.array_equal(simulate(circuit, x), simulate(other, x))


def test_time_that_runs_out_is_no_pass(trained):
    a, b = trained(2, 200, 40, 2), trained(2, 200, 40, 2, fold=True)
    changed = minterm(5, xor=True)
    verdict = prove(minterm(5, xor=False), changed, timeout=0.0)
    assert verdict.status == "unknown" and not verdict.passed and str(verdict).startswith("unknown: ")
    assert prove(a, b).status == "proved"


def test_words_must_be_the_same():
    circuit = random_circuit(0)
    for other, says in (
        (circuit.with_(inputs=(Word("x", 4), Word("w", 4))), "'w'"),
        (circuit.with_(inputs=(Word("x", 4), Word("z", 4, 0.0, 0.5))), "step=0.5"),
        (circuit.with_(outputs=(Word("y", 4), Word("top", 1))), "2"),
    ):
        with pytest.raises(InputError, match=says):
            prove(circuit, other)


def test_macros_are_proved(trained):
    circuit = trained(2, 120, 16, 4, bits=3, thresholds=2)
    assert {m.kind for m in circuit.macros} == {"ge", "popcount", "argmax"}
    assert prove_macros(circuit).status == "proved"
    assert prove(circuit, circuit, macros=True).status == "proved"


def test_macros_that_hold_only_in_the_circuit_are_proved():
    b = CircuitBuilder()
    x = b.input("x", 2)
    never = b.node(0b1000, x[0], b.node(0b01, x[0]))
    count = b.node(0b0110, x[0], x[1]), b.node(0b1000, x[0], x[1])
    b.macro("popcount", [*x, never], count)
    b.output("y", [*count])
    assert prove_macros(b.build()).status == "proved"


@pytest.mark.parametrize("kind", ["ge", "popcount", "argmax"])
def test_a_wrong_macro_is_refuted(trained, kind):
    circuit = trained(2, 120, 16, 4, bits=3, thresholds=2)
    macros = list(circuit.macros)
    at = next(i for i, m in enumerate(macros) if m.kind == kind)
    old = macros[at]
    value = old.value % 7 + 1 if kind == "ge" else old.value
    swapped = old.inputs if kind == "ge" else (*old.inputs[1:], circuit.output_nets[0])
    macros[at] = Macro(kind, tuple(int(n) for n in swapped), old.outputs, value)
    verdict = prove(circuit, circuit.with_(macros=tuple(macros)), macros=True)
    assert verdict.status == "refuted" and f"macro {at}, a {kind}" in verdict.detail
    stated, nets = verdict.outputs
    assert stated[kind] != nets[kind]


def test_the_circuit_of_a_macro():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 8, (200, 5))
    bits = (x[:, :, None] >> np.arange(3) & 1).reshape(200, 15)
    code = (bits << np.arange(15)).sum(axis=1)[:, None]
    for macro, due in (
        (Macro("ge", tuple(range(15)), (0,), 9000), code[:, 0] >= 9000),
        (Macro("popcount", tuple(range(15)), (0,) * 4), bits.sum(axis=1)),
        (Macro("argmax", tuple(range(15)), (0,) * 3, 5), x.argmax(axis=1)),
    ):
        assert np.array_equal(simulate(macro_circuit(macro), code)[:, 0], due)


def test_ties_of_the_argmax_matter():
    circuits = []
    for turn in (1, -1):
        b = CircuitBuilder()
        words = [b.input(f"w{i}", 4) for i in range(2)]
        index = argmax(b, words[::turn])
        b.output("y", index if turn == 1 else [b.not_(index[0])])
        circuits.append(b.build())
    verdict = prove(*circuits)
    assert verdict.counterexample == {"w0": 0, "w1": 0}


def test_structural_hashing_leaves_nothing_to_prove_of_a_folded_network(trained):
    raw, folded = trained(3, 300, 40, 3), trained(3, 300, 40, 3, fold=True)
    aig = Aig(40)
    inputs = list(range(2, 82, 2))
    x, y = aig.embed(raw, inputs), aig.embed(folded, inputs)
    assert [x[n] for n in raw.output_nets] == [y[n] for n in folded.output_nets]


@pytest.mark.slow
def test_full_size_network_against_its_rewriting(trained, tmp_path):
    io, algorithms = pytest.importorskip("aigverse.io"), pytest.importorskip("aigverse.algorithms")
    circuit = trained(6, 8000, 784, 10)
    assert stage_costs(circuit)["network"]["gates"] > 20_000 and circuit.n_nodes > 85_000
    assert prove(circuit, trained(6, 8000, 784, 10, fold=True), macros=True).status == "proved"
    network = io.read_aiger_into_aig(str(write_aiger(circuit, tmp_path / "a.aig")))
    network = algorithms.sop_refactoring(algorithms.aig_cut_rewriting(network))
    io.write_aiger(network, str(tmp_path / "b.aig"))
    again = read_aiger(tmp_path / "b.aig").with_(inputs=circuit.inputs, outputs=circuit.outputs)
    verdict = prove(circuit, again)
    assert verdict.status == "proved" and verdict.seconds < 60
    other = mutated(again, 30_000, int(again.table[30_000]) ^ 0b1111)
    confirm(prove(circuit, other), circuit, other)
