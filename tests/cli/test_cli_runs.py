"""The rules of runs: what holds a run is kept, what differs is named, and each kind is told what comes next."""

import json
import shlex
import shutil
from pathlib import Path

import pytest
from cli_cases import TINY, snapshot

from hardwire.logic import LogicSettings
from hardwire.runs.checkpoint import Stored
from hardwire.runs.directory import RunDirectory


def tabled(folder: Path, rows: int = 120) -> Path:
    """A table of two columns and two classes."""
    lines = [f"{i % 11},{i % 7},{'up' if i % 11 > i % 7 else 'down'}" for i in range(rows)]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "my.csv").write_text("\n".join(["a,b,way", *lines]) + "\n")
    return folder / "my.csv"


@pytest.fixture
def tiny_table(ask, tmp_path, monkeypatch):
    """A run whose table and folder of data were named relatively."""
    monkeypatch.chdir(tabled(tmp_path / "work").parent)
    ask("train", "my.csv", "--out", "runs/one", "--steps", 20, "--width", 40, "--layers", 1)
    return tmp_path / "work"


# ------------------------------------------------------------------------------------------------------- what comes next


def test_training_ends_with_the_next_commands(ask, tmp_path):
    place = tmp_path / "my runs"
    out, _ = ask("train", "digits", "--out", place, *TINY)
    verbs = out.splitlines()[-4:]
    assert out.splitlines()[-5] == "next:" and verbs == [f"  hardwire {v} '{place}'" for v in ("lower", "optimize", "verify", "report")]
    program, *command = shlex.split(verbs[0])  # as it stands
    assert program == "hardwire" and ask(*command)[1].splitlines()[-1] == verbs[1]


def model_of(kind: str, folder: Path) -> Path:
    """A finished run of another hardware."""
    folder.mkdir()
    run = {"position": 3, "total": 3, "unit": "epoch", "seconds": 1.0, "metrics": []}
    RunDirectory(folder).write_model(Stored(kind, "", {}, {"run": run}))
    return folder


@pytest.mark.parametrize("kind", ["spiking", "crossbar"])
@pytest.mark.parametrize("verb", ["show", "verify", "emit", "score", "lower", "optimize"])
def test_a_run_of_another_kind_is_not_to_be_lowered(refuse, tmp_path, kind, verb):
    run = model_of(kind, tmp_path / "run")
    more = ["--to", "c", "--out", tmp_path / "c"] * (verb == "emit")
    said = refuse(tmp_path, verb, run, *more)
    assert "hardwire lower" not in said and kind in said


def test_an_unfinished_run_is_to_be_finished_first(refuse, unfinished):
    for verb in ("show", "verify"):
        assert "interrupted run at step 39 of 60: finish it with `--resume`, then run `hardwire lower" in refuse(unfinished, verb, unfinished)


# ------------------------------------------------------------------------------------------- what is there, and goes on


def test_a_finished_run_is_kept_or_overwritten(ask, refuse, finished, tmp_path):
    run = Path(shutil.copytree(finished, tmp_path / "run"))
    (run / "notes.txt").write_text("mine")
    said = refuse(tmp_path, "train", "digits", "--out", run, *TINY)
    assert "already holds a finished run of 60 steps; `--resume` reads it, another `--out` or `--overwrite` begins" in said
    assert "give one of them" in refuse(tmp_path, "train", "digits", "--out", run, "--resume", "--overwrite")
    assert "steps" in refuse(tmp_path, "train", "digits", "--out", run, "--overwrite", "--steps", 0)
    ask("train", "digits", "--out", run, "--overwrite", "--seed", 4, *TINY)
    assert LogicSettings.load(run / "config.toml").seed == 4 and (run / "notes.txt").exists()
    assert not any((run / name).exists() for name in ("circuit.net", "optimized.net", "steps.json", "report.json", "report.html"))


@pytest.mark.parametrize("options, said", [
    (["--width", 300, "--seed", 9], "seed is 3 there and 9 now, width is 200 there and 300 now; leave them out"),
    (["--steps", 90], "steps is 60 there and 90 now"), (["--set", "levels=4"], "levels is 3 there and 4 now")])
def test_resume_names_what_differs(refuse, finished, options, said):
    assert said in refuse(finished, "train", "digits", "--out", finished, "--resume", *options)


