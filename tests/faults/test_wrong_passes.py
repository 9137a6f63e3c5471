"""Each pass made wrong on purpose: ``optimize --prove-each`` names it, and writes nothing."""

from dataclasses import replace

import numpy as np
import pytest

from hardwire.circuit import save_circuit
from hardwire.circuit.simulate import simulate_bits
from hardwire.cli import app as cli
from hardwire.core.errors import WrongPassError
from hardwire.core.verdict import Verdict
from hardwire.passes import PASSES, optimize
from hardwire.workflow.logic import prove_pass
from tests.faults.planting import plant_in_circuit
from tests.helpers import check_same, sample_bits


def differs(a, b) -> bool:
    """Whether two circuits of 15 input bits differ, by trying every input."""
    bits = (np.arange(1 << 15)[:, None] >> np.arange(15) & 1).astype(bool)
    return bool((simulate_bits(a, bits) != simulate_bits(b, bits)).any())


def with_a_fault(circuit, seed):
    """The first planted fault that changes the function; where the macros hold no more they go."""
    for serial in range(200):
        _, faulty = plant_in_circuit(circuit, seed + serial, seed)
        if differs(circuit, faulty):
            return faulty
    raise AssertionError("no fault changes the function")


def make_wrong(monkeypatch, name, spoil) -> None:
    function = PASSES[name].function
    monkeypatch.setitem(PASSES, name, replace(PASSES[name], function=lambda *given, **options: spoil(function(*given, **options))))


@pytest.mark.parametrize("name", PASSES)
def test_a_wrong_pass_is_named(small_circuit, monkeypatch, name):
    make_wrong(monkeypatch, name, lambda circuit: with_a_fault(circuit, 7))
    with pytest.raises(WrongPassError, match=f"^pass {name} gives another function where "):
        optimize(small_circuit, passes=list(PASSES), prove=prove_pass)


@pytest.mark.slow
@pytest.mark.parametrize("name", PASSES)
def test_ten_faults_of_a_pass(small_circuit, monkeypatch, name):
    for seed in range(10):
        with monkeypatch.context() as patch:
            make_wrong(patch, name, lambda circuit, seed=seed: with_a_fault(circuit, 10 * seed))
            with pytest.raises(WrongPassError, match=f"^pass {name} gives another function where "):
                optimize(small_circuit, passes=[name], prove=prove_pass)


def test_a_pass_that_breaks_a_macro_is_named(small_circuit, monkeypatch):
    def break_macro(circuit):
        count = next(m for m in circuit.macros if m.kind == "popcount")
        outputs = count.outputs[1::-1] + count.outputs[2:]
        return circuit.with_(macros=tuple(replace(m, outputs=outputs) if m is count else m for m in circuit.macros))

    make_wrong(monkeypatch, "structural-hashing", break_macro)
    with pytest.raises(WrongPassError, match=r"^pass structural-hashing gives another function where .*macro"):
        optimize(small_circuit, level="O1", prove=prove_pass)


def test_an_undecided_pass_is_refused(small_circuit):
    undecided = Verdict("unknown", detail="the time limit was reached")
    with pytest.raises(WrongPassError, match=r"^pass technology-mapping is not proved to keep the function \(the time limit"):
        optimize(small_circuit, passes=["technology-mapping"], prove=lambda before, after: undecided)


def test_right_passes_are_proved(small_circuit):
    calls = []

    def proof(before, after):
        calls.append(prove_pass(before, after))
        return calls[-1]

    after, statistics = optimize(small_circuit, passes=list(PASSES), prove=proof)
    check_same(small_circuit, after, sample_bits(np.random.default_rng(0), small_circuit))
    assert len(statistics) == len(PASSES) and calls and all(v.status == "proved" for v in calls)


def test_the_command_names_it_and_writes_nothing(small_circuit, monkeypatch, tmp_path, capsys):
    path = save_circuit(small_circuit, tmp_path / "x.net")
    make_wrong(monkeypatch, "resubstitution", lambda circuit: with_a_fault(circuit, 3))
    assert cli.main(["optimize", str(path), "--prove-each"]) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.splitlines()[-1].startswith("hardwire: pass resubstitution gives another function where ")
    assert [p.name for p in tmp_path.iterdir()] == ["x.net"]
    monkeypatch.undo()
    assert cli.main(["optimize", str(path), "--prove-each"]) == 0 and (tmp_path / "x.opt.net").is_file()
