"""Sweeps of every hardware: what a row gives for one, and that the front means the same on each."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from hardwire.cli import app as cli
from hardwire.core.errors import InputError
from hardwire.crossbar.settings import CrossbarSettings
from hardwire.runs.directory import RunDirectory
from hardwire.runs.record import Record
from hardwire.spiking.settings import SpikingSettings
from hardwire.tuning import parse_space, read_space, show, sweep
from hardwire.tuning import study as studies
from hardwire.tuning.study import Study, open_storage
from hardwire.workflow.hardwares import HARDWARES, hardware_named
from hardwire.workflow.report import report_run

pytest.importorskip("optuna")
LOGIC_SPACE = {"steps": 3, "layers": 2, "levels": 2, "batch": 32, "width": [100, 50]}
CROSSBAR_SPACE = {"hidden": [[4], [8]], "variants": ["hybrid"], "epochs": 1, "samples": 200}
SPIKING_SPACE = {"prune": [0.0, 0.5], "method": "soft", "outputs": 8, "epochs": 1, "steps": 20, "check_every": 400}


def rows(front, *names):
    return [tuple(t[name] for name in names) for t in front["trials"]]


def test_a_logic_sweep_writes_what_it_wrote_before_and_its_hardware(tmp_path):
    front = sweep("digits", parse_space(LOGIC_SPACE), tmp_path)
    first, second = rows(front, "accuracy", "seconds", "front")
    expected = {
        "hardware": "logic", "dataset": "digits", "space": LOGIC_SPACE, "sampler": "grid", "optimized": False, "name": "sweep",
        "metric": "accuracy",
        "objectives": {"accuracy": "hard figure of merit on the validation split, maximised",
                       "gates": "gates of the network as trained, minimised"},
        "trials": [
            {"number": n, "state": "finished", "settings": {"width": width}, "accuracy": accuracy, "gates": 2 * width,
             "seconds": seconds, "run": str(tmp_path / f"trial-{n:04d}"), "error": None, "front": front}
            for n, width, (accuracy, seconds, front) in ((0, 100, first), (1, 50, second))]}
    assert (tmp_path / "front.json").read_text() == json.dumps(expected, indent=1) + "\n"
    assert "Validation accuracy against gates" in (tmp_path / "front.html").read_text()


def test_a_sweep_of_before_is_one_of_logic(tmp_path):
    front = sweep("digits", parse_space(LOGIC_SPACE), tmp_path)
    definition = json.loads((tmp_path / "sweep.json").read_text())
    assert definition.pop("hardware") == "logic"
    (tmp_path / "sweep.json").write_text(json.dumps(definition))
    assert show(tmp_path) == sweep("digits", parse_space(LOGIC_SPACE), tmp_path) == front
    with pytest.raises(InputError, match="holds a sweep of another hardware"):
        sweep("digits", parse_space(CROSSBAR_SPACE, CrossbarSettings), tmp_path, hardware="crossbar")


def test_a_study_of_before_is_one_of_logic(tmp_path):
    with studies.quiet():
        study = Study(open_storage(tmp_path, None), "sweep", tmp_path)
        study.define({"dataset": "digits"})
        study.define({"hardware": "logic", "dataset": "digits"})
        with pytest.raises(InputError, match="begun with another hardware"):
            study.define({"hardware": "spiking", "dataset": "digits"})


def test_a_grid_on_crossbars_ends_with_a_front(tmp_path):
    front = sweep("digits", parse_space(CROSSBAR_SPACE, CrossbarSettings), tmp_path, hardware="crossbar")
    assert rows(front, "state", "synapses") == [("finished", 65 * 4 + 5 * 10), ("finished", 65 * 8 + 9 * 10)]
    assert front["objectives"]["synapses"] == "synapses, minimised" and "gates" not in front["trials"][0]
    assert [t["settings"] for t in front["trials"]] == [{"hidden": [4]}, {"hidden": [8]}]
    assert front["trials"][0]["front"] and front["hardware"] == "crossbar"
    assert json.loads((tmp_path / "front.json").read_text()) == front == show(tmp_path)
    page = (tmp_path / "front.html").read_text()
    assert "Validation accuracy against synapses" in page and "gates" not in page
    for trial in front["trials"]:  # the preset keeps no samples for validation; the sweep does
        model = hardware_named("crossbar").load(RunDirectory(trial["run"]).read_model("crossbar"))
        assert model.settings.validation == 0.1 and model.settings.samples == 200
        assert trial["accuracy"] == report_run(trial["run"]).accuracy.validation


def test_a_grid_of_spiking_networks_ends_with_a_front(tmp_path):
    said = []
    front = sweep("digits", parse_space(SPIKING_SPACE, SpikingSettings), tmp_path, hardware="spiking", say=said.append)
    whole, pruned = rows(front, "state", "synapses", "accuracy")
    assert whole[:2] == ("finished", 65 * 8) and pruned[0] == "finished" and pruned[1] < 0.6 * whole[1]
    model = hardware_named("spiking").load(RunDirectory(front["trials"][1]["run"]).read_model("spiking"))
    assert pruned[1] == (~model.network.outputs.frozen.astype(bool)).sum()
    assert pruned[2] == report_run(front["trials"][1]["run"]).accuracy.validation > 0.1
    assert front["objectives"]["synapses"] == "synapses that are not pruned, minimised" and front["trials"][1]["front"]
    assert any(line.startswith("trial 0 of 2: validation hard") and "520 synapses" in line for line in said)


@pytest.mark.parametrize("hardware, space, options, message", [
    ("crossbar", CROSSBAR_SPACE, {"optimized": True}, "optimized counts gates after the passes, which hardware 'crossbar' has not"),
    ("spiking", SPIKING_SPACE, {"optimized": True}, "which hardware 'spiking' has not"),
    ("crossbar", CROSSBAR_SPACE | {"validation": 0}, {}, "validation = 0 leaves no samples"),
    ("crossbar", CROSSBAR_SPACE | {"validation": [0.1, 0]}, {}, "validation = 0 leaves no samples"),
    ("spiking", SPIKING_SPACE | {"validation": {"low": 0, "high": 0.5}}, {}, "validation = 0 leaves no samples"),
    ("crossbar", CROSSBAR_SPACE, {"dataset": "iris"}, "data set 'iris' is none that crossbars are trained on"),
    ("spiking", SPIKING_SPACE, {"dataset": "nothing"}, "data set 'nothing' is unknown"),
])
def test_what_cannot_be_is_refused_before_anything_is_trained(hardware, space, options, message, tmp_path):
    points = parse_space(space, hardware_named(hardware).settings)
    with pytest.raises(InputError, match=message):
        sweep(**{"dataset": "digits", "space": points, "out": tmp_path, "hardware": hardware} | options)
    assert not list(tmp_path.iterdir())


def test_a_space_belongs_to_a_hardware(tmp_path):
    with pytest.raises(InputError, match="'hidden' is no setting"):
        parse_space(CROSSBAR_SPACE)
    with pytest.raises(InputError, match="'width' is no setting; choose from analog_device"):
        parse_space({"width": [1, 2]}, SpikingSettings)
    (tmp_path / "space.toml").write_text("hidden = [[4], [8]]")
    assert read_space(tmp_path / "space.toml", CrossbarSettings).grid() == [{"hidden": "[4]"}, {"hidden": "[8]"}]
    with pytest.raises(InputError, match="the space is of LogicSettings, but hardware 'crossbar' has CrossbarSettings"):
        sweep("digits", parse_space(LOGIC_SPACE), tmp_path, hardware="crossbar")
    with pytest.raises(InputError, match="hardware 'abacus' is none of logic, crossbar, spiking"):
        sweep("digits", parse_space(LOGIC_SPACE), tmp_path, hardware="abacus")


def test_a_hardware_without_objectives_is_not_swept(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "runs")
    monkeypatch.setitem(HARDWARES, "toy", ("toy", "TOY"))
    toy = hardware_named("toy")
    with pytest.raises(InputError, match="hardware 'toy' names no objectives to search by; give its row"):
        sweep("halves", parse_space({"epochs": [1, 2]}, toy.settings), tmp_path, hardware="toy")
    for call in (toy.preset, toy.objectives):
        with pytest.raises(InputError, match="names no objectives"):
            call("halves")


def test_pruning_after_the_last_evaluation_has_no_merit_to_choose_by(tmp_path):
    space = parse_space(SPIKING_SPACE | {"method": ["zero-after"], "prune": 0.5}, SpikingSettings)
    with pytest.raises(InputError, match="all 1 trials failed; the first: method zero-after prunes after the last evaluation"):
        sweep("digits", space, tmp_path, hardware="spiking")


@pytest.mark.parametrize("hardware", ["crossbar", "spiking"])
def test_a_run_without_validation_has_no_objectives(hardware):
    row = hardware_named(hardware)
    model = SimpleNamespace(settings=row.preset("digits").changed(validation=0.0), metrics=[{"shown": 0.9}])
    with pytest.raises(InputError, match="validation = 0 leaves no samples to judge the network by"):
        row.objectives(model)


class Reader:
    """Settings that note which of them are read."""

    def __init__(self, settings):
        self.settings, self.read = settings, set()

    def __getattr__(self, name):
        self.read.add(name)
        return getattr(self.settings, name)


@pytest.mark.parametrize("hardware", HARDWARES)
def test_rows_say_which_settings_the_samples_depend_on(hardware):
    row = hardware_named(hardware)
    reader = Reader(row.preset("digits"))
    row.read_data(reader, None)
    only_cifar = {"features"} if hardware == "crossbar" else set()
    assert reader.read == set(row.data_settings) - only_cifar and set(row.data_settings) <= set(row.settings.model_fields)


# The verb


def ask(capsys, *argv, code=0):
    capsys.readouterr()
    assert cli.main([str(a) for a in argv]) == code
    return capsys.readouterr()


def test_the_verb_takes_settings_of_any_hardware_by_name(tmp_path, capsys):
    (tmp_path / "space.toml").write_text("hidden = [[4], [8]]\nepochs = 2")
    said = ask(capsys, "sweep", "digits", "--hardware", "crossbar", "--space", tmp_path / "space.toml", "--out", tmp_path / "out",
               "--set", "epochs=1", "--set", "samples=100", "--set", 'variants=["hybrid"]', "--trials", 1)
    assert "digits: 1 trials, 1 finished; on the front:" in said.out and "synapses" in said.out
    model = hardware_named("crossbar").load(RunDirectory(tmp_path / "out" / "trial-0000").read_model("crossbar"))
    assert (model.settings.epochs, model.settings.samples) == (1, 100)
    shown = json.loads(ask(capsys, "sweep", "--show", tmp_path / "out", "--json").out)
    assert shown["hardware"] == "crossbar" and shown["space"]["epochs"] == 1
    assert ask(capsys, "report", tmp_path / "out" / "trial-0000").out
    assert Record.load(tmp_path / "out" / "trial-0000").hardware == "crossbar"


@pytest.mark.parametrize("argv, message", [
    (["digits", "--hardware", "abacus"], "'abacus' is not one of 'logic', 'crossbar', 'spiking'"),
    (["digits", "--hardware", "spiking", "--space", "s.toml", "--out", "x", "--learning-rate", "1"],
     "--learning-rate is a setting of logic; give settings of spiking in s.toml or as --set NAME=VALUE"),
    (["--show", "x", "--hardware", "logic"], "--show DIR stands alone"), (["--show", "x", "--set", "seed=1"], "--show DIR stands alone"),
])
def test_mistakes_on_the_command_line(argv, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert message in ask(capsys, "sweep", *argv, code=2).err and not list(tmp_path.iterdir())


def test_help_is_light():
    code = ("import sys\nfrom hardwire.cli import app\ntry:\n    app.main(['sweep', '--help'])\nexcept SystemExit:\n    pass\n"
            "print([m for m in ('torch', 'numba', 'numpy', 'optuna') if m in sys.modules])")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]" and "--hardware" in done.stdout
