"""Plots of a spiking run: curves, pruned shares, receptive fields, spikes of a sample, the array and its wear."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from ..spiking import METHODS, READOUTS
from ..summary import plain
from .drawing import ACCENT, INK, LINE, MUTED, OTHER, RAW, draw, shades, short_numbers, signed_shades

#: Colour and marker of each method, so that colour is not the only sign.
_SIGNS = {
    "none": (MUTED, "D"), "soft": (ACCENT, "o"), "zero": (OTHER, "s"), "zero-after": (INK, "^"), "random": (RAW, "v"),
}  # fmt: skip
_COLUMNS = 10
#: Read-out -> colour and line of its curve.
_CURVES = {"assigned": (ACCENT, "-"), "bayes": (OTHER, "--"), "linear": (INK, ":")}


def spiking_curve(curve: Sequence[Mapping[str, Any]]) -> Markup:
    """Accuracy of each read-out on the validation split by the samples that were shown."""

    def paint(axes: Axes) -> None:
        by = "samples" if all(row.get("samples") is not None for row in curve) else "epoch"
        for name, (colour, line) in _CURVES.items():
            points = [(row[by], row[f"validation_{name}"]) for row in curve
                      if row.get(f"validation_{name}") is not None]
            if points:
                axes.plot(*zip(*points), line, color=colour, marker="o", markersize=3,
                          label=f"{READOUTS[name]}, last {points[-1][1]:.2%}")
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        axes.set_xlim(left=0)
        if by == "samples":
            axes.xaxis.set_major_formatter(short_numbers())
        axes.set_xlabel("training samples shown" if by == "samples" else "epoch")
        axes.set_ylabel("accuracy, validation")
        axes.grid(axis="y")
        axes.legend(loc="best", fontsize=9)

    return draw("spiking-curve", (6.2, 3.6), "Learning curve: validation accuracy of each read-out by samples", paint)


def activity(points: Sequence[Mapping[str, Any]]) -> Markup:
    """Shares while training, of the outputs that fire and of the synapses that are pruned; spikes where they vary."""

    def paint(axes: Axes) -> None:
        at = [point["samples"] for point in points]
        lines = axes.plot(at, [point["active"] for point in points], color=ACCENT, label="outputs that fire")
        if any(point.get("pruned") for point in points):
            lines += axes.plot(at, [point["pruned"] for point in points], "--", color=OTHER, label="synapses pruned")
        spikes = [point["spikes_per_sample"] for point in points]
        if max(spikes) > 1.001 * min(spikes):  # of a soft winner-take-all they are constant
            other = axes.twinx()
            lines += other.plot(at, spikes, ":", color=INK, label="spikes a sample")
            other.set_ylim(bottom=0)
            other.set_ylabel("output spikes a sample")
        axes.set_ylim(0, 1.04)
        axes.set_xlim(left=0)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        axes.xaxis.set_major_formatter(short_numbers())
        axes.set_xlabel("training samples shown")
        axes.set_ylabel("share")
        axes.grid(axis="y")
        axes.legend(lines, [str(line.get_label()) for line in lines], loc="best", fontsize=9)

    return draw("activity", (6.2, 2.8), "Activity: outputs that fire and pruned share while training", paint)


def array_map(array: Mapping[str, Any]) -> Markup:
    """The array: weights as shades of one colour, pruned cells in another."""
    weights = np.array(array["weights"], np.float64) / 255
    pruned = np.array(array.get("pruned", np.zeros_like(weights)), np.float64)

    def paint(axes: Axes) -> None:
        extent = (0, weights.shape[1] * array["columns_a_block"], weights.shape[0] * array["rows_a_block"], 0)
        axes.imshow(shades(weights * (1 - pruned)), interpolation="none", aspect="auto", extent=extent)
        axes.imshow(signed_shades(-0.75 * pruned), interpolation="none", aspect="auto", extent=extent)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.spines[:].set_visible(True)
        axes.set_xlabel("column (output)")
        axes.set_ylabel("row (input)")

    return draw("array", (4.6, 3.6), "The array: weights of its cells, and which are pruned", paint)


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
        axes.set_xlabel(f"column (output), {wear['outputs_a_block']} a line")
        axes.set_ylabel(f"row (input), {wear['inputs_a_block']} a line")

    return draw("wear", (4.6, 3.6), "Wear of the array: programming pulses of each block of synapses", paint)
