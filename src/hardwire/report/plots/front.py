"""The plot of a sweep: accuracy against cost."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from .drawing import ACCENT, RAW, draw


def front_plot(
    finished: Sequence[Mapping[str, Any]], best: Sequence[Mapping[str, Any]], unit: str, label: str, metric: str
) -> Markup:
    """All finished trials, and the front as a line through its points; ``label`` says what cost ``unit`` counts."""
    costs = [t[unit] for t in finished]

    def paint(axes: Axes) -> None:
        axes.plot(costs, [t["accuracy"] for t in finished], "o", color=RAW, markersize=5, label="trials")
        axes.plot([t[unit] for t in best], [t["accuracy"] for t in best], "o-", color=ACCENT, drawstyle="steps-post",
                  markersize=6, label="front")
        if min(costs) > 0 and max(costs) > 10 * min(costs):
            axes.set_xscale("log")
        axes.margins(0.08)
        if metric != "r2":
            axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.set_xlabel(label)
        axes.set_ylabel("hard figure of merit, validation")
        axes.grid()
        axes.legend(loc="lower right")

    return draw("front", (6.2, 4.2), f"Validation accuracy against {unit}: all trials and the front", paint)
