"""Benchmarks: what they report, that a red check refuses, and that the figures are of what they say."""

import json
import sys
from pathlib import Path

import pytest
import torch

import benchmarks
from benchmarks import framework, registry, train_step
from benchmarks.framework import Goal, format_result, judge, repeat
from hardwire.cli import app as cli
from hardwire.cli import bench as verb
from hardwire.core.errors import InputError, ToolError
from hardwire.logic import LogicSettings

ROOT = Path(__file__).parents[2]
SMALL = LogicSettings(layers=2, width=200, wiring="random", noise=1.0, tau=10.0, batch=20)


@pytest.fixture
def small(monkeypatch):
    """The benchmark with networks of a few gates, and no fresh processes."""
    monkeypatch.setattr(train_step, "DENSE", SMALL)
    monkeypatch.setattr(train_step, "LEARNED", LogicSettings(layers=2, width=200, learned_layers=1, candidates=4, tau=10.0, batch=20))
    monkeypatch.setattr(train_step, "TREE", LogicSettings(channels=[4, 8], receptive_fields=[5, 3], paddings=[0, 1], channel_groups=[1, 1],
                                              widths=[200, 100], batch=8))
    monkeypatch.setattr(train_step, "peak_above_import", lambda name: 42.0)


def ask(capsys, *argv, code=0):
    capsys.readouterr()
    assert cli.main([str(a) for a in argv]) == code
    return capsys.readouterr()


def test_functions_take_turns():
    calls = []
    times = repeat(lambda: calls.append("a"), lambda: calls.append("b"), runs=20)
    rounds = ["".join(calls[i : i + 2]) for i in range(0, len(calls), 2)]
    assert rounds[0] == "ab" and set(rounds) == {"ab", "ba"} and [t["runs"] for t in times] == [20, 20]
    assert all(0 <= f["min_s"] <= f["median_s"] for f in times)


@pytest.mark.parametrize("value, met", [(1.5, True), (1.6, False), (float("nan"), False), ("skipped: no GPU", False)])
def test_a_goal_is_judged_by_its_figure(value, met):
    benchmark = framework.Benchmark("x", "what", (Goal("a / b", 1.5, "seconds"), Goal("c", 2.0, "more")))
    result = judge("x", benchmark, {"a": {"b": value}, "c": 1})
    assert [g["met"] for g in result["goals"]] == [met, True] and result["met"] is met
    assert result["goal"] == "seconds <= 1.5; more <= 2" and result["environment"]["machine"]
    assert ("NOT MET" in format_result(result)) is not met


def test_the_list_states_goals(capsys):
    text = ask(capsys, "bench").out
    assert text.startswith("train: ") and "<= 0.15" in text and "<= 150" in text
    listed = json.loads(ask(capsys, "bench", "--json").out)
    assert listed["train"]["goals"] == [str(g) for g in registry.BENCHMARKS["train"].goals]


@pytest.mark.slow
def test_the_verb(small, capsys):
    threads = torch.get_num_threads()
    result = json.loads(ask(capsys, "bench", "train", "--runs", "2", "--json").out)
    figures = result["figures"]
    timed = ["perceptron", "perceptron_fused_adam", "logic_table", "logic_softmax", "logic_walsh", "logic_covjac", "logic_learned",
             "logictreenet_s"]
    assert all(0 < figures[name]["min_s"] <= figures[name]["median_s"] and figures[name]["runs"] == 2 for name in timed)
    faster = min(figures[n]["min_s"] for n in timed[:2])
    assert figures["ratio_min"] == figures["logic_table"]["min_s"] / faster
    assert {"ratio_median", "ratio_min_to_default_adam", "ratio_median_to_default_adam", "threads"} <= set(figures)
    assert figures["memory"]["logic_table_mb"] == 42.0 and len(result["goals"]) == len(registry.BENCHMARKS["train"].goals)
    assert torch.get_num_threads() == threads


def test_a_red_check_refuses(small, monkeypatch, capsys):
    right = train_step.naive.gates
    monkeypatch.setattr(train_step.naive, "gates", lambda x, pairs, c: right(x, pairs.flip(1), c))
    said = ask(capsys, "bench", "train", "--runs", "1", code=1)
    assert "hardwire: benchmark refused: " in said.err and "differs from the naive reference" in said.err and said.out == ""


@pytest.mark.parametrize("config", [*train_step.dense_configs(), "learned", "tree"])
def test_the_check_sees_every_kind_of_weight(config, small, monkeypatch):
    """A reference with one weight's gradient lost is refused, whichever it is; the true one passes."""
    chosen = {"learned": train_step.LEARNED, "tree": train_step.TREE}.get(config) or train_step.dense_configs()[config]
    network, (x, y) = train_step.build(chosen).double(), train_step.batch(6)
    x = x.double()
    train_step.check(network, x, y)
    true = train_step.gradients
    for lost in range(1, 1 + len(list(network.parameters()))):
        seen = []

        def forget(*arguments, lost=lost, seen=seen):
            found = true(*arguments)
            seen.append(found)
            return {n: 2 * g if len(seen) == 1 and i == lost else g for i, (n, g) in enumerate(found.items())}

        monkeypatch.setattr(train_step, "gradients", forget)
        with pytest.raises(registry.RefusedError, match="gradient of"):
            train_step.check(network, x, y)


