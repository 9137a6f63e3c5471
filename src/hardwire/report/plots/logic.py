"""Plots of a logic network's circuit: its gates by kind, stage, level and fan-out, what it reads, published points."""

from collections.abc import Mapping, Sequence

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator, PercentFormatter

from ..instrument import Graph
from ..published_results import PublishedResult
from ..summary import Count, plain, whole
from .drawing import ACCENT, MUTED, OTHER, PAGE, RAW, bars, draw, shades, short_numbers

_STAGES = {"encoder": MUTED, "network": ACCENT, "head": OTHER}

_MARKERS = "os^DvPXh<>p"


def gates_by_kind(kinds: Mapping[str, Mapping[str, int]], most: int = 18) -> Markup:
    """How many gates of each kind, before and after the passes; the rarest beyond ``most`` are summed."""
    raw, optimized = kinds.get("raw") or {}, kinds.get("optimized") or {}
    names = sorted({*raw, *optimized}, key=lambda n: (-raw.get(n, 0), -optimized.get(n, 0), n))
    shown, rest = names[:most], names[most:]
    groups = [(label, colour, [c.get(n, 0) for n in shown] + ([sum(c.get(n, 0) for n in rest)] if rest else []))
              for label, colour, c in (("raw", RAW, raw), ("optimised", ACCENT, optimized)) if c]
    labels = [plain(n)[:24] for n in shown] + ([f"{len(rest)} others"] if rest else [])
    size = (6.2, 1.0 + 0.3 * len(labels))
    label = "Gates by kind, raw and optimised; wires and constants are no gates"
    return draw("kinds", size, label, lambda axes: bars(axes, labels, groups, "nodes"))


def gates_by_stage(counts: Sequence[Count]) -> Markup:
    """Two-input gates of encoder, network and head to scale: a square's area is their number; raw as an outline."""
    rows = [row for row in counts if row.stage != "total"]
    sides = [max(row.raw, row.optimized) ** 0.5 for row in rows]
    gap = 0.35 * max(sides) / len(rows) + 0.12 * max(sides)

    def paint(axes: Axes) -> None:
        left = 0.0
        for row, side in zip(rows, sides):
            axes.add_patch(Rectangle((left, 0), row.raw**0.5, row.raw**0.5, fill=False, edgecolor=RAW, linewidth=1.2))
            inner = row.optimized**0.5
            axes.add_patch(Rectangle((left, 0), inner, inner, color=_STAGES[row.stage], linewidth=0))
            axes.annotate(f"{row.stage}\n{whole(row.optimized)} of {whole(row.raw)}", (left, 0), xytext=(0, -5),
                          textcoords="offset points", va="top", fontsize=9)
            left += max(side, 0.32 * max(sides)) + gap
        axes.set_xlim(-0.02 * left, left)
        axes.set_ylim(-0.32 * max(sides), 1.02 * max(sides))
        axes.set_aspect("equal")
        axes.set_axis_off()

    return draw("stages", (6.2, 2.6), "Gates by stage, drawn to scale: optimised filled, raw as an outline", paint)


def gates_by_level(graph: Graph) -> Markup:
    """Gates of each level, stacked by stage; level 1 reads inputs only."""
    level = graph.level[graph.first_node :]
    top = int(level.max(initial=1))
    at = np.arange(1, top + 1)

    def paint(axes: Axes) -> None:
        below = np.zeros(top)
        for stage, colour in enumerate(_STAGES.values()):
            here = np.bincount(level[graph.stage == stage], minlength=top + 1)[1:].astype(np.float64)
            axes.bar(at, here, bottom=below, width=0.9, color=colour, label=list(_STAGES)[stage], linewidth=0)
            below += here
        axes.yaxis.set_major_formatter(short_numbers())
        axes.set_xlabel("level: gates on the longest way from an input")
        axes.set_ylabel("gates")
        axes.grid(axis="y")
        axes.legend(loc="upper right")

    return draw("levels", (6.2, 3.0), f"Gates by level, 1 to {top}", paint)


