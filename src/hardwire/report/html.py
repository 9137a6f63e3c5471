"""The record as one page that needs nothing else: no script, no address, style and plots inline, light and dark."""

from html import escape
from itertools import groupby
from pathlib import Path
from string import Template

from ..core.files import write_text
from ..runs.record import Record
from . import crossbar, plots, spiking
from .published import points
from .summary import (
    ENERGY_NOTE,
    METRICS,
    SIGNS,
    STAGE_NOTE,
    accuracies,
    counts,
    duration,
    energy_groups,
    energy_range,
    gap,
    machine,
    merit,
    metric,
    number,
    outputs,
    percent,
    plain,
    si,
    times,
    variants,
    verdict,
    verdicts,
    whole,
)

_MARKS = {
    "read": "read in the source", "second-hand": "read in a work that quotes the source",
    "derived": "this project's arithmetic on such figures, and no paper's figure",
}


def render_html(record: dict) -> str:
    """The page, under 500 kB; equal records give equal text. Raises FormatError when the record is malformed."""
    Record.of(record)
    sections = (_head, _accuracy, _crossbar, _spiking, _contenders, _size, _passes, _tradeoff, _checks, _devices, _energy, _reference,
                _model, _environment)
    body = "\n".join(part for section in sections if (part := section(record)))
    title = f"{plain(record['dataset'])}, {record['hardware']}: hardwire report"
    return Template(_page()).substitute(title=escape(title), body=body)


def write_html(record: dict, path) -> Path:
    """Write the page to ``path``, atomically; the path is returned."""
    return write_text(path, render_html(record))


def _page() -> str:
    return Path(__file__).with_name("page.html").read_text(encoding="utf-8")


def _text(value) -> str:
    return escape(plain(value))


def _cell(value, tag: str = "td", attributes: str = "") -> str:
    """A cell, its value escaped unless it is ``_Markup``."""
    shown = value if isinstance(value, _Markup) else _text(value)
    return f"<{tag}{attributes}>{shown}</{tag}>"


class _Markup(str):
    """Text that is HTML already."""


def _row(values, numeric=(), kind: str = "", head: str | None = None) -> str:
    """A row whose first value is its header cell, unless ``head`` is given as that cell."""
    if head is None:
        first, *values = values
        head, numeric = _cell(first, "th", ' scope="row"'), {i - 1 for i in numeric}
    cells = [_cell(value, attributes=_class("number" if i in numeric else "")) for i, value in enumerate(values)]
    return f"<tr{_class(kind)}>{head}{''.join(cells)}</tr>"


def _class(name: str) -> str:
    return f' class="{name}"' if name else ""


def _table(caption: str, header, rows: list[str], numeric=()) -> str:
    heads = "".join(_cell(name, "th", ' scope="col"' + _class("number" if i in numeric else ""))
                    for i, name in enumerate(header))
    return (f'<div class="scroll"><table><caption>{_text(caption)}</caption><thead><tr>{heads}</tr></thead>'
            f"<tbody>{''.join(rows)}</tbody></table></div>")


def _figure(svg: str, caption: str) -> str:
    return f"<figure>{svg}<figcaption>{_text(caption)}</figcaption></figure>"


def _section(title: str, *parts: str) -> str:
    return f"<section><h2>{_text(title)}</h2>{''.join(parts)}</section>"


def _two(*parts: str) -> str:
    parts = [part for part in parts if part]
    return f'<div class="two">{"".join(parts)}</div>' if len(parts) > 1 else "".join(parts)


def _head(record: dict) -> str:
    date = plain(record["environment"].get("date") or "").partition("T")[0]
    lead = " · ".join(_text(p) for p in (f"seed {record['seed']}", date) if p)
    cards = "".join(_card(*card) for card in _cards(record))
    return (f'<header><p class="over">hardwire · {_text(record["hardware"])}</p><h1>{_text(record["dataset"])}</h1>'
            f'<p class="lead">{lead}</p><div class="cards">{cards}</div></header>')


def _card(title: str, value: str, note: str, kind: str = "") -> str:
    return f'<div class="card"><i>{_text(title)}</i><b{_class(kind)}>{_text(value)}</b><span>{_text(note)}</span></div>'


