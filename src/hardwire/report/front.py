"""The front of a sweep: accuracy against gates, as JSON, as a drawing, as a page and as a table. Reads plain records only."""

import json
import re
from html import escape
from pathlib import Path
from string import Template

from ..core.files import write_text
from .summary import merit

#: Of the drawing as a file of its own, which has no page around it to colour it.
COLOURS = {"ink": "#1c2024", "muted": "#60666d", "line": "#dfe2e5", "raw": "#b3bac2", "accent": "#1b6ec2", "other": "#c2620e",
           "page": "#fbfbfa"}


def mark_front(trials: list[dict]) -> list[dict]:
    """``trials`` with ``front``: finished, and no other is as accurate with as few gates and better in one of the two."""
    done = sorted((t for t in trials if t["state"] == "finished"), key=lambda t: (t["gates"], -t["accuracy"]))
    best, front = float("-inf"), set()
    for trial in done:
        if trial["accuracy"] > best or (trial["accuracy"], trial["gates"]) in front:
            best = max(best, trial["accuracy"])
            front.add((trial["accuracy"], trial["gates"]))
    return [t | {"front": t["state"] == "finished" and (t["accuracy"], t["gates"]) in front} for t in trials]


def on_front(front: dict) -> list[dict]:
    """The trials on the front, fewest gates first."""
    return sorted((t for t in front["trials"] if t["front"]), key=lambda t: (t["gates"], t["number"]))


def write_front(front: dict, out) -> list[Path]:
    """``front.json``, ``front.svg`` and ``front.html`` in folder ``out``; the drawing where a trial has finished."""
    out = Path(out)
    files = [write_text(out / "front.json", json.dumps(front, indent=1) + "\n")]
    svg = _draw(front) if on_front(front) else ""
    if svg:
        files.append(write_text(out / "front.svg", _alone(svg)))
    return [*files, write_text(out / "front.html", _page(front, svg))]


def format_front(front: dict) -> str:
    """The front as a table, after a line that counts the trials."""
    names = _names(front)
    rows = [["trial", f"validation{_sign(front)}", "gates", *names], *(_row(t, names, _metric(front)) for t in on_front(front))]
    widths = [max(map(len, column)) for column in zip(*rows)]
    table = ["  ".join(cell.rjust(w) for cell, w in zip(row, widths)) for row in rows]
    return "\n".join([f"{_count(front)}; on the front:", *table] if len(rows) > 1 else [_count(front)])


def _count(front: dict) -> str:
    states = [t["state"] for t in front["trials"]]
    parts = [f"{states.count(s)} {s}" for s in ("finished", "failed", "running", "waiting", "stopped") if s in states]
    return f"{front['dataset']}: {len(states)} trials, {', '.join(parts)}"


def _names(front: dict) -> list[str]:
    """Settings that the sweep varies, in the order of the space."""
    met = {name for trial in front["trials"] for name in trial["settings"]}
    return [name for name in front["space"] if name in met]


def _metric(front: dict) -> str:
    """Key of ``summary.METRICS``."""
    return front.get("metric", "accuracy")


def _sign(front: dict) -> str:
    return " R²" if _metric(front) == "r2" else ""


def _row(trial: dict, names: list[str], metric: str) -> list[str]:
    values = [trial["settings"].get(name) for name in names]
    shown = [f"{v:.5g}" if isinstance(v, float) else "" if v is None else str(v) for v in values]
    accuracy = "" if trial["accuracy"] is None else merit(trial["accuracy"], metric)
    return [str(trial["number"]), accuracy, "" if trial["gates"] is None else f"{trial['gates']:,}", *shown]


def _draw(front: dict) -> str:
    """All finished trials, and the front as a line through its points."""
    from matplotlib.ticker import PercentFormatter

    from . import plots

    done = [t for t in front["trials"] if t["state"] == "finished"]
    best = on_front(front)
    gates = [t["gates"] for t in done]

    def paint(axes):
        axes.plot(gates, [t["accuracy"] for t in done], "o", color=plots.RAW, markersize=5, label="trials")
        axes.plot([t["gates"] for t in best], [t["accuracy"] for t in best], "o-", color=plots.ACCENT, drawstyle="steps-post",
                  markersize=6, label="front")
        if min(gates) > 0 and max(gates) > 10 * min(gates):
            axes.set_xscale("log")
        axes.margins(0.08)
        if _metric(front) != "r2":
            axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.set_xlabel(front["objectives"]["gates"].partition(",")[0])
        axes.set_ylabel("hard figure of merit, validation")
        axes.grid()
        axes.legend(loc="lower right")

    return plots._draw("front", (6.2, 4.2), "Validation accuracy against gates: all trials and the front", paint)


def _alone(svg: str) -> str:
    """The element as a file of its own: with its name space, and colours in place of the page's."""
    svg = re.sub(r"var\(--(\w+)\)", lambda m: COLOURS[m[1]], svg)
    return svg.replace("<svg ", f'<svg xmlns="http://www.w3.org/2000/svg" style="background:{COLOURS["page"]}" ', 1) + "\n"


def _page(front: dict, svg: str) -> str:
    names = _names(front)
    titles = ["trial", f"validation{_sign(front)}", "gates", *names, "state"]
    ordered = on_front(front) + [t for t in front["trials"] if not t["front"]]
    rows = [[*_row(t, names, _metric(front)), "on the front" if t["front"] else t["error"] or t["state"]] for t in ordered]
    table = _line(titles, "th") + "".join(_line(row, "td") for row in rows)
    figure = f"<figure>{svg}</figure>" if svg else "<p>No trial has finished yet.</p>"
    body = (f'<header><p class="over">hardwire · sweep</p><h1>{escape(front["dataset"])}</h1>'
            f'<p class="lead">{escape(_count(front))}</p></header>{figure}<div class="scroll"><table>{table}</table></div>')
    page = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
    return Template(page).substitute(title=f"{escape(front['dataset'])}: hardwire sweep", body=body)


def _line(cells: list[str], tag: str) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(c)}</{tag}>" for c in cells) + "</tr>"
