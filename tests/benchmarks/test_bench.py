"""Benchmarks: what they report, that a red check refuses, and that the figures are of what they say."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest
import torch

from hardwire import bench
from hardwire.bench import common, train
from hardwire.bench.common import Goal, format_result, judge, repeat
from hardwire.cli import app as cli
from hardwire.core.errors import InputError, ToolError
from hardwire.logic import LogicSettings

ROOT = Path(__file__).parents[2]
SMALL = LogicSettings(layers=2, width=200, wiring="random", noise=1.0, tau=10.0, batch=20)


@pytest.fixture
def small(monkeypatch):
    """The benchmark with networks of a few gates, and no fresh processes."""
    monkeypatch.setattr(train, "DENSE", SMALL)
    monkeypatch.setattr(train, "LEARNED", LogicSettings(layers=2, width=200, learned_layers=1, candidates=4, tau=10.0, batch=20))
    monkeypatch.setattr(train, "TREE", LogicSettings(channels=[4, 8], receptive_fields=[5, 3], paddings=[0, 1], channel_groups=[1, 1],
                                              widths=[200, 100], batch=8))
    monkeypatch.setattr(train, "peak_above_import", lambda name: 42.0)


def ask(capsys, *argv, code=0):
    capsys.readouterr()
    assert cli.main([str(a) for a in argv]) == code
    return capsys.readouterr()


def test_functions_take_turns():
    calls = []
    found = repeat(lambda: calls.append("a"), lambda: calls.append("b"), runs=20)
    rounds = ["".join(calls[i : i + 2]) for i in range(0, len(calls), 2)]
    assert rounds[0] == "ab" and set(rounds) == {"ab", "ba"} and [f["runs"] for f in found] == [20, 20]
    assert all(0 <= f["min_s"] <= f["median_s"] for f in found)


@pytest.mark.parametrize("value, met", [(1.5, True), (1.6, False), (float("nan"), False), ("skipped: no GPU", False)])
def test_a_goal_is_judged_by_its_figure(value, met):
    benchmark = common.Benchmark("x", "what", (Goal("a / b", 1.5, "seconds"), Goal("c", 2.0, "more")))
    result = judge(benchmark, {"a": {"b": value}, "c": 1})
    assert [g["met"] for g in result["goals"]] == [met, True] and result["met"] is met
    assert result["goal"] == "seconds <= 1.5; more <= 2" and result["environment"]["machine"]
    assert ("NOT MET" in format_result(result)) is not met


def test_the_list_states_goals(capsys):
    text = ask(capsys, "bench").out
    assert text.startswith("train: ") and "<= 0.15" in text and "<= 150" in text
    listed = json.loads(ask(capsys, "bench", "--json").out)
    assert listed["train"]["goals"] == [str(g) for g in bench.BENCHMARKS["train"].goals]


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
    assert figures["memory"]["logic_table_mb"] == 42.0 and len(result["goals"]) == len(bench.BENCHMARKS["train"].goals)
    assert torch.get_num_threads() == threads


def test_a_red_check_refuses(small, monkeypatch, capsys):
    right = train.naive.gates
    monkeypatch.setattr(train.naive, "gates", lambda x, pairs, c: right(x, pairs.flip(1), c))
    said = ask(capsys, "bench", "train", "--runs", "1", code=1)
    assert "hardwire: benchmark refused: " in said.err and "differs from the naive reference" in said.err and said.out == ""


@pytest.mark.parametrize("config", [*train.dense_configs(), "learned", "tree"])
def test_the_check_sees_every_kind_of_weight(config, small, monkeypatch):
    """A reference with one weight's gradient lost is refused, whichever it is; the true one passes."""
    chosen = {"learned": train.LEARNED, "tree": train.TREE}.get(config) or train.dense_configs()[config]
    network, (x, y) = train.build(chosen).double(), train.batch(6)
    x = x.double()
    train.check(network, x, y)
    true = train.gradients
    for lost in range(1, 1 + len(list(network.parameters()))):
        seen = []

        def forget(*arguments, lost=lost, seen=seen):
            found = true(*arguments)
            seen.append(found)
            return {n: 2 * g if len(seen) == 1 and i == lost else g for i, (n, g) in enumerate(found.items())}

        monkeypatch.setattr(train, "gradients", forget)
        with pytest.raises(bench.Refused, match="gradient of"):
            train.check(network, x, y)


def test_mistakes():
    with pytest.raises(InputError, match="benchmark 'nothing' is none of train"):
        bench.run("nothing")
    with pytest.raises(InputError, match="runs = 0"):
        bench.run("train", runs=0)


def test_a_peer_that_is_absent_or_unreadable_is_skipped_with_its_reason(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "torchlogix", None)
    assert train.torchlogix().startswith("skipped: torchlogix cannot be imported")
    monkeypatch.delitem(sys.modules, "torchlogix")
    (tmp_path / "torchlogix").mkdir()
    (tmp_path / "torchlogix" / "__init__.py").write_text("x = f'{'")
    monkeypatch.syspath_prepend(tmp_path)
    assert train.torchlogix() == "skipped: torchlogix needs a newer Python"


def test_a_peer_that_is_there_is_timed(small, monkeypatch):
    monkeypatch.setattr(train, "torchlogix", train.perceptron)
    assert train.time_dense(1)["torchlogix"]["runs"] == 1


def test_the_networks_are_the_published_ones():
    """Sizes of LogicTreeNet-S and of the 48,000-gate network."""
    assert train.build(train.DENSE).gates == 48_000
    tree = train.build(train.TREE)
    assert [layer.out_features for layer in tree.layers] == [16 * 12 * 12, 48 * 6 * 6, 144 * 3 * 3, 20480, 10240, 5120]


def test_memory_is_of_the_child_alone():
    """A child of a large process does not report its parent's peak as its own start; 100 MB more are seen as that."""
    import subprocess

    ballast = bytearray(600_000_000)
    ballast[::4096] = b"\1" * len(ballast[::4096])
    code = ("from hardwire.bench.train import peak\na = peak()\n"
            "b = bytearray(100_000_000)\nb[::4096] = b'1' * len(b[::4096])\nprint(a, peak())")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    before, after = map(float, done.stdout.split())
    assert before < 600 and 80 < after - before < 120
    del ballast


@pytest.mark.slow
def test_the_memory_of_a_training_process():
    """More than its parameters with their gradients and Adam's two moments, 48,000 times 16 numbers of 4 bytes."""
    assert 3.0 < train.peak_above_import("logic_table") < 500


def test_a_memory_child_that_fails_is_said():
    with pytest.raises(ToolError, match="KeyError: 'nothing'"):
        train.peak_above_import("nothing")


def test_the_script_keeps_the_result(small, monkeypatch, tmp_path, capsys):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    monkeypatch.delitem(sys.modules, "common", raising=False)
    spec = importlib.util.spec_from_file_location("train_step", ROOT / "benchmarks" / "train_step.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    monkeypatch.setattr(sys.modules["common"], "RESULTS", tmp_path)
    monkeypatch.setattr(sys, "argv", ["train_step.py", "--runs", "1"])
    script.main()
    kept = json.loads((tmp_path / "train_step.json").read_text())
    published = json.loads((ROOT / "benchmarks" / "results" / "train_step.json").read_text())
    assert set(published) <= set(kept) and set(published["figures"]) <= set(kept["figures"])
    monkeypatch.setattr(train, "check", lambda *a: (_ for _ in ()).throw(bench.Refused("red")))
    with pytest.raises(SystemExit, match="benchmark refused: red"):
        script.main()
    monkeypatch.delitem(sys.modules, "common")
