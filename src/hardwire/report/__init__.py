"""One record per run, as text, JSON and HTML with plots. Reads records only: no torch, no circuit."""

from typing import TYPE_CHECKING, Any

from .text import format_text

if TYPE_CHECKING:
    from .html import render_html, write_html

__all__ = ["format_text", "render_html", "write_html"]


def __getattr__(name: str) -> Any:  # noqa: ANN401
    if name not in ("render_html", "write_html"):
        raise AttributeError(f"module 'hardwire.report' has no attribute {name!r}")
    from . import html  # brings matplotlib, which whoever only keeps a record does without

    return getattr(html, name)
