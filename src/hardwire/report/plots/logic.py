"""Plots of a logic network's circuit: its gates by kind and stage, and its accuracy among published ones."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from ..published_results import PublishedResult
from ..summary import Count, plain
from .drawing import ACCENT, MUTED, PAGE, RAW, bars, draw, short_numbers

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
    """Two-input gates of encoder, network and head, before and after the passes."""
    rows = [row for row in counts if row.stage != "total"]
    groups = [("raw", RAW, [r.raw for r in rows]), ("optimised", ACCENT, [r.optimized for r in rows])]
    return draw("stages", (6.2, 2.6), "Gates by stage, raw and optimised",
                lambda axes: bars(axes, [r.stage for r in rows], groups, "two-input gates"))


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
