"""What a run on crossbars adds to a record, and how it is drawn: curves, fidelity of the update, conductances. Reads records only.

``record["crossbar"]``
    names, accuracy    {variant: what it is called}, {variant: test accuracy}; synapses a whole number; shown: split of the curves
    curves             {variant: [{epoch, shown, training, loss}]}
    counters           {variant: {event: count}}
    fidelity           {variant: {requested: [...], obtained: [...], correlation}} in units of weight
    histograms         {name: {low, high, counts}}; conductances in uS
    assumed            {parameter: value} that no source gives
    reference          [{what, value, unit, source}]: others' figures, not results
"""

import numpy as np
from matplotlib.ticker import PercentFormatter

from . import plots
from .summary import plain, whole

#: Colours of variants in their order.
_COLOURS = (plots.ACCENT, plots.INK, plots.OTHER, plots.RAW, plots.MUTED)


def _named(crossbar: dict, variant: str) -> str:
    return plain(crossbar["names"].get(variant, variant))


def events(crossbar: dict) -> list[tuple[str, list[str]]]:
    """(event, its count in each variant), events that happened only."""
    counters = crossbar["counters"]
    names = dict.fromkeys(name for each in counters.values() for name, count in each.items() if count)
    return [(name.replace("_", " "), [whole(each.get(name, 0)) for each in counters.values()]) for name in names]


def curves(crossbar: dict) -> str:
    """Accuracy of every variant by epoch."""

    def paint(axes):
        for (variant, rows), colour in zip(crossbar["curves"].items(), _COLOURS * len(crossbar["curves"])):
            axes.plot([r["epoch"] for r in rows], [r["shown"] for r in rows], "--" if variant == "float" else "-", color=colour,
                      label=f"{_named(crossbar, variant)}, {rows[-1]['shown']:.2%}", marker="o", markersize=3)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        axes.set_xlabel("epoch")
        axes.set_ylabel(f"accuracy, {crossbar['shown']}")
        axes.grid(axis="y")
        axes.legend(loc="lower right")

    return plots._draw("crossbar-curves", (6.2, 4.0), "Accuracy by epoch on crossbars and in float", paint)


def fidelity(name: str, data: dict, variant: str) -> str:
    """Requested against obtained change of weight, a point a synapse."""
    requested, obtained = np.array(data["requested"]), np.array(data["obtained"])

    def paint(axes):
        limit = 1.05 * max(np.abs(requested).max(), np.abs(obtained).max(), 1e-6)
        axes.plot([-limit, limit], [-limit, limit], color=plots.MUTED, linewidth=0.8)
        axes.plot(requested, obtained, "o", color=plots.ACCENT, markersize=2, alpha=0.5, markeredgewidth=0)
        axes.set_xlim(-limit, limit)
        axes.set_ylim(-limit, limit)
        axes.set_xlabel("requested change of weight")
        axes.set_ylabel("obtained")
        axes.set_title(f"{name}: correlation {data['correlation']:.3f}", fontsize=10)

    return plots._draw(f"fidelity-{variant}", (4.0, 4.0), f"Requested against obtained change of weight, {name}", paint)


def histogram(name: str, data: dict) -> str:
    """One quantity over all synapses."""

    def paint(axes):
        edges = np.linspace(data["low"], data["high"], len(data["counts"]) + 1)
        axes.stairs(data["counts"], edges, fill=True, color=plots.ACCENT)
        axes.set_xlabel("weight" if name == "weight" else f"{name}, µS")
        axes.set_ylabel("synapses")
        axes.yaxis.set_major_formatter(plots._tick())

    key = "".join(c if c.isalnum() else {"+": "plus", "-": "minus"}.get(c, "_") for c in name)
    return plots._draw(f"histogram-{key}", (4.0, 2.6), f"Histogram of {name}", paint)
