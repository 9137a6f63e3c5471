"""Untrusted files: no reader spends more than what the file holds, whatever the file says of itself."""

import json
import lzma
import os
import re
import tomllib
import zlib
from pathlib import Path
from typing import Any, Literal

from .errors import FormatError, InputError
from .names import is_text

#: Bytes of the largest file that is read whole.
LARGEST = 1 << 30
#: Bytes that are read at once of a file whose length is not known.
PIECE = 1 << 20
#: A packed file may unpack to so many bytes, or to so many times its own size where that is more.
UNPACKED, RATIO = 32 << 20, 50
#: Digits of the longest number in a text file.
DIGITS = 20
#: Levels of the deepest JSON.
DEPTH = 64
#: Dots in one key of TOML; the parser's time grows with their square.
DOTS = 100

_WHOLE = re.compile(r"-?[0-9]+\Z", re.ASCII)
#: A string, the rest of the text where it has no end, or a bracket; no text is gone over twice.
_NESTING = re.compile(r'"[^"\\]*(?:\\(?:.|\Z)[^"\\]*)*(?:"|\Z)|[\[\]{}]', re.DOTALL)

#: An escaped half of a surrogate pair, which alone is no text.
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
#: What stands in no part of a dotted key.
_NO_KEY = re.compile(r"[,=\[\]{}#]")


def read_bytes(path: str | os.PathLike[str], *, limit: int = LARGEST) -> bytes:
    """Read a file of at most ``limit`` bytes; also a pipe or a device, of which no more than that is taken.

    Raises
    ------
    FormatError
        Where the file is longer.
    InputError
        Where it cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            content = bytearray(file.read(min(limit, os.fstat(file.fileno()).st_size) + 1))
            while content and len(content) <= limit and (piece := file.read(min(PIECE, limit + 1 - len(content)))):
                content += piece  # a read of ``limit`` bytes would take the memory for them first
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"cannot read {path}: {reason}; check the path") from None
    if len(content) > limit:
        raise FormatError(f"{path} is longer than {limit:,} bytes, the most that is read; check the path")
    return bytes(content)


def unpack(content: bytes, kind: Literal[".gz", ".xz"], *, limit: int | None = None) -> bytes:
    """Unpack gzip or xz data, of one part or several.

    Parameters
    ----------
    content, kind
        The packed data, and how it is packed.
    limit
        The most bytes that it may give; from the size of ``content`` unless given.

    Raises
    ------
    ValueError
        Where the data is damaged or truncated, or gives more than ``limit`` bytes.
    """
    most = max(UNPACKED, RATIO * len(content)) if limit is None else limit
    parts, size = list[bytes](), 0
    while content:
        unpacker: Any = zlib.decompressobj(31) if kind == ".gz" else lzma.LZMADecompressor(memlimit=256 << 20)
        try:
            part = unpacker.decompress(content, most + 1 - size)
        except (zlib.error, lzma.LZMAError) as error:
            raise ValueError(f"it is damaged: {error}") from None
        size += len(part)
        if size > most:
            raise ValueError(f"it unpacks to more than {most:,} bytes")
        if not unpacker.eof:
            raise ValueError("it is truncated")
        parts.append(part)
        content = unpacker.unused_data.lstrip(b"\0")  # padding may follow a part
    return b"".join(parts)


def parse_json(text: str | bytes, *, depth: int = DEPTH, constants: bool = False) -> Any:
    """Parse JSON of at most ``depth`` levels, without halves of characters.

    NaN and Infinity, which are no JSON, are taken only where ``constants`` says so.

    Raises
    ------
    ValueError
        Where the text is no such JSON.
    """
    if isinstance(text, bytes):
        text = text.decode()
    level = 0
    for match in _NESTING.finditer(text):
        level += 1 if match[0] in "[{" else -1 if match[0] in "]}" else 0
        if level > depth:
            raise ValueError(f"its JSON has more than {depth} levels")
    value = json.loads(text, parse_constant=None if constants else _no_constant)
    if _SURROGATE.search(text) and not is_text(json.dumps(value, ensure_ascii=False)):
        raise ValueError("its JSON has half of a surrogate pair")
    return value


def _no_constant(name: str) -> None:
    raise ValueError(f"its JSON has the value {name}")


def parse_toml(text: str) -> dict[str, Any]:
    """Return the table of a TOML text.

    Raises
    ------
    ValueError
        The text is not TOML, or is nested too deeply.
    """
    for number, line in enumerate(text.splitlines(), 1):
        if line.count(".") >= DOTS and _dots(line) >= DOTS:
            raise ValueError(f"a key has more than {DOTS} parts at line {number}")
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


def whole(text: str, low: int = -(1 << 63), high: int = (1 << 64) - 1) -> int:
    """Parse a decimal number of ASCII digits from ``low`` to ``high``, by default any of 64 bits.

    Raises
    ------
    ValueError
        Where the text is none, has more than ``DIGITS`` digits, or is not within the limits.
    """
    if len(text) > DIGITS + 1 or not _WHOLE.match(text):
        raise ValueError(f"{text[:DIGITS]!r} is no whole number")
    number = int(text)
    if not low <= number <= high:
        raise ValueError(f"{number} is not within {low} and {high}")
    return number


def declared(text: str, available: int, what: str) -> int:
    """Parse how many of something a file says that it has, of which it can have ``available`` at most.

    Raises
    ------
    ValueError
        Where the text is no such number.
    """
    try:
        return whole(text, 0, available)
    except ValueError:
        raise ValueError(f"it says that it has {text[:DIGITS]} {what} and has room for {available}") from None