def _cards(record: dict) -> list[tuple]:
    difference = gap(record["accuracy"])
    cards = [(f"test {METRICS[metric(record)][0]}", merit(record["accuracy"]["test_hard"], metric(record)),
              f"relaxed minus hard {difference}" if difference else "on the test split")]
    rows = counts(record)
    if rows:
        total = rows[-1]
        cards.append(("two-input gates", whole(total.optimized), f"of {whole(total.raw)}, {total.removed} removed"))
        cards.append(("depth", whole(total.depth), "gates on the longest path"))
    if record["verified"]:
        first, _, rest = verdict(record).partition(", ")
        good = "good" if first.endswith("proved") and not rest else ""
        cards.append(("same function", first, rest or "every check", "bad" if first.endswith("refuted") else good))
    if energy_range(record):
        cards.append(("energy", energy_range(record), "model estimates, not measurements"))
    return cards


def _accuracy(record: dict) -> str:
    rows, (title, meaning) = [_row(row, {1}) for row in accuracies(record)], METRICS[metric(record)]
    caption = "The first row is what is reported." + f" {title[0].upper() + title[1:]}: {meaning}." * (metric(record) != "accuracy")
    table = _table(caption, ("split and network", title), rows, {1}) + _outputs(record)
    curve = [row for row in record.get("curve") or [] if {row.get("relaxed"), row.get("hard")} != {None}]
    confusion = record.get("confusion")
    left = _figure(plots.learning_curve(curve, metric(record)), f"Validation {title} while training; the band is the gap between the "
                   "relaxed network and what it would freeze to.") if curve else ""
    right = _figure(plots.confusion_matrix(confusion, record.get("classes") or []),
                    "Confusion on the test split. Shade: square root of the share of the row.") if confusion else ""
    return _section(title[0].upper() + title[1:], _two(f"<div>{table}{left}</div>", right) if right else _two(table, left))


def _outputs(record: dict) -> str:
    """Each target with its error and how its value is told by the circuit, or each label with its word."""
    given, title = outputs(record), METRICS[metric(record)][0]
    if not given:
        return ""
    if given[0][3] is None:
        rows = [_row((name, figure, told), {1}) for name, figure, told, _ in given]
        return _table("Each label on the test split; its word is 1 where it is on.", ("label", title, "circuit's word"), rows, {1})
    rows = [_row((name, figure, error, told), {1, 2}) for name, figure, told, error in given]
    caption = "Each target on the test split: root mean square error in its unit, and its value by the circuit's word."
    return _table(caption, ("target", title, "error", "value"), rows, {1, 2})


def _crossbar(record: dict) -> str:
    """Variants of a run on crossbars beside each other, and what they did."""
    if not (data := record.get("crossbar")):
        return ""
    caption = f"{whole(data['synapses'])} synapses; trained side by side from the same weights, sample by sample."
    rows = [_row(row, {1, 2}) for row in variants(data)]
    beside = _table(caption, ("variant", "test accuracy", "points to float"), rows, {1, 2})
    names = [data["names"][v] for v in data["counters"]]
    numeric = set(range(1, 1 + len(names)))
    counted = _table("Events while training.", ("event", *names), [_row((e, *n), numeric) for e, n in crossbar.events(data)], numeric)
    curves = _figure(crossbar.curves(data), "Accuracy by epoch.")
    return _section("Training in analog memory", _two(beside, curves), counted)


def _devices(record: dict) -> str:
    """Fidelity of the update, conductances, and parameters without a source."""
    if not (data := record.get("crossbar")):
        return ""
    fans = [_figure(crossbar.fidelity(data["names"][v], f, v), "Change of weight over two transfer intervals, each point a synapse.")
            for v, f in data["fidelity"].items()]
    drawn = [_figure(crossbar.histogram(name, h), f"{name} over all layers at the end.") for name, h in data["histograms"].items()]
    parts = [_section("Fidelity of the update", _two(*fans))] if fans else []
    parts += [_section("Devices", _two(*drawn))] if drawn else []
    return "".join([*parts, _pairs("Assumed", "Parameters that no source gives.", ("parameter", "value"), data["assumed"].items())])


def _reference(record: dict) -> str:
    """Others' figures beside a run on crossbars."""
    header = ("what", "value", "unit", "source")
    rows = [_row(tuple(r[k] for k in header), {1}) for r in (record.get("crossbar") or {}).get("reference", [])]
    return _section("Reference points", _table("Others' figures, not results of this run.", header, rows, {1})) if rows else ""


