import numpy as np
import pytest
from helpers import check_macros, sample_bits, trained_like

from hardwire.circuit import CircuitBuilder
from hardwire.circuit.arithmetic import argmax, popcount
from hardwire.circuit.simulate import simulate
from hardwire.core.bits import Planes, unpack
from hardwire.core.errors import InputError
from hardwire.cost import stage_costs, total_gates
from hardwire.passes import optimize
from hardwire.passes.kernels.substitution import ADDER, INVERTER, WIRE, State, substitute
from hardwire.passes.substitution import _leads, _Network, simplify_on, substitute_once


def samples_for(circuit, n, seed=0):
    rng = np.random.default_rng(seed)
    return np.stack([rng.integers(0, 1 << w.width, n) for w in circuit.inputs], axis=1).astype(circuit.input_dtype)


def small(seed=3):
    circuit, _ = optimize(trained_like(np.random.default_rng(seed), words=4, bits=3, thresholds=2, layers=3, width=24))
    return circuit


class Naive:
    """The rule of the kernel with everything recomputed for every trial, one bool a sample and net."""

    def __init__(self, s, rate, replacement):
        self.s, self.rate, self.replacement = s, rate, replacement
        self.a, self.b, self.table = list(s.a), list(s.b), list(s.table)
        self.weight = list(s.weight)
        self.values = unpack(Planes(s.values, len(s.target))).T
        self.roots = {n for n in range(len(self.a)) if s.start[n] < s.start[n + 1]} | self.extra()
        self.inputs = [n for n in range(s.first) if s.refs[n] >= 1 << 20]

    def extra(self):
        """Nets that the head reads beside those that are counted."""
        reads = np.bincount(np.concatenate([self.s.a[self.s.first :], self.s.b[self.s.first :]]),
                            minlength=len(self.a)) + np.diff(self.s.start, append=len(self.s.group))[: len(self.a)]
        return {n for n in range(self.s.first, len(self.a)) if self.s.refs[n] > reads[n]}

    def needed(self, a, b):
        seen, stack = set(), list(self.roots)
        while stack:
            n = stack.pop()
            if n not in seen:
                seen.add(n)
                stack += [a[n], b[n]] if n >= self.s.first else []
        return seen

    def simulated(self, a, b, table):
        values = self.values.copy()
        for n in range(self.s.first, len(a)):
            address = values[a[n]].astype(int) + 2 * values[b[n]]
            values[n] = table[n] >> address & 1
        return values

    def right(self, values):
        s = self.s
        counts = np.zeros_like(s.counts)
        for n in range(len(self.a)):
            for o in range(s.start[n], s.start[n + 1]):
                counts[:, s.group[o]] += values[n] if s.sign[o] > 0 else ~values[n]
        rows = np.arange(len(s.target))
        rivals = counts + (np.arange(counts.shape[1]) < s.target[:, None]) * (s.lead[:, None] == 0)
        rivals[rows, s.target] = -(1 << 20)
        return int((counts[rows, s.target] - s.lead >= rivals.max(axis=1)).sum())

    def visit(self, net):
        live = self.needed(self.a, self.b)
        if net not in live or self.replacement[net] >= 0:
            return
        before, cost = self.right(self.simulated(self.a, self.b, self.table)), sum(self.weight[n] for n in live)
        values = self.simulated(self.a, self.b, self.table)
        kept = self.needed(*([*x[:net], 0, *x[net + 1 :]] for x in (self.a, self.b)))
        best, key = -1, (0.0, len(self.s.target) + 1)
        for r in range(net):
            if r and (self.replacement[r] >= 0 or (r not in live and r not in self.inputs)):
                continue
            if 0 < r < self.s.first and r not in self.inputs and r not in kept:  # its own comparator
                continue
            for complement in range(2):
                a, b, table, weight = list(self.a), list(self.b), list(self.table), list(self.weight)
                a[net] = b[net] = r
                table[net], weight[net] = INVERTER if complement else WIRE, 0
                outputs = self.s.start[net + 1] - self.s.start[net]
                gates = cost - sum(weight[n] for n in self.needed(a, b)) + ADDER * outputs * (r == 0)
                if gates <= 0:
                    continue
                score = before - self.right(self.simulated(a, b, table))
                trial = score - self.rate * gates, int((values[r] ^ bool(complement) ^ values[net]).sum())
                if trial[0] <= 0 and (best < 0 or trial < key):
                    best, key = 2 * r + complement, trial
        if best >= 0:
            self.a[net] = self.b[net] = best >> 1
            self.table[net], self.weight[net] = INVERTER if best & 1 else WIRE, 0
            self.replacement[net] = best