def test_resume_compares_a_file_of_settings_too(refuse, finished, tmp_path):
    settings = LogicSettings.load(finished / "config.toml").changed(batch=32)
    (tmp_path / "other.toml").write_text(settings.to_toml())
    said = refuse(finished, "train", "digits", "--out", finished, "--resume", "--model", tmp_path / "other.toml")
    assert "batch is 64 there and 32 now" in said


def test_resume_of_a_search_compares_its_source(ask, refuse, finished, tmp_path):
    out = tmp_path / "found"
    ask("search", "digits", "--budget", "200ge", "--out", out, "--search-rounds", 2)
    assert "start is 'nothing' there" in refuse(out, "search", finished, "--budget", "200ge", "--out", out, "--resume")
    assert "is finished already" in ask("search", "digits", "--budget", "200ge", "--out", out, "--resume")[1]
    assert "begins with" in refuse(out, "search", out, "--budget", "100ge", "--out", out, "--overwrite")


@pytest.mark.parametrize("verb", ["search", "crossbar", "spiking"])
def test_no_training_overwrites(refuse, unfinished, verb):
    more = ["--budget", "200ge"] * (verb == "search")
    assert "already holds an interrupted run at step 39 of 60" in refuse(unfinished, verb, "digits", "--out", unfinished, *more)


# ---------------------------------------------------------------------------------------------------- where the data lie


def test_a_folder_of_data_is_found_from_another_folder(ask, tmp_path, monkeypatch):
    from hardwire.runs import experiment

    (tmp_path / "work" / "sets").mkdir(parents=True)
    (tmp_path / "else").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    ask("train", "digits", "--data-dir", "sets", "--out", "run", *TINY)
    monkeypatch.chdir(tmp_path / "else")
    stored = RunDirectory("../work/run").read_model()
    assert experiment.found_data_dir(stored, RunDirectory("../work/run")) == tmp_path / "work" / "sets"
    shutil.move(tmp_path / "work", tmp_path / "moved")
    assert experiment.found_data_dir(stored, RunDirectory("../moved/run")).samefile(tmp_path / "moved" / "sets")
    (tmp_path / "moved" / "sets").rmdir()
    assert experiment.found_data_dir(stored, RunDirectory("../moved/run")) is None


def test_a_run_is_reported_where_its_table_has_moved(ask, refuse, tiny_table, tmp_path, monkeypatch):
    run = tiny_table / "runs" / "one"
    monkeypatch.chdir(tmp_path)
    ask("lower", run)
    assert json.loads(ask("report", run, "--json")[0])["dataset"] == "my"
    (tmp_path / "safe").mkdir()
    kept = shutil.move(tiny_table / "my.csv", tmp_path / "safe" / "named.csv")
    said = refuse(run, "report", run)
    assert f"was trained on {tiny_table / 'my.csv'}, which does not exist; give the file where it lies now with `--data`" in said
    assert json.loads(ask("report", run, "--data", kept, "--json")[0])["accuracy"]
    assert "file nowhere.csv does not exist" in refuse(run, "report", run, "--data", "nowhere.csv")
    tabled(tmp_path / "other", 90)
    assert "30 rows fewer" in refuse(run, "report", run, "--data", tmp_path / "other" / "my.csv")


@pytest.mark.slow
def test_a_sweep_goes_on_from_another_folder(ask, refuse, tmp_path, monkeypatch):
    monkeypatch.chdir(tabled(tmp_path / "work").parent)
    (tmp_path / "work" / "space.toml").write_text("width = [20, 40]\nsteps = 10\nlayers = 1\n")
    given = ["--space", tmp_path / "work" / "space.toml", "--out", tmp_path / "sweep"]
    ask("sweep", "my.csv", *given, "--trials", 1)
    monkeypatch.chdir(tmp_path)
    assert len(json.loads(ask("sweep", "work/my.csv", *given, "--json")[0])["trials"]) == 2
    assert "sweep of another dataset" in refuse(tmp_path / "sweep", "sweep", tabled(tmp_path / "other"), *given)


def test_a_folder_as_data_is_kept_absolute(ask, refuse, tmp_path, monkeypatch):
    from hardwire.cli.training import own_folder

    (tmp_path / "photos").mkdir()
    (tmp_path / "digits").mkdir()
    monkeypatch.chdir(tmp_path)
    assert [own_folder(name) for name in ("photos", "digits", "my.csv")] == [str(tmp_path / "photos"), "digits", "my.csv"]


def test_a_refused_run_is_left_as_it_was(refuse, finished):
    before = snapshot(finished)
    refuse(finished, "train", "digits", "--out", finished)
    assert snapshot(finished) == before
