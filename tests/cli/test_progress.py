"""Progress on standard error: a bar on a terminal, lines in a pipe, JSON lines for machines."""

import io
import json
import subprocess
import sys

import pytest

from hardwire.cli.output import Output
from hardwire.cli.progress import line, watching
from hardwire.runs.progress import Progress

LOGIC = Progress(500, 4000, "step", 3.2, 65.0, {"step": 500, "loss": 1.25, "relaxed": 0.9, "hard": 0.875, "seconds": 3.2})
BETWEEN = Progress(750, 4000, "step", 4.0, 60.0)


@pytest.mark.parametrize("event, task, words", [
    (LOGIC, "classify", "step  500/4000  loss 1.2500  validation relaxed 90.00 %  hard 87.50 %  3 s, 1:05 left"),
    (LOGIC, "regress", "step  500/4000  loss 1.2500  validation relaxed R2 0.9000  hard R2 0.8750  3 s, 1:05 left"),
    (Progress(40, 600, "example", 1.0, 9.6, {"epoch": 1, "variant": "2pcm", "loss": 0.5, "training": 0.75, "shown": 0.5}), "classify",
     "example  40/600  epoch 1  2 PCM alone  loss 0.5000  training 75.00 %  shown 50.00 %  1 s, 0:10 left"),
    (Progress(10, 10, "sample", 61.0, 0.0, {"validation_assigned": 0.5, "validation_linear": 0.6, "pruned": 0.0}), "classify",
     "sample 10/10  validation 50.00 %  linear 60.00 %  pruned 0.00 %  61 s, 0:00 left")])
def test_lines(event, task, words):
    assert line(event, task, {"2pcm": "2 PCM alone"}) == words


def test_a_pipe_gets_a_line_for_each_evaluation(capsys):
    with watching(Output()) as listener:
        listener(LOGIC)
        listener(BETWEEN)
    assert capsys.readouterr() == ("", line(LOGIC) + "\n")


def test_machines_get_every_event(capsys):
    with watching(Output(as_json=True)) as listener:
        listener(LOGIC)
        listener(BETWEEN)
    out, err = capsys.readouterr()
    assert out == "" and [Progress(**json.loads(row)) for row in err.splitlines()] == [LOGIC, BETWEEN]


def test_a_terminal_gets_a_bar(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("TERM", "xterm")
    with watching(Output()) as listener:
        listener(LOGIC)
        listener(BETWEEN)
        print("a message", file=sys.stderr)
    last = screen.getvalue().split("a message")[1]
    assert "750/4000" in last and "loss 1.2500" in last and "hard 87.50 %" in last and "1:00 left" in last and "━" in last



def test_what_is_done_before_the_first_step_is_said(capsys, monkeypatch):
    doing = Progress(0, 1, "", 0.0, 0.0, doing="building the network")
    with watching(Output()) as listener:
        listener(doing)
    with watching(Output(as_json=True)) as listener:
        listener(doing)
        listener(BETWEEN)
    said, asked, between = capsys.readouterr().err.splitlines()
    assert said == "building the network ..." and json.loads(asked)["doing"] == "building the network"
    assert "doing" not in json.loads(between)


@pytest.mark.slow
def test_the_first_line_comes_before_torch_is_imported(tmp_path):
    """A line at once, whatever the size of the network: torch alone takes seconds."""
    code = """
import sys
import hardwire.cli.output as output
first = []
say = output.Output.say
output.Output.say = lambda self, text: first or first.append((text, "torch" in sys.modules))
from hardwire.cli import main
main(sys.argv[1:])
print(first[0])
"""
    for verb, data in (("train", "nothing.csv"), ("crossbar", "cifar10"), ("spiking", "nothing.csv")):
        done = subprocess.run([sys.executable, "-c", code, verb, data, "--out", str(tmp_path / "run")],
                              capture_output=True, text=True)
        assert done.stdout == f"('reading {data} ...', False)\n", done.stderr
