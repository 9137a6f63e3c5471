"""Plots that every hardware's page may have: accuracy while training, confusion, energy."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from ..summary import METRICS, EnergyGroup, merit, plain, si
from .drawing import ACCENT, MUTED, OTHER, PAGE, draw, shades, short_numbers

#: Up to so many classes every one has its name on an axis, and up to so many its counts in the cells.
_NAMED, _COUNTED = 25, 16
_POINTS = 500


def learning_curve(curve: Sequence[Mapping[str, Any]], metric: str = "accuracy", chosen: int | None = None) -> Markup:
    """Validation figure of merit of the relaxed and the frozen network by training step, thinned to about 500.

    The step whose weights were kept, ``chosen``, is marked.
    """
    kept = next((row["hard"] for row in curve if row["step"] == chosen and row.get("hard") is not None), None)
    title = METRICS[metric][0]
    curve = [*curve[: -1 : -(-len(curve) // _POINTS)], curve[-1]]

    def paint(axes: Axes) -> None:
        series: dict[str, dict[int, float]] = {}
        for key, colour, style in (("relaxed", OTHER, "--"), ("hard", ACCENT, "-")):
            rows = {row["step"]: row[key] for row in curve if row.get(key) is not None}
            if rows:
                series[key] = rows
                axes.plot(list(rows), list(rows.values()), style, color=colour, marker="o" if len(rows) < 40 else None,
                          markersize=3, label=f"{key}, last {_last([*rows.values()][-1], metric)}")
        both = sorted(set(series.get("relaxed", ())) & set(series.get("hard", ())))
        if both:
            low, high = ([of[step] for step in both] for of in series.values())
            axes.fill_between(both, low, high, color=OTHER, alpha=0.15, linewidth=0)
        if kept is not None and chosen is not None:
            axes.plot([chosen], [kept], "o", color=OTHER, markersize=9, markerfacecolor=PAGE, markeredgewidth=2,
                      zorder=5, label=f"kept, step {chosen:,}: {_last(kept, metric)}")
        if metric == "r2":  # what lies far below is an untrained network's
            bottom, top = axes.get_ylim()
            axes.set_ylim(bottom=max(-0.5, bottom), top=None if top > -0.5 else 1)
        else:
            axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        axes.xaxis.set_major_formatter(short_numbers())
        axes.set_xlabel("training step")
        axes.set_ylabel(f"validation {title}")
        axes.grid(axis="y")
        axes.legend(loc="lower right")

    return draw("curve", (6.2, 3.6), f"Learning curve: validation {title}, relaxed and hard, by training step", paint)


def _last(value: float, metric: str) -> str:
    return merit(value, metric) if metric == "r2" else f"{value:.2%}"


def confusion_matrix(confusion: Sequence[Sequence[int]], classes: Sequence[str]) -> Markup:
    """Counts on the test split; the shade is the root of the share of the row, so that rare errors show."""
    counts = np.array(confusion, dtype=np.float64)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    names = [plain(c) for c in classes] or [str(i) for i in range(len(counts))]
    names = [n if len(n) <= 14 else n[:13] + "…" for n in names]

    def paint(axes: Axes) -> None:
        axes.imshow(shades(0.05 + 0.65 * np.sqrt(share)), interpolation="none")
        step = 1 if len(names) <= _NAMED else -(-len(names) // 15)
        ticks = range(0, len(names), step)
        turned = max(map(len, names)) > 3
        axes.set_xticks(ticks, names[::step], rotation=45 if turned else 0, ha="right" if turned else "center",
                        rotation_mode="anchor")
        axes.set_yticks(ticks, names[::step])
        axes.tick_params(left=False, bottom=False)
        axes.spines[:].set_visible(False)
        axes.set_xlabel("predicted")
        axes.set_ylabel("true")
        if len(names) <= _COUNTED:
            for i, j in np.argwhere(counts):
                axes.text(j, i, f"{counts[i, j]:.0f}", ha="center", va="center", fontsize=8 if len(names) <= 12 else 6)

    return draw("confusion", (5.4, 5.0), "Confusion matrix on the test split: rows true, columns predicted", paint)


def energy_scale(groups: Sequence[EnergyGroup]) -> Markup:
    """Totals of each model on one logarithmic axis."""
    groups = [group for group in groups if group.total > 0]

    def paint(axes: Axes) -> None:
        for i, group in enumerate(groups):
            axes.plot([group.total], [i], marker="o", markersize=8, linestyle="none",
                      color=OTHER if group.comparison else ACCENT)
            axes.annotate(si(group.total, "J"), (group.total, i), xytext=(8, 0), textcoords="offset points",
                          va="center", fontsize=9)
            name = group.name if len(group.name) <= 60 else group.name[:59] + "…"
            axes.text(0.01, i - 0.28, name, transform=axes.get_yaxis_transform(), fontsize=9, color=MUTED, va="center")
        axes.set_yticks(range(len(groups)), [""] * len(groups))
        axes.set_ylim(len(groups) - 0.5, -0.7)
        axes.set_xscale("log")
        axes.margins(x=0.16)
        axes.xaxis.set_major_formatter(short_numbers("J"))
        axes.minorticks_off()
        axes.tick_params(left=False)
        axes.grid()
        axes.set_xlabel("model estimate (log scale)")

    size = (6.2, 0.9 + 0.46 * len(groups))
    return draw("energy", size, "Energy by model, logarithmic: estimates, not measurements", paint)
