"""Files read and written whole: text is UTF-8, a file is written aside and renamed, every failure is one sentence."""

import os
from pathlib import Path

from .errors import FormatError, InputError


def write_text(path, text: str) -> Path:
    """``write_bytes`` for text."""
    return write_bytes(path, text.encode(errors="backslashreplace"))


def write_bytes(path, content: bytes) -> Path:
    """Write beside the target and rename, so that a reader never meets half a file."""
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


def read_text(path) -> str:
    path = Path(path)
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise FormatError(f"{path} is not a text file; check the path") from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; check the path") from None
