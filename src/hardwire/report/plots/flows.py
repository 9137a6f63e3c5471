"""Plots of flows: tables by stage, the critical path, latency beside area."""

from collections.abc import Sequence

from markupsafe import Markup
from matplotlib.axes import Axes

from .. import flows
from ..flows import FlowData, Hop
from .drawing import ACCENT, INK, MUTED, OTHER, PAGE, RAW, draw, short_numbers

_COLOURS = {"encoder": RAW, "network": ACCENT, "head": OTHER, "wrapper": MUTED}
#: Steps of a path that are drawn one by one.
_HOPS = 40


def tables_by_stage(entries: Sequence[FlowData]) -> Markup:
    """Look-up tables of encoder, network, head and wrapper, one bar a flow."""
    rows = {flows.name_of(flow): flows.stages(flow) for flow in entries}

    def paint(axes: Axes) -> None:
        kinds = dict.fromkeys(stage for stages in rows.values() for stage in stages)
        left = [0.0] * len(rows)
        for kind in kinds:
            widths = [stages.get(kind, 0) for stages in rows.values()]
            axes.barh(range(len(rows)), widths, left=left, height=0.6, color=_COLOURS.get(kind, INK), label=kind)
            left = [a + b for a, b in zip(left, widths)]
        _names(axes, list(rows))
        axes.xaxis.set_major_formatter(short_numbers())
        axes.set_xlabel("look-up tables")
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=4, borderaxespad=0)

    return draw("flow-stages", (6.2, 1.2 + 0.4 * len(rows)), "Look-up tables by stage and target", paint)


def critical_path(key: str, name: str, hops: Sequence[Hop]) -> Markup:
    """The longest path step by step: what the cells take, and what the wires take."""
    shown, rest = hops[:_HOPS], hops[_HOPS:]

    def paint(axes: Axes) -> None:
        at = 0.0
        labels = []
        for i, hop in enumerate(shown):
            axes.barh(i, hop.logic, left=at, height=0.7, color=ACCENT, label="cell" if not i else None)
            axes.barh(i, hop.routing, left=at + hop.logic, height=0.7, color=RAW, label="wire" if not i else None)
            at += hop.logic + hop.routing
            labels.append(" ".join(part for part in (hop.stage, hop.name[-24:]) if part))
        _names(axes, labels)
        axes.set_xlabel("nanoseconds" + (f"; {len(rest)} more steps" if rest else ""))
        axes.legend(loc="upper right")

    return draw(f"path-{key}", (6.2, 1.2 + 0.24 * len(shown)), f"Critical path, {name}: cells and wires", paint)


def latency_by_area(entries: Sequence[FlowData]) -> Markup:
    """Latency beside area, a point a flow; areas are of one kind."""
    points = [(float((flow.get("ge") if flows.on_cells(flow) else flows.tables(flow)) or 0),
               flows.nanoseconds(flow) or 0.0, flows.name_of(flow)) for flow in entries]

    def paint(axes: Axes) -> None:
        for area, ns, name in points:
            axes.plot([area], [ns], "o", color=ACCENT, markeredgecolor=PAGE, markersize=8)
            axes.annotate(name[:32], (area, ns), xytext=(7, 4), textcoords="offset points", fontsize=9)
        axes.margins(0.2)
        axes.set_ylim(0, 1.2 * max(ns for _, ns, _ in points) or 1)
        axes.xaxis.set_major_formatter(short_numbers())
        cells = any(flows.on_cells(flow) for flow in entries)
        axes.set_xlabel("NAND2 equivalents" if cells else "look-up tables")
        axes.set_ylabel("latency, ns")
        axes.grid()

    kind = "cells" if entries and flows.on_cells(entries[0]) else "tables"
    return draw(f"flow-area-{kind}", (6.2, 3.2), "Latency beside area", paint)


def _names(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), [name if len(name) <= 40 else name[:39] + "…" for name in names])
    axes.invert_yaxis()
    axes.tick_params(left=False)
    axes.grid(axis="x")
