"""Transactions with random gaps, stalls, malformed packets and resets through emitted wrappers, against the interpreter."""

import numpy as np
import pytest
from helpers import tenth, trained_like
from simulation import job_of, missing, simulated

from hardwire.backends.verilog.backend import design_of
from hardwire.circuit import CircuitBuilder

SIMULATORS = [pytest.param(name, marks=pytest.mark.skipif(bool(missing(name)), reason=missing(name)))
              for name in ("icarus", "verilator")]
both = pytest.mark.parametrize("simulator", SIMULATORS)
icarus = pytest.mark.skipif(bool(missing("icarus")), reason=missing("icarus"))


@pytest.fixture(scope="module")
def small():
    """32 bits in, two out."""
    return trained_like(np.random.default_rng(1), words=8, bits=4, width=24, layers=2, classes=3)


def mixed(words, bits, out):
    """Each of ``out`` bits is the exclusive or of three input bits."""
    b = CircuitBuilder("mixed")
    nets = [net for k in range(words) for net in b.input(f"x{k}", bits)]
    b.output("y", [b.xor(b.xor(nets[k % len(nets)], nets[3 * k % len(nets)]), nets[-1 - 5 * k % len(nets)]) for k in range(out)])
    return b.build()


def random_codes(circuit, count, seed=0):
    rng = np.random.default_rng(seed)
    return circuit.codes(rng.integers(0, [1 << width for width in circuit.input_widths], (count, len(circuit.inputs))))


def transactions(circuit, kind, count, folder, *, simulator="icarus", pipeline=3, codes=None, emitted=None, **how):
    """Run a job; returns it, the flags that are due and what the bench says."""
    latency = design_of(circuit, "core", pipeline=pipeline, bus="packed").latency
    codes = random_codes(circuit, count) if codes is None else codes
    job, flags = job_of(circuit, kind, codes, latency=latency, **how)
    return job, flags, simulated(circuit, job, folder, simulator, pipeline=pipeline, **(emitted or {}))


def through_a_bus(circuit, kind, count, folder, *, bus_width=8, resets=0, **how):
    """Every good packet has its result, but for those that a reset met; every malformed one is flagged."""
    emitted = {"bus_width": bus_width} if kind == "axis" else {}
    job, flags, said = transactions(circuit, kind, count, folder, bus_width=bus_width, resets=resets, emitted=emitted, **how)
    good = sum(result is not None for result in job["results"])
    assert good - resets <= said["results"] + said["lost_in_reset"] <= good  # a reset cuts at most one packet
    if not resets:
        assert said["results"] == good and said["lost_in_reset"] == 0
    for flag, due in flags.items() if kind == "axis" else ():
        assert due - resets <= said["flags"][flag] <= due
    return said


@icarus
def test_some_packets(small, tmp_path):
    through_a_bus(small, "axis", 150, tmp_path, bad=0.2, resets=2, pipeline=8)


@pytest.mark.slow
@icarus
@pytest.mark.parametrize("how", ["another result", "one too many", "one too few"])
def test_the_bench_fails(how, small, tmp_path):
    job, _ = job_of(small, "stream", random_codes(small, 40), latency=0)
    if how == "another result":
        job["results"][30][0]["data"] ^= 1
    elif how == "one too many":
        job["results"][39] = None
    else:
        job["results"][39] = [job["results"][39][0]] * 2
    with pytest.raises((AssertionError, SystemExit)):
        simulated(small, job, tmp_path)


@pytest.mark.slow
@both
def test_ten_thousand_packets(simulator, small, tmp_path):
    said = through_a_bus(small, "axis", 10_000, tmp_path, simulator=simulator, bad=0.03, stall=0.5, resets=8)
    assert said["results"] > 9_000 and said["flags"]["short_packet"] > 100 and said["flags"]["long_packet"] > 50


@pytest.mark.slow
@both
def test_ten_thousand_words(simulator, small, tmp_path):
    said = through_a_bus(small, "stream", 10_000, tmp_path, simulator=simulator, stall=0.5, resets=8)
    assert said["results"] > 9_000


@pytest.mark.slow
@icarus
@pytest.mark.parametrize("bus_width", [8, 16, 24, 64, 512])
@pytest.mark.parametrize("pipeline", [None, 2])
def test_every_width(bus_width, pipeline, tmp_path):
    """Words of 5 bits, so that images end inside a byte; results wider than a bus of 8 bits."""
    circuit = mixed(words=9, bits=5, out=19)
    through_a_bus(circuit, "axis", 200, tmp_path, bus_width=bus_width, bad=0.2, resets=3, pipeline=pipeline)


@pytest.mark.slow
@icarus
@pytest.mark.parametrize("kind, bus_width, clocks", [("stream", 8, 1), ("axis", 8, 4), ("axis", 32, 1)])
@pytest.mark.parametrize("pipeline", [None, 2, 5])
def test_full_throughput(kind, bus_width, clocks, pipeline, small, tmp_path):
    """One image a clock, or one in as many as its beats, where nobody stalls."""
    said = through_a_bus(small, kind, 300, tmp_path, bus_width=bus_width, gap=0, stall=0, pipeline=pipeline)
    assert said["clocks"] < 300 * clocks + 200


@pytest.mark.slow
@icarus
def test_digits_through_a_bus(lowered, digits, tmp_path):
    """A trained network with a register at every fourth level."""
    codes = lowered.codes_of_values(digits.test.x)
    through_a_bus(lowered, "axis", len(codes), tmp_path, codes=codes, bus_width=64, pipeline=4, bad=0.05)


@pytest.mark.slow
@both
@pytest.mark.parametrize("pipeline", [None, 3])
def test_registered(simulator, pipeline, small, tmp_path):
    _, _, said = transactions(small, "registered", tenth(10_000), tmp_path, simulator=simulator, pipeline=pipeline)
    assert said["results"] == tenth(10_000)


@pytest.mark.slow
@both
@pytest.mark.parametrize("kind, count, bad", [("shift", 40, 0), ("spi", 15, 0.3), ("uart", 20, 0.3)])
def test_few_pins(simulator, kind, count, bad, small, tmp_path):
    emitted = {"divider": 16} if kind == "uart" else {}
    job, _, said = transactions(small, kind, count, tmp_path, simulator=simulator, bad=bad, emitted=emitted)
    dropped = sum(result is None for result in job["results"])
    assert said["results"] == count - dropped
    if kind == "uart":
        assert said["drops"] == dropped > 0
    if kind == "spi":
        assert said["silent"] >= dropped > 0


@pytest.mark.slow
@icarus
@pytest.mark.parametrize("kind", ["shift", "spi", "uart"])
def test_few_pins_of_a_combinational_core(kind, tmp_path):
    """Eleven bits in, and out more than a byte."""
    circuit = mixed(words=11, bits=1, out=9)
    emitted = {"divider": 5} if kind == "uart" else {}
    job, _, said = transactions(circuit, kind, 20, tmp_path, pipeline=None, divider=5, bad=0 if kind == "shift" else 0.3, emitted=emitted)
    assert 0 < said["results"] == sum(result is not None for result in job["results"])
