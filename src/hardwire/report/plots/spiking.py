"""Plots of a spiking run: accuracy against pruned share, receptive fields, spikes of a sample, wear of the array."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from ..spiking import METHODS
from ..summary import plain
from .drawing import ACCENT, INK, LINE, MUTED, OTHER, RAW, draw, shades

#: Colour and marker of each method, so that colour is not the only sign.
_SIGNS = {
    "none": (MUTED, "D"), "soft": (ACCENT, "o"), "zero": (OTHER, "s"), "zero-after": (INK, "^"), "random": (RAW, "v"),
}  # fmt: skip
_COLUMNS = 10


def accuracy_by_share(contenders: Sequence[Mapping[str, Any]]) -> Markup:
    """Test accuracy against the pruned share, a line for each method; bars are one standard deviation over seeds."""

    def paint(axes: Axes) -> None:
        for method in dict.fromkeys(row["method"] for row in contenders):
            rows = sorted((r["prune"], r["test"], r["test_sd"]) for r in contenders if r["method"] == method)
            share, mean, spread = zip(*rows)
            colour, marker = _SIGNS.get(method, (MUTED, "x"))
            axes.errorbar(share, mean, yerr=spread, color=colour, marker=marker, markersize=5, capsize=3,
                          label=METHODS.get(method, plain(method)))
        axes.xaxis.set_major_formatter(PercentFormatter(1.0))
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        axes.set_xlabel("pruned share of each output's synapses")
        axes.set_ylabel("test accuracy")
        axes.grid()
        axes.legend(loc="best", fontsize=9)

    label = "Test accuracy against pruned share, by method, with one standard deviation"
    return draw("contenders", (6.2, 4.2), label, paint)


def receptive_fields(fields: Mapping[str, Any]) -> Markup:
    """Weights of outputs as images, ten in a row."""
    high, wide = fields["shape"]
    images = np.frombuffer(bytes.fromhex("".join(fields["images"])), np.uint8).reshape(-1, high, wide)
    lines = -(-len(images) // _COLUMNS)
    sheet = np.zeros((lines * (high + 1), _COLUMNS * (wide + 1)))
    for i, image in enumerate(images):
        top, left = (high + 1) * (i // _COLUMNS), (wide + 1) * (i % _COLUMNS)
        sheet[top : top + high, left : left + wide] = image / 255

    def paint(axes: Axes) -> None:
        axes.imshow(shades(sheet), interpolation="none")
        axes.set_axis_off()

    size = (6.2, 0.62 * lines * high / wide + 0.1)
    return draw("fields", size, "Receptive fields: weights of outputs as images", paint)


def raster(data: Mapping[str, Any], which: Literal["before", "after"]) -> Markup:
    """Every spike of one sample ``which`` training: inputs below, outputs above."""

    def paint(axes: Axes) -> None:
        for kind, colour, size, offset in (("in", MUTED, 2, 0), ("out", ACCENT, 9, data["inputs"])):
            steps, numbers = np.array(data[which][kind], np.int64)
            axes.scatter(steps * data["step_ms"], numbers + offset, s=size, color=colour, linewidths=0)
        axes.axhline(data["inputs"], color=LINE, linewidth=0.8)
        axes.set_xlim(-0.5, data["steps"] * data["step_ms"])
        axes.set_ylim(-1, data["inputs"] + data["outputs"])
        axes.set_xlabel("time, ms")
        axes.set_ylabel("input, then output")
        axes.set_title(f"{which} training: {len(set(data[which]['out'][1]))} outputs fire", fontsize=10)

    return draw(f"raster-{which}", (4.6, 3.6), f"Spikes of one sample {which} training", paint)


def wear_map(wear: Mapping[str, Any]) -> Markup:
    """Pulses that synapses had; the shade is the root of the share of the most worn block."""
    blocks = np.array(wear["map"], np.float64)

    def paint(axes: Axes) -> None:
        axes.imshow(shades(np.sqrt(blocks / max(blocks.max(), 1e-9))), interpolation="none", aspect="auto")
        axes.set_xlabel(f"output, {wear['outputs_a_block']} a column")
        axes.set_ylabel(f"input, {wear['inputs_a_block']} a row")

    return draw("wear", (4.6, 3.6), "Wear of the array: programming pulses of each block of synapses", paint)
