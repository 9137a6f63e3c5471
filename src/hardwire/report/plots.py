"""Plots as inline SVG whose colours are the page's: drawn in placeholder colours that become CSS variables.

Figures are made without pyplot, settings hold inside ``_draw`` only, and equal records give equal bytes.
"""

import io
import re
import warnings
from html import escape

import matplotlib
import numpy as np
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from .summary import METRICS, Count, EnergyGroup, merit, plain, si, whole

#: Placeholder -> CSS; matplotlib cannot write a variable, and nothing else in a figure has these colours.
COLOURS = {"#010101": "var(--ink)", "#020202": "var(--muted)", "#030303": "var(--line)", "#040404": "var(--raw)",
           "#050505": "var(--accent)", "#060606": "var(--other)", "#070707": "var(--page)"}
INK, MUTED, LINE, RAW, ACCENT, OTHER, PAGE = COLOURS
_CELL = (0.20, 0.52, 0.87)  # mid-tone: an image cannot follow the theme, its transparency does
_MARKERS = "os^DvPXh<>p"
_STYLE = {
    "svg.fonttype": "none", "text.parse_math": False, "font.size": 10, "axes.spines.top": False,
    "axes.spines.right": False, "axes.edgecolor": LINE, "axes.labelcolor": MUTED, "text.color": INK,
    "xtick.color": LINE, "ytick.color": LINE, "xtick.labelcolor": MUTED, "ytick.labelcolor": MUTED,
    "grid.color": LINE, "grid.linewidth": 0.6, "axes.axisbelow": True, "legend.frameon": False,
    "legend.labelcolor": INK, "figure.facecolor": "none", "axes.facecolor": "none", "lines.linewidth": 1.8,
    "axes.unicode_minus": False, "svg.image_inline": True,
}


def _draw(name: str, size: tuple[float, float], label: str, paint) -> str:
    """Call ``paint(axes)`` on a fresh figure of ``size`` inches and return the SVG element, described by ``label``."""
    with matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.rcdefaults()  # a user's matplotlibrc does not change the page
        matplotlib.rcParams.update(_STYLE | {"svg.hashsalt": name})
        warnings.filterwarnings("ignore", message="Glyph")  # the browser has the glyph, the measuring font may not
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasSVG(figure)
        paint(figure.subplots())
        out = io.StringIO()
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None})
    return _inline(name, out.getvalue(), label)


def _inline(name: str, svg: str, label: str) -> str:
    """Only the element, its identifiers unique on the page, its colours the page's, and no address in it."""
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    head, _, rest = svg.partition(">")
    box = re.search(r'viewBox="[^"]*"', head).group()
    rest = rest.replace("xlink:href", "href").replace('href="#', f'href="#{name}-').replace("url(#", f"url(#{name}-")
    rest = re.sub(r'\bid="', f'id="{name}-', rest)
    rest = re.sub("|".join(COLOURS), lambda m: COLOURS[m.group()], rest)
    return f'<svg {box} role="img" aria-label="{escape(label)}">{rest.strip()}'


def _bars(axes, names: list[str], groups: list[tuple[str, str, list[float]]], unit: str) -> None:
    """Horizontal bars, one of each (label, colour, values) of ``groups`` beside each other for every name."""
    thick = 0.8 / len(groups)
    for i, (label, colour, values) in enumerate(groups):
        at = np.arange(len(names)) - 0.4 + (i + 0.5) * thick
        drawn = axes.barh(at, values, height=thick * 0.92, color=colour, label=label)
        axes.bar_label(drawn, labels=[whole(v) for v in values], padding=3, fontsize=8, color=MUTED)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.margins(x=0.14, y=0.01)
    axes.tick_params(left=False)
    axes.grid(axis="x")
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(_tick())
    axes.set_xlabel(unit)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, borderaxespad=0)


def _tick(unit: str = "") -> FuncFormatter:
    """Short numbers on an axis: 0, 500, 2 k, 2.5 k."""
    return FuncFormatter(lambda v, _: re.sub(r"(\.\d*?)0+(?= |$)", r"\1", si(v, unit)).replace(". ", " ").strip())


