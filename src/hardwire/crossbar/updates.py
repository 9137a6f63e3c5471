"""How the change of an example becomes pulses; the kernels are ``kernels.trains``."""

from dataclasses import dataclass
from typing import NamedTuple

from ..core.errors import InputError

EXACT, STOCHASTIC, COUNTS = range(3)
RULES = {"exact": EXACT, "stochastic": STOCHASTIC, "counts": COUNTS}


class Pulsing(NamedTuple):
    """``Update`` as the kernels read it; ``step`` is the mean change of a weight by one pulse."""

    rule: int
    slots: int
    manage_length: bool
    manage_scale: bool
    nearest: bool
    step: float


@dataclass(frozen=True, kw_only=True)
class Update:
    """How an example's change becomes pulses.

    Parameters
    ----------
    rule
        ``stochastic``, ``counts`` or ``exact``, see ``kernels.trains``.
    slots
        Most slots of a train, 1 to 31.
    manage_length
        Use only as many slots as the largest product needs.
    manage_scale
        Balance rows and columns, so that the largest input and the largest gradient are equally probable.
    nearest
        With rule ``counts``: round to the nearest pulse, so that small changes are lost, instead of at random.
    """

    rule: str = "stochastic"
    slots: int = 31
    manage_length: bool = True
    manage_scale: bool = True
    nearest: bool = False

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise InputError(f"update rule {self.rule!r} is none of {', '.join(RULES)}")
        if isinstance(self.slots, bool) or not isinstance(self.slots, int) or not 1 <= self.slots <= 31:
            raise InputError(f"update: slots = {self.slots!r}; give 1 to 31 slots of a pulse train")

    def pulsing(self, step: float, *, rule: str = "") -> Pulsing:
        """Return what the kernels read, for pulses that change a weight by ``step``; ``rule`` in place of its own."""
        return Pulsing(RULES[rule or self.rule], self.slots, bool(self.manage_length), bool(self.manage_scale),
                       bool(self.nearest), float(step))
