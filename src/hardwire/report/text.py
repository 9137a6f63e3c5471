"""The record as a table for a terminal: at most 96 columns and about 45 lines."""

from ..runs.record import Record
from .summary import (
    METRICS,
    SIGNS,
    accuracies,
    columns,
    counts,
    energy_groups,
    machine,
    metric,
    outputs,
    plain,
    si,
    times,
    variants,
    verdict,
    verdicts,
    whole,
)

WIDTH = 96
INNER = WIDTH - 4
_OUTPUTS = {"r2": "targets: R², root mean square error, value", "label accuracy": "labels: accuracy, word", "accuracy": "outputs"}


def format_text(record: dict, *, folder=None) -> str:
    """The record as a box of text, ending in a newline; ``folder`` is where the run's files are.

    Raises FormatError when the record is malformed.
    """
    Record.of(record)
    title = " · ".join(plain(part) for part in (record["hardware"], record["dataset"], f"seed {record['seed']}"))
    sections = [
        (METRICS[metric(record)][0], [_pair(*row) for row in accuracies(record)]),
        (_OUTPUTS[metric(record)], _outputs(record)),
        ("test accuracy, points to float", _crossbar(record)),
        ("spiking network", _spiking(record)),
        ("pruned, share, test accuracy", _contenders(record)),
        ("two-input gates", _counts(record)),
        (f"verified: {verdict(record)}", _verified(record)),
        ("time", [_pair(what, value) for what, value in _some(times(record), 5)]),
        ("energy: model estimates, not measurements", _energy(record)),
        ("run", _run(record, folder)),
    ]
    lines = [_rule("┌", "┐"), _row(f"hardwire  {title}")]
    for heading, rows in sections:
        if rows:
            lines += [_rule("├", "┤", heading), *map(_row, rows)]
    return "\n".join([*lines, _rule("└", "┘")]) + "\n"


def _rule(left: str, right: str, heading: str = "") -> str:
    said = f"─ {_clip(heading, INNER - 2)} " if heading else ""
    return left + said + "─" * (WIDTH - 2 - columns(said)) + right


def _row(text: str) -> str:
    text = _clip(text, INNER)
    return f"│ {text}{' ' * (INNER - columns(text))} │"


def _clip(text: str, width: int) -> str:
    if columns(text) <= width:
        return text
    while columns(text) > width - 1:
        text = text[:-1]
    return text + "…"


def _pair(what: str, value: str, width: int = 34) -> str:
    what = _clip(what, width)
    return what + " " * (width + 2 - columns(what)) + value


def _some(rows: list, most: int) -> list:
    """The first rows, and how many were left out."""
    if len(rows) <= most:
        return rows
    return [*rows[: most - 1], ("…", f"and {len(rows) - most + 1} more in report.json")]


def _outputs(record: dict) -> list[str]:
    rows = [(name, "  ".join(part.ljust(10) for part in (figure, error, told) if part).rstrip())
            for name, figure, told, error in outputs(record)]
    return [_pair(*row) for row in _some(rows, 5)]


def _crossbar(record: dict) -> list[str]:
    """Each variant of a run on crossbars."""
    rows = variants(record["crossbar"]) if record.get("crossbar") else []
    return [_pair(name, f"{accuracy}  {difference}", 40) for name, accuracy, difference in rows]


def _spiking(record: dict) -> list[str]:
    """A spiking run's other read-outs, its array and its pruning."""
    if not (data := record.get("spiking")):
        return []
    from .spiking import facts, readouts

    return [_pair(name, f"{test} test") for name, test, _ in readouts(data)[1:]] + [_pair(*row, width=18) for row in facts(data)]


def _contenders(record: dict) -> list[str]:
    if not (record.get("spiking") or {}).get("contenders"):
        return []
    from .spiking import contenders

    return [_pair(method, f"{share:>8}  {accuracy}") for method, share, accuracy, *_ in contenders(record["spiking"])]


def _counts(record: dict) -> list[str]:
    rows = counts(record)
    if not rows:
        return []
    form = "{:<12}{:>16}{:>16}{:>14}{:>12}".format
    lines = [form("stage", "raw", "optimised", "removed", "depth")]
    for row in rows:
        lines.append(form(row.stage, whole(row.raw), whole(row.optimized), row.removed, whole(row.depth)))
    return lines


def _verified(record: dict) -> list[str]:
    rows = [(f"{SIGNS[kind]} {name}", status) for kind, name, status in verdicts(record)]
    return [_pair(*row) for row in _some(rows, 7)]


def _energy(record: dict) -> list[str]:
    rows = []
    for group in energy_groups(record):
        name = f"vs {group.name}" if group.comparison else group.name
        rows.append((name, f"{si(group.total, 'J'):>8} per {group.per}"))
    return [_pair(*row, width=54) for row in _some(rows, 6)]


def _run(record: dict, folder) -> list[str]:
    rows = [row for row in machine(record) if row[0] in ("machine", "commit")]
    if record.get("digest"):
        rows.append(("circuit digest", plain(record["digest"])))
    if folder is not None:
        rows.append(("folder", plain(folder)))
    files = [(what, plain(path)) for what, path in (record.get("files") or {}).items()]
    return [_pair(plain(what), value, width=16) for what, value in [*rows, *_some(files, 5)]]
