"""Files read and written whole: text is UTF-8, a file is written aside and renamed, every failure is one sentence."""

import os
from pathlib import Path

from .errors import FormatError, InputError
from .reading import read_bytes


def write_text(path: str | os.PathLike[str], text: str) -> Path:
    """Write text as ``write_bytes`` does."""
    return write_bytes(path, text.encode(errors="backslashreplace"))


def write_bytes(path: str | os.PathLike[str], content: bytes) -> Path:
    """Write beside the target and rename, so that a reader never meets half a file.

    Parameters
    ----------
    path : str or path
        The target; its folders are made.
    content : bytes
        The whole file.

    Raises
    ------
    InputError
        Where the file cannot be written.
    """
    path = Path(path)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")  # of this process alone: another may write the same file
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        os.replace(part, path)
    except OSError as error:
        if part.is_file():
            part.unlink()
        raise InputError(f"cannot write {path}: {error.strerror}; choose a folder that can be written") from None
    return path


def read_text(path: str | os.PathLike[str]) -> str:
    """Read a file of UTF-8 text.

    Raises
    ------
    FormatError
        Where the file is not UTF-8.
    InputError
        Where it cannot be read.
    """
    try:
        text = read_bytes(path).decode("utf-8")
    except UnicodeDecodeError:
        raise FormatError(f"{path} is not a text file; check the path") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")
