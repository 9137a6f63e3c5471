"""What a spiking run adds to a record, and how it is drawn: read-outs, contenders, receptive fields, rasters, wear. Reads records only.

``record["spiking"]``
    readouts    [{name, test, validation}]
    network     {inputs, outputs, synapses, cells, bits, cells_used, cells_there}; the last three where there are cells
    counts      {event: mean per training sample}
    curve       [{epoch, validation_assigned, validation_linear}]
    pruning     {method, share, outputs_pruned, frozen, updates, updates_saved}
    contenders  [{method, prune, seeds, test, test_sd, validation, test_bayes, test_linear, updates, updates_saved, pulses,
                pulses_saved}]
    fields      {shape, classes, images}: grey levels in hexadecimal
    wear        {map, inputs_a_block, outputs_a_block, most, mean, by_cell}: programming pulses
    raster      {steps, step_ms, inputs, outputs, before, after}: {in, out: [steps, numbers]} of every spike
"""

import numpy as np
from matplotlib.ticker import PercentFormatter

from . import plots
from .summary import percent, plain, whole

READOUTS = {"assigned": "outputs assigned to classes", "bayes": "evidence of each spike", "linear": "linear read-out"}
METHODS = {"none": "not pruned", "soft": "soft: a constant, while training", "zero": "to zero, while training",
           "zero-after": "to zero, after training", "random": "random, frozen while training"}
_COLOURS = {"none": plots.MUTED, "soft": plots.ACCENT, "zero": plots.OTHER, "zero-after": plots.INK, "random": plots.RAW}
#: Marker of each method, so that colour is not the only sign.
_MARKS = {"none": "D", "soft": "o", "zero": "s", "zero-after": "^", "random": "v"}
COLUMNS = 10


def readouts(spiking: dict) -> list[tuple[str, str, str]]:
    """(read-out, test accuracy, validation accuracy)."""
    return [(READOUTS.get(r["name"], plain(r["name"])), percent(r["test"]), percent(r["validation"])) for r in spiking["readouts"]]


def facts(spiking: dict) -> list[tuple[str, str]]:
    """(what, figure) of the network, its array and its pruning."""
    net, pruned = spiking["network"], spiking.get("pruning")
    rows = [("synapses", f"{net['inputs']:,} inputs x {net['outputs']:,} outputs = {net['synapses']:,}")]
    if "bits" in net:
        rows.append(("array", f"{net['cells_used']:,} of {net['cells_there']:,} cells, {net['bits']} a weight, {plain(net['cells'])}"))
    else:
        rows.append(("array", "none: weights are ideal"))
    if pruned and pruned["method"] != "none":
        total = pruned["updates"] + pruned["updates_saved"]
        rows += [("pruning", f"{METHODS.get(pruned['method'], plain(pruned['method']))}; {percent(pruned['frozen'])} of all synapses"),
                 ("updates without it", f"{whole(total)}, of which it saved {percent(pruned['updates_saved'] / max(total, 1))}")]
    return rows


def events(spiking: dict) -> list[tuple[str, str]]:
    """(event, mean per training sample), events that happened only."""
    return [(plain(name).replace("_", " "), f"{value:,.1f}") for name, value in spiking["counts"].items() if value]


def contenders(spiking: dict) -> list[tuple]:
    """(method, pruned share, test accuracy, runs, updates saved, pulses saved)."""
    rows = []
    for row in spiking["contenders"]:
        spread = f" ± {100 * row['test_sd']:.2f}" if row["seeds"] > 1 else ""
        saved = [percent(row[key]).replace("-", "−") for key in ("updates_saved", "pulses_saved")]
        rows.append((METHODS.get(row["method"], plain(row["method"])), percent(row["prune"]), f"{100 * row['test']:.2f}{spread} %",
                     whole(row["seeds"]), *saved))
    return rows


def accuracy_by_share(rows: list[dict]) -> str:
    """Test accuracy against the pruned share, a line for each method; bars are one standard deviation over seeds."""

    def paint(axes):
        for method in dict.fromkeys(row["method"] for row in rows):
            mine = sorted((r["prune"], r["test"], r["test_sd"]) for r in rows if r["method"] == method)
            share, mean, spread = zip(*mine)
            axes.errorbar(share, mean, yerr=spread, color=_COLOURS.get(method, plots.MUTED), marker=_MARKS.get(method, "x"),
                          markersize=5, capsize=3, label=METHODS.get(method, plain(method)))
        axes.xaxis.set_major_formatter(PercentFormatter(1.0))
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        axes.set_xlabel("pruned share of each output's synapses")
        axes.set_ylabel("test accuracy")
        axes.grid()
        axes.legend(loc="lower left", fontsize=9)

    return plots._draw("contenders", (6.2, 4.2), "Test accuracy against pruned share, by method, with one standard deviation", paint)


def receptive_fields(fields: dict) -> str:
    """Weights of outputs as images, ten in a row."""
    high, wide = fields["shape"]
    images, n = np.frombuffer(bytes.fromhex("".join(fields["images"])), np.uint8).reshape(-1, high, wide), len(fields["images"])
    lines = -(-n // COLUMNS)
    sheet = np.zeros((lines * (high + 1), COLUMNS * (wide + 1)), np.float64)
    for i, image in enumerate(images):
        top, left = (high + 1) * (i // COLUMNS), (wide + 1) * (i % COLUMNS)
        sheet[top : top + high, left : left + wide] = image / 255

    def paint(axes):
        axes.imshow(_shaded(sheet), interpolation="none")
        axes.set_axis_off()

    return plots._draw("fields", (6.2, 0.62 * lines * high / wide + 0.1), "Receptive fields: weights of outputs as images", paint)


def raster(data: dict, which: str) -> str:
    """Every spike of one sample: inputs below, outputs above."""

    def paint(axes):
        for kind, colour, size, offset in (("in", plots.MUTED, 2, 0), ("out", plots.ACCENT, 9, data["inputs"])):
            steps, numbers = np.array(data[which][kind], np.int64)
            axes.scatter(steps * data["step_ms"], numbers + offset, s=size, color=colour, linewidths=0)
        axes.axhline(data["inputs"], color=plots.LINE, linewidth=0.8)
        axes.set_xlim(-0.5, data["steps"] * data["step_ms"])
        axes.set_ylim(-1, data["inputs"] + data["outputs"])
        axes.set_xlabel("time, ms")
        axes.set_ylabel("input, then output")
        axes.set_title(f"{which} training: {len(set(data[which]['out'][1]))} outputs fire", fontsize=10)

    return plots._draw(f"raster-{which}", (4.6, 3.6), f"Spikes of one sample {which} training", paint)


def wear_map(wear: dict) -> str:
    """Pulses that synapses had; the shade is the root of the share of the most worn block."""
    blocks = np.array(wear["map"], np.float64)

    def paint(axes):
        axes.imshow(_shaded(np.sqrt(blocks / max(blocks.max(), 1e-9))), interpolation="none", aspect="auto")
        axes.set_xlabel(f"output, {wear['outputs_a_block']} a column")
        axes.set_ylabel(f"input, {wear['inputs_a_block']} a row")

    return plots._draw("wear", (4.6, 3.6), "Wear of the array: programming pulses of each block of synapses", paint)


def _shaded(share: np.ndarray) -> np.ndarray:
    """Shares 0 to 1 as an image whose transparency tells them; the page's colour shows through."""
    image = np.empty((*share.shape, 4))
    image[..., :3], image[..., 3] = plots._CELL, share
    return (image * 255).round().astype(np.uint8)
