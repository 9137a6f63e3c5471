"""JSON and TOML of any origin: whatever is wrong with a text is a ``ValueError`` with the reason."""

import json
import re
import tomllib
from typing import Any

#: Dots in one key of TOML; the parser's time grows with their square.
MOST_DOTS = 100
#: An escaped half of a surrogate pair, which alone is no text.
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
#: What stands in no part of a dotted key.
_NO_KEY = re.compile(r"[,=\[\]{}#]")


def parse_json(text: str) -> Any:
    """Return the value of a JSON text.

    Raises
    ------
    ValueError
        The text is not JSON, is nested too deeply, or holds characters that no file can hold.
    """
    try:
        value = json.loads(text)
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except UnicodeEncodeError:
        raise ValueError("it holds half of a surrogate pair, which is no character") from None
    return value


def parse_toml(text: str) -> dict[str, Any]:
    """Return the table of a TOML text.

    Raises
    ------
    ValueError
        The text is not TOML, or is nested too deeply.
    """
    for number, line in enumerate(text.splitlines(), 1):
        if line.count(".") >= MOST_DOTS and _dots(line) >= MOST_DOTS:
            raise ValueError(f"a key has more than {MOST_DOTS} parts at line {number}")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _dots(line: str) -> int:
    """Return the dots of the longest dotted key in a line."""
    longest = run = 0
    for part in line.split("."):
        run = run + 1 if part.strip() and not _NO_KEY.search(part) else 0
        longest = max(longest, run + 1)
    return longest
