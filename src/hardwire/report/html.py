"""The record as one page that needs nothing else: no address, style, scripts and plots inline, light and dark.

The pages are Jinja templates: on ``base.html`` stand ``record.html`` and ``sweep_front.html``; ``crossbar.html`` and
``spiking.html`` extend ``record.html``, which includes ``logic.html`` for what counts gates, and ``instrument.html``
where the page carries a circuit and the scripts that run it (``page/``). All text is escaped.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from os import PathLike
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ..core.files import write_text
from ..runs.record import Record
from . import crossbar, flows, plots, spiking, summary
from .instrument import Graph, Instrument, of_image, packed, scripts
from .outline import outlined, slug, term
from .published_results import PublishedResult, peers
from .summary import (
    RecordData,
    counts,
    duration,
    gap,
    gap_name,
    merit,
    metric,
    minus,
    number,
    percent,
    plain,
    si,
    verdict,
    whole,
)

#: Classes that a table lists at most.
MOST_CLASSES = 26


def render_html(record: RecordData, instrument: Instrument | None = None) -> str:
    """The page; equal records give equal text.

    Parameters
    ----------
    record
        What the page says. Alone it is a page without scripts, under 500 kB.
    instrument
        The circuit and samples that a logic run's page carries, so that a browser runs them; under 5 MB then.

    Raises
    ------
    FormatError
        When the record is malformed.
    """
    Record.of(record)
    name = next((kind for kind in ("crossbar", "spiking") if record.get(kind)), "record")
    return render_template(f"{name}.html", record=record, instrument=instrument,
                           payload=packed(instrument) if instrument else None)


def write_html(record: RecordData, path: str | PathLike[str], instrument: Instrument | None = None) -> Path:
    """Write the page to ``path``, atomically; the path is returned."""
    return write_text(path, render_html(record, instrument))


def render_template(name: str, **values: object) -> str:
    """A page of the template ``name``."""
    return _TEMPLATES.get_template(name).render(values)


def _shown(value: object) -> object:
    """What stands on the page for an expression: text without control characters, and what is HTML already."""
    return value if isinstance(value, Markup) else plain(value)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _unbroken(text: object) -> str:
    return plain(text).replace("-", "\N{NON-BREAKING HYPHEN}")


def _lead(record: RecordData) -> str:
    date = plain(record["environment"].get("date") or "").partition("T")[0]
    return " · ".join(part for part in (f"seed {record['seed']}", date) if part)


def _cards(record: RecordData) -> list[tuple[str, str, str, str]]:
    """(title, figure, note, class) of what a reader wants first."""
    difference = gap(record)
    cards = [(f"test {summary.METRICS[metric(record)][0]}", merit(record["accuracy"]["test_hard"], metric(record)),
              f"{gap_name(record)} {difference}" if difference else "on the test split", "")]
    if rows := counts(record):
        total = rows[-1]
        note = f"of {whole(total.raw)} raw gates, {total.removed} removed"
        cards.append(("two-input gates", whole(total.optimized), note, ""))
        cards.append(("depth", whole(total.depth), "gates on the longest path", ""))
    if record["verified"]:
        first, _, rest = verdict(record).partition(", ")
        good = "good" if first.endswith("proved") and not rest else ""
        title = "same function" if record["hardware"] == "logic" else "checks"
        note = rest or ("why stands below" if first == "nothing verified" else "every one")
        cards.append((title, first, note, "bad" if first.endswith("refuted") else good))
    cards += _hardware_cards(record)
    if energy := summary.energy_range(record):
        per = next(group.per for group in summary.energy_groups(record) if not group.comparison)
        cards.append(("energy", energy, f"per {per}; model estimates, not measurements", ""))
    return cards


def _hardware_cards(record: RecordData) -> list[tuple[str, str, str, str]]:
    """Cards of what a crossbar or an array holds."""
    if data := record.get("crossbar"):
        return [("synapses", whole(data["synapses"]), crossbar.layers(data) or "of all layers", "")]
    if data := record.get("spiking"):
        pruned = data.get("pruning") or {}
        note = f"{percent(pruned['frozen'], 1)} pruned" if pruned.get("method", "none") != "none" else "none is pruned"
        return [("synapses", whole(data["network"]["synapses"]), note, "")]
    return []


def _learning_curve(record: RecordData) -> list[Mapping[str, Any]]:
    """Rows of the curve that have an accuracy."""
    return [row for row in record.get("curve") or [] if {row.get("relaxed"), row.get("hard")} != {None}]


def _path_rows(graph: Graph) -> list[tuple[str, str, str, str, str]]:
    """(net, gate, stage, level, readers) of the critical path."""
    return [(graph.net_name(net), graph.gate_name(net), graph.stage_name(net), whole(int(graph.level[net])),
             whole(int(graph.fan_out[net]))) for net in graph.critical_path()]


def _passes(record: RecordData) -> list[tuple[str, ...]]:
    """(pass, gates before, after, change, depth, time, gates left in per cent of the most)."""
    rows = record["passes"]
    most = max(max(row["gates_before"], row["gates_after"]) for row in rows) or 1
    return [(row["name"], whole(row["gates_before"]), whole(row["gates_after"]), _change(row),
             whole(row.get("depth_after")), "–" if row.get("seconds") is None else duration(row["seconds"]),
             f"{100 * row['gates_after'] / most:.1f}") for row in rows]


def _change(row: Mapping[str, Any]) -> str:
    before, after = row["gates_before"], row["gates_after"]
    return minus(f"{100 * (after - before) / before:+.1f} %") if before and after != before else "–"


def _shown_classes(classes: Sequence[summary.ClassFigures]) -> list[tuple[str, ...]]:
    """Rows of all classes in their order, or of the ones with the lowest recall where there are many."""
    if len(classes) > MOST_CLASSES:
        classes = sorted(classes, key=lambda c: 1.0 if c.recall is None else c.recall)[:MOST_CLASSES]
    return [c.words for c in classes]


def _comparable_peers(record: RecordData) -> list[PublishedResult]:
    """Results that count gates, where the record's figure of merit is theirs."""
    return [peer for peer in peers(record) if peer.gates and metric(record) == "accuracy"]