def learning_curve(curve: list[dict], metric: str = "accuracy") -> str:
    """Validation accuracy, or another figure of merit, of the relaxed and the frozen network by training step, thinned to about 500
    points."""
    title = METRICS[metric][0]
    last = curve[-1:]
    curve = curve[: -1 : -(-len(curve) // 500)] + last

    def paint(axes):
        series = {}
        for key, colour, style in (("relaxed", OTHER, "--"), ("hard", ACCENT, "-")):
            rows = [(row["step"], row[key]) for row in curve if row.get(key) is not None]
            if rows:
                series[key] = dict(rows)
                axes.plot(*zip(*rows), style, color=colour, label=f"{key}, last {_last(rows[-1][1], metric)}",
                          marker="o" if len(rows) < 40 else None, markersize=3)
        both = sorted(set(series.get("relaxed", ())) & set(series.get("hard", ())))
        if both:
            axes.fill_between(both, *([of[step] for step in both] for of in series.values()), color=OTHER, alpha=0.15,
                              linewidth=0)
        if metric == "r2":  # what lies far below is an untrained network's
            axes.set_ylim(bottom=max(-0.5, axes.get_ylim()[0]), top=None if axes.get_ylim()[1] > -0.5 else 1)
        else:
            axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        axes.xaxis.set_major_formatter(_tick())
        axes.set_xlabel("training step")
        axes.set_ylabel(f"validation {title}")
        axes.grid(axis="y")
        axes.legend(loc="lower right")

    return _draw("curve", (6.2, 3.6), f"Learning curve: validation {title}, relaxed and hard, by training step", paint)


def _last(value: float, metric: str) -> str:
    return merit(value, metric) if metric == "r2" else f"{value:.2%}"


def confusion_matrix(confusion: list[list[int]], classes: list[str]) -> str:
    """Counts on the test split; the shade is the root of the share of the row, so that rare errors show."""
    counts = np.array(confusion, dtype=np.float64)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    names = [plain(c) for c in classes] or [str(i) for i in range(len(counts))]
    names = [n if len(n) <= 14 else n[:13] + "…" for n in names]

    def paint(axes):
        axes.imshow(_shades(share), interpolation="none")
        step = 1 if len(names) <= 25 else -(-len(names) // 15)
        ticks = range(0, len(names), step)
        turned = max(map(len, names)) > 3
        axes.set_xticks(ticks, names[::step], rotation=45 if turned else 0, ha="right" if turned else "center",
                        rotation_mode="anchor")
        axes.set_yticks(ticks, names[::step])
        axes.tick_params(left=False, bottom=False)
        axes.spines[:].set_visible(False)
        axes.set_xlabel("predicted")
        axes.set_ylabel("true")
        if len(names) <= 16:
            for i, j in np.argwhere(counts):
                axes.text(j, i, f"{counts[i, j]:.0f}", ha="center", va="center", fontsize=8 if len(names) <= 12 else 6)

    return _draw("confusion", (5.4, 5.0), "Confusion matrix on the test split: rows true, columns predicted", paint)


def _shades(share: np.ndarray) -> np.ndarray:
    image = np.empty((*share.shape, 4))
    image[..., :3] = _CELL
    image[..., 3] = 0.05 + 0.65 * np.sqrt(share)
    return (image * 255).round().astype(np.uint8)


def gates_by_kind(kinds: dict[str, dict[str, int]], most: int = 18) -> str:
    """How many gates of each kind, before and after the passes; the rarest beyond ``most`` are summed."""
    raw, optimized = kinds.get("raw", {}), kinds.get("optimized", {})
    names = sorted({*raw, *optimized}, key=lambda n: (-raw.get(n, 0), -optimized.get(n, 0), n))
    shown, rest = names[:most], names[most:]
    groups = [(label, colour, [c.get(n, 0) for n in shown] + ([sum(c.get(n, 0) for n in rest)] if rest else []))
              for label, colour, c in (("raw", RAW, raw), ("optimised", ACCENT, optimized)) if c]
    labels = [plain(n)[:24] for n in shown] + ([f"{len(rest)} others"] if rest else [])
    size = (6.2, 1.0 + 0.3 * len(labels))
    return _draw("kinds", size, "Gates by kind, raw and optimised", lambda axes: _bars(axes, labels, groups, "nodes"))


def gates_by_stage(counts: list[Count]) -> str:
    """Two-input gates of encoder, network and head, before and after the passes."""
    rows = [row for row in counts if row.stage != "total"]
    groups = [("raw", RAW, [r.raw for r in rows]), ("optimised", ACCENT, [r.optimized for r in rows])]
    return _draw("stages", (6.2, 2.6), "Gates by stage, raw and optimised",
                 lambda axes: _bars(axes, [r.stage for r in rows], groups, "two-input gates"))


def accuracy_by_gates(own: list[tuple[str, float, int]], peers: list) -> str:
    """This run's points, ``(what is counted, accuracy, gates)``, among others that have name, accuracy and gates."""

    def paint(axes):
        names = list(dict.fromkeys(p.name for p in peers))
        for i, name in enumerate(names):
            rows = sorted((p.gates, p.accuracy) for p in peers if p.name == name)
            axes.plot(*zip(*rows), color=MUTED, linewidth=0.8, marker=_MARKERS[i % len(_MARKERS)], markersize=5,
                      markerfacecolor=PAGE, label=plain(name)[:32])
        for (what, accuracy, gates), marker in zip(own, "*d"):
            axes.plot([gates], [accuracy], color=ACCENT, linestyle="none", marker=marker,
                      markersize=14 if marker == "*" else 8, label=f"this run, {what}", zorder=5)
        axes.set_xscale("log")
        axes.margins(0.08)
        axes.xaxis.set_major_formatter(_tick())
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        axes.set_xlabel("two-input gates (log scale)")
        axes.set_ylabel("test accuracy")
        axes.grid()
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=2, fontsize=9)

    return _draw("tradeoff", (6.2, 4.6), "Test accuracy beside two-input gates: this run among published points", paint)


def energy_scale(groups: list[EnergyGroup]) -> str:
    """Totals of each model on one logarithmic axis."""
    groups = [group for group in groups if group.total > 0]

    def paint(axes):
        for i, group in enumerate(groups):
            axes.plot([group.total], [i], marker="o", markersize=8, linestyle="none",
                      color=OTHER if group.comparison else ACCENT)
            axes.annotate(si(group.total, "J"), (group.total, i), xytext=(8, 0), textcoords="offset points",
                          va="center", fontsize=9)
        names = [g.name if len(g.name) <= 60 else g.name[:59] + "…" for g in groups]
        axes.set_yticks(range(len(groups)), names)
        axes.set_ylim(len(groups) - 0.4, -0.6)
        axes.set_xscale("log")
        axes.margins(x=0.16)
        axes.xaxis.set_major_formatter(_tick("J"))
        axes.minorticks_off()
        axes.tick_params(left=False)
        axes.grid()
        axes.set_xlabel("model estimate (log scale)")

    size = (12.4, 0.9 + 0.36 * len(groups))
    return _draw("energy", size, "Energy by model, logarithmic: estimates, not measurements", paint)
