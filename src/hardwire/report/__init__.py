"""One record per run, as text, JSON and HTML with plots. Reads records only: no torch, no circuit."""

from ..runs.record import environment, load_record, save_record, validate
from .text import format_text

__all__ = ["environment", "format_text", "load_record", "render_html", "save_record", "validate", "write_html"]


def __getattr__(name):
    if name not in ("render_html", "write_html"):
        raise AttributeError(f"module 'hardwire.report' has no attribute {name!r}")
    from . import html  # brings matplotlib, which whoever only keeps a record does without

    return getattr(html, name)
