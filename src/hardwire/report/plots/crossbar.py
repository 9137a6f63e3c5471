"""Plots of a run on crossbars: accuracy and loss by epoch, fidelity of the update, conductances, the arrays."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from ..crossbar import variant_name
from ..summary import plain
from .drawing import ACCENT, INK, MUTED, OTHER, RAW, draw, shades, short_numbers, signed_shades

#: Colours of variants in their order.
_COLOURS = (ACCENT, INK, OTHER, RAW, MUTED)


def crossbar_curves(crossbar: Mapping[str, Any]) -> Markup:
    """Accuracy of every variant by epoch; thin and dotted on the training samples, each before its update."""

    def paint(axes: Axes) -> None:
        for i, (variant, rows) in enumerate(crossbar["curves"].items()):
            axes.plot([r["epoch"] for r in rows], [r["shown"] for r in rows], "--" if variant == "float" else "-",
                      color=_COLOURS[i % len(_COLOURS)], marker="o", markersize=3,
                      label=variant_name(crossbar, variant))
            trained = [(r["epoch"], r["training"]) for r in rows if r.get("training") is not None]
            if trained:
                axes.plot(*zip(*trained), ":", color=_COLOURS[i % len(_COLOURS)], linewidth=1)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        _epochs(axes, crossbar)
        axes.set_ylabel(f"accuracy, {crossbar['shown']}")
        axes.legend(loc="lower right")

    return draw("crossbar-curves", (6.2, 3.6), "Accuracy by epoch on crossbars and in float", paint)


def crossbar_losses(crossbar: Mapping[str, Any]) -> Markup:
    """Mean cross entropy of the training samples by epoch, each before its update, of every variant."""

    def paint(axes: Axes) -> None:
        for i, (variant, rows) in enumerate(crossbar["curves"].items()):
            axes.plot([r["epoch"] for r in rows], [r["loss"] for r in rows], "--" if variant == "float" else "-",
                      color=_COLOURS[i % len(_COLOURS)], marker="o", markersize=3,
                      label=variant_name(crossbar, variant))
        _epochs(axes, crossbar)
        axes.set_ylim(bottom=0)
        axes.set_ylabel("loss, training")
        axes.legend(loc="upper right")

    return draw("crossbar-losses", (6.2, 2.4), "Training loss by epoch on crossbars and in float", paint)


def _epochs(axes: Axes, crossbar: Mapping[str, Any]) -> None:
    axes.set_xlim(0.5, 0.5 + max(r["epoch"] for rows in crossbar["curves"].values() for r in rows))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.set_xlabel("epoch")
    axes.grid(axis="y")


def layer_map(data: Mapping[str, Any]) -> Markup:
    """What the crossings of a layer hold: weights in two colours by their sign, conductances in one."""
    levels, name = np.array(data["values"], np.float64) / 255, plain(data["name"])
    signed = data["low"] < 0 and name == "weight"

    def paint(axes: Axes) -> None:
        image = signed_shades(2 * levels - 1) if signed else shades(levels)
        axes.imshow(image, interpolation="none", aspect="auto",
                    extent=(0, levels.shape[1] * data["columns_a_block"], levels.shape[0] * data["rows_a_block"], 0))
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.spines[:].set_visible(True)
        axes.set_xlabel("column (output)")
        axes.set_ylabel("row (input)")
        unit = "" if name == "weight" else " µS"
        axes.set_title(f"layer {data['layer']}, {name}: {data['low']:.3g} to {data['high']:.3g}{unit}", fontsize=10)

    key = f"map-{data['layer']}-{_key(name)}"
    return draw(key, (4.0, 3.4), f"Map of {name} of layer {data['layer']}", paint)


def _key(name: str) -> str:
    return "".join(c if c.isalnum() else {"+": "plus", "-": "minus"}.get(c, "_") for c in name)


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

    return draw(f"fidelity-{variant}", (4.0, 3.4), f"Requested against obtained change of weight, {name}", paint)


def device_histogram(name: str, data: Mapping[str, Any]) -> Markup:
    """One quantity over all synapses."""
    name = plain(name)

    def paint(axes: Axes) -> None:
        edges = np.linspace(data["low"], data["high"], len(data["counts"]) + 1)
        axes.stairs(data["counts"], edges, fill=True, color=ACCENT)
        axes.set_xlabel("weight" if name == "weight" else f"{name}, µS")
        axes.set_ylabel("synapses")
        axes.yaxis.set_major_formatter(short_numbers())

    return draw(f"histogram-{_key(name)}", (4.6, 2.6), f"Histogram of {name}", paint)