@pytest.mark.parametrize(("rate", "lead", "seed"), [(0.0, 0, 3), (0.0, 2, 4), (0.7, 0, 5), (2.0, 1, 6)])
def test_the_kernel_replaces_what_recomputing_everything_replaces(rate, lead, seed):
    circuit = small(seed)
    codes = samples_for(circuit, 192)
    labels = np.random.default_rng(seed).integers(0, 4, 192)
    network = _Network(circuit, codes)
    counts = network.counts(3)
    target = np.where(np.arange(192) % 3, counts.argmax(axis=1), labels)  # a third of the decisions is wrong
    state = State(*network.arrays(), counts, target, _leads(counts, target, lead))
    order = np.arange(len(state.table) - 1, state.first - 1, -1)
    naive = Naive(State(*(f.copy() if isinstance(f, np.ndarray) else f for f in state)), rate,
                  np.full(len(order) + state.first, -1))
    for net in order:
        naive.visit(net)
    replacement = np.full(len(state.table), -1)
    assert substitute(state, order, rate, replacement) == (replacement >= 0).sum() > 0
    assert replacement.tolist() == naive.replacement.tolist()


@pytest.mark.parametrize("seed", [1, 2])
def test_counts_and_values_follow_the_replacements(seed):
    circuit = small(seed)
    codes = samples_for(circuit, 500)
    network = _Network(circuit, codes)
    counts = network.counts(3)
    target = counts.argmax(axis=1)
    state = State(*network.arrays(), counts, target, _leads(counts, target, 0))
    replacement = np.full(len(state.table), -1)
    substitute(state, np.arange(len(state.table) - 1, state.first - 1, -1), 0.0, replacement)
    after = _Network(network.rebuilt(replacement.tolist()), codes)
    assert np.array_equal(after.counts(3), state.counts)


def test_no_training_decision_changes_and_gates_go():
    circuit = small()
    codes = samples_for(circuit, 300)
    before = simulate(circuit, codes)
    smaller, report = simplify_on(circuit, codes, before[:, 0].astype(int))
    assert np.array_equal(simulate(smaller, codes), before)
    assert report.changed == 0 and report.replaced > 0 and report.accuracy_after == 1.0
    assert report.gates_after == total_gates(smaller) < total_gates(circuit) == report.gates_before
    assert (smaller.inputs, smaller.outputs, smaller.labels) == (circuit.inputs, circuit.outputs, circuit.labels)
    check_macros(smaller, sample_bits(np.random.default_rng(0), smaller))
    optimised, _ = optimize(smaller)
    assert np.array_equal(simulate(optimised, codes), before) and total_gates(optimised) <= total_gates(smaller)


def test_a_budget_bounds_what_validation_loses():
    circuit = small(8)
    codes, held = samples_for(circuit, 600), samples_for(circuit, 400, seed=1)
    y, held_y = (simulate(circuit, c)[:, 0].astype(int) for c in (codes, held))
    sizes = []
    for budget in (0.0, 0.02, 0.2):
        smaller, report = simplify_on(circuit, codes, y, budget=budget, validation=(held, held_y))
        accuracy = float((simulate(smaller, held)[:, 0] == held_y).mean())
        assert report.validation_before == 1.0 and report.validation_after == accuracy
        assert accuracy >= 1 - budget or not budget
        sizes.append(total_gates(smaller))
    assert sizes[2] < sizes[1] < total_gates(circuit) and stage_costs(smaller)["head"]["gates"] > 0


def test_the_same_circuit_twice():
    circuit, codes = small(), None
    codes = samples_for(circuit, 200)
    target = simulate(circuit, codes)[:, 0].astype(np.int64)
    one, two = (substitute_once(circuit, codes, target, 0, 0.0)[0] for _ in range(2))
    assert one.digest == two.digest


def test_what_cannot_be_simplified_is_refused():
    b = CircuitBuilder("sum")
    b.output("y", popcount(b, b.input("x", 5)))
    with pytest.raises(InputError, match="arg-max of population counts"):
        simplify_on(b.build(), np.zeros((3, 1), np.uint8), np.zeros(3, int))
    b = CircuitBuilder("words")
    b.output("y", argmax(b, [b.input("x0", 2), b.input("x1", 2)]))
    with pytest.raises(InputError, match="arg-max of population counts"):
        simplify_on(b.build(), np.zeros((3, 2), np.uint8), np.zeros(3, int))
    circuit = small()
    codes = samples_for(circuit, 10)
    with pytest.raises(InputError, match="validation samples; give some"):
        simplify_on(circuit, codes, np.zeros(10, int), budget=0.1)
    with pytest.raises(InputError, match="budget is 1"):
        simplify_on(circuit, codes, np.zeros(10, int), budget=1.0, validation=(codes, np.zeros(10, int)))
    with pytest.raises(InputError, match="classes have shape"):
        simplify_on(circuit, codes, np.zeros(9, int))
