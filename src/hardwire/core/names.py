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


#: Characters of the longest name or label.
LONGEST = 4096
#: Control characters but white space, which a terminal obeys, and halves of surrogate pairs, which no file can hold.
_UNPRINTABLE = re.compile("[\0-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff]")


def trouble_of(text: object) -> str:
    """Say why ``text`` can be no name or label, with the remedy; empty where it can be one."""
    if not isinstance(text, str) or len(text) > LONGEST:
        return f"is no text or longer than {LONGEST}; shorten it"
    if "\n" in text or "\r" in text:
        return "has a line break; leave it out"
    if _UNPRINTABLE.search(text):
        return "has a control character or half of a surrogate pair; leave it out"
    return ""


def is_text(text: str) -> bool:
    """Whether ``text`` can be written to a file: it holds no half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