def _by_work(results: Iterable[PublishedResult]) -> list[list[PublishedResult]]:
    return [list(same) for _, same in groupby(results, lambda r: (r.name, r.source, r.note))]


def _own_results(record: RecordData) -> list[tuple[str, float, int]]:
    """(what is counted, accuracy, how many) of this run: nodes as others count them, and gates."""
    rows, accuracy = {row.stage: row for row in counts(record)}, record["accuracy"]["test_hard"]
    if "network" not in rows:
        return []
    network = rows["network"]
    counted = {"network as trained": network.raw if network.nodes is None else network.nodes,
               "whole circuit, optimised": rows["total"].optimized}
    return [(what, accuracy, gates) for what, gates in counted.items() if gates]


def _legend(marks: Iterable[object]) -> str:
    """What the marks mean that occur."""
    used = dict.fromkeys(mark for mark in map(str, marks) if mark in summary.MARKS)
    return " ".join(f"{mark.capitalize()}: {summary.MARKS[mark]}." for mark in used)


def _energy_row(line: Mapping[str, Any]) -> tuple[str, ...]:
    """(count, each, total, model, source, mark)."""
    each = number(line.get("unit_j"))
    return (_rounded(line.get("count")), "–" if each is None else si(each, "J"), si(line["total_j"], "J"),
            line["model"], line["source"], _unbroken(line.get("mark") or ""))


def _rounded(count: object) -> str:
    """A mean count: whole, or with three digits where it is small."""
    usual = number(count)
    return whole(count) if usual is None or usual >= 10 else summary.human(float(f"{usual:.3g}"))


def _model(record: RecordData) -> list[tuple[str, str]]:
    """(setting, value) of what was trained."""
    rows = {key: summary.human(value) for key, value in (record.get("model") or {}).items()}
    net = (record.get("spiking") or {}).get("network") or {}
    if net.get("pixels") is not None and "inputs" in rows and net["pixels"] != net.get("pixels_asked"):
        rows["inputs"] = f"at most {rows['inputs']}; the samples have {whole(net['pixels'])}"
    return list(rows.items())


def _drawn_by_area(entries: Iterable[flows.FlowData], on_cells: bool) -> list[flows.FlowData]:
    """The flows of one kind whose area and latency are known."""
    return [flow for flow in entries if flows.on_cells(flow) == on_cells and flows.nanoseconds(flow) is not None
            and number(flow.get("ge") if on_cells else flows.tables(flow)) is not None]


def _flow_tools(entries: Iterable[flows.FlowData]) -> list[tuple[str, str, str]]:
    """(target, tool, version)."""
    return [(flows.name_of(flow), tool, version) for flow in entries
            for tool, version in (flow.get("tools") or {}).items()]


def _environment(record: RecordData) -> list[tuple[str, str]]:
    """Machine, versions, commit, date, and the files that the run left."""
    digest = [("circuit digest", record["digest"])] if record.get("digest") else []
    return [*summary.machine(record), *digest, *(record.get("files") or {}).items()]


_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")), autoescape=True, finalize=_shown,
    undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
)  # fmt: skip
_TEMPLATES.filters |= {
    "outlined": outlined, "percent": percent, "sentence": _sentence, "si": si, "slug": slug, "term": term,
    "unbroken": _unbroken, "whole": whole,
}  # fmt: skip
_TEMPLATES.globals |= {
    "summary": summary, "crossbar": crossbar, "flows": flows, "spiking": spiking, "plots": plots,
    "STYLES": {"proved": "good", "unknown": "warn", "refuted": "bad"},
    "by_work": _by_work, "cards": _cards, "comparable_peers": _comparable_peers,
    "drawn_by_area": _drawn_by_area, "energy_row": _energy_row, "environment": _environment, "flow_tools": _flow_tools,
    "instrument": None, "lead": _lead, "learning_curve": _learning_curve, "legend": _legend, "model": _model,
    "MOST_CLASSES": MOST_CLASSES, "of_image": of_image, "own_results": _own_results, "passes": _passes,
    "path_rows": _path_rows, "scripts": scripts, "shown_classes": _shown_classes,
}  # fmt: skip
