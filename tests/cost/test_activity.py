"""Toggles of every net, against a simulation of one transition and one event after the other."""

from itertools import pairwise

import numpy as np
import pytest

from hardwire.circuit import CircuitBuilder
from hardwire.circuit.simulate import simulate_bits
from hardwire.core.bits import codes_to_bits
from hardwire.core.errors import InputError
from hardwire.cost.activity import BLOCK, independent, input_states, switching


def random_circuit(seed, bits=7, nodes=60):
    rng, b = np.random.default_rng(seed), CircuitBuilder("random")
    nets = [0, 1, *(net for i in range(bits) for net in b.input(f"x{i}"))]
    for _ in range(nodes):
        k = int(rng.integers(1, 7))
        operands = [int(rng.choice(nets[-14:])) for _ in range(k)]
        nets.append(b.node(int(rng.integers(0, 1 << (1 << k), dtype=np.uint64)), *operands))
    b.output("y", nets[-3:])
    return b.build()


def one_transition(circuit, before, after, delay):
    """Toggles of each net, one event after the other; a change back before the delay is over removes the event."""
    value = simulate_bits(circuit, before[None], range(circuit.n_nets))[0].copy()
    toggles, target, pending, t = np.zeros(circuit.n_nets, int), value.copy(), {}, 0
    first = circuit.first_node
    changed = {2 + i for i in np.flatnonzero(before != after)}
    for net in changed:
        toggles[net] += 1
        value[net] ^= True
    while changed or pending:
        for node in range(circuit.n_nodes):
            operands = circuit.fanin[node, : circuit.arity[node]]
            if changed & set(operands.tolist()):
                address = sum(int(value[f]) << i for i, f in enumerate(operands))
                now = bool(int(circuit.table[node]) >> address & 1)
                if now != target[first + node]:
                    target[first + node] = now
                    if pending.pop(node, None) is None:
                        pending[node] = t + int(delay[node])
        t, changed = t + 1, set()
        for node in [node for node, when in pending.items() if when == t]:
            del pending[node]
            value[first + node] ^= True
            toggles[first + node] += 1
            changed.add(first + node)
    assert (value == simulate_bits(circuit, after[None], range(circuit.n_nets))[0]).all()
    return toggles


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("model", ["zero", "unit", "steps"])
def test_against_one_event_after_the_other(seed, model):
    circuit, rng = random_circuit(seed), np.random.default_rng(seed)
    codes = rng.integers(0, 2, (71, 7)).astype(np.uint8)
    bits = codes_to_bits(codes, circuit.input_widths)
    if model == "zero":
        values = simulate_bits(circuit, bits, range(circuit.n_nets))
        expected = (values[1:] != values[:-1]).sum(axis=0)
        delay = "zero"
    else:
        delay = "unit" if model == "unit" else rng.integers(1, 9, circuit.n_nodes)
        steps = np.ones(circuit.n_nodes, int) if model == "unit" else delay
        expected = sum(one_transition(circuit, a, b, steps) for a, b in pairwise(bits))
    found = switching(circuit, codes, delay=delay)
    np.testing.assert_array_equal(np.rint(found.toggles * 70), expected)
    np.testing.assert_allclose(found.ones, simulate_bits(circuit, bits, range(circuit.n_nets)).mean(axis=0))
    assert found.transitions == 70 and found.mean(circuit) == pytest.approx(found.toggles[circuit.first_node :].mean())


def test_a_glitch_is_counted_and_a_short_one_is_swallowed():
    """``x and not x`` is never true, but for the step that the inverter takes."""
    b = CircuitBuilder("glitch")
    (x,) = b.input("x")
    late = b.node(0b01, x)
    b.output("y", b.node(0b1000, x, late))
    circuit, codes = b.build(), np.array([[0], [1], [0], [1]], np.uint8)
    assert switching(circuit, codes).toggles[-1] == 0
    assert switching(circuit, codes, delay="unit").toggles[-1] * 3 == 4  # two rises of x, up and down each
    assert switching(circuit, codes, delay=np.array([3, 2])).toggles[-1] * 3 == 4
    assert switching(circuit, codes, delay=np.array([2, 3])).toggles[-1] == 0


def test_blocks_join(rng):
    circuit, count = random_circuit(5), BLOCK + 70
    codes = rng.integers(0, 2, (count, 7)).astype(np.uint8)
    for delay in ("zero", "unit"):
        whole = switching(circuit, codes, delay=delay)
        parts = [switching(circuit, codes[a:b], delay=delay) for a, b in ((0, 1000), (999, count))]
        np.testing.assert_allclose(whole.toggles * (count - 1), sum(p.toggles * p.transitions for p in parts))


def test_the_order_of_samples_matters_and_is_kept():
    b = CircuitBuilder("wire")
    (x,) = b.input("x")
    b.output("y", b.node(0b01, x))
    slow, fast = np.repeat([0, 1], 50), np.tile([0, 1], 50)
    toggles = [switching(b.build(), codes[:, None].astype(np.uint8)).toggles[-1] for codes in (slow, fast)]
    assert toggles == [pytest.approx(1 / 99), 1.0]


def test_states_of_operands(rng):
    circuit = random_circuit(6)
    codes = rng.integers(0, 2, (200, 7)).astype(np.uint8)
    values = simulate_bits(circuit, codes_to_bits(codes, circuit.input_widths), range(circuit.n_nets))
    nets = [(4, 20, 7), (33,), (2, 3, 4, 5, 6, 7)]
    operands = np.array([[*row, *[0] * (6 - len(row))] for row in nets], np.int32)
    states = input_states(circuit, codes, operands, np.array([len(row) for row in nets]))
    for row, found in zip(nets, states):
        address = sum(values[:, net].astype(int) << i for i, net in enumerate(row))
        np.testing.assert_allclose(found, np.bincount(address, minlength=64) / 200)


def test_independent_samples():
    b = CircuitBuilder("and")
    x, y = b.input("x", 2)
    b.output("z", b.and_(x, y))
    activity = independent(b.build())
    assert activity.ones.tolist() == [0, 1, 0.5, 0.5, 0.25] and activity.toggles.tolist() == [0, 0, 0.5, 0.5, 0.375]
    assert independent(b.build(), np.array([1.0, 0.2])).ones[-1] == pytest.approx(0.2)


@pytest.mark.parametrize("samples, delay, part", [
    (1, "zero", "at least 2"), (3, np.zeros(60, int), "1 to 65,536"), (3, np.ones(59, int), "of 60 nodes")])
def test_what_is_refused(samples, delay, part):
    with pytest.raises(InputError, match=part):
        switching(random_circuit(0), np.zeros((samples, 7), np.uint8), delay=delay)
