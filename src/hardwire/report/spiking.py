"""What a spiking run adds to a record, in words.

``record["spiking"]``
    readouts    [{name, test, validation}]
    network     {inputs, pixels, pixels_asked, bias, outputs, synapses, cells, bits, cells_used, cells_there}; inputs
                are the array's rows, pixels and bias; the last three where there are cells
    counts      {event: mean per training sample}
    curve       [{samples, epoch, validation_assigned, validation_bayes, validation_linear, ...}]
    activity    [{samples, spikes_per_sample, active, pruned}]: of a chunk of samples; active is the share of outputs
                that fired
    array       {low, high, rows, columns, rows_a_block, columns_a_block, weights, pruned}: means of blocks
    pruning     {method, share, outputs_pruned, frozen, updates, updates_saved}
    contenders  [{method, prune, seeds, test, test_sd, validation, test_bayes, test_linear, updates, updates_saved,
                pulses, pulses_saved}]
    fields      {shape, classes, images}: grey levels in hexadecimal
    wear        {map, inputs_a_block, outputs_a_block, most, mean, by_cell}: programming pulses
    raster      {steps, step_ms, inputs, outputs, before, after}: {in, out: [steps, numbers]} of every spike
"""

from collections.abc import Mapping
from typing import Any

from .summary import minus, percent, plain, whole

READOUTS = {"assigned": "outputs assigned to classes", "bayes": "evidence of each spike", "linear": "linear read-out"}
METHODS = {"none": "not pruned", "soft": "soft: a constant, while training", "zero": "to zero, while training",
           "zero-after": "to zero, after training", "random": "random, frozen while training"}  # fmt: skip


def readouts(spiking: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(read-out, test accuracy, validation accuracy)."""
    return [(READOUTS.get(r["name"], plain(r["name"])), percent(r["test"]), percent(r["validation"]))
            for r in spiking["readouts"]]


def network_figures(spiking: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(what, figure) of the network, its array and its pruning."""
    net, pruned = spiking["network"], spiking.get("pruning")
    array = "none: weights are ideal"
    if net.get("bits") is not None:
        array = f"{net['cells_used']:,} of {net['cells_there']:,} cells, {net['bits']} a weight, {plain(net['cells'])}"
    rows = [("inputs", inputs(net)), ("synapses", _size(net)), ("array", array)]
    if pruned and pruned["method"] != "none":
        total = pruned["updates"] + pruned["updates_saved"]
        saved = percent(pruned["updates_saved"] / max(total, 1))
        method = METHODS.get(pruned["method"], plain(pruned["method"]))
        rows += [("pruning", f"{method}; {percent(pruned['frozen'])} of all synapses"),
                 ("updates without it", f"{whole(total)}, of which it saved {saved}")]
    return rows


def inputs(net: Mapping[str, Any]) -> str:
    """What the array's inputs are: pixels, fewer than were asked for where samples have no more, and a bias."""
    if net.get("pixels") is None:
        return f"{net['inputs']:,}"
    asked = net.get("pixels_asked") or 0
    few = f" (all that the samples have, of {asked:,} asked for)" if asked > net["pixels"] else ""
    return f"{net['pixels']:,} pixels{few}" + (" and a bias that always fires" if net.get("bias") else "")


def _size(net: Mapping[str, Any]) -> str:
    what = "inputs" if net.get("pixels") is None else "rows"
    return f"{net['inputs']:,} {what} x {net['outputs']:,} outputs = {net['synapses']:,}"


def evaluations(spiking: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Rows of the curve that have an accuracy."""
    return [row for row in spiking.get("curve") or [] if any(row.get(f"validation_{name}") is not None
                                                              for name in READOUTS)]


def events(spiking: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(event, mean per training sample), events that happened only."""
    return [(plain(name).replace("_", " "), f"{value:,.1f}") for name, value in spiking["counts"].items() if value]


def contenders(spiking: Mapping[str, Any]) -> list[tuple[str, str, str, str, str, str]]:
    """(method, pruned share, test accuracy, runs, updates saved, pulses saved)."""
    return [(METHODS.get(row["method"], plain(row["method"])), percent(row["prune"]),
             f"{100 * row['test']:.2f}" + (f" ± {100 * row['test_sd']:.2f}" if row["seeds"] > 1 else "") + " %",
             whole(row["seeds"]), minus(percent(row["updates_saved"])), minus(percent(row["pulses_saved"])))
            for row in spiking["contenders"]]