def _spiking(record: dict) -> str:
    """A spiking run: its read-outs, its array, what outputs respond to, spikes of a sample, wear."""
    if not (data := record.get("spiking")):
        return ""
    said = _table("Of the same spikes.", ("read-out", "test", "validation"), [_row(r, {1, 2}) for r in spiking.readouts(data)], {1, 2})
    counted = _table("Events while training, mean per sample.", ("event", "count"), [_row(r, {1}) for r in spiking.events(data)], {1})
    told = _table("What learned.", ("what", "figure"), [_row(r) for r in spiking.facts(data)])
    fields = _figure(spiking.receptive_fields(data["fields"]), "Weights of outputs, the busiest of each class; the lowest weight is "
                     "transparent. " + "Classes: " + ", ".join(dict.fromkeys(plain(c) for c in data["fields"]["classes"])) + ".")
    drawn = [_figure(spiking.raster(data["raster"], w), f"One test sample, {w} training: inputs below the line, outputs above.")
             for w in ("before", "after") if data.get("raster")]
    worn = [_figure(spiking.wear_map(data["wear"]), f"Programming pulses of the array's cells: {data['wear']['mean']:,.1f} on average, "
                    f"{data['wear']['most']:,} at most. Shade: square root.")] if data.get("wear") else []
    return _section("Learning without labels", _two(f"<div>{told}{said}{counted}</div>", fields), _two(*drawn, *worn))


def _contenders(record: dict) -> str:
    """Ways to prune beside each other."""
    if not (rows := (record.get("spiking") or {}).get("contenders")):
        return ""
    header = ("pruned", "share", "test accuracy", "seeds", "updates saved", "pulses saved")
    body = [_row(r, {1, 2, 3, 4, 5}) for r in spiking.contenders(record["spiking"])]
    table = _table("Mean and standard deviation over seeds; saved beside the unpruned runs.", header, body, {1, 2, 3, 4, 5})
    return _section("Ways to prune", _two(_figure(spiking.accuracy_by_share(rows), "Accuracy against pruned share."), table))


def _size(record: dict) -> str:
    rows = counts(record)
    if not rows:
        return ""
    body = [_row((r.stage, whole(r.raw), whole(r.optimized), r.removed, whole(r.depth)), {1, 2, 3, 4},
                 "total" if r.stage == "total" else "") for r in rows]
    table = _table(STAGE_NOTE.capitalize() + ".", ("stage", "raw", "optimised", "removed", "depth"), body, {1, 2, 3, 4})
    plot = _figure(plots.gates_by_stage(rows), "Gates by stage.") if rows[-1].raw or rows[-1].optimized else ""
    return _section("Size", _two(f"<div>{table}{plot}</div>", _kinds(record)))


def _kinds(record: dict) -> str:
    kinds = record.get("gate_kinds") or {}
    if not any(kinds.get(key) for key in ("raw", "optimized")):
        return ""
    return _figure(plots.gates_by_kind(kinds), "Gates by kind, before and after the passes.")


def _passes(record: dict) -> str:
    passes = record.get("passes")
    if not passes:
        return ""
    most = max(max(p["gates_before"], p["gates_after"]) for p in passes) or 1
    rows = [_pass(row, most) for row in passes]
    header = ("pass", "gates before", "after", "change", "depth", "time", "gates left")
    return _section("Passes", _table("Each pass in the order it ran.", header, rows, {1, 2, 3, 4, 5}))


def _pass(row: dict, most: float) -> str:
    bar = _Markup(f'<div class="bar" style="width:{100 * row["gates_after"] / most:.1f}%"></div>')
    seconds = "–" if row.get("seconds") is None else duration(row["seconds"])
    return _row((row["name"], whole(row["gates_before"]), whole(row["gates_after"]), _change(row),
                 whole(row.get("depth_after")), seconds, bar), {1, 2, 3, 4, 5})


def _change(row: dict) -> str:
    before, after = row["gates_before"], row["gates_after"]
    changed = before and after != before
    return f"{(after - before) / before:+.1%}".replace("%", " %").replace("-", "−") if changed else "–"


def _tradeoff(record: dict) -> str:
    peers = [p for p in points(record) if p.gates and metric(record) == "accuracy"]
    own = _own(record)
    if not peers or not own:
        return ""
    rows = [row for _, same in groupby(peers, lambda p: (p.name, p.source, p.note)) for row in _peers(list(same))]
    header = ("work", "accuracy", "gates", "mark")
    caption = ("Others' figures. Counting differs: gates as trained without encoder and head, unless the note says "
               "otherwise. " + _legend(p.mark for p in peers))
    figure = _figure(plots.accuracy_by_gates(own, peers), "Compare the star with gates as trained; the diamond "
                     "counts encoder, network and head after optimisation.")
    return _section("Accuracy beside gates", _two(figure, _table(caption, header, rows, {1, 2})))


