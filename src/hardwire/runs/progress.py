"""How a run tells where it stands: one kind of event, whatever the hardware."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """Where a run stands: told after each evaluation, and now and then between.

    Attributes
    ----------
    position, total
        Units done, and in all.
    unit
        What is counted: ``step``, ``sample`` or ``example``.
    seconds, seconds_left
        Training time so far over all calls, and an estimate of the rest.
    figures
        The line that an evaluation adds to ``metrics.jsonl``; None between evaluations.
    doing
        What takes time before the first unit is done, such as building the network; else empty.
    """

    position: int
    total: int
    unit: str
    seconds: float
    seconds_left: float
    figures: Mapping[str, float | int | str] | None = None
    doing: str = ""


#: What is called with each event.
Listener = Callable[[Progress], None]
