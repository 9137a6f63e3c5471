"""Registers in a cover: every path is as long, the function is the circuit's, and no choice of stages has fewer."""

from itertools import product

import numpy as np
import pytest
from helpers import random_circuit, trained_like

from hardwire.backends.verilog.backend import default_vectors
from hardwire.circuit import TRUE, CircuitBuilder
from hardwire.circuit.simulate import simulate
from hardwire.core.errors import InputError, ToolError
from hardwire.flows.fpga.pipeline import DELAYS, LEVELS, pipeline, unrolled
from hardwire.flows.fpga.retiming import cheapest, least
from hardwire.passes import map_to_luts
from hardwire.passes.dead_nodes import remove_dead_nodes


def clocked(pipelined, codes):
    """Codes through the pipeline clock by clock, one new sample each clock: what comes out after the latency."""
    cover, n = pipelined.cover, pipelined.cover.n_nets
    bits = np.zeros((len(codes) + pipelined.latency, cover.n_input_bits), bool)
    bits[: len(codes)] = np.array([[c >> j & 1 for c, w in zip(row, cover.input_widths) for j in range(w)]
                                   for row in codes.tolist()], bool)
    value = np.zeros(n + pipelined.flip_flops, bool)
    value[TRUE] = True
    result = []
    for row in bits:
        value[2 : cover.first_node] = row
        for node in range(cover.n_nodes):
            if pipelined.stage[cover.first_node + node] >= 0:
                address = sum(int(value[s]) << i for i, s in enumerate(pipelined.fan_in[node, : cover.arity[node]]))
                value[cover.first_node + node] = int(cover.table[node]) >> address & 1
        result.append(value[pipelined.outputs].copy())
        value[n:] = value[pipelined.source]
    out, place = [], 0
    for width in cover.output_widths:
        out.append([sum(int(b) << j for j, b in enumerate(r[place : place + width])) for r in result])
        place += width
    return np.array(out).T[pipelined.latency :]


@pytest.mark.parametrize("seed", range(8))
def test_the_pipeline_is_the_circuit_late(seed):
    rng = np.random.default_rng(seed)
    circuit = random_circuit(rng, layers=5, max_arity=int(rng.integers(2, 7)))
    options = {"levels": int(rng.integers(1, 4))} if seed % 2 else {"period": 6.0, "delays": DELAYS["ecp5"]}
    fan_out = None if seed % 3 else 2 + seed % 4
    made = pipeline(circuit, **options, fan_out=fan_out, input_registers=seed % 3)
    codes = default_vectors(circuit, random=16, seed=seed)
    expected = simulate(circuit, codes)
    assert np.array_equal(simulate(unrolled(made), codes), expected)
    assert np.array_equal(clocked(made, codes), expected)
    if fan_out:
        readers = np.bincount(np.concatenate([made.fan_in[made.stage[circuit.first_node :] >= 0].ravel(), made.source,
                                              made.outputs]), minlength=circuit.n_nets + made.flip_flops)
        assert readers[circuit.n_nets :].max(initial=0) <= fan_out


def test_no_stage_is_deeper_than_asked():
    circuit = map_to_luts(trained_like(np.random.default_rng(1)), k=4)
    for levels in (1, 2, 3):
        made = pipeline(circuit, levels=levels)
        depth = np.zeros(circuit.n_nets + made.flip_flops, int)
        for node in range(circuit.n_nodes):
            net = circuit.first_node + node
            if made.stage[net] >= 0:
                depth[net] = 1 + max(depth[s] for s in made.fan_in[node, : circuit.arity[node]])
        assert depth.max() <= levels
        assert made.latency == max(1, -(-circuit.depth // levels))


def flip_flops(circuit, stages, latency):
    """Registers that readers share, for stages of the nets."""
    last = dict.fromkeys(circuit.output_nets.tolist(), latency)
    for node in range(circuit.n_nodes):
        for f in circuit.fanin[node, : circuit.arity[node]].tolist():
            last[f] = max(last.get(f, 0), stages[circuit.first_node + node])
    return sum(end - stages[f] for f, end in last.items() if f > TRUE)


def test_the_fewest_flip_flops():
    """Against all assignments of stages to a circuit of seven tables."""
    for seed in range(6):
        rng = np.random.default_rng(seed)
        b = CircuitBuilder("small")
        nets = [b.input(f"x{i}")[0] for i in range(4)]
        for _ in range(7):
            nets.append(b.node(0b0110, *(int(n) for n in rng.choice(nets, 2, replace=False))))
        b.output("y", nets[-2:])
        circuit = remove_dead_nodes(b.build())
        latency = circuit.depth + 1
        made = pipeline(circuit, levels=1, latency=latency)
        best = None
        for choice in product(range(latency), repeat=circuit.n_nodes):
            stages = [0] * circuit.first_node + list(choice)
            if all(stages[circuit.first_node + i] > stages[f] or f < circuit.first_node
                   for i in range(circuit.n_nodes) for f in circuit.fanin[i, : circuit.arity[i]].tolist()):
                count = flip_flops(circuit, stages, latency)
                best = count if best is None else min(best, count)
        assert made.flip_flops == best


def test_cheapest_moves_what_saves():
    # a chain 0 -> 1 -> 2 whose last is fixed: moving 1 up saves two and costs one
    assert cheapest(least(3, [(0, 1, 0), (1, 2, 0)], [0, 0, 3]), [0, -1, 0], [0, 3, 3], [(0, 1, 0), (1, 2, 0)]) == [0, 3, 3]
    assert cheapest([0, 0, 3], [0, 1, 0], [0, 3, 3], [(0, 1, 0), (1, 2, 0)]) == [0, 0, 3]


def test_wrong_options():
    circuit = random_circuit(np.random.default_rng(0))
    for options, says in (({}, "either"), ({"levels": 1, "period": 5.0}, "either"), ({"levels": 0}, "levels"),
                          ({"levels": 1, "fan_out": 1}, "readers"), ({"levels": 1, "latency": 1}, "needed"),
                          ({"period": 0.5, "delays": DELAYS["ecp5"]}, "below")):
        with pytest.raises(InputError, match=says):
            pipeline(circuit, **options)


def test_a_mixed_clock_is_refused():
    circuit = random_circuit(np.random.default_rng(0), layers=3)
    made = pipeline(circuit, levels=1)
    assert LEVELS.net(8) == 0
    node = next(i for i in range(circuit.n_nodes) if made.stage[circuit.first_node + i] > 1)
    made.fan_in[node, 0] = circuit.first_node - 1
    with pytest.raises(ToolError, match="reads net"):
        unrolled(made)
