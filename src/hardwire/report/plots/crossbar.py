"""Plots of a run on crossbars: accuracy by epoch, fidelity of the update, conductances."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from ..crossbar import variant_name
from ..summary import plain
from .drawing import ACCENT, INK, MUTED, OTHER, RAW, draw, short_numbers

#: Colours of variants in their order.
_COLOURS = (ACCENT, INK, OTHER, RAW, MUTED)


def crossbar_curves(crossbar: Mapping[str, Any]) -> Markup:
    """Accuracy of every variant by epoch."""

    def paint(axes: Axes) -> None:
        for i, (variant, rows) in enumerate(crossbar["curves"].items()):
            axes.plot([r["epoch"] for r in rows], [r["shown"] for r in rows], "--" if variant == "float" else "-",
                      color=_COLOURS[i % len(_COLOURS)], marker="o", markersize=3,
                      label=f"{variant_name(crossbar, variant)}, {rows[-1]['shown']:.2%}")
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        axes.set_xlim(0.5, 0.5 + max(r["epoch"] for rows in crossbar["curves"].values() for r in rows))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.set_xlabel("epoch")
        axes.set_ylabel(f"accuracy, {crossbar['shown']}")
        axes.grid(axis="y")
        axes.legend(loc="best")

    return draw("crossbar-curves", (6.2, 4.0), "Accuracy by epoch on crossbars and in float", paint)


def update_fidelity(crossbar: Mapping[str, Any], variant: str) -> Markup:
    """Requested against obtained change of weight, a point a synapse."""
    name, data = variant_name(crossbar, variant), crossbar["fidelity"][variant]
    requested, obtained = np.array(data["requested"]), np.array(data["obtained"])

    def paint(axes: Axes) -> None:
        limit = 1.05 * max(np.abs(requested).max(), np.abs(obtained).max(), 1e-6)
        axes.plot([-limit, limit], [-limit, limit], color=MUTED, linewidth=0.8)
        axes.plot(requested, obtained, "o", color=ACCENT, markersize=2, alpha=0.5, markeredgewidth=0)
        axes.set_xlim(-limit, limit)
        axes.set_ylim(-limit, limit)
        axes.set_xlabel("requested change of weight")
        axes.set_ylabel("obtained")
        axes.set_title(f"{name}\ncorrelation {data['correlation']:.3f}", fontsize=10)

    return draw(f"fidelity-{variant}", (4.0, 4.0), f"Requested against obtained change of weight, {name}", paint)


def device_histogram(name: str, data: Mapping[str, Any]) -> Markup:
    """One quantity over all synapses."""
    name = plain(name)

    def paint(axes: Axes) -> None:
        edges = np.linspace(data["low"], data["high"], len(data["counts"]) + 1)
        axes.stairs(data["counts"], edges, fill=True, color=ACCENT)
        axes.set_xlabel("weight" if name == "weight" else f"{name}, µS")
        axes.set_ylabel("synapses")
        axes.yaxis.set_major_formatter(short_numbers())

    key = "".join(c if c.isalnum() else {"+": "plus", "-": "minus"}.get(c, "_") for c in name)
    return draw(f"histogram-{key}", (5.6, 2.6), f"Histogram of {name}", paint)
