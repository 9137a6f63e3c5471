"""Sweeps: the space, the search, and that processes share one study, die and come back, no point lost or done twice."""

import dataclasses
import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from filelock import FileLock

from hardwire.cli import app as cli
from hardwire.core.errors import FormatError, HardwireError, InputError, MissingToolError
from hardwire.cost import stage_costs
from hardwire.logic import load_model
from hardwire.logic.record import LOGIC, best_circuit
from hardwire.runs.directory import RunDirectory
from hardwire.tuning import locks, parse_space, read_space, show, sweep
from hardwire.tuning import study as studies
from hardwire.tuning.study import JOURNAL, Study, open_storage

pytest.importorskip("optuna")
#: The module; the package's attribute of that name is its function.
SWEEP = importlib.import_module("hardwire.tuning.sweep")
TINY = {"steps": 20, "layers": 2, "levels": 2, "width": 100, "batch": 32}


def space(**more):
    return parse_space(TINY | more)


def all_trials(out, storage=None):
    """Every trial in the storage, first attempts and later ones."""
    with studies.quiet():
        study = Study(open_storage(out, storage), "sweep", out, create=False)
        return study.study.get_trials(deepcopy=False)


def states(front) -> list[str]:
    return [t["state"] for t in front["trials"]]


class TestSpace:
    def test_kinds(self):
        found = parse_space({"width": [100, 200], "learning_rate": {"low": 0.01, "high": 1, "log": True}, "steps": 20, "noise": 1,
                             "channels": [4, 8], "widths": [[10, 20], [30]]})
        assert found.fixed == {"steps": 20, "noise": 1.0, "channels": [4, 8]}
        assert found.choices == {"width": [100, 200], "widths": [[10, 20], [30]]}
        assert list(found.ranges) == ["learning_rate"] and not found.countable

    def test_grid_is_every_point_the_last_setting_fastest(self):
        found = parse_space({"noise": {"low": 0.1, "high": 0.3, "step": 0.1}, "seed": [7, 8]}).grid()
        assert found == [{"noise": n, "seed": s} for n in (0.1, 0.2, 0.3) for s in (7, 8)]
        assert parse_space({"width": {"low": 10, "high": 35, "step": 10}}).grid() == [{"width": w} for w in (10, 20, 30)]

    @pytest.mark.parametrize("given, message", [
        ({"depth": [1]}, "'depth' is no setting; choose from"), ({"width": []}, "width = [] has nothing"),
        ({"widths": []}, "widths = [] has nothing"), ({"width": [1, "two"]}, "'two' should be of type int"),
        ({"width": [True]}, "True should be of type int"), ({"width": [5, 5]}, "lists 5 twice"), ({"noise": [1, 1.0]}, "twice"),
        ({"width": {"low": 9, "high": 3}}, "low = 9 above high = 3"), ({"width": {"low": 9}}, "needs low and high"),
        ({"width": {"low": 1, "high": 2, "base": 3}}, "has 'base'"), ({"width": {"low": 1, "high": 2, "log": 1}}, "true or false"),
        ({"noise": {"low": 0, "high": 2, "log": True}}, "logarithmic"), ({"noise": {"low": 0, "high": 2, "step": 0}}, "step = 0"),
        ({"noise": {"low": 0.0, "high": float("inf")}}, "not finite"), ({"init": {"low": 1, "high": 2}}, "has no range"),
        ({"dataset": ["digits"]}, "command line"), ({"width": 100}, "nothing to sweep"),
        ({"widths": [[1], 2]}, "2 should be of type list"),
    ])
    def test_mistakes_are_named(self, given, message):
        with pytest.raises(InputError) as error:
            parse_space(given)
        assert message in str(error.value)

    def test_grids_without_end_are_refused(self):
        with pytest.raises(InputError, match="noise is a range without one"):
            parse_space({"noise": {"low": 0, "high": 1}}).grid()
        with pytest.raises(InputError, match="1,000,000 points"):
            parse_space({"width": {"low": 1, "high": 1_000_000, "step": 1}}).grid()

    def test_files(self, tmp_path):
        path = tmp_path / "space.toml"
        path.write_text("width = [")
        with pytest.raises(FormatError, match=r"space\.toml is not TOML"):
            read_space(path)
        path.write_text("width = []")
        with pytest.raises(InputError, match=r"space\.toml: width"):
            read_space(path)
        with pytest.raises(InputError, match="cannot read"):
            read_space(tmp_path / "none.toml")


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """A finished grid, trained without a test split."""
    out, patch = tmp_path_factory.mktemp("sweeps") / "grid", pytest.MonkeyPatch()
    without_test = dataclasses.replace(LOGIC, read_data=lambda *a: dataclasses.replace(LOGIC.read_data(*a), test=None))
    patch.setattr(SWEEP, "hardware_named", lambda name: without_test)
    front = sweep("digits", space(width=[100, 200], seed=[0, 1]), out)
    patch.undo()
    return out, front