def _peers(same: list) -> list[str]:
    """Rows of one work, which is named once."""
    said = "; ".join(part for part in (same[0].source, same[0].note) if part)
    name = _Markup(f"{_text(same[0].name)}<br><small>{_text(said)}</small>")
    head = _cell(name, "th", f' scope="rowgroup" rowspan="{len(same)}"')
    rows = [(percent(p.accuracy), whole(p.gates), _mark(p.mark)) for p in same]
    return [_row(row, {0, 1}, head="" if i else head) for i, row in enumerate(rows)]


def _own(record: dict) -> list[tuple[str, float, int]]:
    rows = {row.stage: row for row in counts(record)}
    if "network" not in rows:
        return []
    accuracy = record["accuracy"]["test_hard"]
    own = [("network as trained", accuracy, rows["network"].raw),
           ("whole circuit, optimised", accuracy, rows["total"].optimized)]
    return [row for row in own if row[2]]


def _legend(marks) -> str:
    used = dict.fromkeys(mark for mark in marks if mark in _MARKS)
    return " ".join(f"{mark.capitalize()}: {_MARKS[mark]}." for mark in used)


def _checks(record: dict) -> str:
    return _two(_verified(record), _time(record))


def _mark(mark) -> str:
    return plain(mark).replace("-", "\N{NON-BREAKING HYPHEN}")


def _verified(record: dict) -> str:
    style = {"proved": "good", "refuted": "bad"}
    rows = [_row((name, _Markup(f'<span class="{style.get(kind, "")}">{SIGNS[kind]} {_text(status)}</span>')))
            for kind, name, status in verdicts(record)]
    caption = "Is it the same function? What was simulated or skipped is not a proof."
    return _section("Verification", _table(caption, ("what", "verdict"), rows)) if rows else ""


def _time(record: dict) -> str:
    rows = [_row(row, {1}) for row in times(record)]
    return _section("Time", _table("On the machine named below.", ("what", "time or rate"), rows, {1})) if rows else ""


def _energy(record: dict) -> str:
    groups = energy_groups(record)
    if not groups:
        return ""
    rows = []
    for group in groups:
        name = f"compared with: {group.name}" if group.comparison else group.name
        head = _cell(name, "th", ' scope="rowgroup" colspan="3"')
        total = (si(group.total, "J"), f"per {group.per}", "", "")
        rows.append(_row(total, {0}, "group", head))
        rows += [_energy_row(line) for line in group.lines]
    header = ("item", "count", "each", "total", "model", "source", "mark")
    marks = [str(line.get("mark")) for group in groups for line in group.lines]
    caption = (f"Every figure is a {ENERGY_NOTE}. Lines under one heading are summed; headings are alternatives. "
               f"Accuracies of what is compared are not matched. {_legend(marks)}")
    drawn = [group for group in groups if group.total > 0]
    plot = _figure(plots.energy_scale(drawn), "Model estimates of this run, and of what it is compared with "
                   "(second colour). Nothing here was measured on a chip.") if len(drawn) > 1 else ""
    return _section("Energy", plot, _table(caption, header, rows, {1, 2, 3}))


def _energy_row(line: dict) -> str:
    each = number(line.get("unit_j"))
    each = "–" if each is None else si(each, "J")
    return _row((line["item"], whole(line.get("count")), each, si(line["total_j"], "J"), line["model"],
                 line["source"], _mark(line.get("mark") or "")), {1, 2, 3})


def _pairs(title: str, caption: str, header, mapping) -> str:
    rows = [_row((key, _Markup(f"<code>{_text(value)}</code>"))) for key, value in mapping]
    return _section(title, _table(caption, header, rows)) if rows else ""


def _model(record: dict) -> str:
    rows = list((record.get("model") or {}).items())
    return _pairs("Model", "What was trained.", ("setting", "value"), rows)


def _environment(record: dict) -> str:
    rows = machine(record)
    if record.get("digest"):
        rows.append(("circuit digest", record["digest"]))
    rows += list((record.get("files") or {}).items())
    return _pairs("Environment", "Where it ran, and what it left.", ("what", "value"), rows)
