"""Progress in Python: a bar on a terminal and in a notebook, silence elsewhere."""

import io
import sys
from types import ModuleType, SimpleNamespace

import pytest

from hardwire.logic import LogicSettings, train
from hardwire.runs.progress import Progress
from hardwire.runs.shown import shown, words

BUILD = Progress(0, 1, "", 0.0, 0.0, doing="building the network")
EVALUATED = Progress(500, 4000, "step", 3.2, 65.0, {"step": 500, "loss": 1.25, "hard": 0.875, "seconds": 3.2})
BETWEEN = Progress(1000, 4000, "step", 4.0, 60.0)
TINY = LogicSettings(width=60, layers=1, levels=1, steps=4, evaluate_every=2, batch=32)


class Terminal(io.StringIO):
    def isatty(self):
        return True


class ZMQInteractiveShell:
    """As IPython calls the shell of a notebook."""


@pytest.fixture
def notebook(monkeypatch):
    written = []
    handle = SimpleNamespace(update=written.append)
    package, display = ModuleType("IPython"), ModuleType("IPython.display")
    package.get_ipython, display.HTML = ZMQInteractiveShell, str
    display.display = lambda html, display_id: written.append(html) or handle
    monkeypatch.setitem(sys.modules, "IPython", package)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    return written


def test_words():
    assert words(BUILD) == "building the network ..."
    assert words(EVALUATED) == "step 500/4000  loss 1.2500  hard 0.8750  1:05 left"


def test_a_terminal_gets_a_line_that_is_written_over(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with shown(True) as listener:
        for event in (BUILD, EVALUATED, BETWEEN):
            listener(event)
    build, evaluated, between = sys.stderr.getvalue().split("\r")[1:]
    assert build == "building the network ..." and evaluated.startswith("[###.....")
    assert between.startswith("[######....") and "step 1000/4000  loss 1.2500" in between and between.endswith("\n")
    assert sys.stderr.getvalue().count("\n") == 1


def test_a_notebook_gets_one_output_that_is_replaced(notebook):
    with shown(True) as listener:
        for event in (BUILD, EVALUATED, BETWEEN):
            listener(event)
    assert len(notebook) == 3 and "value" not in notebook[0] and 'max="4000" value="1000"' in notebook[2]
    assert "loss 1.2500" in notebook[2] and "building the network ..." in notebook[0]


@pytest.mark.parametrize("progress", [False, None])
def test_silence_is_kept(monkeypatch, progress):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with shown(progress) as listener:
        assert listener is None


def test_a_function_is_called_itself():
    with shown(print) as listener:
        assert listener is print


def test_training_shows_where_it_stands_on_a_terminal_only(monkeypatch, capsys, digits):
    train(TINY, digits)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(sys, "stderr", Terminal())
    train(TINY, digits)
    said = sys.stderr.getvalue()
    assert said.startswith("\rbuilding the network ...\r") and "the first step, which may compile kernels" in said
    assert "step 4/4" in said and "hard " in said


def test_training_in_a_notebook(notebook, digits):
    train(TINY, digits)
    assert "building" in notebook[0] and 'max="4" value="4"' in notebook[-1]
    count = len(notebook)
    train(TINY, digits, progress=False)
    assert len(notebook) == count


def test_what_takes_long_is_told_before_it_is_done(digits):
    events = []
    train(TINY, digits, progress=events.append)
    assert [event.doing for event in events[:2]] == ["building the network", "the first step, which may compile kernels"]
    assert not any(event.doing for event in events[2:]) and events[-1].position == 4
