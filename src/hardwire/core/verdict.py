"""What a check concluded, and the text that a record holds for it."""

import re
from dataclasses import dataclass
from typing import Literal, cast, get_args

from .errors import FormatError, InputError

Status = Literal["proved", "simulated", "skipped", "unknown", "refuted"]
STATUSES: tuple[Status, ...] = get_args(Status)

#: Characters of the text of a printed verdict.
LONGEST = 300
_TEXT = re.compile(r"(?P<bare>proved|refuted)|(?P<status>refuted|skipped|unknown): (?P<why>.+)"
                   r"|simulated (?P<samples>\d[\d,]*)(?: (?P<what>.+))?", re.DOTALL)


@dataclass(frozen=True)
class Verdict:
    """The conclusion of one check.

    Parameters
    ----------
    status
        ``proved`` for every input, ``simulated`` without a difference, ``refuted``, ``skipped`` (the check could not be
        run) or ``unknown`` (it ran and did not decide). The last two are no pass.
    counterexample
        ``{input word: code}``, confirmed by the interpreter, where refuted.
    outputs
        ``{output word: code}`` of the reference and of what was checked, for the counterexample.
    seconds
        Wall time of the check.
    method
        How it was decided, e.g. ``simulation``.
    detail
        Why it was skipped, is unknown or is refuted; for ``simulated``, what the samples were.
    samples
        How many inputs were simulated.
    against
        SHA-256 of the other circuit or of the file that was checked; empty where it was made from the circuit.
    tool, version
        The program that took part, this one or an outside one.

    Raises
    ------
    InputError
        For another status, or where ``skipped`` or ``unknown`` does not say why.
    """

    status: Status
    counterexample: dict[str, int] | None = None
    outputs: tuple[dict[str, int], dict[str, int]] | None = None
    seconds: float = 0.0
    method: str = ""
    detail: str = ""
    samples: int = 0
    against: str = ""
    tool: str = ""
    version: str = ""

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise InputError(f"a verdict is {', '.join(STATUSES[:-1])} or {STATUSES[-1]}, not {self.status!r}")
        if self.status in ("skipped", "unknown") and not self.detail:
            raise InputError(f"a verdict that is {self.status} must say why; give its detail")

    def __repr__(self) -> str:
        more = f", counterexample of {len(self.counterexample)} words" if self.counterexample is not None else ""
        method = f", by {self.method}" if self.method else ""
        return f"<Verdict {str(self)[:LONGEST]}{more}{method}, {self.seconds:.2f} s>"

    @property
    def passed(self) -> bool:
        """Whether no difference can be or was met: proved or simulated."""
        return self.status in ("proved", "simulated")

    def __str__(self) -> str:
        """``proved``, ``simulated N``, ``skipped: why``, ``unknown: why`` or ``refuted``, the text of a record."""
        if self.status in ("skipped", "unknown"):
            return f"{self.status}: {self.detail}"
        return f"simulated {self.samples} {self.detail}".rstrip() if self.status == "simulated" else self.status

    @classmethod
    def parse(cls, text: str) -> "Verdict":
        """Read the text of a record; ``refuted: why`` and thousands separators are read too.

        Raises
        ------
        FormatError
            Where ``text`` is no verdict.
        """
        match = _TEXT.fullmatch(text)
        if match is None:
            raise FormatError(f"{text!r} is no verdict; "
                              f"give proved, simulated N, skipped: why, unknown: why or refuted")
        status = cast(Status, match["bare"] or match["status"] or "simulated")
        samples = int((match["samples"] or "0").replace(",", ""))
        return cls(status, detail=match["why"] or match["what"] or "", samples=samples)
