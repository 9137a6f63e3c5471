"""The front of a sweep, accuracy against cost, as JSON, plot, page and table. Reads plain records only."""

import json
import re
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

from rich.table import Table

from ..core.files import write_text
from .summary import human, merit, plain
from .text import render

#: A point of a sweep: number, state, settings, accuracy, cost (by its unit), seconds, run, error, front.
Trial: TypeAlias = Mapping[str, Any]
#: What ``front.json`` holds: hardware, dataset, space, optimized, objectives, metric, trials.
Front: TypeAlias = Mapping[str, Any]

#: Colours of the plot as a file of its own, which has no page around it.
COLOURS = {
    "ink": "#1c2024", "muted": "#60666d", "line": "#dfe2e5", "raw": "#b3bac2", "accent": "#1b6ec2", "other": "#c2620e",
    "page": "#fbfbfa",
}  # fmt: skip
_STATES = ("finished", "failed", "running", "waiting", "stopped")


def mark_front(trials: list[dict[str, Any]], unit: str = "gates") -> list[dict[str, Any]]:
    """``trials`` with ``front``: finished, and no other dominates.

    Another dominates with at least the accuracy, at most the cost, and one of the two better. ``unit`` names the cost.
    """
    done = sorted((t for t in trials if t["state"] == "finished"), key=lambda t: (t[unit], -t["accuracy"]))
    best, front = float("-inf"), set()
    for trial in done:
        if trial["accuracy"] > best or (trial["accuracy"], trial[unit]) in front:
            best = max(best, trial["accuracy"])
            front.add((trial["accuracy"], trial[unit]))
    return [t | {"front": t["state"] == "finished" and (t["accuracy"], t[unit]) in front} for t in trials]


def on_front(front: Front) -> list[Trial]:
    """The trials on the front, least cost first."""
    return sorted((t for t in front["trials"] if t["front"]), key=lambda t: (t[unit_of(front)], t["number"]))


def unit_of(front: Front) -> str:
    """Unit of the cost, which names it in every trial: the objective beside the accuracy."""
    return next(str(name) for name in front["objectives"] if name != "accuracy")


def write_front(front: Front, out: str | PathLike[str]) -> list[Path]:
    """``front.json``, ``front.svg`` and ``front.html`` in folder ``out``; the plot where a trial has finished."""
    from . import plots  # brings matplotlib, which a table does without
    from .html import render_template

    out = Path(out)
    files = [write_text(out / "front.json", json.dumps(front, indent=1) + "\n")]
    best = on_front(front)
    plot = None
    if best:
        finished = [t for t in front["trials"] if t["state"] == "finished"]
        unit = unit_of(front)
        plot = plots.front_plot(finished, best, unit, front["objectives"][unit].partition(",")[0], _metric(front))
        files.append(write_text(out / "front.svg", _file_of(plot)))
    ordered = [*best, *(t for t in front["trials"] if not t["front"])]
    rows = [[*_row(front, t), "on the front" if t["front"] else t["error"] or t["state"]] for t in ordered]
    heads = [*_heads(front), "state"]
    page = render_template("sweep_front.html", front=front, lead=_count(front), heads=heads, rows=rows, plot=plot,
                           unit=unit_of(front))
    return [*files, write_text(out / "front.html", page)]


def format_front(front: Front) -> str:
    """The front as a table, after a line that counts the trials."""
    if not (best := on_front(front)):
        return _count(front)
    table = Table(*_heads(front), box=None, pad_edge=False)
    for column in table.columns:
        column.justify, column.no_wrap = "right", True
    for trial in best:
        table.add_row(*_row(front, trial))
    lines = render(table, width=10_000).splitlines()
    return "\n".join([f"{_count(front)}; on the front:", *(line.rstrip() for line in lines)])


def _count(front: Front) -> str:
    states = [t["state"] for t in front["trials"]]
    parts = [f"{states.count(s)} {s}" for s in _STATES if s in states]
    return f"{front['dataset']}: {len(states)} trials, {', '.join(parts)}"


def _names(front: Front) -> list[str]:
    """Settings that the sweep varies, in the order of the space."""
    varied = {name for trial in front["trials"] for name in trial["settings"]}
    return [name for name in front["space"] if name in varied]


def _metric(front: Front) -> str:
    """Key of ``summary.METRICS``."""
    return str(front.get("metric") or "accuracy")


def _heads(front: Front) -> list[str]:
    return ["trial", "validation R²" if _metric(front) == "r2" else "validation", unit_of(front), *_names(front)]


def _row(front: Front, trial: Trial) -> list[str]:
    values = [trial["settings"].get(name) for name in _names(front)]
    shown = ["" if v is None else human(v) if isinstance(v, float) else plain(v) for v in values]
    accuracy = "" if trial["accuracy"] is None else merit(trial["accuracy"], _metric(front))
    cost = trial[unit_of(front)]
    return [str(trial["number"]), accuracy, "" if cost is None else f"{cost:,}", *shown]


def _file_of(svg: str) -> str:
    """The element as a file of its own: with its name space, and colours in place of the page's."""
    svg = re.sub(r"var\(--(\w+)\)", lambda m: COLOURS[m[1]], str(svg))
    svg = svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return svg.replace('style="', f'style="background:{COLOURS["page"]};', 1) + "\n"
