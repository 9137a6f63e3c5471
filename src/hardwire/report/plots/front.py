"""The plot of a sweep: accuracy against gates."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from .drawing import ACCENT, RAW, draw


def front_plot(
    finished: Sequence[Mapping[str, Any]], best: Sequence[Mapping[str, Any]], gates_name: str, metric: str
) -> Markup:
    """All finished trials, and the front as a line through its points."""
    gates = [t["gates"] for t in finished]

    def paint(axes: Axes) -> None:
        axes.plot(gates, [t["accuracy"] for t in finished], "o", color=RAW, markersize=5, label="trials")
        axes.plot([t["gates"] for t in best], [t["accuracy"] for t in best], "o-", color=ACCENT, drawstyle="steps-post",
                  markersize=6, label="front")
        if min(gates) > 0 and max(gates) > 10 * min(gates):
            axes.set_xscale("log")
        axes.margins(0.08)
        if metric != "r2":
            axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.set_xlabel(gates_name)
        axes.set_ylabel("hard figure of merit, validation")
        axes.grid()
        axes.legend(loc="lower right")

    return draw("front", (6.2, 4.2), "Validation accuracy against gates: all trials and the front", paint)