def test_a_grid_finishes_and_never_sees_the_test_split(swept):
    out, front = swept
    assert [t["settings"] for t in front["trials"]] == [{"width": w, "seed": s} for w in (100, 200) for s in (0, 1)]
    assert states(front) == ["finished"] * 4 and any(t["front"] for t in front["trials"])
    for t in front["trials"]:
        model = load_model(t["run"])
        assert (model.settings.width, model.settings.seed, model.settings.steps) == (*t["settings"].values(), 20)
        assert t["gates"] == model.network.gates == 2 * t["settings"]["width"]
        assert t["accuracy"] == model.best["hard"] > 0.1
    assert json.loads((out / "front.json").read_text()) == front == show(out)
    assert (out / "front.svg").is_file() and (out / "front.html").is_file()


def test_a_trial_is_a_run_like_any_other(swept, tmp_path):
    import shutil

    run = shutil.copytree(swept[1]["trials"][1]["run"], tmp_path / "run")
    assert cli.main(["lower", str(run)]) == cli.main(["report", str(run)]) == 0


def test_what_is_finished_is_not_trained_again(swept, monkeypatch):
    monkeypatch.setattr("hardwire.runs.experiment.run", lambda *a, **k: pytest.fail("trained"))
    out, front = swept
    assert sweep("digits", space(width=[100, 200], seed=[0, 1]), out) == front
    assert len(all_trials(out)) == 4


@pytest.mark.parametrize("change, what", [
    ({"dataset": "monk1"}, "dataset"), ({"space": space(width=[100])}, "space"), ({"sampler": "random"}, "sampler"),
    ({"optimized": True}, "optimized"), ({"name": "other"}, "name")])
def test_a_folder_keeps_to_its_sweep(change, what, swept, monkeypatch):
    without_data = dataclasses.replace(LOGIC, read_data=lambda *a: None)
    monkeypatch.setattr(SWEEP, "hardware_named", lambda name: without_data)
    arguments = {"dataset": "digits", "space": space(width=[100, 200], seed=[0, 1])} | change
    with pytest.raises(InputError, match=f"holds a sweep of another {what}"):
        sweep(out=swept[0], **arguments)


def test_a_database_keeps_to_its_sweep(tmp_path):
    url = f"sqlite:///{tmp_path}/trials.db"
    sweep("digits", space(seed=[0]), tmp_path / "a", storage=url)
    with pytest.raises(InputError, match="study 'sweep' was begun with another space"):
        sweep("digits", space(seed=[1]), tmp_path / "b", storage=url)


def test_trials_and_timeout_end_it_early_and_later_calls_go_on(tmp_path):
    points, out = space(seed=[0, 1, 2]), tmp_path / "s"
    assert states(sweep("digits", points, out, trials=2, timeout=1e-9)) == ["waiting"] * 2
    assert states(sweep("digits", points, out, trials=2)) == ["finished"] * 2
    assert states(sweep("digits", points, out)) == ["finished"] * 3


