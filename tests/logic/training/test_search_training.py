"""A search as a training: phases, selection, resuming, tasks, and the way to a circuit."""

import dataclasses

import numpy as np
import pytest
import torch
from interruptions import Stop, killed_and_resumed, stop_at, without_seconds

from hardwire import lower
from hardwire.circuit.engine.packed import PackedEngine
from hardwire.core.errors import InputError
from hardwire.data.datasets import Dataset
from hardwire.logic import LogicSettings, graph_of, load_model, train
from hardwire.logic.settings import search_preset
from hardwire.logic.training.search import SearchTraining

FAST = {"search_rounds": 40, "evaluate_every": 10, "search_pool": 200, "budget": 1500.0, "search_copies": 2,
        "augment": "crop", "crop_pad": 1, "search_redraw": 8, "vary_turn": 5.0, "vary_bend": 0.3, "search_depth": 12, "search_floor": 1e-6}
NOTHING = LogicSettings(levels=2, start="nothing", **FAST)
AFTER = LogicSettings(width=60, layers=2, levels=2, steps=20, batch=32, **FAST)


def same(a, b):
    assert graph_of(a.network) == graph_of(b.network)
    assert a.network.head.to_dict() == b.network.head.to_dict()
    assert a.best_step == b.best_step
    assert without_seconds(a.metrics) == without_seconds(b.metrics)


@pytest.fixture(scope="module")
def undisturbed(digits):
    return {"nothing": train(NOTHING, digits), "after": train(AFTER, digits)}


def test_a_search_from_nothing_learns_and_its_circuit_is_its_network(digits, undisturbed):
    model = undisturbed["nothing"]
    assert model.best["hard"] > 0.6
    assert model.best["hard"] == max(m["hard"] for m in model.metrics if m["price"] <= 1515)
    circuit = lower(model.network, model.encoder, labels=digits.classes)
    codes = model.encoder.codes(digits.validation.x)
    share = (PackedEngine(circuit)(codes)[:, 0] == digits.validation.y).mean()
    assert share == model.best["hard"]


@pytest.mark.parametrize("settings, stops", [(NOTHING, [20]), (NOTHING, [10, 30]), (AFTER, [20]), (AFTER, [10, 40])])
def test_a_search_that_is_stopped_resumes_to_the_same(digits, undisturbed, tmp_path, settings, stops):
    for i, step in enumerate(stops):
        with pytest.raises(Stop):
            train(settings, digits, out=tmp_path, resume=i > 0, progress=stop_at(step), checkpoint_seconds=0)
    train(settings, digits, out=tmp_path, resume=True)
    same(load_model(tmp_path), undisturbed["nothing" if settings is NOTHING else "after"])


def test_threads_change_nothing(digits, undisturbed):
    torch.set_num_threads(2)
    try:
        other = train(NOTHING, digits)
    finally:
        torch.set_num_threads(1)
    same(other, undisturbed["nothing"])


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_killed_at_random_moments(digits, undisturbed, tmp_path):
    out = tmp_path / "run"
    assert killed_and_resumed(NOTHING, digits, out, kills=6, seconds=0.05) >= 2
    same(train(NOTHING, digits, out=out, resume=True), undisturbed["nothing"])


def test_a_search_goes_on_from_a_run(digits, tmp_path):
    first = train(LogicSettings(width=60, layers=2, levels=2, steps=60, batch=32, evaluate_every=20), digits,
                  out=tmp_path / "first")
    settings = first.settings.changed(**FAST | {"start": str(tmp_path / "first"), "budget": 2000.0})
    model = train(settings, digits, out=tmp_path / "second")
    assert model.best["hard"] >= first.best["hard"]
    with pytest.raises(Stop):
        train(settings, digits, out=tmp_path / "third", progress=stop_at(20), checkpoint_seconds=0)
    (tmp_path / "first").rename(tmp_path / "gone")  # the checkpoint holds what the search began with
    with pytest.raises(InputError, match="first"):
        train(settings, digits, out=tmp_path / "third", resume=True)
    (tmp_path / "gone").rename(tmp_path / "first")
    same(train(settings, digits, out=tmp_path / "third", resume=True), model)


def test_a_search_by_time_ends(digits):
    model = train(NOTHING.changed(search_rounds=0, search_seconds=2.0), digits)
    assert model.metrics
    assert model.seconds < 60


@pytest.mark.parametrize("unit", ["gates", "luts"])
def test_units(digits, unit):
    budget = 100.0 if unit == "luts" else 900.0
    model = train(NOTHING.changed(unit=unit, budget=budget, search_rounds=20), digits)
    graph = graph_of(model.network)
    assert graph.arity.max() <= (6 if unit == "luts" else 2)
    assert model.best["hard"] > 0.3


@pytest.mark.parametrize("task", ["regress", "multilabel"])
def test_other_tasks(digits, task):
    y = {"regress": lambda s: s.x[:, :2].astype(float) @ [[1.0, 0.5], [0.2, -1.0]] + s.x[:, 20:21],
         "multilabel": lambda s: np.stack([s.y < 5, s.y % 2 == 0], 1).astype(float)}[task]
    splits = {name: dataclasses.replace(getattr(digits, name), y=y(getattr(digits, name)))
              for name in ("train", "validation", "test")}
    data = dataclasses.replace(digits, classes=("a", "b"), **splits)
    assert isinstance(data, Dataset)
    settings = NOTHING.changed(task=task, augment="none", search_bits=12, search_redraw=0, search_rounds=60)
    model = train(settings, data)
    assert model.best["hard"] > (0.3 if task == "regress" else 0.75)
    circuit = lower(model.network, model.encoder)
    assert len(circuit.outputs) == 2


def test_settings_that_make_no_sense():
    with pytest.raises(InputError, match="give a budget"):
        LogicSettings(start="nothing")
    with pytest.raises(InputError, match="rounds or time"):
        LogicSettings(budget=10.0, search_seconds=0.0)
    assert search_preset("mnist").encoder == "threshold"
    assert search_preset("my.csv").encoder == "informative"


@pytest.mark.parametrize("budget, unit, copies, depth", [(2000, "ge", 2, 24), (7500, "ge", 6, 24), (400, "luts", 2, 3),
                                                         (1400, "luts", 6, 3)])
def test_the_preset_of_a_search_follows_from_its_budget(budget, unit, copies, depth):
    settings = search_preset("mnist", budget, unit)
    assert (settings.budget, settings.unit) == (budget, unit)
    assert (settings.search_copies, settings.search_depth) == (copies, depth)


@pytest.mark.parametrize("change, copies", [({"search_copies": 3}, 3), ({"search_copies": 0}, 40),
                                            ({"search_copies": 0, "augment": "none", "vary_turn": 0.0, "vary_bend": 0.0}, 1)])
def test_the_number_of_copies(digits, change, copies):
    model_settings = NOTHING.changed(**change)
    training = SearchTraining(model_settings, digits)
    assert training.search.samples.samples == copies * len(digits.train.y)
