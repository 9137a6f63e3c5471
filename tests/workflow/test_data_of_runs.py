"""A run knows the data that it was trained on: others are refused, and its own file is found where it has moved to."""

import logging
import os
import shutil

import numpy as np
import pytest

from hardwire import cli
from hardwire.core.errors import FormatError, InputError
from hardwire.core.verdict import Verdict
from hardwire.logic import LogicSettings
from hardwire.logic.record import LOGIC
from hardwire.runs.directory import RunDirectory
from hardwire.runs.experiment import train
from hardwire.runs.record import Record
from hardwire.workflow import logic
from hardwire.workflow.logic import lower_run, optimize_run, verify_run
from hardwire.workflow.report import report_run

TINY = {"width": 30, "layers": 1, "levels": 2, "steps": 20, "batch": 16, "evaluate_every": 10}


def rows(n=120) -> list[str]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 3)).round(3)
    return ["a,b,c,kind", *(f"{a},{b},{c},{'yes' if a + b > c else 'no'}" for a, b, c in x)]


def write(path, lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A finished run of a user's file, named by a relative path, lowered, in a folder of both."""
    root = tmp_path_factory.mktemp("own") / "work"
    write(root / "data" / "my.csv", rows())
    before = os.getcwd()
    os.chdir(root)
    try:
        train(LOGIC, LogicSettings(dataset="data/my.csv", **TINY), "runs/one")
        lower_run("runs/one")
    finally:
        os.chdir(before)
    return root


@pytest.fixture
def work(made, tmp_path, monkeypatch):
    """A copy of it, the first one out of reach."""
    root = tmp_path / "moved"
    shutil.copytree(made, root)
    made.rename(made.with_name("away"))
    monkeypatch.chdir(tmp_path)
    yield root
    made.with_name("away").rename(made)


def permuted():
    lines = rows()
    return [lines[0], *(f"{line.rpartition(',')[0]},{'no' if line.endswith('yes') else 'yes'}" for line in lines[1:])]


def changed_value():
    return [line.replace(rows()[5].split(",")[0], "0.123", 1) if i == 5 else line for i, line in enumerate(rows())]


OTHER = {
    "rows appended": (lambda: rows() + rows(130)[-10:], "10 rows more"),
    "rows removed": (lambda: rows()[:-7], "7 rows fewer"),
    "labels": (permuted, "labels"),
    "a value": (changed_value, "values of features"),
    "classes": (lambda: [line.replace("yes", "sure") for line in rows()], "names of classes"),
    "columns": (lambda: ["a,b,d,kind", *rows()[1:]], "names of features"),
    "order": (lambda: [rows()[0], *rows()[:0:-1]], "values of features"),
}
each_other = pytest.mark.parametrize("lines, said", OTHER.values(), ids=OTHER)


@pytest.fixture
def quick(monkeypatch):
    """Verification without its checks, which need no data; what they were given."""
    given = {}

    def verify(circuit, *, samples, **more):
        given["samples"] = samples
        return {"optimized gates": Verdict("proved")}

    monkeypatch.setattr(logic, "verify_circuit", verify)
    return given


@each_other
def test_other_data_are_refused(work, quick, lines, said):
    out = work / "runs" / "one"
    write(work / "data" / "my.csv", lines())
    for call in (lambda: report_run(out), lambda: optimize_run(out, budget=0.01)):
        with pytest.raises(InputError, match=rf"not those that .* was trained on \(.*{said}.*\); restore them, or"):
            call()
    assert not (out / "report.json").exists() and not (out / "optimized.net").exists()
    verdicts = verify_run(out)
    assert verdicts["optimized gates"].status == "proved" and quick["samples"] is None
    assert verdicts["test samples"].status == "unknown" and said in verdicts["test samples"].detail


def test_verify_exits_with_1_where_the_data_are_others(work, quick, capsys):
    write(work / "data" / "my.csv", permuted())
    assert cli.main(["verify", str(work / "runs" / "one")]) == 1
    assert "test samples" in capsys.readouterr().out
    assert RunDirectory(work / "runs" / "one").steps()["verify"]["verdicts"]["test samples"].startswith("unknown: not simulated")


def test_the_same_data_are_taken(work, quick):
    out = work / "runs" / "one"
    assert cli.main(["verify", str(out)]) == 0 and len(quick["samples"]) == 24
    record = report_run(out)
    assert record.fingerprint == RunDirectory(out).read_model().values["fingerprint"] and record.fingerprint["samples"] == 120
    assert Record.load(out).to_json()["fingerprint"] == record.fingerprint


def test_a_model_without_a_fingerprint_is_not_compared(work, quick, caplog):
    out = RunDirectory(work / "runs" / "one")
    stored = out.read_model()
    del stored.values["fingerprint"]
    out.write_model(stored)
    write(work / "data" / "my.csv", permuted())
    with caplog.at_level(logging.WARNING):
        assert report_run(out.path).accuracy.test_hard < 0.5
    assert "has no fingerprint of its data, so that they are not compared" in caplog.text


class Stop(Exception):
    pass


def stopped(root, out):
    """A run that stopped after its first evaluation."""

    def listen(event):
        if event.figures:
            raise Stop

    from hardwire.logic import train as train_logic

    settings = LogicSettings(dataset=str(root / "data" / "my.csv"), **TINY)
    with pytest.raises(Stop):
        train_logic(settings, LOGIC.read_data(settings, None), out=out, checkpoint_seconds=-1, progress=listen)
    return settings


@each_other
def test_a_run_is_not_resumed_with_other_data(work, lines, said):
    settings = stopped(work, work / "runs" / "two")
    write(work / "data" / "my.csv", lines())
    with pytest.raises(InputError, match=rf"was trained on \(.*{said}.*\); restore them"):
        train(LOGIC, settings, work / "runs" / "two", resume=True)
    write(work / "data" / "my.csv", rows())
    train(LOGIC, settings, work / "runs" / "two", resume=True)
    write(work / "data" / "my.csv", lines())
    with pytest.raises(InputError, match=said):
        train(LOGIC, settings, work / "runs" / "two", data=LOGIC.read_data(settings, None), resume=True)


# Where the file lies


def test_the_path_is_kept_absolute(made):
    text = (made / "runs" / "one" / "config.toml").read_text()
    assert f'dataset = "{made}/data/my.csv"' in text
    stored = RunDirectory(made / "runs" / "one").read_model()
    assert f'dataset = "{made}/data/my.csv"' in stored.settings and stored.values["run"]["files"] == {"dataset": "../../data/my.csv"}


def test_from_another_folder(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert report_run(made / "runs" / "one").dataset == "my"


@pytest.mark.parametrize("where", ["moved", "moved/runs/one", "."])
def test_moved_together(work, tmp_path, monkeypatch, where, quick):
    monkeypatch.chdir(tmp_path / where)
    assert report_run(work / "runs" / "one").dataset == "my"
    assert "test samples" not in verify_run(work / "runs" / "one")


def test_the_file_alone_is_in_the_current_folder(work, tmp_path):
    shutil.move(work / "data" / "my.csv", tmp_path / "my.csv")
    assert report_run(work / "runs" / "one").dataset == "my"
    write(tmp_path / "my.csv", permuted())
    with pytest.raises(InputError, match="labels"):
        report_run(work / "runs" / "one")


def test_the_file_is_gone(work):
    (work / "data" / "my.csv").unlink()
    with pytest.raises(InputError, match=r"runs/one was trained on .*/my\.csv, which does not exist; give the file where it lies now with `--data`"):
        report_run(work / "runs" / "one")


def test_a_moved_run_is_resumed_and_searched_from(work, tmp_path, monkeypatch):
    settings = stopped(work, work / "runs" / "two")
    (tmp_path / "elsewhere").mkdir()
    moved = shutil.move(work, tmp_path / "elsewhere" / "work")
    train(LOGIC, settings.changed(dataset=str(moved / "data" / "my.csv")), moved / "runs" / "two", resume=True)
    searched = []
    monkeypatch.setattr("hardwire.cli.search.train_into", lambda output, settings, *more, **options: searched.append(settings) or 0)
    assert cli.main(["search", str(moved / "runs" / "one"), "--budget", "200", "--out", str(tmp_path / "s")]) == 0
    assert searched[0].dataset == str(moved / "data" / "my.csv") and searched[0].start == str(moved / "runs" / "one")
    shutil.move(moved, work)


def test_another_file_of_the_same_name_is_other_settings(work, tmp_path):
    other = write(tmp_path / "other" / "my.csv", rows())
    settings = stopped(work, work / "runs" / "two")
    with pytest.raises(InputError, match="other settings"):
        train(LOGIC, settings.changed(dataset=str(other)), work / "runs" / "two", resume=True)


def test_names_stay_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").mkdir()
    train(LOGIC, LogicSettings(**TINY), "run")
    assert 'dataset = "digits"' in (tmp_path / "run" / "config.toml").read_text()
    assert "files" not in RunDirectory("run").read_model().values["run"]


@pytest.mark.parametrize("files", [3, {"dataset": 3}, ["dataset"]])
def test_garbled_paths(work, files):
    out = RunDirectory(work / "runs" / "one")
    stored = out.read_model()
    stored.values["run"]["files"] = files
    out.write_model(stored)
    with pytest.raises(FormatError, match="garbles files; train the network anew"):
        report_run(out.path)
