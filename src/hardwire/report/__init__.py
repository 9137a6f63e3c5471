"""One record per run, as text, JSON and HTML with plots. Reads records only: no torch, no circuit."""

from .text import format_text

__all__ = ["format_text", "render_html", "write_html"]


def __getattr__(name):
    if name not in ("render_html", "write_html"):
        raise AttributeError(f"module 'hardwire.report' has no attribute {name!r}")
    from . import html  # brings matplotlib, which whoever only keeps a record does without

    return getattr(html, name)
