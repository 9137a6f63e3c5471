import copy
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hardwire.core.errors import FormatError, InputError
from hardwire.runs.environment import environment
from hardwire.runs.record import Record


def validate(record, name: str = "record") -> None:
    Record.of(record, name=name)


def put(record: dict, path: str, value) -> dict:
    """Set ``a.b.0.c`` in place; ``...`` as the value deletes."""
    *way, last = [int(key) if key.isdigit() else key for key in path.split(".")]
    place = record
    for key in way:
        place = place[key]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return record


def test_full_and_minimal_records_are_valid(full, minimal):
    validate(full)
    validate(minimal)


REFUSED = [
    ("hardware", " ", "hardware is \" \"; give text"),
    ("hardware", 3, "hardware is 3; give text"),
    ("hardware", ..., "hardware is missing"),
    ("dataset", "  ", "dataset is \"  \"; give text"),
    ("seed", 1.5, "seed is 1.5; give a whole number"),
    ("seed", True, "seed"),
    ("accuracy", [0.9], "accuracy is .*; give an object"),
    ("accuracy.test_hard", 97.12, "accuracy.test_hard is 97.12; give a fraction from 0 to 1"),
    ("accuracy.test_hard", None, "accuracy.test_hard is null"),
    ("accuracy.test_hard", float("nan"), "accuracy.test_hard is nan"),
    ("accuracy.test_hard", True, "accuracy.test_hard"),
    ("accuracy.test_relaxed", ..., "accuracy.test_relaxed is missing"),
    ("accuracy.validation", -0.1, "accuracy.validation"),
    ("counts.head", ..., "counts.head is missing; give gates_raw"),
    ("counts.network.gates_raw", -1, "counts.network.gates_raw is -1"),
    ("counts.network.depth", 10**400, "counts.network.depth"),
    ("counts.network.gates_optimized", "many", "gates_optimized"),
    ("verified.C = circuit", "fine", "verified.C = circuit is \"fine\": .*; give proved"),
    ("verified.C = circuit", "skipped", "give proved"),
    ("verified.C = circuit", True, "give proved"),
    ("time.train_s", -3, "time.train_s"),
    ("time.train_s", "long", "time.train_s"),
    ("energy", {"gates": 1}, "energy is .*; give a list"),
    ("energy.0.source", "", "energy\\[0\\].source"),
    ("energy.0.model", ..., "energy\\[0\\].model is missing"),
    ("energy.1.total_j", float("inf"), "energy.1.total_j is inf"),
    ("energy.1", 3.0, "energy\\[1\\] is 3.0; give an object"),
    ("environment.machine", ..., "environment.machine is missing"),
    ("environment.commit", ..., "environment.commit is missing"),
    ("confusion.3", [1, 2], "confusion is no matrix of 10 by 10"),
    ("confusion", [], "confusion is no matrix"),
    ("confusion.2.2", 1.5, "confusion\\[2\\]\\[2\\] is 1.5; give a whole number"),
    ("classes", [1, 2], "classes"),
    ("curve.4.step", ..., "curve\\[4\\].step is missing"),
    ("curve.4.hard", 95.0, "curve\\[4\\].hard is 95.0; give a fraction"),
    ("passes.0.name", ..., "passes\\[0\\].name"),
    ("passes.0.gates_after", None, "passes\\[0\\].gates_after"),
    ("gate_kinds.raw", 5, "gate_kinds.raw"),
    ("gate_kinds.raw.AND", -5, "gate_kinds.raw.AND"),
    ("peers", [{"name": "x", "accuracy": 98, "gates": 5, "source": "s"}], "peers\\[0\\].accuracy"),
    ("digest", 5, "digest is 5; give text"),
]


@pytest.mark.parametrize("path, value, said", REFUSED, ids=[f"{p}={v!r:.20}" for p, v, _ in REFUSED])
def test_a_malformed_record_gets_one_sentence(full, path, value, said):
    with pytest.raises(FormatError, match=said) as caught:
        validate(put(full, path, value), name="run/report.json")
    assert str(caught.value).startswith("run/report.json: ") and "\n" not in str(caught.value)


OF_TARGETS = [
    ("accuracy.metric", "r3", "accuracy.metric is \"r3\"; give 'accuracy', 'label accuracy' or 'r2'"),
    ("accuracy.test_hard", 1.5, "accuracy.test_hard is 1.5"), ("accuracy.test_hard", float("-inf"), "accuracy.test_hard is -inf"),
    ("accuracy.test_hard", ..., "accuracy.test_hard is missing"), ("accuracy.metric", ..., "accuracy.validation is -0.25"),
    ("accuracy.test_rmse", 3, "accuracy.test_rmse is 3; give a list"), ("accuracy.test_rmse", [1, -2], "accuracy.test_rmse\\[1\\] is -2; give a number that is not negative"),
    ("accuracy.test_rmse", [1], "1 errors for 2 outputs"), ("accuracy.test_exact", 2, "accuracy.test_exact is 2"),
    ("outputs", {}, "outputs is {}; give a list"), ("outputs.1.word", ..., "outputs\\[1\\].word is missing"),
    ("outputs.0.test_hard", "good", "outputs\\[0\\].test_hard"), ("outputs.0.scale", "big", "outputs\\[0\\].scale is \"big\""),
    ("curve.3.hard", 2, "curve\\[3\\].hard is 2"),
]