def test_mistakes():
    with pytest.raises(InputError, match="benchmark 'nothing' is none of train, packed"):
        registry.run("nothing")
    with pytest.raises(InputError, match="runs = 0"):
        registry.run("train", runs=0)


def test_a_peer_that_is_absent_or_unreadable_is_skipped_with_its_reason(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "torchlogix", None)
    assert train_step.torchlogix().startswith("skipped: torchlogix cannot be imported")
    monkeypatch.delitem(sys.modules, "torchlogix")
    (tmp_path / "torchlogix").mkdir()
    (tmp_path / "torchlogix" / "__init__.py").write_text("x = f'{'")
    monkeypatch.syspath_prepend(tmp_path)
    assert train_step.torchlogix() == "skipped: torchlogix needs a newer Python"


def test_a_peer_that_is_there_is_timed(small, monkeypatch):
    monkeypatch.setattr(train_step, "torchlogix", train_step.perceptron)
    assert train_step.time_dense(1)["torchlogix"]["runs"] == 1


def test_the_networks_are_the_published_ones():
    """Sizes of LogicTreeNet-S and of the 48,000-gate network."""
    assert train_step.build(train_step.DENSE).gates == 48_000
    tree = train_step.build(train_step.TREE)
    assert [layer.out_features for layer in tree.layers] == [16 * 12 * 12, 48 * 6 * 6, 144 * 3 * 3, 20480, 10240, 5120]


def test_memory_is_of_the_child_alone():
    """A child of a large process does not report its parent's peak as its own start; 100 MB more are seen as that."""
    import subprocess

    ballast = bytearray(1_000_000_000)
    ballast[::4096] = b"\1" * len(ballast[::4096])
    code = ("from benchmarks.train_step import peak\na = peak()\n"
            "b = bytearray(100_000_000)\nb[::4096] = b'1' * len(b[::4096])\nprint(a, peak())")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    before, after = map(float, done.stdout.split())
    assert before < 1000 and 80 < after - before < 120
    del ballast


@pytest.mark.slow
def test_the_memory_of_a_training_process():
    """More than its parameters with their gradients and Adam's two moments, 48,000 times 16 numbers of 4 bytes."""
    assert 3.0 < train_step.peak_above_import("logic_table") < 500


def test_a_memory_child_that_fails_is_said():
    with pytest.raises(ToolError, match="KeyError: 'nothing'"):
        train_step.peak_above_import("nothing")


@pytest.fixture
def results(monkeypatch, tmp_path):
    """Results kept in this folder instead of the repository's."""
    monkeypatch.setattr(framework, "RESULTS", tmp_path)
    return tmp_path


def test_a_result_is_kept_with_all_that_was_published(small, results, capsys):
    ask(capsys, "bench", "train", "--runs", "1", "--keep")
    kept = json.loads((results / "train_step.json").read_text())
    published = json.loads((ROOT / "benchmarks" / "results" / "train_step.json").read_text())
    assert set(published) <= set(kept) and set(published["figures"]) <= set(kept["figures"])


def test_the_module_keeps_the_result_and_a_red_check_does_not(small, results, monkeypatch, capsys):
    from benchmarks.__main__ import main

    monkeypatch.setattr(sys, "argv", ["benchmarks", "train", "--runs", "1"])
    main()
    assert (results / "train_step.json").is_file() and "logictreenet_s / min_s" in capsys.readouterr().out
    (results / "train_step.json").unlink()
    monkeypatch.setattr(train_step, "check", lambda *a: (_ for _ in ()).throw(registry.RefusedError("red")))
    with pytest.raises(SystemExit, match="benchmark refused: red"):
        main()
    assert not list(results.iterdir())


@pytest.mark.parametrize("value, met", [(0.6, True), (0.5, True), (0.4, False), (float("inf"), False)])
def test_a_goal_may_be_a_least(value, met):
    goal = Goal("a", 0.5, "share", at_least=True)
    assert goal.met({"a": value}) is met and str(goal) == "share >= 0.5"


def test_a_survey_is_neither_met_nor_missed():
    result = judge("x", framework.Benchmark("x", "how far"), {"a": 1})
    assert result["met"] is None and result["goal"] == "none: how far" and result["goals"] == []


@pytest.mark.parametrize("assignments, message", [
    (["colour=1"], "no parameter 'colour'; choose from runs"), (["runs"], "'runs' is not NAME=VALUE"), (["runs=0"], "runs = 0"),
    (["runs=two"], "runs = two")])
