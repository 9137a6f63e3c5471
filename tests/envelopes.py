"""Bits of a stored file that are flipped one at a time."""

import pytest

from hardwire.core.errors import FormatError
from hardwire.runs.checkpoint import read_stored


def check_flips(path, kind, bits) -> None:
    """Flip each of ``bits`` alone: the file is refused; and taken again at the end."""
    with open(path, "r+b", buffering=0) as file:
        for bit in bits:
            file.seek(int(bit) // 8)
            before = file.read(1)[0]
            file.seek(int(bit) // 8)
            file.write(bytes([before ^ 1 << int(bit) % 8]))
            with pytest.raises(FormatError):
                read_stored(path, kind)
            file.seek(int(bit) // 8)
            file.write(bytes([before]))
    read_stored(path, kind)
