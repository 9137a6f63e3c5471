"""From the dictionaries that trainings tell of themselves to progress events."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from ..runs.progress import Listener, Progress

Teller = Callable[[dict[str, Any]], None]


def logic_events(listener: Listener) -> Teller:
    """Return what a logic training calls after each evaluation."""

    def tell(m: dict[str, Any]) -> None:
        entry = {k: v for k, v in m.items() if k not in ("steps", "seconds_left")}
        listener(Progress(m["step"], m["steps"], "step", m["seconds"], m["seconds_left"], entry))

    return tell


def crossbar_events(listener: Listener, variants: Sequence[str], epochs: int) -> Teller:
    """Return what a training on crossbars calls after each epoch of each variant."""
    started, total, earlier = time.perf_counter(), epochs * len(variants), 0

    def tell(m: dict[str, Any]) -> None:
        nonlocal earlier
        done = (m["epoch"] - 1) * len(variants) + list(variants).index(m["variant"]) + 1
        earlier = earlier or done - 1  # a resumed run begins in the middle
        left = (time.perf_counter() - started) / max(done - earlier, 1) * (total - done)
        listener(Progress(done, total, "epoch", m["seconds"], left, m))

    return tell


def spiking_events(listener: Listener) -> Teller:
    """Return what a spiking training calls after each evaluation."""

    def tell(m: dict[str, Any]) -> None:
        entry = {k: v for k, v in m.items() if k not in ("total", "seconds_left")}
        listener(Progress(m["samples"], m["total"], "sample", m["seconds"], m["seconds_left"], entry))

    return tell