def test_parameters_that_are_none(assignments, message):
    with pytest.raises(InputError, match=message):
        registry.run("train", assignments)


@pytest.mark.parametrize("name, message", [("mnist", "needs --set out"), ("spiking_pruning", "needs --set out"),
                                           ("optimize", "needs --set run"), ("uci_monk1", "needs --set out")])
def test_a_parameter_that_lacks(name, message):
    with pytest.raises(InputError, match=message):
        registry.run(name)


def test_without_the_sources_there_is_one_sentence(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(verb, "ROOT", tmp_path)
    said = ask(capsys, "bench", code=2)
    assert said.err.count("\n") == 1 and "benchmarks come with the source checkout" in said.err


@pytest.mark.parametrize("name", registry.BENCHMARKS)
def test_every_row_has_figures_and_every_kept_result_a_row(name):
    """Parameters that a row fixes are there; kept figures have what the goals ask for, but for what is new."""
    import importlib
    import inspect

    row = registry.BENCHMARKS[name]
    parameters = inspect.signature(importlib.import_module(f"benchmarks.{row.module}").figures).parameters
    assert set(row.fixed) <= set(parameters) and "say" in parameters


def test_every_kept_result_has_a_row():
    names = {row.result or name for name, row in registry.BENCHMARKS.items()}
    assert {p.stem for p in (ROOT / "benchmarks" / "results").glob("*.json")} <= names


def test_no_benchmark_imports_the_command_line():
    for path in Path(benchmarks.__file__).parent.glob("*.py"):
        assert "hardwire.cli" not in path.read_text(encoding="utf-8"), path


def test_packed_runs_untrained(monkeypatch, capsys):
    from benchmarks import packed
    from hardwire.circuit.engine import kernels

    monkeypatch.setattr(packed, "first_answers", lambda circuit: [0.5])
    monkeypatch.setattr(packed, "LogicSettings", lambda **changes: LogicSettings(**changes | {"layers": 2, "width": 200}))
    result = registry.run("packed", [f"samples={4 * kernels.BLOCK}"], runs=1)
    figures = result["figures"]
    assert figures["network_gates_live"] > 0 and figures["trained"] is False and figures["images_per_s"] > 0
    published = json.loads((ROOT / "benchmarks" / "results" / "packed.json").read_text())
    assert set(published["figures"]) <= set(figures)
    monkeypatch.setattr(packed, "simulate", lambda circuit, x: 1 - packed.PackedEngine(circuit)(x))
    with pytest.raises(registry.RefusedError, match="differs from the interpreter"):
        registry.run("packed", [f"samples={4 * kernels.BLOCK}"], runs=1)


@pytest.mark.slow
def test_crossbar_step_runs():
    figures = registry.run("crossbar_step", runs=1)["figures"]
    published = json.loads((ROOT / "benchmarks" / "results" / "crossbar_step.json").read_text())
    assert set(published["figures"]) <= set(figures) and figures["hybrid"]["sparse"]["step_ms"] > 0


def test_crossbar_step_is_refused_when_a_kernel_is_wrong(monkeypatch):
    from benchmarks import crossbar_step

    monkeypatch.setattr(crossbar_step, "self_check", lambda *a: {"kernels": "refuted"})
    with pytest.raises(registry.RefusedError, match="hybrid: kernels: refuted"):
        registry.run("crossbar_step", runs=1)


def test_six_input_tables_are_counted_by_stage():
    """Two nodes are wires and one is another's copy: one table is left; the head is that of its outputs."""
    import numpy as np

    from benchmarks import lut6
    from benchmarks.framework import RefusedError
    from hardwire.circuit.circuit import STAGES
    from hardwire.data.encoders import fit_encoder
    from hardwire.logic import GroupSum, LogicLayer, LogicNetwork
    from hardwire.logic.lowering import lower
    from hardwire.logic.model import Model

    encoder = fit_encoder("uniform", np.array([[0] * 8, [255] * 8], dtype=np.uint8), levels=1, code_bits=8)
    layer = LogicLayer(8, 4, pairs=[[0, 1, 2], [3, 4, 5], [0, 1, 2], [5, 6, 7]], fan_in=3)
    tables = [0b10010110, 0b10101010, 0b10010110, 0b11001100]
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[2.0 * (t >> m & 1) - 1 for m in range(8)] for t in tables]))
    network = LogicNetwork([layer], GroupSum(2)).eval()
    model = Model(network, encoder, LogicSettings(), [], 0, 0.0, {})
    raw = lower(network, encoder)
    counted = lut6.tables(model, raw)
    assert counted["encoder"] == 0 and counted["network"] == 1 and counted["whole"] == 1 + counted["head"]
    assert 1 <= counted["head"] < (raw.stage == STAGES.index("head")).sum()
    encoder.thresholds[0, 0] = 100
    with pytest.raises(RefusedError, match="no power of two"):
        lut6.tables(model, raw)
