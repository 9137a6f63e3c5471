"""The record as a panel of at most 96 columns and about 45 lines; plain text where there is no terminal."""

import sys
from collections.abc import Iterable, Sequence
from os import PathLike

from rich import box
from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from ..runs.record import Record
from . import crossbar, flows, spiking
from .summary import (
    METRICS,
    SIGNS,
    RecordData,
    accuracies,
    counts,
    energy_groups,
    machine,
    metric,
    outputs,
    plain,
    si,
    times,
    verdict,
    verdicts,
    whole,
)

WIDTH = 96
#: Columns that a name takes at the most.
_WIDEST = 54
_OUTPUTS = {
    "r2": "targets: R², root mean square error, value",
    "label accuracy": "labels: accuracy, word",
    "accuracy": "outputs",
}
_STYLES = {"refuted": "bold red", "unknown": "yellow", "proved": "green"}
Rows = Sequence[tuple[str, str]]


def format_text(record: RecordData, *, folder: str | PathLike[str] | None = None, terminal: bool | None = None) -> str:
    """The record as a panel of text that ends in a newline.

    Parameters
    ----------
    record
        As ``report.json`` holds it.
    folder
        Where the run's files are.
    terminal
        Whether to colour the text and fit it to the terminal's width; by default where standard output is a terminal.

    Raises
    ------
    FormatError
        When the record is malformed.
    """
    Record.of(record)
    title = " · ".join(map(plain, ("hardwire", record["hardware"], record["dataset"], f"seed {record['seed']}")))
    sections: list[tuple[str, RenderableType | None]] = [
        (METRICS[metric(record)][0], _pairs(accuracies(record))),
        (_OUTPUTS[metric(record)], _outputs(record)),
        ("test accuracy, points to float", _variants(record)),
        ("spiking network", _spiking(record)),
        ("pruned, share, test accuracy", _contenders(record)),
        ("two-input gates", _counts(record)),
        ("silicon, by the tools that made it", _pairs(flows.lines(record), most=5)),
        (f"verification: {verdict(record)}", _verified(record)),
        ("time", _pairs(times(record), most=5)),
        ("energy: model estimates, not measurements", _energy(record)),
        ("run", _run(record, folder)),
    ]
    body = [part for heading, content in sections if content for part in (_rule(heading), content)]
    return render(Panel(Group(Text(title, "bold", no_wrap=True, overflow="ellipsis"), *body), box=box.SQUARE), terminal)


def render(content: RenderableType, terminal: bool | None = None, width: int = WIDTH) -> str:
    """What ``rich`` prints of ``content``: without escape codes and of fixed width, unless for a terminal."""
    terminal = sys.stdout.isatty() if terminal is None else terminal
    width = min(width, Console().width) if terminal else width
    console = Console(width=width, force_terminal=terminal, color_system="auto" if terminal else None,
                      legacy_windows=False, markup=False, highlight=False, emoji=False)
    with console.capture() as capture:
        console.print(content)
    return capture.get()


def _rule(heading: str) -> Rule:
    return Rule(Text.assemble(("─ ", "dim"), (heading, "bold")), align="left", style="dim")


def _grid(
    rows: Iterable[Sequence[str | Text]], widths: Sequence[int | None], right: Iterable[int] = ()
) -> Table | None:
    """Rows without lines between them, each on one line; a column is as wide as told, or as its content."""
    table = Table.grid(padding=(0, 2, 0, 0))
    for i, width in enumerate(widths):
        table.add_column(width=width, no_wrap=True, overflow="ellipsis", justify="right" if i in right else "left")
    for row in rows:
        table.add_row(*row)
    return table if table.row_count else None


def _pairs(rows: Rows, *, width: int = 34, most: int | None = None, style: Sequence[str] = ()) -> Table | None:
    """Names and values; of more than ``most`` rows the first, and how many were left out."""
    shown = list(rows)
    if most and len(shown) > most:
        shown = [*shown[: most - 1], ("…", f"and {len(shown) - most + 1} more in report.json")]
    styled = [(Text(name, s), Text(value)) for (name, value), s in zip(shown, [*style, *[""] * len(shown)])]
    longest = max((cell_len(name.plain) for name, _ in styled), default=0)
    return _grid(styled, (max(width, min(longest, _WIDEST)), None))


def _outputs(record: RecordData) -> Table | None:
    rows = [(name, "  ".join(part.ljust(10) for part in (figure, error, told) if part).rstrip())
            for name, figure, told, error in outputs(record)]
    return _pairs(rows, most=5)


def _variants(record: RecordData) -> Table | None:
    """Each variant of a run on crossbars."""
    if not record.get("crossbar"):
        return None
    return _grid(crossbar.variants(record["crossbar"]), (40, None, None), right=(1, 2))


def _spiking(record: RecordData) -> Table | None:
    """The other read-outs of a spiking run, its array and its pruning."""
    if not (data := record.get("spiking")):
        return None
    others = [(name, f"{test} test") for name, test, _ in spiking.readouts(data)[1:]]
    return _pairs([*others, *spiking.network_figures(data)], width=24)


def _contenders(record: RecordData) -> Table | None:
    if not (record.get("spiking") or {}).get("contenders"):
        return None
    return _grid((row[:3] for row in spiking.contenders(record["spiking"])), (34, None, None), right=(1, 2))


def _counts(record: RecordData) -> Table | None:
    rows = [(row.stage, whole(row.raw), whole(row.optimized), row.removed, whole(row.depth), whole(row.wires),
             whole(row.constants)) for row in counts(record)]
    if not rows:
        return None
    heads = [Text(head, "dim") for head in ("stage", "raw", "optimised", "removed", "depth", "raw wires", "constants")]
    return _grid([heads, *rows], (10, 11, 11, 9, 7, 11, 10), right=range(1, 7))


def _verified(record: RecordData) -> Table | None:
    rows = verdicts(record)
    return _pairs([(f"{SIGNS[kind]} {name}", status) for kind, name, status in rows], most=7,
                  style=[_STYLES.get(kind, "") for kind, *_ in rows])


def _energy(record: RecordData) -> Table | None:
    rows = [(f"vs {group.name}" if group.comparison else group.name, f"{si(group.total, 'J'):>8} per {group.per}")
            for group in energy_groups(record)]
    return _pairs(rows, width=_WIDEST, most=6)


def _run(record: RecordData, folder: str | PathLike[str] | None) -> RenderableType | None:
    rows = [row for row in machine(record) if row[0] in ("machine", "commit")]
    if record.get("digest"):
        rows.append(("circuit digest", plain(record["digest"])))
    if folder is not None:
        rows.append(("folder", plain(folder)))
    files = [(plain(what), plain(path)) for what, path in (record.get("files") or {}).items()]
    parts = [part for part in (_pairs(rows, width=16), _pairs(files, width=16, most=5)) if part]
    return Group(*parts) if parts else None
