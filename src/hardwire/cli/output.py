"""What a command says: its answer on standard output, everything else on standard error."""

import json
import os
import sys
from dataclasses import dataclass
from typing import Any

#: Of the processes that ``torchrun`` started, the first one speaks.
FIRST = os.environ.get("RANK", "0") == "0"

#: Key of the context under which a verb leaves its ``--out``, for what is said when it is interrupted.
OUT = "hardwire.out"


@dataclass(frozen=True)
class Output:
    """Where a command speaks.

    Attributes
    ----------
    as_json
        Whether the answer and the progress are for machines.
    """

    as_json: bool = False

    def say(self, text: str) -> None:
        """Print a line of progress to standard error; of ``as_json`` as a JSON object."""
        if FIRST:
            print(json.dumps({"message": text}) if self.as_json else text, file=sys.stderr, flush=True)

    def answer(self, data: Any, text: str) -> None:
        """Print the one thing that goes to standard output: ``data`` as JSON, or ``text``."""
        if FIRST:
            print(json.dumps(data, indent=1, default=_plain) if self.as_json else text.rstrip("\n"), flush=True)


def _plain(value: Any) -> Any:
    """Turn numbers and arrays of NumPy into Python's, and anything else into text."""
    return value.tolist() if hasattr(value, "tolist") else str(value)
