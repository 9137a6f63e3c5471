"""What a run on crossbars adds to a record, in words.

``record["crossbar"]``
    names, accuracy    {variant: what it is called}, {variant: test accuracy}
    synapses, shown    a whole number; split of the curves
    curves             {variant: [{epoch, shown, training, loss}]}
    counters           {variant: {event: count}}
    fidelity           {variant: {requested: [...], obtained: [...], correlation}} in units of weight
    histograms         {name: {low, high, counts}}; conductances in uS
    maps               [{layer, name, low, high, rows, columns, rows_a_block, columns_a_block, values}]: 0 to 255
    sizes              [inputs, hidden units ..., classes]
    assumed            {parameter: value} that no source gives
    reference          [{what, value, unit, source}]: others' figures, not results
"""

from collections.abc import Mapping
from typing import Any

from .summary import human, percent, plain, points, whole


def variant_name(crossbar: Mapping[str, Any], variant: str) -> str:
    """What a variant is called."""
    return plain(crossbar["names"].get(variant, variant))


def variants(crossbar: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(name, test accuracy, difference to float training in points) of each variant."""
    base = crossbar["accuracy"].get("float")
    return [(variant_name(crossbar, variant), percent(value),
             "" if base is None or variant == "float" else points(value - base))
            for variant, value in crossbar["accuracy"].items()]


def layers(crossbar: Mapping[str, Any]) -> str:
    """The layers as in ``784 - 250 - 10``, or nothing."""
    return " - ".join(whole(size) for size in crossbar.get("sizes") or [])


def has_losses(crossbar: Mapping[str, Any]) -> bool:
    """Whether every evaluation has a loss."""
    return all(row.get("loss") is not None for rows in crossbar["curves"].values() for row in rows)


def assumed(crossbar: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(parameter, value) that no source gives."""
    return [(plain(name), human(value)) for name, value in (crossbar.get("assumed") or {}).items()]


def events(crossbar: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """(event, its count in each variant), events that happened only."""
    counters = crossbar["counters"].values()
    names = dict.fromkeys(name for each in counters for name, count in each.items() if count)
    return [(plain(name).replace("_", " "), *(whole(each.get(name, 0)) for each in counters)) for name in names]


def counted_variants(crossbar: Mapping[str, Any]) -> list[str]:
    """Names of the variants whose events were counted."""
    return [variant_name(crossbar, variant) for variant in crossbar["counters"]]


def reference(crossbar: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """(what, value, unit, source) of others' figures."""
    return [(r["what"], human(r["value"]), r["unit"], r["source"]) for r in crossbar.get("reference") or []]