def test_a_failed_trial_keeps_its_sentence_and_the_sweep_goes_on(tmp_path):
    said = []
    front = sweep("digits", space(learned_layers=[0, 1], seed=[0, 1]), tmp_path, say=said.append)
    assert states(front) == ["finished", "finished", "failed", "failed"]
    sentence = "learned_layers need candidates, a multiple of 4, not 0"
    assert front["trials"][3]["error"] == sentence and f"trial 3 of 4 failed: {sentence}" in said
    before = len(all_trials(tmp_path))
    sweep("digits", space(learned_layers=[0, 1], seed=[0, 1]), tmp_path)
    assert len(all_trials(tmp_path)) == before


def test_when_all_fail_that_is_an_error(tmp_path):
    with pytest.raises(InputError, match="all 2 trials failed; the first: learned_layers need candidates"):
        sweep("digits", space(learned_layers=1, seed=[0, 1]), tmp_path)
    assert states(show(tmp_path)) == ["failed"] * 2


def test_gates_after_the_passes(tmp_path):
    front = sweep("digits", space(seed=[0]), tmp_path, optimized=True)
    run = Path(front["trials"][0]["run"])
    assert front["trials"][0]["gates"] == stage_costs(best_circuit(RunDirectory(run)))["network"]["gates"]
    assert front["trials"][0]["gates"] < load_model(run).network.gates
    assert "after the passes" in front["objectives"]["gates"]


@pytest.mark.parametrize("sampler", ["random", "tpe", "nsga2"])
def test_searches_draw_inside_the_space(sampler, tmp_path):
    wide = space(width={"low": 50, "high": 90, "step": 15}, learning_rate={"low": 0.01, "high": 0.2, "log": True},
                 noise={"low": 0, "high": 1}, wiring=["structured", "random"], widths=[[], [60, 40]], steps=3)
    front = sweep("digits", wide, tmp_path, trials=4, sampler=sampler)
    assert states(front) == ["finished"] * 4
    for t in front["trials"]:
        s = t["settings"]
        assert s["width"] in (50, 65, 80) and 0.01 <= s["learning_rate"] <= 0.2 and 0 <= s["noise"] <= 1
        assert s["wiring"] in ("structured", "random") and s["widths"] in ([], [60, 40])
    assert len({t["settings"]["learning_rate"] for t in front["trials"]}) == 4


def test_random_points_depend_on_seed_and_number_alone(tmp_path):
    wide = space(noise={"low": 0, "high": 1}, steps=2)
    at_once = sweep("digits", wide, tmp_path / "a", trials=3, sampler="random", seed=5)
    for n in (1, 3):
        in_two = sweep("digits", wide, tmp_path / "b", trials=n, sampler="random", seed=5)
    other = sweep("digits", wide, tmp_path / "c", trials=3, sampler="random", seed=6)
    drawn = [[t["settings"]["noise"] for t in front["trials"]] for front in (at_once, in_two, other)]
    assert drawn[0] == drawn[1] and not set(drawn[0]) & set(drawn[2])


@pytest.mark.parametrize("options, message", [
    ({"sampler": "best"}, "sampler 'best' is none of grid, random, tpe, nsga2"), ({"trials": 0}, "trials = 0"),
    ({"timeout": 0.0}, "timeout = 0"), ({"dataset": "nothing"}, "data set 'nothing' is unknown"),
    ({"storage": "nosuch://x"}, "storage nosuch://x cannot be opened"),
    ({"storage": "sqlite:////nonexistent/folder/x.db"}, "check the URL"),
])
def test_options_that_cannot_be(options, message, tmp_path):
    with pytest.raises(InputError, match=message):
        sweep(**{"dataset": "digits", "space": space(seed=[0]), "out": tmp_path} | options)


def test_a_password_is_not_repeated(tmp_path):
    with pytest.raises(InputError) as error:
        sweep("digits", space(seed=[0]), tmp_path, storage="postgresql+nodriver://me:secret@host/db")
    assert "secret" not in str(error.value) and "host/db" in str(error.value)


