"""Progress of a run that Python code started: a bar on a terminal and in a notebook, nothing elsewhere."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from html import escape
from typing import IO, Any

from .progress import Listener, Progress

#: Characters of a bar.
WIDTH = 24


@contextmanager
def shown(progress: Listener | bool | None) -> Iterator[Listener | None]:
    """Give what is called with events while the block runs.

    Parameters
    ----------
    progress
        True: a bar in the notebook's cell, or on standard error where that is a terminal, and nothing elsewhere; False
        or None: nothing; a function: itself.
    """
    if not isinstance(progress, bool):
        yield progress
    elif progress and (display := _notebook()) is not None:
        yield _Cell(display)
    elif progress and sys.stderr is not None and sys.stderr.isatty():
        bar = _Line(sys.stderr)
        try:
            yield bar
        finally:
            bar.end()
    else:
        yield None


def words(event: Progress) -> str:
    """Word an event: where the run stands, the figures of its last evaluation, and the time that is left."""
    if event.doing:
        return f"{event.doing} ..."
    figures = event.figures or {}
    named = [f"{name} {value:.4f}" for name, value in figures.items()
             if isinstance(value, float) and name not in ("seconds", "learning_rate")]
    minutes, rest = divmod(round(event.seconds_left), 60)
    return "  ".join([f"{event.unit} {event.position}/{event.total}", *named[:4], f"{minutes}:{rest:02} left"])


class _Line:
    """A line that is written over; the figures of the last evaluation stay in it."""

    def __init__(self, screen: IO[str]) -> None:
        self.screen, self.written = screen, 0
        self.figures: Mapping[str, float | int | str] | None = None

    def __call__(self, event: Progress) -> None:
        self.figures = event.figures or self.figures
        done = round(WIDTH * event.position / max(1, event.total))
        text = words(replace(event, figures=self.figures))
        text = text if event.doing else f"[{'#' * done}{'.' * (WIDTH - done)}] {text}"
        self.screen.write(f"\r{text:<{self.written}}")
        self.screen.flush()
        self.written = len(text)

    def end(self) -> None:
        """Leave the line as it is and begin the next."""
        if self.written:
            self.screen.write("\n")
            self.screen.flush()


class _Cell:
    """The output of a notebook's cell."""

    def __init__(self, display: Any) -> None:
        self.display, self.handle = display, None
        self.figures: Mapping[str, float | int | str] | None = None

    def __call__(self, event: Progress) -> None:
        self.figures = event.figures or self.figures
        value = "" if event.doing else f' value="{event.position}"'
        text = escape(words(replace(event, figures=self.figures)))
        html = self.display.HTML(f'<progress max="{max(1, event.total)}"{value}></progress> <code>{text}</code>')
        if self.handle is None:
            self.handle = self.display.display(html, display_id=True)
        else:
            self.handle.update(html)


def _notebook() -> Any:
    """Return ``IPython.display`` where the code runs in a notebook, else None; nothing is imported."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return sys.modules.get("IPython.display") if type(shell).__name__ == "ZMQInteractiveShell" else None
