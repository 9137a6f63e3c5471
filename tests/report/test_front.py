"""The front of a sweep: which trials are on it, and its files."""

import json
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from hardwire.report.front import format_front, mark_front, on_front, write_front


def trial(number, accuracy, gates, state="finished", **settings):
    error = "the loss is <nan>; lower learning_rate" if state == "failed" else None
    return {"number": number, "state": state, "settings": settings, "accuracy": accuracy, "gates": gates,
            "seconds": 1.0, "run": f"trial-{number:04d}", "error": error}


def record(trials):
    return {"dataset": "digits & more", "space": {"width": [1, 2], "steps": 20}, "optimized": False,
            "objectives": {"accuracy": "hard, maximised", "gates": "gates of the network as trained, minimised"},
            "trials": mark_front(trials)}


def test_the_front_is_what_nothing_dominates(rng):
    for _ in range(50):
        trials = [trial(i, a / 4, int(g)) for i, (a, g) in enumerate(rng.integers(0, 5, (12, 2)))]
        marked = mark_front(trials)
        for t in marked:
            dominated = any(o["accuracy"] >= t["accuracy"] and o["gates"] <= t["gates"]
                            and (o["accuracy"] > t["accuracy"] or o["gates"] < t["gates"]) for o in trials)
            assert t["front"] != dominated


def test_only_finished_trials_are_on_it():
    marked = mark_front([trial(0, None, None, "failed"), trial(1, 0.5, 100), trial(2, None, None, "running")])
    assert [t["front"] for t in marked] == [False, True, False]


def test_files_table_and_page(tmp_path):
    front = record([trial(0, 0.9, 300, width=2), trial(1, 0.8, 100, width=1), trial(2, 0.7, 200, width=1),
                    trial(3, None, None, "failed", width=7)])
    files = write_front(front, tmp_path)
    assert [f.name for f in files] == ["front.json", "front.svg", "front.html"]
    assert json.loads(files[0].read_text()) == front
    drawing = files[1].read_text()
    assert ET.fromstring(drawing).tag == "{http://www.w3.org/2000/svg}svg" and "var(" not in drawing
    page = files[2].read_text()
    assert "digits &amp; more" in page and "&lt;nan&gt;" in page and "var(--accent)" in page and "<script" not in page
    lines = format_front(front).splitlines()
    assert lines[0] == "digits & more: 4 trials, 3 finished, 1 failed; on the front:"
    assert [line.split() for line in lines[1:]] == [
        ["trial", "validation", "gates", "width"], ["1", "80.00", "%", "100", "1"], ["0", "90.00", "%", "300", "2"]]
    assert [t["number"] for t in on_front(front)] == [1, 0]


@pytest.mark.parametrize("trials", [[], [trial(0, None, None, "waiting", width=1)]], ids=["none", "waiting"])
def test_no_finished_trial_is_no_drawing(trials, tmp_path):
    files = write_front(record(trials), tmp_path)
    assert [f.name for f in files] == ["front.json", "front.html"] and "No trial has finished" in files[1].read_text()
    assert format_front(record(trials)).startswith("digits & more: ")


def test_equal_gates_and_constants_can_be_drawn(tmp_path):
    for gates in (0, 500):
        trials = [trial(i, a, gates, width=1) for i, a in enumerate(np.linspace(0, 1, 3))]
        assert len(write_front(record(trials), tmp_path)) == 3


def test_a_sweep_of_a_regression_shows_r2(tmp_path):
    front = record([trial(0, 0.912345, 300, width=2), trial(1, -0.5, 100, width=1)])
    front["metric"] = "r2"
    lines = [line.split() for line in format_front(front).splitlines()[1:]]
    assert lines == [
        ["trial", "validation", "R²", "gates", "width"], ["1", "−0.5000", "100", "1"], ["0", "0.9123", "300", "2"]]
    write_front(front, tmp_path)
    assert "%" not in (tmp_path / "front.svg").read_text().partition("<path")[2]