def test_without_optuna(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "optuna", None)
    for call in (lambda: sweep("digits", space(seed=[0]), tmp_path), lambda: open_storage(tmp_path, None)):
        with pytest.raises(MissingToolError, match=r"install hardwire\[sweep\]"):
            call()
    assert not list(tmp_path.iterdir())


# Processes that die

BOTH = pytest.mark.parametrize("database", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["journal", "sqlite"])


def processes(*argv, n=1, **options):
    """``n`` processes of ``hardwire sweep digits ...`` that begin at the same moment, once all have imported what they need."""
    go = Path(argv[-1]).parent / f"go-{time.time_ns()}"
    code = ("import os, sys, time\nfrom hardwire import cli, logic, tuning\nfrom hardwire.report import plots\n"
            f"print('ready', flush=True)\nwhile not os.path.exists({str(go)!r}): time.sleep(0.002)\n"
            "sys.exit(cli.main(sys.argv[1:]))")
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    started = [subprocess.Popen([sys.executable, "-c", code, "sweep", "digits", "--threads", "1", *map(str, argv)], env=env, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options) for _ in range(n)]
    for process in started:
        assert process.stdout.readline() == "ready\n"
    go.touch()
    return started


def space_file(folder, **settings) -> Path:
    path = folder / "space.toml"
    path.write_text("".join(f"{k} = {json.dumps(v)}\n" for k, v in (TINY | settings).items()))
    return path


def kill_in(process, folder: Path) -> None:
    """Kill a sweep for good while it trains in ``folder``."""
    last = time.monotonic() + 60
    while not (folder / "metrics.jsonl").exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < last
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()


@BOTH
def test_a_killed_sweep_goes_on(database, tmp_path):
    out, url = tmp_path / "out", f"sqlite:///{tmp_path}/trials.db" if database else None
    long = {"seed": [0, 1, 2], "steps": 400, "evaluate_every": 10}
    storage = ["--storage", url] if database else []
    process, = processes("--space", space_file(tmp_path, **long), *storage, "--out", out)
    kill_in(process, out / "trial-0001")
    before = (out / "trial-0000" / "model.safetensors").stat().st_mtime_ns
    assert states(show(out, storage=url)) == ["finished", "running", "waiting"]
    front = sweep("digits", space(**long), out, storage=url)
    assert states(front) == ["finished"] * 3
    assert (out / "trial-0000" / "model.safetensors").stat().st_mtime_ns == before
    found = Counter((t.user_attrs["number"], t.user_attrs["attempt"], t.state.name) for t in all_trials(out, url))
    assert found == {(0, 0, "COMPLETE"): 1, (1, 0, "FAIL"): 1, (1, 1, "COMPLETE"): 1, (2, 0, "COMPLETE"): 1}
    alone = sweep("digits", space(**long), tmp_path / "alone")
    objectives = [[(t["accuracy"], t["gates"]) for t in f["trials"]] for f in (front, alone)]
    assert objectives[0] == objectives[1]


@BOTH
def test_two_processes_share_a_grid(database, tmp_path):
    """From an empty folder, so that they also meet in making the study."""
    out, url = tmp_path / "out", f"sqlite:///{tmp_path}/trials.db"
    grid = {"width": [100, 110, 120, 130], "seed": [0, 1], "steps": 150}
    started = processes("--space", space_file(tmp_path, **grid), *(["--storage", url] if database else []), "--out", out, n=2)
    said = [process.communicate(timeout=120)[1] for process in started]
    assert [p.returncode for p in started] == [0, 0], said
    ran = [[int(line.split()[1]) for line in text.splitlines() if line.startswith("trial") and "width = " in line] for text in said]
    assert sorted(ran[0] + ran[1]) == list(range(8)) and ran[0] and ran[1]
    done = [t for t in all_trials(out, url if database else None) if t.state.name == "COMPLETE"]
    assert sorted(t.user_attrs["number"] for t in done) == list(range(8))
    assert states(json.loads((out / "front.json").read_text())) == ["finished"] * 8


