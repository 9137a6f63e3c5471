"""What a notebook shows of an object: a title and a table, escaped, in the colours of the page around it."""

from collections.abc import Iterable, Sequence
from html import escape

_CARD = "border:1px solid color-mix(in srgb,currentColor 30%,transparent);border-radius:6px;padding:.5em .8em;" \
        "display:inline-block;color:inherit;background:transparent;max-width:100%;overflow-x:auto"
_CELL = "text-align:left;padding:.1em .8em .1em 0;background:transparent;color:inherit"
#: Characters of a cell.
MOST = 200


def card(title: str, rows: Iterable[Sequence[object]], *, head: Sequence[object] = ()) -> str:
    """Return HTML for ``_repr_html_``; it inherits every colour, so that it is right on light and dark pages.

    Parameters
    ----------
    title
        One line.
    rows, head
        Cells of the table and of its heading; everything is escaped, and what is long is cut.
    """
    first = f"<thead>{_row(head, 'th')}</thead>" if head else ""
    body = "".join(_row(row, "td") for row in rows)
    table = f'<table style="border-collapse:collapse;background:transparent">{first}<tbody>{body}</tbody></table>'
    return f'<div style="{_CARD}"><div style="font-weight:600">{_text(title)}</div>{table}</div>'


def _row(cells: Sequence[object], tag: str) -> str:
    return "<tr>" + "".join(f'<{tag} style="{_CELL}">{_text(cell)}</{tag}>' for cell in cells) + "</tr>"


def _text(value: object) -> str:
    text = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    return escape(text if len(text) <= MOST else f"{text[:MOST]} ...")


def short(names: Sequence[object], most: int = 12) -> str:
    """Return names with commas between, and how many more there are."""
    text = ", ".join(map(str, names[:most]))
    return text if len(names) <= most else f"{text} and {len(names) - most:,} more"
