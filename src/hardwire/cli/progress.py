"""Progress of a run on standard error: a bar on a terminal, lines in a pipe, JSON lines with ``--json``."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from ..runs.progress import Listener
from ..runs.progress import Progress as Event
from .output import FIRST, Output

#: Figure -> its title; shares are shown in percent.
TITLES = MappingProxyType({"training": "training", "relaxed": "validation relaxed", "hard": "hard", "shown": "shown",
                           "validation_assigned": "validation", "validation_linear": "linear", "pruned": "pruned"})
NOTHING: Mapping[str, str] = MappingProxyType({})


def merit(value: float, task: str = "classify") -> str:
    """Word a figure of merit: R2 of a regression, else a share."""
    return f"R2 {value:.4f}" if task == "regress" else f"{100 * value:.2f} %"


def figures(event: Event, task: str = "classify", names: Mapping[str, str] = NOTHING) -> str:
    """Word the figures of an evaluation."""
    values = event.figures or {}
    parts = [f"epoch {values['epoch']}"] if "epoch" in values else []
    if "variant" in values:
        parts.append(names.get(str(values["variant"]), str(values["variant"])))
    if "loss" in values:
        parts.append(f"loss {values['loss']:.4f}")
    parts += [f"{title} {merit(float(values[name]), task)}" for name, title in TITLES.items() if name in values]
    return "  ".join(parts)


def line(event: Event, task: str = "classify", names: Mapping[str, str] = NOTHING) -> str:
    """Word an event as one line."""
    if event.doing:
        return f"{event.doing} ..."
    place = f"{event.unit} {event.position:>{len(str(event.total))}}/{event.total}"
    return f"{place}  {figures(event, task, names)}  {event.seconds:.0f} s, {_clock(event.seconds_left)} left"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"


@contextmanager
def watching(output: Output, *, task: str = "classify", names: Mapping[str, str] = NOTHING) -> Iterator[Listener]:
    """Give a listener that shows events while the block runs.

    Parameters
    ----------
    output
        Where the command speaks.
    task
        Of the network, for the figure of merit.
    names
        What variants are called.
    """
    if not FIRST:
        yield lambda event: None
    elif output.as_json:
        yield lambda event: print(_json(event), file=sys.stderr, flush=True)
    elif not sys.stderr.isatty():
        yield lambda event: output.say(line(event, task, names)) if event.figures or event.doing else None
    else:
        with _bar() as bar:
            yield _listener(bar, task, names)


def _json(event: Event) -> str:
    values = {**vars(event), "figures": event.figures and dict(event.figures)}
    return json.dumps({name: value for name, value in values.items() if name != "doing" or value})


def _bar() -> Progress:
    return Progress(TextColumn("{task.description}"), BarColumn(bar_width=None), MofNCompleteColumn(),
                    TextColumn("{task.fields[figures]}"), TextColumn("{task.fields[left]}"),
                    console=Console(stderr=True), expand=True)


def _listener(bar: Progress, task: str, names: Mapping[str, str]) -> Listener:
    """Return what moves the bar; the figures of the last evaluation stay beside it."""
    row = bar.add_task("", total=None, figures="", left="")

    def show(event: Event) -> None:
        if event.doing:
            bar.update(row, description=f"{event.doing} ...", total=None, left="")
            return
        bar.update(row, description=event.unit, completed=event.position, total=event.total,
                   left=f"{_clock(event.seconds_left)} left")
        if event.figures:
            bar.update(row, figures=figures(event, task, names))

    return show