def test_an_interrupted_trial_is_tried_again(tmp_path):
    def interrupt(metrics):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep("digits", space(seed=[0, 1]), tmp_path, progress=interrupt)
    assert states(show(tmp_path)) == ["stopped", "waiting"]
    said = []
    assert states(sweep("digits", space(seed=[0, 1]), tmp_path, say=said.append)) == ["finished"] * 2
    assert "trial 0 of 2 (again): seed = 0" in said


def test_a_trial_that_always_kills_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(SWEEP, "ATTEMPTS", 2)

    def interrupt(metrics):
        raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            sweep("digits", space(seed=[0]), tmp_path, progress=interrupt)
    with pytest.raises(InputError, match="killed 2 times"):
        sweep("digits", space(seed=[0]), tmp_path)


def test_a_trained_run_whose_process_died_before_it_said_so_is_taken(tmp_path, monkeypatch):
    def die(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Study, "finish", die)
        sweep("digits", space(seed=[0]), tmp_path)
    monkeypatch.setattr("hardwire.runs.experiment.run", lambda *a, **k: pytest.fail("trained"))
    assert states(sweep("digits", space(seed=[0]), tmp_path)) == ["finished"]


def test_of_two_equal_attempts_the_first_counts(tmp_path):
    """What happens when two processes fill the queue at the same moment."""
    with studies.quiet():
        study = Study(open_storage(tmp_path, None), "sweep", tmp_path)
        for _ in range(2):
            study._queue({"seed": 0}, 0, 0)
        with study.claim("grid") as claimed:
            number, trial = claimed
            assert (number, trial.number) == (0, 0)
            with study.claim("grid") as second:
                assert second is None
            study.give_up(trial, "no")
        with study.claim("grid") as third:
            assert third is None
        assert not study.waiting()


def two_machines(tmp_path):
    """Studies of two folders on one database, with a point that waits."""
    url = f"sqlite:///{tmp_path}/trials.db"
    there, here = (Study(open_storage(tmp_path, url), "sweep", tmp_path / folder) for folder in ("there", "here"))
    there.fill([{"seed": 0}])
    return there, here


def test_a_silent_process_on_another_machine_loses_its_trial(tmp_path, monkeypatch):
    monkeypatch.setattr(studies, "HEARTBEAT", 1)
    monkeypatch.setattr(studies, "SILENCE", 1)
    with studies.quiet():
        there, here = two_machines(tmp_path)
        waiting = there.points()[0]
        there.storage.set_trial_state_values(waiting._trial_id, state=there.state.RUNNING)
        there.storage.record_heartbeat(waiting._trial_id)
        here.fill([])
        assert not here.waiting()
        time.sleep(3)
        here.fill([])
        assert here.waiting() and here.points()[0].user_attrs["attempt"] == 1


def test_a_long_trial_gives_signs_of_life(tmp_path, monkeypatch):
    monkeypatch.setattr(studies, "HEARTBEAT", 1)
    monkeypatch.setattr(studies, "SILENCE", 2)
    with studies.quiet():
        there, here = two_machines(tmp_path)
        with there.claim("grid") as (_, trial):
            time.sleep(4)
            here.fill([])
            assert here.points()[0].state == here.state.RUNNING
            there.finish(trial, 0.5, 10, {})
        assert here.points()[0].values == [0.5, 10]


# Storage


MAKE = """
import sys, time
from pathlib import Path
from hardwire.tuning import study
with study.quiet():
    while not Path(sys.argv[3]).exists():
        pass
    for i in range(8):
        study.open_storage(Path(sys.argv[1]), sys.argv[2].format(i)).get_all_studies()
"""


@pytest.mark.slow
def test_processes_that_make_a_database_at_the_same_moment_both_open_it(tmp_path):
    arguments = [str(tmp_path), f"sqlite:///{tmp_path}/trials{{}}.db", str(tmp_path / "go")]
    started = [subprocess.Popen([sys.executable, "-c", MAKE, *arguments], stderr=subprocess.PIPE, text=True) for _ in range(3)]
    time.sleep(4)
    (tmp_path / "go").touch()
    said = [process.communicate(timeout=120)[1] for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], said