def fan_out(graph: Graph) -> Markup:
    """How many gates and inputs are read how often, in doubling intervals."""
    first = graph.first_node
    read = {"input bits": (RAW, graph.fan_out[2:first]), "gates": (ACCENT, graph.fan_out[first:])}
    most = max(1, *(int(count.max(initial=0)) for _, count in read.values()))
    ends = [0, 1, *(1 << i for i in range(1, most.bit_length() + 1))]
    ends = ends[: next(i for i, end in enumerate(ends) if end >= most) + 1]
    names = [str(b) if b - a <= 1 else f"{a + 1}-{b}" for a, b in zip([-1, *ends], ends)]
    groups = [(name, colour, np.histogram(count, bins=[-0.5, *(end + 0.5 for end in ends)])[0].tolist())
              for name, (colour, count) in read.items()]
    return draw("fanout", (6.2, 1.1 + 0.34 * len(names)), "Fan-out: how many gates and input bits are read how often",
                lambda axes: _named(axes, names, groups))


def _named(axes: Axes, names: list[str], groups: list[tuple[str, str, list[int]]]) -> None:
    bars(axes, names, groups, "how many")
    axes.set_ylabel("readers")


def reads_of_pixels(graph: Graph, shape: tuple[int, int, int]) -> Markup:
    """How often live gates read each pixel, all its channels and bits together."""
    reads = graph.input_reads().reshape(shape).sum(axis=0)
    most = max(1, int(reads.max()))

    def paint(axes: Axes) -> None:
        axes.imshow(shades(reads / most), interpolation="none", extent=(0, shape[2], shape[1], 0))
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.set_xlabel("column")
        axes.set_ylabel("row")

    size = (4.6, 0.9 + 3.7 * min(1.6, shape[1] / shape[2]))
    return draw("reads", size, "Map of where gates look in the image", paint)


def reads_of_features(graph: Graph, most: int = 20) -> Markup:
    """How often live gates read each feature; the ones beyond ``most`` are summed."""
    reads = graph.input_reads()
    order = np.argsort(-reads, kind="stable")
    names = [plain(graph.inputs[i][0])[:24] for i in order[:most]]
    values = reads[order[:most]].tolist()
    if len(order) > most:
        names.append(f"{len(order) - most} others")
        values.append(int(reads[order[most:]].sum()))
    groups = [("reads by gates", ACCENT, values)]
    return draw("reads", (6.2, 1.0 + 0.24 * len(names)), "How often gates read each feature",
                lambda axes: bars(axes, names, groups, "reads"))


def accuracy_by_gates(own: Sequence[tuple[str, float, int]], others: Sequence[PublishedResult]) -> Markup:
    """Points of the run itself, ``(what is counted, accuracy, gates)``, among others'."""

    def paint(axes: Axes) -> None:
        for i, name in enumerate(dict.fromkeys(p.name for p in others)):
            gates, accuracies = zip(*sorted((p.gates, p.accuracy) for p in others if p.name == name))
            axes.plot(gates, accuracies, color=MUTED, linewidth=0.8, marker=_MARKERS[i % len(_MARKERS)], markersize=5,
                      markerfacecolor=PAGE, label=plain(name)[:32])
        for (what, accuracy, count), marker in zip(own, "*d"):
            axes.plot([count], [accuracy], color=ACCENT, linestyle="none", marker=marker,
                      markersize=14 if marker == "*" else 8, label=f"this run, {what}", zorder=5)
        axes.set_xscale("log")
        axes.margins(0.08)
        axes.xaxis.set_major_formatter(short_numbers())
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        axes.set_xlabel("two-input gates (log scale)")
        axes.set_ylabel("test accuracy")
        axes.grid()
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=2, fontsize=9)

    return draw("tradeoff", (6.2, 4.6), "Test accuracy beside two-input gates: this run among published points", paint)
