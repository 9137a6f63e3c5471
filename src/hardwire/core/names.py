"""Identifiers of letters, digits and underscores, as C, Verilog, files and circuits accept them."""

import re
from collections.abc import Collection, Iterable

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def identifier(text: str, *, prefix: str = "_", runs: bool = False, avoid: Collection[str] = ()) -> str:
    """Make ``text`` an identifier: every other character becomes an underscore.

    Parameters
    ----------
    text
        Any text.
    prefix
        Stands before a leading digit, and for an empty text.
    runs
        Whether neighbouring characters share one underscore.
    avoid
        Names that are taken or reserved; underscores are appended until the result is none of them.
    """
    name = re.sub("[^A-Za-z0-9_]" + "+" * runs, "_", text)
    if not name or name[0].isdigit():
        name = prefix + name
    while name in avoid:
        name += "_"
    return name


def identifiers(texts: Iterable[str], *, prefix: str = "_", serial: int = 1) -> list[str]:
    """Make ``texts`` unique identifiers; equal ones get ``_1``, ``_2`` ..., counted from ``serial``."""
    following: dict[str, int] = {}  # name -> the number that is tried next, so that many equal ones take linear time
    for text in texts:
        name = unique = identifier(text, prefix=prefix, runs=True)
        number = following.get(name, serial)
        while unique in following:
            unique, number = f"{name}_{number}", number + 1
        if unique != name:
            following[name] = number
        following[unique] = serial
    return list(following)


def is_text(text: str) -> bool:
    """Whether ``text`` can be written to a file: it holds no half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