def test_half_a_line_of_a_killed_process_is_cut_off(tmp_path):
    points = space(seed=[0, 1])
    sweep("digits", points, tmp_path, trials=1)
    with open(tmp_path / JOURNAL, "ab") as journal:
        journal.write(b'{"op_code":5,"worker')
    assert states(sweep("digits", points, tmp_path)) == ["finished"] * 2
    assert all(json.loads(line) for line in (tmp_path / JOURNAL).read_text().splitlines())


def test_a_damaged_journal_or_note_is_named(tmp_path):
    sweep("digits", space(seed=[0]), tmp_path)
    journal = (tmp_path / JOURNAL).read_text()
    (tmp_path / JOURNAL).write_text("rubbish\n" + journal)
    with pytest.raises(FormatError, match=r"journal\.log is damaged"):
        show(tmp_path)
    (tmp_path / "sweep.json").write_text("{")
    with pytest.raises(FormatError, match=r"sweep\.json is damaged"):
        sweep("digits", space(seed=[0]), tmp_path)


def test_a_locked_storage_is_waited_for_and_then_named(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "PATIENCE", 0.1)
    lock = FileLock(tmp_path.resolve() / (JOURNAL + ".lock"))
    assert locks.take(lock)
    with pytest.raises(InputError, match=r"journal\.log\.lock has been locked by another process"):
        sweep("digits", space(seed=[0]), tmp_path)
    lock.release()
    assert states(sweep("digits", space(seed=[0]), tmp_path)) == ["finished"]


def test_a_database_that_fails_underway_is_one_sentence(tmp_path, monkeypatch):
    import optuna

    def fail(*args, **options):
        raise optuna.exceptions.StorageInternalError("An exception is raised during the commit.") from OSError("gone")

    monkeypatch.setattr(Study, "define", fail)
    with pytest.raises(InputError, match=r"the storage failed \(OSError\)"):
        sweep("digits", space(seed=[0]), tmp_path, storage=f"sqlite:///{tmp_path}/trials.db")


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises((HardwireError, OSError)):
        sweep("digits", space(seed=[0]), tmp_path / "file")


# The verb


def ask(capsys, *argv, code=0):
    capsys.readouterr()
    assert cli.main([str(a) for a in argv]) == code
    return capsys.readouterr()


def test_the_verb(tmp_path, capsys):
    out = tmp_path / "out"
    said = ask(capsys, "sweep", "digits", "--space", space_file(tmp_path, seed=[0, 1]), "--out", out)
    assert "trial 1 of 2: seed = 1" in said.err and "digits: 2 trials, 2 finished; on the front:" in said.out
    shown = ask(capsys, "sweep", "--show", out, "--json")
    assert json.loads(shown.out) == json.loads((out / "front.json").read_text())


@pytest.mark.parametrize("argv, message", [
    (["digits"], "needs a data set, --space and --out"), (["digits", "--show", "x"], "--show DIR stands alone"),
    (["--show", "nowhere"], "nowhere holds no sweep"), (["digits", "--sampler", "best"], "'best' is not one of 'grid', 'random', 'tpe', 'nsga2'"),
])
def test_mistakes_on_the_command_line(argv, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    said = ask(capsys, "sweep", *argv, code=2)
    assert message in said.err and said.out == "" and not list(tmp_path.iterdir())


def test_show_asks_for_the_database(tmp_path, capsys):
    url = f"sqlite:///{tmp_path}/trials.db"
    sweep("digits", space(seed=[0]), tmp_path / "a", storage=url)
    assert "name it with --storage" in ask(capsys, "sweep", "--show", tmp_path / "a", code=2).err
    assert "1 finished" in ask(capsys, "sweep", "--show", tmp_path / "a", "--storage", url).out
    assert "holds no study 'sweep'" in ask(capsys, "sweep", "--show", tmp_path / "a", "--storage",
                                           f"sqlite:///{tmp_path}/other.db", code=2).err
