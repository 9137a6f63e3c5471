import dataclasses
import itertools
import json
import subprocess
import sys

import numpy as np
import pytest
from helpers import check_same, mnist_like, sample_bits, trained_like

import hardwire
from hardwire.circuit import CircuitBuilder
from hardwire.core.errors import InputError
from hardwire.cost import stage_costs
from hardwire.passes import LEVELS, PASSES, optimize
from hardwire.verify.equivalence import prove


@pytest.mark.parametrize("level", LEVELS)
def test_levels_keep_the_function_and_are_idempotent(level, circuit):
    after, statistics = optimize(circuit, level=level)
    check_same(circuit, after, sample_bits(np.random.default_rng(1), circuit))
    assert prove(circuit, after, macros=True).status == "proved"
    assert optimize(after, level=level)[0].digest == after.digest
    assert json.loads(json.dumps([dataclasses.asdict(s) for s in statistics])) is not None
    for first, second in itertools.pairwise(statistics):
        assert (first.gates_after, first.depth_after) == (second.gates_before, second.depth_before)
        assert second.gates_after <= second.gates_before


def test_levels_are_ordered_and_o0_does_nothing():
    circuit = trained_like(np.random.default_rng(4), width=120)
    counts = [stage_costs(optimize(circuit, level=level)[0]) for level in LEVELS]
    sizes = [c["encoder"]["gates"] + c["network"]["gates"] for c in counts]  # passes that search spare the head
    assert sizes[0] > 1.2 * sizes[1] and sizes[1] > 1.05 * sizes[2]
    assert counts[0]["head"]["gates"] > counts[1]["head"]["gates"] >= counts[2]["head"]["gates"]
    assert optimize(circuit, level="O0") == (circuit, [])


def test_stages_are_counted_apart():
    circuit = trained_like(np.random.default_rng(4), width=120)
    before, after = stage_costs(circuit), stage_costs(optimize(circuit)[0])
    assert all(0 < after[stage]["gates"] < before[stage]["gates"] for stage in before)


def test_passes_run_once_in_the_order_given():
    circuit, lines = trained_like(np.random.default_rng(4)), []
    names = ["structural-hashing", "dead-node-removal", "technology-mapping=4"]
    after, statistics = optimize(circuit, passes=names, progress=lines.append)
    assert [s.name for s in statistics] == names
    assert len(lines) == 3 and lines[0].startswith("structural-hashing: ")
    assert after.arity.max() == 4


@pytest.mark.parametrize("name", ["fuse", "sweep", "technology-mapping=x", "cut-rewriting=3", "technology-mapping="])
def test_an_unknown_pass_is_named(name):
    with pytest.raises(InputError, match=name):
        optimize(trained_like(np.random.default_rng(4)), passes=[name])


def test_an_unknown_level_is_named():
    with pytest.raises(InputError, match="O3"):
        optimize(trained_like(np.random.default_rng(4)), level="O3")


def test_each_pass_has_a_line_of_documentation():
    assert all(20 < len(p.doc) <= 120 for p in PASSES.values())
    assert hardwire.optimize is optimize


def test_circuits_without_nodes_and_without_inputs():
    b = CircuitBuilder()
    b.output("z", [0, 1])
    assert optimize(b.build())[0].output_nets.tolist() == [0, 1]
    b = CircuitBuilder()
    x = b.input("x", 2)
    b.output("z", x)
    assert optimize(b.build())[0].output_nets.tolist() == x


def test_import_is_light():
    code = "import sys, hardwire.passes; sys.exit(any(m in sys.modules for m in ('numba', 'torch')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.slow
def test_a_circuit_of_the_size_of_mnist():
    circuit = mnist_like(np.random.default_rng(0))
    small, statistics = optimize(circuit)
    check_same(circuit, small, sample_bits(np.random.default_rng(1), circuit, 64))
    before, after = stage_costs(circuit), stage_costs(small)
    searched = [sum(counts[stage]["gates"] for stage in ("encoder", "network")) for counts in (before, after)]
    assert searched[1] < 0.7 * searched[0] and after["head"]["gates"] < before["head"]["gates"]
    assert optimize(circuit, level="O1")[1][-1].gates_after > statistics[-1].gates_after
    assert optimize(small)[0].digest == small.digest
    assert prove(circuit, small, macros=True).status == "proved"