@pytest.mark.parametrize("path, value, said", OF_TARGETS, ids=[f"{p}={v!r:.20}" for p, v, _ in OF_TARGETS])
def test_a_malformed_record_of_targets(regress, path, value, said):
    validate(regress)
    with pytest.raises(FormatError, match=said):
        validate(put(regress, path, value))


def test_labels_are_shares(multilabel):
    validate(multilabel)
    for place in ("accuracy.test_hard", "outputs.2.test_hard", "curve.3.hard"):
        with pytest.raises(FormatError, match=r"-0\.5; give a fraction"):
            validate(put(copy.deepcopy(multilabel), place, -0.5))


@pytest.mark.parametrize("record", [None, [], "x", 3, {}])
def test_something_else_is_no_record(record):
    with pytest.raises(FormatError):
        validate(record)


@pytest.mark.parametrize("status", ["proved", "simulated 10000", "simulated 10,000 of 2^64 inputs", "skipped: no yosys",
                                    "refuted", "refuted: input 5"])
def test_statuses(minimal, status):
    minimal["verified"]["x"] = status
    validate(minimal)


def test_other_hardware_may_count_no_gates(minimal):
    validate(minimal | {"hardware": "crossbar", "counts": {}})
    with pytest.raises(FormatError, match=r"counts\.encoder"):
        validate(minimal | {"counts": {}})


def test_round_trip(full, tmp_path):
    path = Record.of(full).save(tmp_path)
    assert path == tmp_path / "report.json" and Record.load(tmp_path).to_json() == Record.load(path).to_json() == full
    assert os.listdir(tmp_path) == ["report.json"]


def test_numpy_values_tuples_and_paths_become_plain(full, tmp_path):
    given = full | {"confusion": np.array(full["confusion"]), "seed": np.int64(3), "classes": tuple(full["classes"]),
                    "files": {"circuit": Path("circuit.net")}}
    given["accuracy"] = full["accuracy"] | {"test_hard": np.float32(0.5)}
    read = Record.load(Record.of(given).save(tmp_path / "deep" / "er" / "report.json")).to_json()
    assert read["confusion"] == full["confusion"] and read["seed"] == 3 and read["accuracy"]["test_hard"] == 0.5
    assert read["files"] == {"circuit": "circuit.net"}


def test_nothing_is_written_when_the_record_is_bad(full, tmp_path):
    Record.of(full).save(tmp_path)
    before = (tmp_path / "report.json").read_bytes()
    for bad in (put(full, "accuracy.test_hard", float("nan")), full | {"model": {"layer": object()}}):
        with pytest.raises(FormatError):
            Record.of(bad).save(tmp_path)
    assert (tmp_path / "report.json").read_bytes() == before and os.listdir(tmp_path) == ["report.json"]


def test_unreadable_files(full, tmp_path):
    with pytest.raises(InputError, match="run directory"):
        Record.load(tmp_path)
    (tmp_path / "report.json").write_text(json.dumps(full)[:-50])
    with pytest.raises(FormatError, match="is not JSON"):
        Record.load(tmp_path)
    (tmp_path / "report.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FormatError, match="is not JSON"):
        Record.load(tmp_path)
    (tmp_path / "report.json").write_text(json.dumps(put(full, "time.train_s", float("nan"))))
    with pytest.raises(FormatError, match="train_s is nan"):
        Record.load(tmp_path)


def test_a_folder_that_cannot_be_made(full, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="choose a folder"):
        Record.of(full).save(tmp_path / "file" / "report.json")


def test_environment(minimal):
    here = environment()
    assert here.versions["python"] == sys.version.split()[0] and here.versions["numpy"] == np.__version__
    assert here.machine["cores"] >= 1 and here.machine["memory_bytes"] > 1 << 26 and here.machine["cpu"]
    assert here.commit is None or len(here.commit.removesuffix("-dirty")) == 40
    validate(minimal | {"environment": here})


def test_commit_is_none_without_git(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert environment().commit is None


def test_the_package_reads_records_only():
    code = ("import sys, hardwire.report; from hardwire.runs.environment import environment; environment(); "
            "assert 'matplotlib' not in sys.modules; "
            "from hardwire.report import render_html; "
            "bad = {'torch', 'numba', 'matplotlib.pyplot', 'hardwire.circuit', 'hardwire.logic'} & {*sys.modules}; "
            "assert not bad, bad")
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
